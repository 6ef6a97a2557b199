package pkinit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// sign returns a ContentInfo with SignedData (RFC 5652 §5) around content of a
// type. Without an identity there is no signature, which is how an anonymous
// client sends its content (RFC 8062 §4.1).
func sign(id *Identity, contentType asn1.ObjectIdentifier, content []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				if err := signedData(b, id, contentType, content); err != nil {
					b.SetError(err)
				}
			})
		})
	})
	return b.Bytes()
}

func signedData(b *cryptobyte.Builder, id *Identity, contentType asn1.ObjectIdentifier, content []byte) error {
	var d digest
	var signature asn1.ObjectIdentifier
	if id != nil {
		var err error
		if d, signature, err = signatureFor(id.Signer.Public()); err != nil {
			return err
		}
	}
	b.AddASN1Int64(3) // the content is not id-data
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		if id != nil {
			algorithm(b, d.oid, false)
		}
	})
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(contentType)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
	})
	if id == nil {
		b.AddASN1(cbasn1.SET, func(*cryptobyte.Builder) {})
		return nil
	}
	b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
		for _, c := range id.Certificates {
			b.AddBytes(c.Raw)
		}
	})
	h := d.hash.New()
	h.Write(content)
	sum := h.Sum(nil)
	// One SET, whose elements DER has in the order of their encodings: the type
	// is the shorter one with the types used here.
	attributes := func(b *cryptobyte.Builder) {
		attribute(b, oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(contentType) })
		attribute(b, oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum) })
	}
	var signed cryptobyte.Builder
	signed.AddASN1(cbasn1.SET, attributes)
	text, err := signed.Bytes()
	if err != nil {
		return err
	}
	h = d.hash.New()
	h.Write(text)
	value, err := id.Signer.Sign(rand.Reader, h.Sum(nil), d.hash)
	if err != nil {
		return err
	}
	leaf := id.Certificates[0]
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(leaf.RawIssuer)
				b.AddASN1BigInt(leaf.SerialNumber)
			})
			algorithm(b, d.oid, false)
			b.AddASN1(explicit(0), attributes)
			_, isRSA := id.Signer.Public().(*rsa.PublicKey)
			algorithm(b, signature, isRSA)
			b.AddASN1OctetString(value)
		})
	})
	return nil
}

func attribute(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, value cryptobyte.BuilderContinuation) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(cbasn1.SET, value)
	})
}

// signatureFor returns how a key signs.
func signatureFor(public crypto.PublicKey) (digest, asn1.ObjectIdentifier, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return digests[0], digests[0].rsa, nil
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return digests[0], digests[0].ecdsa, nil
		case elliptic.P384():
			return digests[1], digests[1].ecdsa, nil
		case elliptic.P521():
			return digests[2], digests[2].ecdsa, nil
		}
	}
	return digest{}, nil, errors.New("pkinit: only RSA keys and ECDSA keys of P-256, P-384 and P-521 can sign")
}
