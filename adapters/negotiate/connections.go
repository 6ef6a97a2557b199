package negotiate

import (
	"crypto/tls"
	"net"
	"sync"
	"weak"
)

// connections remembers on which connections servers have authenticated
// themselves. It does not keep a connection alive. The zero value is empty.
type connections struct {
	mu    sync.Mutex
	known map[connection]struct{}
	sweep int // look for dead ones when there are this many
}

// connection is a connection and the host that it was used for.
type connection struct {
	id   any // weak pointer
	host string
}

const minSweep = 64

// identify returns the identity of a connection, nil for one of a type that we
// cannot watch: servers are then asked to authenticate themselves each time.
func identify(c net.Conn) any {
	switch c := c.(type) {
	case *tls.Conn:
		return weak.Make(c)
	case *net.TCPConn:
		return weak.Make(c)
	case *net.UnixConn:
		return weak.Make(c)
	}
	return nil
}

func dead(id any) bool {
	switch p := id.(type) {
	case weak.Pointer[tls.Conn]:
		return p.Value() == nil
	case weak.Pointer[net.TCPConn]:
		return p.Value() == nil
	case weak.Pointer[net.UnixConn]:
		return p.Value() == nil
	}
	return true
}

func (s *connections) add(c net.Conn, host string) {
	id := identify(c)
	if id == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= max(s.sweep, minSweep) {
		for k := range s.known {
			if dead(k.id) {
				delete(s.known, k)
			}
		}
		s.sweep = 2 * len(s.known)
	}
	if s.known == nil {
		s.known = make(map[connection]struct{})
	}
	s.known[connection{id, host}] = struct{}{}
}

func (s *connections) has(c net.Conn, host string) bool {
	id := identify(c)
	if id == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.known[connection{id, host}]
	return ok
}
