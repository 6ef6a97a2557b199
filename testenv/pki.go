package testenv

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"

	krbasn1 "github.com/jcmturner/gofork/encoding/asn1"
)

// pki is the realm's authority and the KDC's certificate.
type pki struct {
	ca, kdc       *x509.Certificate
	caKey, kdcKey *ecdsa.PrivateKey
	token         []byte // for freshness
}

var (
	oidSAN        = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidKerberos   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 2}
	oidKDC        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 5}
	oidClientAuth = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 4}
)

// newPKI makes an authority and the KDC's certificate, good from an hour before
// to ten years after now.
func newPKI(realm string, now time.Time) (*pki, error) {
	p := &pki{token: make([]byte, 16)}
	_, _ = rand.Read(p.token) // never fails
	var err error
	if p.caKey, err = ecdsaKey(); err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "testenv CA of " + realm},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, p.caKey.Public(), p.caKey)
	if err != nil {
		return nil, err
	}
	if p.ca, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	name := types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", realm}}
	p.kdc, p.kdcKey, err = p.issue(realm, name, oidKDC, now.Add(-time.Hour), now.AddDate(10, 0, 0))
	return p, err
}

// issue makes a certificate for a principal (RFC 4556 §3.2.2).
func (p *pki) issue(realm string, name types.PrincipalName, purpose asn1.ObjectIdentifier, from, to time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsaKey()
	if err != nil {
		return nil, nil, err
	}
	san, err := kerberosSAN(realm, name)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name.PrincipalNameString()}, NotBefore: from, NotAfter: to,
		KeyUsage:           x509.KeyUsageDigitalSignature,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{purpose},
		ExtraExtensions:    []pkix.Extension{{Id: oidSAN, Value: san}},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, p.ca, key.Public(), p.caKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

// kerberosSAN is a subjectAltName with a KRB5PrincipalName.
func kerberosSAN(realm string, name types.PrincipalName) ([]byte, error) {
	value, err := krbasn1.Marshal(struct {
		Realm string              `asn1:"generalstring,explicit,tag:0"`
		Name  types.PrincipalName `asn1:"explicit,tag:1"`
	}{realm, name})
	if err != nil {
		return nil, err
	}
	other, err := asn1.MarshalWithParams(struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}{oidKerberos, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: value}}, "tag:0")
	if err != nil {
		return nil, err
	}
	return asn1.Marshal([]asn1.RawValue{{FullBytes: other}})
}

// sign is the KDC's SignedData around a KDCDHKeyInfo.
func (p *pki) sign(content []byte) ([]byte, error) {
	sum := sha256.Sum256(content)
	attr := func(oid asn1.ObjectIdentifier, v any) ([]byte, error) {
		value, err := asn1.Marshal(v)
		if err != nil {
			return nil, err
		}
		return asn1.Marshal(attribute{oid, asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: value}})
	}
	a, err := attr(oidTypeAttr, oidDHKeyData)
	if err != nil {
		return nil, err
	}
	b, err := attr(oidDigestAttr, sum[:])
	if err != nil {
		return nil, err
	}
	attrs := slices.Concat(a, b)
	text, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: attrs})
	if err != nil {
		return nil, err
	}
	sum = sha256.Sum256(text)
	sig, err := ecdsa.SignASN1(rand.Reader, p.kdcKey, sum[:])
	if err != nil {
		return nil, err
	}
	s := signerInfo{
		Version: 1, Digest: pkix.AlgorithmIdentifier{Algorithm: oidSHA256},
		Attrs:     asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: attrs},
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidECSHA256}, Signature: sig,
	}
	s.SID.Issuer, s.SID.Serial = asn1.RawValue{FullBytes: p.kdc.RawIssuer}, p.kdc.SerialNumber
	return asn1.Marshal(contentInfo{oidSignedData, signedData{
		Version: 3, Digests: []pkix.AlgorithmIdentifier{{Algorithm: oidSHA256}}, Encap: encapContent{oidDHKeyData, content},
		Certs:   asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: p.kdc.Raw},
		Signers: []signerInfo{s},
	}})
}

// verify verifies a client's SignedData and that the certificate is the
// client's.
func (p *pki) verify(d *signedData, realm string, client *entry, now time.Time) error {
	bad := &failure{code: errInvalidSig}
	certs, err := x509.ParseCertificates(d.Certs.Bytes)
	if err != nil || len(certs) == 0 || len(d.Signers) != 1 {
		return bad
	}
	s, leaf := d.Signers[0], certs[0]
	if !bytes.Equal(s.SID.Issuer.FullBytes, leaf.RawIssuer) || s.SID.Serial.Cmp(leaf.SerialNumber) != 0 {
		return bad
	}
	hash, ok := digests[s.Digest.Algorithm.String()]
	if !ok {
		return bad
	}
	h := hash.New()
	h.Write(d.Encap.Content)
	var attrs []attribute
	text, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: s.Attrs.Bytes})
	if err != nil {
		return bad
	}
	if rest, err := asn1.UnmarshalWithParams(text, &attrs, "set"); err != nil || len(rest) > 0 {
		return bad
	}
	sum, err := asn1.Marshal(h.Sum(nil))
	if err != nil {
		return bad
	}
	if !slices.ContainsFunc(attrs, func(a attribute) bool { return a.Type.Equal(oidDigestAttr) && bytes.Equal(a.Value.Bytes, sum) }) {
		return bad
	}
	if leaf.CheckSignature(signatures[s.Algorithm.Algorithm.String()], text, s.Signature) != nil {
		return bad
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(p.ca)
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return &failure{code: errClientNotTrusted}
	}
	want, err := kerberosSAN(realm, client.principal(nametype.KRB_NT_PRINCIPAL))
	if err != nil || !slices.ContainsFunc(leaf.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidSAN) && bytes.Equal(e.Value, want) }) {
		return &failure{code: errNameMismatch}
	}
	return nil
}

// Anchors returns the authority that the KDC's certificate comes from, nil
// without Options.PKINIT.
func (k *KDC) Anchors() *x509.CertPool {
	if k.pki == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(k.pki.ca)
	return pool
}

// AnchorsPEM is Anchors as a file for pkinit_anchors has it.
func (k *KDC) AnchorsPEM() []byte {
	if k.pki == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.pki.ca.Raw})
}

// Certificate makes a certificate and its key for a user, good for that long;
// with a negative lifetime it has expired. It is an error without
// Options.PKINIT.
func (k *KDC) Certificate(user string, lifetime time.Duration) (*x509.Certificate, crypto.Signer, error) {
	if k.pki == nil {
		return nil, nil, fmt.Errorf("testenv: the KDC does no PKINIT")
	}
	now := k.now()
	name := types.PrincipalName{NameType: nametype.KRB_NT_PRINCIPAL, NameString: k.split(user)}
	return k.pki.issue(k.realm, name, oidClientAuth, now.Add(min(0, 2*lifetime)-time.Hour), now.Add(lifetime))
}
