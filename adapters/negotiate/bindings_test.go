package negotiate_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
)

// certificate makes a self-signed certificate for the names.
func certificate(t testing.TB, signer any, names ...string) tls.Certificate {
	t.Helper()
	var public any
	switch k := signer.(type) {
	case *ecdsa.PrivateKey:
		public = k.Public()
	case ed25519.PrivateKey:
		public = k.Public()
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, signer)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: signer}
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return k
}

// withTLS starts a site with a configuration of TLS as it is.
func withTLS(t testing.TB, s *negotiate.Server, h http.Handler, c *tls.Config) *site {
	t.Helper()
	return start(t, s, h, func(w *httptest.Server) {
		w.Listener = tls.NewListener(w.Listener, c)
		w.Start()
		w.URL = "https" + w.URL[len("http"):]
	})
}

// careless returns a transport that takes any certificate.
func careless(t *negotiate.Transport) *negotiate.Transport {
	t.Base.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	return t
}

// modern is a careless transport that speaks HTTP/2.
func modern(t *negotiate.Transport) *negotiate.Transport {
	t.Base.(*http.Transport).ForceAttemptHTTP2 = true
	return careless(t)
}

// relay is someone in the middle, with a certificate of their own.
func relay(t testing.TB, w *site) *httptest.Server {
	t.Helper()
	p := httputil.NewSingleHostReverseProxy(mustParse(t, w.URL))
	p.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	s := httptest.NewTLSServer(p)
	t.Cleanup(s.Close)
	return s
}

func TestBindings(t *testing.T) {
	r := newRealm(t)
	for _, tt := range []struct {
		policy        negotiate.BindingPolicy
		none          bool // the client sends none
		relayed       bool // someone is in the middle
		status        int
		bound         bool
		unknownStatus int // if the server does not know its certificate
		withoutTLS    int
	}{
		{policy: negotiate.BindWhenSent, status: 200, bound: true, unknownStatus: 200, withoutTLS: 200},
		{policy: negotiate.BindWhenSent, none: true, status: 200, unknownStatus: 200, withoutTLS: 200},
		{policy: negotiate.BindWhenSent, relayed: true, status: 401, unknownStatus: 200, withoutTLS: 200},
		{policy: negotiate.BindWhenSent, relayed: true, none: true, status: 200, unknownStatus: 200, withoutTLS: 200},
		{policy: negotiate.BindRequired, status: 200, bound: true, unknownStatus: 500, withoutTLS: 403},
		{policy: negotiate.BindRequired, none: true, status: 401, unknownStatus: 500, withoutTLS: 403},
		{policy: negotiate.BindRequired, relayed: true, status: 401, unknownStatus: 500, withoutTLS: 403},
		{policy: negotiate.BindNever, status: 200, unknownStatus: 200, withoutTLS: 200},
		{policy: negotiate.BindNever, relayed: true, status: 200, unknownStatus: 200, withoutTLS: 200},
	} {
		name := tt.policy.String()
		if tt.none {
			name += ", none sent"
		}
		if tt.relayed {
			name += ", relayed"
		}
		t.Run(name, func(t *testing.T) {
			s := r.server()
			s.Bindings = tt.policy
			var flags gssapi.Flags
			h := s.Handler(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				p, _ := negotiate.PeerFrom(req.Context())
				flags = p.Flags
			}))
			certs := []tls.Certificate{certificate(t, ecKey(t))}
			try := func(w *site) int {
				url := w.URL
				if tt.relayed {
					url = relay(t, w).URL
				}
				var last int
				for _, preemptive := range []bool{false, true} {
					tr := careless(r.transport())
					tr.NoBindings, tr.Preemptive, tr.KeepErrorBody = tt.none, preemptive, true
					status, _ := get(t, tr, url)
					if preemptive {
						require.Equal(t, last, status, "preemptive or not")
					}
					last = status
				}
				return last
			}
			require.Equal(t, tt.status, try(withTLS(t, s, h, s.TLSConfig(&tls.Config{Certificates: certs}))))
			if tt.status == 200 {
				require.Equal(t, tt.bound, flags.Has(gssapi.FlagChannelBound))
			}
			require.Equal(t, tt.unknownStatus, try(withTLS(t, s, h, &tls.Config{Certificates: certs})), "certificate not known")
			if !tt.relayed {
				require.Equal(t, tt.withoutTLS, try(start(t, s, h, nil)), "no TLS")
			}
		})
	}
	for p, want := range map[negotiate.BindingPolicy]string{negotiate.BindWhenSent: "when sent", negotiate.BindRequired: "required", negotiate.BindNever: "never", 9: "unknown policy"} {
		require.Equal(t, want, p.String())
	}
}

// Whatever way crypto/tls finds its certificate, bindings are to the one it uses.
func TestTLSConfig(t *testing.T) {
	r := newRealm(t)
	first, second := certificate(t, ecKey(t), "a.test"), certificate(t, ecKey(t), "b.test")
	leaf := second
	var err error
	leaf.Leaf, err = x509.ParseCertificate(leaf.Certificate[0])
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	other := &tls.Config{Certificates: []tls.Certificate{second}}
	byName := func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName == "b.test" {
			return &second, nil
		}
		return nil, nil
	}
	for _, tt := range []struct {
		name   string
		c      *tls.Config
		sni    string
		status int
	}{
		{"one", &tls.Config{Certificates: []tls.Certificate{first}}, "", 200},
		{"parsed", &tls.Config{Certificates: []tls.Certificate{leaf}}, "", 200},
		{"the second of two", &tls.Config{Certificates: []tls.Certificate{first, second}}, "b.test", 200},
		{"the first of two", &tls.Config{Certificates: []tls.Certificate{first, second}}, "a.test", 200},
		{"none of two", &tls.Config{Certificates: []tls.Certificate{first, second}}, "c.test", 200},
		{"GetCertificate", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &second, nil }}, "", 200},
		{"GetCertificate for some", &tls.Config{GetCertificate: byName, Certificates: []tls.Certificate{first}}, "b.test", 200},
		{"GetCertificate for others", &tls.Config{GetCertificate: byName, Certificates: []tls.Certificate{first}}, "a.test", 200},
		{"GetConfigForClient", &tls.Config{Certificates: []tls.Certificate{first}, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			if h.ServerName == "b.test" {
				return other, nil
			}
			return nil, nil
		}}, "b.test", 200},
		{"a certificate without a hash", &tls.Config{Certificates: []tls.Certificate{certificate(t, ed)}}, "", 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := r.server()
			s.Bindings = negotiate.BindRequired
			w := withTLS(t, s, s.Handler(http.HandlerFunc(hello)), s.TLSConfig(tt.c))
			for _, preemptive := range []bool{false, true} {
				tr := careless(r.transport())
				tr.Preemptive = preemptive
				c := tr.Base.(*http.Transport).TLSClientConfig
				c.ServerName, c.ClientSessionCache = tt.sni, tls.NewLRUClientSessionCache(4)
				for range 2 { // the second time from the cache of sessions
					status, _ := get(t, tr, w.URL)
					require.Equal(t, tt.status, status)
					tr.CloseIdleConnections()
				}
			}
		})
	}
	t.Run("errors stay errors", func(t *testing.T) {
		s := r.server()
		for _, c := range []*tls.Config{
			s.TLSConfig(nil),
			s.TLSConfig(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no") }}),
			s.TLSConfig(&tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("no") }}),
		} {
			w := withTLS(t, s, s.Handler(http.HandlerFunc(hello)), c)
			_, err := (&http.Client{Transport: careless(r.transport())}).Get(w.URL)
			require.Error(t, err)
		}
	})
}

// Behind a Base that tells nothing of its connections, a preemptive token has
// nothing to bind to: it waits for the challenge.
func TestPreemptiveWithoutTrace(t *testing.T) {
	r := newRealm(t)
	s := r.server()
	s.Bindings = negotiate.BindRequired
	w := withTLS(t, s, s.Handler(http.HandlerFunc(hello)), s.TLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate(t, ecKey(t))}}))
	tr := careless(r.transport())
	tr.Preemptive = true
	tr.Base = untraced{tr.Base}
	status, _ := get(t, tr, w.URL)
	require.Equal(t, 200, status)
	require.Len(t, w.seen(), 2)
}

type untraced struct{ http.RoundTripper }

func (u untraced) RoundTrip(r *http.Request) (*http.Response, error) {
	bare, err := http.NewRequest(r.Method, r.URL.String(), r.Body)
	if err != nil {
		return nil, err
	}
	bare.Header = r.Header
	return u.RoundTripper.RoundTrip(bare)
}

// A preemptive token that cannot be made over TLS is an error too.
func TestPreemptiveTLSError(t *testing.T) {
	r := newRealm(t)
	s := r.server()
	w := withTLS(t, s, s.Handler(http.HandlerFunc(hello)), s.TLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate(t, ecKey(t))}}))
	tr := careless(&negotiate.Transport{Base: &http.Transport{}, Registry: r.reg, Preemptive: true})
	_, err := (&http.Client{Transport: tr}).Get(w.URL)
	require.ErrorIs(t, err, gssapi.ErrNoCred)
}
