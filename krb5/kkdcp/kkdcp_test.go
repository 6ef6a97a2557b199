package kkdcp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/conf"
)

// proxy is a KDC proxy that answers every message with one of its own.
func proxy(t *testing.T, handle http.HandlerFunc) (*httptest.Server, *tls.Config) {
	t.Helper()
	if handle == nil {
		handle = func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			message, realm, err := parseMessage(body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			reply, _ := appendMessage(nil, append([]byte(realm+": "), message...), "")
			_, _ = w.Write(reply)
		}
	}
	s := httptest.NewUnstartedServer(handle)
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, &tls.Config{RootCAs: roots}
}

func request(t testing.TB, text string) *krb5.Request {
	t.Helper()
	cfg, err := conf.Parse(text)
	require.NoError(t, err)
	return &krb5.Request{Realm: "R", Message: []byte("a request"), Config: cfg}
}

func TestExchange(t *testing.T) {
	var seen *http.Request
	s, config := proxy(t, nil)
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r; inner.ServeHTTP(w, r) })
	c := &Client{URL: s.URL + "/KdcProxy", TLS: config}
	for name, c := range map[string]*Client{
		"once":      c,
		"transport": {URL: c.URL, Transport: s.Client().Transport, TLS: &tls.Config{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.Exchange(t.Context(), request(t, ""))
			require.NoError(t, err)
			require.Equal(t, "R: a request", string(got))
			require.Equal(t, http.MethodPost, seen.Method)
			require.Equal(t, "/KdcProxy", seen.URL.Path)
			require.Equal(t, "application/kerberos", seen.Header.Get("Content-Type"))
		})
	}
	s.Client().CloseIdleConnections()

	r := request(t, "")
	r.Service = krb5.ServicePrimary
	_, err := c.Exchange(t.Context(), r)
	require.ErrorIs(t, err, krb5.ErrRealmUnknown)
	r = request(t, "")
	r.Message = make([]byte, maxMessage+1)
	_, err = c.Exchange(t.Context(), r)
	require.Error(t, err)
}

// A Network with a Client asks the proxy of krb5.conf and trusts its anchors.
func TestNewNetwork(t *testing.T) {
	s, config := proxy(t, func(w http.ResponseWriter, _ *http.Request) {
		reply, _ := appendMessage(nil, []byte("\x6b\x05an AS-REP"), "")
		_, _ = w.Write(reply)
	})
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	require.NoError(t, os.WriteFile(file, text, 0o600))
	realm := "[libdefaults]\n dns_lookup_kdc = false\n[realms]\n R = {\n kdc = " + s.URL + "/KdcProxy\n"
	env := func(name string) string { return map[string]string{"ANCHOR": "FILE:" + file}[name] }
	for name, tt := range map[string]struct {
		c      *Client
		anchor string
		ok     bool
	}{
		"file":              {nil, "FILE:" + file, true},
		"directory":         {nil, "DIR:" + dir, true},
		"variable":          {&Client{Getenv: env}, "ENV:ANCHOR", true},
		"variable, not set": {&Client{Getenv: env}, "ENV:NONE", false},
		"missing file":      {nil, "FILE:" + file + "x", false},
		"no certificate":    {nil, "FILE:/dev/null", false},
		"unknown":           {nil, "PKCS12:" + file, false},
		"system's roots":    {nil, "", false},
		"given":             {&Client{TLS: config}, "", true},
		"given before file": {&Client{TLS: &tls.Config{RootCAs: x509.NewCertPool()}}, "FILE:" + file, false},
	} {
		t.Run(name, func(t *testing.T) {
			text := realm
			if tt.anchor != "" {
				text += " http_anchors = " + tt.anchor + "\n"
			}
			got, err := NewNetwork(tt.c).Exchange(t.Context(), request(t, text+" }\n"))
			if !tt.ok {
				require.ErrorIs(t, err, krb5.ErrKDCUnreach)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "\x6b\x05an AS-REP", string(got))
		})
	}
}

func TestRefuses(t *testing.T) {
	good, err := appendMessage(nil, []byte("reply"), "R")
	require.NoError(t, err)
	for name, handle := range map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		},
		"HTML":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"nothing":  func(http.ResponseWriter, *http.Request) {},
		"trailing": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(append(bytes.Clone(good), 0)) },
		"truncated": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(good)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			b := make([]byte, 1<<20)
			for range 8 {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, config := proxy(t, handle)
			_, err := (&Client{URL: s.URL, TLS: config}).Exchange(t.Context(), request(t, ""))
			require.ErrorIs(t, err, krb5.ErrKDCUnreach)
		})
	}
	for _, url := range []string{"", "http://localhost/", "https://", "kkdcp://localhost", "https://%zz"} {
		_, err := (&Client{URL: url}).Exchange(t.Context(), request(t, ""))
		require.ErrorIs(t, err, krb5.ErrKDCUnreach, url)
	}
	s, config := proxy(t, nil)
	config.ServerName = "elsewhere.example"
	_, err = (&Client{URL: s.URL, TLS: config}).Exchange(t.Context(), request(t, ""))
	var wrong x509.HostnameError
	require.ErrorAs(t, err, &wrong)
	failed := errors.New("no such network")
	c := &Client{URL: s.URL, Dial: func(_ context.Context, network, addr string) (net.Conn, error) {
		require.Equal(t, "tcp", network)
		require.Equal(t, strings.TrimPrefix(s.URL, "https://"), addr)
		return nil, failed
	}}
	_, err = c.Exchange(t.Context(), request(t, ""))
	require.ErrorIs(t, err, failed)
}

// Cancellation ends an exchange in each of its states, and nothing is left.
func TestCancel(t *testing.T) {
	release := make(chan struct{})
	s, config := proxy(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	})
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	defer close(release)
	before := runtime.NumGoroutine()
	for name, c := range map[string]*Client{
		"dial": {URL: s.URL, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		"handshake": {URL: "https://" + silent.Addr().String(), TLS: config},
		"headers":   {URL: s.URL + "/headers", TLS: config},
		"body":      {URL: s.URL + "/body", TLS: config},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		begin := time.Now()
		_, err := c.Exchange(ctx, request(t, ""))
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		require.ErrorIs(t, err, krb5.ErrKDCUnreach, name)
		require.Less(t, time.Since(begin), time.Second, name)
	}
	buf := make([]byte, 1<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	for _, ours := range strings.Split(stacks, "\n\n") {
		require.False(t, strings.Contains(ours, "kkdcp.(*Client)") || strings.Contains(ours, "kkdcp.guard"), "%d goroutines before:\n%s", before, ours)
	}
}

func TestConcurrent(t *testing.T) {
	s, config := proxy(t, nil)
	c := &Client{URL: s.URL, TLS: config}
	var calls sync.WaitGroup
	for range 16 {
		calls.Go(func() {
			got, err := c.Exchange(context.Background(), request(t, ""))
			if err != nil || string(got) != "R: a request" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	calls.Wait()
}

func TestMessage(t *testing.T) {
	b, err := appendMessage(nil, []byte("abc"), "R")
	require.NoError(t, err)
	require.Equal(t, "\x30\x10\xa0\x09\x04\x07\x00\x00\x00\x03abc\xa1\x03\x1b\x01R", string(b))
	message, realm, err := parseMessage(b)
	require.NoError(t, err)
	require.Equal(t, "abc", string(message))
	require.Equal(t, "R", realm)
	b, err = appendMessage(nil, []byte("abc"), "")
	require.NoError(t, err)
	require.Equal(t, "\x30\x0b\xa0\x09\x04\x07\x00\x00\x00\x03abc", string(b))
	_, _, err = parseMessage([]byte("\x30\x10\xa0\x09\x04\x07\x00\x00\x00\x03abc\xa2\x03\x02\x01\x05"))
	require.NoError(t, err, "a hint")
	for _, bad := range []string{
		"", "\x30\x00", "\x30\x05\xa0\x03\x04\x01a", // too short for a length
		"\x30\x0b\xa0\x09\x04\x07\x00\x00\x00\x04abc",                  // the length in front
		"\x30\x0b\xa0\x09\x04\x07\x80\x00\x00\x03abc",                  // its reserved bit
		"\x30\x0b\xa0\x09\x04\x07\x00\x00\x00\x03abcx",                 // trailing
		"\x30\x0d\xa0\x09\x04\x07\x00\x00\x00\x03abc\x05\x00",          // an unknown field
		"\x30\x10\xa0\x09\x04\x07\x00\x00\x00\x03abc\xa1\x03\x0c\x01R", // UTF8String
		"\x30\x81\x0b\xa0\x09\x04\x07\x00\x00\x00\x03abc",              // not DER
	} {
		_, _, err := parseMessage([]byte(bad))
		require.ErrorIs(t, err, errMalformed, "%q", bad)
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, realm := range []string{"", "R"} {
		b, err := appendMessage(nil, []byte("abc"), realm)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("\x30\x10\xa0\x09\x04\x07\x00\x00\x00\x03abc\xa2\x03\x02\x01\x05"))
	f.Fuzz(func(t *testing.T, b []byte) {
		message, realm, err := parseMessage(b)
		if err != nil {
			return
		}
		again, err := appendMessage(nil, message, realm)
		require.NoError(t, err)
		// But for a hint and an empty realm, there is one form only.
		m, r, err := parseMessage(again)
		require.NoError(t, err)
		require.Equal(t, message, m)
		require.Equal(t, realm, r)
		require.LessOrEqual(t, len(again), len(b))
	})
}
