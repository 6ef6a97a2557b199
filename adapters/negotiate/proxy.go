package negotiate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// proxyFor returns the proxy that a plain request goes through and that may
// challenge it, nil if there is none or it is not known.
func (t *Transport) proxyFor(r *http.Request) *url.URL {
	base, ok := t.base().(*http.Transport)
	if !ok || base.Proxy == nil || r.URL.Scheme != "http" || r.Header.Get(proxy.answer) != "" {
		return nil
	}
	u, err := base.Proxy(r)
	if err != nil || u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}

// connectRequest is the request that stands for a proxy.
func connectRequest(ctx context.Context, proxyURL *url.URL) *http.Request {
	return (&http.Request{Method: http.MethodConnect, URL: proxyURL, Host: proxyURL.Host, Header: http.Header{}}).WithContext(ctx)
}

func (x *exchange) answerProxy(resp *http.Response) (bool, error) {
	ctx := x.req.Context()
	token, found, err := findChallenge(resp.Header[proxy.challenge], schemeNegotiate)
	h := x.proxy
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: %w", errMalformed, err)
	case !found && h == nil:
		return false, nil
	case h == nil && !x.body.repeatable():
		return false, errBody
	case h == nil:
		x.proxy, err = x.t.begin(ctx, proxy, schemeNegotiate, connectRequest(ctx, x.via), nil)
		return err == nil, err
	case token == nil || h.established:
		return false, errRefused
	}
	if err := h.step(ctx, token); err != nil {
		return false, err
	}
	switch {
	case len(h.token) == 0:
		return false, errRefused
	case !x.body.repeatable():
		return false, errBody
	case h.legs > maxLegs:
		return false, errLegs
	}
	return true, nil
}

// verifyProxy looks at the answer of a proxy, if it has one.
func (x *exchange) verifyProxy(resp *http.Response) error {
	if x.proxy == nil || x.proxy.established || x.t.Mutual == Disabled {
		return nil
	}
	if _, err := x.proxy.verify(x.req.Context(), resp.Header); err != nil {
		return fmt.Errorf("%w: proxy: %w", ErrMutualAuth, err)
	}
	return nil
}

// renewProxy makes a token for a request that is to be sent again.
func (x *exchange) renewProxy(resp *http.Response) error {
	if err := x.verifyProxy(resp); err != nil {
		return err
	}
	x.proxy.close()
	x.proxy = nil
	ctx := x.req.Context()
	h, err := x.t.begin(ctx, proxy, schemeNegotiate, connectRequest(ctx, x.via), nil)
	if err != nil {
		return fmt.Errorf("negotiate: proxy: %w", err)
	}
	x.proxy = h
	return nil
}

// A tunnel that was asked for, and not answered, is forgotten after pendingAge;
// at most maxPending are remembered.
const (
	pendingAge = time.Minute
	maxPending = 1024
)

// connects are the handshakes with proxies whose answer is not there yet. The
// zero value is empty.
type connects struct {
	mu      sync.Mutex
	waiting map[string]*connect // by the value of Proxy-Authorization
}

type connect struct {
	h    *handshake
	sent time.Time
}

func (c *connects) put(h *handshake, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for k, old := range c.waiting {
		if now.Sub(old.sent) > pendingAge || len(c.waiting) >= maxPending {
			old.h.close()
			delete(c.waiting, k)
		}
	}
	if c.waiting == nil {
		c.waiting = make(map[string]*connect)
	}
	c.waiting[key] = &connect{h, now}
}

func (c *connects) take(key string) *handshake {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.waiting[key]
	if p == nil {
		return nil
	}
	delete(c.waiting, key)
	return p.h
}

// ProxyConnectHeader authenticates to a proxy through which https requests go.
// It is for a Base, as is [Transport.ProxyConnectResponse]:
//
//	base := &http.Transport{Proxy: http.ProxyFromEnvironment}
//	t := &negotiate.Transport{Base: base}
//	base.GetProxyConnectHeader = t.ProxyConnectHeader
//	base.OnProxyConnectResponse = t.ProxyConnectResponse
//
// A proxy gets a token without having asked, because net/http makes a single
// attempt at a tunnel.
func (t *Transport) ProxyConnectHeader(ctx context.Context, proxyURL *url.URL, _ string) (http.Header, error) {
	h, err := t.begin(ctx, proxy, schemeNegotiate, connectRequest(ctx, proxyURL), nil)
	if err != nil {
		return nil, fmt.Errorf("negotiate: proxy: %w", err)
	}
	header := http.Header{}
	h.set(header)
	if h.established || t.Mutual == Disabled {
		h.close()
	} else {
		t.pending.put(h, header.Get(proxy.answer))
	}
	return header, nil
}

// ProxyConnectResponse verifies the answer of a proxy, if it has a token, and
// explains a refusal; see [Transport.ProxyConnectHeader].
func (t *Transport) ProxyConnectResponse(ctx context.Context, _ *url.URL, req *http.Request, resp *http.Response) error {
	h := t.pending.take(req.Header.Get(proxy.answer))
	defer h.close()
	if resp.StatusCode == proxy.status {
		return fmt.Errorf("negotiate: proxy: %w", refusal(ctx, h, resp.Header))
	}
	if h == nil || resp.StatusCode != http.StatusOK {
		return nil // net/http makes an error of it
	}
	if _, err := h.verify(ctx, resp.Header); err != nil {
		return fmt.Errorf("%w: proxy: %w", ErrMutualAuth, err)
	}
	return nil
}

// refusal returns the reason that a proxy gives.
func refusal(ctx context.Context, h *handshake, header http.Header) error {
	if h == nil {
		return errRefused
	}
	token, _, err := findChallenge(header[proxy.challenge], schemeNegotiate)
	if err == nil && token != nil {
		err = h.step(ctx, token)
	}
	return errors.Join(errRefused, err)
}
