package names

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// MaxName is the size in bytes above which a name is refused, as text and in
// exported form.
const MaxName = 64 << 10

// Name is the name of a user or service. It is an immutable value, safe for
// concurrent use. The zero Name is no name at all, GSS_C_NO_NAME.
//
// Names cannot be compared with ==, because one entity can be written in many
// ways; use [Name.Equal], or [Name.Key] for maps.
type Name struct {
	_ [0]func()

	text string  // as imported
	typ  oid.OID // as imported, zero for the mechanism's default

	mn   mech.Name      // the mechanism name, nil unless the name is an MN
	mech mech.Mechanism // what made mn, nil if that is not known
}

// fail makes the errors of this package.
func fail(op string, major gsserr.Major, cause error) error {
	return gsserr.New(op, major, cause)
}

var (
	errEmpty    = errors.New("the name is empty")
	errTooLong  = fmt.Errorf("the name is longer than %d bytes", MaxName)
	errExported = errors.New("an exported name takes a registry: use ImportExported")
)

// Import returns a name with the given text and type (RFC 2743 §2.4.5). A zero
// typ is the default type of whatever mechanism will use the name. No mechanism
// is asked, so that a text which is wrong for its type fails only when it is
// used.
//
// Errors are ErrBadName for a text that is too long, or empty without being
// oid.NTAnonymous; and ErrBadNameType for exported names, for which there is
// [ImportExported].
func Import(text string, typ oid.OID) (Name, error) {
	const op = "import_name"
	switch {
	case typ == oid.NTExportName || typ == oid.NTCompositeExport:
		return Name{}, fail(op, gsserr.ErrBadNameType, errExported)
	case text == "" && typ != oid.NTAnonymous:
		return Name{}, fail(op, gsserr.ErrBadName, errEmpty)
	case len(text) > MaxName:
		return Name{}, fail(op, gsserr.ErrBadName, errTooLong)
	}
	return Name{text: text, typ: typ}, nil
}

// HostBased returns the name of a service on a host, type oid.NTHostBased
// (RFC 2743 §4.1). An empty host means this host for an initiator and any host
// for an acceptor. A service that is empty or contains an @ makes a name that
// every use refuses with ErrBadName.
func HostBased(service, host string) Name {
	text := service
	switch {
	case strings.Contains(service, "@"):
		text = ""
	case service != "" && host != "":
		text += "@" + host
	}
	return Name{text: text, typ: oid.NTHostBased}
}

// User returns the name of a user, type oid.NTUserName (RFC 2743 §4.2). An
// empty text makes a name that every use refuses with ErrBadName.
func User(name string) Name { return Name{text: name, typ: oid.NTUserName} }

// Principal returns a Kerberos principal name in text form, type
// oid.NTKrb5Principal (RFC 1964 §2.1.1), such as host/a.example.com@EXAMPLE.COM.
// An empty text makes a name that every use refuses with ErrBadName.
func Principal(name string) Name { return Name{text: name, typ: oid.NTKrb5Principal} }

// FromMech returns the MN for a name that mechanism m made. With a nil m, if
// the mechanism is not at hand, the name works, but is equal to MNs only. A nil
// n gives the zero Name.
func FromMech(n mech.Name, m mech.Mechanism) Name {
	if n == nil {
		return Name{}
	}
	return Name{mn: n, mech: m}
}

// IsZero reports whether n is no name.
func (n Name) IsZero() bool { return n.text == "" && n.typ.IsZero() && n.mn == nil }

// String returns the name as text (RFC 2743 §2.4.3): as its mechanism displays
// it, or as it was imported. It is for people. Do not decide about access by it,
// because different mechanisms may show different entities alike; see
// [Name.Key].
func (n Name) String() string {
	if n.mn != nil {
		text, _ := n.mn.Display()
		return text
	}
	return n.text
}

// Type returns the type of what [Name.String] returns. It is zero for the zero
// Name and for one imported without a type.
func (n Name) Type() oid.OID {
	if n.mn != nil {
		_, typ := n.mn.Display()
		return typ
	}
	return n.typ
}

// Mech returns the mechanism of an MN; ok is false if n is none.
func (n Name) Mech() (m oid.OID, ok bool) {
	if n.mn == nil {
		return oid.OID{}, false
	}
	return n.mn.Mech(), true
}

// Engine returns the mechanism's own form of an MN, nil if n is none. It is for
// packages of that mechanism.
func (n Name) Engine() mech.Name { return n.mn }

// DisplayAs returns the text of the name in another type (RFC 6680 §7.4, there
// called display_name_ext). Known are the type the name has, the one it was
// imported with, and for Kerberos principals oid.NTUserName; others are
// ErrUnavailable.
func (n Name) DisplayAs(typ oid.OID) (string, error) {
	const op = "display_name_ext"
	switch {
	case n.IsZero():
		return "", fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	case typ.IsZero():
		return "", fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadNameType, nil)
	case n.mn != nil:
		text, have := n.mn.Display()
		if typ == have || typ == oid.NTUserName && have == oid.NTKrb5Principal {
			return text, nil
		}
	}
	if typ == n.typ {
		return n.text, nil
	}
	return "", fail(op, gsserr.ErrUnavailable, nil)
}

// Equal reports whether both names denote the same entity (RFC 2743 §2.4.2).
// Two MNs are compared by their mechanism, and are different if it is not the
// same one; two other names by type and text; an MN and another name after the
// MN's mechanism has imported the other one, without asking the network. A name
// that cannot be imported is equal to none, as are the zero Name and, as the RFC
// has it, an anonymous one.
func (n Name) Equal(o Name) bool {
	switch {
	case n.IsZero() || o.IsZero() || n.anonymous() || o.anonymous():
		return false
	case n.mn == nil && o.mn == nil:
		return n.typ == o.typ && n.text == o.text
	case n.mn == nil:
		return o.Equal(n)
	case o.mn != nil:
		return n.mn.Mech() == o.mn.Mech() && n.mn.Equal(o.mn)
	case n.mech == nil:
		return false
	}
	other, err := o.ForMech(n.mech)
	return err == nil && n.mn.Equal(other)
}

// anonymous reports whether n stands for nobody in particular.
func (n Name) anonymous() bool { return n.Type() == oid.NTAnonymous }

// Canonicalize returns the MN of n for the mechanism m (RFC 2743 §2.4.13). The
// mechanism may look the name up, for example in DNS. A name that is an MN of m
// already is returned as it is; one of another mechanism is made again from its
// text.
//
// Errors are ErrBadMech for a nil m, a name read error for the zero Name, and
// those of the mechanism.
func (n Name) Canonicalize(ctx context.Context, m mech.Mechanism) (Name, error) {
	const op = "canonicalize_name"
	if ctx == nil {
		ctx = context.Background()
	}
	mn, err := n.forMech(op, m)
	if err != nil {
		return Name{}, err
	}
	if c, ok := m.(mech.Canonicalizer); ok && n.mn == nil {
		if mn, err = c.Canonicalize(ctx, mn); err != nil {
			return Name{}, fail(op, 0, err)
		}
	}
	return Name{text: n.text, typ: n.typ, mn: mn, mech: m}, nil
}

// ForMech returns the name in the form of the mechanism m, for a call on m. It
// does not canonicalize and does no I/O. Errors are as for [Name.Canonicalize].
func (n Name) ForMech(m mech.Mechanism) (mech.Name, error) { return n.forMech("import_name", m) }

func (n Name) forMech(op string, m mech.Mechanism) (mech.Name, error) {
	if n.IsZero() {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	}
	if m == nil {
		return nil, fail(op, gsserr.ErrBadMech, nil)
	}
	text, typ := n.text, n.typ
	if n.mn != nil {
		if n.mech == nil && n.mn.Mech() == m.Info().OID || same(n.mech, m) {
			return n.mn, nil
		}
		if text == "" {
			text, typ = n.mn.Display()
		}
	}
	switch {
	case text == "" && typ != oid.NTAnonymous:
		return nil, fail(op, gsserr.ErrBadName, errEmpty)
	case len(text) > MaxName:
		return nil, fail(op, gsserr.ErrBadName, errTooLong)
	}
	mn, err := m.ImportName([]byte(text), typ)
	if err != nil {
		return nil, fail(op, 0, err)
	}
	return mn, nil
}

// same reports whether a and b are one mechanism. Mechanisms whose values
// cannot be compared never are.
func same(a, b mech.Mechanism) bool {
	return a != nil && reflect.ValueOf(a).Comparable() && a == b
}
