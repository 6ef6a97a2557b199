package spnego_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/spnego"
)

// Every truncation and every flipped bit of the first token of a real exchange:
// no context, or the one that was asked for. Kerberos protects its own part,
// nothing protects what is around it.
func TestTamperRequest(t *testing.T) {
	w := newWorld(t)
	w.replay = anew{krb5.NewReplayCache(1 << 20)}
	pi, pa := w.kerberos(t, nil)
	token, _, err := pi.initiate(t, gssapi.InitOptions{}).Step(t.Context(), nil)
	require.NoError(t, err)
	// accept says how it went, and checks what came of it.
	accept := func(token []byte) (opened, waits bool) {
		a := pa.accept(t, gssapi.AcceptOptions{})
		defer a.Close()
		out, more, err := a.Step(t.Context(), token)
		if err == nil && !more {
			require.Equal(t, "alice@EXAMPLE.TEST", a.Peer().String())
			require.Equal(t, oid.Krb5, a.Info().Mech)
			require.Equal(t, gssapi.DefaultFlags, a.Info().Flags&gssapi.DefaultFlags)
		}
		return err == nil && !more, err == nil && more && len(out) == 0
	}
	opened, _ := accept(token)
	require.True(t, opened)
	for n := range token {
		opened, waits := accept(token[:n:n])
		require.False(t, opened)
		if n > 20 {
			require.True(t, waits, "cut to %d bytes", n) // for the rest
		}
	}
	for n := range len(token) * 8 {
		bad := bytes.Clone(token)
		bad[n/8] ^= 1 << (n % 8)
		if opened, _ := accept(bad); opened {
			// Kerberos's OID is one bit away from Microsoft's, in the list and in
			// the frame; and the names and numbers in front of the ticket's
			// ciphertext are for nobody to rely on.
			require.Less(t, n/8, 180)
		}
	}
}

// The same for the answer.
func TestTamperReply(t *testing.T) {
	w := newWorld(t)
	w.replay = anew{krb5.NewReplayCache(1 << 20)}
	for _, c := range []*spnego.Config{nil, {RequireMechListMIC: true}} {
		pi, pa := w.kerberos(t, c)
		exchange := func(change func([]byte) []byte) (more bool, err error) {
			i, err := gssapi.InitContext(gssapi.HostBased("imap", "mail.example.test"), &gssapi.InitOptions{Cred: pi.cred, Mech: oid.SPNEGO})
			require.NoError(t, err)
			defer i.Close()
			a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: pa.cred})
			require.NoError(t, err)
			defer a.Close()
			token, _, err := i.Step(t.Context(), nil)
			require.NoError(t, err)
			token, _, err = a.Step(t.Context(), token)
			require.NoError(t, err)
			out, more, err := i.Step(t.Context(), change(token))
			if err == nil && !more {
				require.Equal(t, "imap/mail.example.test@EXAMPLE.TEST", i.Peer().String())
				require.Equal(t, oid.Krb5, i.Info().Mech)
			}
			require.True(t, err == nil || out == nil)
			return more, err
		}
		size := 0
		_, err := exchange(func(b []byte) []byte { size = len(b); return b })
		require.NoError(t, err)
		for n := range size {
			more, err := exchange(func(b []byte) []byte { return b[:min(n, len(b)-1)] })
			require.True(t, more || err != nil)
		}
		harmless := 0
		for n := range size * 8 {
			// A number in it varies in length.
			more, err := exchange(func(b []byte) []byte { b[n/8%len(b)] ^= 1 << (n % 8); return b })
			if err == nil && !more {
				harmless++
			}
		}
		// One in negState, and two of Kerberos's OID as above.
		require.LessOrEqual(t, harmless, 4)
	}
}
