package krb5_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/testenv"
)

// anew is a replay cache that takes everything for new, so that a benchmark can
// present one token again and again; it does the work of a real one.
type anew struct{ krb5.ReplayCache }

func (a anew) Add(ctx context.Context, tag []byte, seen, expires time.Time) (bool, error) {
	_, err := a.ReplayCache.Add(ctx, tag, seen, expires)
	return true, err
}

// BenchmarkStep is the handshake with tickets and keytab at hand: what the
// initiator does for a context (all of its legs) and what the acceptor does.
func BenchmarkStep(b *testing.B) {
	for name, flags := range map[string]mech.Flags{"mutual": allFlags, "oneway": onewayFlags} {
		for _, id := range enctypes {
			w := newWorld(b, &testenv.Options{Enctypes: []int32{int32(id)}}, func(c *krb5.Config) { c.Replay = anew{c.Replay} })
			w.token(b, flags)
			target := w.target(b)
			start := func(b *testing.B) (mech.Context, []byte) {
				i, err := w.Initiate(target, mech.InitRequest{Creds: []mech.Cred{w.alice}, Flags: flags})
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
				a, err := w.Accept(mech.AcceptRequest{Creds: []mech.Cred{w.server}})
				if err != nil {
					b.Fatal(err)
				}
				reply, _, err := a.Step(ctx, token)
				if err != nil {
					b.Fatal(err)
				}
				if err := a.Close(); err != nil {
					b.Fatal(err)
				}
				return reply
			}
			b.Run("krb5/"+name+"/initiate/"+id.String(), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					i, token := start(b)
					if flags.Has(mech.FlagMutual) {
						b.StopTimer()
						reply := answer(b, token)
						b.StartTimer()
						if _, _, err := i.Step(ctx, reply); err != nil {
							b.Fatal(err)
						}
					}
					_ = i.Close()
				}
			})
			b.Run("krb5/"+name+"/accept/"+id.String(), func(b *testing.B) {
				_, token := start(b)
				b.ReportAllocs()
				for b.Loop() {
					answer(b, token)
				}
			})
			b.Run("krb5/"+name+"/both/"+id.String(), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					i, a := w.flags(b, flags)
					if err := handshake(i, a); err != nil {
						b.Fatal(err)
					}
					_, _ = i.Close(), a.Close()
				}
			})
		}
	}
}

// BenchmarkStepFileCache is the initiator with a FILE cache, which it looks at
// each time.
func BenchmarkStepFileCache(b *testing.B) {
	w, _ := fileWorld(b, nil, nil)
	w.token(b, allFlags)
	target := w.target(b)
	b.ReportAllocs()
	for b.Loop() {
		i, err := w.Initiate(target, mech.InitRequest{Creds: []mech.Cred{w.alice}, Flags: onewayFlags})
		if err != nil {
			b.Fatal(err)
		}
		_, _, err = i.Step(ctx, nil)
		require.NoError(b, err)
		_ = i.Close()
	}
}
