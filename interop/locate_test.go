package interop

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/kkdcp"
)

// rewrite writes a krb5.conf of the site in which lines stand for those of its
// realm, and returns an engine that reads it.
func (s *site) rewrite(t *testing.T, kdc krb5.Exchanger, realmLines ...string) *krb5.Mechanism {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "[libdefaults]\n default_realm = %[1]s\n dns_lookup_kdc = false\n dns_canonicalize_hostname = false\n[realms]\n %[1]s = {\n", s.Name)
	for _, line := range realmLines {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	b.WriteString(" }\n")
	return krb5.New(&krb5.Config{ConfigText: b.String(), KDC: kdc, Getenv: func(string) string { return "" }})
}

// kadmind starts the password service of a site and returns its address.
func (s *site) kadmind(t *testing.T) string {
	t.Helper()
	admin, err := mitkdc.FreeAddr()
	require.NoError(t, err)
	addr, err := mitkdc.FreeAddr()
	require.NoError(t, err)
	text, err := os.ReadFile(s.File("kdc.conf"))
	require.NoError(t, err)
	at := s.Name + " = {\n"
	conf := strings.Replace(string(text), at, fmt.Sprintf("%s kadmind_listen = %s\n kpasswd_listen = %s\n", at, admin, addr), 1)
	require.NoError(t, os.WriteFile(s.File("kadmind.conf"), []byte(conf), 0o600))
	require.NoError(t, os.WriteFile(s.File("db/kadm5.acl"), nil, 0o600))
	cmd, err := s.Command("kadmind", "-nofork", "-r", s.Name)
	require.NoError(t, err)
	cmd.Env = append(cmd.Env, "KRB5_KDC_PROFILE="+s.File("kadmind.conf"))
	out := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, out
	stop, err := mitkdc.Spawn(cmd)
	require.NoError(t, err)
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("kadmind:\n%s", out)
		}
	})
	require.NoError(t, mitkdc.WaitPort(addr))
	return addr
}

func passwordOf(text string) func() []byte { return func() []byte { return []byte(text) } }

// A user whose password has expired changes it and logs in.
func TestExpiredPassword(t *testing.T) {
	s := newSite(t, "KPASSWD.TEST", &mitkdc.Options{}, mitkdc.Principal{Name: "expired", Password: "old-1"})
	_, err := s.Run("modprinc -pwexpire yesterday expired\naddpol -minlength 8 long\n", "kadmin.local", "-r", s.Name)
	require.NoError(t, err)
	addr := s.kadmind(t)
	for _, network := range []string{"", "tcp/"} {
		m := s.rewrite(t, nil, "kdc = "+s.Addr, "kpasswd_server = "+network+addr)
		t.Run("over "+network, func(t *testing.T) {
			_, err := s.Run("modprinc -clearpolicy expired\ncpw -pw old-1 expired\nmodprinc -pwexpire yesterday expired\n", "kadmin.local", "-r", s.Name)
			require.NoError(t, err)
			_, err = m.Login(testContext(t), "expired", &krb5.LoginOptions{Password: passwordOf("old-1")})
			require.ErrorIs(t, err, krb5.ErrKeyExpired)

			err = m.ChangePassword(testContext(t), "expired", passwordOf("wrong"), passwordOf("new-1"))
			require.ErrorIs(t, err, krb5.ErrPreauthFailed)
			require.NoError(t, m.ChangePassword(testContext(t), "expired", passwordOf("old-1"), passwordOf("n\u00e4w-1")))
			_, err = m.Login(testContext(t), "expired", &krb5.LoginOptions{Password: passwordOf("n\u00e4w-1")})
			require.NoError(t, err)

			_, err = s.Run("modprinc -policy long expired\n", "kadmin.local", "-r", s.Name)
			require.NoError(t, err)
			err = m.ChangePassword(testContext(t), "expired", passwordOf("n\u00e4w-1"), passwordOf("short"))
			var refusal *krb5.PasswordRefusal
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, krb5.PasswordRejected, refusal.Result)
			require.True(t, refusal.Authentic)
			require.Contains(t, refusal.Text, "too short")
		})
	}
}

// A KDC that does not have the new password yet: the primary one does.
func TestPrimaryKDC(t *testing.T) {
	old := newSite(t, "PRIMARY.TEST", &mitkdc.Options{}, mitkdc.Principal{Name: "alice", Password: "old-password"})
	primary := newSite(t, "PRIMARY.TEST", &mitkdc.Options{}, mitkdc.Principal{Name: "alice", Password: "new-password"})
	m := old.rewrite(t, nil, "kdc = "+old.Addr, "primary_kdc = "+primary.Addr)
	_, err := m.Login(testContext(t), "alice", &krb5.LoginOptions{Password: passwordOf("new-password")})
	require.NoError(t, err)
	require.Contains(t, primary.Log(), "ISSUE")

	// By whatever name: the only KDC is not asked twice.
	_, port, err := net.SplitHostPort(old.Addr)
	require.NoError(t, err)
	m = old.rewrite(t, nil, "kdc = "+old.Addr, "primary_kdc = localhost:"+port)
	before := strings.Count(old.Log(), "PREAUTH_FAILED")
	_, err = m.Login(testContext(t), "alice", &krb5.LoginOptions{Password: passwordOf("wrong")})
	require.ErrorIs(t, err, krb5.ErrPreauthFailed)
	require.Equal(t, before+1, strings.Count(old.Log(), "PREAUTH_FAILED"))
}

// proxyKDC is the smallest KDC proxy: it takes the message out of its DER by
// position and talks to the KDC over TCP.
type proxyKDC struct {
	realm, addr string
	served      atomic.Int32
}

func (p *proxyKDC) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	// The length in front of the message says where it starts.
	realmAt := bytes.LastIndex(body, []byte(p.realm))
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/kerberos" || realmAt < 0 {
		http.Error(w, "what?", http.StatusBadRequest)
		return
	}
	var framed []byte
	for i := range min(40, len(body)-4) {
		size := int(binary.BigEndian.Uint32(body[i:]))
		if i+4+size == realmAt-4 {
			framed = body[i : i+4+size]
			break
		}
	}
	conn, err := net.Dial("tcp", p.addr)
	if err != nil || framed == nil {
		http.Error(w, "no KDC", http.StatusBadGateway)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = conn.Write(framed)
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	reply := make([]byte, binary.BigEndian.Uint32(head))
	if _, err := io.ReadFull(conn, reply); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	p.served.Add(1)
	octets := element(0x04, append(head, reply...))
	_, _ = w.Write(element(0x30, element(0xa0, octets)))
}

func element(tag byte, content []byte) []byte {
	b := []byte{tag, 0x83}
	b = append(b, byte(len(content)>>16), byte(len(content)>>8), byte(len(content)))
	return shortest(b, content)
}

// shortest makes the header DER: the shortest length.
func shortest(b, content []byte) []byte {
	switch n := len(content); {
	case n < 0x80:
		b = []byte{b[0], byte(n)}
	case n < 0x100:
		b = []byte{b[0], 0x81, byte(n)}
	case n < 0x10000:
		b = []byte{b[0], 0x82, byte(n >> 8), byte(n)}
	}
	return append(b, content...)
}

func TestProxy(t *testing.T) {
	s := newSite(t, "PROXY.TEST", &mitkdc.Options{}, mitkdc.Principal{Name: "alice", Password: password("alice")})
	kdc := &proxyKDC{realm: s.Name, addr: s.Addr}
	server := httptest.NewTLSServer(kdc)
	defer server.Close()
	anchor := s.File("anchor.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(anchor, certificate, 0o600))
	proxied := func(kdc krb5.Exchanger, lines ...string) error {
		m := s.rewrite(t, kdc, append(lines, "kdc = "+server.URL+"/KdcProxy")...)
		_, err := m.Login(testContext(t), "alice", withPassword("alice"))
		return err
	}
	require.NoError(t, proxied(kkdcp.NewNetwork(nil), "http_anchors = FILE:"+anchor))
	require.EqualValues(t, 2, kdc.served.Load(), "without proof and with it")
	require.ErrorIs(t, proxied(kkdcp.NewNetwork(nil)), krb5.ErrKDCUnreach, "a certificate that the system does not trust")
	require.ErrorIs(t, proxied(nil, "http_anchors = FILE:"+anchor), krb5.ErrKDCUnreach, "without krb5/kkdcp")
	require.EqualValues(t, 2, kdc.served.Load())

	// MIT's kinit takes the same configuration and the same proxy.
	text := fmt.Sprintf("[libdefaults]\n default_realm = %[1]s\n dns_lookup_kdc = false\n[realms]\n %[1]s = {\n  kdc = %[2]s/KdcProxy\n  http_anchors = FILE:%[3]s\n }\n", s.Name, server.URL, anchor)
	conf := s.File("proxy.conf")
	require.NoError(t, os.WriteFile(conf, []byte(text), 0o600))
	_, err := s.RunEnv([]string{"KRB5_CONFIG=" + conf}, password("alice")+"\n", "kinit", "-c", "FILE:"+s.File("proxied"), "alice")
	require.NoError(t, err)
}

// kdcproxyServer serves the application of python3-kdcproxy over TLS.
const kdcproxyServer = `
import ssl, sys, wsgiref.simple_server, kdcproxy
class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *a): pass
s = wsgiref.simple_server.make_server("127.0.0.1", 0, kdcproxy.Application(), handler_class=Quiet)
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.load_cert_chain(sys.argv[1])
s.socket = c.wrap_socket(s.socket, server_side=True)
print(s.server_address[1], flush=True)
s.serve_forever()
`

// The proxy that FreeIPA has.
func TestKdcproxy(t *testing.T) {
	s := newSite(t, "KDCPROXY.TEST", &mitkdc.Options{}, mitkdc.Principal{Name: "expired", Password: "old-1"})
	_, err := s.Run("modprinc -pwexpire yesterday expired\n", "kadmin.local", "-r", s.Name)
	require.NoError(t, err)
	addr := s.kadmind(t)
	dir := t.TempDir()
	text := fmt.Sprintf("[global]\nuse_dns = false\n[%s]\nkerberos = kerberos+tcp://%s\nkpasswd = kpasswd+tcp://%s\n", s.Name, s.Addr, addr)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kdcproxy.conf"), []byte(text), 0o600))
	anchor := filepath.Join(dir, "anchor.pem")
	writeCertificate(t, anchor)
	cmd := exec.Command("/usr/bin/python3", "-c", kdcproxyServer, anchor)
	cmd.Env = append(os.Environ(), "KDCPROXY_CONFIG="+filepath.Join(dir, "kdcproxy.conf"))
	out, in, err := os.Pipe()
	require.NoError(t, err)
	defer out.Close()
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = in, &complaints
	stop, err := mitkdc.Spawn(cmd)
	require.NoError(t, err)
	_ = in.Close()
	defer func() {
		stop()
		if t.Failed() {
			t.Logf("kdcproxy (Debian: apt-get install python3-kdcproxy):\n%s", &complaints)
		}
	}()
	require.NoError(t, out.SetReadDeadline(time.Now().Add(20*time.Second)))
	var port int
	_, err = fmt.Fscan(out, &port)
	require.NoError(t, err)

	url := fmt.Sprintf("https://localhost:%d/KdcProxy", port)
	m := s.rewrite(t, kkdcp.NewNetwork(nil), "kdc = "+url, "kpasswd_server = "+url, "http_anchors = FILE:"+anchor)
	_, err = m.Login(testContext(t), "expired", &krb5.LoginOptions{Password: passwordOf("old-1")})
	require.ErrorIs(t, err, krb5.ErrKeyExpired)
	require.NoError(t, m.ChangePassword(testContext(t), "expired", passwordOf("old-1"), passwordOf("new-1")))
	_, err = m.Login(testContext(t), "expired", &krb5.LoginOptions{Password: passwordOf("new-1")})
	require.NoError(t, err)
}

// writeCertificate writes a certificate for localhost that is its own authority,
// with its key.
func writeCertificate(t *testing.T, path string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	_, err = tls.LoadX509KeyPair(path, path)
	require.NoError(t, err)
}
