package spnego_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/spnego"
)

// Two mechanisms in all orders, with all sets of credentials: the initiator's
// first that both have.
func TestTwoMechanisms(t *testing.T) {
	w := newWorld(t)
	sets := []string{"krb5", "toy", "krb5 toy", "toy krb5"}
	for _, iOrder := range []string{"krb5 toy", "toy krb5"} {
		for _, aOrder := range sets {
			for _, iCreds := range sets[:3] {
				for _, aCreds := range sets[:3] {
					t.Run(iOrder+" of "+iCreds+", "+aOrder+" of "+aCreds, func(t *testing.T) {
						var want oid.OID
						place := 0
						for m := range strings.FieldsSeq(iOrder) {
							if !strings.Contains(iCreds, m) {
								continue
							}
							if strings.Contains(aOrder, m) && strings.Contains(aCreds, m) {
								want = map[string]oid.OID{"krb5": oid.Krb5, "toy": mechtest.ToyOID}[m]
								break
							}
							place++
						}
						i := w.party(t, mech.UsageInitiate, nil, iOrder, iCreds).initiate(t, gssapi.InitOptions{})
						a := w.party(t, mech.UsageAccept, nil, aOrder, aCreds).accept(t, gssapi.AcceptOptions{})
						require.Equal(t, oid.SPNEGO, i.Info().Mech)
						tokens, iErr, aErr := handshake(t, i, a)
						if want.IsZero() {
							require.NoError(t, iErr)
							require.Error(t, aErr)
							return
						}
						require.NoError(t, iErr)
						require.NoError(t, aErr)
						require.Len(t, tokens, []int{2, 5}[place])
						for _, c := range []*gssapi.SecContext{i, a} {
							require.Equal(t, want, c.Info().Mech)
							require.True(t, c.Info().Negotiated)
							m, ok := c.Peer().Mech()
							require.True(t, ok)
							require.Equal(t, want, m)
						}
						talk(t, i, a)
					})
				}
			}
		}
	}
}

// A list of one's own goes before the order of the mechanisms.
func TestNegMechs(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name string
		i, a []oid.OID
		want oid.OID
		err  gsserr.Major
	}{
		{"toy first", []oid.OID{mechtest.ToyOID, oid.Krb5}, nil, mechtest.ToyOID, 0},
		{"toy alone", []oid.OID{mechtest.ToyOID}, nil, mechtest.ToyOID, 0},
		{"acceptor's", nil, []oid.OID{mechtest.ToyOID}, mechtest.ToyOID, 0},
		{"nothing in common", []oid.OID{oid.Krb5}, []oid.OID{mechtest.ToyOID}, oid.OID{}, gsserr.ErrBadMech},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pi := w.party(t, mech.UsageInitiate, nil, "krb5 toy", "krb5 toy")
			pa := w.party(t, mech.UsageAccept, nil, "krb5 toy", "krb5 toy")
			var err error
			if tt.i != nil {
				pi.cred, err = pi.cred.WithNegMechs(tt.i...)
				require.NoError(t, err)
			}
			if tt.a != nil {
				pa.cred, err = pa.cred.WithNegMechs(tt.a...)
				require.NoError(t, err)
			}
			i, a := pi.initiate(t, gssapi.InitOptions{}), pa.accept(t, gssapi.AcceptOptions{})
			_, iErr, aErr := handshake(t, i, a)
			require.NoError(t, iErr)
			if tt.err != 0 {
				require.ErrorIs(t, aErr, tt.err)
				return
			}
			require.NoError(t, aErr)
			require.Equal(t, tt.want, a.Info().Mech)
			talk(t, i, a)
		})
	}
}

// Kerberos with the flags that change its handshake.
func TestFlags(t *testing.T) {
	w := newWorld(t)
	for _, c := range []*spnego.Config{nil, {RequireMechListMIC: true}} {
		for _, tt := range []struct {
			name        string
			flags, omit gssapi.Flags
			legs        int // without and with a mechListMIC
			withMIC     int
		}{
			{"mutual", 0, 0, 2, 3},
			{"one-way", 0, gssapi.FlagMutual, 2, 2},
			{"DCE style", gssapi.FlagDCEStyle, 0, 4, 4},
			{"no replay", 0, gssapi.FlagReplay | gssapi.FlagSequence, 2, 3},
		} {
			t.Run(tt.name, func(t *testing.T) {
				legs := tt.legs
				if c != nil {
					legs = tt.withMIC
				}
				pi, pa := w.kerberos(t, c)
				i, a := pi.initiate(t, gssapi.InitOptions{Flags: tt.flags, Omit: tt.omit}), pa.accept(t, gssapi.AcceptOptions{})
				require.Len(t, establish(t, i, a), legs)
				want := (gssapi.DefaultFlags | tt.flags) &^ tt.omit
				const agreed = gssapi.DefaultFlags | gssapi.FlagDCEStyle
				require.Equal(t, want, i.Info().Flags&agreed)
				require.Equal(t, want, a.Info().Flags&agreed)
				require.Equal(t, "alice@EXAMPLE.TEST", a.Peer().String())
				require.Equal(t, tt.omit.Has(gssapi.FlagMutual), i.Peer().IsZero())
				talk(t, i, a)
			})
		}
	}
}

func TestNoIntegrity(t *testing.T) {
	pi, pa := newWorld(t).kerberos(t, nil)
	i := pi.initiate(t, gssapi.InitOptions{Omit: gssapi.FlagConf | gssapi.FlagInteg})
	a := pa.accept(t, gssapi.AcceptOptions{})
	require.Len(t, establish(t, i, a), 2)

	pi, pa = newWorld(t).kerberos(t, &spnego.Config{RequireMechListMIC: true})
	i = pi.initiate(t, gssapi.InitOptions{Omit: gssapi.FlagConf | gssapi.FlagInteg})
	_, _, aErr := handshake(t, i, pa.accept(t, gssapi.AcceptOptions{}))
	require.ErrorIs(t, aErr, gsserr.ErrUnavailable)
}

// A missing flag stops the side that needs it, before its last token leaves.
func TestRequire(t *testing.T) {
	w := newWorld(t)
	pi, pa := w.kerberos(t, nil)
	i := pi.initiate(t, gssapi.InitOptions{Require: gssapi.FlagAnon})
	_, iErr, _ := handshake(t, i, pa.accept(t, gssapi.AcceptOptions{}))
	require.ErrorIs(t, iErr, gsserr.ErrUnavailable)

	i, a := pi.initiate(t, gssapi.InitOptions{}), pa.accept(t, gssapi.AcceptOptions{Require: gssapi.FlagDCEStyle})
	tokens, iErr, aErr := handshake(t, i, a)
	require.NoError(t, iErr)
	require.Len(t, tokens, 1)
	require.ErrorIs(t, aErr, gsserr.ErrUnavailable)
	var e *gsserr.Error
	require.ErrorAs(t, aErr, &e)
	_, _, err := i.Step(t.Context(), e.Token)
	require.ErrorAs(t, err, &e)
	require.Equal(t, oid.Krb5, e.Mech, "Kerberos's error, in a reject")
}

// What goes wrong in Kerberos is said in its own words, on both sides.
func TestKerberosErrors(t *testing.T) {
	w := newWorld(t)
	pi, pa := w.kerberos(t, nil)
	i, a := pi.initiate(t, gssapi.InitOptions{}), pa.accept(t, gssapi.AcceptOptions{
		Bindings: &gssapi.ChannelBindings{Application: []byte("x")}})
	_, iErr, aErr := handshake(t, i, a)
	require.NoError(t, iErr)
	require.ErrorIs(t, aErr, gsserr.ErrBadBindings)
	var e *gsserr.Error
	require.ErrorAs(t, aErr, &e)
	require.Equal(t, oid.Krb5, e.Mech)
	require.NotEmpty(t, e.Token)
	require.EqualValues(t, 0xa1, e.Token[0])
	_, _, err := i.Step(t.Context(), e.Token)
	require.Error(t, err)
	require.ErrorAs(t, err, &e)
	require.Equal(t, oid.Krb5, e.Mech)
	require.NotZero(t, e.Minor)

	// A user whom the KDC has no service for falls back on the toy.
	pi = w.party(t, mech.UsageInitiate, nil, "krb5 toy", "krb5 toy")
	c, err := gssapi.InitContext(gssapi.HostBased("unknown", "mail.example.test"), &gssapi.InitOptions{Cred: pi.cred, Mech: oid.SPNEGO})
	require.NoError(t, err)
	defer c.Close()
	out, _, err := c.Step(t.Context(), nil)
	require.NoError(t, err)
	require.False(t, bytes.Contains(out, oid.Krb5.DER()))

	pi, _ = w.kerberos(t, nil)
	c, err = gssapi.InitContext(gssapi.HostBased("unknown", "mail.example.test"), &gssapi.InitOptions{Cred: pi.cred, Mech: oid.SPNEGO})
	require.NoError(t, err)
	defer c.Close()
	_, _, err = c.Step(t.Context(), nil)
	require.ErrorAs(t, err, &e)
	require.Equal(t, oid.Krb5, e.Mech)
	require.NotZero(t, e.Minor)
}

// Tokens that are not SPNEGO's are answered in kind.
func TestRaw(t *testing.T) {
	pi, pa := newWorld(t).kerberos(t, nil)
	for _, tt := range []struct {
		name  string
		flags gssapi.Flags
		first byte
	}{{"framed", 0, 0x60}, {"AP-REQ of DCE style", gssapi.FlagDCEStyle, 0x6e}} {
		t.Run(tt.name, func(t *testing.T) {
			i, a := pi.initiate(t, gssapi.InitOptions{Mech: oid.Krb5, Flags: tt.flags}), pa.accept(t, gssapi.AcceptOptions{})
			tokens := establish(t, i, a)
			require.Equal(t, tt.first, tokens[0][0])
			require.NotEqualValues(t, 0xa1, tokens[1][0])
			require.False(t, a.Info().Negotiated)
			talk(t, i, a)
		})
	}
	t.Run("NTLM", func(t *testing.T) {
		a := pa.accept(t, gssapi.AcceptOptions{})
		_, _, err := a.Step(t.Context(), []byte("NTLMSSP\x00\x01\x00\x00\x00"))
		require.ErrorIs(t, err, gsserr.ErrBadMech)
		require.ErrorContains(t, err, "NTLM")
	})
	t.Run("unknown", func(t *testing.T) {
		a := pa.accept(t, gssapi.AcceptOptions{})
		_, _, err := a.Step(t.Context(), mech.AppendToken(nil, oid.IAKERB, []byte("x")))
		require.ErrorIs(t, err, gsserr.ErrBadMech)
		require.ErrorContains(t, err, oid.IAKERB.String())
	})
	t.Run("hint", func(t *testing.T) {
		i, a := pi.initiate(t, gssapi.InitOptions{}), pa.accept(t, gssapi.AcceptOptions{})
		hint, more, err := a.Step(t.Context(), nil)
		require.NoError(t, err)
		require.True(t, more)
		token, _, err := i.Step(t.Context(), hint)
		require.NoError(t, err)
		token, more, err = a.Step(t.Context(), token)
		require.NoError(t, err)
		require.False(t, more)
		_, more, err = i.Step(t.Context(), token)
		require.NoError(t, err)
		require.False(t, more)
		talk(t, i, a)
	})
	t.Run("in pieces", func(t *testing.T) {
		i, a := pi.initiate(t, gssapi.InitOptions{}), pa.accept(t, gssapi.AcceptOptions{})
		token, _, err := i.Step(t.Context(), nil)
		require.NoError(t, err)
		const n = 100
		for len(token) > n {
			out, more, err := a.Step(t.Context(), token[:n])
			require.NoError(t, err)
			require.True(t, more)
			require.Empty(t, out)
			token = token[n:]
		}
		token, more, err := a.Step(t.Context(), token)
		require.NoError(t, err)
		require.False(t, more)
		_, _, err = i.Step(t.Context(), token[:5])
		require.NoError(t, err)
		_, more, err = i.Step(t.Context(), token[5:])
		require.NoError(t, err)
		require.False(t, more)
		talk(t, i, a)
	})
	t.Run("a piece too short to tell", func(t *testing.T) {
		a := pa.accept(t, gssapi.AcceptOptions{})
		_, _, err := a.Step(t.Context(), []byte{0x60, 0x82, 0x02})
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	})
	t.Run("a piece of another mechanism", func(t *testing.T) {
		a := pa.accept(t, gssapi.AcceptOptions{})
		_, _, err := a.Step(t.Context(), mech.AppendToken(nil, oid.Krb5, make([]byte, 100))[:50])
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	})
}

// A context that was negotiated moves with what it chose.
func TestExport(t *testing.T) {
	w := newWorld(t)
	for _, m := range []string{"krb5", "toy"} {
		t.Run(m, func(t *testing.T) {
			pi, pa := w.party(t, mech.UsageInitiate, nil, m, m), w.party(t, mech.UsageAccept, nil, m, m)
			i, a := pi.initiate(t, gssapi.InitOptions{}), pa.accept(t, gssapi.AcceptOptions{})
			establish(t, i, a)
			var moved []*gssapi.SecContext
			for k, c := range []*gssapi.SecContext{i, a} {
				before := c.Info()
				token, err := c.Export()
				require.NoError(t, err)
				require.EqualValues(t, len(oid.SPNEGO.DER()), token[3])
				require.Equal(t, oid.SPNEGO.DER(), token[4:10])
				next, err := gssapi.ImportContext(token, []party{pi, pa}[k].r)
				require.NoError(t, err)
				defer next.Close()
				after := next.Info()
				require.Equal(t, before.IsInitiator, after.IsInitiator)
				require.Equal(t, before.Mech, after.Mech)
				require.True(t, after.Negotiated)
				require.Equal(t, before.Flags, after.Flags)
				moved = append(moved, next)
			}
			talk(t, moved[0], moved[1])
		})
	}
}

// Delegated credentials come through.
func TestDelegation(t *testing.T) {
	w := newWorld(t)
	for _, m := range []string{"krb5", "toy"} {
		t.Run(m, func(t *testing.T) {
			pi, pa := w.party(t, mech.UsageInitiate, nil, m, m), w.party(t, mech.UsageAccept, nil, m, m)
			for _, flag := range []gssapi.Flags{0, gssapi.FlagDeleg} {
				i, a := pi.initiate(t, gssapi.InitOptions{Flags: flag}), pa.accept(t, gssapi.AcceptOptions{})
				establish(t, i, a)
				require.Equal(t, flag, a.Info().Flags&gssapi.FlagDeleg)
				if flag == 0 {
					require.Nil(t, a.Delegated())
					continue
				}
				require.NotNil(t, a.Delegated())
				info, err := a.Delegated().Info(t.Context())
				require.NoError(t, err)
				require.Contains(t, info.Name.String(), map[string]string{"krb5": alice, "toy": "user"}[m])
			}
		})
	}
}

// Per-message calls in place, and questions, go to Kerberos.
func TestPassThrough(t *testing.T) {
	pi, pa := newWorld(t).kerberos(t, nil)
	i, a := pi.initiate(t, gssapi.InitOptions{}), pa.accept(t, gssapi.AcceptOptions{})
	establish(t, i, a)
	x, err := i.PRF(nil, true, []byte("seed"), 40)
	require.NoError(t, err)
	y, err := a.PRF(nil, true, []byte("seed"), 40)
	require.NoError(t, err)
	require.Equal(t, x, y)
	key, err := a.Inquire(oid.Krb5SSPISessionKey)
	require.NoError(t, err)
	require.Len(t, key, 2)
	_, err = a.Inquire(oid.NTLM)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	limit, err := i.WrapSizeLimit(100, nil)
	require.NoError(t, err)
	require.Positive(t, limit)

	b := iov.Message([]byte("in "), []byte("place"))
	require.NoError(t, i.WrapIOV(b, nil))
	info, err := a.UnwrapIOV(b)
	require.NoError(t, err)
	require.True(t, info.Encrypted)
	require.Equal(t, "in ", string(b[1].Bytes))
	dst := make([]byte, 0, 200)
	msg := []byte("no memory")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := i.Wrap(dst, msg, nil); err != nil {
			t.Error(err)
		}
	}))
}
