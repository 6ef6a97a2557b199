package interop

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/interop/mitkdc"
)

const squidHelper = "/usr/lib/squid/negotiate_kerberos_auth"

// startSquid starts squid, which asks every client who it is, and returns its
// address.
func startSquid(t *testing.T, keytab string) *url.URL {
	t.Helper()
	w := webRealm(t)
	dir := serverDir(t, "proxy")
	addr, err := mitkdc.FreeAddr()
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	_, err = os.Stat(squidHelper)
	require.NoError(t, err, "Debian: squid")
	conf := filepath.Join(dir, "squid.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `http_port 127.0.0.1:%[1]s
visible_hostname localhost
cache_effective_user proxy
auth_param negotiate program %[2]s -k %[3]s -s HTTP/localhost@%[4]s
auth_param negotiate children 2 startup=1
auth_param negotiate keep_alive on
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
cache_mem 8 MB
access_log none
cache_store_log none
cache_log %[5]s/cache.log
pid_filename %[5]s/squid.pid
coredump_dir %[5]s
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
`, port, squidHelper, keytab, realmName, dir), 0o644))
	cmd, err := realm.Command("squid", "-N", "-f", conf, "-n", "interop"+port)
	require.NoError(t, err)
	cmd.Env = append(cmd.Env, "KRB5_CONFIG="+w.file("krb5.conf"), "KRB5RCACHEDIR="+dir, "TMPDIR="+dir)
	daemon(t, cmd, addr)
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "cache.log"))
			t.Logf("cache.log:\n%s", log)
		}
	})
	return &url.URL{Scheme: "http", Host: "localhost:" + port}
}

// through sends a transport's requests through a proxy.
func through(tr *negotiate.Transport, proxy *url.URL) {
	base := tr.Base.(*http.Transport)
	base.Proxy = http.ProxyURL(proxy)
	base.GetProxyConnectHeader = tr.ProxyConnectHeader
	base.OnProxyConnectResponse = tr.ProxyConnectResponse
}

// Our client goes through squid, which wants to know who it is, to our server,
// which wants to know too.
func TestSquid(t *testing.T) {
	w := webRealm(t)
	proxy := startSquid(t, w.file("http.keytab"))
	plain, secure := w.goServer(t, &negotiate.Server{})
	cc := kinit(t, "krb5.conf", "alice")
	for _, tt := range []struct {
		name, url  string
		preemptive bool
		mutual     negotiate.Policy
		bound      bool
	}{
		{name: "plain", url: plain},
		{name: "plain, preemptive", url: plain, preemptive: true},
		{name: "plain, one-way", url: plain, mutual: negotiate.Disabled},
		{name: "tunnel", url: secure, bound: true},
		{name: "tunnel, preemptive", url: secure, preemptive: true, bound: true},
		{name: "tunnel, optional", url: secure, mutual: negotiate.Optional, bound: true},
		{name: "tunnel, one-way", url: secure, mutual: negotiate.Disabled, bound: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := w.transport(t, cc)
			through(tr, proxy)
			tr.Preemptive, tr.Mutual = tt.preemptive, tt.mutual
			for range 3 {
				resp, body := page(t, tr, tt.url, "text")
				require.Equal(t, 200, resp.StatusCode, "%v", negotiate.Failure(resp))
				require.Contains(t, body, "user=alice@"+realmName+" body=text")
				require.Equal(t, tt.bound, strings.Contains(body, "bound=true"))
			}
		})
	}
	t.Run("no ticket", func(t *testing.T) {
		tr := w.transport(t, "/nonexistent/ccache")
		through(tr, proxy)
		resp, _ := page(t, tr, plain, "")
		require.Equal(t, 407, resp.StatusCode)
		require.ErrorIs(t, negotiate.Failure(resp), gssapi.ErrNoCred)
		_, err := (&http.Client{Transport: tr}).Get(secure)
		require.ErrorIs(t, err, gssapi.ErrNoCred)
	})
	t.Run("wrong keytab", func(t *testing.T) {
		tr := w.transport(t, cc)
		through(tr, startSquid(t, w.file("wrong.keytab")))
		resp, _ := page(t, tr, plain, "")
		require.Equal(t, 407, resp.StatusCode)
		require.Error(t, negotiate.Failure(resp))
		_, err := (&http.Client{Transport: tr}).Get(secure)
		require.ErrorContains(t, err, "refused")
	})
}
