package kdcnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestExchange(t *testing.T) {
	tooBig := krbError(krberr.KRBResponseTooBig)
	for _, tt := range []struct {
		name        string
		h           handlers
		libdefaults string
		tcp         bool
		udp, tcpN   int32 // requests seen
	}{
		{"UDP", handlers{udp: echoUDP, tcp: echoTCP}, "", false, 1, 0},
		{"TCP asked for", handlers{udp: echoUDP, tcp: echoTCP}, "", true, 0, 1},
		{"message above the limit", handlers{udp: echoUDP, tcp: echoTCP}, " udp_preference_limit = 10", false, 0, 1},
		{"message at the limit", handlers{udp: echoUDP, tcp: echoTCP}, " udp_preference_limit = 20", false, 1, 0},
		{"response too big", handlers{udp: func([]byte) [][]byte { return [][]byte{tooBig} }, tcp: echoTCP}, "", false, 1, 1},
		{"no UDP", handlers{noUDP: true, tcp: echoTCP}, "", false, 0, 1},
		{"no TCP for a big message", handlers{udp: echoUDP, noTCP: true}, " udp_preference_limit = 1", false, 1, 0},
		{"datagrams that are no replies", handlers{udp: func(req []byte) [][]byte {
			return [][]byte{{}, []byte("x"), bytes.Repeat([]byte{0xff}, 1000), echo(req)}
		}}, "", false, 1, 0},
		{"header in pieces", handlers{tcp: func(c net.Conn, req []byte) {
			for _, b := range frame(echo(req)) {
				_, _ = c.Write([]byte{b})
				time.Sleep(100 * time.Microsecond)
			}
		}}, "", true, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newFakeKDC(t, tt.h)
			before := runtime.NumGoroutine()
			r := request(t, tt.libdefaults, k.addr)
			r.TCP = tt.tcp
			var server string
			r.Answered = func(s string) { server = s }
			got, err := new(Network).Exchange(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, echo(message), got)
			require.Equal(t, k.addr, server)
			require.Equal(t, []int32{tt.udp, tt.tcpN}, []int32{k.udp.Load(), k.tcp.Load()})
			settled(t, before)
		})
	}
}

func TestExchangeNilNetwork(t *testing.T) {
	k := newFakeKDC(t, handlers{udp: echoUDP})
	got, err := (*Network)(nil).Exchange(t.Context(), request(t, "", k.addr))
	require.NoError(t, err)
	require.Equal(t, echo(message), got)
}

func TestExchangeLargest(t *testing.T) {
	want := append([]byte{0x6b}, bytes.Repeat([]byte{7}, 60000)...)
	k := newFakeKDC(t, handlers{udp: func([]byte) [][]byte { return [][]byte{want} }, tcp: writeTCP(frame(append(want, make([]byte, maxMessage-len(want))...)))})
	r := request(t, "", k.addr)
	got, err := new(Network).Exchange(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, want, got)
	r.TCP = true
	got, err = new(Network).Exchange(t.Context(), r)
	require.NoError(t, err)
	require.Len(t, got, maxMessage)
}

func TestExchangeBadFrames(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write []byte
		want  string
		is    error
	}{
		{"nothing", nil, "reply's length", io.EOF},
		{"half a length", []byte{0, 0}, "reply's length", io.ErrUnexpectedEOF},
		{"truncated", []byte{0, 0, 0, 9, 0x6b, 1, 2}, "after 3 of 9 bytes", io.ErrUnexpectedEOF},
		{"1 GiB", []byte{0x40, 0, 0, 0, 0x6b}, "reply of 1073741824 bytes", nil},
		{"reserved bit", []byte{0x80, 0, 0, 2, 0x6b, 0}, "reserved bit", nil},
		{"one more than allowed", []byte{0, 0x40, 0, 1, 0x6b}, "reply of 4194305 bytes", nil},
		{"empty", []byte{0, 0, 0, 0}, "not a Kerberos reply", errNotAReply},
		{"another protocol", frame([]byte("HTTP/1.1 400 Bad Request")), "not a Kerberos reply", errNotAReply},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newFakeKDC(t, handlers{tcp: writeTCP(tt.write)})
			before := runtime.NumGoroutine()
			r := request(t, "", k.addr)
			r.TCP = true
			_, err := new(Network).Exchange(t.Context(), r)
			require.ErrorIs(t, err, krberr.KDCUnreach)
			require.ErrorContains(t, err, tt.want)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			require.NotContains(t, err.Error(), "\n")
			settled(t, before)

			// A bad server does not keep a good one from being asked.
			good := newFakeKDC(t, handlers{tcp: echoTCP})
			r = request(t, "", k.addr, good.addr)
			r.TCP = true
			got, err := new(Network).Exchange(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, echo(message), got)
		})
	}
}

func TestFailover(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		dead1, dead2 := newFakeKDC(t, handlers{noUDP: true, noTCP: true}), newFakeKDC(t, handlers{noUDP: true, noTCP: true})
		live := newFakeKDC(t, handlers{udp: echoUDP})
		begin := time.Now()
		got, err := new(Network).Exchange(t.Context(), request(t, "", dead1.addr, dead2.addr, live.addr))
		require.NoError(t, err)
		require.Equal(t, echo(message), got)
		require.Less(t, time.Since(begin), 4*time.Second)
	})
	t.Run("silent", func(t *testing.T) {
		before := runtime.NumGoroutine()
		dead1, dead2 := newFakeKDC(t, handlers{}), newFakeKDC(t, handlers{})
		live := newFakeKDC(t, handlers{udp: echoUDP})
		begin := time.Now()
		var server string
		r := request(t, "", dead1.addr, dead2.addr, live.addr)
		r.Answered = func(s string) { server = s }
		got, err := new(Network).Exchange(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, echo(message), got)
		require.Less(t, 2*defaultStagger, 1500*time.Millisecond)
		require.Less(t, time.Since(begin), 4*time.Second) // a busy machine
		require.Equal(t, live.addr, server)

		// The second request of a login goes where the first was answered.
		r.Prefer = server
		seen := dead1.udp.Load() + dead2.udp.Load()
		_, err = new(Network).Exchange(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, seen, dead1.udp.Load()+dead2.udp.Load())
		for _, k := range []*fakeKDC{dead1, dead2, live} {
			k.close()
		}
		settled(t, before)
	})
	t.Run("the slow one still counts", func(t *testing.T) {
		slow := newFakeKDC(t, handlers{udp: func(req []byte) [][]byte {
			time.Sleep(150 * time.Millisecond)
			return echoUDP(req)
		}, noTCP: true})
		silent := newFakeKDC(t, handlers{noTCP: true})
		n := &Network{stagger: 20 * time.Millisecond}
		var server string
		r := request(t, "", slow.addr, silent.addr)
		r.Answered = func(s string) { server = s }
		_, err := n.Exchange(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, slow.addr, server)
		require.EqualValues(t, 1, silent.udp.Load())
	})
	t.Run("order kept", func(t *testing.T) {
		first, second := newFakeKDC(t, handlers{udp: echoUDP}), newFakeKDC(t, handlers{udp: echoUDP})
		for range 20 {
			_, err := new(Network).Exchange(t.Context(), request(t, "", first.addr, second.addr))
			require.NoError(t, err)
		}
		require.EqualValues(t, 20, first.udp.Load())
		require.Zero(t, second.udp.Load())
	})
	t.Run("service not available", func(t *testing.T) {
		reply := krbError(krberr.KDCSvcUnavailable)
		busy := newFakeKDC(t, handlers{udp: func([]byte) [][]byte { return [][]byte{reply} }, tcp: writeTCP(frame(reply))})
		live := newFakeKDC(t, handlers{udp: echoUDP})
		got, err := new(Network).Exchange(t.Context(), request(t, "", busy.addr, live.addr))
		require.NoError(t, err)
		require.Equal(t, echo(message), got)
		got, err = new(Network).Exchange(t.Context(), request(t, "", busy.addr))
		require.NoError(t, err)
		require.Equal(t, reply, got)
	})
	t.Run("lost datagram", func(t *testing.T) {
		var once sync.Once
		k := newFakeKDC(t, handlers{noTCP: true, udp: func(req []byte) [][]byte {
			replies := echoUDP(req)
			once.Do(func() { replies = nil })
			return replies
		}})
		n := &Network{resend: 30 * time.Millisecond}
		_, err := n.Exchange(t.Context(), request(t, "", k.addr))
		require.NoError(t, err)
		require.EqualValues(t, 2, k.udp.Load())
	})
	t.Run("all refused", func(t *testing.T) {
		dead := newFakeKDC(t, handlers{noUDP: true, noTCP: true})
		_, err := new(Network).Exchange(t.Context(), request(t, "", dead.addr))
		require.ErrorIs(t, err, krberr.KDCUnreach)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.ErrorContains(t, err, `realm "R"`)
		require.ErrorContains(t, err, "udp "+dead.addr)
		require.ErrorContains(t, err, "tcp "+dead.addr)
	})
	t.Run("response too big, and no TCP", func(t *testing.T) {
		k := newFakeKDC(t, handlers{noTCP: true, udp: func([]byte) [][]byte { return [][]byte{krbError(krberr.KRBResponseTooBig)} }})
		_, err := new(Network).Exchange(t.Context(), request(t, "", k.addr))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	})
}

func TestTimeout(t *testing.T) {
	k := newFakeKDC(t, handlers{})
	before := runtime.NumGoroutine()
	_, err := new(Network).Exchange(t.Context(), request(t, " request_timeout = 1", k.addr))
	require.ErrorIs(t, err, krberr.KDCUnreach)
	require.ErrorIs(t, err, errTimeout)
	require.NotErrorIs(t, err, context.DeadlineExceeded) // the caller's had none
	settled(t, before)
}

// TestCancel ends the context in each state an exchange can be in.
func TestCancel(t *testing.T) {
	stuck := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	half := func(c net.Conn, _ []byte) {
		_, _ = c.Write([]byte{0, 0, 0, 99, 0x6b})
		_, _ = c.Read(make([]byte, 1))
	}
	for _, tt := range []struct {
		name string
		h    handlers
		n    *Network
		tcp  bool
		big  bool
	}{
		{"dialing", handlers{}, &Network{Dial: stuck}, false, false},
		{"waiting for a datagram", handlers{}, &Network{}, false, false},
		{"sending again", handlers{}, &Network{resend: time.Millisecond}, false, false},
		{"writing a long request", handlers{tcp: func(c net.Conn, _ []byte) { time.Sleep(time.Millisecond) }}, &Network{}, true, true},
		{"waiting for a length", handlers{}, &Network{}, true, false},
		{"waiting for the rest", handlers{tcp: half}, &Network{}, true, false},
		{"several at once", handlers{tcp: half}, &Network{stagger: time.Millisecond}, false, false},
		{"too big, then silence", handlers{udp: func([]byte) [][]byte { return [][]byte{krbError(krberr.KRBResponseTooBig)} }}, &Network{}, false, false},
	} {
		for _, how := range []string{"cancel", "deadline"} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				k := newFakeKDC(t, tt.h)
				other := newFakeKDC(t, handlers{})
				before := runtime.NumGoroutine()
				ctx, cancel := context.WithCancel(t.Context())
				want := context.Canceled
				if how == "deadline" {
					cancel()
					ctx, cancel = context.WithTimeout(t.Context(), 30*time.Millisecond)
					want = context.DeadlineExceeded
				} else {
					time.AfterFunc(30*time.Millisecond, cancel)
				}
				defer cancel()
				r := request(t, "", k.addr, other.addr)
				r.TCP = tt.tcp
				if tt.big {
					// A peer that never reads: the socket's buffers fill up.
					ln, err := net.Listen("tcp", "127.0.0.1:0")
					require.NoError(t, err)
					defer func() { _ = ln.Close() }()
					r = request(t, "", ln.Addr().String())
					r.TCP, r.Message = true, make([]byte, maxMessage)
				}
				begin := time.Now()
				_, err := tt.n.Exchange(ctx, r)
				require.ErrorIs(t, err, want)
				require.ErrorIs(t, err, krberr.KDCUnreach)
				require.Less(t, time.Since(begin), 2*time.Second)
				settled(t, before+1) // +1: the context's own watcher may linger
			})
		}
	}
	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		k := newFakeKDC(t, handlers{udp: echoUDP})
		_, err := new(Network).Exchange(ctx, request(t, "", k.addr))
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, k.udp.Load())
	})
}

func TestDial(t *testing.T) {
	var mu sync.Mutex
	var dialed []string
	k := newFakeKDC(t, handlers{udp: echoUDP, tcp: echoTCP})
	n := &Network{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		dialed = append(dialed, network+" "+addr)
		mu.Unlock()
		if network == "udp" {
			return nil, errors.New("only TCP here")
		}
		var d net.Dialer
		return d.DialContext(ctx, network, k.addr)
	}}
	_, err := n.Exchange(t.Context(), request(t, "", "kdc.example.com", "tcp/other.example.com:750"))
	require.NoError(t, err)
	require.Equal(t, []string{"udp kdc.example.com:88", "tcp other.example.com:750"}, dialed)
}

func TestBadRequests(t *testing.T) {
	for _, size := range []int{0, maxMessage + 1} {
		r := request(t, "", "127.0.0.1:1")
		r.Message = make([]byte, size)
		_, err := new(Network).Exchange(t.Context(), r)
		require.ErrorIs(t, err, krberr.KRBFieldTooLong)
	}
	_, err := new(Network).Exchange(t.Context(), &Request{Message: message})
	require.ErrorIs(t, err, krberr.RealmUnknown)
}

func TestConcurrent(t *testing.T) {
	before := runtime.NumGoroutine()
	k := newFakeKDC(t, handlers{udp: echoUDP, tcp: echoTCP})
	dead := newFakeKDC(t, handlers{noUDP: true, noTCP: true})
	n := &Network{}
	r := request(t, "", dead.addr, k.addr)
	var wg sync.WaitGroup
	errs := make(chan error, 32)
	for range 32 {
		wg.Go(func() {
			got, err := n.Exchange(t.Context(), r)
			if err == nil && !bytes.Equal(got, echo(message)) {
				err = errors.New("another's reply")
			}
			errs <- err
		})
	}
	wg.Wait()
	for range 32 {
		require.NoError(t, <-errs)
	}
	k.close()
	dead.close()
	settled(t, before)
}

// TestPasswordReply: the password service has a frame of its own.
func TestPasswordReply(t *testing.T) {
	reply := []byte{0, 10, 0, 1, 0, 0, 1, 2, 3, 4}
	r := &Request{Service: Password}
	require.NoError(t, vet(r, reply))
	require.NoError(t, vet(r, krbError(krberr.KRBGeneric)))
	require.ErrorIs(t, vet(r, reply[:9]), errNotAReply)
	require.ErrorIs(t, vet(r, echo(message)), errNotAReply)
	require.ErrorIs(t, vet(&Request{}, reply), errNotAReply)
}

// A password service that is slow sees a request that was sent again as a
// replay, and says so before it has served the first.
func TestPasswordRepeated(t *testing.T) {
	done := []byte{0, 8, 0, 1, 0, 1, 'o', 'k'}
	inner := krbError(krberr.APRepeat)
	wrapped := append([]byte{0, byte(6 + len(inner)), 0, 1, 0, 0}, inner...)
	for _, repeat := range [][]byte{wrapped, inner} {
		n := 0
		k := newFakeKDC(t, handlers{
			udp: func([]byte) [][]byte {
				if n++; n == 1 {
					return nil
				}
				return [][]byte{repeat, done}
			},
			tcp: func(c net.Conn, _ []byte) { _, _ = c.Write(frame(repeat)) },
		})
		r := request(t, "")
		r.Service = Password
		var err error
		r.Config, err = conf.Parse("[realms]\n R = {\n kpasswd_server = " + k.addr + "\n }\n")
		require.NoError(t, err)
		got, err := (&Network{stagger: 10 * time.Millisecond, resend: 50 * time.Millisecond}).Exchange(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, done, got)

		// Where nothing better comes it is the answer.
		r.TCP = true
		got, err = new(Network).Exchange(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, repeat, got)
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 0x6b, 0})
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0, 0x40, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readFrame(bytes.NewReader(b))
		if err != nil {
			return
		}
		if !bytes.HasPrefix(b, frame(got)) {
			t.Fatalf("readFrame(%x) = %x", b, got)
		}
	})
}

func BenchmarkExchange(b *testing.B) {
	t := &testing.T{}
	k := newFakeKDC(t, handlers{udp: echoUDP, tcp: echoTCP})
	defer k.close()
	for _, network := range []string{"udp", "tcp"} {
		b.Run(network, func(b *testing.B) {
			r := request(b, "", strings.Join([]string{network, k.addr}, "/"))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := new(Network).Exchange(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
