package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/adapters/negotiate"
)

// curl against our server.
func TestCurl(t *testing.T) {
	w := webRealm(t)
	cc := kinit(t, "krb5.conf", "alice")
	for _, tt := range []struct {
		name   string
		server *negotiate.Server
		args   []string
		want   string // in the page
		secure bool
	}{
		{name: "GET", want: "user=alice@" + realmName + " body= bound=false"},
		{name: "TLS", secure: true, want: "user=alice@" + realmName},
		{name: "POST", args: []string{"-d", "some text"}, want: "body=some text "},
		{name: "no delegation", args: []string{"--delegation", "none"}, want: "delegated=false"},
		{name: "delegation", args: []string{"--delegation", "always"}, want: "delegated=true"},
		{name: "delegation by policy", args: []string{"--delegation", "policy"}, want: "delegated=false"},
		{name: "connection-bound", server: &negotiate.Server{ConnectionBound: true}, want: "user=alice@" + realmName},
		{name: "two pages on one connection", args: []string{"URL"}, want: "user=alice@" + realmName},
		{name: "own realm", server: &negotiate.Server{Realms: []string{realmName}}, want: "user=alice"},
		{name: "other realm", server: &negotiate.Server{Realms: []string{"OTHER.TEST"}}, want: "403"},
		{name: "bindings required", secure: true, server: &negotiate.Server{Bindings: negotiate.BindRequired}, want: "401"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.server
			if s == nil {
				s = &negotiate.Server{}
			}
			url, secure := w.goServer(t, s)
			if tt.secure {
				url = secure
			}
			args := []string{"-sS", "--max-time", "15", "--negotiate", "-u", ":", "--cacert", w.file("cert.pem"), "-w", "%{http_code}\n"}
			pages := 1
			for _, a := range tt.args {
				if a == "URL" {
					a, pages = url, pages+1
				}
				args = append(args, a)
			}
			out := output(t, program(t, cc, "curl", append(args, url)...))
			require.Equal(t, pages, strings.Count(out, tt.want), out)
		})
	}
	t.Run("no ticket", func(t *testing.T) {
		url, _ := w.goServer(t, &negotiate.Server{})
		out := output(t, program(t, "/nonexistent/ccache", "curl", "-sS", "--max-time", "15", "--negotiate", "-u", ":", "-w", "%{http_code}", url))
		require.Contains(t, out, "401")
	})
}

// requestsScript prints what python3-requests-kerberos makes of a page.
const requestsScript = `
import sys, warnings
warnings.simplefilter("ignore")
import requests, requests_kerberos as rk
url, cert, method, count, kw = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), eval(sys.argv[5], vars(rk))
s = requests.Session()
s.trust_env, s.verify, s.auth = False, cert, rk.HTTPKerberosAuth(**kw)
for i in range(count):
    try:
        r = s.request(method, url, data="text" if method == "POST" else None)
        print(r.status_code, "page=%s" % r.headers.get("X-Page"), r.text)
    except rk.exceptions.MutualAuthenticationError as e:
        print("MutualAuthenticationError")
`

// python3-requests-kerberos against our server, in all its modes.
func TestRequestsKerberos(t *testing.T) {
	w := webRealm(t)
	cc := kinit(t, "krb5.conf", "alice")
	script := filepath.Join(t.TempDir(), "get.py")
	require.NoError(t, os.WriteFile(script, []byte(requestsScript), 0o600))
	user := "200 page=None user=alice@" + realmName
	for _, tt := range []struct {
		name   string
		server *negotiate.Server
		kw     string
		query  string
		method string
		secure bool
		count  int
		want   string
	}{
		{name: "default", want: user},
		{name: "REQUIRED", kw: "mutual_authentication=REQUIRED", want: user},
		{name: "OPTIONAL", kw: "mutual_authentication=OPTIONAL", want: user},
		{name: "DISABLED", kw: "mutual_authentication=DISABLED", want: user},
		{name: "REQUIRED, preemptive", kw: "mutual_authentication=REQUIRED, force_preemptive=True", want: user},
		{name: "OPTIONAL, preemptive", kw: "mutual_authentication=OPTIONAL, force_preemptive=True", want: user},
		{name: "DISABLED, preemptive", kw: "mutual_authentication=DISABLED, force_preemptive=True", want: user},
		{name: "POST", method: "POST", want: "body=text"},
		{name: "POST, preemptive", method: "POST", kw: "force_preemptive=True", want: "body=text"},
		// An error of ours has a token, so that nothing of it is stripped.
		{name: "an error", query: "?status=404", want: "404 page=yes user=alice"},
		{name: "delegation", kw: "delegate=True", want: "delegated=true"},
		{name: "no delegation", want: "delegated=false"},
		{name: "TLS", secure: true, want: user},
		{name: "TLS, preemptive", secure: true, kw: "force_preemptive=True", want: user},
		{name: "several pages", count: 3, want: user},
		{name: "connection-bound", count: 3, server: &negotiate.Server{ConnectionBound: true}, want: user},
		{name: "connection-bound, preemptive", count: 3, kw: "force_preemptive=True", server: &negotiate.Server{ConnectionBound: true}, want: user},
		{name: "host name", kw: "hostname_override='127.0.0.1'", want: user},
		{name: "principal", kw: "principal='alice@" + realmName + "'", want: user},
		{name: "refused", server: &negotiate.Server{Realms: []string{"OTHER.TEST"}}, want: "403 page=None"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.server
			if s == nil {
				s = &negotiate.Server{}
			}
			url, secure := w.goServer(t, s)
			if tt.secure {
				url = secure
			}
			method, count := tt.method, max(tt.count, 1)
			if method == "" {
				method = "GET"
			}
			out := output(t, program(t, cc, "/usr/bin/python3", script, url+"/"+tt.query, w.file("cert.pem"), method, fmt.Sprint(count), "dict("+tt.kw+")"))
			require.Equal(t, count, strings.Count(out, tt.want), out)
		})
	}
	t.Run("no ticket", func(t *testing.T) {
		url, _ := w.goServer(t, &negotiate.Server{})
		out := output(t, program(t, "/nonexistent/ccache", "/usr/bin/python3", script, url, w.file("cert.pem"), "GET", "1", "dict()"))
		require.Contains(t, out, "401 page=None")
	})
}

// Headless Chromium against our server.
func TestChromium(t *testing.T) {
	w := webRealm(t)
	cc := kinit(t, "krb5.conf", "alice")
	for _, tt := range []struct {
		name   string
		server *negotiate.Server
		secure bool
		allow  string
		want   []string
	}{
		{name: "plain", allow: "localhost", want: []string{"user=alice@" + realmName}},
		{name: "TLS", secure: true, allow: "localhost", want: []string{"user=alice@" + realmName, "bound=false"}},
		// On Linux it sends no channel bindings.
		{name: "TLS, bindings required", secure: true, allow: "localhost", server: &negotiate.Server{Bindings: negotiate.BindRequired}},
		{name: "connection-bound", allow: "localhost", server: &negotiate.Server{ConnectionBound: true}, want: []string{"user=alice@" + realmName}},
		{name: "not allowed", allow: "elsewhere.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.server
			if s == nil {
				s = &negotiate.Server{}
			}
			url, secure := w.goServer(t, s)
			if tt.secure {
				url = secure
			}
			// Chromium gives its network process access to GSS-API libraries from the
			// start after the one in which it met the scheme.
			profile := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(profile, "Local State"), []byte(`{"net":{"received_http_auth_negotiate_headers":true}}`), 0o600))
			cmd := program(t, cc, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
				"--disable-background-networking", "--disable-component-update", "--disable-sync", "--ignore-certificate-errors",
				"--no-proxy-server", "--disable-dev-shm-usage", "--user-data-dir="+profile, "--auth-server-allowlist="+tt.allow,
				"--disable-auth-negotiate-cname-lookup", "--dump-dom", url)
			cmd.Env = append(cmd.Env, "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
			page, err := cmd.Output()
			require.NoError(t, err, "%v", cmd)
			if tt.want == nil {
				require.NotContains(t, string(page), "alice")
			}
			for _, want := range tt.want {
				require.Contains(t, string(page), want)
			}
		})
	}
}
