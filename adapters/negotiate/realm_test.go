package negotiate_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

// realm is a KDC with users, and the service HTTP on 127.0.0.1 and localhost.
type realm struct {
	t    testing.TB
	k    *testenv.KDC
	krb5 *krb5.Mechanism
	reg  *mech.Registry // SPNEGO and Kerberos
	raw  *mech.Registry // Kerberos alone
}

func newRealm(t testing.TB) *realm {
	t.Helper()
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	t.Cleanup(k.Close)
	for _, user := range []string{"alice", "bob"} {
		k.AddUser(user, "password of "+user)
	}
	for _, service := range []string{"HTTP/127.0.0.1", "HTTP/localhost", "HTTP/proxy.example.test", "host/127.0.0.1"} {
		k.AddService(service)
	}
	m := k.Mechanism(nil)
	reg, err := mech.NewRegistry(spnego.New(nil, m), m)
	require.NoError(t, err)
	raw, err := mech.NewRegistry(m)
	require.NoError(t, err)
	return &realm{t, k, m, reg, raw}
}

// user returns a credential that was logged in with.
func (r *realm) user(name string) *gssapi.Cred {
	r.t.Helper()
	c, err := r.k.UserCred(name, r.reg)
	require.NoError(r.t, err)
	return c
}

// service returns the keys of HTTP on a host.
func (r *realm) service(host string) *gssapi.Cred {
	r.t.Helper()
	c, err := r.k.ServiceCred("HTTP/"+host, r.reg)
	require.NoError(r.t, err)
	return c
}

// transport returns a Transport of alice's with a Base of its own.
func (r *realm) transport() *negotiate.Transport {
	base := &http.Transport{}
	r.t.Cleanup(base.CloseIdleConnections)
	t := &negotiate.Transport{Base: base, Cred: r.user("alice")}
	r.t.Cleanup(t.CloseIdleConnections)
	return t
}

// server returns a Server for 127.0.0.1.
func (r *realm) server() *negotiate.Server {
	return &negotiate.Server{Cred: r.service("127.0.0.1")}
}

// hello is a handler that says who is asking, and repeats the request's body.
func hello(w http.ResponseWriter, r *http.Request) {
	p, ok := negotiate.PeerFrom(r.Context())
	if !ok {
		http.Error(w, "nobody", http.StatusInternalServerError)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if status := r.URL.Query().Get("status"); status != "" {
		var code int
		fmt.Sscan(status, &code)
		w.Header().Set("X-Secret", "yes")
		w.WriteHeader(code)
	}
	fmt.Fprintf(w, "%s %s %s", p.Name, r.Proto, body)
}

// site is a web server that notes what is sent to it.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

// serve starts a site with a Server's handler in front of hello.
func serve(t testing.TB, s *negotiate.Server) *site {
	return start(t, s, s.Handler(http.HandlerFunc(hello)), nil)
}

// start starts a site with a handler; s, if not nil, gets its ConnContext.
func start(t testing.TB, s *negotiate.Server, h http.Handler, change func(*httptest.Server)) *site {
	t.Helper()
	w := &site{}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests = append(w.requests, r)
		w.mu.Unlock()
		h.ServeHTTP(rw, r)
	}))
	if s != nil {
		w.Config.ConnContext = s.ConnContext
	}
	w.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if change != nil {
		change(w.Server)
	} else {
		w.Start()
	}
	t.Cleanup(w.Close)
	return w
}

// secure starts a site with TLS whose certificate s knows; h2 offers HTTP/2.
func secure(t testing.TB, s *negotiate.Server, h http.Handler, h2 bool) *site {
	t.Helper()
	c := &tls.Config{Certificates: []tls.Certificate{certificate(t, ecKey(t))}}
	if h2 {
		c.NextProtos = []string{"h2", "http/1.1"}
	}
	return withTLS(t, s, h, s.TLSConfig(c))
}

func (w *site) seen() []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests
}

// get fetches a page and returns its status and body.
func get(t testing.TB, rt http.RoundTripper, url string) (int, string) {
	t.Helper()
	resp, err := (&http.Client{Transport: rt}).Get(url)
	require.NoError(t, err)
	return resp.StatusCode, read(t, resp)
}

func read(t testing.TB, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(b)
}

// token returns the token of an Authorization field.
func token(t testing.TB, r *http.Request) []byte {
	t.Helper()
	scheme, text, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	require.True(t, ok)
	require.Equal(t, "Negotiate", scheme)
	b, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	return b
}

// roundTripper hides the type of a Base.
type roundTripper struct{ http.RoundTripper }

// logBuffer is a place for log records.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func mustParse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}

// strayMech is a mechanism whose handshakes go on for ever.
type strayMech struct{ mech.Mechanism }

func (m strayMech) Initiate(mech.Name, mech.InitRequest) (mech.Context, error) {
	return strayContext{}, nil
}
func (m strayMech) Accept(mech.AcceptRequest) (mech.Context, error) { return strayContext{}, nil }

type strayContext struct{}

func (strayContext) Step(context.Context, []byte) ([]byte, bool, error) {
	return mech.AppendToken(nil, gssapi.Krb5, []byte("more")), true, nil
}
func (strayContext) Info() mech.ContextInfo { return mech.ContextInfo{} }
func (strayContext) Close() error           { return nil }
