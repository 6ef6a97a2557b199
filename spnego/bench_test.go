package spnego_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/oid"
)

// BenchmarkStep is the handshake with tickets and keytab at hand: what the
// initiator does for a context (all of its legs) and what the acceptor does.
func BenchmarkStep(b *testing.B) {
	w := newWorld(b)
	w.replay = anew{krb5.NewReplayCache(1 << 22)}
	pi, pa := w.kerberos(b, nil)
	target := gssapi.HostBased("imap", "mail.example.test")
	ctx := b.Context()
	for _, kind := range []struct {
		name string
		omit gssapi.Flags
	}{{"mutual", 0}, {"oneway", gssapi.FlagMutual}} {
		start := func(b *testing.B) (*gssapi.SecContext, []byte) {
			i, err := gssapi.InitContext(target, &gssapi.InitOptions{Cred: pi.cred, Mech: oid.SPNEGO, Omit: kind.omit})
			if err != nil {
				b.Fatal(err)
			}
			token, _, err := i.Step(ctx, nil)
			if err != nil {
				b.Fatal(err)
			}
			return i, token
		}
		answer := func(b *testing.B, token []byte) []byte {
			a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: pa.cred})
			if err != nil {
				b.Fatal(err)
			}
			reply, more, err := a.Step(ctx, token)
			if err != nil || more {
				b.Fatal(more, err)
			}
			if err := a.Close(); err != nil {
				b.Fatal(err)
			}
			return reply
		}
		i, _ := start(b) // so that the ticket is there
		require.NoError(b, i.Close())
		b.Run("spnego/"+kind.name+"/initiate", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				i, token := start(b)
				b.StopTimer()
				reply := answer(b, token)
				b.StartTimer()
				if _, more, err := i.Step(ctx, reply); err != nil || more {
					b.Fatal(more, err)
				}
				_ = i.Close()
			}
		})
		b.Run("spnego/"+kind.name+"/accept", func(b *testing.B) {
			_, token := start(b)
			b.ReportAllocs()
			for b.Loop() {
				answer(b, token)
			}
		})
	}
}
