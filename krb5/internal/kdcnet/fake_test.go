package kdcnet

import (
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

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// fakeKDC is a server on one loopback port, UDP and TCP. Without a handler it
// is silent: it takes what is sent and never answers.
type fakeKDC struct {
	addr     string
	udp, tcp atomic.Int32 // requests seen
	wg       sync.WaitGroup
	tcpLn    net.Listener
	udpConn  net.PacketConn
	mu       sync.Mutex
	conns    []net.Conn
}

type handlers struct {
	udp func(req []byte) [][]byte
	tcp func(conn net.Conn, req []byte)
	// noUDP and noTCP refuse connections.
	noUDP, noTCP bool
}

func newFakeKDC(t *testing.T, h handlers) *fakeKDC {
	t.Helper()
	k := &fakeKDC{}
	var err error
	for range 20 {
		k.tcpLn, err = net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		k.addr = k.tcpLn.Addr().String()
		if k.udpConn, err = net.ListenPacket("udp", k.addr); err == nil {
			break
		}
		_ = k.tcpLn.Close()
	}
	require.NoError(t, err)
	if h.noUDP {
		_ = k.udpConn.Close()
	} else {
		k.wg.Go(func() { k.serveUDP(h.udp) })
	}
	if h.noTCP {
		_ = k.tcpLn.Close()
	} else {
		k.wg.Go(func() { k.serveTCP(h.tcp) })
	}
	t.Cleanup(k.close)
	return k
}

func (k *fakeKDC) close() {
	_ = k.tcpLn.Close()
	_ = k.udpConn.Close()
	k.mu.Lock()
	for _, c := range k.conns {
		_ = c.Close()
	}
	k.mu.Unlock()
	k.wg.Wait()
}

func (k *fakeKDC) serveUDP(handle func([]byte) [][]byte) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := k.udpConn.ReadFrom(buf)
		if err != nil {
			return
		}
		k.udp.Add(1)
		if handle == nil {
			continue
		}
		for _, reply := range handle(buf[:n]) {
			_, _ = k.udpConn.WriteTo(reply, from)
		}
	}
}

func (k *fakeKDC) serveTCP(handle func(net.Conn, []byte)) {
	for {
		conn, err := k.tcpLn.Accept()
		if err != nil {
			return
		}
		k.mu.Lock()
		k.conns = append(k.conns, conn)
		k.mu.Unlock()
		k.wg.Go(func() {
			defer func() { _ = conn.Close() }()
			var head [4]byte
			if _, err := io.ReadFull(conn, head[:]); err != nil {
				return
			}
			req := make([]byte, binary.BigEndian.Uint32(head[:]))
			if _, err := io.ReadFull(conn, req); err != nil {
				return
			}
			k.tcp.Add(1)
			if handle == nil {
				_, _ = conn.Read(head[:]) // until the client has gone
				return
			}
			handle(conn, req)
		})
	}
}

func frame(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// echoUDP and echoTCP answer with a message that has the first byte of an
// AS-REP and the request in it.
func echo(req []byte) []byte            { return append([]byte{0x6b, 0x82}, req...) }
func echoUDP(req []byte) [][]byte       { return [][]byte{echo(req)} }
func echoTCP(conn net.Conn, req []byte) { _, _ = conn.Write(frame(echo(req))) }
func writeTCP(b []byte) func(net.Conn, []byte) {
	return func(c net.Conn, _ []byte) { _, _ = c.Write(b) }
}

func krbError(code krberr.Code) []byte {
	n, _ := code.RFC()
	e := wire.KRBError{STime: time.Unix(1e9, 0), Code: int32(n), Server: principal.TGS("R", "R")}
	return e.Append(nil)
}

var message = []byte("a request to the KDC")

func request(t testing.TB, libdefaults string, kdcs ...string) *Request {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "[libdefaults]\n dns_lookup_kdc = false\n%s\n[realms]\n R = {\n", libdefaults)
	for _, k := range kdcs {
		fmt.Fprintf(&b, "  kdc = %s\n", k)
	}
	b.WriteString(" }\n")
	cfg, err := conf.Parse(b.String())
	require.NoError(t, err)
	return &Request{Realm: "R", Message: message, Config: cfg}
}

// settled fails the test if goroutines are left over from what ran since
// before was counted.
func settled(t *testing.T, before int) {
	t.Helper()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
}
