package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

// web has what the tests of HTTP share: the services HTTP/localhost and
// HTTP/127.0.0.1, and a certificate for both hosts. Its files can be read by the
// users that servers run as.
type web struct {
	dir  string
	cert tls.Certificate
	leaf *x509.Certificate
}

var (
	webOnce   sync.Once
	webShared *web
)

// webRealm makes what is shared, the first time. Its directory is the realm's
// neighbour and goes with it.
func webRealm(t *testing.T) *web {
	t.Helper()
	webOnce.Do(func() {
		w := &web{dir: filepath.Join(filepath.Dir(realm.Dir), "web")}
		require.NoError(t, os.Mkdir(w.dir, 0o755))
		// Only those who know the name get in: not a secret worth more.
		require.NoError(t, os.Chmod(filepath.Dir(w.dir), 0o711))
		script := ""
		for _, host := range []string{"localhost", "127.0.0.1"} {
			script += "addprinc -randkey HTTP/" + host + "\nktadd -k " + w.file("http.keytab") + " HTTP/" + host + "\n"
		}
		_, err := realm.Run(script, "kadmin.local", "-r", realm.Name)
		require.NoError(t, err)
		conf, err := os.ReadFile(realm.File("krb5.conf"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(w.file("krb5.conf"), conf, 0o644))

		// A key of the same name and number that is not the KDC's.
		k := testenv.NewKDC(&testenv.Options{Realm: realmName, NoListen: true})
		defer k.Close()
		k.AddService("HTTP/localhost")
		require.NoError(t, os.WriteFile(w.file("wrong.keytab"), k.AddService("HTTP/localhost"), 0o644))
		require.NoError(t, os.Chmod(w.file("http.keytab"), 0o644))
		w.certificate(t)
		webShared = w
	})
	require.NotNil(t, webShared, "it could not be made")
	return webShared
}

func (w *web) file(name string) string { return filepath.Join(w.dir, name) }

func (w *web) certificate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.file("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	require.NoError(t, os.WriteFile(w.file("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	w.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	w.leaf, err = x509.ParseCertificate(der)
	require.NoError(t, err)
}

// webRegistry returns SPNEGO and Kerberos, with a credential cache and a keytab.
func webRegistry(t *testing.T, ccache, keytab string) *mech.Registry {
	t.Helper()
	m := krb5.New(&krb5.Config{
		ConfigPath: realm.File("krb5.conf"), CCache: "FILE:" + ccache, Keytab: "FILE:" + keytab,
		Getenv: func(string) string { return "" },
	})
	r, err := mech.NewRegistry(m, spnego.New(nil, m))
	require.NoError(t, err)
	return r
}

// transport returns a Transport with the tickets of a cache, and a Base that
// trusts the certificate.
func (w *web) transport(t *testing.T, ccache string) *negotiate.Transport {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(w.leaf)
	base := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	tr := &negotiate.Transport{Base: base, Registry: webRegistry(t, ccache, "/nonexistent/ccache"), Logger: testLogger(t)}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// testLogger logs to a test that fails.
func testLogger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// goServer starts our Server with a page that says who is asking, in the clear
// and with TLS. It returns the addresses with the host localhost.
func (w *web) goServer(t *testing.T, s *negotiate.Server) (plain, secure string) {
	t.Helper()
	if s.Registry == nil {
		s.Registry = webRegistry(t, "/nonexistent/ccache", w.file("http.keytab"))
	}
	s.Logger = testLogger(t)
	h := s.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		p, _ := negotiate.PeerFrom(r.Context())
		body, _ := io.ReadAll(r.Body)
		if code := r.URL.Query().Get("status"); code != "" {
			n, _ := strconv.Atoi(code)
			rw.Header().Set("X-Page", "yes")
			rw.WriteHeader(n)
		}
		_, _ = io.WriteString(rw, "user="+p.Name.String()+" body="+string(body)+" bound="+
			strconv.FormatBool(p.Flags.Has(gssapi.FlagChannelBound))+" mutual="+
			strconv.FormatBool(p.Flags.Has(gssapi.FlagMutual))+" delegated="+strconv.FormatBool(p.Delegated != nil)+"\n")
	}))
	for _, url := range []*string{&plain, &secure} {
		srv := httptest.NewUnstartedServer(h)
		srv.Config.ConnContext = s.ConnContext
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		scheme := "http://"
		if url == &secure {
			scheme = "https://"
			srv.Listener = tls.NewListener(srv.Listener, s.TLSConfig(&tls.Config{Certificates: []tls.Certificate{w.cert}}))
		}
		srv.Start()
		t.Cleanup(srv.Close)
		_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
		require.NoError(t, err)
		*url = scheme + net.JoinHostPort("localhost", port)
	}
	return plain, secure
}

// program prepares a program with the tickets of a cache.
func program(t *testing.T, ccache, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = mitkdc.Find(name)
	}
	require.NoError(t, err)
	cmd := exec.CommandContext(testContext(t), path, args...)
	cmd.Env = append(os.Environ(), environ("krb5.conf", ccache)...)
	cmd.Env = append(cmd.Env, "LC_ALL=C", "no_proxy=*", "NO_PROXY=*")
	return cmd
}

// output runs a program to its end.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%v\n%s", cmd, out)
	return string(out)
}

// daemon starts a server, waits for its address, and ends it with the test. It
// does not survive this process either.
func daemon(t *testing.T, cmd *exec.Cmd, addr string) {
	t.Helper()
	// A file, because its children may keep a pipe open.
	out, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	said := func() string {
		b, _ := os.ReadFile(out.Name())
		return string(b)
	}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the signal is sent when this thread ends
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it is ended below: its status says nothing
		}
	}()
	require.NoError(t, <-started, "%v", cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%v:\n%s", cmd, said())
		}
	})
	if err := mitkdc.WaitPort(addr); err != nil {
		_ = cmd.Process.Kill()
		<-ended
		t.Fatalf("%v: %v\n%s", cmd, err, said())
	}
}

// serverDir makes a directory for a server that runs as the user, if we are
// root, or as ourselves.
func serverDir(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp(webRealm(t).dir, "server")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // with the realm at the latest
	require.NoError(t, os.Chmod(dir, 0o755))
	if os.Geteuid() != 0 {
		return dir
	}
	u, err := user.Lookup(name)
	require.NoError(t, err)
	uid, err := strconv.Atoi(u.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(u.Gid)
	require.NoError(t, err)
	require.NoError(t, os.Chown(dir, uid, gid))
	return dir
}

// page fetches a page and returns its status and body.
func page(t *testing.T, rt http.RoundTripper, url, post string) (*http.Response, string) {
	t.Helper()
	method, body := "GET", io.Reader(nil)
	if post != "" {
		method, body = "POST", strings.NewReader(post)
	}
	req, err := http.NewRequestWithContext(testContext(t), method, url, body)
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: rt}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(b)
}
