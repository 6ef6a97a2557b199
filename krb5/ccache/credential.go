package ccache

import (
	"time"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
)

// Principal is a principal name with its realm.
type Principal = principal.Name

// Key is a session key. It prints as "[redacted]".
type Key = secret.Key

// Enctype is the number of an encryption type.
type Enctype = etype.ID

// NewKey returns a key with a copy of value. Nothing is checked here: a value
// of the wrong size is an error where the key is used.
func NewKey(id Enctype, value []byte) Key { return Key{Enctype: id, Value: secret.New(value)} }

// ParsePrincipal reads the text form of a name, "HTTP/www.example.com@EXAMPLE.COM".
// Without a realm, Realm is empty. The error is krberr ParseMalformed.
func ParsePrincipal(text string) (Principal, error) { return principal.Parse(text) }

// Address is a network address that a ticket is limited to (RFC 4120 §5.2.5).
type Address struct {
	Type  int32
	Bytes []byte
}

// AuthzDatum is one element of authorization data (RFC 4120 §5.2.6).
type AuthzDatum struct {
	Type int32
	Data []byte
}

// Credential is a ticket with what is needed to use it. Treat it as read-only.
//
// Caches keep times in whole seconds up to the year 2106 and the numbers of
// types in 16 bits.
type Credential struct {
	Client, Server Principal
	Key            Key
	// StartTime and RenewTill are zero if the ticket has none.
	AuthTime, StartTime, EndTime, RenewTill time.Time
	// IsSKey says that the ticket is encrypted in another ticket's session key.
	IsSKey bool
	// Flags are the ticket flags (RFC 4120 §5.3), bit 0 as 1<<31.
	Flags     uint32
	Addresses []Address
	AuthzData []AuthzDatum
	// Ticket is the ticket in DER; SecondTicket that of IsSKey.
	Ticket, SecondTicket []byte
}
