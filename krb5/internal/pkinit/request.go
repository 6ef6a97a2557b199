package pkinit

import (
	"crypto/sha1"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Request is what a PA-PK-AS-REQ says (RFC 4556 §3.2.1).
type Request struct {
	// Identity signs; nil is an anonymous client.
	Identity *Identity
	// Time and Nonce are those of PKAuthenticator.
	Time  time.Time
	Nonce uint32
	// Body is the DER of the request's KDC-REQ-BODY.
	Body []byte
	// Freshness is the KDC's token (RFC 8070), nil for none.
	Freshness []byte
	Agreement *Agreement
}

// Append returns the DER of PA-PK-AS-REQ.
func (r *Request) Append(dst []byte) ([]byte, error) {
	pack, err := r.authPack()
	if err != nil {
		return nil, err
	}
	signed, err := sign(r.Identity, oidAuthData, pack)
	if err != nil {
		return nil, err
	}
	b := cryptobyte.NewBuilder(dst)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(implicit(0), func(b *cryptobyte.Builder) { b.AddBytes(signed) })
	})
	return b.Bytes()
}

// authPack is the DER of AuthPack, with RFC 8636's list of key derivation
// functions.
func (r *Request) authPack() ([]byte, error) {
	sum := sha1.Sum(r.Body)
	field := func(n uint8, f cryptobyte.BuilderContinuation) func(*cryptobyte.Builder) {
		return func(b *cryptobyte.Builder) { b.AddASN1(explicit(n), f) }
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		field(0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				field(0, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(r.Time.Nanosecond() / 1000)) })(b)
				field(1, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(r.Time.UTC().Truncate(time.Second)) })(b)
				field(2, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(r.Nonce)) })(b)
				field(3, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum[:]) })(b)
				if r.Freshness != nil {
					field(4, func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.Freshness) })(b)
				}
			})
		})(b)
		field(1, r.Agreement.spki)(b)
		field(2, cmsTypes)(b)
		field(4, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, k := range kdfs {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(k.oid) })
					})
				}
			})
		})(b)
	})
	return b.Bytes()
}

// cmsTypes lists the signatures that are understood in the reply.
func cmsTypes(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, d := range digests {
			for i, oid := range []asn1.ObjectIdentifier{d.rsa, d.ecdsa} {
				algorithm(b, oid, i == 0)
			}
		}
	})
}
