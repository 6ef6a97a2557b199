package kdcclient

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// tagError is the first byte of a KRB-ERROR: [APPLICATION 30].
const tagError = 0x7e

// maxText is how many bytes of a text from the network are quoted.
const maxText = 200

// Error is a KRB-ERROR (RFC 4120 §5.9.1). Unless FAST is in use nothing protects
// it: anyone on the way could have written it. errors.As finds its Code.
type Error struct {
	Code krberr.Code
	// Text is the e-text as received; Error quotes it.
	Text string
	// Client is the crealm and cname, zero if absent: a realm to turn to when
	// the code is KDCWrongRealm (RFC 6806 §7).
	Client principal.Name
	// Time is the KDC's clock.
	Time time.Time
	// Data is the e-data: for PREAUTH_REQUIRED and the like METHOD-DATA.
	Data []byte

	// armored says that the error came under the armor of FAST, which is proof
	// that the KDC sent it; padata stood beside it.
	armored bool
	padata  []wire.PAData
}

// Error returns the code's words and the quoted e-text.
func (e *Error) Error() string {
	text := strings.TrimRight(e.Text, "\x00")
	if text == "" {
		return e.Code.Error()
	}
	return fmt.Sprintf("%s (the KDC says %s)", e.Code.Error(), quote(text))
}

// quote makes text from the network fit for an error: short and printable.
func quote(text string) string {
	if len(text) > maxText {
		text = text[:maxText] + "..."
	}
	return strconv.QuoteToASCII(text)
}

// Unwrap returns the Code.
func (e *Error) Unwrap() error { return e.Code }

// parseError returns nil if b is not a KRB-ERROR, an *Error if it is, and
// another error if it looks like one and is malformed.
func parseError(b []byte) error {
	if len(b) == 0 || b[0] != tagError {
		return nil
	}
	e, err := wire.ParseKRBError(b)
	if err != nil {
		return fmt.Errorf("%w: KRB-ERROR: %w", krberr.KDCRepModified, err)
	}
	return newError(e)
}

func newError(e *wire.KRBError) *Error {
	return &Error{Code: krberr.FromRFC(e.Code), Text: e.Text, Client: e.Client, Time: e.STime, Data: e.Data}
}
