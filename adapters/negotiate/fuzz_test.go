package negotiate_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/adapters/negotiate"
)

// No field that was not made with a ticket gets a request through, over however
// many requests of a connection.
func FuzzServer(f *testing.F) {
	r := newRealm(f)
	s := r.server()
	s.ConnectionBound = true
	used := r.first(nil)
	passed := errors.New("passed")
	h := s.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(passed) }))
	accept := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/", nil)
	req.Header.Set("Authorization", used)
	s.Handler(http.HandlerFunc(hello)).ServeHTTP(accept, req.WithContext(s.ConnContext(f.Context(), nil)))
	require.Equal(f, 200, accept.Code)

	f.Add(used, "", "")
	f.Add("Negotiate", "Basic YTpi", used[:len(used)-4])
	f.Add("Negotiate TlRMTVNTUAABAAAA", "Negotiate oQcwBaADCgEB", "1.1 proxy")
	f.Fuzz(func(t *testing.T, first, second, via string) {
		ctx := s.ConnContext(t.Context(), nil)
		for _, field := range []string{first, second, ""} {
			req := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
			if field != "" {
				req.Header.Set("Authorization", field)
			}
			if via != "" {
				req.Header.Set("Via", via)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			require.GreaterOrEqual(t, w.Code, 400)
		}
	})
}

// No answer that was not made with the server's key is a success.
func FuzzTransport(f *testing.F) {
	r := newRealm(f)
	cred := r.user("alice")
	f.Add("Negotiate", 401, "Negotiate oYGJMIGG", 200)
	f.Add("Negotiate oQcwBaADCgEB", 401, "Negotiate", 401)
	f.Add("Kerberos, Basic realm=\"x\"", 401, "", 302)
	f.Fuzz(func(t *testing.T, first string, status int, second string, then int) {
		n := 0
		tr := &negotiate.Transport{Cred: cred, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp := &http.Response{StatusCode: then, Header: http.Header{"Www-Authenticate": {second}}, Body: http.NoBody, Request: req, ProtoMajor: 1}
			if n++; n == 1 {
				resp.StatusCode, resp.Header["Www-Authenticate"] = status, []string{first}
			}
			return resp, nil
		})}
		resp, err := tr.RoundTrip(httptest.NewRequest("GET", "http://127.0.0.1/", nil))
		require.LessOrEqual(t, n, 20)
		if err != nil {
			require.ErrorIs(t, err, negotiate.ErrMutualAuth)
			return
		}
		require.GreaterOrEqual(t, resp.StatusCode, 400)
		require.Empty(t, strings.TrimSpace(resp.Request.Header.Get("Authorization")))
	})
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
