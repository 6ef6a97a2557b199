package gsserr

import (
	"errors"
	"strings"

	"github.com/gss-go/gssapi/oid"
)

// Error is what functions of this module return: a major status with its
// circumstances. It is immutable once returned. [errors.Is] matches its Major
// field by field (see [Major.Is]) as well as its cause. A nil *Error, should one
// end up in an error by mistake, is an ErrFailure.
type Error struct {
	// Op is the RFC 2743 call in lower case, such as "accept_sec_context".
	Op string
	// Major is never zero.
	Major Major
	// Minor is the mechanism's own status, 0 if it has none. Kerberos numbers
	// it as MIT does: a com_err table base plus a code. Compare it only
	// together with Mech.
	Minor uint32
	// Mech is the mechanism that Minor belongs to; zero if none was involved.
	Mech oid.OID
	// Token is a token that should still be sent to the peer, nil if there is
	// none: a Kerberos KRB-ERROR, a SPNEGO reject. It holds no secret.
	Token []byte
	// Err is the cause, nil if there is nothing more to say.
	Err error
}

// New returns an error for the call op. A cause that is an *Error already keeps
// its Minor, Mech and Token; a zero major is taken from the cause (see
// [MajorOf]).
func New(op string, major Major, cause error) *Error {
	e := &Error{Op: op, Major: major, Err: cause}
	if inner := (*Error)(nil); errors.As(cause, &inner) && inner != nil {
		e.Minor, e.Mech, e.Token = inner.Minor, inner.Mech, inner.Token
	}
	if e.Major == 0 {
		e.Major = MajorOf(cause)
		if e.Major == 0 {
			e.Major = ErrFailure
		}
	}
	return e
}

// Error returns one line: the call, the major status and the cause.
func (e *Error) Error() string {
	if e == nil {
		return "gssapi: " + ErrFailure.Error()
	}
	var b strings.Builder
	b.WriteString("gssapi: ")
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	b.WriteString(e.Major.Error())
	if e.Err != nil {
		if text := cause(e); text != "" {
			b.WriteString(": ")
			b.WriteString(text)
		}
	}
	return b.String()
}

// cause returns the text of what lies below e, without saying twice what e says
// itself.
func cause(e *Error) string {
	switch err := e.Err.(type) {
	case Major:
		if err == e.Major {
			return ""
		}
	case *Error:
		if err != nil && err.Major == e.Major {
			if err.Err == nil {
				return ""
			}
			return cause(err)
		}
	}
	return strings.TrimPrefix(e.Err.Error(), "gssapi: ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Is reports whether the major status matches target; see [Major.Is].
func (e *Error) Is(target error) bool {
	if e == nil {
		return ErrFailure.Is(target)
	}
	return e.Major.Is(target)
}
