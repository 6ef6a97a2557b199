package pkinit

import (
	"crypto"
	_ "crypto/sha1"   // the hashes of kdfs and digests
	_ "crypto/sha256" // ″
	_ "crypto/sha512" // ″
	"encoding/asn1"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// kdfs are the key derivation functions of RFC 8636 that are offered, the
// preferred one first.
var kdfs = []struct {
	oid  asn1.ObjectIdentifier
	hash crypto.Hash
}{
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 6, 2}, crypto.SHA256},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 6, 4}, crypto.SHA384},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 6, 3}, crypto.SHA512},
}

// KDFInput is what the reply key comes from.
type KDFInput struct {
	Secret []byte // of the key agreement
	Etype  etype.ID
	// The rest is for RFC 8636 §4. Client and Server are the names of the
	// request with its realm, Request is the AS-REQ as it was sent, Reply the
	// PA-PK-AS-REP as it arrived.
	Client, Server principal.Name
	Request, Reply []byte
}

// ErrKDF says that the KDC chose a function that was not offered.
var ErrKDF = errors.New("pkinit: a key derivation function that was not offered")

// ReplyKey derives the reply key with one of the functions that are offered, or
// with that of RFC 4556 §3.2.3.1 if oid is nil.
func ReplyKey(oid asn1.ObjectIdentifier, in *KDFInput) (*enctype.Key, error) {
	if oid == nil {
		return octetString2Key(in)
	}
	for _, k := range kdfs {
		if k.oid.Equal(oid) {
			return in.derive(k.oid, k.hash)
		}
	}
	return nil, ErrKDF
}

// derive is the function of RFC 8636 §4.
func (in *KDFInput) derive(oid asn1.ObjectIdentifier, hash crypto.Hash) (*enctype.Key, error) {
	info, err := in.otherInfo(oid)
	if err != nil {
		return nil, err
	}
	size := enctype.SeedSize(in.Etype)
	var seed []byte
	for counter := uint32(1); len(seed) < size; counter++ {
		h := hash.New()
		h.Write(binary.BigEndian.AppendUint32(nil, counter))
		h.Write(in.Secret)
		h.Write(info)
		seed = h.Sum(seed)
	}
	defer clear(seed)
	return enctype.RandomToKey(in.Etype, seed[:size])
}

// otherInfo is the DER of OtherInfo.
func (in *KDFInput) otherInfo(oid asn1.ObjectIdentifier) ([]byte, error) {
	party := func(n principal.Name) cryptobyte.BuilderContinuation {
		return func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { principalName(b, n) })
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		algorithm(b, oid, false)
		b.AddASN1(explicit(0), party(in.Client))
		b.AddASN1(explicit(1), party(in.Server))
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(in.Etype)) })
					b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddASN1OctetString(in.Request) })
					b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(in.Reply) })
				})
			})
		})
	})
	return b.Bytes()
}

// generalString is the tag of a KerberosString.
const generalString = cbasn1.Tag(27)

// principalName writes a KRB5PrincipalName (RFC 4556 §3.2.2).
func principalName(b *cryptobyte.Builder, n principal.Name) {
	text := func(s string) cryptobyte.BuilderContinuation {
		return func(b *cryptobyte.Builder) {
			b.AddASN1(generalString, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
		}
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(0), text(n.Realm))
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(n.Type)) })
				b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						for _, c := range n.Components {
							text(c)(b)
						}
					})
				})
			})
		})
	})
}

// octetString2Key is octetstring2key of RFC 4556 §3.2.3.1.
func octetString2Key(in *KDFInput) (*enctype.Key, error) {
	size := enctype.SeedSize(in.Etype)
	var seed []byte
	for counter := byte(0); len(seed) < size; counter++ {
		h := crypto.SHA1.New()
		h.Write([]byte{counter})
		h.Write(in.Secret)
		seed = h.Sum(seed)
	}
	defer clear(seed)
	return enctype.RandomToKey(in.Etype, seed[:size])
}
