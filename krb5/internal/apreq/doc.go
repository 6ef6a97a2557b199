// Package apreq makes and verifies the messages that establish a Kerberos
// context: AP-REQ, AP-REP and KRB-ERROR (RFC 4120 §3.2) with the GSS-API's
// additions (RFC 4121 §4.1).
//
// It does no I/O but ask the replay cache. What it takes from a message is
// used only after it was verified; its errors are [*gsserr.Error] with the
// Kerberos code as Minor and carry nothing that was encrypted.
package apreq

import (
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/oid"
)

// fail returns the error of this package: cause wraps the code that becomes
// the minor status.
func fail(major gsserr.Major, cause error) *gsserr.Error {
	return &gsserr.Error{Major: major, Minor: krberr.Of(cause).Minor(), Mech: oid.Krb5, Err: cause}
}

// AP options (RFC 4120 §5.5.1). MIT's further options are internal to its API
// and never on the wire.
const (
	OptUseSessionKey  uint32 = 1 << 30
	OptMutualRequired uint32 = 1 << 29
)

// Ticket flags (RFC 4120 §5.3) that an acceptor looks at.
const (
	flagInvalid        uint32 = 1 << (31 - 7)
	flagTransitChecked uint32 = 1 << (31 - 12)
)

// Key usage numbers (RFC 4120 §7.5.1).
const (
	usageTicket        = 2
	usageAPReqChecksum = 10
	usageAPReqAuth     = 11
	usageAPRep         = 12
)

// Authorization data types that say something about the request itself.
const (
	adIfRelevant       = 1   // RFC 4120 §5.2.6.1
	adEtypeNegotiation = 129 // RFC 4537 §3
	adAPOptions        = 143 // KERB_AP_OPTIONS_CBT, MS-KILE §3.2.5.8
)
