package mech

import (
	"context"

	"github.com/gss-go/gssapi/oid"
)

// Mechanism is an engine: one security mechanism that makes names, credentials
// and contexts. A Mechanism is immutable and safe for concurrent use.
//
// Two values of one Go type are two mechanisms: an engine refuses names,
// credentials and contexts that another Mechanism value made, with
// gsserr.ErrDefectiveCredential, so that two configurations in one process never
// mix.
type Mechanism interface {
	// Info describes the mechanism. It is constant.
	Info() Info

	// ImportName makes a mechanism name. A zero typ is the mechanism's default
	// type. It does no I/O. Of an exported name (oid.NTExportName) text is the
	// mechanism's part, what [Name.Export] returned; of a composite one
	// (oid.NTCompositeExport) it is what [AttributedName.ExportComposite]
	// returned. Errors are ErrBadName, ErrBadNameType and, for an exported name,
	// ErrDefectiveToken.
	ImportName(text []byte, typ oid.OID) (Name, error)

	// AcquireCred makes one credential element. It fails with ErrNoCred if
	// there is nothing to make it from.
	AcquireCred(ctx context.Context, r CredRequest) (Cred, error)

	// Initiate makes the initiator's side of a context. It does no I/O; the
	// first Step, with a nil token, does.
	Initiate(target Name, r InitRequest) (Context, error)

	// Accept makes the acceptor's side of a context. It does no I/O.
	Accept(r AcceptRequest) (Context, error)
}

// Info describes a Mechanism. The slices must not be modified.
type Info struct {
	// OID is how the mechanism is registered, and Aliases are further OIDs
	// under which peers send its tokens.
	OID     oid.OID
	Aliases []oid.OID
	// Name is a short name such as "krb5", SASLName the one of RFC 5801 §3
	// (empty: computed from the OID), Description one line of text.
	Name, SASLName, Description string
	// NameTypes are the types that ImportName takes (RFC 2744 §5.27).
	NameTypes []oid.OID
	// Attrs and KnownAttrs are the attributes of RFC 5587 that the mechanism
	// has, and those it knows about. See [KnownAttrs].
	Attrs, KnownAttrs []oid.OID
}

// HasAttr reports whether the mechanism has the attribute.
func (i Info) HasAttr(attr oid.OID) bool {
	for _, a := range i.Attrs {
		if a == attr {
			return true
		}
	}
	return false
}
