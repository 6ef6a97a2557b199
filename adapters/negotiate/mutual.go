package negotiate

import (
	"errors"
	"fmt"
	"net/http"
)

// Policy says what a client wants from a server in return.
type Policy uint8

const (
	// Required refuses what a server says that has not authenticated itself: a
	// success or redirect is [ErrMutualAuth], of an error no more than the status
	// is returned.
	Required Policy = iota
	// Optional verifies a server that authenticates itself, and believes one
	// that does not.
	Optional
	// Disabled does not ask the server to authenticate itself.
	Disabled
)

// String returns the policy in words.
func (p Policy) String() string {
	switch p {
	case Required:
		return "required"
	case Optional:
		return "optional"
	case Disabled:
		return "disabled"
	}
	return "unknown policy"
}

// ErrMutualAuth is the error of a request whose response does not come from a
// server that has authenticated itself. The server may have acted on the request.
var ErrMutualAuth = errors.New("negotiate: the server did not authenticate itself")

// finish looks at a response that is no challenge.
func (x *exchange) finish(resp *http.Response) (*http.Response, error) {
	ctx := x.req.Context()
	if err := x.verifyProxy(resp); err != nil {
		_ = resp.Body.Close() // the error says more
		return nil, err
	}
	if x.t.Mutual == Disabled || resp.StatusCode == server.status || resp.StatusCode == proxy.status && x.via != nil {
		return resp, nil
	}
	var ok bool
	var err error
	if x.server != nil {
		ok, err = x.server.verify(ctx, resp.Header)
	}
	host := x.req.URL.Host
	switch {
	case err != nil:
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%w: %w", ErrMutualAuth, err)
	case ok:
		x.t.log().DebugContext(ctx, "server authenticated", "name", x.server.sc.Peer().String(), "status", resp.StatusCode)
		if x.via == nil {
			x.t.proven.add(x.lastConn(), host)
		}
		return resp, nil
	case x.t.Mutual == Optional, x.via == nil && x.t.proven.has(x.lastConn(), host):
		return resp, nil
	case resp.StatusCode >= 400:
		if x.t.KeepErrorBody {
			return resp, nil
		}
		return strip(resp), nil
	}
	_ = resp.Body.Close()
	return nil, fmt.Errorf("%w: it answered with status %d and no token", ErrMutualAuth, resp.StatusCode)
}

// strip leaves of a response what cannot do harm.
func strip(resp *http.Response) *http.Response {
	_ = resp.Body.Close()
	return &http.Response{
		Status:     resp.Status,
		StatusCode: resp.StatusCode,
		Proto:      resp.Proto,
		ProtoMajor: resp.ProtoMajor,
		ProtoMinor: resp.ProtoMinor,
		Header:     http.Header{"Content-Length": {"0"}},
		Body:       http.NoBody,
		Request:    resp.Request,
		TLS:        resp.TLS,
	}
}
