package negotiate_test

import (
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
)

// forward is a proxy that wants to know who is there.
type forward struct {
	t      *testing.T
	cred   *gssapi.Cred
	answer func(http.Header, string)
	asked  []string // what it let through
	tokens int
}

func startProxy(t *testing.T, r *realm) (*forward, *url.URL) {
	p := &forward{t: t, cred: r.service("127.0.0.1")}
	p.answer = func(h http.Header, field string) { h.Set("Proxy-Authentication-Info", field) }
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return p, mustParse(t, s.URL)
}

func (p *forward) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	field, ok := strings.CutPrefix(r.Header.Get("Proxy-Authorization"), "Negotiate ")
	if !ok {
		w.Header().Set("Proxy-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	p.tokens++
	token, _ := base64.StdEncoding.DecodeString(field)
	a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: p.cred})
	if err != nil {
		p.t.Error(err)
	}
	out, _, err := a.Step(r.Context(), token)
	if err != nil {
		w.Header().Set("Proxy-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.answer(w.Header(), "Negotiate "+base64.StdEncoding.EncodeToString(out))
	if r.Method != http.MethodConnect {
		r.Header.Del("Proxy-Authorization")
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			p.t.Error(err)
			return
		}
		defer resp.Body.Close()
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
		return
	}
	to, err := net.Dial("tcp", r.Host)
	if err != nil {
		p.t.Error(err)
		return
	}
	var head strings.Builder
	_ = w.Header().Write(&head)
	from, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.t.Error(err)
		return
	}
	_, _ = io.WriteString(from, "HTTP/1.1 200 Connection established\r\n"+head.String()+"\r\n")
	go func() { _, _ = io.Copy(to, from); to.Close() }()
	go func() { _, _ = io.Copy(from, to); from.Close() }()
}

// A plain request authenticates to the proxy and to the server behind it.
func TestProxy(t *testing.T) {
	r := newRealm(t)
	p, u := startProxy(t, r)
	w := serve(t, &negotiate.Server{Cred: r.service("localhost")})
	site := strings.Replace(w.URL, "127.0.0.1", "localhost", 1)
	tr := r.transport()
	tr.Base.(*http.Transport).Proxy = func(*http.Request) (*url.URL, error) { return u, nil }
	resp, err := (&http.Client{Transport: tr}).Post(site, "text/plain", strings.NewReader("body"))
	require.NoError(t, err)
	body := read(t, resp)
	require.Equal(t, 200, resp.StatusCode, "%v", negotiate.Failure(resp))
	require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 body", body)
	for _, req := range w.seen() {
		require.Empty(t, req.Header.Get("Proxy-Authorization"))
	}
	require.Positive(t, p.tokens)

	t.Run("its answer is wrong", func(t *testing.T) {
		p.answer = func(h http.Header, _ string) { h.Set("Proxy-Authentication-Info", "Negotiate AAAA") }
		_, err := (&http.Client{Transport: tr}).Get(site)
		require.ErrorIs(t, err, negotiate.ErrMutualAuth)
	})
	t.Run("it does not answer", func(t *testing.T) {
		p.answer = func(http.Header, string) {}
		status, _ := get(t, tr, site)
		require.Equal(t, 200, status)
	})
	t.Run("TargetName", func(t *testing.T) {
		p.cred = r.service("proxy.example.test")
		status, _ := get(t, tr, site)
		require.Equal(t, 407, status)
		other := r.transport()
		other.Base = tr.Base
		other.TargetName = func(req *http.Request) (gssapi.Name, error) {
			if req.Method == http.MethodConnect {
				require.Equal(t, u.Host, req.URL.Host)
				return gssapi.HostBased("HTTP", "proxy.example.test"), nil
			}
			return gssapi.HostBased("HTTP", req.URL.Hostname()), nil
		}
		status, _ = get(t, other, site)
		require.Equal(t, 200, status)
	})
	t.Run("no proxy, no token", func(t *testing.T) {
		w := start(t, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Proxy-Authenticate", "Negotiate")
			w.WriteHeader(http.StatusProxyAuthRequired)
		}), nil)
		status, _ := get(t, r.transport(), w.URL)
		require.Equal(t, 407, status)
		require.Len(t, w.seen(), 1)
	})
	t.Run("a body that cannot be rewound", func(t *testing.T) {
		req, err := http.NewRequest("POST", site, &tracked{Reader: strings.NewReader("body")})
		require.NoError(t, err)
		tr := r.transport()
		tr.Base.(*http.Transport).Proxy = func(*http.Request) (*url.URL, error) { return u, nil }
		tr.MaxBody = -1
		_, err = tr.RoundTrip(req)
		require.ErrorContains(t, err, "sent a second time")
	})
}

// A tunnel is authenticated by the hooks.
func TestProxyConnect(t *testing.T) {
	r := newRealm(t)
	p, u := startProxy(t, r)
	s := &negotiate.Server{Cred: r.service("localhost"), Bindings: negotiate.BindRequired}
	w := secure(t, s, s.Handler(http.HandlerFunc(hello)), false)
	site := strings.Replace(w.URL, "127.0.0.1", "localhost", 1)
	dial := func(tr *negotiate.Transport) (int, error) {
		base := careless(tr).Base.(*http.Transport)
		base.Proxy = func(*http.Request) (*url.URL, error) { return u, nil }
		base.GetProxyConnectHeader = tr.ProxyConnectHeader
		base.OnProxyConnectResponse = tr.ProxyConnectResponse
		resp, err := (&http.Client{Transport: tr}).Get(site)
		if err != nil {
			return 0, err
		}
		read(t, resp)
		return resp.StatusCode, nil
	}
	for _, policy := range []negotiate.Policy{negotiate.Required, negotiate.Optional, negotiate.Disabled} {
		tr := r.transport()
		tr.Mutual = policy
		status, err := dial(tr)
		require.NoError(t, err)
		require.Equal(t, 200, status)
	}
	require.Contains(t, p.asked[0], "CONNECT localhost:")

	p.answer = func(http.Header, string) {}
	status, err := dial(r.transport())
	require.NoError(t, err)
	require.Equal(t, 200, status)

	p.answer = func(h http.Header, _ string) { h.Set("Proxy-Authenticate", "Negotiate AAAA") }
	_, err = dial(r.transport())
	require.ErrorIs(t, err, negotiate.ErrMutualAuth)

	p.cred = newRealm(t).service("127.0.0.1") // with other keys
	_, err = dial(r.transport())
	require.ErrorContains(t, err, "credentials were refused")

	tr := r.transport()
	tr.Cred, tr.Registry = nil, r.reg
	_, err = dial(tr)
	require.ErrorIs(t, err, gssapi.ErrNoCred)
}

// The hooks forget what was never answered, and are not confused by what was
// not asked.
func TestProxyConnectForgets(t *testing.T) {
	r := newRealm(t)
	tr := r.transport()
	u := mustParse(t, "http://127.0.0.1:3128")
	for range 1100 {
		h, err := tr.ProxyConnectHeader(context.Background(), u, "x:443")
		require.NoError(t, err)
		require.Contains(t, h.Get("Proxy-Authorization"), "Negotiate ")
	}
	require.Less(t, negotiate.PendingConnects(tr), 1025)
	req := &http.Request{Header: http.Header{"Proxy-Authorization": {"Negotiate AAAA"}}}
	require.NoError(t, tr.ProxyConnectResponse(context.Background(), u, req, &http.Response{StatusCode: 200}))
	require.ErrorContains(t, tr.ProxyConnectResponse(context.Background(), u, req, &http.Response{StatusCode: 407}), "refused")
}
