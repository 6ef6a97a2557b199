package mech

import (
	"context"
	"time"

	"github.com/gss-go/gssapi/oid"
)

// Usage says what a credential is for. The numbers are those of the C bindings.
type Usage uint8

const (
	UsageBoth     Usage = 0
	UsageInitiate Usage = 1
	UsageAccept   Usage = 2
)

// String returns "both", "initiate" or "accept".
func (u Usage) String() string {
	switch u {
	case UsageBoth:
		return "both"
	case UsageInitiate:
		return "initiate"
	case UsageAccept:
		return "accept"
	}
	return "unknown usage"
}

// Initiates reports whether u includes initiating contexts.
func (u Usage) Initiates() bool { return u == UsageBoth || u == UsageInitiate }

// Accepts reports whether u includes accepting contexts.
func (u Usage) Accepts() bool { return u == UsageBoth || u == UsageAccept }

// Indefinite asks for a lifetime without end.
const Indefinite time.Duration = 1<<63 - 1

// Cred is one credential element: the credential of one mechanism. It is
// immutable and safe for concurrent use, and prints no secret.
type Cred interface {
	// Mech is the OID of the mechanism that made it.
	Mech() oid.OID
	// Usage is what it is for. It is constant and needs no looking up.
	Usage() Usage
	// Info looks the credential up. A credential that has expired gives its
	// values together with ErrCredentialsExpired.
	Info(ctx context.Context) (CredInfo, error)
}

// CredInfo describes a credential element (RFC 2743 §2.1.5).
type CredInfo struct {
	// Name is whose credential it is, nil for an acceptor's that takes any.
	Name  Name
	Usage Usage
	// InitiateExpires and AcceptExpires are zero if there is no end.
	InitiateExpires, AcceptExpires time.Time
}

// CredRequest is what a credential is acquired with.
type CredRequest struct {
	// Name is whose credential is wanted, nil for the default.
	Name  Name
	Usage Usage
	// Lifetime and AcceptLifetime are wishes; zero is the default.
	Lifetime, AcceptLifetime time.Duration
	// Store says where the material is, in the keys of MIT's credential store
	// extension; nil is the default place. A mechanism ignores keys that are
	// not its own, and declares its own as a [StoreKeyer]. The key "password"
	// is not in it: its value comes as Password.
	Store map[string]string
	// Password, if not nil, returns the password to log in with. The caller
	// keeps the bytes.
	Password func() []byte
}

// StoreKeyer is implemented by a Mechanism whose credentials can come from, or
// go to, a place that a store names. Keys that no mechanism declares are
// refused, so that a typing error never means the default place.
type StoreKeyer interface {
	// StoreKeys returns the keys of [CredRequest] and [StoreRequest] that the
	// mechanism understands. With "password" among them it can log in with one.
	StoreKeys() []string
}

// CredImporter is implemented by a Mechanism that reads what its credentials'
// Export wrote.
type CredImporter interface {
	ImportCred(token []byte) (Cred, error)
}

// Exporter is implemented by a Cred or Context that can be moved to another
// process. The token holds secrets in the open. An exported Context is closed.
type Exporter interface {
	Export() ([]byte, error)
}

// CredOptioner is implemented by a Cred with options (gss_set_cred_option).
type CredOptioner interface {
	// WithOption returns a credential with the option set. ErrUnavailable
	// means that the aspect is not known.
	WithOption(aspect oid.OID, value []byte) (Cred, error)
}

// StoreRequest says where a credential is to be kept (RFC 5588 §4.1).
type StoreRequest struct {
	Usage Usage
	// Store names the place, nil for the default.
	Store map[string]string
	// Overwrite replaces what is there, Default makes it the default one.
	Overwrite, Default bool
}

// Storer is implemented by a Cred that can be kept (RFC 5588).
type Storer interface {
	// Store returns the usage that was stored.
	Store(ctx context.Context, r StoreRequest) (Usage, error)
}

// Impersonator is implemented by a Cred that can act for others: S4U2Self.
type Impersonator interface {
	Impersonate(ctx context.Context, n Name, r CredRequest) (Cred, error)
}

// Inquirer is implemented by a Cred or Context that answers questions named by
// an OID (GFD.24 §2.3). ErrUnavailable means that the aspect is not known.
type Inquirer interface {
	Inquire(aspect oid.OID) ([][]byte, error)
}
