package negotiate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gss-go/gssapi"
)

// BindingPolicy says what a server wants to know of the TLS connection that a
// client authenticates for.
type BindingPolicy uint8

const (
	// BindWhenSent refuses a client that binds its authentication to another TLS
	// connection than this, and admits one that binds it to none. It has an
	// effect if the server's certificate is known; see [Server.TLSConfig].
	BindWhenSent BindingPolicy = iota
	// BindRequired admits only clients that bind their authentication to this
	// TLS connection.
	BindRequired
	// BindNever does not look, for a server behind something that ends TLS.
	BindNever
)

// String returns the policy in words.
func (p BindingPolicy) String() string {
	switch p {
	case BindWhenSent:
		return "when sent"
	case BindRequired:
		return "required"
	case BindNever:
		return "never"
	}
	return "unknown policy"
}

// ErrChallenge is why a request without a token is refused: that is how every
// client begins.
var ErrChallenge = errors.New("negotiate: authentication is required")

// Error is why a [Server] refuses a request.
type Error struct {
	// Status is the status of the response: 401 for a request to authenticate,
	// or to go on with it, 403 for a client that is not welcome, 400 and 431 for
	// malformed requests, 505 for HTTP/2 with ConnectionBound, 500 for a server
	// that cannot do its work.
	Status int
	// Err is the reason, for the server's log and not for the client.
	Err error
}

// Error returns the reason.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Server authenticates the clients of HTTP handlers (RFC 4559). The zero value
// accepts any client that has a ticket for this machine's HTTP service. Its fields
// must not be changed once it is used; it is then safe for concurrent use, and
// must not be copied.
//
// Every request authenticates itself; nothing is remembered from one to the
// next, but for ConnectionBound and handshakes that take several requests. To
// have one token suffice for a session, issue a cookie in the handler.
//
// Clients that authenticate are not thereby allowed anything: that is for the
// handler to decide, by [Peer].
type Server struct {
	// Cred has the keys to accept with; nil is the service HTTP of the default
	// credential, on any host name that it has keys for. A credential for all
	// services also admits tickets for others, such as host.
	Cred *gssapi.Cred
	// Bindings says whether clients must be at the other end of this TLS
	// connection. It takes [Server.TLSConfig] and [Server.ConnContext].
	Bindings BindingPolicy
	// ConnectionBound remembers the client for as long as the connection lasts,
	// as WinRM does and some old clients expect. It takes [Server.ConnContext],
	// and refuses HTTP/2 and requests that come through a proxy, because their
	// connections are not one client's. A proxy that adds none of Via, Forwarded
	// and X-Forwarded-For cannot be told from a client: behind one, this would
	// give one client's requests the name of another.
	ConnectionBound bool
	// Realms are the Kerberos realms that clients may come from; nil is all that
	// the KDC trusts, and an empty list none. They are compared exactly.
	Realms []string
	// MaxLegs bounds the requests of one handshake; zero is 8.
	MaxLegs int
	// OnError answers a request that is refused, challenges included, with the
	// headers set that the protocol needs; nil writes the status and no body.
	// The error is an [*Error].
	OnError func(http.ResponseWriter, *http.Request, error)
	// Registry has the mechanisms; nil is the default one. It counts only without
	// Cred.
	Registry *gssapi.Registry
	// Logger gets a debug record for each client, an info record for each that is
	// refused, and an error record when the server is to blame; nil logs nothing.
	Logger *slog.Logger

	mu  sync.Mutex
	own *gssapi.Cred // the default credential, once it was found
}

var (
	errNoConn     = errors.New("negotiate: the http.Server has no ConnContext of this Server")
	errConnHTTP2  = errors.New("negotiate: a connection of HTTP/2 has no single client: HTTP/1.1 is needed")
	errConnProxy  = errors.New("negotiate: the request came through a proxy, whose connection has no single client")
	errNoCert     = errors.New("negotiate: channel bindings are required, and the certificate of the connection is not known: see Server.TLSConfig")
	errNoTLS      = errors.New("negotiate: channel bindings are required, and the connection has no TLS")
	errRealm      = errors.New("negotiate: the client is of a realm that is not allowed")
	errServerLegs = errors.New("negotiate: the handshake does not come to an end")
	errServerLeg  = errors.New("negotiate: the handshake takes several requests, and this connection cannot tell which belong together")
)

func (s *Server) log() *slog.Logger {
	if s.Logger == nil {
		return discard
	}
	return s.Logger
}

// Handler returns a handler that passes authenticated requests on to next, with
// the client in their context; see [PeerFrom]. Others do not reach it.
func (s *Server) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := s.authenticate(w.Header(), r)
		if err == nil {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), peerKey{}, peer)))
			return
		}
		ctx := r.Context()
		switch {
		case err.Status >= 500:
			s.log().ErrorContext(ctx, "cannot authenticate", "remote", r.RemoteAddr, "error", err.Err)
		case err.Err == ErrChallenge:
			s.log().DebugContext(ctx, "challenge", "remote", r.RemoteAddr)
		default:
			s.log().InfoContext(ctx, "refused", "remote", r.RemoteAddr, "status", err.Status, "error", err.Err)
		}
		if s.OnError != nil {
			s.OnError(w, r, err)
			return
		}
		w.WriteHeader(err.Status)
	})
}

// authenticate returns the client of a request, and sets what its response's
// header needs.
func (s *Server) authenticate(header http.Header, r *http.Request) (*Peer, *Error) {
	now := time.Now()
	conn := s.conn(r.Context())
	if s.ConnectionBound {
		if err := s.checkConnection(conn, r); err != nil {
			return nil, err
		}
	}
	// Taking it out first means that every request which does not continue the
	// handshake ends it.
	sc, legs := conn.pending(now)
	token, err := findCredentials(r.Header["Authorization"])
	if err != nil {
		_ = sc.Close()
		if errors.Is(err, errFieldSize) {
			return nil, &Error{http.StatusRequestHeaderFieldsTooLarge, err}
		}
		return nil, &Error{http.StatusBadRequest, fmt.Errorf("negotiate: Authorization: %w", err)}
	}
	if token == nil {
		_ = sc.Close()
		if s.ConnectionBound && len(r.Header["Authorization"]) == 0 {
			if p := conn.bound(now); p != nil {
				return p, nil
			}
		}
		header.Add("WWW-Authenticate", schemeNegotiate)
		return nil, &Error{http.StatusUnauthorized, ErrChallenge}
	}
	if s.ConnectionBound {
		conn.bind(nil, time.Time{}) // whoever it was
	}
	h := &legsOf{s: s, conn: conn, r: r, header: header, sc: sc, legs: legs}
	defer h.close()
	return h.step(token, now)
}

// checkConnection refuses requests whose connection is not one client's.
func (s *Server) checkConnection(conn *serverConn, r *http.Request) *Error {
	switch {
	case conn == nil:
		return &Error{http.StatusInternalServerError, errNoConn}
	case r.ProtoMajor > 1:
		return &Error{http.StatusHTTPVersionNotSupported, errConnHTTP2}
	}
	for _, name := range []string{"Via", "Forwarded", "X-Forwarded-For"} {
		if len(r.Header[name]) > 0 {
			return &Error{http.StatusForbidden, errConnProxy}
		}
	}
	return nil
}

// legsOf is the acceptor's side of a handshake, during one request.
type legsOf struct {
	s      *Server
	conn   *serverConn
	r      *http.Request
	header http.Header
	sc     *gssapi.SecContext // nil before the first token
	legs   int
}

// close ends the context, unless it was kept for the next request.
func (h *legsOf) close() { _ = h.sc.Close() }

func (h *legsOf) step(token []byte, now time.Time) (*Peer, *Error) {
	ctx := h.r.Context()
	var out []byte
	var more bool
	err := error(gssapi.ErrDefectiveToken)
	if h.sc != nil {
		out, more, err = h.sc.Step(ctx, token)
	}
	if h.sc == nil || errors.Is(err, gssapi.ErrDefectiveToken) && h.legs > 0 {
		// A first token, perhaps from a client that starts over.
		_ = h.sc.Close()
		h.legs = 0
		var failed *Error
		if h.sc, failed = h.s.accept(h.conn, h.r); failed != nil {
			return nil, failed
		}
		out, more, err = h.sc.Step(ctx, token)
	}
	h.legs++
	switch {
	case err != nil:
		return nil, h.refuse(err)
	case more:
		return nil, h.next(out, now)
	}
	peer := &Peer{Name: h.sc.Peer(), Flags: h.sc.Info().Flags, Mech: h.sc.Info().Mech, Delegated: h.sc.Delegated()}
	// Also with what follows: the client is who it says.
	if len(out) > 0 {
		h.header.Add("WWW-Authenticate", encode(schemeNegotiate, out))
	}
	if h.s.Bindings == BindRequired && !peer.Flags.Has(gssapi.FlagChannelBound) {
		return nil, &Error{http.StatusForbidden, gssapi.ErrBadBindings}
	}
	if h.s.Realms != nil && !inRealm(peer.Name, h.s.Realms) {
		return nil, &Error{http.StatusForbidden, fmt.Errorf("%w: %s", errRealm, peer.Name)}
	}
	if h.s.ConnectionBound {
		h.conn.bind(peer, h.sc.Expires())
		h.header.Set("Persistent-Auth", "true") // MS-N2HT §2.2.2
	}
	h.s.log().DebugContext(ctx, "authenticated", "name", peer.Name.String(), "mech", peer.Mech.String(), "flags", peer.Flags.String(), "legs", h.legs)
	return peer, nil
}

// accept makes the context for a first token.
func (s *Server) accept(conn *serverConn, r *http.Request) (*gssapi.SecContext, *Error) {
	cred, err := s.credential(r.Context())
	if err != nil {
		return nil, &Error{http.StatusInternalServerError, err}
	}
	o := gssapi.AcceptOptions{Cred: cred}
	if s.Bindings != BindNever {
		if r.TLS != nil {
			o.Bindings = endPoint(r.Context(), s.log(), conn.certificate())
			o.BindingsOptional = s.Bindings == BindWhenSent
		}
		switch {
		case s.Bindings != BindRequired || o.Bindings != nil:
		case r.TLS == nil:
			return nil, &Error{http.StatusForbidden, errNoTLS}
		default:
			return nil, &Error{http.StatusInternalServerError, errNoCert}
		}
	}
	sc, err := gssapi.AcceptContext(&o)
	if err != nil {
		return nil, &Error{http.StatusInternalServerError, err}
	}
	return sc, nil
}

// credential returns what to accept with.
func (s *Server) credential(ctx context.Context) (*gssapi.Cred, error) {
	if s.Cred != nil {
		return s.Cred, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own == nil {
		c, err := gssapi.AcquireCred(ctx, gssapi.HostBased("HTTP", ""), gssapi.UsageAccept, &gssapi.CredOptions{Registry: s.Registry})
		if err != nil {
			return nil, err
		}
		s.own = c
	}
	return s.own, nil
}

// next asks for the next token.
func (h *legsOf) next(out []byte, now time.Time) *Error {
	limit := h.s.MaxLegs
	if limit <= 0 {
		limit = maxLegs
	}
	switch {
	case h.conn == nil || h.r.ProtoMajor > 1:
		h.header.Add("WWW-Authenticate", schemeNegotiate)
		return &Error{http.StatusUnauthorized, errServerLeg}
	case h.legs >= limit:
		h.header.Add("WWW-Authenticate", schemeNegotiate)
		return &Error{http.StatusUnauthorized, errServerLegs}
	}
	h.header.Add("WWW-Authenticate", encode(schemeNegotiate, out))
	h.conn.keep(h.sc, h.legs, now)
	h.sc = nil
	return &Error{http.StatusUnauthorized, ErrChallenge}
}

// refuse says no, in the mechanism's words if it has any.
func (h *legsOf) refuse(err error) *Error {
	var e *gssapi.Error
	var token []byte
	if errors.As(err, &e) {
		token = e.Token
	}
	h.header.Add("WWW-Authenticate", encode(schemeNegotiate, token))
	return &Error{http.StatusUnauthorized, err}
}
