package krb5_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

var styles = []mech.Flags{allFlags, onewayFlags, allFlags | mech.FlagDCEStyle}

// header takes apart the header of a Wrap token (RFC 4121 §4.2.6.2).
func header(t testing.TB, c mech.Context) (flags byte, seq uint64) {
	t.Helper()
	token, err := c.(mech.Protector).Wrap(nil, []byte("x"), nil)
	require.NoError(t, err)
	require.Equal(t, []byte{5, 4}, token[:2])
	return token[2], binary.BigEndian.Uint64(token[8:])
}

func TestContext(t *testing.T) {
	for _, id := range enctypes {
		w := newWorld(t, &testenv.Options{Enctypes: []int32{int32(id)}}, nil)
		for _, flags := range styles {
			t.Run(caseName(id, flags), func(t *testing.T) {
				i, a := w.flags(t, flags)
				establish(t, i, a)
				exchange(t, i, a)

				ii, ai := i.Info(), a.Info()
				require.Equal(t, id.String(), ii.Enctype)
				require.Equal(t, id.String(), ai.Enctype)
				require.Equal(t, oid.Krb5, ii.Mech)
				require.Equal(t, oid.Krb5, ai.Mech)
				require.True(t, ii.Initiator)
				require.False(t, ai.Initiator)
				require.Nil(t, ai.Target)
				require.Nil(t, ii.Delegated)
				require.Nil(t, ai.Delegated)
				requireName(t, "alice@"+realm, ii.InitiatorName)
				requireName(t, "alice@"+realm, ai.InitiatorName)
				requireName(t, "host/"+host+"@"+realm, ai.AcceptorName)
				text, _ := ii.Target.Display()
				require.Equal(t, service, text)
				if flags.Has(mech.FlagMutual) {
					requireName(t, "host/"+host+"@"+realm, ii.AcceptorName)
				} else {
					require.Nil(t, ii.AcceptorName, "nobody proved to be that")
				}
				require.WithinDuration(t, time.Now().Add(10*time.Hour), ii.Expires, time.Minute)
				require.WithinDuration(t, ii.Expires.Add(5*time.Minute), ai.Expires, time.Second)

				require.NoError(t, i.Close())
				require.NoError(t, a.Close())
				require.NoError(t, a.Close())
				require.False(t, i.Info().Established)
				_, err := i.(mech.Protector).Wrap(nil, nil, nil)
				require.ErrorIs(t, err, gsserr.ErrNoContext)
				_, _, err = i.Step(ctx, nil)
				require.ErrorIs(t, err, gsserr.ErrNoContext)
			})
		}
	}
}

func requireName(t testing.TB, want string, n mech.Name) {
	t.Helper()
	require.NotNil(t, n)
	text, typ := n.Display()
	require.Equal(t, want, text)
	require.Equal(t, oid.NTKrb5Principal, typ)
	require.Equal(t, oid.Krb5, n.Mech())
}

// An acceptor's subkey exists if and only if there was an AP-REP, and then both
// sides send with it. With one-way authentication both number from the
// initiator's sequence number.
func TestKeysAndSequence(t *testing.T) {
	const fromAcceptor, sealed, acceptorSubkey = 1, 2, 4
	w := newWorld(t, nil, nil)
	for _, flags := range styles {
		t.Run(label(flags), func(t *testing.T) {
			i, a := w.flags(t, flags)
			establish(t, i, a)
			fi, si := header(t, i)
			fa, sa := header(t, a)
			want := byte(sealed)
			if flags.Has(mech.FlagMutual) {
				want |= acceptorSubkey
				require.NotEqual(t, si, sa, "two random numbers")
			} else {
				require.Equal(t, si, sa)
			}
			require.Equal(t, want, fi)
			require.Equal(t, want|fromAcceptor, fa)
			for _, s := range []uint64{si, sa} {
				require.True(t, s > 0 && s < 1<<30, "%#x", s)
			}
			_, next := header(t, i)
			require.Equal(t, si+1, next)
		})
	}
}

// The window starts where the peer does: a first message that got lost is seen.
func TestFirstMessageLost(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, flags := range styles {
		t.Run(label(flags), func(t *testing.T) {
			i, a := w.flags(t, flags)
			establish(t, i, a)
			for _, p := range [][2]mech.Context{{i, a}, {a, i}} {
				from, to := p[0].(mech.Protector), p[1].(mech.Protector)
				lost, err := from.GetMIC(nil, []byte("1"), 0)
				require.NoError(t, err)
				mic, err := from.GetMIC(nil, []byte("2"), 0)
				require.NoError(t, err)
				_, err = to.VerifyMIC([]byte("2"), mic)
				require.ErrorIs(t, err, gsserr.ErrGapToken)
				_, err = to.VerifyMIC([]byte("2"), mic)
				require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
				_, err = to.VerifyMIC([]byte("1"), lost)
				require.ErrorIs(t, err, gsserr.ErrUnseqToken)
			}
		})
	}
	i, a := w.flags(t, mech.FlagMutual|mech.FlagInteg)
	establish(t, i, a)
	mic, err := i.(mech.Protector).GetMIC(nil, []byte("1"), 0)
	require.NoError(t, err)
	for range 2 {
		_, err = a.(mech.Protector).VerifyMIC([]byte("1"), mic)
		require.NoError(t, err, "nobody asked for detection")
	}
}

// RFC 4537: a ticket with a weaker session key than both sides have.
func TestEnctypeUpgrade(t *testing.T) {
	w := newWorld(t, nil, nil)
	old := w.with(t, func(c *krb5.Config) { c.Enctypes = []krb5.Enctype{krb5.AES128SHA1} })
	// Tickets of the old client, in a cache that the new one uses.
	file := "FILE:" + tempFile(t, "cc")
	_, err := old.alice.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	oldCC := old.with(t, func(c *krb5.Config) { c.CCache = file })
	cred, err := oldCC.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.NoError(t, err)
	i, a := oldCC.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{})
	establish(t, i, a)
	require.Equal(t, krb5.AES128SHA1.String(), i.Info().Enctype, "the initiator offered nothing else")

	w = w.with(t, func(c *krb5.Config) { c.CCache = file })
	cred, err = w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.NoError(t, err)
	before := w.kdc.Requests()
	i, a = w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{})
	establish(t, i, a)
	require.Equal(t, before, w.kdc.Requests(), "the ticket was in the cache")
	require.Equal(t, krb5.AES256SHA1.String(), i.Info().Enctype)
	require.Equal(t, krb5.AES256SHA1.String(), a.Info().Enctype)
	exchange(t, i, a)

	// Without an AP-REP nobody can choose.
	i, a = w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: onewayFlags}), w.accept(t, mech.AcceptRequest{})
	establish(t, i, a)
	require.Equal(t, krb5.AES128SHA1.String(), i.Info().Enctype)
	exchange(t, i, a)
}

// All three OIDs of Kerberos are good in a frame, and the acceptor answers
// under the one it was asked with.
func TestMechOIDs(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, o := range []oid.OID{{}, oid.Krb5, oid.Krb5MS, oid.Krb5Old, oid.SPNEGO} {
		want := o
		if o.IsZero() || o == oid.SPNEGO {
			want = oid.Krb5
		}
		i, a := w.initiate(t, mech.InitRequest{Flags: allFlags, Mech: o}), w.accept(t, mech.AcceptRequest{})
		token, _, err := i.Step(ctx, nil)
		require.NoError(t, err)
		got, _, err := mech.ParseToken(token)
		require.NoError(t, err)
		require.Equal(t, want, got)
		reply, _, err := a.Step(ctx, token)
		require.NoError(t, err)
		got, _, err = mech.ParseToken(reply)
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, more, err := i.Step(ctx, reply)
		require.NoError(t, err)
		require.False(t, more)
		require.Equal(t, oid.Krb5, a.Info().Mech)
	}
}

// The lifetime that is asked for reaches the KDC.
func TestLifetime(t *testing.T) {
	w := newWorld(t, nil, nil)
	i, a := w.initiate(t, mech.InitRequest{Flags: allFlags, Lifetime: 10 * time.Minute}), w.accept(t, mech.AcceptRequest{})
	establish(t, i, a)
	require.WithinDuration(t, time.Now().Add(10*time.Minute), i.Info().Expires, 10*time.Second)
}
