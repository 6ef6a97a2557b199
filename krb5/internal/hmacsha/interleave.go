package hmacsha

import (
	"crypto"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
)

// Turns returns how many bytes of a message m and c should work on in turn, when c
// encrypts and when it decrypts. Both are multiples of the hash's blocks.
//
// SHA-1 and SHA-256 by instructions of the processor are chains that wait for their
// predecessors most of the time, and so is encryption in CBC: two blocks of the hash
// are in the processor's view together with the cipher's, and run side by side.
// Between the rounds of SHA-384 there is AES, if that kernel is there; a turn only
// costs its ends. Decryption is no chain, and the faster it is the more its ends
// weigh. Elsewhere what one has touched should still be in the first-level cache for
// the other.
func (m *MAC) Turns(c *aescbc.Cipher) (encrypting, decrypting int) {
	const cached = 8 << 10
	chain := hasSHA && (m.hash == crypto.SHA1 || m.hash == crypto.SHA256)
	switch {
	case m.Weaves(c):
		return 512, cached
	case chain && c.Wide():
		return 128, 1024
	case chain && c.Accelerated():
		return 128, 256
	}
	return cached, cached
}

// WriteEncrypting is m.Write(p) and c.Encrypt(dst, src, iv), whose error it
// returns. p and dst must not overlap, since both may be done at once.
func (m *MAC) WriteEncrypting(p []byte, c *aescbc.Cipher, dst, src []byte, iv *[aescbc.BlockSize]byte) error {
	if len(dst) >= len(src) && len(src)%aescbc.BlockSize == 0 && m.Weaves(c) {
		n := m.kernel.weave(&p, c.Keys256(), dst, src, iv)
		dst, src = dst[n:], src[n:]
	}
	_, _ = m.Write(p) // never fails
	return c.Encrypt(dst, src, iv)
}
