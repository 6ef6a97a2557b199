package negotiate_test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/spnego"
)

// first makes a first token for the service on 127.0.0.1.
func (r *realm) first(o *gssapi.InitOptions) string {
	r.t.Helper()
	if o == nil {
		o = &gssapi.InitOptions{}
	}
	if o.Cred == nil {
		o.Cred = r.user("alice")
	}
	c, err := gssapi.InitContext(gssapi.HostBased("HTTP", "127.0.0.1"), o)
	require.NoError(r.t, err)
	defer c.Close()
	token, _, err := c.Step(r.t.Context(), nil)
	require.NoError(r.t, err)
	return "Negotiate " + base64.StdEncoding.EncodeToString(token)
}

// ask sends a request with header fields.
func ask(t *testing.T, c *http.Client, url string, fields ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	require.NoError(t, err)
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	resp, err := c.Do(req)
	require.NoError(t, err)
	return resp
}

func TestServer(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	used := r.first(nil)
	resp := ask(t, w.Client(), w.URL, "Authorization", used)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.True(t, strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Negotiate oYG"), "the mutual reply")
	read(t, resp)

	for _, tt := range []struct {
		name   string
		fields []string
		status int
		again  string // WWW-Authenticate
	}{
		{"no token", nil, 401, "Negotiate"},
		{"another scheme", []string{"Authorization", "Basic YTpi"}, 401, "Negotiate"},
		{"no token for the scheme", []string{"Authorization", "Negotiate"}, 401, "Negotiate"},
		{"blanks", []string{"Authorization", "Negotiate   "}, 401, "Negotiate"},
		{"any case", []string{"Authorization", "nEGOTIATE " + strings.TrimPrefix(r.first(nil), "Negotiate ")}, 200, "Negotiate "},
		{"replayed", []string{"Authorization", used}, 401, "Negotiate "},
		{"no base64", []string{"Authorization", "Negotiate ***"}, 400, ""},
		{"no padding", []string{"Authorization", "Negotiate YWE"}, 400, ""},
		{"bits behind the end", []string{"Authorization", "Negotiate YWF="}, 400, ""},
		{"two", []string{"Authorization", r.first(nil), "Authorization", r.first(nil)}, 400, ""},
		{"a list", []string{"Authorization", r.first(nil) + ", Basic YTpi"}, 400, ""},
		{"no token but noise", []string{"Authorization", "Negotiate AAAA"}, 401, "Negotiate"},
		{"NTLM", []string{"Authorization", "Negotiate " + base64.StdEncoding.EncodeToString([]byte("NTLMSSP\x00\x01\x00\x00\x00"))}, 401, "Negotiate"},
		{"long", []string{"Authorization", "Negotiate " + strings.Repeat("A", 300<<10)}, 431, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := ask(t, w.Client(), w.URL, tt.fields...)
			body := read(t, resp)
			require.Equal(t, tt.status, resp.StatusCode, body)
			require.True(t, strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), tt.again), resp.Header)
			if tt.status != 200 {
				require.Empty(t, body, "no word about the reason")
			}
		})
	}
}

// Raw Kerberos is answered raw, and one-way clients get no answer.
func TestServerRaw(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	raw := r.first(&gssapi.InitOptions{Mech: gssapi.Krb5})
	resp := ask(t, w.Client(), w.URL, "Authorization", raw)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.True(t, strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Negotiate YI"))
	read(t, resp)
	resp = ask(t, w.Client(), w.URL, "Authorization", r.first(&gssapi.InitOptions{Mech: gssapi.Krb5, Omit: gssapi.FlagMutual}))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Empty(t, resp.Header.Get("WWW-Authenticate"))
	read(t, resp)
}

func TestPeer(t *testing.T) {
	r := newRealm(t)
	var peer negotiate.Peer
	s := r.server()
	h := s.Handler(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { peer, _ = negotiate.PeerFrom(req.Context()) }))
	w := start(t, s, h, nil)
	get(t, r.transport(), w.URL)
	require.Equal(t, "alice@EXAMPLE.TEST", peer.Name.String())
	_, err := peer.Name.Key()
	require.NoError(t, err)
	require.Equal(t, gssapi.Krb5, peer.Mech)
	require.True(t, peer.Flags.Has(gssapi.FlagMutual|gssapi.FlagInteg))
	require.False(t, peer.Flags.Has(gssapi.FlagChannelBound))
	require.Nil(t, peer.Delegated)
	_, ok := negotiate.PeerFrom(t.Context())
	require.False(t, ok)
}

// Without Cred only the service HTTP is accepted, with the registry's keytab.
func TestServerDefaultCred(t *testing.T) {
	r := newRealm(t)
	dir := t.TempDir()
	m := r.k.Mechanism(&krb5.Config{Keytab: "FILE:" + filepath.Join(dir, "krb5.keytab")})
	reg, err := mech.NewRegistry(m, spnego.New(nil, m))
	require.NoError(t, err)
	var log logBuffer
	w := serve(t, &negotiate.Server{Registry: reg, Logger: log.logger()})
	tr := r.transport()
	status, _ := get(t, tr, w.URL)
	require.Equal(t, http.StatusInternalServerError, status, "there is no keytab yet")
	require.Contains(t, log.String(), "cannot authenticate")

	require.NoError(t, r.k.WriteFiles(dir))
	status, _ = get(t, tr, w.URL)
	require.Equal(t, http.StatusOK, status)
	tr.TargetName = func(*http.Request) (gssapi.Name, error) { return gssapi.HostBased("host", "127.0.0.1"), nil }
	resp, err := (&http.Client{Transport: tr}).Get(w.URL)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode, "a key of the keytab, but another service's")
	resp.Body.Close()
}

func TestRealms(t *testing.T) {
	r := newRealm(t)
	for _, tt := range []struct {
		realms []string
		status int
	}{
		{nil, 200},
		{[]string{"OTHER.TEST", "EXAMPLE.TEST"}, 200},
		{[]string{"OTHER.TEST"}, 403},
		{[]string{"example.test"}, 403},
		{[]string{}, 403},
		{[]string{""}, 403},
	} {
		s := r.server()
		s.Realms = tt.realms
		w := serve(t, s)
		status, _ := get(t, r.transport(), w.URL) // mutually authenticated: also the 403
		require.Equal(t, tt.status, status, "%q", tt.realms)
	}
}

func TestOnError(t *testing.T) {
	r := newRealm(t)
	s := r.server()
	s.Realms = []string{"OTHER.TEST"}
	s.OnError = func(w http.ResponseWriter, req *http.Request, err error) {
		var e *negotiate.Error
		if !errors.As(err, &e) {
			t.Errorf("%T", err)
		}
		w.WriteHeader(e.Status + 50)
		fmt.Fprintf(w, "%s: %t: %v", req.URL.Path, errors.Is(err, negotiate.ErrChallenge), err)
	}
	w := serve(t, s)
	resp := ask(t, w.Client(), w.URL+"/x")
	require.Equal(t, 451, resp.StatusCode)
	require.Equal(t, "Negotiate", resp.Header.Get("WWW-Authenticate"))
	require.Equal(t, "/x: true: negotiate: authentication is required", read(t, resp))
	resp = ask(t, w.Client(), w.URL+"/x", "Authorization", r.first(nil))
	require.Equal(t, 453, resp.StatusCode)
	require.Contains(t, read(t, resp), "not allowed: alice@EXAMPLE.TEST")
}

func TestServerLogger(t *testing.T) {
	r := newRealm(t)
	var log logBuffer
	s := r.server()
	s.Logger = log.logger()
	w := serve(t, s)
	get(t, r.transport(), w.URL)
	require.Contains(t, log.String(), "challenge")
	require.Contains(t, log.String(), "alice@EXAMPLE.TEST")
	read(t, ask(t, w.Client(), w.URL, "Authorization", "Negotiate AAAA"))
	require.Contains(t, log.String(), "refused")
}

// threeLegs makes a Toy take three tokens, that is two requests.
type threeLegs struct{ *mechtest.Toy }

func (m threeLegs) Initiate(target mech.Name, r mech.InitRequest) (mech.Context, error) {
	r.Flags |= gssapi.FlagDCEStyle
	return m.Toy.Initiate(target, r)
}

func toys(t *testing.T) *mech.Registry {
	t.Helper()
	reg, err := mech.NewRegistry(threeLegs{mechtest.NewToy("secret", nil)})
	require.NoError(t, err)
	return reg
}

// A handshake of several requests belongs to a connection.
func TestLegs(t *testing.T) {
	reg := toys(t)
	for _, tt := range []struct {
		name    string
		tr      func(*negotiate.Transport)
		maxLegs int
		state   bool
		status  int
		n       int
	}{
		{name: "two requests", state: true, status: 200, n: 3},
		{name: "preemptive", tr: func(t *negotiate.Transport) { t.Preemptive = true }, state: true, status: 200, n: 2},
		{name: "no ConnContext", status: 401, n: 2},
		{name: "MaxLegs", maxLegs: 1, state: true, status: 401, n: 2},
		{name: "more MaxLegs", maxLegs: 2, state: true, status: 200, n: 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &negotiate.Server{Cred: toyCred(t, reg, gssapi.UsageAccept), MaxLegs: tt.maxLegs}
			var conn *negotiate.Server
			if tt.state {
				conn = s
			}
			w := start(t, conn, s.Handler(http.HandlerFunc(hello)), nil)
			tr := &negotiate.Transport{Base: &http.Transport{}, Registry: reg}
			if tt.tr != nil {
				tt.tr(tr)
			}
			resp, err := (&http.Client{Transport: tr}).Post(w.URL, "text/plain", strings.NewReader("body"))
			require.NoError(t, err)
			require.Equal(t, tt.status, resp.StatusCode, "%v", negotiate.Failure(resp))
			body := read(t, resp)
			require.Len(t, w.seen(), tt.n)
			if tt.status == 200 {
				require.Equal(t, "user HTTP/1.1 body", body)
			}
			tr.CloseIdleConnections()
		})
	}
}

func toyCred(t *testing.T, reg *mech.Registry, u mech.Usage) *gssapi.Cred {
	t.Helper()
	c, err := gssapi.AcquireCred(t.Context(), gssapi.Name{}, u, &gssapi.CredOptions{Registry: reg})
	require.NoError(t, err)
	return c
}

// A handshake in progress ends with any request that does not continue it, and a
// client can start over.
func TestLegsInterrupted(t *testing.T) {
	reg := toys(t)
	s := &negotiate.Server{Cred: toyCred(t, reg, gssapi.UsageAccept)}
	w := start(t, s, s.Handler(http.HandlerFunc(hello)), nil)
	base := &http.Transport{MaxConnsPerHost: 1}
	defer base.CloseIdleConnections()
	c := &http.Client{Transport: base}
	begin := func() (*gssapi.SecContext, string) {
		i, err := gssapi.InitContext(gssapi.HostBased("HTTP", "127.0.0.1"), &gssapi.InitOptions{Registry: reg})
		require.NoError(t, err)
		token, _, err := i.Step(t.Context(), nil)
		require.NoError(t, err)
		return i, "Negotiate " + base64.StdEncoding.EncodeToString(token)
	}
	// next sends a token and returns the one to send after it.
	next := func(i *gssapi.SecContext, field string) string {
		resp := ask(t, c, w.URL, "Authorization", field)
		read(t, resp)
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		in, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(resp.Header.Get("WWW-Authenticate"), "Negotiate "))
		require.NoError(t, err)
		out, _, err := i.Step(t.Context(), in)
		require.NoError(t, err)
		return "Negotiate " + base64.StdEncoding.EncodeToString(out)
	}
	for _, tt := range []struct {
		name   string
		fields []string // of the request in between
		status int
	}{
		{"nothing in between", []string{"skip", ""}, 200},
		{"no token in between", nil, 401},
		{"another scheme in between", []string{"Authorization", "Basic YTpi"}, 401},
		{"a broken token in between", []string{"Authorization", "Negotiate *"}, 401},
		{"noise in between", []string{"Authorization", "Negotiate AAAA"}, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i, field := begin()
			defer i.Close()
			last := next(i, field)
			if len(tt.fields) == 0 || tt.fields[0] != "skip" {
				read(t, ask(t, c, w.URL, tt.fields...))
			}
			resp := ask(t, c, w.URL, "Authorization", last)
			read(t, resp)
			require.Equal(t, tt.status, resp.StatusCode)
			if tt.status == 200 { // and it serves for this request only
				resp = ask(t, c, w.URL, "Authorization", last)
				read(t, resp)
				require.Equal(t, 401, resp.StatusCode)
				resp = ask(t, c, w.URL)
				read(t, resp)
				require.Equal(t, 401, resp.StatusCode)
			}
		})
	}
	t.Run("starts over", func(t *testing.T) {
		i, field := begin()
		defer i.Close()
		next(i, field)
		i, field = begin()
		defer i.Close()
		resp := ask(t, c, w.URL, "Authorization", next(i, field))
		read(t, resp)
		require.Equal(t, 200, resp.StatusCode)
	})
	t.Run("on another connection", func(t *testing.T) {
		i, field := begin()
		defer i.Close()
		last := next(i, field)
		base.CloseIdleConnections()
		resp := ask(t, c, w.URL, "Authorization", last)
		read(t, resp)
		require.Equal(t, 401, resp.StatusCode)
	})
}

// SPNEGO takes a second request when the server does not take the first choice.
func TestReselection(t *testing.T) {
	r := newRealm(t)
	toy := mechtest.NewToy("secret", nil)
	reg, err := mech.NewRegistry(spnego.New(nil, toy, r.krb5), toy, r.krb5)
	require.NoError(t, err)
	cred, err := gssapi.AcquireCred(t.Context(), gssapi.Name{}, gssapi.UsageInitiate, &gssapi.CredOptions{Registry: reg, Mechs: []gssapi.OID{mechtest.ToyOID}})
	require.NoError(t, err)
	cred, err = cred.Add(t.Context(), gssapi.Principal("alice"), gssapi.UsageInitiate, &gssapi.CredOptions{
		Mechs: []gssapi.OID{gssapi.Krb5}, Password: gssapi.Password([]byte("password of alice"))})
	require.NoError(t, err)
	w := serve(t, r.server())
	tr := r.transport()
	tr.Cred = cred
	resp, err := (&http.Client{Transport: tr}).Post(w.URL, "text/plain", strings.NewReader("body"))
	require.NoError(t, err)
	body := read(t, resp)
	require.Equal(t, 200, resp.StatusCode, "%v", negotiate.Failure(resp))
	require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 body", body)
	require.Greater(t, len(w.seen()), 2)
}

func TestConnectionBound(t *testing.T) {
	r := newRealm(t)
	s := r.server()
	s.ConnectionBound = true
	w := serve(t, s)
	base := &http.Transport{MaxConnsPerHost: 1}
	defer base.CloseIdleConnections()
	c := &http.Client{Transport: base}
	status := func(fields ...string) int {
		resp := ask(t, c, w.URL, fields...)
		read(t, resp)
		return resp.StatusCode
	}
	require.Equal(t, 401, status())
	resp := ask(t, c, w.URL, "Authorization", r.first(nil))
	require.Equal(t, "true", resp.Header.Get("Persistent-Auth"))
	read(t, resp)
	require.Equal(t, 200, status())
	require.Equal(t, 200, status())
	for _, field := range []string{"Via", "Forwarded", "X-Forwarded-For"} {
		require.Equal(t, 403, status(field, "1.1 proxy"), field)
		require.Equal(t, 403, status(field, "1.1 proxy", "Authorization", r.first(nil)), field)
	}
	require.Equal(t, 200, status())
	require.Equal(t, 401, status("Authorization", "Basic YTpi"))
	require.Equal(t, 200, status())
	require.Equal(t, 200, status("Authorization", r.first(&gssapi.InitOptions{Cred: r.user("bob")})))
	require.Contains(t, read(t, ask(t, c, w.URL)), "bob@")
	require.Equal(t, 401, status("Authorization", "Negotiate AAAA"), "a failure ends it")
	require.Equal(t, 401, status())
	require.Equal(t, 200, status("Authorization", r.first(nil)))
	base.CloseIdleConnections()
	require.Equal(t, 401, status(), "another connection")

	// Without ConnContext there is no connection to bind to.
	w2 := start(t, nil, s.Handler(http.HandlerFunc(hello)), nil)
	resp = ask(t, c, w2.URL, "Authorization", r.first(nil))
	require.Equal(t, 500, resp.StatusCode)
	read(t, resp)

	// A client that requires mutual authentication had it on this connection.
	for _, preemptive := range []bool{false, true} {
		tr := r.transport()
		tr.Preemptive = preemptive
		for range 3 {
			code, body := get(t, tr, w.URL)
			require.Equal(t, 200, code)
			require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 ", body)
		}
	}
}

// A server such as WinRM does not answer tokens on a connection that it knows.
func TestPersistentWithoutAnswer(t *testing.T) {
	r := newRealm(t)
	s := r.server()
	s.ConnectionBound = true
	app := s.Handler(http.HandlerFunc(hello))
	known := make(map[string]bool)
	w := start(t, s, http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if known[req.RemoteAddr] {
			req.Header.Del("Authorization")
		}
		known[req.RemoteAddr] = req.Header.Get("Authorization") != "" || known[req.RemoteAddr]
		app.ServeHTTP(rw, req)
	}), nil)
	tr := r.transport()
	tr.Preemptive = true
	for range 3 {
		code, _ := get(t, tr, w.URL)
		require.Equal(t, 200, code)
	}
	// On another connection it does not count.
	tr.CloseIdleConnections()
	known = map[string]bool{}
	silent := start(t, nil, http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) { fmt.Fprint(rw, "hi") }), nil)
	_, err := (&http.Client{Transport: tr}).Get(silent.URL)
	require.ErrorIs(t, err, negotiate.ErrMutualAuth)
}

func TestHTTP2(t *testing.T) {
	r := newRealm(t)
	s := r.server()
	w := secure(t, s, s.Handler(http.HandlerFunc(hello)), true)
	t.Run("the answer goes over HTTP/1.1", func(t *testing.T) {
		for _, preemptive := range []bool{false, true} {
			tr := modern(r.transport())
			tr.Preemptive = preemptive
			for range 2 {
				_, body := get(t, tr, w.URL)
				require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 ", body)
			}
		}
		seen := w.seen()
		require.Equal(t, 2, seen[0].ProtoMajor)
		require.Equal(t, 1, seen[1].ProtoMajor)
		require.Equal(t, 1, seen[len(seen)-1].ProtoMajor)
	})
	t.Run("one request is enough over HTTP/2", func(t *testing.T) {
		for _, preemptive := range []bool{false, true} {
			tr := modern(r.transport())
			tr.Base = roundTripper{tr.Base}
			tr.Preemptive = preemptive
			code, body := get(t, tr, w.URL)
			require.Equal(t, 200, code)
			require.Equal(t, "alice@EXAMPLE.TEST HTTP/2.0 ", body)
		}
	})
	t.Run("two are too many", func(t *testing.T) {
		reg := toys(t)
		s := &negotiate.Server{Cred: toyCred(t, reg, gssapi.UsageAccept)}
		w := secure(t, s, s.Handler(http.HandlerFunc(hello)), true)
		tr := modern(&negotiate.Transport{Base: &http.Transport{}, Registry: reg})
		_, body := get(t, tr, w.URL)
		require.Equal(t, "user HTTP/1.1 ", body)
		tr.CloseIdleConnections()
		h2 := &negotiate.Transport{Base: roundTripper{tr.Base}, Registry: reg}
		resp, err := (&http.Client{Transport: h2}).Get(w.URL)
		require.NoError(t, err, "our server refuses to begin")
		require.Equal(t, 401, resp.StatusCode)
		resp.Body.Close()

		// One that begins is an error that says what to do.
		i := start(t, nil, http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
			challenge := "Negotiate"
			if field := req.Header.Get("Authorization"); field != "" {
				a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: s.Cred})
				if err != nil {
					t.Error(err)
				}
				in, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(field, "Negotiate "))
				out, _, err := a.Step(req.Context(), in)
				if err != nil {
					t.Error(err)
				}
				challenge += " " + base64.StdEncoding.EncodeToString(out)
			}
			rw.Header().Set("WWW-Authenticate", challenge)
			rw.WriteHeader(http.StatusUnauthorized)
		}), func(ts *httptest.Server) { ts.EnableHTTP2 = true; ts.StartTLS() })
		h2 = modern(&negotiate.Transport{Base: &http.Transport{}, Registry: reg})
		h2.Base = roundTripper{h2.Base}
		_, err = (&http.Client{Transport: h2}).Get(i.URL)
		require.ErrorContains(t, err, "HTTP/1.1")
	})
	t.Run("ConnectionBound", func(t *testing.T) {
		s := r.server()
		s.ConnectionBound = true
		w := secure(t, s, s.Handler(http.HandlerFunc(hello)), true)
		tr := modern(r.transport())
		resp := ask(t, &http.Client{Transport: tr.Base}, w.URL, "Authorization", r.first(nil))
		require.Equal(t, http.StatusHTTPVersionNotSupported, resp.StatusCode)
		read(t, resp)
		tr.Preemptive = true
		code, _ := get(t, tr, w.URL)
		require.Equal(t, 200, code)
	})
	t.Run("a server without HTTP/1.1", func(t *testing.T) {
		c := &tls.Config{Certificates: []tls.Certificate{certificate(t, ecKey(t))}, NextProtos: []string{"h2"}}
		other := c.Clone()
		other.NextProtos = []string{"other"}
		c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			if slices.Contains(h.SupportedProtos, "h2") {
				return nil, nil
			}
			return other, nil // crypto/tls is lenient otherwise
		}
		w := withTLS(t, nil, s.Handler(http.HandlerFunc(hello)), c)
		_, err := (&http.Client{Transport: modern(r.transport())}).Get(w.URL)
		require.ErrorContains(t, err, "goes over HTTP/1.1")
	})
	t.Run("HTTP_1_1_REQUIRED", func(t *testing.T) {
		tr := modern(r.transport())
		h1 := tr.Base.(*http.Transport)
		h1.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{
			"h2": func(string, *tls.Conn) http.RoundTripper { return insisting{} },
		}
		h1.TLSClientConfig.NextProtos = []string{"h2", "http/1.1"}
		_, body := get(t, tr, w.URL)
		require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 ", body)
	})
}

// insisting is HTTP/2 to a server that wants none.
type insisting struct{}

func (insisting) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("stream error: stream ID 1; HTTP_1_1_REQUIRED")
}

// A handshake in progress is dropped after a minute, however often it goes on.
func TestHandshakeTime(t *testing.T) {
	var c negotiate.ServerConn
	sc, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Registry: toys(t)})
	require.NoError(t, err)
	begin := time.Now()
	for legs, tt := range []struct {
		after time.Duration
		want  *gssapi.SecContext
	}{{time.Second, sc}, {59 * time.Second, sc}, {61 * time.Second, nil}} {
		c.Keep(sc, legs+1, begin.Add(time.Duration(legs)*time.Second))
		got, n := c.Pending(begin.Add(tt.after))
		require.Equal(t, tt.want, got)
		if got != nil {
			require.Equal(t, legs+1, n)
		}
		got, _ = c.Pending(begin)
		require.Nil(t, got, "it is taken once")
	}
}

// A client whose connection is lost between two requests starts over, though
// not for ever.
func TestLegsMoved(t *testing.T) {
	reg := toys(t)
	s := &negotiate.Server{Cred: toyCred(t, reg, gssapi.UsageAccept)}
	app := s.Handler(http.HandlerFunc(hello))
	for _, tt := range []struct {
		lost int // connections
		want string
	}{{1, ""}, {1000, "lost in the middle of the handshake"}} {
		var lost int
		w := start(t, s, http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Authorization") != "" && lost < tt.lost {
				lost++
				rw.Header().Set("Connection", "close")
			}
			app.ServeHTTP(rw, req)
		}), nil)
		tr := &negotiate.Transport{Base: &http.Transport{}, Registry: reg}
		resp, err := (&http.Client{Transport: tr}).Post(w.URL, "text/plain", strings.NewReader("body"))
		if tt.want != "" {
			require.ErrorContains(t, err, tt.want)
			require.LessOrEqual(t, len(w.seen()), 10)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "user HTTP/1.1 body", read(t, resp))
		tr.CloseIdleConnections()
	}
}
