package creds_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/creds"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

const (
	secret   = "correct horse"
	initiate = mech.UsageInitiate
	accept   = mech.UsageAccept
	both     = mech.UsageBoth
)

var (
	toyOID   = mechtest.ToyOID
	otherOID = mechtest.ToyOID.Append(7)
	alice    = names.User("alice")
	now      = time.Unix(1_700_000_000, 0)
	noName   names.Name
)

// noCtx is what a careless caller passes. It must not make anything panic.
var noCtx context.Context

func toy(o mechtest.ToyOptions) *mechtest.Toy {
	if o.Time == nil {
		o.Time = func() time.Time { return now }
	}
	return mechtest.NewToy(secret, &o)
}

func registry(t testing.TB, ms ...mech.Mechanism) *mech.Registry {
	t.Helper()
	r, err := mech.NewRegistry(ms...)
	require.NoError(t, err)
	return r
}

// two is a registry of two mechanisms.
func two(t testing.TB) *mech.Registry {
	return registry(t, toy(mechtest.ToyOptions{}), toy(mechtest.ToyOptions{OID: otherOID}))
}

func acquire(t testing.TB, n names.Name, u mech.Usage, o *creds.Options) *creds.Cred {
	t.Helper()
	c, err := creds.Acquire(t.Context(), n, u, o)
	require.NoError(t, err)
	return c
}

// nego is a mechanism that negotiates and has no credentials.
type nego struct{ mech.Mechanism }

func (nego) Info() mech.Info {
	return mech.Info{OID: oid.SPNEGO, Name: "nego", Attrs: []oid.OID{mech.MAMechNego}}
}

func (nego) AcquireCred(context.Context, mech.CredRequest) (mech.Cred, error) {
	return nil, gsserr.New("acquire_cred", gsserr.ErrUnavailable, nil)
}

// bare is a mechanism, and bareCred a credential, with nothing optional.
type bare struct {
	mech.Mechanism
	cred mech.Cred
}

var bareOID = mechtest.ToyOID.Append(8)

func (b bare) Info() mech.Info { return mech.Info{OID: bareOID, Name: "bare"} }

func (b bare) AcquireCred(context.Context, mech.CredRequest) (mech.Cred, error) { return b.cred, nil }

func (b bare) ImportName([]byte, oid.OID) (mech.Name, error) {
	return nil, gsserr.New("import_name", gsserr.ErrBadNameType, nil)
}

type bareCred struct{ err error }

func (bareCred) Mech() oid.OID     { return bareOID }
func (bareCred) Usage() mech.Usage { return both }
func (c bareCred) Info(context.Context) (mech.CredInfo, error) {
	return mech.CredInfo{Usage: both}, c.err
}

func TestAcquire(t *testing.T) {
	r := two(t)
	c := acquire(t, alice, initiate, &creds.Options{Registry: r})
	require.Equal(t, []oid.OID{toyOID, otherOID}, c.Mechs())
	require.Same(t, r, c.Registry())
	info, err := c.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, "alice", info.Name.String())
	require.True(t, info.Name.Equal(alice), "the name knows its mechanism")
	require.Equal(t, initiate, info.Usage)
	require.Equal(t, now.Add(mechtest.ToyLifetime), info.InitiateExpires)
	require.True(t, info.AcceptExpires.IsZero(), "it is not for accepting")
	require.Equal(t, info.InitiateExpires, info.Expires())
	require.Equal(t, []oid.OID{toyOID, otherOID}, info.Mechs)

	c = acquire(t, noName, initiate, &creds.Options{Registry: r})
	info, err = c.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, "user", info.Name.String(), "the zero Name is the default")

	c = acquire(t, noName, accept, &creds.Options{Registry: r})
	info, err = c.Info(t.Context())
	require.NoError(t, err)
	require.True(t, info.Name.IsZero())
	require.True(t, info.InitiateExpires.IsZero())
	require.False(t, info.AcceptExpires.IsZero())
}

func TestAcquireMechs(t *testing.T) {
	toy1, toy2 := toy(mechtest.ToyOptions{}), toy(mechtest.ToyOptions{OID: otherOID})
	old := toy(mechtest.ToyOptions{OID: toyOID.Append(1), Attrs: []oid.OID{mech.MADeprecated}})
	special := toy(mechtest.ToyOptions{OID: toyOID.Append(2), Attrs: []oid.OID{mech.MANotDefaultMech}})
	r := registry(t, old, toy1, special, nego{}, toy2)
	type list = []oid.OID
	for _, tt := range []struct {
		name        string
		mechs, want list
		err         gsserr.Major
	}{
		{"default", nil, list{toyOID, otherOID}, 0},
		{"one", list{otherOID}, list{otherOID}, 0},
		{"in the order asked for", list{otherOID, toyOID}, list{otherOID, toyOID}, 0},
		{"twice", list{otherOID, otherOID}, list{otherOID}, 0},
		{"deprecated by name", list{old.Info().OID}, list{old.Info().OID}, 0},
		{"no default by name", list{special.Info().OID}, list{special.Info().OID}, 0},
		{"negotiating", list{oid.SPNEGO}, list{toyOID, otherOID}, 0},
		{"negotiating and one", list{otherOID, oid.SPNEGO}, list{otherOID, toyOID}, 0},
		{"zero is the first", list{{}}, list{old.Info().OID}, 0},
		{"unknown", list{toyOID, oid.Krb5}, nil, gsserr.ErrBadMech},
		{"none", list{}, nil, gsserr.ErrNoCred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := creds.Acquire(t.Context(), alice, initiate, &creds.Options{Registry: r, Mechs: tt.mechs})
			if tt.err != 0 {
				require.ErrorIs(t, err, tt.err)
				require.Nil(t, c)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, c.Mechs())
		})
	}
}

func TestAcquirePartly(t *testing.T) {
	none := toy(mechtest.ToyOptions{NoDefault: true})
	other := toy(mechtest.ToyOptions{OID: otherOID})
	c := acquire(t, noName, initiate, &creds.Options{Registry: registry(t, none, other)})
	require.Equal(t, []oid.OID{otherOID}, c.Mechs(), "one element is enough")

	// The first error counts.
	broken := bare{}
	_, err := creds.Acquire(t.Context(), names.Principal("x"), initiate, &creds.Options{Registry: registry(t, none, broken)})
	require.ErrorIs(t, err, gsserr.ErrBadNameType)
	_, err = creds.Acquire(t.Context(), noName, initiate, &creds.Options{Registry: registry(t, none)})
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	_, err = creds.Acquire(t.Context(), noName, initiate, &creds.Options{Registry: registry(t, broken)})
	require.ErrorIs(t, err, gsserr.ErrNoCred, "nothing is not a credential")
	_, err = creds.Acquire(t.Context(), noName, initiate, &creds.Options{Registry: registry(t, nego{})})
	require.ErrorIs(t, err, gsserr.ErrNoCred)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = creds.Acquire(ctx, noName, initiate, &creds.Options{Registry: two(t)})
	require.ErrorIs(t, err, context.Canceled)
	// What was acquired before the end of ctx is not passed off as everything.
	_, err = creds.Acquire(ctx, noName, initiate, &creds.Options{Registry: registry(t, bare{cred: bareCred{}}, other)})
	require.ErrorIs(t, err, context.Canceled)
}

func TestAcquireOptions(t *testing.T) {
	r := two(t)
	expires := func(u mech.Usage, o creds.Options) creds.Info {
		t.Helper()
		o.Registry = r
		i, err := acquire(t, alice, u, &o).Info(t.Context())
		require.NoError(t, err)
		return i
	}
	i := expires(both, creds.Options{Lifetime: time.Minute})
	require.Equal(t, now.Add(time.Minute), i.InitiateExpires)
	require.Equal(t, now.Add(mechtest.ToyLifetime), i.AcceptExpires)
	require.Equal(t, i.InitiateExpires, i.Expires())
	i = expires(both, creds.Options{AcceptLifetime: time.Minute})
	require.Equal(t, now.Add(mechtest.ToyLifetime), i.InitiateExpires)
	require.Equal(t, now.Add(time.Minute), i.AcceptExpires)
	require.Equal(t, i.AcceptExpires, i.Expires())
	i = expires(both, creds.Options{Lifetime: mech.Indefinite, AcceptLifetime: mech.Indefinite})
	require.True(t, i.Expires().IsZero())
	i = expires(both, creds.Options{Lifetime: mech.Indefinite})
	require.Equal(t, i.AcceptExpires, i.Expires())

	imp := acquire(t, noName, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{toyOID}})
	acceptor := acquire(t, noName, accept, &creds.Options{Registry: r})
	pw := creds.Password([]byte(secret))
	for _, tt := range []struct {
		name string
		n    names.Name
		u    mech.Usage
		o    *creds.Options
		want gsserr.Major
	}{
		{"password", alice, initiate, &creds.Options{Registry: r, Password: pw}, 0},
		{"password, both", alice, both, &creds.Options{Registry: r, Password: pw}, 0},
		{"password in the store", alice, initiate, &creds.Options{Registry: r, Store: creds.Store{"password": secret}}, 0},
		{"wrong password", alice, initiate, &creds.Options{Registry: r, Password: creds.Password([]byte("wrong"))}, gsserr.ErrNoCred},
		{"wrong password in the store", alice, initiate, &creds.Options{Registry: r, Store: creds.Store{"password": "wrong"}}, gsserr.ErrNoCred},
		{"password twice", alice, initiate, &creds.Options{Registry: r, Password: pw, Store: creds.Store{"password": secret}}, gsserr.ErrFailure},
		{"empty password", alice, initiate, &creds.Options{Registry: r, Password: creds.Password(nil)}, gsserr.ErrFailure},
		{"empty password in the store", alice, initiate, &creds.Options{Registry: r, Store: creds.Store{"password": ""}}, gsserr.ErrFailure},
		{"password without a name", noName, initiate, &creds.Options{Registry: r, Password: pw}, gsserr.ErrBadName},
		{"password to accept", alice, accept, &creds.Options{Registry: r, Password: pw}, gsserr.ErrFailure},
		{"password of a mechanism without", noName, initiate, &creds.Options{Registry: registry(t, bare{cred: bareCred{}}), Password: pw}, gsserr.ErrBadName},
		{"impersonator", alice, initiate, &creds.Options{Impersonator: imp}, 0},
		{"impersonator's registry", alice, initiate, &creds.Options{Impersonator: imp, Registry: r}, 0},
		{"impersonator of another registry", alice, initiate, &creds.Options{Impersonator: imp, Registry: two(t)}, gsserr.ErrDefectiveCredential},
		{"impersonator without a name", noName, initiate, &creds.Options{Impersonator: imp}, gsserr.ErrBadName},
		{"impersonator and password", alice, initiate, &creds.Options{Impersonator: imp, Password: pw}, gsserr.ErrFailure},
		{"impersonator that cannot", alice, initiate, &creds.Options{Impersonator: acceptor}, gsserr.ErrNoCred},
		{"empty impersonator", alice, initiate, &creds.Options{Impersonator: &creds.Cred{}, Registry: r}, gsserr.ErrDefectiveCredential},
		{"no registry", alice, initiate, nil, gsserr.ErrBadMech},
		{"unknown usage", alice, 3, &creds.Options{Registry: r}, gsserr.ErrFailure},
		{"negative lifetime", alice, initiate, &creds.Options{Registry: r, Lifetime: -1}, gsserr.ErrFailure},
		{"negative acceptor's lifetime", alice, initiate, &creds.Options{Registry: r, AcceptLifetime: -1}, gsserr.ErrFailure},
		{"unknown key", alice, initiate, &creds.Options{Registry: r, Store: creds.Store{"kyetab": "x"}}, gsserr.ErrFailure},
		{"empty store", alice, initiate, &creds.Options{Registry: r, Store: creds.Store{}}, 0},
		{"empty place", noName, initiate, &creds.Options{Registry: r, Store: creds.Store{"place": "nowhere"}}, gsserr.ErrNoCred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := creds.Acquire(t.Context(), tt.n, tt.u, tt.o)
			if tt.want != 0 {
				require.ErrorIs(t, err, tt.want)
				require.Nil(t, c)
				require.NotContains(t, err.Error(), secret)
				return
			}
			require.NoError(t, err)
			i, err := c.Info(t.Context())
			require.NoError(t, err)
			require.Equal(t, "alice", i.Name.String())
		})
	}
	c := acquire(t, alice, initiate, &creds.Options{Impersonator: imp})
	require.Equal(t, []oid.OID{toyOID}, c.Mechs(), "only what the impersonator has an element of")
	_, err := creds.Acquire(t.Context(), alice, initiate, &creds.Options{Registry: r, Store: creds.Store{"kyetab": "x"}})
	require.ErrorContains(t, err, `"kyetab"`, "the error names the key")
}

// A key that only a mechanism without a credential knows was not obeyed.
func TestStoreKeyOfFailedMechanism(t *testing.T) {
	none := toy(mechtest.ToyOptions{})
	r := registry(t, none, bare{cred: bareCred{}})
	_, err := creds.Acquire(t.Context(), noName, initiate, &creds.Options{Registry: r, Store: creds.Store{"place": "nowhere"}})
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	// A password is for mechanisms that take one.
	r = registry(t, bare{cred: bareCred{}})
	n := names.FromMech(bareName{}, nil)
	_, err = creds.Acquire(t.Context(), n, initiate, &creds.Options{Registry: r, Password: creds.Password([]byte(secret))})
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	_, err = creds.Acquire(t.Context(), n, initiate, &creds.Options{Registry: r, Store: creds.Store{"password": secret}})
	require.ErrorIs(t, err, gsserr.ErrFailure)
	// As an impersonator it is not one.
	imp := acquire(t, n, initiate, &creds.Options{Registry: r})
	_, err = creds.Acquire(t.Context(), n, initiate, &creds.Options{Impersonator: imp})
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
}

type bareName struct{}

func (bareName) Mech() oid.OID              { return bareOID }
func (bareName) Display() (string, oid.OID) { return "bare", oid.NTUserName }
func (bareName) Export() ([]byte, error)    { return []byte("bare"), nil }
func (bareName) Equal(n mech.Name) bool     { return n == bareName{} }

// request keeps what a mechanism was asked.
type request struct {
	*mechtest.Toy
	r *mech.CredRequest
}

func (m request) AcquireCred(ctx context.Context, r mech.CredRequest) (mech.Cred, error) {
	*m.r = r
	r.Store = nil
	return m.Toy.AcquireCred(ctx, r)
}

func TestRequest(t *testing.T) {
	var got mech.CredRequest
	r := registry(t, request{toy(mechtest.ToyOptions{}), &got})
	store := creds.Store{"place": "here", "password": secret}
	acquire(t, alice, both, &creds.Options{Registry: r, Store: store, Lifetime: 1, AcceptLifetime: 2})
	require.Equal(t, map[string]string{"place": "here"}, got.Store, "the password is not among the keys")
	require.Equal(t, secret, string(got.Password()))
	require.Equal(t, both, got.Usage)
	require.Equal(t, []time.Duration{1, 2}, []time.Duration{got.Lifetime, got.AcceptLifetime})
	require.Equal(t, secret, store["password"], "the caller's store is not changed")
	acquire(t, noName, both, &creds.Options{Registry: r})
	require.Nil(t, got.Store)
	require.Nil(t, got.Password)
	require.Nil(t, got.Name)
}

func TestAdd(t *testing.T) {
	r := two(t)
	in := func(o creds.Options, mechs ...oid.OID) *creds.Options {
		o.Mechs = mechs
		return &o
	}
	c := acquire(t, alice, initiate, in(creds.Options{Registry: r}, toyOID))
	d, err := c.Add(t.Context(), names.User("bob"), initiate, in(creds.Options{}, otherOID))
	require.NoError(t, err)
	require.Equal(t, []oid.OID{toyOID, otherOID}, d.Mechs())
	require.Equal(t, []oid.OID{toyOID}, c.Mechs(), "credentials are immutable")
	i, err := d.InfoByMech(t.Context(), otherOID)
	require.NoError(t, err)
	require.Equal(t, "bob", i.Name.String())

	// With a store, a password and an impersonator.
	e, err := c.Add(t.Context(), alice, initiate, in(creds.Options{Store: creds.Store{"password": secret}}, otherOID))
	require.NoError(t, err)
	require.Len(t, e.Mechs(), 2)
	_, err = c.Add(t.Context(), alice, initiate, in(creds.Options{Password: creds.Password([]byte("wrong"))}, otherOID))
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	e, err = c.Add(t.Context(), alice, initiate, in(creds.Options{Impersonator: d}, otherOID))
	require.NoError(t, err)
	require.Len(t, e.Mechs(), 2)

	// Without a credential to add to.
	var none *creds.Cred
	e, err = none.Add(t.Context(), alice, initiate, &creds.Options{Registry: r})
	require.NoError(t, err)
	require.Equal(t, []oid.OID{toyOID}, e.Mechs(), "the default is the first mechanism")
	e, err = none.Add(t.Context(), alice, initiate, in(creds.Options{Registry: r}, otherOID, toyOID))
	require.NoError(t, err)
	require.Equal(t, []oid.OID{otherOID, toyOID}, e.Mechs())

	half := registry(t, toy(mechtest.ToyOptions{}), toy(mechtest.ToyOptions{OID: otherOID, NoDefault: true}))
	for _, tt := range []struct {
		name string
		c    *creds.Cred
		o    *creds.Options
		want gsserr.Major
	}{
		{"present", c, in(creds.Options{}, toyOID), gsserr.ErrDuplicateElement},
		{"default, present", c, nil, gsserr.ErrDuplicateElement},
		{"one of two present", c, in(creds.Options{}, otherOID, toyOID), gsserr.ErrDuplicateElement},
		{"another registry", c, in(creds.Options{Registry: two(t)}, otherOID), gsserr.ErrDefectiveCredential},
		{"impersonator of another registry", c, in(creds.Options{Impersonator: acquire(t, alice, initiate, &creds.Options{Registry: two(t)})}, otherOID), gsserr.ErrDefectiveCredential},
		{"no registry", none, nil, gsserr.ErrBadMech},
		{"unknown mechanism", c, in(creds.Options{}, oid.Krb5), gsserr.ErrBadMech},
		{"unknown key", c, in(creds.Options{Store: creds.Store{"x": ""}}, otherOID), gsserr.ErrFailure},
		{"one of two fails", none, in(creds.Options{Registry: half}, toyOID, otherOID), gsserr.ErrNoCred},
		{"zero Cred", &creds.Cred{}, in(creds.Options{Registry: r}, toyOID), gsserr.ErrDefectiveCredential},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.c.Add(t.Context(), noName, initiate, tt.o)
			require.ErrorIs(t, err, tt.want)
		})
	}
	neg := acquire(t, alice, initiate, in(creds.Options{Registry: registry(t, toy(mechtest.ToyOptions{}), toy(mechtest.ToyOptions{OID: otherOID}), nego{})}, toyOID))
	neg, err = neg.WithNegMechs(toyOID)
	require.NoError(t, err)
	neg, err = neg.Add(t.Context(), alice, initiate, in(creds.Options{}, otherOID))
	require.NoError(t, err)
	require.Equal(t, []oid.OID{toyOID}, neg.NegMechs(), "the limit is kept")
}

func TestNew(t *testing.T) {
	m, other := toy(mechtest.ToyOptions{}), toy(mechtest.ToyOptions{OID: otherOID})
	r := registry(t, m, other)
	elem := func(m mech.Mechanism) mech.Cred {
		e, err := m.AcquireCred(t.Context(), mech.CredRequest{Usage: initiate})
		require.NoError(t, err)
		return e
	}
	a, b := elem(m), elem(other)
	c, err := creds.New(r, a, b)
	require.NoError(t, err)
	require.Equal(t, []oid.OID{toyOID, otherOID}, c.Mechs())
	for _, tt := range []struct {
		name  string
		r     *mech.Registry
		elems []mech.Cred
		want  gsserr.Major
	}{
		{"no registry", nil, []mech.Cred{a}, gsserr.ErrBadMech},
		{"no element", r, nil, gsserr.ErrDefectiveCredential},
		{"nil element", r, []mech.Cred{nil}, gsserr.ErrDefectiveCredential},
		{"unknown mechanism", registry(t, m), []mech.Cred{b}, gsserr.ErrBadMech},
		{"two of one mechanism", r, []mech.Cred{a, elem(m)}, gsserr.ErrDuplicateElement},
		{"unknown, negotiated", registry(t, nego{}), []mech.Cred{b}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := creds.New(tt.r, tt.elems...)
			if tt.want != 0 {
				require.ErrorIs(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []oid.OID{otherOID}, c.Mechs())
			i, err := c.InfoByMech(t.Context(), otherOID)
			require.NoError(t, err)
			require.Equal(t, "user", i.Name.String())
		})
	}
}

func TestElements(t *testing.T) {
	r := two(t)
	c := acquire(t, alice, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{toyOID}})
	c, err := c.Add(t.Context(), alice, accept, &creds.Options{Mechs: []oid.OID{otherOID}})
	require.NoError(t, err)
	all := acquire(t, alice, both, &creds.Options{Registry: r})
	for _, tt := range []struct {
		c    *creds.Cred
		m    oid.OID
		u    mech.Usage
		want bool
	}{
		{c, toyOID, initiate, true}, {c, oid.OID{}, initiate, true}, {c, toyOID, accept, false}, {c, toyOID, both, false},
		{c, otherOID, accept, true}, {c, otherOID, initiate, false}, {c, oid.Krb5, initiate, false},
		{all, toyOID, initiate, true}, {all, toyOID, accept, true}, {all, toyOID, both, true},
		{nil, toyOID, initiate, false}, {&creds.Cred{}, toyOID, initiate, false},
	} {
		e, ok := tt.c.Element(tt.m, tt.u)
		require.Equal(t, tt.want, ok, "%v %v", tt.m, tt.u)
		require.Equal(t, tt.want, e != nil)
	}
	require.Len(t, c.Elements(initiate), 1)
	require.Len(t, c.Elements(accept), 1)
	require.Empty(t, c.Elements(both))
	require.Len(t, all.Elements(both), 2)
}

func TestMap(t *testing.T) {
	r := two(t)
	c := acquire(t, alice, initiate, &creds.Options{Registry: r})
	d, err := c.Map(otherOID, func(e mech.Cred) (mech.Cred, error) {
		return e.(mech.CredOptioner).WithOption(mechtest.ToyLabel, []byte("x"))
	})
	require.NoError(t, err)
	e0, _ := c.Element(otherOID, initiate)
	e1, _ := d.Element(otherOID, initiate)
	require.NotSame(t, e0, e1)
	f0, _ := c.Element(toyOID, initiate)
	f1, _ := d.Element(toyOID, initiate)
	require.Same(t, f0, f1)

	keep := func(e mech.Cred) (mech.Cred, error) { return e, nil }
	for _, tt := range []struct {
		name string
		m    oid.OID
		f    func(mech.Cred) (mech.Cred, error)
		want error
	}{
		{"absent", oid.Krb5, keep, gsserr.ErrNoCred},
		{"nil", toyOID, func(mech.Cred) (mech.Cred, error) { return nil, nil }, gsserr.ErrDefectiveCredential},
		{"another mechanism", toyOID, func(mech.Cred) (mech.Cred, error) { return e0, nil }, gsserr.ErrDefectiveCredential},
		{"error", toyOID, func(mech.Cred) (mech.Cred, error) { return nil, io.EOF }, io.EOF},
	} {
		_, err := c.Map(tt.m, tt.f)
		require.ErrorIs(t, err, tt.want, tt.name)
	}
}

func TestInfo(t *testing.T) {
	clock := now
	m := toy(mechtest.ToyOptions{Time: func() time.Time { return clock }})
	other := toy(mechtest.ToyOptions{OID: otherOID, Time: func() time.Time { return clock }})
	r := registry(t, m, other, bare{cred: bareCred{err: gsserr.New("inquire_cred", gsserr.ErrNoCred, nil)}})
	c := acquire(t, alice, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{toyOID}, Lifetime: time.Hour})
	c, err := c.Add(t.Context(), names.User("bob"), both, &creds.Options{Mechs: []oid.OID{otherOID}, Lifetime: time.Minute, AcceptLifetime: time.Second})
	require.NoError(t, err)
	c, err = c.Add(t.Context(), noName, both, &creds.Options{Mechs: []oid.OID{bareOID}})
	require.NoError(t, err)

	i, err := c.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, "alice", i.Name.String(), "the first element's")
	require.Equal(t, initiate, i.Usage)
	require.Equal(t, now.Add(time.Minute), i.InitiateExpires, "the first to end")
	require.Equal(t, now.Add(time.Second), i.AcceptExpires)
	require.Equal(t, now.Add(time.Second), i.Expires())
	require.Len(t, i.Mechs, 3)

	i, err = c.InfoByMech(t.Context(), oid.OID{})
	require.NoError(t, err)
	require.Equal(t, now.Add(time.Hour), i.InitiateExpires)
	require.Equal(t, []oid.OID{toyOID}, i.Mechs)
	_, err = c.InfoByMech(t.Context(), bareOID)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	_, err = c.InfoByMech(t.Context(), oid.Krb5)
	require.ErrorIs(t, err, gsserr.ErrNoCred)

	clock = now.Add(10 * time.Minute) // the second has expired
	i, err = c.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, now.Add(time.Minute), i.InitiateExpires)
	i, err = c.InfoByMech(t.Context(), otherOID)
	require.ErrorIs(t, err, gsserr.ErrCredentialsExpired)
	require.Equal(t, "bob", i.Name.String(), "values come with the error")

	clock = now.Add(2 * time.Hour) // and now the first
	i, err = c.Info(t.Context())
	require.ErrorIs(t, err, gsserr.ErrCredentialsExpired)
	require.Equal(t, "alice", i.Name.String())
	require.Len(t, i.Mechs, 3)
	i, err = c.Info(noCtx)
	require.ErrorIs(t, err, gsserr.ErrCredentialsExpired)
	require.NotEmpty(t, i.Mechs)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	i, err = c.Info(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, i.Mechs)
}

func TestNilAndZero(t *testing.T) {
	var none *creds.Cred
	for want, c := range map[gsserr.Major]*creds.Cred{
		gsserr.ErrInaccessibleRead | gsserr.ErrNoCred: none, gsserr.ErrDefectiveCredential: {},
	} {
		ctx := t.Context()
		for name, f := range map[string]func() error{
			"Info":         func() error { _, err := c.Info(ctx); return err },
			"InfoByMech":   func() error { _, err := c.InfoByMech(ctx, toyOID); return err },
			"Inquire":      func() error { _, err := c.Inquire(toyOID); return err },
			"WithOption":   func() error { _, err := c.WithOption(toyOID, nil); return err },
			"WithNegMechs": func() error { _, err := c.WithNegMechs(toyOID); return err },
			"StoreInto":    func() error { _, err := c.StoreInto(ctx, nil); return err },
			"Export":       func() error { _, err := c.Export(); return err },
			"Map":          func() error { _, err := c.Map(toyOID, nil); return err },
		} {
			require.ErrorIs(t, f(), want, name)
		}
		require.Nil(t, c.Registry())
		require.Nil(t, c.Mechs())
		require.Nil(t, c.NegMechs())
		require.Nil(t, c.Elements(both))
		require.Equal(t, "credential()", c.String())
		require.Equal(t, "credential()", fmt.Sprintf("%+v", c))
	}
}

// However a value is printed, logged or encoded, secrets stay where they are.
func TestNothingPrintsSecrets(t *testing.T) {
	r := two(t)
	store := creds.Store{"password": secret, "place": "here"}
	c := acquire(t, alice, initiate, &creds.Options{Registry: r, Password: creds.Password([]byte(secret))})
	values := map[string]any{
		"Secret":        creds.Password([]byte(secret)),
		"*Secret":       ptr(creds.Password([]byte(secret))),
		"Store":         store,
		"*Store":        &store,
		"Options":       creds.Options{Password: creds.Password([]byte(secret)), Store: store},
		"*Options":      &creds.Options{Password: creds.Password([]byte(secret)), Store: store},
		"*StoreOptions": &creds.StoreOptions{Store: store},
		"*Cred":         c,
		"Cred":          *c,
		"nested":        struct{ c *creds.Cred }{c},
		"nested Secret": struct{ s creds.Secret }{creds.Password([]byte(secret))},
	}
	forms := []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprint([]byte(secret)),
		strings.Trim(fmt.Sprintf("%#v", []byte(secret)), "[]byte{}"), "Y29ycmVjdCBob3JzZQ"}
	for name, v := range values {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			// %p is not among them: fmt asks no method about it, and vet refuses it.
			for _, verb := range []string{"v", "+v", "#v", "s", "q", "d", "x", "X", "o", "U", "T"} {
				fmt.Fprintf(&out, "%"+verb+"\n", v)
			}
			b, _ := json.Marshal(v)
			out.Write(b)
			slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
			for _, f := range forms {
				require.NotContains(t, out.String(), f)
			}
		})
	}
	require.Equal(t, `store(password="[redacted]" place="here")`, store.String())
	b, err := json.Marshal(store)
	require.NoError(t, err)
	require.JSONEq(t, `{"password":"[redacted]","place":"here"}`, string(b))
	require.Equal(t, "store()", creds.Store(nil).String())
	require.Equal(t, "credential("+toyOID.String()+" initiate, "+otherOID.String()+" initiate)", c.String())
	require.True(t, creds.Secret{}.IsZero())
	require.False(t, creds.Password(nil).IsZero())
	require.Equal(t, "[redacted]", creds.Password([]byte(secret)).String())
}

func ptr[T any](v T) *T { return &v }

func TestPasswordCopies(t *testing.T) {
	p := []byte(secret)
	s := creds.Password(p)
	clear(p)
	acquire(t, alice, initiate, &creds.Options{Registry: two(t), Password: s})
}

func TestConcurrent(t *testing.T) {
	r := two(t)
	c := acquire(t, alice, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{toyOID}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				d, err := c.Add(context.Background(), alice, both, &creds.Options{Mechs: []oid.OID{otherOID}})
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = d.WithOption(mechtest.ToyLabel, []byte("x"))
				_, _ = c.Info(context.Background())
				_, _ = c.Export()
				_ = d.String()
			}
		})
	}
	wg.Wait()
}
