package creds_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/creds"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

func TestStoreInto(t *testing.T) {
	m, other := toy(mechtest.ToyOptions{}), toy(mechtest.ToyOptions{OID: otherOID})
	r := registry(t, m, other, bare{cred: bareCred{}})
	c := acquire(t, alice, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{toyOID, otherOID}})
	place := func(p string) creds.Store { return creds.Store{"place": p} }
	stored := func(m *mechtest.Toy, p string) string {
		user, _ := m.Stored(p)
		return user
	}

	res, err := c.StoreInto(t.Context(), &creds.StoreOptions{Store: place("a")})
	require.NoError(t, err)
	require.Equal(t, creds.StoreResult{Mechs: []oid.OID{toyOID, otherOID}, Usage: initiate}, res)
	require.Equal(t, "alice", stored(m, "a"))
	require.Equal(t, "alice", stored(other, "a"))
	_, taken := m.Stored("")
	require.False(t, taken, "not the default")

	// The stored one is found again.
	d := acquire(t, noName, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{toyOID}, Store: place("a")})
	i, err := d.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, "alice", i.Name.String())

	_, err = c.StoreInto(t.Context(), &creds.StoreOptions{Store: place("a")})
	require.ErrorIs(t, err, gsserr.ErrDuplicateElement)
	bob := acquire(t, names.User("bob"), both, &creds.Options{Registry: r, Mechs: []oid.OID{toyOID}})
	_, err = bob.StoreInto(t.Context(), &creds.StoreOptions{Store: place("a"), Overwrite: true})
	require.NoError(t, err)
	require.Equal(t, "bob", stored(m, "a"))

	res, err = c.StoreInto(t.Context(), &creds.StoreOptions{Store: place("b"), Mech: otherOID, Usage: initiate})
	require.NoError(t, err)
	require.Equal(t, []oid.OID{otherOID}, res.Mechs)
	require.Equal(t, "", stored(m, "b"))

	// One of two is enough.
	res, err = c.StoreInto(t.Context(), &creds.StoreOptions{Store: place("b")})
	require.NoError(t, err)
	require.Equal(t, []oid.OID{toyOID}, res.Mechs)

	_, err = c.StoreInto(t.Context(), &creds.StoreOptions{Store: place("c"), Default: true})
	require.NoError(t, err)
	require.Equal(t, "alice", stored(m, ""))
	_, err = c.StoreInto(t.Context(), nil)
	require.ErrorIs(t, err, gsserr.ErrDuplicateElement, "nil options are the default place")

	plain := acquire(t, noName, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{bareOID}})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		c    *creds.Cred
		o    *creds.StoreOptions
		want error
	}{
		{"no such mechanism", t.Context(), c, &creds.StoreOptions{Mech: oid.Krb5}, gsserr.ErrNoCred},
		{"cannot store", t.Context(), plain, nil, gsserr.ErrUnavailable},
		{"acceptor's part", t.Context(), c, &creds.StoreOptions{Usage: accept, Store: place("d")}, gsserr.ErrFailure},
		{"unknown usage", t.Context(), c, &creds.StoreOptions{Usage: 3}, gsserr.ErrFailure},
		{"empty store", t.Context(), c, &creds.StoreOptions{Store: creds.Store{}}, gsserr.ErrFailure},
		{"unknown key", t.Context(), c, &creds.StoreOptions{Store: creds.Store{"palce": "d"}}, gsserr.ErrFailure},
		{"password", t.Context(), c, &creds.StoreOptions{Store: creds.Store{"place": "d", "password": secret}}, gsserr.ErrFailure},
		{"cancelled", cancelled, c, &creds.StoreOptions{Store: place("d")}, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := tt.c.StoreInto(tt.ctx, tt.o)
			require.ErrorIs(t, err, tt.want)
			require.Empty(t, res.Mechs)
			require.Equal(t, "", stored(m, "d"))
		})
	}
	_, err = c.StoreInto(t.Context(), &creds.StoreOptions{Store: creds.Store{"palce": "d"}})
	require.ErrorContains(t, err, `"palce"`)
	_, err = c.StoreInto(noCtx, &creds.StoreOptions{Store: place("e")})
	require.NoError(t, err)
}

// picky is a credential whose options and answers fail.
type picky struct{ bareCred }

func (picky) WithOption(oid.OID, []byte) (mech.Cred, error) {
	return nil, gsserr.New("set_cred_option", gsserr.ErrFailure, nil)
}

func (picky) Inquire(oid.OID) ([][]byte, error) {
	return nil, gsserr.New("inquire_cred_by_oid", gsserr.ErrFailure, nil)
}

func (picky) Export() ([]byte, error) { return nil, gsserr.New("export_cred", gsserr.ErrFailure, nil) }

// vanishing is a credential that options make disappear.
type vanishing struct{ bareCred }

func (vanishing) WithOption(oid.OID, []byte) (mech.Cred, error) { return nil, nil }

func TestOptions(t *testing.T) {
	m, other := toy(mechtest.ToyOptions{}), toy(mechtest.ToyOptions{OID: otherOID})
	r := registry(t, m, other, bare{cred: bareCred{}})
	c := acquire(t, noName, initiate, &creds.Options{Registry: r})
	require.Len(t, c.Mechs(), 3)
	d, err := c.WithOption(mechtest.ToyLabel, []byte("label"))
	require.NoError(t, err, "elements that do not know the option are passed over")
	a, err := d.Inquire(mechtest.ToyLabel)
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("label"), []byte("label")}, a, "every element's answer")
	a, err = c.Inquire(mechtest.ToyLabel)
	require.NoError(t, err)
	require.Equal(t, [][]byte{nil, nil}, a, "credentials are immutable")

	_, err = c.WithOption(oid.Krb5NoCIFlags, nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	_, err = c.Inquire(oid.Krb5CredImpersonator)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)

	c, err = creds.New(r, picky{})
	require.NoError(t, err)
	_, err = c.WithOption(mechtest.ToyLabel, nil)
	require.ErrorIs(t, err, gsserr.ErrFailure)
	_, err = c.Inquire(mechtest.ToyLabel)
	require.ErrorIs(t, err, gsserr.ErrFailure)
	_, err = c.Export()
	require.ErrorIs(t, err, gsserr.ErrFailure)
	c, err = creds.New(r, vanishing{})
	require.NoError(t, err)
	_, err = c.WithOption(mechtest.ToyLabel, nil)
	require.ErrorIs(t, err, gsserr.ErrDefectiveCredential)
}

func TestNegMechs(t *testing.T) {
	r := registry(t, toy(mechtest.ToyOptions{}), nego{})
	c := acquire(t, alice, initiate, &creds.Options{Registry: r})
	require.Nil(t, c.NegMechs(), "no limit")
	list := []oid.OID{oid.NTLM, toyOID}
	d, err := c.WithNegMechs(list...)
	require.NoError(t, err)
	list[0] = oid.Krb5
	require.Equal(t, []oid.OID{oid.NTLM, toyOID}, d.NegMechs())
	d.NegMechs()[0] = oid.Krb5
	require.Equal(t, []oid.OID{oid.NTLM, toyOID}, d.NegMechs())
	require.Nil(t, c.NegMechs(), "credentials are immutable")
	d, err = d.WithOption(mechtest.ToyLabel, nil)
	require.NoError(t, err)
	require.Len(t, d.NegMechs(), 2, "the limit is kept")

	_, err = c.WithNegMechs()
	require.ErrorIs(t, err, gsserr.ErrFailure, "nothing is not everything")
	_, err = c.WithNegMechs(toyOID, oid.OID{})
	require.ErrorIs(t, err, gsserr.ErrFailure)
	_, err = c.WithNegMechs(make([]oid.OID, 65)...)
	require.ErrorIs(t, err, gsserr.ErrFailure)
	c = acquire(t, alice, initiate, &creds.Options{Registry: two(t)})
	_, err = c.WithNegMechs(toyOID)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
}

func TestExport(t *testing.T) {
	m, other := toy(mechtest.ToyOptions{}), toy(mechtest.ToyOptions{OID: otherOID})
	r := registry(t, m, other, bare{cred: bareCred{}})
	c := acquire(t, alice, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{toyOID, otherOID}})
	token, err := c.Export()
	require.NoError(t, err)
	// The frame: length and OID, length and token, for each element.
	first := m.Info().OID.DER()
	require.Equal(t, uint32(len(first)), binary.BigEndian.Uint32(token))
	require.Equal(t, first, token[4:4+len(first)])

	back, err := creds.Import(token, r)
	require.NoError(t, err)
	require.Equal(t, c.Mechs(), back.Mechs())
	require.Same(t, r, back.Registry())
	want, err := c.Info(t.Context())
	require.NoError(t, err)
	got, err := back.Info(t.Context())
	require.NoError(t, err)
	require.True(t, want.Name.Equal(got.Name))
	require.Equal(t, want.Usage, got.Usage)
	require.Equal(t, want.Expires().Unix(), got.Expires().Unix())

	whole := 0 // where the first element ends
	for n := range token {
		part, err := creds.Import(token[:n], r)
		if err == nil {
			whole++
			require.Equal(t, []oid.OID{toyOID}, part.Mechs())
			continue
		}
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "%d bytes", n)
	}
	require.Equal(t, 1, whole)
	_, err = creds.Import(append(token, 0), r)
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	_, err = creds.Import(append(token[:len(token):len(token)], token...), r)
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "two elements of one mechanism")
	_, err = creds.Import(token, registry(t, m))
	require.ErrorIs(t, err, gsserr.ErrBadMech)
	_, err = creds.Import(token, nil)
	require.ErrorIs(t, err, gsserr.ErrBadMech)
	_, err = creds.Import(make([]byte, 5<<20), r)
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)

	plain := acquire(t, noName, initiate, &creds.Options{Registry: r, Mechs: []oid.OID{bareOID}})
	_, err = plain.Export()
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	der := bareOID.DER()
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(der))), der...)
	_, err = creds.Import(append(b, 0, 0, 0, 0), r)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	for _, s := range []string{"00000000" + "00000000", "ffffffff2a03", "000000012a" + "ffffffff00", "00000001" + "80" + "00000000"} {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		_, err = creds.Import(b, r)
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken, s)
	}
}

func FuzzImportCred(f *testing.F) {
	r := two(f)
	for _, n := range []names.Name{alice, noName} {
		token, err := acquire(f, n, both, &creds.Options{Registry: r}).Export()
		require.NoError(f, err)
		f.Add(token)
	}
	f.Add([]byte{0, 0, 0, 1, 0x2a, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := creds.Import(b, r)
		if err != nil {
			if !errors.Is(err, gsserr.ErrDefectiveToken) && !errors.Is(err, gsserr.ErrBadMech) {
				t.Errorf("Import(%x): %v", b, err)
			}
			return
		}
		again, err := c.Export()
		if err != nil {
			t.Fatalf("Import(%x): does not export: %v", b, err)
		}
		back, err := creds.Import(again, r)
		if err != nil || back.String() != c.String() {
			t.Errorf("Import(%x) exports as %x, which is %v, %v", b, again, back, err)
		}
	})
}
