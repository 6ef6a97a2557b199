package v1

import (
	"crypto/subtle"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

const tagFrame = 0x60 // [APPLICATION 0], RFC 2743 §3.1; the tokens themselves begin with 01 or 02

// frameLen returns the length of the frame around n bytes, for a mechanism whose
// OID has id bytes of DER.
func frameLen(id, n int) int {
	return 1 + 1 + lengthLen(n+id) + id
}

// lengthLen returns how many bytes of a length follow its first one.
func lengthLen(n int) (size int) {
	if n < 0x80 {
		return 0
	}
	for ; n > 0; n >>= 8 {
		size++
	}
	return size
}

// appendFrame appends the frame around the n bytes that follow. In DCE style the
// message, which is not among them, may stand elsewhere.
func appendFrame(dst, id []byte, n int) []byte {
	n += len(id)
	dst = append(dst, tagFrame)
	if n < 0x80 {
		dst = append(dst, byte(n))
	} else {
		size := lengthLen(n)
		dst = append(dst, 0x80|byte(size))
		for i := size - 1; i >= 0; i-- {
			dst = append(dst, byte(n>>(8*i)))
		}
	}
	return append(dst, id...)
}

// parseFrame takes a frame with the OID off b. n is how many bytes it claims to
// be around, and they, with whatever comes after them, are rest: a part of b,
// which has at least n bytes. A token without a frame is as long as it is.
func parseFrame(b, id []byte) (rest []byte, n int, err error) { return splitFrame(b, id, 0) }

// splitFrame is parseFrame for a token of which the last bytes, as many as
// elsewhere says, are not in b but count.
func splitFrame(b, id []byte, elsewhere int) (rest []byte, n int, err error) {
	if len(b) == 0 || b[0] != tagFrame {
		return b, len(b) + elsewhere, nil
	}
	if len(b) < 2 {
		return nil, 0, errFrame
	}
	at := 2
	n = int(b[1])
	if size := n & 0x7f; n >= 0x80 {
		if size == 0 || size > 4 || len(b) < at+size {
			return nil, 0, errFrame
		}
		var v uint64
		for _, x := range b[at : at+size] {
			v = v<<8 | uint64(x)
		}
		at += size
		if v < 0x80 || v>>(8*(size-1)) == 0 || v > uint64(len(b)+elsewhere) { // not as short as can be, or too much
			return nil, 0, errFrame
		}
		n = int(v)
	}
	rest = b[at:]
	if n > len(rest)+elsewhere || n < len(id) || len(rest) < len(id) {
		return nil, 0, errFrame
	}
	if subtle.ConstantTimeCompare(rest[:len(id)], id) != 1 {
		return nil, 0, krberr.GSSWrongMech
	}
	return rest[len(id):], n - len(id), nil
}
