package krb5_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/testenv"
)

// front stands before a KDC on a loopback port, UDP and TCP.
type front struct {
	addr string
	// udp and tcp answer a request: with datagrams, with what goes over the
	// connection. nil is silence.
	udp func(request []byte) [][]byte
	tcp func(request []byte) []byte
}

func newFront(t *testing.T, f *front) *front {
	t.Helper()
	var l net.Listener
	var p net.PacketConn
	var err error
	for range 20 {
		l, err = net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		f.addr = l.Addr().String()
		if p, err = net.ListenPacket("udp", f.addr); err == nil {
			break
		}
		_ = l.Close()
	}
	require.NoError(t, err)
	var serving sync.WaitGroup
	closed := make(chan struct{})
	serving.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, from, err := p.ReadFrom(buf)
			if err != nil {
				return
			}
			if f.udp != nil {
				for _, b := range f.udp(buf[:n]) {
					_, _ = p.WriteTo(b, from)
				}
			}
		}
	})
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = c.Close() }()
				var head [4]byte
				if _, err := io.ReadFull(c, head[:]); err != nil {
					return
				}
				request := make([]byte, binary.BigEndian.Uint32(head[:]))
				if _, err := io.ReadFull(c, request); err != nil {
					return
				}
				if f.tcp == nil {
					select {
					case <-closed:
					case <-gone(c):
					}
					return
				}
				_, _ = c.Write(f.tcp(request))
			})
		}
	})
	t.Cleanup(func() {
		close(closed)
		_, _ = p.Close(), l.Close()
		serving.Wait()
	})
	return f
}

// gone is closed when the other side has closed the connection.
func gone(c net.Conn) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = c.Read(make([]byte, 1))
	}()
	return done
}

// before returns a mechanism whose krb5.conf names the addresses as the KDCs of
// the realm.
func before(lines string, addrs ...string) *krb5.Mechanism {
	text := "[libdefaults]\n default_realm = " + realm + "\n dns_lookup_kdc = false\n" + lines + "\n[realms]\n " + realm + " = {\n"
	for _, a := range addrs {
		text += "  kdc = " + a + "\n"
	}
	return krb5.New(&krb5.Config{ConfigText: text + " }\n", Getenv: func(string) string { return "" }})
}

func listening(t *testing.T) *testenv.KDC {
	t.Helper()
	k := testenv.NewKDC(&testenv.Options{Realm: realm})
	t.Cleanup(k.Close)
	k.AddUser("alice", password)
	k.AddUser("bob", "another password")
	return k
}

// ask is the answer of the embedded KDC over UDP.
func ask(t *testing.T, k *testenv.KDC, request []byte) []byte {
	reply, err := k.Exchange(context.Background(), &krb5.Request{Realm: realm, Message: request})
	if err != nil {
		t.Error(err)
	}
	return reply
}

func framed(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

func byPassword() *krb5.LoginOptions { return &krb5.LoginOptions{Password: secretOf(password)} }

// Two KDCs that are dead, whichever way, before one that lives: with defaults a
// login takes about a second. The bound is for machines that are busy.
func TestLoginDeadKDCs(t *testing.T) {
	k := listening(t)
	closed := newClosed(t)
	silent := [2]*front{newFront(t, &front{}), newFront(t, &front{})}
	for name, dead := range map[string][2]string{
		"silent": {silent[0].addr, silent[1].addr},
		"closed": {closed, closed},
		"mixed":  {silent[0].addr, closed},
	} {
		for _, limit := range []string{"", " udp_preference_limit = 1"} {
			t.Run(name+limit, func(t *testing.T) {
				begin := time.Now()
				_, err := before(limit, dead[0], dead[1], k.Addr()).Login(ctx, "alice", byPassword())
				require.NoError(t, err)
				require.Less(t, time.Since(begin), 10*time.Second)
			})
		}
	}
}

// newClosed returns an address where nothing listens.
func newClosed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// A KDC that answers twice, late, or with rubbish besides.
func TestLoginOddReplies(t *testing.T) {
	k := listening(t)
	for name, f := range map[string]*front{
		"twice":           {udp: func(r []byte) [][]byte { a := ask(t, k, r); return [][]byte{a, a} }},
		"late":            {udp: func(r []byte) [][]byte { time.Sleep(300 * time.Millisecond); return [][]byte{ask(t, k, r)} }},
		"after rubbish":   {udp: func(r []byte) [][]byte { return [][]byte{{}, []byte("rubbish"), ask(t, k, r)} }},
		"over TCP alone":  {tcp: func(r []byte) []byte { return framed(ask(t, k, r)) }},
		"TCP with a tail": {tcp: func(r []byte) []byte { return append(framed(ask(t, k, r)), "tail"...) }},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := before("", newFront(t, f).addr).Login(ctx, "alice", byPassword())
			require.NoError(t, err)
		})
	}
}

// Replies to others and earlier replies are no replies.
func TestLoginForeignReplies(t *testing.T) {
	k := listening(t)
	var first []byte // the first AS-REP that went by
	f := newFront(t, &front{udp: func(r []byte) [][]byte {
		a := ask(t, k, r)
		if len(a) > 0 && a[0] == 0x6b {
			if first == nil {
				first = a
			}
			a = first
		}
		return [][]byte{a}
	}})
	m := before("", f.addr)
	_, err := m.Login(ctx, "alice", byPassword())
	require.NoError(t, err)
	_, err = m.Login(ctx, "alice", byPassword())
	require.ErrorIs(t, err, krberr.KDCRepModified, "the nonce")
	_, err = m.Login(ctx, "bob", &krb5.LoginOptions{Password: secretOf("another password")})
	require.ErrorIs(t, err, krb5.ErrAPBadIntegrity, "another client's reply")
}

// Broken frames over TCP: the search goes on, and the next KDC serves.
func TestLoginBrokenFrames(t *testing.T) {
	k := listening(t)
	for name, reply := range map[string]func(good []byte) []byte{
		"a length of 1 GiB": func(good []byte) []byte { return append([]byte{0x40, 0, 0, 0}, good...) },
		"the reserved bit":  func(good []byte) []byte { return append([]byte{0xc0, 0, 0, 0}, good...) },
		"truncated":         func(good []byte) []byte { return framed(good)[:len(good)/2] },
		"half a length":     func([]byte) []byte { return []byte{0, 0} },
		"nothing":           func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			was := memory.TotalAlloc
			bad := newFront(t, &front{tcp: func(r []byte) []byte { return reply(ask(t, k, r)) }})
			begin := time.Now()
			_, err := before(" udp_preference_limit = 1", "tcp/"+bad.addr).Login(ctx, "alice", byPassword())
			require.ErrorIs(t, err, krb5.ErrKDCUnreach)
			_, err = before(" udp_preference_limit = 1", bad.addr, k.Addr()).Login(ctx, "alice", byPassword())
			require.NoError(t, err)
			require.Less(t, time.Since(begin), 10*time.Second)
			runtime.ReadMemStats(&memory)
			require.Less(t, memory.TotalAlloc-was, uint64(64<<20))
		})
	}
}

// Cancellation ends a login in whichever exchange it is.
func TestLoginCancel(t *testing.T) {
	k := listening(t)
	for n := range int32(2) {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(fmt.Sprint(network, n), func(t *testing.T) {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				var seen atomic.Int32
				stalled := make(chan struct{})
				answer := func(r []byte) []byte {
					if seen.Add(1) == n+1 {
						close(stalled)
					}
					if seen.Load() > n {
						return nil
					}
					return ask(t, k, r)
				}
				f := newFront(t, &front{
					udp: func(r []byte) [][]byte {
						if a := answer(r); a != nil {
							return [][]byte{a}
						}
						return nil
					},
					tcp: func(r []byte) []byte {
						if a := answer(r); a != nil {
							return framed(a)
						}
						time.Sleep(300 * time.Millisecond) // or cancelled before
						return nil
					},
				})
				go func() {
					<-stalled
					time.Sleep(20 * time.Millisecond)
					cancel()
				}()
				begin := time.Now()
				_, err := before("", network+"/"+f.addr).Login(ctx, "alice", byPassword())
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, krb5.ErrKDCUnreach)
				require.Less(t, time.Since(begin), time.Second)
			})
		}
	}
}

// A thousand users at once, each over sockets of their own. Afterwards nothing
// of it is left.
func TestLoginThousand(t *testing.T) {
	k := listening(t)
	kt := parseKeytab(t, k.UserKeytab("alice"))
	m := before("", k.Addr())
	goroutines := runtime.NumGoroutine()
	var logins sync.WaitGroup
	var failed atomic.Value
	start := make(chan struct{})
	for range 1000 {
		logins.Go(func() {
			<-start
			if _, err := m.Login(ctx, "alice", &krb5.LoginOptions{Keytab: kt}); err != nil {
				failed.Store(err)
			}
		})
	}
	begin := time.Now()
	close(start)
	logins.Wait()
	require.Nil(t, failed.Load())
	require.Less(t, time.Since(begin), 30*time.Second)
	t.Logf("%v for each login", time.Since(begin)/1000)
	for range 100 {
		if runtime.NumGoroutine() <= goroutines+5 { // the KDC's own come and go
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	require.False(t, strings.Contains(string(buf[:runtime.Stack(buf, true)]), "kdcnet."), "goroutines are left over")
}

func BenchmarkLoginParallel(b *testing.B) {
	k := testenv.NewKDC(&testenv.Options{Realm: realm})
	defer k.Close()
	k.AddUser("alice", password)
	kt := parseKeytab(b, k.UserKeytab("alice"))
	m := before("", k.Addr())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := m.Login(ctx, "alice", &krb5.LoginOptions{Keytab: kt}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
