package gsserr

import (
	"fmt"
	"strings"
)

// name is a code with the short words of Error and the sentence of
// display_status (RFC 2744 §5.11; the sentences are those MIT and python-gssapi
// users know).
type name struct {
	code        Major
	short, text string
}

var callings = [...]name{
	{ErrInaccessibleRead, "inaccessible input parameter", "A required input parameter could not be read"},
	{ErrInaccessibleWrite, "inaccessible output parameter", "A required output parameter could not be written"},
	{ErrBadStructure, "malformed parameter", "A parameter was malformed"},
}

var routines = [...]name{
	{ErrBadMech, "unsupported mechanism", "An unsupported mechanism was requested"},
	{ErrBadName, "bad name", "An invalid name was supplied"},
	{ErrBadNameType, "bad name type", "A supplied name was of an unsupported type"},
	{ErrBadBindings, "channel bindings mismatch", "Incorrect channel bindings were supplied"},
	{ErrBadStatus, "bad status code", badStatusText},
	{ErrBadMIC, "integrity check failed", "A token had an invalid Message Integrity Check (MIC)"},
	{ErrNoCred, "no credentials", "No credentials were supplied, or the credentials were unavailable or inaccessible"},
	{ErrNoContext, "no context", "No context has been established"},
	{ErrDefectiveToken, "defective token", "Invalid token was supplied"},
	{ErrDefectiveCredential, "defective credential", "Invalid credential was supplied"},
	{ErrCredentialsExpired, "credentials expired", "The referenced credential has expired"},
	{ErrContextExpired, "context expired", "The referenced context has expired"},
	{ErrFailure, "failure", "Unspecified GSS failure.  Minor code may provide more information"},
	{ErrBadQOP, "bad quality of protection", "The quality-of-protection (QOP) requested could not be provided"},
	{ErrUnauthorized, "unauthorized", "The operation is forbidden by local security policy"},
	{ErrUnavailable, "unavailable", "The operation or option is not available or unsupported"},
	{ErrDuplicateElement, "duplicate element", "The requested credential element already exists"},
	{ErrNameNotMN, "not a mechanism name", "The provided name was not mechanism specific (MN)"},
	{ErrBadMechAttr, "unknown mechanism attribute", badStatusText},
}

var supplements = [...]name{
	{ContinueNeeded, "continue needed", "The routine must be called again to complete its function"},
	{ErrDuplicateToken, "duplicate token", "The token was a duplicate of an earlier token"},
	{ErrOldToken, "old token", "The token's validity period has expired"},
	{ErrUnseqToken, "unsequenced token", "A later token has already been processed"},
	{ErrGapToken, "gap before token", "An expected per-message token was not received"},
}

const (
	completeText  = "The routine completed successfully"
	badStatusText = "An invalid status code was supplied"
)

// each calls f for every field that m sets, calling error first, with a zero
// name where the code is unknown.
func each(m Major, f func(name)) {
	find := func(table []name, code Major) {
		for _, n := range table {
			if n.code == code {
				f(n)
				return
			}
		}
		f(name{code, fmt.Sprintf("unknown status 0x%08x", uint32(code)), badStatusText})
	}
	if c := m.Calling(); c != 0 {
		find(callings[:], c)
	}
	if r := m.Routine(); r != 0 {
		find(routines[:], r)
	}
	s := m.Supplementary()
	for _, n := range supplements {
		if s&n.code != 0 {
			f(n)
			s &^= n.code
		}
	}
	if s != 0 {
		find(nil, s)
	}
}

// Error returns the names of the fields that m sets, such as "no credentials".
func (m Major) Error() string {
	if m == 0 {
		return "complete"
	}
	var words []string
	each(m, func(n name) { words = append(words, n.short) })
	return strings.Join(words, ", ")
}

// String is the same as Error.
func (m Major) String() string { return m.Error() }

// Statuses returns the sentences of display_status for the major status m: one
// for each field it sets, calling error first, then routine error, then the
// supplementary bits from the lowest (RFC 2744 §5.11).
func Statuses(m Major) []string {
	if m == 0 {
		return []string{completeText}
	}
	var texts []string
	each(m, func(n name) { texts = append(texts, n.text) })
	return texts
}

// Statuses returns the sentences for the major status and, after them, the
// text of the mechanism's own status or of the cause.
func (e *Error) Statuses() []string {
	if e == nil {
		return Statuses(ErrFailure)
	}
	texts := Statuses(e.Major)
	if e.Err != nil {
		texts = append(texts, e.Err.Error())
	}
	return texts
}
