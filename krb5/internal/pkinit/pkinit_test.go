package pkinit

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

var now = time.Now()

// keys are slow to make.
var testKeys = sync.OnceValue(func() map[string]crypto.Signer {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	keys := map[string]crypto.Signer{"RSA": r}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		if keys[name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			panic(err)
		}
	}
	return keys
})

// certify issues a certificate; without an issuer it is an authority's own.
func certify(t testing.TB, key crypto.Signer, issuer *Identity, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(c)
	}
	parent, parentKey := c, key
	if issuer != nil {
		parent, parentKey = issuer.Certificates[0], issuer.Signer
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), parentKey)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func authority(t testing.TB, name string, issuer *Identity) *Identity {
	t.Helper()
	return authorityWith(t, name, issuer, func(*x509.Certificate) {})
}

func authorityWith(t testing.TB, name string, issuer *Identity, change func(*x509.Certificate)) *Identity {
	t.Helper()
	key := testKeys()["P-256"]
	if issuer != nil {
		key = testKeys()["P-384"]
	}
	return &Identity{[]*x509.Certificate{certify(t, key, issuer, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = name, true, true, x509.KeyUsageCertSign
		change(c)
	})}, key}
}

// san is a subjectAltName for principals.
func san(names ...principal.Name) pkix.Extension {
	var b cryptobyte.Builder
	b.AddASN1(0x30, func(b *cryptobyte.Builder) {
		for _, n := range names {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidSAN)
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { principalName(b, n) })
			})
		}
	})
	return pkix.Extension{Id: oidSubjectAltName, Critical: true, Value: b.BytesOrPanic()}
}

const realm = "EXAMPLE.TEST"

// kdc is a certificate as RFC 4556 wants it.
func kdc(c *x509.Certificate) {
	c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{oidKPKdc}
	c.ExtraExtensions = []pkix.Extension{san(principal.TGS(realm, realm))}
}

func pool(certs ...*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}

func TestSigned(t *testing.T) {
	for name, key := range testKeys() {
		t.Run(name, func(t *testing.T) {
			id := &Identity{[]*x509.Certificate{certify(t, key, nil, nil)}, key}
			require.NoError(t, id.Check())
			content := []byte("content")
			b, err := sign(id, oidDHKeyData, content)
			require.NoError(t, err)
			got, err := openSigned(b, oidDHKeyData)
			require.NoError(t, err)
			require.Equal(t, content, got.Content)
			require.True(t, got.Signer.Equal(id.Certificates[0]))
			_, err = openSigned(b, oidAuthData)
			require.ErrorIs(t, err, ErrSyntax)

			// Every bit counts: what is still accepted has the same content and
			// is signed with the same key. The certificate's own signature is
			// for Trust to look at.
			step := 1
			if name == "P-521" || name == "P-384" {
				step = 5
			}
			for i := 0; i < len(b); i += step {
				bad := bytes.Clone(b)
				bad[i] ^= 1 << (i % 8)
				if got, err := openSigned(bad, oidDHKeyData); err == nil {
					require.Equal(t, content, got.Content, "byte %d", i)
					require.Equal(t, id.Certificates[0].PublicKey, got.Signer.PublicKey, "byte %d", i)
				}
			}
			for i := range b {
				_, err := openSigned(b[:i], oidDHKeyData)
				require.Error(t, err)
			}
			_, err = openSigned(append(b, 0), oidDHKeyData)
			require.ErrorIs(t, err, ErrSyntax)
		})
	}
}

// Without a signature there is nothing to believe.
func TestUnsigned(t *testing.T) {
	b, err := sign(nil, oidDHKeyData, []byte("content"))
	require.NoError(t, err)
	_, err = openSigned(b, oidDHKeyData)
	require.ErrorIs(t, err, ErrSyntax)
}

func TestIdentityCheck(t *testing.T) {
	keys := testKeys()
	cert := certify(t, keys["RSA"], nil, nil)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, id := range map[string]*Identity{
		"nothing": {}, "no key": {Certificates: []*x509.Certificate{cert}}, "no certificate": {Signer: keys["RSA"]},
		"nil certificate": {[]*x509.Certificate{cert, nil}, keys["RSA"]},
		"another key":     {[]*x509.Certificate{cert}, keys["P-256"]},
		"unknown kind":    {[]*x509.Certificate{certify(t, ed, nil, nil)}, ed},
	} {
		require.Error(t, id.Check(), name)
	}
	_, err = sign(&Identity{[]*x509.Certificate{cert}, ed}, oidAuthData, nil)
	require.Error(t, err)
}

func TestTrust(t *testing.T) {
	root := authority(t, "root", nil)
	middle := authority(t, "middle", root)
	key := testKeys()["P-256"]
	other := authority(t, "other", nil)
	for _, tt := range []struct {
		name   string
		issuer *Identity
		change func(*x509.Certificate)
		trust  Trust
		sent   []*x509.Certificate
		want   error
	}{
		{"right", root, kdc, Trust{}, nil, nil},
		{"nobody trusted", root, kdc, Trust{Anchors: x509.NewCertPool()}, nil, ErrUntrusted},
		{"another authority", other, kdc, Trust{}, nil, ErrUntrusted},
		{"the middle is missing", middle, kdc, Trust{}, nil, ErrUntrusted},
		{"the middle is sent", middle, kdc, Trust{}, middle.Certificates, nil},
		{"the middle is at hand", middle, kdc, Trust{Intermediates: middle.Certificates}, nil, nil},
		{"expired", root, func(c *x509.Certificate) { kdc(c); c.NotAfter = now.Add(-time.Minute) }, Trust{}, nil, ErrUntrusted},
		{"not yet", root, func(c *x509.Certificate) { kdc(c); c.NotBefore = now.Add(time.Minute) }, Trust{}, nil, ErrUntrusted},
		{"another realm", root, func(c *x509.Certificate) {
			kdc(c)
			c.ExtraExtensions = []pkix.Extension{san(principal.TGS("OTHER.TEST", "OTHER.TEST"))}
		}, Trust{}, nil, ErrName},
		{"a user of the realm", root, func(c *x509.Certificate) {
			kdc(c)
			c.ExtraExtensions = []pkix.Extension{san(principal.New(realm, "krbtgt"))}
		}, Trust{}, nil, ErrName},
		{"several names", root, func(c *x509.Certificate) {
			kdc(c)
			c.ExtraExtensions = []pkix.Extension{san(principal.New(realm, "x"), principal.TGS(realm, realm))}
		}, Trust{}, nil, nil},
		{"no name", root, func(c *x509.Certificate) { kdc(c); c.ExtraExtensions = nil }, Trust{}, nil, ErrName},
		{"malformed name", root, func(c *x509.Certificate) {
			kdc(c)
			c.ExtraExtensions = []pkix.Extension{{Id: oidSubjectAltName, Value: []byte{0x30, 2, 0xa0, 0}}}
		}, Trust{}, nil, ErrName},
		{"host", root, func(c *x509.Certificate) { kdc(c); c.ExtraExtensions = nil; c.DNSNames = []string{"KDC.example.test"} }, Trust{Hosts: []string{"kdc.example.test"}}, nil, nil},
		{"another host", root, func(c *x509.Certificate) { kdc(c); c.ExtraExtensions = nil; c.DNSNames = []string{"www.example.test"} }, Trust{Hosts: []string{"kdc.example.test"}}, nil, ErrName},
		{"no purpose", root, func(c *x509.Certificate) { kdc(c); c.UnknownExtKeyUsage = nil }, Trust{}, nil, ErrPurpose},
		{"no purpose, none needed", root, func(c *x509.Certificate) { kdc(c); c.UnknownExtKeyUsage = nil }, Trust{Purpose: KPAny}, nil, nil},
		{"a server's purpose", root, func(c *x509.Certificate) {
			kdc(c)
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}, Trust{}, nil, ErrPurpose},
		{"a server's purpose is enough", root, func(c *x509.Certificate) {
			kdc(c)
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}, Trust{Purpose: KPServerAuth}, nil, nil},
		{"a client's purpose", root, func(c *x509.Certificate) {
			kdc(c)
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 2, 3, 4}}
		}, Trust{Purpose: KPServerAuth}, nil, ErrPurpose},
		{"a key that does not sign", root, func(c *x509.Certificate) { kdc(c); c.KeyUsage = x509.KeyUsageKeyAgreement }, Trust{}, nil, ErrPurpose},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.trust.Anchors == nil {
				tt.trust.Anchors = pool(root.Certificates...)
			}
			cert := certify(t, key, tt.issuer, tt.change)
			err := tt.trust.verify(&signedContent{Signer: cert, Others: tt.sent}, realm, now)
			if tt.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.want)
			}
		})
	}
	require.ErrorIs(t, (*Trust)(nil).verify(&signedContent{}, realm, now), ErrUntrusted)
	require.ErrorIs(t, (&Trust{}).verify(&signedContent{}, realm, now), ErrUntrusted)
}

func TestAgreement(t *testing.T) {
	for _, g := range Groups() {
		t.Run(g.String(), func(t *testing.T) {
			a, err := NewAgreement(g)
			require.NoError(t, err)
			b, err := NewAgreement(g)
			require.NoError(t, err)
			require.NotEqual(t, a.Public, b.Public)
			x, err := a.Shared(b.Public)
			require.NoError(t, err)
			y, err := b.Shared(a.Public)
			require.NoError(t, err)
			require.Equal(t, x, y)
			for _, bad := range [][]byte{nil, {}, {2, 1, 0}, {2, 1, 1}, {2, 1, 0xff}, {4}, append(bytes.Clone(b.Public), 0), b.Public[:len(b.Public)-1], make([]byte, 5000)} {
				_, err := a.Shared(bad)
				require.ErrorIs(t, err, errPublic, "%x", bad)
			}
			a.Clear()
			require.False(t, slices.ContainsFunc(a.x, func(c byte) bool { return c != 0 }))

			var spki cryptobyte.Builder
			b.spki(&spki)
			if _, curve := g.curve(); curve != nil {
				_, err := x509.ParsePKIXPublicKey(spki.BytesOrPanic())
				require.NoError(t, err)
			}
		})
	}
	// The values that make the secret no secret.
	a, err := NewAgreement(MODP2048)
	require.NoError(t, err)
	p := number(t, modp2048)
	for _, y := range []*big.Int{p, new(big.Int).Sub(p, big.NewInt(1)), new(big.Int).Add(p, big.NewInt(2)), big.NewInt(1)} {
		_, err := a.Shared(integer(y.Bytes()))
		require.ErrorIs(t, err, errPublic)
	}
	_, err = NewAgreement(0)
	require.Error(t, err)
	require.NotEmpty(t, Group(99).String())
}

func TestGroupLists(t *testing.T) {
	for text, want := range map[string][]Group{
		"": Groups(), "2048": Groups(), "1024": Groups(), "nonsense": Groups(),
		"4096": {MODP4096, P384, P521}, " p-256 ": {P256, P384, P521, MODP4096}, "P-384": {P384, P521}, "P-521": {P521},
	} {
		require.Equal(t, want, MinBits(text), text)
	}
	list := func(groups ...Group) []byte {
		var b cryptobyte.Builder
		b.AddASN1(0x30, func(b *cryptobyte.Builder) {
			b.AddASN1(0x30, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidRSA) })
			for _, g := range groups {
				g.parameters(b)
			}
		})
		return b.BytesOrPanic()
	}
	got, err := Acceptable(list(P521, MODP4096, P256), []Group{MODP2048, MODP4096, P256})
	require.NoError(t, err)
	require.Equal(t, []Group{MODP4096, P256}, got)
	got, err = Acceptable(list(), Groups())
	require.NoError(t, err)
	require.Empty(t, got)
	for _, bad := range [][]byte{nil, {0x30}, append(list(P256), 0), {0x30, 2, 5, 0}} {
		_, err := Acceptable(bad, Groups())
		require.ErrorIs(t, err, ErrSyntax)
	}
}

// answer is a KDC's PA-PK-AS-REP.
func answer(t testing.TB, id *Identity, public []byte, nonce int64, extra func(*cryptobyte.Builder)) []byte {
	t.Helper()
	var info cryptobyte.Builder
	info.AddASN1(0x30, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1BitString(public) })
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddASN1Int64(nonce) })
	})
	signed, err := sign(id, oidDHKeyData, info.BytesOrPanic())
	require.NoError(t, err)
	var b cryptobyte.Builder
	b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
		b.AddASN1(0x30, func(b *cryptobyte.Builder) {
			b.AddASN1(implicit(0), func(b *cryptobyte.Builder) { b.AddBytes(signed) })
			if extra != nil {
				extra(b)
			}
		})
	})
	return b.BytesOrPanic()
}

func TestReply(t *testing.T) {
	root := authority(t, "root", nil)
	key := testKeys()["P-256"]
	id := &Identity{[]*x509.Certificate{certify(t, key, root, kdc)}, key}
	trust := &Trust{Anchors: pool(root.Certificates...)}
	r, err := ParseReply(answer(t, id, []byte("public"), 7, nil))
	require.NoError(t, err)
	require.Nil(t, r.KDF)
	public, err := r.Verify(trust, realm, 7, now)
	require.NoError(t, err)
	require.Equal(t, "public", string(public))
	for name, f := range map[string]func() ([]byte, error){
		"nonce": func() ([]byte, error) { return r.Verify(trust, realm, 8, now) },
		"realm": func() ([]byte, error) { return r.Verify(trust, "OTHER.TEST", 7, now) },
		"time":  func() ([]byte, error) { return r.Verify(trust, realm, 7, now.Add(2*time.Hour)) },
		"trust": func() ([]byte, error) { return r.Verify(&Trust{}, realm, 7, now) },
	} {
		_, err := f()
		require.Error(t, err, name)
	}
	// A key that the KDC uses again, with a nonce of its own.
	r, err = ParseReply(answer(t, id, []byte("public"), 7, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddASN1OctetString([]byte("server")) })
	}))
	require.NoError(t, err)
	require.Equal(t, "server", string(r.ServerNonce))
	_, err = r.Verify(trust, realm, 7, now)
	require.Error(t, err)

	r, err = ParseReply(answer(t, id, []byte("public"), 7, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) {
			b.AddASN1(0x30, func(b *cryptobyte.Builder) {
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(kdfs[1].oid) })
			})
		})
	}))
	require.NoError(t, err)
	require.True(t, r.KDF.Equal(kdfs[1].oid))

	// A client's signature is no KDC's.
	signed, err := sign(id, oidAuthData, []byte("x"))
	require.NoError(t, err)
	_, err = (&Reply{signed: signed}).Verify(trust, realm, 7, now)
	require.ErrorIs(t, err, ErrSyntax)
}

func TestGoldenMIT(t *testing.T) {
	f, err := os.Open("testdata/mit.txt")
	require.NoError(t, err)
	defer f.Close()
	golden := map[string][]byte{}
	for s := bufio.NewScanner(f); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), " ")
		golden[name], _ = hex.DecodeString(value)
	}
	r, err := ParseReply(golden["dhInfo"])
	require.NoError(t, err)
	require.Equal(t, "krb5data", string(r.signed))
	require.Equal(t, "krb5data", string(r.ServerNonce))
	require.NotNil(t, r.KDF)
	_, err = ParseReply(golden["encKeyPack"])
	require.ErrorIs(t, err, ErrKeyTransport)
	want := principal.New("ATHENA.MIT.EDU", "hftsai", "extra")
	var b cryptobyte.Builder
	principalName(&b, want)
	require.Equal(t, golden["principal"], b.BytesOrPanic())
	n, ok := parsePrincipalName(golden["principal"])
	require.True(t, ok)
	require.Equal(t, want, n)
	for i := range golden["principal"] {
		_, ok := parsePrincipalName(golden["principal"][:i])
		require.False(t, ok)
	}
}

// TestHeimdal verifies a reply as Heimdal writes it, which is not as RFC 5652 has
// it.
func TestHeimdal(t *testing.T) {
	text, err := os.ReadFile("testdata/lenient/heimdal-sid.txt")
	require.NoError(t, err)
	f := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		f[name] = value
	}
	number := func(name string) int64 {
		n, err := strconv.ParseInt(f[name], 10, 64)
		require.NoError(t, err)
		return n
	}
	der, err := hex.DecodeString(f["ca"])
	require.NoError(t, err)
	ca, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	b, err := hex.DecodeString(f["reply"])
	require.NoError(t, err)
	r, err := ParseReply(b)
	require.NoError(t, err)
	trust := &Trust{Anchors: pool(ca)}
	at := time.Unix(number("time"), 0)
	honest, err := r.Verify(trust, f["realm"], uint32(number("nonce")), at)
	require.NoError(t, err)
	_, err = r.Verify(trust, f["realm"], uint32(number("nonce"))+1, at)
	require.Error(t, err)
	_, err = r.Verify(&Trust{Anchors: pool(authority(t, "other", nil).Certificates...)}, f["realm"], uint32(number("nonce")), at)
	require.ErrorIs(t, err, ErrUntrusted)
	// What is lenient does not accept more signatures.
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1 << (i % 8)
		if r, err := ParseReply(bad); err == nil {
			if public, err := r.Verify(trust, f["realm"], uint32(number("nonce")), at); err == nil {
				require.Equal(t, honest, public, "byte %d", i)
			}
		}
	}
}

// Every field of the input makes another key.
func TestReplyKeyDepends(t *testing.T) {
	seen := map[string]string{}
	add := func(name string, oid asn1.ObjectIdentifier, in *KDFInput) {
		k, err := ReplyKey(oid, in)
		require.NoError(t, err)
		require.Empty(t, seen[string(k.Bytes())], name)
		seen[string(k.Bytes())] = name
	}
	for name, change := range map[string]func(*KDFInput){
		"base": func(*KDFInput) {}, "secret": func(in *KDFInput) { in.Secret[0]++ }, "etype": func(in *KDFInput) { in.Etype = etype.AES256SHA2 },
		"client": func(in *KDFInput) { in.Client.Components = []string{"lhb"} }, "server": func(in *KDFInput) { in.Server.Realm = "X" },
		"request": func(in *KDFInput) { in.Request = nil }, "reply": func(in *KDFInput) { in.Reply = nil },
	} {
		for _, k := range kdfs {
			in := vectorInput(etype.AES256SHA1)
			change(in)
			add(name+k.hash.String(), k.oid, in)
		}
	}
	in := vectorInput(etype.AES256SHA1)
	add("RFC 4556", nil, in)
	_, err := ReplyKey(oidKDFSHA1, in)
	require.ErrorIs(t, err, ErrKDF)
	in.Etype = 999
	_, err = ReplyKey(nil, in)
	require.Error(t, err)
	_, err = ReplyKey(kdfs[0].oid, in)
	require.Error(t, err)
}

func TestRequest(t *testing.T) {
	key := testKeys()["P-256"]
	a, err := NewAgreement(P256)
	require.NoError(t, err)
	for _, id := range []*Identity{nil, {[]*x509.Certificate{certify(t, key, nil, nil)}, key}} {
		r := Request{Identity: id, Time: now, Nonce: 9, Body: []byte("body"), Freshness: []byte("fresh token"), Agreement: a}
		b, err := r.Append([]byte("dst"))
		require.NoError(t, err)
		require.Equal(t, "dst", string(b[:3]))
		require.Contains(t, string(b), "fresh token")
		require.Contains(t, string(b), string(a.Public))
		var outer struct {
			Signed []byte `asn1:"tag:0"`
		}
		rest, err := asn1.Unmarshal(b[3:], &outer)
		require.NoError(t, err)
		require.Empty(t, rest)
		if id != nil {
			c, err := openSigned(outer.Signed, oidAuthData)
			require.NoError(t, err)
			require.Contains(t, string(c.Content), "fresh token")
		}
	}
}

func TestLoadCertificates(t *testing.T) {
	dir := t.TempDir()
	a, b := authority(t, "a", nil).Certificates[0], authority(t, "b", nil).Certificates[0]
	text := func(certs ...*x509.Certificate) (out []byte) {
		for _, c := range certs {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		return out
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	both := write("both.pem", append([]byte("# text\n-----BEGIN X-----\nAA==\n-----END X-----\n"), text(a, b)...))
	for _, name := range []string{both, "FILE:" + both} {
		got, err := LoadCertificates(name)
		require.NoError(t, err)
		require.Len(t, got, 2)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
	for _, name := range []string{"d/1.crt", "d/hash.0"} {
		write(name, text(a))
	}
	write("d/README", []byte("not one"))
	got, err := LoadCertificates("DIR:" + filepath.Join(dir, "d"))
	require.NoError(t, err)
	require.Len(t, got, 2)
	for _, bad := range []string{
		"FILE:" + filepath.Join(dir, "missing"), "DIR:" + filepath.Join(dir, "missing"), "PKCS12:x", "ENV:x",
		write("none.pem", []byte("nothing")), write("bad.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})),
		write("huge.pem", slices.Repeat([]byte("x"), maxFile+1)),
	} {
		_, err := LoadCertificates(bad)
		require.Error(t, err, bad)
	}
	write("d/bad.pem", []byte("x"))
	_, err = LoadCertificates("DIR:" + filepath.Join(dir, "d"))
	require.Error(t, err)
}

// FuzzReply: no answer makes trouble, and none that is not the KDC's is
// believed.
func FuzzReply(f *testing.F) {
	root := authority(f, "root", nil)
	key := testKeys()["P-256"]
	honest := answer(f, &Identity{[]*x509.Certificate{certify(f, key, root, kdc)}, key}, []byte("public"), 7, nil)
	f.Add(honest)
	stranger := authority(f, "stranger", nil)
	f.Add(answer(f, &Identity{[]*x509.Certificate{certify(f, key, stranger, kdc)}, key}, []byte("evil"), 7, nil))
	trust := &Trust{Anchors: pool(root.Certificates...)}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReply(b)
		if err != nil {
			return
		}
		if public, err := r.Verify(trust, realm, 7, now); err == nil && string(public) != "public" {
			t.Fatalf("%x is believed", public)
		}
	})
}

func FuzzKerberosNames(f *testing.F) {
	f.Add(san(principal.TGS(realm, realm)).Value)
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &x509.Certificate{Extensions: []pkix.Extension{{Id: oidSubjectAltName, Value: b}}}
		for _, n := range KerberosNames(c) {
			if len(n.Components) == 0 || len(n.Components) > principal.MaxComponents {
				t.Fatal(n)
			}
		}
	})
}

func FuzzAcceptable(f *testing.F) {
	var b cryptobyte.Builder
	b.AddASN1(0x30, func(b *cryptobyte.Builder) {
		for _, g := range Groups() {
			g.parameters(b)
		}
	})
	f.Add(b.BytesOrPanic())
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = Acceptable(b, Groups()) })
}

func BenchmarkAgreement(b *testing.B) {
	for _, g := range Groups() {
		b.Run(g.String(), func(b *testing.B) {
			peer, err := NewAgreement(g)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				a, err := NewAgreement(g)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := a.Shared(peer.Public); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
