package mech

import (
	"context"

	"github.com/gss-go/gssapi/oid"
)

// Name is a name of one mechanism, the MN of RFC 2743 §1.1.5. It is immutable
// and safe for concurrent use.
type Name interface {
	// Mech is the OID under which the mechanism exports names.
	Mech() oid.OID
	// Display returns the name as text, with its type (RFC 2743 §2.4.3).
	Display() (text string, typ oid.OID)
	// Export returns the mechanism's part of an exported name: what follows
	// the OID and the length in RFC 2743 §3.2.
	Export() ([]byte, error)
	// Equal reports whether both denote the same entity (RFC 2743 §2.4.2). It
	// is false for a name of another mechanism.
	Equal(Name) bool
}

// Canonicalizer is implemented by a Mechanism whose names need looking up, for
// example in DNS, to become canonical (RFC 2743 §2.4.13). Without it the
// imported name is the canonical one.
type Canonicalizer interface {
	Canonicalize(ctx context.Context, n Name) (Name, error)
}

// LocalNamer is implemented by a Name that can be a user of this host.
type LocalNamer interface {
	// LocalName returns the local user that the name maps to.
	LocalName(ctx context.Context) (string, error)
	// UserOK returns nil if the name may act as the local user.
	UserOK(ctx context.Context, user string) error
}

// Attribute is a name attribute (RFC 6680 §7.5).
type Attribute struct {
	// Values and Display are parallel: the value and a readable form, which
	// may be empty.
	Values  [][]byte
	Display []string
	// Authenticated says that a party trusted by the mechanism asserts it,
	// Complete that there are no further values.
	Authenticated, Complete bool
}

// AttributedName is implemented by a Name with attributes (RFC 6680). Both
// lookups fail with ErrUnavailable for an attribute that is not there.
type AttributedName interface {
	Attributes() []string
	Attribute(name string) (Attribute, error)
	WithAttribute(name string, a Attribute) (Name, error)
	WithoutAttribute(name string) (Name, error)
	// ExportComposite returns the mechanism's part of a composite exported
	// name, what follows the OID: the name that Export returns and a block of
	// attributes of the mechanism's own making, a big-endian 32-bit length
	// before each.
	ExportComposite() ([]byte, error)
}
