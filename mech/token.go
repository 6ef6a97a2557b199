package mech

import (
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/oid"
)

// MaxToken is the size in bytes above which a context token is refused unread.
const MaxToken = 1 << 20

const tagToken = 0x60 // [APPLICATION 0], RFC 2743 §3.1

// AppendToken appends an initial token to dst: the frame of RFC 2743 §3.1 with
// the mechanism m around the parts of the body.
func AppendToken(dst []byte, m oid.OID, body ...[]byte) []byte {
	var buf [16]byte
	id := m.AppendDER(buf[:0])
	n := len(id)
	for _, b := range body {
		n += len(b)
	}
	dst = append(slices.Grow(dst, n+6), tagToken)
	switch {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	case n < 0x10000:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		dst = append(dst, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		dst = append(dst, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	dst = append(dst, id...)
	for _, b := range body {
		dst = append(dst, b...)
	}
	return dst
}

// ParseToken takes the frame of RFC 2743 §3.1 off an initial token. The body is
// a part of b. A frame that is not minimal DER, bytes after its end and tokens
// of more than [MaxToken] bytes are ErrDefectiveToken.
func ParseToken(b []byte) (m oid.OID, body []byte, err error) {
	in := cryptobyte.String(b)
	var inner, id cryptobyte.String
	if len(b) > MaxToken ||
		!in.ReadASN1(&inner, asn1.Tag(tagToken)) || !in.Empty() ||
		!inner.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) {
		return oid.OID{}, nil, gsserr.ErrDefectiveToken
	}
	m, err = oid.FromDER(id)
	if err != nil {
		return oid.OID{}, nil, gsserr.ErrDefectiveToken
	}
	return m, inner, nil
}

// PeekToken returns the mechanism of an initial token, and the size in bytes
// that it claims to have, of which b may be no more than the beginning: for
// mechanisms whose tokens come in pieces. A beginning that does not hold the
// whole OID, in minimal DER, and one of more than [MaxToken] bytes are
// ErrDefectiveToken.
func PeekToken(b []byte) (m oid.OID, size int, err error) {
	if len(b) < 2 || b[0] != tagToken {
		return oid.OID{}, 0, gsserr.ErrDefectiveToken
	}
	head, n := 2, int(b[1])
	if n >= 0x80 {
		digits := n & 0x7f
		head, n = 2+digits, 0
		if digits == 0 || digits > 3 || len(b) < head || b[2] == 0 {
			return oid.OID{}, 0, gsserr.ErrDefectiveToken
		}
		for _, d := range b[2:head] {
			n = n<<8 | int(d)
		}
		if n < 0x80 {
			return oid.OID{}, 0, gsserr.ErrDefectiveToken
		}
	}
	size = head + n
	in := cryptobyte.String(b[head:min(size, len(b))])
	var id cryptobyte.String
	if size > MaxToken || !in.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) {
		return oid.OID{}, 0, gsserr.ErrDefectiveToken
	}
	if m, err = oid.FromDER(id); err != nil {
		return oid.OID{}, 0, gsserr.ErrDefectiveToken
	}
	return m, size, nil
}
