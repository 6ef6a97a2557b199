package krb5

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcclient"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Mechanism is the Kerberos 5 mechanism with one configuration. It is immutable
// and safe for concurrent use.
type Mechanism struct {
	c       Config
	profile profile
	keytabs keytabs
	opened  opened
}

var (
	_ mech.Mechanism     = (*Mechanism)(nil)
	_ mech.Canonicalizer = (*Mechanism)(nil)
	_ mech.StatusTexter  = (*Mechanism)(nil)
)

// New returns a mechanism with a copy of the configuration; nil is the zero
// Config. It does no I/O and reads no environment: both happen per call, and
// files are read again when they have changed.
func New(c *Config) *Mechanism {
	m := &Mechanism{}
	if c != nil {
		m.c = *c
	}
	if m.c.Getenv == nil {
		m.c.Getenv = os.Getenv
	}
	if m.c.Time == nil {
		m.c.Time = time.Now
	}
	if m.c.KDC == nil {
		m.c.KDC = &kdcnet.Network{}
	}
	if m.c.Logger == nil {
		m.c.Logger = slog.New(slog.DiscardHandler)
	}
	return m
}

// Info implements [mech.Mechanism].
func (m *Mechanism) Info() mech.Info { return info }

var info = mech.Info{
	OID:         oid.Krb5,
	Aliases:     []oid.OID{oid.Krb5MS, oid.Krb5Old},
	Name:        "krb5",
	SASLName:    "GS2-KRB5",
	Description: "Kerberos 5 GSS-API Mechanism",
	NameTypes: []oid.OID{
		oid.NTUserName, oid.NTMachineUID, oid.NTStringUID, oid.NTHostBased, oid.NTHostBasedX,
		oid.NTExportName, oid.NTKrb5Principal, oid.NTCompositeExport,
	},
	Attrs: []oid.OID{
		mech.MAMechConcrete, mech.MAItokFramed, mech.MAAuthInit, mech.MAAuthTarg, mech.MAIntegProt, mech.MAConfProt,
		mech.MADelegCred, mech.MAMIC, mech.MAWrap, mech.MAReplayDet, mech.MAOOSDet, mech.MACBindings, mech.MACtxTrans,
	},
	KnownAttrs: mech.KnownAttrs(),
}

// StatusText implements [mech.StatusTexter].
func (m *Mechanism) StatusText(minor uint32) string { return Code(int32(minor)).Text() }

// enctypes returns what this process may use, in order of preference: the
// configuration's choice, as far as the library has it. What the configuration
// does not allow is left out, whoever has chosen it. The list, which must not be
// modified, is made once for each configuration.
func (m *Mechanism) enctypes(c *conf.Config) []etype.ID {
	p := &m.profile
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.usableBy == c {
		return p.usable
	}
	list := m.c.Enctypes
	if list == nil {
		list = c.Enctypes("permitted_enctypes", enctype.All())
	}
	p.usable = make([]etype.ID, 0, len(list))
	for _, id := range list {
		if enctype.Supported(id) && c.Allowed(id) {
			p.usable = append(p.usable, id)
		}
	}
	p.usableBy = c
	return p.usable
}

// skew is how far clocks may differ.
func (m *Mechanism) skew(c *conf.Config) time.Duration {
	if m.c.ClockSkew > 0 {
		return m.c.ClockSkew
	}
	return c.ClockSkew()
}

// client returns a KDC client with the configuration c.
func (m *Mechanism) client(c *conf.Config) *kdcclient.Client {
	k := &kdcclient.Client{Config: c, Exchanger: m.c.KDC, Now: m.c.Time, Logger: m.c.Logger}
	if m.c.Enctypes != nil {
		k.Enctypes = m.enctypes(c)
	}
	return k
}

// fail makes the errors of this package. A cause that has a major status keeps
// it; major is for the others, and zero is then ErrFailure. The minor status is
// the Kerberos code in the cause.
func fail(op string, major gsserr.Major, cause error) error {
	var inner *gsserr.Error
	if errors.As(cause, &inner) {
		major = inner.Major
	}
	e := gsserr.New(op, major, cause)
	e.Mech = oid.Krb5
	if e.Minor == 0 {
		e.Minor = krberr.Of(cause).Minor()
	}
	return e
}

// own returns the element of creds that this mechanism value made and that fits,
// nil for no creds at all: only then the default credential may step in. A
// Kerberos credential of another value is an error: it has another
// configuration, and possibly another realm of the same name.
func (m *Mechanism) own(op string, creds []mech.Cred, fits func(*cred) bool) (*cred, error) {
	if len(creds) == 0 {
		return nil, nil
	}
	cause := fmt.Errorf("the credential has no Kerberos element")
	for _, c := range creds {
		k, ok := c.(*cred)
		switch {
		case !ok:
		case k.m != m:
			return nil, fail(op, gsserr.ErrDefectiveCredential, fmt.Errorf("the credential belongs to another mechanism value"))
		case fits(k):
			return k, nil
		default:
			cause = krberr.GSSCredUsageMismatch
		}
	}
	return nil, fail(op, gsserr.ErrNoCred, cause)
}

// AcquireCred implements [mech.Mechanism].
func (m *Mechanism) AcquireCred(ctx context.Context, r mech.CredRequest) (mech.Cred, error) {
	c, err := m.acquire(ctx, r)
	if err != nil {
		return nil, fail("acquire_cred", 0, err)
	}
	return c, nil
}
