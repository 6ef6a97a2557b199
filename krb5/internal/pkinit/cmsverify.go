package pkinit

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	// maxCertificates is how many certificates a message may have.
	maxCertificates = 32
	// maxRSA is how many bits an RSA key in one of them may have, as in
	// crypto/tls. To verify with a key that fills a message takes many minutes,
	// and whose key it is can be told only afterwards.
	maxRSA = 8192
)

// signedContent is SignedData whose signature has been verified with the key of
// Signer, of whom nothing else is known yet.
type signedContent struct {
	Content []byte
	Signer  *x509.Certificate
	Others  []*x509.Certificate
}

// errSignature is one for all that can be wrong with a signature.
var errSignature = errors.New("pkinit: the signature is not right")

// signerInfo is a SignerInfo (RFC 5652 §5.3).
type signerInfo struct {
	issuer, keyID     []byte // one of the two
	serial            *big.Int
	digest, signature asn1.ObjectIdentifier
	attributes        cryptobyte.String // contents of the SET
	value             []byte
}

// openSigned parses a ContentInfo with SignedData and verifies its one
// signature. The content must be of the type.
func openSigned(b []byte, contentType asn1.ObjectIdentifier) (*signedContent, error) {
	in := cryptobyte.String(b)
	var outer, explicit0, seq cryptobyte.String
	var typ asn1.ObjectIdentifier
	if len(b) > MaxMessage || !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() ||
		!outer.ReadASN1ObjectIdentifier(&typ) || !typ.Equal(oidSignedData) ||
		!outer.ReadASN1(&explicit0, explicit(0)) || !outer.Empty() ||
		!explicit0.ReadASN1(&seq, cbasn1.SEQUENCE) || !explicit0.Empty() {
		return nil, syntax("ContentInfo")
	}
	var version int64
	var algs, encap, wrapped, content cryptobyte.String
	if !seq.ReadASN1Integer(&version) || version < 1 || version > 5 || !seq.ReadASN1(&algs, cbasn1.SET) ||
		!seq.ReadASN1(&encap, cbasn1.SEQUENCE) || !encap.ReadASN1ObjectIdentifier(&typ) ||
		!encap.ReadASN1(&wrapped, explicit(0)) || !encap.Empty() ||
		!wrapped.ReadASN1(&content, cbasn1.OCTET_STRING) || !wrapped.Empty() {
		return nil, syntax("SignedData")
	}
	if !typ.Equal(contentType) {
		return nil, syntax("eContentType")
	}
	certs, err := certificates(&seq)
	if err != nil {
		return nil, err
	}
	var crls, infos, info cryptobyte.String
	var has bool
	if !seq.ReadOptionalASN1(&crls, &has, explicit(1)) || !seq.ReadASN1(&infos, cbasn1.SET) || !seq.Empty() ||
		!infos.ReadASN1(&info, cbasn1.SEQUENCE) || !infos.Empty() {
		return nil, syntax("signerInfos")
	}
	s, err := parseSignerInfo(info)
	if err != nil {
		return nil, err
	}
	for i, c := range certs {
		if !s.by(c) {
			continue
		}
		if err := s.verify(c, contentType, content); err != nil {
			return nil, err
		}
		return &signedContent{Content: content, Signer: c, Others: append(certs[:i:i], certs[i+1:]...)}, nil
	}
	return nil, errors.New("pkinit: the signer's certificate is missing")
}

// certificates reads the optional set of certificates. Other things that may
// stand in it are passed over.
func certificates(seq *cryptobyte.String) ([]*x509.Certificate, error) {
	var set, element cryptobyte.String
	var has bool
	var tag cbasn1.Tag
	if !seq.ReadOptionalASN1(&set, &has, explicit(0)) {
		return nil, syntax("certificates")
	}
	var list []*x509.Certificate
	for count := 0; !set.Empty(); count++ {
		if count == maxCertificates || !set.ReadAnyASN1Element(&element, &tag) {
			return nil, syntax("certificates")
		}
		if tag != cbasn1.SEQUENCE {
			continue
		}
		c, err := x509.ParseCertificate(element)
		if err != nil {
			return nil, err
		}
		if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > maxRSA {
			return nil, fmt.Errorf("pkinit: an RSA key of %d bits, %d are allowed", k.N.BitLen(), maxRSA)
		}
		list = append(list, c)
	}
	return list, nil
}

func parseSignerInfo(info cryptobyte.String) (*signerInfo, error) {
	s := new(signerInfo)
	var version int64
	var sid, issuer, keyID, value, unsigned cryptobyte.String
	var has bool
	if !info.ReadASN1Integer(&version) || !info.ReadOptionalASN1(&keyID, &has, implicit(0)) {
		return nil, syntax("SignerInfo")
	}
	if !has && info.PeekASN1Tag(explicit(0)) {
		// Heimdal writes [0] OCTET STRING where RFC 5652 §5.3 has an implicit
		// tag.
		has = true
		var outer cryptobyte.String
		if !info.ReadASN1(&outer, explicit(0)) || !outer.ReadASN1(&keyID, cbasn1.OCTET_STRING) || !outer.Empty() {
			return nil, syntax("sid")
		}
	}
	if s.keyID = keyID; !has {
		s.serial = new(big.Int)
		if !info.ReadASN1(&sid, cbasn1.SEQUENCE) || !sid.ReadASN1Element(&issuer, cbasn1.SEQUENCE) ||
			!sid.ReadASN1Integer(s.serial) || !sid.Empty() {
			return nil, syntax("sid")
		}
		s.issuer = issuer
	}
	// The attributes are not optional: the content is not id-data.
	if !readAlgorithm(&info, &s.digest) || !info.ReadASN1(&s.attributes, explicit(0)) ||
		!readAlgorithm(&info, &s.signature) || !info.ReadASN1(&value, cbasn1.OCTET_STRING) ||
		!info.ReadOptionalASN1(&unsigned, &has, explicit(1)) || !info.Empty() {
		return nil, syntax("SignerInfo")
	}
	s.value = value
	return s, nil
}

// by reports whether the signer is named as the owner of the certificate.
func (s *signerInfo) by(c *x509.Certificate) bool {
	if s.issuer != nil {
		return hmac.Equal(s.issuer, c.RawIssuer) && s.serial.Cmp(c.SerialNumber) == 0
	}
	return len(s.keyID) > 0 && hmac.Equal(s.keyID, c.SubjectKeyId)
}

// verify verifies the signature over the attributes, and with them the content
// and its type (RFC 5652 §5.6).
func (s *signerInfo) verify(c *x509.Certificate, contentType asn1.ObjectIdentifier, content []byte) error {
	d, ok := digestOf(s.digest)
	if !ok {
		return errors.New("pkinit: unknown digest algorithm " + s.digest.String())
	}
	h := d.hash.New()
	h.Write(content)
	if err := checkAttributes(s.attributes, contentType, h.Sum(nil)); err != nil {
		return err
	}
	// What is signed is the SET with its own tag.
	var text cryptobyte.Builder
	text.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(s.attributes) })
	signed, err := text.Bytes()
	if err != nil {
		return err
	}
	if !s.signature.Equal(oidRSA) {
		// Heimdal's digest of the content is another one than that of the
		// signature.
		i := slices.IndexFunc(digests, func(d digest) bool { return s.signature.Equal(d.rsa) || s.signature.Equal(d.ecdsa) })
		if i < 0 {
			return errors.New("pkinit: unknown signature algorithm " + s.signature.String())
		}
		d = digests[i]
	}
	h = d.hash.New()
	h.Write(signed)
	sum := h.Sum(nil)
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if s.signature.Equal(d.ecdsa) || rsa.VerifyPKCS1v15(key, d.hash, sum, s.value) != nil {
			return errSignature
		}
	case *ecdsa.PublicKey:
		if !s.signature.Equal(d.ecdsa) || !ecdsa.VerifyASN1(key, sum, s.value) {
			return errSignature
		}
	default:
		return errors.New("pkinit: the signer's key is neither RSA nor ECDSA")
	}
	return nil
}

// checkAttributes compares the two attributes that must be there, each once.
func checkAttributes(set cryptobyte.String, contentType asn1.ObjectIdentifier, sum []byte) error {
	var types, sums int
	for !set.Empty() {
		var seq, values cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !set.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&oid) ||
			!seq.ReadASN1(&values, cbasn1.SET) || !seq.Empty() {
			return syntax("signedAttrs")
		}
		switch {
		case oid.Equal(oidContentType):
			types++
			var typ asn1.ObjectIdentifier
			if !values.ReadASN1ObjectIdentifier(&typ) || !values.Empty() || !typ.Equal(contentType) {
				return errSignature
			}
		case oid.Equal(oidMessageDigest):
			sums++
			var got cryptobyte.String
			if !values.ReadASN1(&got, cbasn1.OCTET_STRING) || !values.Empty() || !hmac.Equal(got, sum) {
				return errSignature
			}
		}
	}
	if types != 1 || sums != 1 {
		return errSignature
	}
	return nil
}
