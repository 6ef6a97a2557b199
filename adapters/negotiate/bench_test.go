package negotiate_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/gss-go/gssapi/adapters/negotiate"
)

// One authenticated request over loopback, and for comparison one that is not
// authenticated. Client and server share the process: allocations are of both.
func BenchmarkNegotiate(b *testing.B) {
	r := newRealm(b)
	s := r.server()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	auth := start(b, s, s.Handler(page), nil)
	open := start(b, nil, page, nil)
	bound := r.server()
	bound.ConnectionBound = true
	once := start(b, bound, bound.Handler(page), nil)
	base := &http.Transport{}
	b.Cleanup(base.CloseIdleConnections)
	raw, err := r.k.UserCred("alice", r.raw)
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name string
		rt   http.RoundTripper
		url  string
	}{
		{"none", base, open.URL},
		{"preemptive", &negotiate.Transport{Base: base, Cred: r.user("alice"), Preemptive: true}, auth.URL},
		{"preemptive/krb5", &negotiate.Transport{Base: base, Cred: raw, Preemptive: true}, auth.URL},
		{"preemptive/oneway", &negotiate.Transport{Base: base, Cred: r.user("alice"), Preemptive: true, Mutual: negotiate.Disabled}, auth.URL},
		{"challenge", &negotiate.Transport{Base: base, Cred: r.user("alice")}, auth.URL},
		{"connection", &negotiate.Transport{Base: base, Cred: r.user("alice")}, once.URL},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req, err := http.NewRequest("GET", bb.url, nil)
				if err != nil {
					b.Fatal(err)
				}
				resp, err := bb.rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status)
				}
			}
		})
	}
}
