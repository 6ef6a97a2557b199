package spnego

import (
	"context"
	"log/slog"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Config configures a Mechanism. The zero value is safe.
type Config struct {
	// RequireMechListMIC refuses a peer that does not protect the list of
	// mechanisms, even where RFC 4178 §5 allows to leave that out because the
	// initiator's first choice was taken. Windows and Java then fail; it is for
	// peers that are known to do it.
	RequireMechListMIC bool
	// Logger gets one debug record per choice of a mechanism and per mechanism
	// that could not start; nil logs nothing. No record holds a secret.
	Logger *slog.Logger
}

// Mechanism negotiates other mechanisms. It is immutable and safe for concurrent
// use.
type Mechanism struct {
	c     Config
	inner []mech.Mechanism
	info  mech.Info
}

var (
	_ mech.Mechanism       = (*Mechanism)(nil)
	_ mech.StatusTexter    = (*Mechanism)(nil)
	_ mech.ContextImporter = (*Mechanism)(nil)
)

// New returns a mechanism that negotiates the inner ones, in order of
// preference. Nil configuration is the zero Config. To be negotiated, a
// mechanism need not be in a registry by itself.
func New(c *Config, inner ...mech.Mechanism) *Mechanism {
	m := &Mechanism{inner: slices.Clone(inner)}
	if c != nil {
		m.c = *c
	}
	if m.c.Logger == nil {
		m.c.Logger = slog.New(slog.DiscardHandler)
	}
	m.info = mech.Info{
		OID:         oid.SPNEGO,
		Name:        "spnego",
		SASLName:    "SPNEGO",
		Description: "Simple and Protected GSS-API Negotiation Mechanism",
		Attrs:       []oid.OID{mech.MAMechNego, mech.MAItokFramed},
		KnownAttrs:  mech.KnownAttrs(),
	}
	for _, i := range inner {
		for _, t := range i.Info().NameTypes {
			if !slices.Contains(m.info.NameTypes, t) {
				m.info.NameTypes = append(m.info.NameTypes, t)
			}
		}
	}
	return m
}

// Info implements [mech.Mechanism].
func (m *Mechanism) Info() mech.Info { return m.info }

// AcquireCred implements [mech.Mechanism]. There is nothing to acquire: contexts
// use the credentials of the mechanisms that are negotiated.
func (m *Mechanism) AcquireCred(context.Context, mech.CredRequest) (mech.Cred, error) {
	return nil, fail("acquire_cred", gsserr.ErrUnavailable, 0, nil)
}

// name is a name that every inner mechanism reads in its own way.
type name struct {
	m    *Mechanism
	text string
	typ  oid.OID
}

// ImportName implements [mech.Mechanism]. Whether the text is right for its type
// is for the inner mechanisms to say.
func (m *Mechanism) ImportName(text []byte, typ oid.OID) (mech.Name, error) {
	if typ == oid.NTExportName || typ == oid.NTCompositeExport {
		return nil, fail("import_name", gsserr.ErrBadNameType, 0, nil)
	}
	return &name{m, string(text), typ}, nil
}

// Mech implements [mech.Name].
func (n *name) Mech() oid.OID { return oid.SPNEGO }

// Display implements [mech.Name].
func (n *name) Display() (string, oid.OID) { return n.text, n.typ }

// Export implements [mech.Name]: only names of the inner mechanisms can be
// exported.
func (n *name) Export() ([]byte, error) {
	return nil, fail("export_name", gsserr.ErrUnavailable, 0, nil)
}

// Equal implements [mech.Name].
func (n *name) Equal(other mech.Name) bool {
	o, ok := other.(*name)
	return ok && n.m == o.m && n.text == o.text && n.typ == o.typ
}

// Minor status codes, numbered as MIT numbers them.
const (
	minorNoMechs  uint32 = 0x20000001 // no mechanism to negotiate
	minorNoCreds  uint32 = 0x20000002 // no credential for any of them
	minorNoMech   uint32 = 0x20000003 // the acceptor chose none
	minorRejected uint32 = 0x20000004 // the peer has none in common, or says so
	minorNoToken  uint32 = 0x20000005 // the acceptor sent no token of the mechanism
)

// StatusText implements [mech.StatusTexter].
func (m *Mechanism) StatusText(minor uint32) string {
	switch minor {
	case minorNoMechs:
		return "SPNEGO cannot find mechanisms to negotiate"
	case minorNoCreds:
		return "SPNEGO failed to acquire creds"
	case minorNoMech:
		return "SPNEGO acceptor did not select a mechanism"
	case minorRejected:
		return "SPNEGO failed to negotiate a mechanism"
	case minorNoToken:
		return "SPNEGO acceptor did not return a valid token"
	}
	return ""
}

// fail makes the errors of this package.
func fail(op string, major gsserr.Major, minor uint32, cause error) *gsserr.Error {
	e := gsserr.New(op, major, cause)
	if minor != 0 {
		e.Minor = minor
	}
	if e.Mech.IsZero() {
		e.Mech = oid.SPNEGO
	}
	return e
}

// candidates returns the inner mechanisms that a context may use: those of the
// caller's list, in its order, that it has a credential for.
func (m *Mechanism) candidates(creds []mech.Cred, u func(mech.Usage) bool, list []oid.OID) []mech.Mechanism {
	var found []mech.Mechanism
	add := func(i mech.Mechanism) {
		has := func(c mech.Cred) bool { return c.Mech() == i.Info().OID && u(c.Usage()) }
		if len(creds) == 0 || slices.ContainsFunc(creds, has) {
			found = append(found, i)
		}
	}
	if list == nil {
		for _, i := range m.inner {
			add(i)
		}
		return found
	}
	for _, o := range list {
		for _, i := range m.inner {
			if i.Info().OID == o && !slices.Contains(found, i) {
				add(i)
			}
		}
	}
	return found
}

// answers reports whether an OID on the wire means the mechanism. Microsoft's
// OID for Kerberos does; the one of the drafts is an alias for frames alone and
// not negotiable, on the acceptor.
func answers(i mech.Info, o oid.OID) bool {
	return o == i.OID || o == oid.Krb5MS && slices.Contains(i.Aliases, o)
}
