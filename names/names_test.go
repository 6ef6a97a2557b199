package names_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

var otherOID = mechtest.ToyOID.Append(7)

// noCtx is what a careless caller passes. It must not make anything panic.
var noCtx context.Context

// world is a registry of two mechanisms.
func world(t *testing.T) (r *mech.Registry, toy, other *mechtest.Toy) {
	t.Helper()
	toy = mechtest.NewToy("secret", nil)
	other = mechtest.NewToy("secret", &mechtest.ToyOptions{OID: otherOID})
	r, err := mech.NewRegistry(toy, other)
	require.NoError(t, err)
	return r, toy, other
}

func imported(t *testing.T, text string, typ oid.OID) names.Name {
	t.Helper()
	n, err := names.Import(text, typ)
	require.NoError(t, err)
	return n
}

func canonical(t *testing.T, n names.Name, m mech.Mechanism) names.Name {
	t.Helper()
	c, err := n.Canonicalize(t.Context(), m)
	require.NoError(t, err)
	return c
}

const readName = gsserr.ErrInaccessibleRead | gsserr.ErrBadName

func TestImport(t *testing.T) {
	unknown, err := oid.Parse("1.2.3.4")
	require.NoError(t, err)
	for _, tt := range []struct {
		text string
		typ  oid.OID
		want gsserr.Major
	}{
		{"imap@mail.example.com", oid.NTHostBased, 0},
		{"user", oid.OID{}, 0},
		{"user", unknown, 0}, // no mechanism is asked
		{"", oid.NTAnonymous, 0},
		{"nobody", oid.NTAnonymous, 0},
		{strings.Repeat("x", names.MaxName), oid.NTUserName, 0},
		{strings.Repeat("x", names.MaxName+1), oid.NTUserName, gsserr.ErrBadName},
		{"", oid.NTUserName, gsserr.ErrBadName},
		{"", oid.OID{}, gsserr.ErrBadName},
		{"\x04\x01", oid.NTExportName, gsserr.ErrBadNameType},
		{"\x04\x02", oid.NTCompositeExport, gsserr.ErrBadNameType},
	} {
		n, err := names.Import(tt.text, tt.typ)
		if tt.want != 0 {
			require.ErrorIs(t, err, tt.want)
			require.True(t, n.IsZero())
			continue
		}
		require.NoError(t, err)
		require.False(t, n.IsZero())
		require.Equal(t, tt.text, n.String())
		require.Equal(t, tt.typ, n.Type())
		_, mn := n.Mech()
		require.False(t, mn)
		require.Nil(t, n.Engine())
	}
}

func TestConstructors(t *testing.T) {
	_, toy, _ := world(t)
	for _, tt := range []struct {
		n    names.Name
		text string
		typ  oid.OID
	}{
		{names.HostBased("imap", "mail.example.com"), "imap@mail.example.com", oid.NTHostBased},
		{names.HostBased("imap", ""), "imap", oid.NTHostBased},
		{names.User("alice"), "alice", oid.NTUserName},
		{names.Principal("alice@EXAMPLE.COM"), "alice@EXAMPLE.COM", oid.NTKrb5Principal},
	} {
		require.Equal(t, tt.text, tt.n.String())
		require.Equal(t, tt.typ, tt.n.Type())
		require.Equal(t, tt.text, fmt.Sprint(tt.n))
	}
	// What has no text fails on use and not before. A service cannot smuggle in
	// another host.
	for _, n := range []names.Name{
		names.HostBased("", "mail.example.com"), names.HostBased("imap@evil.example.com", ""), names.HostBased("", ""),
		names.HostBased("imap@evil", "mail.example.com"), names.User(""), names.Principal(""),
		names.User(strings.Repeat("x", names.MaxName+1)),
	} {
		require.False(t, n.IsZero())
		_, err := n.Canonicalize(t.Context(), toy)
		require.ErrorIs(t, err, gsserr.ErrBadName)
		_, err = n.ForMech(toy)
		require.ErrorIs(t, err, gsserr.ErrBadName)
	}
}

func TestCanonicalize(t *testing.T) {
	_, toy, other := world(t)
	n := names.HostBased("imap", "MAIL.example.com")
	c := canonical(t, n, toy)
	require.Equal(t, "imap@mail.example.com", c.String())
	require.Equal(t, oid.NTHostBased, c.Type())
	m, mn := c.Mech()
	require.True(t, mn)
	require.Equal(t, mechtest.ToyOID, m)
	require.NotNil(t, c.Engine())
	require.Equal(t, "imap@MAIL.example.com", n.String(), "names are immutable")

	require.Same(t, c.Engine(), canonical(t, c, toy).Engine(), "an MN of the mechanism stays as it is")
	d := canonical(t, c, other)
	m, _ = d.Mech()
	require.Equal(t, otherOID, m, "an MN of another mechanism is made again from what was imported")
	e := canonical(t, names.FromMech(c.Engine(), toy), other)
	require.Equal(t, "imap@mail.example.com", e.String(), "or else from what it displays")

	_, err := n.Canonicalize(t.Context(), nil)
	require.ErrorIs(t, err, gsserr.ErrBadMech)
	_, err = names.Name{}.Canonicalize(t.Context(), toy)
	require.ErrorIs(t, err, readName)
	_, err = imported(t, "x", oid.NTKrb5Principal).Canonicalize(t.Context(), toy)
	require.ErrorIs(t, err, gsserr.ErrBadNameType)
	_, err = imported(t, "a@b@c", oid.NTHostBased).Canonicalize(t.Context(), toy)
	require.ErrorIs(t, err, gsserr.ErrBadName)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = n.Canonicalize(ctx, toy)
	require.ErrorIs(t, err, context.Canceled)
	_, err = n.Canonicalize(noCtx, toy)
	require.NoError(t, err)
}

func TestForMech(t *testing.T) {
	_, toy, other := world(t)
	twin := mechtest.NewToy("secret", nil) // another value with the same OID
	n := names.HostBased("imap", "MAIL")
	mn, err := n.ForMech(toy)
	require.NoError(t, err)
	text, _ := mn.Display()
	require.Equal(t, "imap@MAIL", text, "not canonicalized")

	c := canonical(t, n, toy)
	for _, m := range []mech.Mechanism{twin, other} {
		mn, err = c.ForMech(m)
		require.NoError(t, err)
		require.NotSame(t, c.Engine(), mn, "no mechanism is given the name of another")
		require.Equal(t, m.Info().OID, mn.Mech())
		text, _ = mn.Display()
		require.Equal(t, "imap@MAIL", text, "made again from what was imported")
	}
	mn, err = names.FromMech(c.Engine(), nil).ForMech(toy)
	require.NoError(t, err)
	require.Same(t, c.Engine(), mn, "of an unknown value the OID decides")
	mn, err = names.FromMech(c.Engine(), nil).ForMech(other)
	require.NoError(t, err)
	require.Equal(t, otherOID, mn.Mech())

	_, err = names.Name{}.ForMech(toy)
	require.ErrorIs(t, err, readName)
	require.True(t, names.FromMech(nil, toy).IsZero())
}

// incomparable is a mechanism that cannot be compared with ==.
type incomparable struct {
	mech.Mechanism
	_ []byte
}

func TestIncomparableMechanism(t *testing.T) {
	_, toy, _ := world(t)
	m := incomparable{Mechanism: toy}
	require.NotPanics(t, func() {
		c := canonical(t, names.User("alice"), m)
		_, err := c.ForMech(m)
		require.NoError(t, err)
	})
}

func TestEqual(t *testing.T) {
	_, toy, other := world(t)
	alice, host := names.User("alice"), names.HostBased("imap", "mail")
	anon := imported(t, "", oid.NTAnonymous)
	mnAlice, mnHost := canonical(t, alice, toy), canonical(t, host, toy)
	for _, tt := range []struct {
		name string
		a, b names.Name
		want bool
	}{
		{"same text and type", alice, names.User("alice"), true},
		{"another text", alice, names.User("bob"), false},
		{"another type", alice, imported(t, "alice", oid.OID{}), false},
		{"MNs", mnAlice, canonical(t, imported(t, "alice", oid.OID{}), toy), true},
		{"different MNs", mnAlice, mnHost, false},
		{"MNs of two mechanisms", mnAlice, canonical(t, alice, other), false},
		{"MN and text", mnAlice, alice, true},
		{"MN and text without type", mnAlice, imported(t, "alice", oid.OID{}), true},
		{"MN and another text", mnAlice, names.User("bob"), false},
		{"MN and a text that does not import", mnAlice, imported(t, "alice", oid.NTKrb5Principal), false},
		{"MN of an unknown value and text", names.FromMech(mnAlice.Engine(), nil), alice, false},
		{"MN of an unknown value and MN", names.FromMech(mnAlice.Engine(), nil), mnAlice, true},
		{"zero", names.Name{}, names.Name{}, false},
		{"zero and name", names.Name{}, alice, false},
		{"zero and MN", names.Name{}, mnAlice, false},
		{"anonymous", anon, anon, false},
		{"anonymous MNs", canonical(t, anon, toy), canonical(t, anon, toy), false},
		{"anonymous and MN", anon, mnAlice, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.a.Equal(tt.b))
			require.Equal(t, tt.want, tt.b.Equal(tt.a))
		})
	}
}

func TestDisplayAs(t *testing.T) {
	_, toy, _ := world(t)
	host := names.HostBased("imap", "MAIL")
	mn := canonical(t, host, toy)
	princ := names.FromMech(principal{}, nil)
	for _, tt := range []struct {
		name string
		n    names.Name
		typ  oid.OID
		text string
		want gsserr.Major
	}{
		{"own type", host, oid.NTHostBased, "imap@MAIL", 0},
		{"another", host, oid.NTUserName, "", gsserr.ErrUnavailable},
		{"MN's type", mn, oid.NTHostBased, "imap@mail", 0},
		{"imported type of an MN", canonical(t, imported(t, "imap@MAIL", oid.NTHostBasedX), toy), oid.NTHostBasedX, "imap@MAIL", 0},
		{"MN, another", mn, oid.NTUserName, "", gsserr.ErrUnavailable},
		{"principal", princ, oid.NTKrb5Principal, "alice@EXAMPLE.COM", 0},
		{"principal as a user", princ, oid.NTUserName, "alice@EXAMPLE.COM", 0},
		{"principal as a host", princ, oid.NTHostBased, "", gsserr.ErrUnavailable},
		{"no type", mn, oid.OID{}, "", gsserr.ErrInaccessibleRead | gsserr.ErrBadNameType},
		{"no name", names.Name{}, oid.NTUserName, "", readName},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := tt.n.DisplayAs(tt.typ)
			require.Equal(t, tt.text, text)
			if tt.want != 0 {
				require.ErrorIs(t, err, tt.want)
				return
			}
			require.NoError(t, err)
		})
	}
}

// principal is a name as the Kerberos mechanism displays it, without any
// optional interface.
type principal struct{}

func (principal) Mech() oid.OID              { return oid.Krb5 }
func (principal) Display() (string, oid.OID) { return "alice@EXAMPLE.COM", oid.NTKrb5Principal }
func (principal) Export() ([]byte, error)    { return []byte("alice@EXAMPLE.COM"), nil }
func (principal) Equal(n mech.Name) bool     { return n == principal{} }

func TestAttributes(t *testing.T) {
	_, toy, _ := world(t)
	n := canonical(t, names.User("alice"), toy)
	require.Empty(t, n.Attributes())
	v := mech.Attribute{Values: [][]byte{[]byte("red")}}
	m, err := n.WithAttribute("colour", v)
	require.NoError(t, err)
	require.Empty(t, n.Attributes(), "names are immutable")
	require.Equal(t, []string{"colour"}, m.Attributes())
	got, err := m.Attribute("colour")
	require.NoError(t, err)
	require.Equal(t, v.Values, got.Values)
	require.False(t, got.Authenticated)
	require.True(t, m.Equal(n))
	less, err := m.WithoutAttribute("colour")
	require.NoError(t, err)
	require.Empty(t, less.Attributes())
	_, err = less.WithoutAttribute("colour")
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	_, err = less.Attribute("colour")
	require.ErrorIs(t, err, gsserr.ErrUnavailable)

	for name, tt := range map[string]struct {
		n    names.Name
		want gsserr.Major
	}{
		"zero": {names.Name{}, readName}, "text": {names.User("alice"), gsserr.ErrUnavailable},
		"mechanism without": {names.FromMech(principal{}, nil), gsserr.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			require.Nil(t, tt.n.Attributes())
			_, err := tt.n.Attribute("a")
			require.ErrorIs(t, err, tt.want)
			_, err = tt.n.WithAttribute("a", v)
			require.ErrorIs(t, err, tt.want)
			_, err = tt.n.WithoutAttribute("a")
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func TestLocal(t *testing.T) {
	_, toy, _ := world(t)
	n := canonical(t, names.User("alice"), toy)
	user, err := n.LocalName(t.Context())
	require.NoError(t, err)
	require.Equal(t, "alice", user)
	require.NoError(t, n.UserOK(t.Context(), "alice"))
	require.ErrorIs(t, n.UserOK(t.Context(), "bob"), gsserr.ErrUnauthorized)
	user, err = n.LocalName(noCtx)
	require.NoError(t, err)
	require.Equal(t, "alice", user)
	require.NoError(t, n.UserOK(noCtx, "alice"))

	for name, tt := range map[string]struct {
		n    names.Name
		want gsserr.Major
	}{
		"zero": {names.Name{}, readName}, "text": {names.User("alice"), gsserr.ErrNameNotMN},
		"mechanism without": {names.FromMech(principal{}, nil), gsserr.ErrUnavailable},
		"service":           {canonical(t, names.HostBased("imap", ""), toy), gsserr.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tt.n.LocalName(t.Context())
			require.ErrorIs(t, err, tt.want)
			require.Error(t, tt.n.UserOK(t.Context(), ""))
		})
	}
}

func TestZero(t *testing.T) {
	var n names.Name
	require.True(t, n.IsZero())
	require.Equal(t, "", n.String())
	require.True(t, n.Type().IsZero())
	_, mn := n.Mech()
	require.False(t, mn)
}

func TestConcurrent(t *testing.T) {
	_, toy, _ := world(t)
	text, n := names.User("alice"), canonical(t, names.User("alice"), toy)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				_ = n.Equal(text)
				_, _ = n.Key()
				_, _ = text.Canonicalize(context.Background(), toy)
				_ = n.String()
			}
		})
	}
	wg.Wait()
}
