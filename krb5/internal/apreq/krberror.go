package apreq

import (
	"fmt"
	"strings"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/oid"
)

// ErrorToken returns the framed KRB-ERROR with which an acceptor says why it
// refused (RFC 4121 §4.1). It holds the acceptor's clock and the service's
// name, and neither text nor the client's name.
func ErrorToken(m oid.OID, report krberr.Code, server principal.Name, now time.Time) []byte {
	code, ok := report.RFC()
	if !ok {
		code, _ = krberr.KRBGeneric.RFC()
	}
	msg := wire.KRBError{STime: now, Code: int32(code), Server: server}
	return Frame(m, TokError, msg.Append(nil))
}

// OpenError turns a KRB-ERROR message into an error. It is not authentic:
// whoever can write to the connection can have sent it.
func OpenError(msg []byte) error {
	e, err := wire.ParseKRBError(msg)
	if err != nil {
		return fail(gsserr.ErrDefectiveToken, err)
	}
	code := krberr.FromRFC(e.Code)
	if text := printable(e.Text); text != "" {
		return fail(gsserr.ErrFailure, fmt.Errorf("the acceptor says: %w (%q)", code, text))
	}
	return fail(gsserr.ErrFailure, fmt.Errorf("the acceptor says: %w", code))
}

// printable keeps a peer's text short and on one line.
func printable(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
