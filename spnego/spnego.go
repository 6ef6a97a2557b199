package spnego

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

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
// mechanism need not be in a registry by itself, but credentials are acquired
// of registered ones alone. Those that negotiate themselves, nil, and a second
// one with the same OID are left out.
func New(c *Config, inner ...mech.Mechanism) *Mechanism {
	m := &Mechanism{}
	for _, i := range inner {
		if i != nil && !i.Info().HasAttr(mech.MAMechNego) && m.lookup(i.Info().OID) == nil {
			m.inner = append(m.inner, i)
		}
	}
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
	for _, i := range m.inner {
		for _, t := range i.Info().NameTypes {
			if t != oid.NTExportName && t != oid.NTCompositeExport && !slices.Contains(m.info.NameTypes, t) {
				m.info.NameTypes = append(m.info.NameTypes, t)
			}
		}
	}
	return m
}

// Info implements [mech.Mechanism].
func (m *Mechanism) Info() mech.Info { return m.info }

// lookup returns the inner mechanism with the OID, nil if there is none.
func (m *Mechanism) lookup(o oid.OID) mech.Mechanism {
	for _, i := range m.inner {
		if i.Info().OID == o {
			return i
		}
	}
	return nil
}

// AcquireCred implements [mech.Mechanism]. There is nothing to acquire: contexts
// use the credentials of the mechanisms that are negotiated.
func (m *Mechanism) AcquireCred(_ context.Context, r mech.CredRequest) (mech.Cred, error) {
	const op = "acquire_cred"
	if r.Name != nil {
		if _, err := m.own(op, r.Name); err != nil {
			return nil, err
		}
	}
	return nil, fail(op, gsserr.ErrUnavailable, 0, nil)
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

// fail makes the errors of this package. A zero major or minor is the cause's; a
// minor of ours makes the error ours.
func fail(op string, major gsserr.Major, minor uint32, cause error) *gsserr.Error {
	e := gsserr.New(op, major, cause)
	if minor != 0 {
		e.Minor, e.Mech = minor, oid.SPNEGO
	}
	if e.Mech.IsZero() {
		e.Mech = oid.SPNEGO
	}
	return e
}

// candidates returns the inner mechanisms that a context may use: those of the
// caller's list, in its order, that it has a credential for. A nil list is all
// of them, but without a credential only those that may be used by default.
func (m *Mechanism) candidates(op string, creds []mech.Cred, u func(mech.Usage) bool, list []oid.OID) ([]mech.Mechanism, error) {
	held := func(i mech.Info) bool {
		return len(creds) == 0 || slices.ContainsFunc(creds, func(c mech.Cred) bool { return c.Mech() == i.OID && u(c.Usage()) })
	}
	if !slices.ContainsFunc(m.inner, func(i mech.Mechanism) bool { return held(i.Info()) }) && len(creds) > 0 {
		return nil, fail(op, gsserr.ErrNoCred, minorNoCreds, errors.New("the credential has no element for a mechanism that can be negotiated"))
	}
	asked := list != nil || len(creds) > 0
	if list == nil {
		for _, i := range m.inner {
			list = append(list, i.Info().OID)
		}
	}
	var found []mech.Mechanism
	for k, o := range list {
		i := m.lookup(o)
		if i == nil || slices.Contains(list[:k], o) || !held(i.Info()) {
			continue
		}
		if info := i.Info(); !asked && (info.HasAttr(mech.MADeprecated) || info.HasAttr(mech.MANotDefaultMech)) {
			continue
		}
		found = append(found, i)
	}
	if len(found) == 0 {
		return nil, fail(op, gsserr.ErrFailure, minorNoMechs, nil)
	}
	return found[:min(len(found), maxMechs)], nil
}

// is reports whether an OID that an acceptor calls a mechanism by means this
// one, under any of its names.
func is(i mech.Info, o oid.OID) bool { return o == i.OID || slices.Contains(i.Aliases, o) }

// answers reports whether an OID in an initiator's list means the mechanism.
// Microsoft's OID for Kerberos does; the one of the drafts is an alias in frames
// alone, and not negotiable.
func answers(i mech.Info, o oid.OID) bool {
	return o == i.OID || o == oid.Krb5MS && slices.Contains(i.Aliases, o)
}

// describe lists mechanisms for an error message.
func describe(list []oid.OID) string {
	const most = 8
	words := make([]string, 0, most+1)
	for i, o := range list {
		if i == most {
			words = append(words, "others")
			break
		}
		switch o {
		case oid.Krb5, oid.Krb5MS, oid.Krb5Old:
			words = append(words, "Kerberos ("+o.String()+")")
		case oid.NTLM:
			words = append(words, "NTLM")
		case oid.NegoEx:
			words = append(words, "NegoEx")
		default:
			words = append(words, o.String())
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
