package krb5_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// What each side reports. The acceptor's flags are those that MIT 1.20.1 shows.
// MIT's initiator has TRANS from the first leg on and PROT_READY of a mutual
// context never; ours has both once they are true.
func TestFlags(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, tc := range []struct {
		name                          string
		request, first, init, accepts mech.Flags
	}{
		{"mutual", 0x32, 0x32, 0x1B2, 0x1B2},
		{"mutual, sequence", 0x3A, 0x3A, 0x1Ba, 0x1Ba},
		{"mutual, replay, sequence", 0x3E, 0x3E, 0x1Be, 0x1Be},
		{"one-way", 0x30, 0x1B0, 0x1B0, 0x1B0},
		{"nothing", 0, 0x180, 0x180, 0x180},
		{"no integrity asked for", 0x02, 0x02, 0x182, 0x182},
		{"DCE implies mutual", 0x1030, 0x1032, 0x11B2, 0x11B2},
		{"identify, extended error", 0x6032, 0x6032, 0x61B2, 0x61B2},
		{"what one cannot ask for", 0x0032 | 0x89C0, 0x32, 0x1B2, 0x1B2}, // deleg-policy, bound, trans, prot-ready, anon
		{"delegation without a forwardable ticket", 0x33, 0x32, 0x1B2, 0x1B2},
		{"unknown bits", 0xffff0032, 0x32, 0x1B2, 0x1B2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			i, a := w.flags(t, tc.request)
			require.Zero(t, a.Info().Flags)
			token, _, err := i.Step(ctx, nil)
			require.NoError(t, err)
			require.Equal(t, tc.first, i.Info().Flags, "after the first leg: %s", i.Info().Flags)
			for more := true; more; {
				token, more, err = a.Step(ctx, token)
				require.NoError(t, err)
				if len(token) > 0 {
					var initiatorMore bool
					token, initiatorMore, err = i.Step(ctx, token)
					require.NoError(t, err)
					require.False(t, initiatorMore)
				}
			}
			require.Equal(t, tc.init, i.Info().Flags, "initiator: %s", i.Info().Flags)
			require.Equal(t, tc.accepts, a.Info().Flags, "acceptor: %s", a.Info().Flags)
		})
	}
}

// Until a context is established it names nobody and protects nothing.
func TestBeforeTheEnd(t *testing.T) {
	w := newWorld(t, nil, nil)
	i, a := w.flags(t, allFlags|mech.FlagDCEStyle)
	check := func(c mech.Context) {
		t.Helper()
		info := c.Info()
		require.False(t, info.Established)
		require.Nil(t, info.AcceptorName)
		require.Empty(t, info.Enctype)
		if !info.Initiator {
			require.Nil(t, info.InitiatorName)
		}
		p := c.(mech.Protector)
		_, err := p.Wrap(nil, nil, nil)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
		_, _, err = p.Unwrap(nil, make([]byte, 100))
		require.ErrorIs(t, err, gsserr.ErrNoContext)
		_, err = p.GetMIC(nil, nil, 0)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
		_, err = p.VerifyMIC(nil, make([]byte, 100))
		require.ErrorIs(t, err, gsserr.ErrNoContext)
		_, err = p.WrapSizeLimit(100, nil)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
	}
	check(i)
	check(a)
	one, more, err := i.Step(ctx, nil)
	require.NoError(t, err)
	require.True(t, more)
	check(i)
	two, more, err := a.Step(ctx, one)
	require.NoError(t, err)
	require.True(t, more)
	check(a)
	three, more, err := i.Step(ctx, two)
	require.NoError(t, err)
	require.False(t, more)
	require.NotEmpty(t, three)
	check(a)
	four, more, err := a.Step(ctx, three)
	require.NoError(t, err)
	require.False(t, more)
	require.Empty(t, four)
	exchange(t, i, a)
}

// A one-way acceptor has nothing to say.
func TestOneWayNoReply(t *testing.T) {
	w := newWorld(t, nil, nil)
	i, a := w.flags(t, onewayFlags)
	token, more, err := i.Step(ctx, nil)
	require.NoError(t, err)
	require.False(t, more)
	reply, more, err := a.Step(ctx, token)
	require.NoError(t, err)
	require.False(t, more)
	require.Empty(t, reply)
}

// Require fails before a token leaves from which the peer would conclude that
// all is well.
func TestRequire(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, missing := range []mech.Flags{
		mech.FlagMutual, mech.FlagConf, mech.FlagInteg, mech.FlagReplay, mech.FlagSequence,
		mech.FlagDeleg, mech.FlagAnon, mech.FlagChannelBound, mech.FlagDCEStyle, 1 << 20,
	} {
		t.Run("initiator/"+missing.String(), func(t *testing.T) {
			before := w.kdc.Requests()
			i := w.initiate(t, mech.InitRequest{Flags: allFlags &^ missing, Require: missing})
			token, more, err := i.Step(ctx, nil)
			require.Empty(t, token)
			require.False(t, more)
			requireCode(t, err, gsserr.ErrUnavailable, 0)
			require.Equal(t, before, w.kdc.Requests(), "nor does the KDC hear of it")
			requireDead(t, i)
		})
		for _, flags := range styles {
			t.Run("acceptor/"+label(flags)+"/"+missing.String(), func(t *testing.T) {
				if (flags &^ missing).Has(mech.FlagDCEStyle) && missing == mech.FlagMutual {
					t.Skip("DCE style implies it")
				}
				a := w.accept(t, mech.AcceptRequest{Require: missing})
				flags := flags &^ missing
				token, more, err := a.Step(ctx, w.token(t, flags))
				require.Empty(t, token)
				require.False(t, more)
				requireCode(t, err, gsserr.ErrUnavailable, 0)
				requireDead(t, a)
				var e *gsserr.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, flags.Has(mech.FlagMutual), e.Token != nil)
			})
		}
	}
	// What every context has may be required too.
	const granted = allFlags | mech.FlagTrans | mech.FlagProtReady
	i := w.initiate(t, mech.InitRequest{Flags: allFlags, Require: granted})
	a := w.accept(t, mech.AcceptRequest{Require: granted})
	establish(t, i, a)
}

// requireDead demands that a context does nothing more, and names nobody.
func requireDead(t testing.TB, c mech.Context) {
	t.Helper()
	for _, in := range [][]byte{nil, []byte("x")} {
		out, more, err := c.Step(ctx, in)
		require.Empty(t, out)
		require.False(t, more)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
	}
	info := c.Info()
	require.False(t, info.Established)
	require.Nil(t, info.AcceptorName)
	if !info.Initiator {
		require.Nil(t, info.InitiatorName)
	}
	_, err := c.(mech.Protector).Wrap(nil, nil, nil)
	require.ErrorIs(t, err, gsserr.ErrNoContext)
	require.NoError(t, c.Close())
}

// The KRB-ERROR of a refusal takes the initiator to the same end.
func TestRequireTokenForPeer(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, flags := range []mech.Flags{mech.FlagMutual, mech.FlagMutual | mech.FlagDCEStyle} {
		i, a := w.initiate(t, mech.InitRequest{Flags: flags}), w.accept(t, mech.AcceptRequest{Require: mech.FlagConf})
		token, _, err := i.Step(ctx, nil)
		require.NoError(t, err)
		_, _, err = a.Step(ctx, token)
		var e *gsserr.Error
		require.ErrorAs(t, err, &e)
		m, body, err := mech.ParseToken(e.Token)
		require.NoError(t, err)
		require.Equal(t, oid.Krb5, m)
		require.Equal(t, []byte{3, 0}, body[:2])
		require.NotContains(t, string(body), "alice")
		_, _, err = i.Step(ctx, e.Token)
		requireCode(t, err, gsserr.ErrFailure, krb5.Code(-1765328384+60))
		requireDead(t, i)
	}
}
