package interop

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

const apacheModules = "/usr/lib/apache2/modules"

// apache is a running Apache httpd with mod_auth_gssapi. Its pages are
//
//	/negotiate  any mechanism
//	/krb5       nothing but Kerberos, without SPNEGO
//	/conn       the authentication is that of the connection
//	/wrong      with a key that is not the KDC's
//	/deleg      keeps delegated credentials
//	/cgi        echo.sh repeats the request's body, go.sh redirects to where the
//	            query says
//	/early      a redirect that does not wait for authentication
//	/open       without authentication
type apache struct {
	dir                  string
	plain, secure, other string // addresses: localhost, the same with TLS and HTTP/2, 127.0.0.1
}

func startApache(t *testing.T) *apache {
	t.Helper()
	w := webRealm(t)
	a := &apache{dir: serverDir(t, "www-data")}
	ports := make([]string, 2)
	for i := range ports {
		addr, err := mitkdc.FreeAddr()
		require.NoError(t, err)
		_, ports[i], err = net.SplitHostPort(addr)
		require.NoError(t, err)
	}
	a.plain, a.secure, a.other = "http://localhost:"+ports[0], "https://localhost:"+ports[1], "http://127.0.0.1:"+ports[0]
	for _, d := range []string{"www", "run", "deleg", "rcache"} {
		require.NoError(t, os.Mkdir(filepath.Join(a.dir, d), 0o700))
	}
	locations := []string{"negotiate", "krb5", "conn", "wrong", "deleg", "cgi", "early", "open"}
	for _, l := range locations {
		require.NoError(t, os.Mkdir(filepath.Join(a.dir, "www", l), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(a.dir, "www", l, "index.shtml"),
			[]byte(`user=<!--#echo var="REMOTE_USER" --> auth=<!--#echo var="AUTH_TYPE" -->`), 0o644))
	}
	require.NoError(t, os.WriteFile(filepath.Join(a.dir, "www", "cgi", "echo.sh"),
		[]byte("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nuser=%s body=' \"$REMOTE_USER\"\nexec cat\n"), 0o755))

	require.NoError(t, os.WriteFile(filepath.Join(a.dir, "www", "cgi", "go.sh"),
		[]byte("#!/bin/sh\ncat >/dev/null\nprintf 'Status: 307\\nLocation: %s\\n\\n' \"$QUERY_STRING\"\n"), 0o755))

	var c strings.Builder
	for _, m := range []string{"mpm_event", "authn_core", "authz_core", "authz_user", "auth_gssapi", "alias", "dir", "mime", "include", "env", "ssl", "socache_shmcb", "cgid", "http2"} {
		fmt.Fprintf(&c, "LoadModule %s_module %s/mod_%s.so\n", m, apacheModules, m)
	}
	fmt.Fprintf(&c, `ServerName localhost
ServerRoot %[1]s
TypesConfig /dev/null
PidFile %[1]s/run/httpd.pid
DefaultRuntimeDir %[1]s/run
ScriptSock %[1]s/run/cgid
User www-data
Group www-data
Listen 127.0.0.1:%[2]s
Listen 127.0.0.1:%[3]s
ErrorLog %[1]s/error.log
LogLevel info auth_gssapi:debug
StartServers 1
KeepAlive On
DocumentRoot %[1]s/www
DirectoryIndex index.shtml
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
AddHandler cgi-script .sh
<Directory %[1]s/www>
  Options +Includes +ExecCGI
  Require all granted
</Directory>
<VirtualHost 127.0.0.1:%[3]s>
  SSLEngine on
  Protocols h2 http/1.1
  SSLCertificateFile %[4]s/cert.pem
  SSLCertificateKeyFile %[4]s/key.pem
</VirtualHost>
`, a.dir, ports[0], ports[1], w.dir)
	own := map[string]string{
		"krb5":  "GssapiAllowedMech krb5",
		"conn":  "GssapiConnectionBound On\nGssapiSignalPersistentAuth On",
		"deleg": "GssapiCredStore ccache:FILE:" + a.dir + "/run/self\nGssapiDelegCcacheDir " + a.dir + "/deleg",
		"early": "Redirect 307 " + a.other + "/open/",
	}
	for _, l := range locations {
		keytab := w.file("http.keytab")
		if l == "wrong" {
			keytab = w.file("wrong.keytab")
		}
		if l == "open" {
			continue
		}
		fmt.Fprintf(&c, "<Location /%s>\nAuthType GSSAPI\nAuthName \"test\"\nGssapiCredStore keytab:%s\nGssapiSSLonly Off\n%s\nRequire valid-user\n</Location>\n", l, keytab, own[l])
	}
	conf := filepath.Join(a.dir, "httpd.conf")
	require.NoError(t, os.WriteFile(conf, []byte(c.String()), 0o644))
	if os.Geteuid() == 0 {
		owner(t, a.dir, "www-data")
	}
	cmd, err := realm.Command("apache2", "-d", a.dir, "-f", conf, "-DFOREGROUND")
	require.NoError(t, err, "Debian: apache2 libapache2-mod-auth-gssapi")
	cmd.Env = append(cmd.Env, "KRB5_CONFIG="+w.file("krb5.conf"), "KRB5RCACHEDIR="+filepath.Join(a.dir, "rcache"), "TMPDIR="+filepath.Join(a.dir, "run"))
	daemon(t, cmd, "127.0.0.1:"+ports[0])
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(a.dir, "error.log"))
			t.Logf("error.log ends with:\n%s", log[max(0, len(log)-8000):])
		}
	})
	return a
}

// owner gives a directory's contents to the owner of the directory.
func owner(t *testing.T, dir, name string) {
	t.Helper()
	require.NoError(t, program(t, "", "chown", "-R", name+":", dir).Run())
}

// What our client does with Apache and mod_auth_gssapi.
func TestApache(t *testing.T) {
	w := webRealm(t)
	// Someone else, who notes what is sent there.
	var mu sync.Mutex
	var stray []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		stray = append(stray, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	a := startApache(t)
	cc := kinit(t, "krb5.conf", "alice")
	const alice = "alice@" + realmName
	raw := func(tr *negotiate.Transport) {
		m := krb5.New(&krb5.Config{ConfigPath: realm.File("krb5.conf"), CCache: "FILE:" + cc, Getenv: func(string) string { return "" }})
		r, err := mech.NewRegistry(m)
		require.NoError(t, err)
		tr.Registry = r
	}

	for _, tt := range []struct {
		name   string
		path   string
		change func(*negotiate.Transport)
		refuse bool
	}{
		{name: "SPNEGO", path: "/negotiate/"},
		{name: "raw Kerberos", path: "/negotiate/", change: raw},
		{name: "raw Kerberos alone", path: "/krb5/", change: raw},
		{name: "one-way", path: "/negotiate/", change: func(tr *negotiate.Transport) { tr.Mutual = negotiate.Disabled }},
		{name: "optional", path: "/negotiate/", change: func(tr *negotiate.Transport) { tr.Mutual = negotiate.Optional }},
		{name: "connection-bound", path: "/conn/"},
		{name: "connection-bound, raw", path: "/conn/", change: raw},
		{name: "wrong keytab", path: "/wrong/", refuse: true},
		{name: "wrong keytab, raw", path: "/wrong/", change: raw, refuse: true},
		{name: "wrong service", path: "/negotiate/", refuse: true, change: func(tr *negotiate.Transport) {
			tr.TargetName = func(*http.Request) (gssapi.Name, error) { return gssapi.HostBased("host", "localhost"), nil }
		}},
	} {
		for _, base := range []string{a.plain, a.secure} {
			for _, preemptive := range []bool{false, true} {
				scheme, _, _ := strings.Cut(base, ":")
				t.Run(fmt.Sprintf("%s/%s/preemptive=%t", tt.name, scheme, preemptive), func(t *testing.T) {
					tr := w.transport(t, cc)
					if tt.change != nil {
						tt.change(tr)
					}
					tr.Preemptive = preemptive
					for range 3 { // also on a connection that has been used
						resp, body := page(t, tr, base+tt.path, "")
						if tt.refuse {
							require.Equal(t, 401, resp.StatusCode)
							require.Error(t, negotiate.Failure(resp))
							continue
						}
						require.Equal(t, 200, resp.StatusCode, "%v", negotiate.Failure(resp))
						require.Contains(t, body, "user="+alice)
					}
				})
			}
		}
	}
	t.Run("POST with a body", func(t *testing.T) {
		text := strings.Repeat("0123456789", 10000)
		for _, url := range []string{a.plain, a.secure} {
			_, body := page(t, w.transport(t, cc), url+"/cgi/echo.sh", text)
			require.Equal(t, "user="+alice+" body="+text, body)
		}
	})
	t.Run("redirect to another host", func(t *testing.T) {
		for _, preemptive := range []bool{false, true} {
			tr := w.transport(t, cc)
			tr.Preemptive = preemptive
			resp, body := page(t, tr, a.plain+"/cgi/go.sh?"+a.other+"/cgi/echo.sh", "body")
			require.Equal(t, 200, resp.StatusCode, "%v", negotiate.Failure(resp))
			require.Equal(t, "127.0.0.1", resp.Request.URL.Hostname())
			require.Equal(t, "user="+alice+" body=body", body)
		}
		tr := w.transport(t, cc)
		tr.Mutual = negotiate.Optional
		resp, _ := page(t, tr, a.plain+"/cgi/go.sh?"+elsewhere.URL, "")
		require.Equal(t, 200, resp.StatusCode)
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, []string{""}, stray, "no token for a server that does not ask")
	})
	t.Run("redirect before authentication", func(t *testing.T) {
		req, err := http.NewRequest("GET", a.plain+"/early/", nil)
		require.NoError(t, err)
		_, err = w.transport(t, cc).RoundTrip(req)
		require.ErrorIs(t, err, negotiate.ErrMutualAuth)
		tr := w.transport(t, cc)
		tr.Mutual = negotiate.Optional
		resp, _ := page(t, tr, a.plain+"/early/", "")
		require.Equal(t, 200, resp.StatusCode)
	})
	t.Run("delegation", func(t *testing.T) {
		tr := w.transport(t, kinit(t, "krb5.conf", "alice")) // forwardable by configuration
		_, body := page(t, tr, a.plain+"/deleg/", "")
		require.Contains(t, body, "user="+alice)
		kept, err := filepath.Glob(filepath.Join(a.dir, "deleg", "*"))
		require.NoError(t, err)
		require.Empty(t, kept, "nothing is handed on unasked")
		tr.Delegate = func(r *http.Request) bool { return r.URL.Hostname() == "localhost" }
		_, body = page(t, tr, a.plain+"/deleg/", "")
		require.Contains(t, body, "user="+alice)
		kept, err = filepath.Glob(filepath.Join(a.dir, "deleg", "*"))
		require.NoError(t, err)
		require.Len(t, kept, 1)
		klist := output(t, program(t, kept[0], "klist", "-f"))
		require.Contains(t, klist, "Default principal: "+alice)
		require.Contains(t, output(t, program(t, kept[0], "kvno", "host/localhost")), "kvno = ", "it is good for other services")
	})
	t.Run("no challenge", func(t *testing.T) {
		req, err := http.NewRequest("GET", a.plain+"/open/", nil)
		require.NoError(t, err)
		_, err = w.transport(t, cc).RoundTrip(req)
		require.ErrorIs(t, err, negotiate.ErrMutualAuth)
		tr := w.transport(t, cc)
		tr.Mutual = negotiate.Optional
		resp, _ := page(t, tr, a.plain+"/open/", "")
		require.Equal(t, 200, resp.StatusCode)
	})
	t.Run("a page that is missing", func(t *testing.T) {
		// Authentication comes first: the error is the server's own.
		resp, body := page(t, w.transport(t, cc), a.plain+"/negotiate/missing", "")
		require.Equal(t, 404, resp.StatusCode)
		require.Contains(t, body, "Not Found")
		resp, body = page(t, w.transport(t, cc), a.plain+"/open/missing", "")
		require.Equal(t, 404, resp.StatusCode)
		require.Empty(t, body)
	})
	t.Run("expired ticket", func(t *testing.T) {
		old := filepath.Join(t.TempDir(), "ccache")
		_, err := realm.RunEnv(environ("krb5.conf", old), password("alice")+"\n", "kinit", "-l", "2s", "alice")
		require.NoError(t, err)
		tr := w.transport(t, old)
		resp, _ := page(t, tr, a.plain+"/negotiate/", "")
		require.Equal(t, 200, resp.StatusCode, "%v", negotiate.Failure(resp))
		time.Sleep(2500 * time.Millisecond)
		for range 2 {
			resp, _ = page(t, tr, a.plain+"/negotiate/", "")
			require.Equal(t, 401, resp.StatusCode)
			require.ErrorIs(t, negotiate.Failure(resp), gssapi.ErrCredentialsExpired)
		}
		tr.Preemptive = true
		_, err = tr.RoundTrip(httptest.NewRequest("GET", a.plain+"/negotiate/", nil))
		require.ErrorIs(t, err, gssapi.ErrCredentialsExpired)
	})
	t.Run("no ticket", func(t *testing.T) {
		resp, _ := page(t, w.transport(t, "/nonexistent/ccache"), a.plain+"/negotiate/", "")
		require.Equal(t, 401, resp.StatusCode)
		require.ErrorIs(t, negotiate.Failure(resp), gssapi.ErrNoCred)
	})
	t.Run("many at once", func(t *testing.T) {
		for _, path := range []string{"/negotiate/", "/conn/"} {
			var wg sync.WaitGroup
			for _, user := range []string{"alice", "aes256-sha2"} {
				tr := w.transport(t, kinit(t, "krb5.conf", user))
				for range 8 {
					wg.Go(func() {
						for range 4 {
							if err := isUser(tr, a.plain+path, user); err != nil {
								t.Error(err)
							}
						}
					})
				}
			}
			wg.Wait()
		}
	})
}

// isUser fetches a page that must greet the user.
func isUser(rt http.RoundTripper, url, user string) error {
	resp, err := (&http.Client{Transport: rt}).Get(url)
	if err != nil {
		return err
	}
	b := make([]byte, 1000)
	n, _ := resp.Body.Read(b)
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if want := "user=" + user + "@" + realmName; !strings.Contains(string(b[:n]), want) {
		return errors.New(resp.Status + " " + string(b[:n]) + ", want " + want)
	}
	return nil
}
