package pkinit

import (
	"encoding/asn1"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Reply is the dhInfo of a PA-PK-AS-REP (RFC 4556 §3.2.3.1, RFC 8636 §3). Its
// fields are parts of what was parsed.
type Reply struct {
	signed []byte
	// ServerNonce is serverDHNonce, nil if absent: the KDC has used its key
	// before.
	ServerNonce []byte
	// KDF is the key derivation function that was chosen, nil for that of RFC
	// 4556.
	KDF asn1.ObjectIdentifier
}

// ErrKeyTransport says that the KDC has encrypted the reply key for the client's
// certificate, which was not asked for.
var ErrKeyTransport = errors.New("pkinit: key transport instead of key agreement")

// ParseReply parses the DER of PA-PK-AS-REP.
func ParseReply(b []byte) (*Reply, error) {
	in := cryptobyte.String(b)
	if in.PeekASN1Tag(implicit(1)) || in.PeekASN1Tag(explicit(1)) {
		return nil, ErrKeyTransport
	}
	var outer, seq, signed, nonce, kdf, id, oid cryptobyte.String
	var has bool
	if len(b) > MaxMessage || !in.ReadASN1(&outer, explicit(0)) || !in.Empty() ||
		!outer.ReadASN1(&seq, cbasn1.SEQUENCE) || !outer.Empty() || !seq.ReadASN1(&signed, implicit(0)) {
		return nil, syntax("PA-PK-AS-REP")
	}
	r := &Reply{signed: signed}
	if !seq.ReadOptionalASN1(&nonce, &has, explicit(1)) {
		return nil, syntax("serverDHNonce")
	}
	if has {
		var v cryptobyte.String
		if !nonce.ReadASN1(&v, cbasn1.OCTET_STRING) || !nonce.Empty() {
			return nil, syntax("serverDHNonce")
		}
		r.ServerNonce = v
	}
	if !seq.ReadOptionalASN1(&kdf, &has, explicit(2)) || !seq.Empty() {
		return nil, syntax("DHRepInfo")
	}
	if has && (!kdf.ReadASN1(&id, cbasn1.SEQUENCE) || !kdf.Empty() || !id.ReadASN1(&oid, explicit(0)) ||
		!oid.ReadASN1ObjectIdentifier(&r.KDF) || !oid.Empty()) {
		return nil, syntax("kdf")
	}
	return r, nil
}

// Verify verifies the KDC's signature and certificate and returns the KDC's
// public key, as [Agreement.Shared] takes it. The nonce is that of the request.
func (r *Reply) Verify(t *Trust, realm string, nonce uint32, now time.Time) (public []byte, err error) {
	c, err := openSigned(r.signed, oidDHKeyData)
	if err != nil {
		return nil, err
	}
	if err := t.verify(c, realm, now); err != nil {
		return nil, err
	}
	var seq, f0, f1, f2 cryptobyte.String
	var bits asn1.BitString
	var n int64
	var has bool
	in := cryptobyte.String(c.Content)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() ||
		!seq.ReadASN1(&f0, explicit(0)) || !f0.ReadASN1BitString(&bits) || !f0.Empty() || bits.BitLength%8 != 0 ||
		!seq.ReadASN1(&f1, explicit(1)) || !f1.ReadASN1Integer(&n) || !f1.Empty() ||
		!seq.ReadOptionalASN1(&f2, &has, explicit(2)) || !seq.Empty() {
		return nil, syntax("KDCDHKeyInfo")
	}
	if has {
		var expires time.Time
		if !f2.ReadASN1GeneralizedTime(&expires) || !f2.Empty() {
			return nil, syntax("dhKeyExpiration")
		}
	}
	// A KDC that used its key before would sign a nonce of 0, but no nonce of
	// ours permits that (RFC 4556 §3.2.3.1).
	if n != int64(nonce) || r.ServerNonce != nil {
		return nil, errors.New("pkinit: the nonce that the KDC has signed is not the request's")
	}
	return bits.Bytes, nil
}
