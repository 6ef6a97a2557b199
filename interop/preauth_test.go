package interop

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

const preauthRealm = "PREAUTH.TEST"

// authority is a certification authority, and what it has issued.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var (
	oidSAN      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidKerberos = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 2}
	oidKPClient = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 4}
	oidKPKdc    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 5}
)

func rsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{key: rsaKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "interop CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return a
}

// issue makes a certificate for a principal of the realm.
func (a *authority) issue(t testing.TB, key crypto.Signer, purpose asn1.ObjectIdentifier, until time.Time, name ...string) *x509.Certificate {
	t.Helper()
	tag := func(class, n int, content ...[]byte) asn1.RawValue {
		return asn1.RawValue{Class: class, Tag: n, IsCompound: true, Bytes: slices.Concat(content...)}
	}
	der := func(v any) []byte {
		b, err := asn1.Marshal(v)
		require.NoError(t, err)
		return b
	}
	text := func(s string) []byte { return der(asn1.RawValue{Tag: 27, Bytes: []byte(s)}) }
	var parts [][]byte
	for _, p := range name {
		parts = append(parts, text(p))
	}
	const context = asn1.ClassContextSpecific
	principal := der(tag(0, 16,
		der(tag(context, 0, text(preauthRealm))),
		der(tag(context, 1, der(tag(0, 16,
			der(tag(context, 0, der(1))),
			der(tag(context, 1, der(tag(0, 16, parts...)))),
		)))),
	))
	san := der(tag(0, 16, der(tag(context, 0, der(oidKerberos), der(tag(context, 0, principal))))))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: strings.Join(name, "/")},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		KeyUsage:           x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{purpose},
		ExtraExtensions:    []pkix.Extension{{Id: oidSAN, Value: san}},
	}
	b, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(b)
	require.NoError(t, err)
	return c
}

func writePEM(t testing.TB, path string, cert *x509.Certificate, key crypto.Signer) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	if key != nil {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	}
	require.NoError(t, os.WriteFile(path, text, 0o600))
}

// preauthLab is a realm of MIT's KDC that knows every mechanism and demands, for
// a service named for a mechanism, that it was used.
type preauthLab struct {
	*mitkdc.Realm
	ca     *authority
	radius *radius
}

func newPreauthLab(t *testing.T) *preauthLab {
	t.Helper()
	dir := t.TempDir()
	pki := t.TempDir() // the realm's own directory has to be empty
	l := &preauthLab{ca: newAuthority(t), radius: newRADIUS(t, "radius secret")}
	writePEM(t, filepath.Join(pki, "ca.pem"), l.ca.cert, nil)
	kdcKey := rsaKey(t)
	writePEM(t, filepath.Join(pki, "kdc.pem"), l.ca.issue(t, kdcKey, oidKPKdc, time.Now().Add(time.Hour), "krbtgt", preauthRealm), kdcKey)
	require.NoError(t, os.WriteFile(filepath.Join(pki, "radius"), []byte("radius secret\n"), 0o600))
	services := []string{"host", "pkinit", "spake", "fast", "otp"}
	ps := []mitkdc.Principal{
		{Name: "alice", Password: password("alice")}, {Name: "bob", Password: password("bob"), Keytab: "users.keytab"},
		{Name: "carol", Password: password("carol")}, {Name: "tokens", Password: password("tokens")}, {Name: "WELLKNOWN/ANONYMOUS"},
	}
	for _, s := range services {
		ps = append(ps, mitkdc.Principal{Name: s + "/localhost", Keytab: "services.keytab"})
	}
	var err error
	l.Realm, err = mitkdc.StartWith(dir, preauthRealm, ps, &mitkdc.Options{
		Realm: fmt.Sprintf(`        pkinit_identity = FILE:%[1]s/kdc.pem
        pkinit_anchors = FILE:%[1]s/ca.pem
        pkinit_require_freshness = true
        pkinit_indicator = pkinit
        spake_preauth_indicator = spake
        encrypted_challenge_indicator = fast
`, pki),
		Sections: fmt.Sprintf(`[libdefaults]
    spake_preauth_groups = edwards25519,P-256,P-384,P-521
[otp]
    DEFAULT = {
        server = %s
        secret = %s/radius
        strip_realm = true
        timeout = 2
        retries = 1
    }
`, l.radius.addr(), pki),
	})
	require.NoError(t, err)
	t.Cleanup(l.Close)
	for _, s := range services[1:] {
		_, err := l.Run("", "kadmin.local", "-r", preauthRealm, "setstr", s+"/localhost", "require_auth", s)
		require.NoError(t, err)
	}
	_, err = l.Run("", "kadmin.local", "-r", preauthRealm, "setstr", "tokens", "otp", `[{"indicators":["otp"]}]`)
	require.NoError(t, err)
	l.conf(t, "client.conf", "", "pkinit_anchors = FILE:"+pki+"/ca.pem")
	return l
}

// conf writes a krb5.conf with further lines.
func (l *preauthLab) conf(t *testing.T, file, libdefaults, realm string) {
	t.Helper()
	b, err := os.ReadFile(l.File("krb5.conf"))
	require.NoError(t, err)
	text := strings.Replace(string(b), "[libdefaults]", "[libdefaults]\n    "+libdefaults, 1)
	text = strings.Replace(text, "kdc = "+l.Addr, "kdc = "+l.Addr+"\n        "+realm, 1)
	require.NoError(t, os.WriteFile(l.File(file), []byte(text), 0o600))
}

// also is conf with the lines of client.conf.
func (l *preauthLab) also(t *testing.T, file, libdefaults string) *krb5.Mechanism {
	t.Helper()
	b, err := os.ReadFile(l.File("client.conf"))
	require.NoError(t, err)
	text := strings.Replace(string(b), "[libdefaults]", "[libdefaults]\n    "+libdefaults, 1)
	require.NoError(t, os.WriteFile(l.File(file), []byte(text), 0o600))
	return l.engine(file)
}

func (l *preauthLab) engine(conf string) *krb5.Mechanism {
	return krb5.New(&krb5.Config{ConfigPath: l.File(conf), Getenv: func(string) string { return "" }})
}

// store writes a credential to a cache file for MIT's programs.
func (l *preauthLab) store(t *testing.T, c mech.Cred) (env []string, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "cc")
	_, err := c.(mech.Storer).Store(testContext(t), mech.StoreRequest{Store: map[string]string{"ccache": "FILE:" + file}})
	require.NoError(t, err)
	return l.env(file), file
}

func (l *preauthLab) env(cc string) []string {
	return []string{"KRB5_CONFIG=" + l.File("client.conf"), "KRB5CCNAME=FILE:" + cc}
}

// proves checks by the services that it opens, with MIT's kvno and with a
// context of ours, which mechanism a credential was got with.
func (l *preauthLab) proves(t *testing.T, m *krb5.Mechanism, c mech.Cred, want string) {
	t.Helper()
	env, _ := l.store(t, c)
	for _, s := range []string{"host", "pkinit", "spake", "fast", "otp"} {
		ok := s == "host" || s == want
		out, err := l.RunEnv(env, "", "kvno", s+"/localhost")
		require.Equal(t, ok, err == nil, "kvno %s: %s", s, out)
		n, err := m.ImportName([]byte(s+"@localhost"), oid.NTHostBased)
		require.NoError(t, err)
		i, err := m.Initiate(n, mech.InitRequest{Creds: []mech.Cred{c}})
		require.NoError(t, err)
		_, _, err = i.Step(testContext(t), nil)
		require.Equal(t, ok, err == nil, "%s: %v", s, err)
		require.NoError(t, i.Close())
	}
}

func (l *preauthLab) login(t *testing.T, m *krb5.Mechanism, who string, o *krb5.LoginOptions) mech.Cred {
	t.Helper()
	c, err := m.Login(testContext(t), who, o)
	require.NoError(t, err, "%s", l.tail())
	return c
}

// tail is the end of the KDC's log.
func (l *preauthLab) tail() string {
	lines := strings.Split(strings.TrimSpace(l.Log()), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "\n")
}

// failures is how many wrong passwords the KDC has counted for a user.
func (l *preauthLab) failures(t *testing.T, user string) string {
	t.Helper()
	out, err := l.Run("", "kadmin.local", "-r", preauthRealm, "getprinc", user)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(out, "Failed password attempts: ")
	count, _, _ := strings.Cut(rest, "\n")
	return count
}

func TestPreauth(t *testing.T) {
	l := newPreauthLab(t)
	m := l.engine("client.conf")
	t.Run("SPAKE", func(t *testing.T) {
		for _, group := range []string{"edwards25519", "P-256", "P-384", "P-521"} {
			t.Run(group, func(t *testing.T) {
				m := l.also(t, group+".conf", "spake_preauth_groups = "+group)
				l.proves(t, m, l.login(t, m, "alice", withPassword("alice")), "spake")
			})
		}
		l.proves(t, m, l.login(t, m, "alice", withPassword("alice")), "spake")
		kt, err := keytab.Load("FILE:" + l.File("users.keytab"))
		require.NoError(t, err)
		l.proves(t, m, l.login(t, m, "bob", &krb5.LoginOptions{Keytab: kt}), "spake")
	})
	t.Run("wrong password", func(t *testing.T) {
		require.Equal(t, "0", l.failures(t, "carol"))
		wrong := &krb5.LoginOptions{Password: func() []byte { return []byte("wrong") }}
		_, err := m.Login(testContext(t), "carol", wrong)
		require.ErrorIs(t, err, krb5.ErrPreauthFailed)
		require.Equal(t, "1", l.failures(t, "carol"))
		wrong.Armor = l.login(t, m, "alice", withPassword("alice"))
		_, err = m.Login(testContext(t), "carol", wrong)
		require.ErrorIs(t, err, krb5.ErrPreauthFailed)
		require.Equal(t, "2", l.failures(t, "carol"))
	})
	t.Run("anonymous", func(t *testing.T) {
		c := l.login(t, m, "", &krb5.LoginOptions{Anonymous: true})
		env, _ := l.store(t, c)
		klist, err := l.RunEnv(env, "", "klist", "-C", "-f")
		require.NoError(t, err)
		require.Contains(t, klist, "Default principal: WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS")
		require.Contains(t, klist, "config: start_realm = "+preauthRealm)
		require.Regexp(t, "Flags: [A-Zd-z]*a", klist)
		_, err = l.RunEnv(env, "", "kvno", "host/localhost")
		require.NoError(t, err)

		// The same realm by name, and another group.
		m := l.also(t, "big.conf", "pkinit_dh_min_bits = 4096")
		l.login(t, m, "@"+preauthRealm, &krb5.LoginOptions{Anonymous: true})

		// Nobody's authority.
		other := x509.NewCertPool()
		other.AddCert(newAuthority(t).cert)
		_, err = m.Login(testContext(t), "", &krb5.LoginOptions{Anonymous: true, Anchors: other})
		require.ErrorIs(t, err, gssapi.ErrNoCred)
	})
	t.Run("FAST", func(t *testing.T) { l.testFAST(t, m) })
	t.Run("PKINIT", func(t *testing.T) { l.testPKINIT(t, m) })
	t.Run("OTP", func(t *testing.T) { l.testOTP(t, m) })
}

func (l *preauthLab) testFAST(t *testing.T, m *krb5.Mechanism) {
	// Armor of three kinds: a cache of MIT's kinit, a host's keytab, nobody's.
	file := filepath.Join(t.TempDir(), "armor")
	_, err := l.RunEnv(l.env(file), password("bob")+"\n", "kinit", "bob")
	require.NoError(t, err)
	cached, err := m.CacheCred(testContext(t), ccache.NewFile(file))
	require.NoError(t, err)
	kt, err := keytab.Load("FILE:" + l.File("services.keytab"))
	require.NoError(t, err)
	for name, armor := range map[string]mech.Cred{
		"cache":  cached,
		"host":   l.login(t, m, "host/localhost", &krb5.LoginOptions{Keytab: kt}),
		"nobody": l.login(t, m, "", &krb5.LoginOptions{Anonymous: true}),
	} {
		for _, hide := range []bool{false, true} {
			o := withPassword("alice")
			o.Armor, o.HideName = armor, hide
			c := l.login(t, m, "alice", o)
			l.proves(t, m, c, "fast")
			env, _ := l.store(t, c)
			klist, err := l.RunEnv(env, "", "klist", "-C")
			require.NoError(t, err, name)
			require.Contains(t, klist, fmt.Sprintf("config: fast_avail(krbtgt/%[1]s@%[1]s) = yes", preauthRealm))
			require.Contains(t, klist, fmt.Sprintf("config: pa_type(krbtgt/%[1]s@%[1]s) = 138", preauthRealm))

			// kinit takes our tickets for armor.
			trace := filepath.Join(t.TempDir(), "trace")
			_, armorFile := l.store(t, armor)
			_, err = l.RunEnv(append(l.env(filepath.Join(t.TempDir(), "cc")), "KRB5_TRACE="+trace), password("alice")+"\n", "kinit", "-T", "FILE:"+armorFile, "alice")
			require.NoError(t, err)
			text, err := os.ReadFile(trace)
			require.NoError(t, err)
			require.Contains(t, string(text), "FAST armor key")
		}
	}

	// A ticket for a service is asked for under armor, once it is known that
	// the KDC understands; and a KDC without FAST is not enough.
	w := &wiretap{}
	tapped := krb5.New(&krb5.Config{ConfigPath: l.File("client.conf"), Getenv: func(string) string { return "" }, KDC: w})
	c := l.login(t, tapped, "alice", withPassword("alice"))
	n, err := tapped.ImportName([]byte("host@localhost"), oid.NTHostBased)
	require.NoError(t, err)
	i, err := tapped.Initiate(n, mech.InitRequest{Creds: []mech.Cred{c}})
	require.NoError(t, err)
	defer i.Close()
	_, _, err = i.Step(testContext(t), nil)
	require.NoError(t, err)
	require.Contains(t, string(w.last), "\xa1\x04\x02\x02\x00\x88") // padata-type 136
	plain, pm := engine(t, "krb5.conf", "/nonexistent")
	_ = plain
	o := withPassword("alice")
	o.Armor = c
	_, err = pm.Login(testContext(t), "alice", o)
	require.ErrorIs(t, err, gssapi.ErrDefectiveCredential) // another mechanism value's
}

// wiretap keeps the last message.
type wiretap struct {
	krb5.Network
	last []byte
}

func (w *wiretap) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	w.last = slices.Clone(r.Message)
	return w.Network.Exchange(ctx, r)
}

func (l *preauthLab) testPKINIT(t *testing.T, m *krb5.Mechanism) {
	soon := time.Now().Add(time.Hour)
	with := func(key crypto.Signer, cert *x509.Certificate) *krb5.LoginOptions {
		return &krb5.LoginOptions{Signer: key, Certificates: []*x509.Certificate{cert}}
	}
	rsa, p256, p384 := rsaKey(t), ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384())
	for name, key := range map[string]crypto.Signer{"RSA": rsa, "P-256": p256, "P-384": p384} {
		t.Run(name, func(t *testing.T) {
			cert := l.ca.issue(t, key, oidKPClient, soon, "alice")
			l.proves(t, m, l.login(t, m, "alice", with(key, cert)), "pkinit")

			// kinit -X does the same with the same certificate.
			file := filepath.Join(t.TempDir(), "client.pem")
			writePEM(t, file, cert, key)
			cc := filepath.Join(t.TempDir(), "cc")
			_, err := l.RunEnv(l.env(cc), "", "kinit", "-X", "X509_user_identity=FILE:"+file, "alice")
			require.NoError(t, err)

			o := with(key, cert)
			o.Armor = l.login(t, m, "bob", withPassword("bob"))
			l.proves(t, m, l.login(t, m, "alice", o), "pkinit")
		})
	}
	alice := l.ca.issue(t, rsa, oidKPClient, soon, "alice")
	// KDCs before 1.22 know no curves, and say what they do know: 4096 bits are
	// as good as P-256, for which they are taken, and not as good as P-384.
	for _, bits := range []string{"1024", "2048", "4096", "P-256"} {
		m := l.also(t, "dh"+bits+".conf", "pkinit_dh_min_bits = "+bits)
		l.login(t, m, "alice", with(rsa, alice))
	}
	_, err := l.also(t, "dhP-384.conf", "pkinit_dh_min_bits = P-384").Login(testContext(t), "alice", with(rsa, alice))
	if err != nil {
		require.ErrorContains(t, err, "KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED")
	}
	for name, o := range map[string]*krb5.LoginOptions{
		"expired":           with(rsa, l.ca.issue(t, rsa, oidKPClient, time.Now().Add(-time.Minute), "alice")),
		"another's":         with(rsa, l.ca.issue(t, rsa, oidKPClient, soon, "bob")),
		"unknown authority": with(rsa, newAuthority(t).issue(t, rsa, oidKPClient, soon, "alice")),
	} {
		_, err := m.Login(testContext(t), "alice", o)
		require.ErrorIs(t, err, gssapi.ErrNoCred, name)
	}
}

func (l *preauthLab) testOTP(t *testing.T, m *krb5.Mechanism) {
	l.radius.set("tokens", "755224", "287082", "pin359152")
	prompt := func(value, pin string) func(context.Context, *krb5.OTPChallenge) (*krb5.OTPAnswer, error) {
		return func(_ context.Context, q *krb5.OTPChallenge) (*krb5.OTPAnswer, error) {
			require.NotEmpty(t, q.Tokens)
			a := &krb5.OTPAnswer{Value: []byte(value)}
			if pin != "" {
				a.PIN = []byte(pin)
			}
			return a, nil
		}
	}
	armor := l.login(t, m, "", &krb5.LoginOptions{Anonymous: true})
	c := l.login(t, m, "tokens", &krb5.LoginOptions{Armor: armor, Prompt: prompt("287082", "")})
	l.proves(t, m, c, "otp")
	l.login(t, m, "tokens", &krb5.LoginOptions{Armor: armor, Prompt: prompt("359152", "pin")})
	_, err := m.Login(testContext(t), "tokens", &krb5.LoginOptions{Armor: armor, Prompt: prompt("287082", "")})
	require.ErrorIs(t, err, krb5.ErrPreauthFailed)
}
