package kpasswd

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Result is a result code of the password service (RFC 3244 §2).
type Result uint16

// Result codes.
const (
	Success           Result = 0
	Malformed         Result = 1
	HardError         Result = 2
	AuthError         Result = 3
	SoftError         Result = 4 // the password does not fit the policy
	AccessDenied      Result = 5
	BadVersion        Result = 6
	InitialFlagNeeded Result = 7
)

const (
	maxText     = 1024
	policySize  = 30
	complexity  = 1                         // of a domain's password properties
	ticksPerDay = 24 * 60 * 60 * 10_000_000 // of 100 ns
)

// String returns what the code means.
func (r Result) String() string {
	switch r {
	case Success:
		return "success"
	case Malformed:
		return "malformed request"
	case HardError:
		return "server error"
	case AuthError:
		return "authentication failed"
	case SoftError:
		return "password rejected"
	case AccessDenied:
		return "access denied"
	case BadVersion:
		return "protocol version not supported"
	case InitialFlagNeeded:
		return "a ticket of an initial login is needed"
	}
	return "result " + strconv.Itoa(int(r))
}

// Refusal is the answer of a password service that has not changed a password.
type Refusal struct {
	Result Result
	// Text is what the service says about it, for people, "" if nothing.
	Text string
	// Authentic says that the text and the code come from the service: nothing
	// protects those of an error.
	Authentic bool
}

// Error returns the code's meaning and the text.
func (r *Refusal) Error() string {
	if r.Text == "" {
		return "password service: " + r.Result.String()
	}
	return fmt.Sprintf("password service: %s: %s", r.Result, strconv.QuoteToGraphic(r.Text))
}

// result reads a result code and its text: nil for success, which only an
// authentic one can be.
func result(data []byte, authentic bool) error {
	if len(data) < 2 {
		return fmt.Errorf("%w: result of the password service", wire.ErrSyntax)
	}
	code := Result(binary.BigEndian.Uint16(data))
	if code == Success && authentic {
		return nil
	}
	return &Refusal{code, text(data[2:]), authentic}
}

// text is the result string: UTF-8 according to RFC 3244 §2, from a domain
// controller the domain's policy in binary.
func text(b []byte) string {
	if len(b) == policySize && b[0] == 0 && b[1] == 0 {
		return policy(b)
	}
	if len(b) > maxText {
		b = b[:maxText]
	}
	s := strings.Trim(string(b), "\x00\r\n ")
	if !utf8.ValidString(s) {
		return ""
	}
	return s
}

// policy spells out a domain's password policy: two bytes of zero, smallest
// length, history length and properties in 32 bits each, longest and shortest age
// in units of 100 ns.
func policy(b []byte) string {
	length, history, properties := binary.BigEndian.Uint32(b[2:]), binary.BigEndian.Uint32(b[6:]), binary.BigEndian.Uint32(b[10:])
	youngest := binary.BigEndian.Uint64(b[22:])
	var parts []string
	if length > 0 {
		parts = append(parts, fmt.Sprintf("it needs at least %d characters", length))
	}
	if history > 0 {
		parts = append(parts, fmt.Sprintf("it must not be one of the last %d passwords", history))
	}
	if properties&complexity != 0 {
		parts = append(parts, "it needs three of upper case, lower case, digits and signs, and must not contain the name")
	}
	if days := youngest / ticksPerDay; days > 0 {
		parts = append(parts, fmt.Sprintf("a password can be changed after %d days", days))
	}
	return strings.Join(parts, "; ")
}
