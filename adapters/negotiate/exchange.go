package negotiate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"

	"github.com/gss-go/gssapi"
)

// maxHandshakes bounds the handshakes with a server for one request.
const maxHandshakes = 3

var errMoved = errors.New("negotiate: connections are lost in the middle of the handshake")

// maxDrain is how many bytes of a challenge's body are read to keep the
// connection.
const maxDrain = 256 << 10

// exchange is one RoundTrip: a request, sent as often as its authentication
// takes.
type exchange struct {
	t      *Transport
	req    *http.Request
	body   *body
	server *handshake // in progress, or over; nil if there is none
	proxy  *handshake
	begun  int  // handshakes with the server
	http1  bool // send over HTTP/1.1
	early  bool // make the token when the connection is there
	via    *url.URL

	mu   sync.Mutex // Base calls traces from where it likes
	conn net.Conn   // of the request sent last, nil if not known
}

func (x *exchange) close() {
	x.body.close()
	x.server.close()
	x.proxy.close()
}

func (x *exchange) run() (*http.Response, error) {
	if err := x.prepare(); err != nil {
		return nil, err
	}
	for {
		resp, err := x.send()
		if err != nil {
			if x.wantsHTTP1(err) {
				continue
			}
			return nil, err
		}
		again, err := x.answer(resp)
		ctx := x.req.Context()
		switch {
		case err != nil && (ctx.Err() != nil || errors.Is(err, errHTTP2) || errors.Is(err, errBody)):
			_ = resp.Body.Close() // the error says more
			return nil, err
		case err != nil:
			x.t.log().InfoContext(ctx, "not authenticated", "url", x.req.URL.Redacted(), "status", resp.StatusCode, "error", err)
			resp.Request = withFailure(x.req, err)
			return resp, nil
		case !again:
			resp.Request = x.req
			return x.finish(resp)
		}
		if resp.StatusCode != proxy.status && x.proxy != nil {
			// The proxy has taken its token, and takes no token twice.
			if err := x.renewProxy(resp); err != nil {
				_ = resp.Body.Close()
				return nil, err
			}
		}
		// With the body read to its end the connection can take the next leg.
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
		_ = resp.Body.Close()
	}
}

// wantsHTTP1 reports whether a request failed because it was sent over HTTP/2,
// and is worth being sent over HTTP/1.1 (RFC 9113 §7, HTTP_1_1_REQUIRED).
func (x *exchange) wantsHTTP1(err error) bool {
	if x.http1 || !strings.Contains(err.Error(), "HTTP_1_1_REQUIRED") || !x.body.repeatable() || x.t.baseHTTP1() == nil {
		return false
	}
	x.http1 = true
	return true
}

// prepare makes the preemptive token.
func (x *exchange) prepare() error {
	x.via = x.t.proxyFor(x.req)
	if !x.t.Preemptive {
		return nil
	}
	if x.req.URL.Scheme == "https" {
		x.http1 = x.t.baseHTTP1() != nil
		if !x.t.NoBindings {
			x.early = true // the token is bound to a connection that is not there yet
			return nil
		}
	}
	return x.begin(schemeNegotiate, nil)
}

// begin starts a handshake with the server.
func (x *exchange) begin(scheme string, cs *tls.ConnectionState) error {
	x.server.close()
	x.server = nil
	ctx := x.req.Context()
	var bindings *gssapi.ChannelBindings
	if !x.t.NoBindings {
		bindings = endPoint(ctx, x.t.log(), peerCertificate(cs))
	}
	h, err := x.t.begin(ctx, server, scheme, x.req, bindings)
	if err != nil {
		return err
	}
	x.server = h
	x.begun++
	return nil
}

// send sends the request with the tokens that there are.
func (x *exchange) send() (*http.Response, error) {
	ctx, cancel := x.req.Context(), func(error) {}
	if x.early || x.server != nil && x.server.legs > 1 {
		ctx, cancel = context.WithCancelCause(ctx) // the connection may turn out to be of no use
	}
	var r *http.Request
	r = x.req.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			if err := x.connected(r.Header, i.Conn); err != nil {
				cancel(err)
			}
		},
	}))
	if err := x.body.attach(r); err != nil {
		cancel(nil)
		return nil, err
	}
	for _, h := range []*handshake{x.server, x.proxy} {
		if h != nil && len(h.token) > 0 {
			h.set(r.Header)
		}
	}
	x.setConn(nil)
	base := x.t.base()
	if x.http1 {
		base = x.t.baseHTTP1()
	}
	resp, err := base.RoundTrip(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && x.req.Context().Err() == nil {
			err = cause
		}
		cancel(nil)
		if x.http1 && strings.Contains(err.Error(), "no application protocol") {
			err = fmt.Errorf("%w: %w", errNoHTTP1, err)
		}
		return nil, err
	}
	if ctx != x.req.Context() {
		// The context has to last for as long as the response's body does.
		resp.Body = bodyWithCancel(resp.Body, func() { cancel(nil) })
	}
	return resp, nil
}

func (x *exchange) setConn(c net.Conn) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.conn = c
}

func (x *exchange) lastConn() net.Conn {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.conn
}

// connected is called when the request is about to be written to a connection.
func (x *exchange) connected(header http.Header, c net.Conn) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.conn = c
	h := x.server
	moved := h != nil && h.legs > 1 && h.conn != nil && h.conn != c
	if x.early || moved {
		if moved && x.begun >= maxHandshakes {
			return errMoved
		}
		var cs *tls.ConnectionState
		if s, ok := c.(interface{ ConnectionState() tls.ConnectionState }); ok {
			state := s.ConnectionState()
			cs = &state
		}
		scheme := schemeNegotiate
		if moved {
			scheme = h.scheme
		} else {
			x.begun = 0 // Base tries again when a connection was dead
		}
		if err := x.begin(scheme, cs); err != nil {
			return err
		}
		h = x.server
		h.set(header)
	}
	if h != nil {
		h.conn = c
	}
	return nil
}

// answer says whether the request is to be sent again, with what the response
// demands. The error is why a challenge was not answered.
func (x *exchange) answer(resp *http.Response) (again bool, err error) {
	x.early = false
	switch {
	case resp.StatusCode == proxy.status && x.via != nil:
		return x.answerProxy(resp)
	case resp.StatusCode == server.status:
		return x.answerServer(resp)
	}
	return false, nil
}

func (x *exchange) answerServer(resp *http.Response) (bool, error) {
	values := resp.Header[server.challenge]
	scheme := schemeNegotiate
	token, found, err := findChallenge(values, scheme)
	if err == nil && !found {
		scheme = schemeKerberos
		token, found, err = findChallenge(values, scheme)
	}
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: %w", errMalformed, err)
	case !found && x.server == nil:
		return false, nil // another scheme's
	case !found:
		return false, errRefused
	}
	if !x.http1 && resp.ProtoMajor > 1 {
		x.http1 = x.t.baseHTTP1() != nil
	}
	h := x.server
	switch {
	case h == nil && !x.body.repeatable():
		return false, errBody
	case h == nil, token == nil && x.t.Preemptive && x.begun == 1 && x.body.repeatable():
		// What was sent before it was asked for deserves a second try: Base may
		// have sent it twice, or not told about the connection.
		if err := x.begin(scheme, resp.TLS); err != nil {
			return false, err
		}
		return true, nil
	case token == nil, h.established:
		return false, errRefused
	}
	if err := h.step(x.req.Context(), token); err != nil {
		return false, err
	}
	switch {
	case len(h.token) == 0 && !h.established:
		return false, errShort
	case len(h.token) == 0:
		return false, errRefused // and the server is authentic
	case h.legs > maxLegs:
		return false, errLegs
	case resp.ProtoMajor > 1:
		return false, errHTTP2
	case !x.body.repeatable():
		return false, errBody
	}
	return true, nil
}

// cancelBody ends the context of a request when its response has been read.
type cancelBody struct {
	io.ReadCloser
	cancel func()
}

// Close implements [io.Closer].
func (b *cancelBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// bodyWithCancel keeps a body that can be written to, after a switch of
// protocols, what it is.
func bodyWithCancel(b io.ReadCloser, cancel func()) io.ReadCloser {
	c := &cancelBody{b, cancel}
	if w, ok := b.(io.Writer); ok {
		return struct {
			io.ReadCloser
			io.Writer
		}{c, w}
	}
	return c
}
