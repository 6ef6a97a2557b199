package cfx

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/mech"
)

// TestAllocs demands that no call allocates when dst has room, through the
// interface by which programs reach the context.
func TestAllocs(t *testing.T) {
	const runs = 50
	for _, id := range etypes {
		for _, size := range []int{0, 1, 64, 1000, 50000} {
			t.Run(fmt.Sprintf("%v/%d", id, size), func(t *testing.T) {
				// Without a window tokens can be used again.
				i, a := setup{id: id, subkey: true}.pair(t)
				var from, to mech.Protector = i, a
				msg := message(size)
				tokenBuf := make([]byte, 0, size+100)
				msgBuf := make([]byte, 0, size+100)
				var err error
				demand := func(name string, f func()) {
					t.Helper()
					f() // derives the keys
					f() // and lets the hashes save their state
					require.Zero(t, testing.AllocsPerRun(runs, f), name)
					require.NoError(t, err, name)
				}
				for _, o := range []*mech.WrapOptions{sealed, integOnly, {}} {
					name := fmt.Sprintf(" %+v", o)
					demand("Wrap"+name, func() { _, err = from.Wrap(tokenBuf, msg, o) })
					token, err2 := from.Wrap(nil, msg, o)
					require.NoError(t, err2)
					demand("Unwrap"+name, func() { _, _, err = to.Unwrap(msgBuf, token) })
					turned := rotateToken(token, 28)
					demand("Unwrap rotated"+name, func() { _, _, err = to.Unwrap(msgBuf, turned) })
					demand("WrapSizeLimit"+name, func() { _, err = from.WrapSizeLimit(1000, o) })
				}
				demand("GetMIC", func() { _, err = from.GetMIC(tokenBuf, msg, 0) })
				mic, err2 := from.GetMIC(nil, msg, 0)
				require.NoError(t, err2)
				demand("VerifyMIC", func() { _, err = to.VerifyMIC(msg, mic) })
			})
		}
	}
}

// TestAllocsExactRoom checks how much room is enough: what Wrap returns, and
// for Unwrap the length of the token.
func TestAllocsExactRoom(t *testing.T) {
	i, a := setup{id: etype.AES256SHA2}.pair(t)
	for _, o := range []*mech.WrapOptions{sealed, integOnly} {
		msg := message(333)
		token, err := i.Wrap(nil, msg, o)
		require.NoError(t, err)
		out := make([]byte, 0, len(token))
		require.Zero(t, testing.AllocsPerRun(20, func() { _, err = i.Wrap(out, msg, o) }))
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(20, func() { _, _, err = a.Unwrap(out, token) }))
		require.NoError(t, err)
	}
	mic, msg := make([]byte, 0, 40), message(1)
	var err error
	require.Zero(t, testing.AllocsPerRun(20, func() { _, err = i.GetMIC(mic, msg, 0) }))
	require.NoError(t, err)
}

// TestLazy checks that a context that never wraps derives nothing.
func TestLazy(t *testing.T) {
	i, a := setup{id: aes256, subkey: true}.pair(t)
	mic, err := i.GetMIC(nil, nil, 0)
	require.NoError(t, err)
	_, err = a.VerifyMIC(nil, mic)
	require.NoError(t, err)
	for _, s := range []suite{i.send.suite, a.recv.acceptor} {
		require.NotNil(t, s.signMAC)
		require.Nil(t, s.wrapMAC)
		require.Nil(t, s.cipher)
	}
	require.Nil(t, a.recv.initiator.signMAC)
	require.Nil(t, a.send.suite.signMAC)
}
