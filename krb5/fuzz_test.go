package krb5_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// requireFailed demands that a Step that failed did so as it must.
func requireFailed(t *testing.T, c mech.Context, out []byte, more bool, err error) {
	t.Helper()
	require.Empty(t, out)
	require.False(t, more)
	var e *gsserr.Error
	require.ErrorAs(t, err, &e)
	require.NotZero(t, e.Major)
	require.False(t, c.Info().Established)
	_, _, err = c.Step(ctx, nil)
	require.ErrorIs(t, err, gsserr.ErrNoContext)
	_, err = c.(mech.Protector).Wrap(nil, nil, nil)
	require.ErrorIs(t, err, gsserr.ErrNoContext)
}

// FuzzAcceptStep gives a token to a new acceptor, and to one that waits for the
// third leg of DCE style. The seeds are replays, so nothing may be accepted that
// is not one of them with other clear bytes.
func FuzzAcceptStep(f *testing.F) {
	w := newWorld(f, nil, nil)
	used := w.accept(f, mech.AcceptRequest{})
	for _, flags := range styles {
		token := w.token(f, flags)
		f.Add(token)
		_, _, err := w.accept(f, mech.AcceptRequest{}).Step(ctx, token)
		require.NoError(f, err)
	}
	reply, _, err := used.Step(ctx, w.token(f, allFlags|mech.FlagDCEStyle))
	require.NoError(f, err)
	f.Add(reply)
	f.Add(mech.AppendToken(nil, oid.Krb5, []byte{1, 0, 0x6e, 0}))
	f.Fuzz(func(t *testing.T, token []byte) {
		a := w.accept(t, mech.AcceptRequest{})
		out, more, err := a.Step(ctx, token)
		requireFailed(t, a, out, more, err)
		a = w.accept(t, mech.AcceptRequest{})
		_, more, err = a.Step(ctx, w.token(t, allFlags|mech.FlagDCEStyle))
		require.NoError(t, err)
		require.True(t, more)
		out, more, err = a.Step(ctx, token)
		requireFailed(t, a, out, more, err)
	})
}

// FuzzInitStep gives a token to initiators that wait for an answer. Nothing
// that a fuzzer can make is one.
func FuzzInitStep(f *testing.F) {
	w := newWorld(f, nil, nil)
	for _, flags := range styles {
		if !flags.Has(mech.FlagMutual) {
			continue
		}
		reply, _, err := w.accept(f, mech.AcceptRequest{}).Step(ctx, w.token(f, flags))
		require.NoError(f, err)
		f.Add(reply)
		f.Add(w.token(f, flags))
	}
	replayed := w.token(f, allFlags)
	_, _, err := w.accept(f, mech.AcceptRequest{}).Step(ctx, replayed)
	require.NoError(f, err)
	_, _, err = w.accept(f, mech.AcceptRequest{}).Step(ctx, replayed)
	f.Add(errorToken(f, err))
	f.Fuzz(func(t *testing.T, token []byte) {
		for _, flags := range []mech.Flags{allFlags, allFlags | mech.FlagDCEStyle} {
			i := w.initiate(t, mech.InitRequest{Flags: flags})
			_, more, err := i.Step(ctx, nil)
			require.NoError(t, err)
			require.True(t, more)
			out, more, err := i.Step(ctx, token)
			requireFailed(t, i, out, more, err)
		}
	})
}
