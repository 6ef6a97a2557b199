package negotiate

import (
	"context"
	"crypto/x509"
	"net"
	"sync"
	"time"

	"github.com/gss-go/gssapi"
)

// maxHandshakeTime is how long a handshake may take.
const maxHandshakeTime = time.Minute

// serverConn is what a Server keeps of a connection: a handshake that is not
// over, and with ConnectionBound who is at the other end.
type serverConn struct {
	mu      sync.Mutex
	cert    *x509.Certificate // ours, nil if not known
	sc      *gssapi.SecContext
	legs    int
	began   time.Time
	peer    *Peer // with ConnectionBound
	expires time.Time
}

// connKey is the key of a connection's state in the context of its requests. Two
// Servers on one connection know nothing of each other.
type connKey struct{ s *Server }

// ConnContext is for http.Server.ConnContext. It makes room for what a Server
// has to know of a connection: a handshake of several requests, the certificate
// (see [Server.TLSConfig]), and the peer with ConnectionBound. Without it only
// handshakes of one request succeed, which is what Kerberos does.
func (s *Server) ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connKey{s}, new(serverConn))
}

// conn returns the state of a connection, nil without ConnContext.
func (s *Server) conn(ctx context.Context) *serverConn {
	c, _ := ctx.Value(connKey{s}).(*serverConn)
	return c
}

func (c *serverConn) setCertificate(cert *x509.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cert = cert
}

func (c *serverConn) certificate() *x509.Certificate {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cert
}

// pending takes the handshake in progress out of the connection, nil if there
// is none. Whoever does so finishes it, or puts it back.
func (c *serverConn) pending(now time.Time) (sc *gssapi.SecContext, legs int) {
	if c == nil {
		return nil, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	sc, legs = c.sc, c.legs
	c.sc, c.legs = nil, 0
	if sc != nil && now.Sub(c.began) > maxHandshakeTime {
		_ = sc.Close() // too late
		return nil, 0
	}
	return sc, legs
}

// keep puts a handshake in progress into the connection.
func (c *serverConn) keep(sc *gssapi.SecContext, legs int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sc != nil {
		_ = c.sc.Close()
	}
	if legs == 1 {
		c.began = now
	}
	c.sc, c.legs = sc, legs
}

// bound returns who the connection belongs to, nil if to nobody.
func (c *serverConn) bound(now time.Time) *Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.peer != nil && !c.expires.IsZero() && now.After(c.expires) {
		c.peer = nil
	}
	return c.peer
}

// bind gives the connection to a peer, or to nobody.
func (c *serverConn) bind(p *Peer, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peer, c.expires = p, expires
}
