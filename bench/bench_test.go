package main

import (
	"bytes"
	"fmt"
	"math"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/testenv"
)

var ids = []struct {
	name string
	id   int32
}{{"aes128-sha1", 17}, {"aes256-sha1", 18}, {"aes128-sha2", 19}, {"aes256-sha2", 20}}

// embedded returns parties in the realm of the embedded KDC, whose every key is
// of one enctype.
func embedded(tb testing.TB, enctype int32) *parties {
	tb.Helper()
	k := testenv.NewKDC(&testenv.Options{Enctypes: []int32{enctype}, NoListen: true})
	tb.Cleanup(k.Close)
	k.AddUser("user", "password")
	kt, err := keytab.Parse(k.AddService("host/server.example.test"))
	require.NoError(tb, err)
	m := krb5.New(&krb5.Config{ConfigText: k.Config(), KDC: k, Getenv: func(string) string { return "" }, Replay: krb5.NewReplayCache(0)})
	r, err := mech.NewRegistry(m)
	require.NoError(tb, err)
	user, err := m.Login(tb.Context(), "user", &krb5.LoginOptions{Password: func() []byte { return []byte("password") }})
	require.NoError(tb, err)
	service, err := m.KeytabCred(tb.Context(), nil, kt)
	require.NoError(tb, err)
	p := &parties{target: gssapi.HostBased("host", "server.example.test")}
	p.initiator, err = gssapi.NewCred(r, user)
	require.NoError(tb, err)
	p.acceptor, err = gssapi.NewCred(r, service)
	require.NoError(tb, err)
	return p
}

// batches runs the steps over b.N sides in batches; the clock runs in those that
// count.
func batches(b *testing.B, size int, steps ...step) {
	b.ReportAllocs()
	for done := 0; done < b.N; done += size {
		n := min(size, b.N-done)
		for _, s := range steps {
			if !s.counts {
				b.StopTimer()
			}
			for i := range n {
				if err := s.do(i); err != nil {
					b.Fatal(err)
				}
			}
			if !s.counts {
				b.StartTimer()
			}
		}
	}
}

type step struct {
	counts bool
	do     func(i int) error
}

func BenchmarkStep(b *testing.B) {
	for _, e := range ids {
		p := embedded(b, e.id)
		for _, way := range []struct {
			name string
			omit gssapi.Flags
		}{{"mutual", 0}, {"oneway", gssapi.FlagMutual}} {
			for _, role := range []string{"initiate", "accept"} {
				b.Run(e.name+"/"+role+"/"+way.name, func(b *testing.B) {
					initiates := role == "initiate"
					sides := make([]side, batch)
					batches(b, batch,
						step{initiates, func(i int) error { return p.init1(&sides[i], way.omit) }},
						step{!initiates, func(i int) error { return p.accept(&sides[i]) }},
						step{initiates, func(i int) error { return p.init2(&sides[i]) }},
						step{initiates, func(i int) error { return sides[i].i.Close() }},
						step{!initiates, func(i int) error { return sides[i].a.Close() }})
				})
			}
		}
	}
}

func BenchmarkMessage(b *testing.B) {
	for _, e := range ids {
		s, err := embedded(b, e.id).establish()
		require.NoError(b, err)
		for _, o := range operations {
			for _, size := range sizes {
				msg, tokens, plain := make([]byte, size), make([][]byte, batchOf(size)), []byte(nil)
				protect := func(i int) (err error) { tokens[i], err = o.protect(s, tokens[i][:0], msg); return err }
				check := func(i int) (err error) { plain, err = o.check(s, plain[:0], msg, tokens[i]); return err }
				b.Run(fmt.Sprintf("%s/%s/%d", e.name, o.make, size), func(b *testing.B) {
					b.SetBytes(int64(size))
					batches(b, len(tokens), step{true, protect}, step{false, check})
				})
				b.Run(fmt.Sprintf("%s/%s/%d", e.name, o.take, size), func(b *testing.B) {
					b.SetBytes(int64(size))
					batches(b, len(tokens), step{false, protect}, step{true, check})
				})
			}
		}
		require.NoError(b, s.close())
	}
}

// usage reports the processor time of what follows, which other load on the
// machine does not touch, and how long goroutines waited for locks.
func usage(b *testing.B) (end func()) {
	read := func() (cpu time.Duration, waited float64) {
		cpu, err := clock()
		require.NoError(b, err)
		m := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
		metrics.Read(m)
		return cpu, m[0].Value.Float64()
	}
	cpu, waited := read()
	return func() {
		cpu2, waited2 := read()
		b.ReportMetric(float64(cpu2-cpu)/float64(b.N), "cpu-ns/op")
		b.ReportMetric((waited2-waited)*1e9/float64(b.N), "wait-ns/op")
	}
}

// One direction of a context, and both at once: who sends with one goroutine and
// receives with another waits for nothing, and takes no longer than the slower of
// the two, if there are processors for both. Two senders do wait for each other.
func BenchmarkDuplex(b *testing.B) {
	const size = 64 << 10
	for _, e := range ids {
		s, err := embedded(b, e.id).establish()
		require.NoError(b, err)
		msg := make([]byte, size)
		token, err := s.a.Wrap(nil, msg, nil)
		require.NoError(b, err)
		out, in := make([]byte, 0, len(token)), make([]byte, 0, len(token))
		send := func() error { _, err := s.i.Wrap(out, msg, nil); return err }
		receive := func() error { // it has been received before, which is told with the message
			if _, _, err := s.i.Unwrap(in, token); err != nil && !gssapi.Informational(err) {
				return err
			}
			return nil
		}
		times := func(b *testing.B, f func() error) {
			for range b.N {
				if err := f(); err != nil {
					b.Error(err)
					return
				}
			}
		}
		at := func(fs ...func() error) func(b *testing.B) {
			return func(b *testing.B) {
				b.SetBytes(int64(len(fs)) * size)
				defer usage(b)()
				var wg sync.WaitGroup
				for _, f := range fs {
					wg.Go(func() { times(b, f) })
				}
				wg.Wait()
			}
		}
		b.Run(e.name+"/send", at(send))
		b.Run(e.name+"/receive", at(receive))
		b.Run(e.name+"/both", at(send, receive))
		other := make([]byte, 0, len(token))
		b.Run(e.name+"/two senders", at(send, func() error { _, err := s.i.Wrap(other, msg, nil); return err }))
		require.NoError(b, s.close())
	}
}

// A context for each goroutine, as many of them as -cpu says.
func BenchmarkContexts(b *testing.B) {
	const size = 64 << 10
	for _, e := range ids {
		p := embedded(b, e.id)
		b.Run(e.name, func(b *testing.B) {
			b.SetBytes(size)
			defer usage(b)()
			b.RunParallel(func(pb *testing.PB) {
				s, err := p.establish()
				if err != nil {
					b.Error(err)
					return
				}
				msg := make([]byte, size)
				var token, plain []byte
				for pb.Next() {
					if token, err = s.i.Wrap(token[:0], msg, nil); err == nil {
						plain, _, err = s.a.Unwrap(plain[:0], token)
					}
					if err != nil {
						b.Error(err)
						return
					}
				}
				if err := s.close(); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// What is measured works: messages arrive as they were, and others do not.
func TestWork(t *testing.T) {
	for _, e := range ids {
		s, err := embedded(t, e.id).establish()
		require.NoError(t, err)
		for _, o := range operations {
			msg := []byte("a message")
			token, err := o.protect(s, nil, msg)
			require.NoError(t, err)
			token[len(token)-1] ^= 1
			_, err = o.check(s, nil, msg, token)
			require.ErrorIs(t, err, gssapi.ErrBadMIC)
			token[len(token)-1] ^= 1
			got, err := o.check(s, nil, msg, token)
			require.NoError(t, err)
			if o.make != "mic" {
				require.Equal(t, msg, got)
			}
		}
		require.NoError(t, s.close())
	}
}

func TestMedian(t *testing.T) {
	require.Equal(t, 2.0, median([]float64{3, 1, 2}))
	require.Equal(t, 2.5, median([]float64{4, 3, 1, 2}))
	require.True(t, math.IsNaN(median(nil)))
}

// The ratio is to the fastest of those who do an operation.
func TestTable(t *testing.T) {
	times := func(ns float64, without string) map[string][]float64 {
		m := make(map[string][]float64)
		for _, op := range rows() {
			if op != without {
				m[op] = []float64{ns}
			}
		}
		return m
	}
	var b bytes.Buffer
	full := table{"an enctype", []column{{"A", times(4000, "")}, {"B", times(3000, "wrap/64")}, {"Go", times(2000, "")}}}
	require.NoError(t, full.print(&b))
	lines := strings.Split(b.String(), "\n")
	require.Equal(t, "| an enctype         |           A |           B |          Go |     ratio |", lines[0])
	require.Contains(t, lines, "| accept/oneway      |     4.00 µs |     3.00 µs |     2.00 µs |      1.50 |")
	require.Contains(t, lines, "| wrap/64            |     4.00 µs |             |     2.00 µs |      2.00 |")
	require.Contains(t, lines, "| unwrap-iov/65536   |  16384 MB/s |  21845 MB/s |  32768 MB/s |      1.50 |")
	for i, l := range lines[:len(lines)-1] {
		require.Equal(t, len([]rune(lines[0])), len([]rune(l)), "line %d", i)
	}
	lacking := table{"an enctype", []column{{"A", times(1, "")}, {"Go", times(1, "mic/64")}}}
	require.Error(t, lacking.print(&b))
}
