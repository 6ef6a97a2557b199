package negotiate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

var _ http.RoundTripper = (*negotiate.Transport)(nil)

func TestChallenge(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	req, err := http.NewRequest("GET", w.URL, nil)
	require.NoError(t, err)
	resp, err := r.transport().RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 ", read(t, resp))
	require.NoError(t, negotiate.Failure(resp))
	require.Same(t, req, resp.Request)
	require.Empty(t, req.Header, "the caller's request stays as it is")

	seen := w.seen()
	require.Len(t, seen, 2)
	require.Empty(t, seen[0].Header.Get("Authorization"))
	require.NotEmpty(t, token(t, seen[1]))
	require.Equal(t, seen[0].RemoteAddr, seen[1].RemoteAddr, "one connection")
}

func TestPreemptive(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	tr := r.transport()
	tr.Preemptive = true
	for range 3 {
		_, body := get(t, tr, w.URL)
		require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 ", body)
	}
	require.Len(t, w.seen(), 3)
	require.NotEqual(t, token(t, w.seen()[0]), token(t, w.seen()[1]))
}

// A client without SPNEGO sends raw tokens of Kerberos, and is answered in kind.
func TestRawKerberos(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	tr := r.transport()
	cred, err := r.k.UserCred("alice", r.raw)
	require.NoError(t, err)
	tr.Cred = cred
	_, body := get(t, tr, w.URL)
	require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 ", body)
	m, _, err := mech.ParseToken(token(t, w.seen()[1]))
	require.NoError(t, err)
	require.Equal(t, gssapi.Krb5, m)
}

// The scheme of the same name takes nothing but Kerberos.
func TestKerberosScheme(t *testing.T) {
	r := newRealm(t)
	accept := r.server().Handler(http.HandlerFunc(hello))
	w := start(t, nil, http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		field, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Kerberos ")
		if !ok {
			rw.Header().Add("WWW-Authenticate", `Basic realm="a, Negotiate"`)
			rw.Header().Add("WWW-Authenticate", "Kerberos")
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		req.Header.Set("Authorization", "Negotiate "+field)
		answer := httptest.NewRecorder()
		accept.ServeHTTP(answer, req)
		rw.Header().Set("WWW-Authenticate", strings.Replace(answer.Header().Get("WWW-Authenticate"), "Negotiate", "Kerberos", 1))
		_, _ = rw.Write(answer.Body.Bytes())
	}), nil)
	_, body := get(t, r.transport(), w.URL)
	require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 ", body)
}

func TestCred(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	tr := r.transport()
	tr.Cred = r.user("bob")
	_, body := get(t, tr, w.URL)
	require.Equal(t, "bob@EXAMPLE.TEST HTTP/1.1 ", body)
}

// Without Cred it is the default credential of the registry.
func TestDefaultCred(t *testing.T) {
	r := newRealm(t)
	dir := t.TempDir()
	require.NoError(t, r.k.WriteFiles(dir))
	m := r.k.Mechanism(&krb5.Config{ClientKeytab: "FILE:" + dir + "/client.keytab"})
	reg, err := mech.NewRegistry(spnego.New(nil, m), m)
	require.NoError(t, err)
	w := serve(t, r.server())
	tr := &negotiate.Transport{Registry: reg}
	t.Cleanup(tr.CloseIdleConnections)
	_, body := get(t, tr, w.URL)
	require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 ", body)
}

func TestTargetName(t *testing.T) {
	r := newRealm(t)
	s := &negotiate.Server{Cred: r.service("localhost")}
	w := serve(t, s)
	tr := r.transport()
	status, _ := get(t, tr, w.URL)
	require.Equal(t, http.StatusUnauthorized, status, "it is the service of another host")
	tr = r.transport()
	tr.TargetName = func(req *http.Request) (gssapi.Name, error) {
		if req.URL.Host != w.Listener.Addr().String() {
			return gssapi.Name{}, errors.New("who?")
		}
		return gssapi.HostBased("HTTP", "localhost"), nil
	}
	status, _ = get(t, tr, w.URL)
	require.Equal(t, http.StatusOK, status)

	tr.TargetName = func(*http.Request) (gssapi.Name, error) { return gssapi.Name{}, io.ErrUnexpectedEOF }
	resp, err := (&http.Client{Transport: tr}).Get(w.URL)
	require.NoError(t, err)
	require.ErrorIs(t, negotiate.Failure(resp), io.ErrUnexpectedEOF)
	resp.Body.Close()
}

// A credential is handed on only where Delegate says so.
func TestDelegate(t *testing.T) {
	r := newRealm(t)
	var flags mech.Flags
	m := flagMech{r.krb5, &flags}
	reg, err := mech.NewRegistry(m)
	require.NoError(t, err)
	w := start(t, nil, challengeFor(t), nil)
	tr := &negotiate.Transport{Registry: reg, Mutual: negotiate.Optional}
	get(t, tr, w.URL)
	require.False(t, flags.Has(gssapi.FlagDeleg))
	require.True(t, flags.Has(gssapi.FlagMutual))
	tr.Delegate = func(req *http.Request) bool { return req.URL.Path == "/trusted" }
	get(t, tr, w.URL+"/other")
	require.False(t, flags.Has(gssapi.FlagDeleg))
	get(t, tr, w.URL+"/trusted")
	require.True(t, flags.Has(gssapi.FlagDeleg))
	tr.Mutual = negotiate.Disabled
	get(t, tr, w.URL+"/trusted")
	require.False(t, flags.Has(gssapi.FlagMutual))
}

// flagMech notes what is asked for and makes nothing.
type flagMech struct {
	mech.Mechanism
	flags *mech.Flags
}

func (m flagMech) Initiate(_ mech.Name, r mech.InitRequest) (mech.Context, error) {
	*m.flags = r.Flags
	return nil, gssapi.ErrNoCred
}

// challengeFor is a handler that asks for authentication and nothing else.
func challengeFor(testing.TB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, "who are you?")
	})
}

// What a server is believed, by policy.
func TestMutual(t *testing.T) {
	r := newRealm(t)
	auth := r.server()
	app := auth.Handler(http.HandlerFunc(hello))
	// without drops the server's token, forged makes it wrong.
	change := func(f func(http.Header)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.HasPrefix(req.URL.Path, "/public") {
				w.Header().Set("X-Secret", "yes")
				if req.URL.Path == "/public/404" {
					w.WriteHeader(http.StatusNotFound)
				}
				fmt.Fprint(w, "public")
				return
			}
			answer := httptest.NewRecorder()
			app.ServeHTTP(answer, req)
			if answer.Code != http.StatusUnauthorized {
				f(answer.Header())
			}
			for k, v := range answer.Header() {
				w.Header()[k] = v
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		})
	}
	honest := start(t, auth, app, nil)
	silent := start(t, auth, change(func(h http.Header) { h.Del("WWW-Authenticate") }), nil)
	forged := start(t, auth, change(func(h http.Header) {
		v := []byte(h.Get("WWW-Authenticate"))
		if v[len(v)-8] ^= 1; v[len(v)-8] == '=' {
			v[len(v)-8] = 'A'
		}
		h.Set("WWW-Authenticate", string(v))
	}), nil)
	garbage := start(t, auth, change(func(h http.Header) { h.Set("WWW-Authenticate", "Negotiate ****") }), nil)
	info := start(t, auth, change(func(h http.Header) {
		h.Set("Authentication-Info", h.Get("WWW-Authenticate"))
		h.Del("WWW-Authenticate")
	}), nil)

	const whole, bare, refused = "whole", "bare", "refused"
	for _, tt := range []struct {
		name                         string
		site                         *site
		path                         string
		status                       int
		required, optional, disabled string
	}{
		{"honest", honest, "/", 200, whole, whole, whole},
		{"honest error", honest, "/?status=404", 404, whole, whole, whole},
		{"honest redirect", honest, "/?status=302", 302, whole, whole, whole},
		{"in Authentication-Info", info, "/", 200, whole, whole, whole},
		{"no token", silent, "/", 200, refused, whole, whole},
		{"no token, redirect", silent, "/?status=302", 302, refused, whole, whole},
		{"no token, error", silent, "/?status=404", 404, bare, whole, whole},
		{"no token, 500", silent, "/?status=500", 500, bare, whole, whole},
		{"forged", forged, "/", 200, refused, refused, whole},
		{"forged error", forged, "/?status=404", 404, refused, refused, whole},
		{"no base64", garbage, "/", 200, refused, refused, whole},
		{"no challenge", silent, "/public/", 200, refused, whole, whole},
		{"no challenge, error", silent, "/public/404", 404, bare, whole, whole},
	} {
		for policy, want := range map[negotiate.Policy]string{
			negotiate.Required: tt.required, negotiate.Optional: tt.optional, negotiate.Disabled: tt.disabled,
		} {
			for _, keep := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/%t", tt.name, policy, keep), func(t *testing.T) {
					tr := r.transport()
					tr.Mutual, tr.KeepErrorBody = policy, keep
					req, err := http.NewRequest("GET", tt.site.URL+tt.path, nil)
					require.NoError(t, err)
					resp, err := tr.RoundTrip(req)
					want := want
					if keep && want == bare {
						want = whole
					}
					if want == refused {
						require.ErrorIs(t, err, negotiate.ErrMutualAuth)
						require.Nil(t, resp)
						return
					}
					require.NoError(t, err)
					require.Equal(t, tt.status, resp.StatusCode)
					body := read(t, resp)
					if want == bare {
						require.Empty(t, body)
						require.Equal(t, http.Header{"Content-Length": {"0"}}, resp.Header)
						require.Same(t, req, resp.Request)
						require.NotEmpty(t, resp.Status)
						return
					}
					require.NotEmpty(t, body)
					if tt.status >= 400 {
						require.NotEmpty(t, resp.Header)
					}
				})
			}
		}
	}
	for p, want := range map[negotiate.Policy]string{negotiate.Required: "required", negotiate.Optional: "optional", negotiate.Disabled: "disabled", 9: "unknown policy"} {
		require.Equal(t, want, p.String())
	}
}

// A failed authentication is the 401 itself, whatever kept it from succeeding.
func TestFailure(t *testing.T) {
	r := newRealm(t)
	expired := &negotiate.Transport{Registry: r.reg}
	other := newRealm(t) // of the same name, with other keys
	for _, tt := range []struct {
		name    string
		tr      *negotiate.Transport
		handler http.Handler
		want    error
		failure string
		n       int
	}{
		{"no credential", expired, challengeFor(t), gssapi.ErrNoCred, "", 1},
		{"unknown service", &negotiate.Transport{Cred: r.user("alice"), TargetName: func(*http.Request) (gssapi.Name, error) {
			return gssapi.HostBased("HTTP", "unknown.example.test"), nil
		}}, challengeFor(t), krb5.ErrServerUnknown, "", 1},
		{"wrong key", r.transport(), other.server().Handler(http.HandlerFunc(hello)), gssapi.ErrFailure, "", 2},
		{"another scheme", r.transport(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="Negotiate"`)
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, "who are you?")
		}), nil, "", 1},
		{"malformed", r.transport(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Negotiate a b`)
			w.WriteHeader(http.StatusUnauthorized)
		}), nil, "malformed challenge", 1},
		{"malformed list", r.transport(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="unfinished, Negotiate`)
			w.WriteHeader(http.StatusUnauthorized)
		}), nil, "malformed challenge", 1},
		{"never content", r.transport(), challengeFor(t), nil, "refused", 2},
		{"a fragment of a token", r.transport(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Negotiate oWgw")
			w.WriteHeader(http.StatusUnauthorized)
		}), nil, "not complete", 2},
		{"no token at all", r.transport(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Negotiate AAAA")
			w.WriteHeader(http.StatusUnauthorized)
		}), gssapi.ErrDefectiveToken, "", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t, nil, tt.handler, nil)
			resp, err := (&http.Client{Transport: tt.tr}).Get(w.URL)
			require.NoError(t, err)
			require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
			read(t, resp)
			failure := negotiate.Failure(resp)
			require.Len(t, w.seen(), tt.n)
			switch {
			case tt.want != nil:
				require.ErrorIs(t, failure, tt.want)
			case tt.failure != "":
				require.ErrorContains(t, failure, tt.failure)
			case tt.name == "another scheme":
				require.NoError(t, failure)
			}
			require.Empty(t, resp.Request.Header.Get("Authorization"))
		})
	}
	require.NoError(t, negotiate.Failure(nil))
	require.NoError(t, negotiate.Failure(&http.Response{}))

	// Without a response there is nothing to return but the error.
	expired.Preemptive = true
	_, err := expired.RoundTrip(httptest.NewRequest("GET", "http://127.0.0.1:1/", nil))
	require.ErrorIs(t, err, gssapi.ErrNoCred)
}

// A server cannot make a client work for ever.
func TestBounded(t *testing.T) {
	r := newRealm(t)
	stray, err := mech.NewRegistry(strayMech{r.krb5})
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		tr     *negotiate.Transport
		header []string
		n      int
		want   string
	}{
		{"1,000 challenges in a row", r.transport(), []string{"Negotiate"}, 2, "refused"},
		{"1,000 challenges at once", r.transport(), strings.Split(strings.Repeat("Negotiate,", 999)+"Negotiate", ","), 2, "refused"},
		{"1,000 tokens at once", r.transport(), []string{strings.Repeat("Negotiate oWFh,", 1000)}, 1, "more than one token"},
		{"1 MiB", r.transport(), []string{"Negotiate " + strings.Repeat("A", 1<<20)}, 1, "longer than"},
		{"1 MiB of others", r.transport(), []string{strings.Repeat("Basic realm=x,", 1<<20/14), "Negotiate"}, 1, "longer than"},
		{"never completes", &negotiate.Transport{Registry: stray}, []string{"Negotiate YWFh"}, 9, "does not come to an end"},
	} {
		for _, preemptive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", tt.name, preemptive), func(t *testing.T) {
				w := start(t, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header()["Www-Authenticate"] = tt.header
					w.WriteHeader(http.StatusUnauthorized)
				}), nil)
				tr := &negotiate.Transport{Cred: tt.tr.Cred, Registry: tt.tr.Registry, Preemptive: preemptive}
				begin := time.Now()
				resp, err := (&http.Client{Transport: tr}).Get(w.URL)
				require.NoError(t, err)
				require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
				read(t, resp)
				require.ErrorContains(t, negotiate.Failure(resp), tt.want)
				require.LessOrEqual(t, len(w.seen()), tt.n)
				require.Less(t, time.Since(begin), 5*time.Second)
			})
		}
	}
}

func TestRedirect(t *testing.T) {
	r := newRealm(t)
	other := serve(t, &negotiate.Server{Cred: r.service("localhost")})
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	open := start(t, nil, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { fmt.Fprint(w, "public") }), nil)
	auth := r.server()
	w := start(t, auth, auth.Handler(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, req.URL.Query().Get("to"), http.StatusTemporaryRedirect)
	})), nil)
	for _, preemptive := range []bool{false, true} {
		tr := r.transport()
		tr.Preemptive = preemptive
		c := &http.Client{Transport: tr}
		resp, err := c.Post(w.URL+"?to="+elsewhere, "text/plain", strings.NewReader("body"))
		require.NoError(t, err)
		require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 body", read(t, resp))
	}
	sent := make(map[string]bool)
	for _, req := range append(w.seen(), other.seen()...) {
		if f := req.Header.Get("Authorization"); f != "" {
			require.False(t, sent[f], "a token is sent twice")
			sent[f] = true
		}
	}
	require.Empty(t, other.seen()[0].Header.Get("Authorization"))

	tr := r.transport()
	tr.Mutual = negotiate.Optional
	_, body := get(t, tr, w.URL+"?to="+open.URL)
	require.Equal(t, "public", body)
	require.Empty(t, open.seen()[0].Header.Get("Authorization"))
}

// A request that authenticates itself in another way is left alone.
func TestOwnAuthorization(t *testing.T) {
	r := newRealm(t)
	w := start(t, nil, challengeFor(t), nil)
	tr := r.transport()
	tr.Preemptive = true
	status, _ := get(t, tr, strings.Replace(w.URL, "://", "://user:password@", 1))
	require.Equal(t, http.StatusUnauthorized, status)
	require.Len(t, w.seen(), 1)
	user, _, ok := w.seen()[0].BasicAuth()
	require.True(t, ok)
	require.Equal(t, "user", user)
}

// tracked is a body that cannot be rewound and must be closed.
type tracked struct {
	io.Reader
	closed atomic.Int32
}

func (b *tracked) Close() error {
	b.closed.Add(1)
	return nil
}

func TestBody(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	text := strings.Repeat("0123456789abcdef", 1000)
	for _, tt := range []struct {
		name       string
		max        int64
		length     int64
		preemptive bool
		expect     bool
		want       string // error
	}{
		{name: "buffered"},
		{name: "buffered, with its length", length: int64(len(text))},
		{name: "just fits", max: int64(len(text))},
		{name: "too large", max: int64(len(text)) - 1, want: "sent a second time"},
		{name: "known to be too large", max: 1, length: int64(len(text)), want: "sent a second time"},
		{name: "not buffered", max: -1, want: "sent a second time"},
		{name: "preemptive", max: 1, preemptive: true},
		{name: "preemptive, with its length", preemptive: true, length: int64(len(text))},
		{name: "refused before it is sent", max: 1, length: int64(len(text)), expect: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := r.transport()
			tr.MaxBody, tr.Preemptive = tt.max, tt.preemptive
			tr.Base.(*http.Transport).ExpectContinueTimeout = 10 * time.Second
			body := &tracked{Reader: strings.NewReader(text)}
			req, err := http.NewRequest("POST", w.URL, body)
			require.NoError(t, err)
			req.ContentLength = tt.length
			if tt.expect {
				req.Header.Set("Expect", "100-continue")
			}
			resp, err := tr.RoundTrip(req)
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
			} else {
				require.NoError(t, err)
				require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 "+text, read(t, resp))
			}
			require.Eventually(t, func() bool { return body.closed.Load() > 0 }, time.Second, time.Millisecond)
		})
	}
	t.Run("GetBody", func(t *testing.T) {
		tr := r.transport()
		tr.MaxBody = -1
		resp, err := (&http.Client{Transport: tr}).Post(w.URL, "text/plain", bytes.NewReader([]byte(text)))
		require.NoError(t, err)
		require.Equal(t, "alice@EXAMPLE.TEST HTTP/1.1 "+text, read(t, resp))
	})
	t.Run("GetBody fails", func(t *testing.T) {
		req, err := http.NewRequest("POST", w.URL, strings.NewReader(text))
		require.NoError(t, err)
		req.GetBody = func() (io.ReadCloser, error) { return nil, io.ErrUnexpectedEOF }
		_, err = r.transport().RoundTrip(req)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
	t.Run("reading fails", func(t *testing.T) {
		body := &tracked{Reader: io.MultiReader(strings.NewReader("x"), failing{})}
		req, err := http.NewRequest("POST", w.URL, body)
		require.NoError(t, err)
		_, err = r.transport().RoundTrip(req)
		require.ErrorIs(t, err, io.ErrNoProgress)
		require.Positive(t, body.closed.Load())
	})
	t.Run("refused with a body that cannot be rewound", func(t *testing.T) {
		other := newRealm(t)
		w := serve(t, other.server())
		tr := r.transport()
		tr.Preemptive = true
		resp, err := (&http.Client{Transport: tr}).Post(w.URL, "text/plain", &tracked{Reader: strings.NewReader(text)})
		require.NoError(t, err, "the 401 itself")
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		resp.Body.Close()
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

// The end of a request's context ends all that is done for it.
func TestCancel(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	hang := func(ctx context.Context) { <-ctx.Done() }
	ctx, cancel := context.WithCancel(t.Context())
	kdc := exchanger(func(ctx context.Context, _ *krb5.Request) ([]byte, error) {
		cancel()
		hang(ctx)
		return nil, ctx.Err()
	})
	dir := t.TempDir()
	require.NoError(t, r.k.WriteFiles(dir))
	m := r.k.Mechanism(&krb5.Config{KDC: kdc, ClientKeytab: "FILE:" + dir + "/client.keytab"})
	reg, err := mech.NewRegistry(m)
	require.NoError(t, err)
	for _, tr := range []*negotiate.Transport{{Registry: reg}, {Registry: reg, Preemptive: true}} {
		req, err := http.NewRequestWithContext(ctx, "GET", w.URL, nil)
		require.NoError(t, err)
		_, err = tr.RoundTrip(req)
		require.ErrorIs(t, err, context.Canceled)
	}

	ctx, cancel = context.WithCancel(t.Context())
	slow := start(t, nil, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") == "" {
			challengeFor(t).ServeHTTP(w, req)
			return
		}
		cancel()
		<-req.Context().Done()
	}), nil)
	req, err := http.NewRequestWithContext(ctx, "GET", slow.URL, nil)
	require.NoError(t, err)
	_, err = r.transport().RoundTrip(req)
	require.ErrorIs(t, err, context.Canceled)
}

type exchanger func(context.Context, *krb5.Request) ([]byte, error)

func (f exchanger) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) { return f(ctx, r) }

// The log says what happened, and no token.
func TestTransportLogger(t *testing.T) {
	r := newRealm(t)
	w := serve(t, r.server())
	var log logBuffer
	tr := r.transport()
	tr.Logger = log.logger()
	get(t, tr, w.URL)
	require.Contains(t, log.String(), "handshake begun")
	require.Contains(t, log.String(), "server authenticated")
	require.NotContains(t, log.String(), strings.TrimPrefix(w.seen()[1].Header.Get("Authorization"), "Negotiate ")[:40])
	refused := start(t, nil, challengeFor(t), nil)
	get(t, tr, refused.URL)
	require.Contains(t, log.String(), "not authenticated")
}

// Many users at once, over one Server, each get their own page.
func TestTransportConcurrent(t *testing.T) {
	r := newRealm(t)
	auth := r.server()
	auth.ConnectionBound = true
	for _, s := range []*negotiate.Server{r.server(), auth} {
		w := serve(t, s)
		var wg sync.WaitGroup
		for _, user := range []string{"alice", "bob"} {
			for _, preemptive := range []bool{false, true} {
				base := &http.Transport{MaxConnsPerHost: 4}
				tr := &negotiate.Transport{Base: base, Cred: r.user(user), Preemptive: preemptive}
				defer base.CloseIdleConnections()
				for range 8 {
					wg.Go(func() {
						for i := range 5 {
							msg := fmt.Sprintf("%s %d", user, i)
							resp, err := (&http.Client{Transport: tr}).Post(w.URL, "text/plain", strings.NewReader(msg))
							if err != nil {
								t.Error(err)
								return
							}
							body, _ := io.ReadAll(resp.Body)
							resp.Body.Close()
							if want := user + "@EXAMPLE.TEST HTTP/1.1 " + msg; string(body) != want {
								t.Errorf("%s: got %d %q, want %q", user, resp.StatusCode, body, want)
							}
						}
					})
				}
			}
		}
		wg.Wait()
	}
}

var _ krb5.Exchanger = (*testenv.KDC)(nil)
