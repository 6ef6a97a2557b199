package kkdcp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxMessage is the size of the largest Kerberos message, as over TCP.
const maxMessage = 4 << 20

// overhead is more than what stands around a message: tags, lengths and a realm.
const overhead = 1 << 16

// maxResponse is what a proxy may send in all, HTTP's header included.
const maxResponse = maxMessage + overhead + 1<<20

var errMalformed = errors.New("malformed KDC-PROXY-MESSAGE")

// Context tags of KDC-PROXY-MESSAGE (MS-KKDCP §2.2.2).
var (
	tagMessage = asn1.Tag(0).ContextSpecific().Constructed()
	tagDomain  = asn1.Tag(1).ContextSpecific().Constructed()
	tagHint    = asn1.Tag(2).ContextSpecific().Constructed()
)

const tagGeneralString = asn1.Tag(0x1b)

// appendMessage appends a KDC-PROXY-MESSAGE with a Kerberos message, which gets
// its length in front as over TCP (RFC 4120 §7.2.2), and the realm that it is
// for.
func appendMessage(dst, message []byte, realm string) ([]byte, error) {
	b := cryptobyte.NewBuilder(dst)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tagMessage, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
				b.AddUint32(uint32(len(message)))
				b.AddBytes(message)
			})
		})
		if realm != "" {
			b.AddASN1(tagDomain, func(b *cryptobyte.Builder) {
				b.AddASN1(tagGeneralString, func(b *cryptobyte.Builder) { b.AddBytes([]byte(realm)) })
			})
		}
	})
	return b.Bytes()
}

// parseMessage returns the Kerberos message, without its length, and the realm of
// a KDC-PROXY-MESSAGE. The message is a part of b.
func parseMessage(b []byte) (message []byte, realm string, err error) {
	in := cryptobyte.String(b)
	var seq, field, body, domain cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() ||
		!seq.ReadASN1(&field, tagMessage) || !field.ReadASN1(&body, asn1.OCTET_STRING) || !field.Empty() {
		return nil, "", errMalformed
	}
	var present bool
	if !seq.ReadOptionalASN1(&field, &present, tagDomain) || present && (!field.ReadASN1(&domain, tagGeneralString) || !field.Empty()) {
		return nil, "", errMalformed
	}
	// A hint for the proxy (§2.2.2) says nothing to a client.
	var hint int64
	if !seq.ReadOptionalASN1(&field, &present, tagHint) || present && (!field.ReadASN1Integer(&hint) || !field.Empty()) || !seq.Empty() {
		return nil, "", errMalformed
	}
	if len(body) < 4 {
		return nil, "", errMalformed
	}
	if size := binary.BigEndian.Uint32(body); uint64(size) != uint64(len(body)-4) {
		return nil, "", fmt.Errorf("%w: a length of %d before %d bytes", errMalformed, size, len(body)-4)
	}
	return body[4:], string(domain), nil
}
