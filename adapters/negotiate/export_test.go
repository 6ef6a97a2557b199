package negotiate

import (
	"net"
	"time"

	"github.com/gss-go/gssapi"
)

// For the tests of package negotiate_test.

var (
	FindChallenge   = findChallenge
	FindCredentials = findCredentials
	Encode          = encode
	RealmOf         = realmOf
)

// PendingConnects returns how many tunnels a Transport waits for.
func PendingConnects(t *Transport) int {
	t.pending.mu.Lock()
	defer t.pending.mu.Unlock()
	return len(t.pending.waiting)
}

// Connections is the set of connections.
type Connections = connections

// Add, Has and Len are the set's methods.
func (s *connections) Add(c net.Conn, host string)      { s.add(c, host) }
func (s *connections) Has(c net.Conn, host string) bool { return s.has(c, host) }
func (s *connections) Len() int                         { return len(s.known) }

// ServerConn is what a Server keeps of a connection.
type ServerConn = serverConn

// Keep and Pending are the connection's methods.
func (c *serverConn) Keep(sc *gssapi.SecContext, legs int, now time.Time) { c.keep(sc, legs, now) }
func (c *serverConn) Pending(now time.Time) (*gssapi.SecContext, int)     { return c.pending(now) }
