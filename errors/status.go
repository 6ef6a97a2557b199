// Package gsserr holds the status codes of the GSS-API and the error that
// carries them.
//
// A [Major] is the packed major status of RFC 2744 §3.9.1 and is itself an
// error, so that a code is its own sentinel:
//
//	if errors.Is(err, gsserr.ErrBadMIC) { … }
//
// What functions of this module return is an [*Error], which adds the call, the
// mechanism's own minor status, a token for the peer and the cause.
package gsserr

import "errors"

// Major is a packed major status (RFC 2744 §3.9.1): calling error in bits
// 24–31, routine error in bits 16–23, supplementary information in bits 0–15.
// The zero Major is GSS_S_COMPLETE; functions return a nil error instead.
type Major uint32

const (
	callingShift = 24
	routineShift = 16

	callingMask       Major = 0xff << callingShift
	routineMask       Major = 0xff << routineShift
	supplementaryMask Major = 0xffff
)

// Calling errors (RFC 2744 §3.9.1): a parameter could not be used at all.
const (
	ErrInaccessibleRead  Major = 1 << callingShift // a required input parameter is missing
	ErrInaccessibleWrite Major = 2 << callingShift // a required output parameter is missing
	ErrBadStructure      Major = 3 << callingShift // a parameter is malformed
)

// Routine errors (RFC 2743 §1.2.1.1, RFC 5587 §3.4.3).
const (
	ErrBadMech             Major = 1 << routineShift  // the mechanism is not supported
	ErrBadName             Major = 2 << routineShift  // the name is not valid
	ErrBadNameType         Major = 3 << routineShift  // the name is of a type not supported here
	ErrBadBindings         Major = 4 << routineShift  // the channel bindings differ
	ErrBadStatus           Major = 5 << routineShift  // the status code is not known
	ErrBadMIC              Major = 6 << routineShift  // the token's integrity check failed
	ErrNoCred              Major = 7 << routineShift  // no usable credentials
	ErrNoContext           Major = 8 << routineShift  // the context is not established, or over
	ErrDefectiveToken      Major = 9 << routineShift  // the token is malformed
	ErrDefectiveCredential Major = 10 << routineShift // the credential cannot be used here
	ErrCredentialsExpired  Major = 11 << routineShift // the credential has expired
	ErrContextExpired      Major = 12 << routineShift // the context has expired
	ErrFailure             Major = 13 << routineShift // see the minor status
	ErrBadQOP              Major = 14 << routineShift // the quality of protection is not offered
	ErrUnauthorized        Major = 15 << routineShift // local policy forbids it
	ErrUnavailable         Major = 16 << routineShift // the mechanism does not offer it
	ErrDuplicateElement    Major = 17 << routineShift // the credential element exists already
	ErrNameNotMN           Major = 18 << routineShift // the name is not of one mechanism
	ErrBadMechAttr         Major = 19 << routineShift // the mechanism attribute is not known (RFC 5587)
)

// Supplementary information (RFC 2743 §1.2.1.2).
const (
	ContinueNeeded    Major = 1 << 0 // never returned: Step says so in a result of its own
	ErrDuplicateToken Major = 1 << 1 // a token with this number was seen before
	ErrOldToken       Major = 1 << 2 // too old to tell whether it was seen before
	ErrUnseqToken     Major = 1 << 3 // a later token was processed before this one
	ErrGapToken       Major = 1 << 4 // a token that should come before this one is missing

	// ErrOutOfSequence matches ErrUnseqToken and ErrGapToken, and
	// ErrSupplementary matches every supplementary code. Both are for
	// [errors.Is] and are never returned.
	ErrOutOfSequence Major = ErrUnseqToken | ErrGapToken
	ErrSupplementary Major = supplementaryMask &^ ContinueNeeded
)

// Calling returns the calling error field.
func (m Major) Calling() Major { return m & callingMask }

// Routine returns the routine error field.
func (m Major) Routine() Major { return m & routineMask }

// Supplementary returns the supplementary information bits.
func (m Major) Supplementary() Major { return m & supplementaryMask }

// Is reports whether m matches target, a Major: each field that target sets
// must be the same in m; of the supplementary bits any one is enough. So a
// name read error (ErrInaccessibleRead|ErrBadName) is ErrBadName too.
func (m Major) Is(target error) bool {
	t, ok := target.(Major)
	if !ok || t == 0 {
		return ok && m == 0
	}
	if c := t.Calling(); c != 0 && c != m.Calling() {
		return false
	}
	if r := t.Routine(); r != 0 && r != m.Routine() {
		return false
	}
	s := t.Supplementary()
	return s == 0 || s&m != 0
}

// Informational reports whether err itself — not something it wraps — has
// neither a calling nor a routine error, only supplementary information. Unwrap
// and VerifyMIC return such an error together with a message that is authentic
// but duplicated, old or out of sequence (RFC 2743 §1.2.3). A caller that treats
// it as fatal is safe; a datagram protocol asks here. A nil error is not
// informational.
func Informational(err error) bool {
	var m Major
	switch e := err.(type) {
	case *Error:
		if e == nil {
			return false
		}
		m = e.Major
	case Major:
		m = e
	}
	return m != 0 && m&(callingMask|routineMask) == 0
}

// MajorOf returns the major status that err carries anywhere in its tree: 0 for
// nil, ErrFailure for an error that carries none.
func MajorOf(err error) Major {
	if err == nil {
		return 0
	}
	if e := (*Error)(nil); errors.As(err, &e) && e != nil && e.Major != 0 {
		return e.Major
	}
	if m := Major(0); errors.As(err, &m) && m != 0 {
		return m
	}
	return ErrFailure
}
