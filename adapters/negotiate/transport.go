package negotiate

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/gss-go/gssapi"
)

// Transport is an http.RoundTripper that authenticates requests (RFC 4559). The
// zero value answers the challenges of servers with the default credential and
// requires them to authenticate themselves. Its fields must not be changed once
// it is used; it is then safe for concurrent use, and must not be copied.
//
// A request that cannot be authenticated is not an error: the server's response
// with status 401 is returned, and [Failure] tells the reason. With Preemptive it
// is an error, because there is no response yet.
//
// The token goes to the server of the request's URL and nowhere else: it is in
// no header that a redirect could copy. A request that has an Authorization field
// of its own, also from a user name in its URL, is passed on as it is.
//
// Where a challenge comes over HTTP/2, the answer goes over HTTP/1.1: the scheme
// authenticates connections for some servers, and these refuse HTTP/2. That takes
// a Base that is an *http.Transport.
//
// Servers that remember a connection, such as WinRM, do not authenticate
// themselves again on it. Their responses satisfy [Required] on a connection on
// which they have done so before.
//
// A proxy's challenge to a plain http request is answered if Base is an
// *http.Transport with that proxy. For https, see [Transport.ProxyConnectHeader].
// A proxy's own reply is verified if there is one, and not required.
type Transport struct {
	// Base sends requests; nil is http.DefaultTransport.
	Base http.RoundTripper
	// Cred is whose requests they are; nil is the default credential.
	Cred *gssapi.Cred
	// TargetName returns the name of the server that a request is for; nil is
	// HTTP@host with the host of its URL, which Kerberos may look up in DNS if
	// its configuration says so. For a proxy it is called with a CONNECT request
	// whose URL is the proxy's.
	TargetName func(*http.Request) (gssapi.Name, error)
	// Mutual is what is wanted from servers in return.
	Mutual Policy
	// NoBindings leaves out channel bindings, for servers behind something that
	// ends TLS for them and that they do not know the certificate of.
	NoBindings bool
	// Preemptive sends a token with every request, without waiting for a
	// challenge. It saves a request each time, and tells every server that is
	// asked who the user is.
	Preemptive bool
	// KeepErrorBody returns error responses of servers that did not authenticate
	// themselves as they are, where Required would leave only the status.
	KeepErrorBody bool
	// Delegate says which servers get the user's credential, to act in the user's
	// name everywhere; nil is none.
	Delegate func(*http.Request) bool
	// MaxBody is the size in bytes up to which a request's body without GetBody is
	// read into memory, in order to be sent again after a challenge; zero is
	// 1 MiB, and a negative one is no body. A larger body is an error once it is
	// challenged, unless "Expect: 100-continue" kept it from being sent. With
	// Preemptive no body is read into memory.
	MaxBody int64
	// Registry has the mechanisms; nil is the default one. It counts only without
	// Cred. SPNEGO is used if it is there, or else the first mechanism: a registry
	// with Kerberos alone makes a client that does not negotiate.
	Registry *gssapi.Registry
	// Logger gets debug records; nil logs nothing.
	Logger *slog.Logger

	plain   atomic.Pointer[http.Transport] // Base over HTTP/1.1, once it was needed
	proven  connections
	pending connects
}

var discard = slog.New(slog.DiscardHandler)

func (t *Transport) log() *slog.Logger {
	if t.Logger == nil {
		return discard
	}
	return t.Logger
}

// base returns what sends requests.
func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

// baseHTTP1 returns a Base that speaks HTTP/1.1 only, nil if there can be none.
func (t *Transport) baseHTTP1() *http.Transport {
	if c := t.plain.Load(); c != nil {
		return c
	}
	base, ok := t.base().(*http.Transport)
	if !ok {
		return nil
	}
	c := base.Clone()
	c.ForceAttemptHTTP2 = false
	c.TLSNextProto = make(map[string]func(string, *tls.Conn) http.RoundTripper)
	c.Protocols = new(http.Protocols)
	c.Protocols.SetHTTP1(true)
	if c.TLSClientConfig != nil {
		c.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	if !t.plain.CompareAndSwap(nil, c) {
		return t.plain.Load()
	}
	return c
}

// CloseIdleConnections closes the connections that are not in use, as
// http.Client.CloseIdleConnections wants it.
func (t *Transport) CloseIdleConnections() {
	type closer interface{ CloseIdleConnections() }
	if c, ok := t.base().(closer); ok {
		c.CloseIdleConnections()
	}
	if c := t.plain.Load(); c != nil {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements [http.RoundTripper]. The request is not changed. It may
// be sent several times, once for each token: at most two handshakes of a few
// tokens each, whatever the server says.
//
// Errors are those of Base, [ErrMutualAuth], what kept a preemptive token from
// being made, a body that would have to be sent a second time and cannot, and
// the end of the request's context.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.Header == nil || req.Header.Get(server.answer) != "" {
		return t.base().RoundTrip(req)
	}
	limit := t.MaxBody
	switch {
	case t.Preemptive:
		limit = -1
	case limit == 0:
		limit = defaultMaxBody
	}
	b, err := newBody(req, limit)
	if err != nil {
		return nil, err
	}
	x := &exchange{t: t, req: req, body: b}
	defer x.close()
	return x.run()
}

type failureKey struct{}

// Failure returns why a response of status 401 or 407 was not answered, or its
// answer not accepted, as far as this side knows: nil if the response did not come
// through a Transport, or asked for another scheme.
func Failure(r *http.Response) error {
	if r == nil || r.Request == nil {
		return nil
	}
	err, _ := r.Request.Context().Value(failureKey{}).(error)
	return err
}

func withFailure(req *http.Request, err error) *http.Request {
	return req.WithContext(context.WithValue(req.Context(), failureKey{}, err))
}
