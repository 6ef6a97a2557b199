package krb5_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/rcache"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
)

// benchInitiate is one AP-REQ after the other.
func benchInitiate(b *testing.B, w *world, creds []mech.Cred) {
	b.Helper()
	target := w.target(b)
	b.ReportAllocs()
	for b.Loop() {
		i, err := w.Initiate(target, mech.InitRequest{Creds: creds, Flags: onewayFlags})
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err = i.Step(ctx, nil); err != nil {
			b.Fatal(err)
		}
		_ = i.Close()
	}
}

// benchAccept is the same AP-REQ again and again, to a replay cache that forgets.
func benchAccept(b *testing.B, m mech.Mechanism, token []byte, creds []mech.Cred) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		a, err := m.Accept(mech.AcceptRequest{Creds: creds})
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err = a.Step(ctx, token); err != nil {
			b.Fatal(err)
		}
		_ = a.Close()
	}
}

// BenchmarkInitiateFile is the initiator with tickets in a file: with a
// credential, with the default one that each context finds anew, and with a
// thousand tickets in the file.
func BenchmarkInitiateFile(b *testing.B) {
	w, file := fileWorld(b, nil, nil)
	w.token(b, allFlags)
	b.Run("cred", func(b *testing.B) { benchInitiate(b, w, []mech.Cred{w.alice}) })
	b.Run("default", func(b *testing.B) { benchInitiate(b, w, nil) })
	fill(b, file, 1000)
	b.Run("1000 tickets", func(b *testing.B) { benchInitiate(b, w, []mech.Cred{w.alice}) })
	b.Run("1000 tickets/default", func(b *testing.B) { benchInitiate(b, w, nil) })
	b.Run("1000 tickets/read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ccache.NewFile(file).Load(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// fill puts n more tickets into a cache, before the one that is looked for.
func fill(t testing.TB, file string, n int) {
	t.Helper()
	cc := ccache.NewFile(file)
	c, err := cc.Load(ctx)
	require.NoError(t, err)
	last := c.Entries[len(c.Entries)-1]
	c.Entries = c.Entries[:len(c.Entries)-1]
	for i := range n {
		other := last
		other.Server.Components = []string{"host", fmt.Sprintf("host-%d.example.test", i)}
		c.Entries = append(c.Entries, other)
	}
	c.Entries = append(c.Entries, last)
	require.NoError(t, cc.Init(ctx, c))
}

// BenchmarkAcceptFile is the acceptor with keys in a file: with the replay cache
// in memory and on disk, and with a thousand keys in the file.
func BenchmarkAcceptFile(b *testing.B) {
	dir := b.TempDir()
	small, large := filepath.Join(dir, "keytab"), filepath.Join(dir, "large")
	w := newWorld(b, nil, func(c *krb5.Config) { c.Keytab, c.Replay = small, anew{c.Replay} })
	write(b, small, string(w.keytab))
	kt := parseKeytab(b, w.keytab)
	mine := kt.Entries()
	many := new(keytab.Keytab)
	for i := range 1000 {
		e := mine[i%len(mine)]
		if i < 1000-len(mine) {
			e.Key = keytab.NewKey(e.Key.Enctype, make([]byte, len(e.Key.Value.Bytes())))
			e.Principal.Components = []string{"host", fmt.Sprintf("host-%d.example.test", i)}
		} else {
			e = mine[1000-1-i]
		}
		require.NoError(b, many.Add(e))
	}
	require.NoError(b, many.Write(large))
	token := w.token(b, onewayFlags)
	for name, file := range map[string]string{"memory": small, "1000 keys": large} {
		b.Run(name, func(b *testing.B) {
			cred, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageAccept, Store: map[string]string{"keytab": file}})
			require.NoError(b, err)
			benchAccept(b, w, token, []mech.Cred{cred})
		})
	}
	b.Run("default", func(b *testing.B) { benchAccept(b, w, token, nil) })
	b.Run("file2", func(b *testing.B) {
		cfg := w.config
		cfg.Replay = &renumbered{ReplayCache: rcache.NewFile(filepath.Join(dir, "rc"), 5*time.Minute)}
		benchAccept(b, krb5.New(&cfg), token, nil)
	})
}

// renumbered is a replay cache to which each authenticator is another one.
type renumbered struct {
	krb5.ReplayCache
	n uint64
}

func (r *renumbered) Add(ctx context.Context, tag []byte, seen, expires time.Time) (bool, error) {
	r.n++
	return r.ReplayCache.Add(ctx, binary.BigEndian.AppendUint64(nil, r.n*0x9E3779B97F4A7C15), seen, expires)
}
