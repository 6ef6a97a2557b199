// Package pkinit is the public-key side of PKINIT (RFC 4556, with RFC 5349, RFC
// 8062, RFC 8070 and RFC 8636): key agreement, signed messages, the derivation
// of the reply key, and what a KDC's certificate must say. Messages of Kerberos
// proper are in package wire, the exchange in package kdcclient.
//
// Only key agreement is done. In the other form of RFC 4556 the KDC encrypts the
// reply key for the client's RSA key, which gives away all that was said once
// that key is lost; it is refused.
package pkinit

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrSyntax says that a message is not what its ASN.1 definition allows.
var ErrSyntax = errors.New("pkinit: malformed message")

func syntax(field string) error { return fmt.Errorf("%w: %s", ErrSyntax, field) }

// MaxMessage is the size in bytes above which no message is parsed.
const MaxMessage = 1 << 20

// Object identifiers.
var (
	oidAuthData       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 1} // RFC 4556 §3.1.1
	oidDHKeyData      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 2}
	oidKPKdc          = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 5}
	oidSAN            = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 2}
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} // RFC 5652
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}

	oidDH        = asn1.ObjectIdentifier{1, 2, 840, 10046, 2, 1} // dhpublicnumber, RFC 3279 §2.3.3
	oidECKey     = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1} // RFC 5480
	oidCurveP256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidCurveP384 = asn1.ObjectIdentifier{1, 3, 132, 0, 34}
	oidCurveP521 = asn1.ObjectIdentifier{1, 3, 132, 0, 35}

	oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

// digest is a hash of signed messages, and the two signature algorithms that go
// with it.
type digest struct {
	hash            crypto.Hash
	oid, rsa, ecdsa asn1.ObjectIdentifier
}

// digests are those that are known, the preferred one first. SHA-1, which some
// KDCs have nothing else than, is accepted in the signature of a reply: what a
// KDC signs has a fresh key of its own in it, so that nobody could have prepared
// another text with the same hash. Nothing is signed with it here, and no
// certificate may be.
var digests = []digest{
	{crypto.SHA256, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}},
	{crypto.SHA384, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}},
	{crypto.SHA512, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}},
	{crypto.SHA1, asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}},
}

func digestOf(oid asn1.ObjectIdentifier) (digest, bool) {
	i := slices.IndexFunc(digests, func(d digest) bool { return d.oid.Equal(oid) })
	if i < 0 {
		return digest{}, false
	}
	return digests[i], true
}

// Identity is who signs: a certificate, with those that lead up to an
// authority behind it, and its key. It is not modified.
type Identity struct {
	Certificates []*x509.Certificate
	Signer       crypto.Signer
}

// Check reports what is wrong with an identity: it has no certificate, or a key
// that is another one's or of an unknown kind.
func (id *Identity) Check() error {
	if id.Signer == nil || len(id.Certificates) == 0 || slices.Contains(id.Certificates, nil) {
		return errors.New("pkinit: a certificate and its key are needed")
	}
	if _, _, err := signatureFor(id.Signer.Public()); err != nil {
		return err
	}
	own, ok := id.Signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !own.Equal(id.Certificates[0].PublicKey) {
		return errors.New("pkinit: the key is not that of the first certificate")
	}
	return nil
}

// explicit returns the context tag of a constructed field.
func explicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

// implicit returns the context tag of a primitive field.
func implicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific() }

// algorithm writes an AlgorithmIdentifier, with NULL as its parameters or
// without any.
func algorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, null bool) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if null {
			b.AddASN1NULL()
		}
	})
}

// readAlgorithm reads an AlgorithmIdentifier, whose parameters, if any, are
// NULL.
func readAlgorithm(in *cryptobyte.String, oid *asn1.ObjectIdentifier) bool {
	var seq, params cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(oid) {
		return false
	}
	return seq.Empty() || seq.ReadASN1(&params, cbasn1.NULL) && params.Empty() && seq.Empty()
}
