//go:build gc && !purego && !boringcrypto

package hmacsha

import (
	"crypto"

	"golang.org/x/sys/cpu"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
)

// stretch is how many bytes go through the assembler at once: the scheduler and
// the garbage collector cannot interrupt it.
const stretch = 64 << 10

// The initial states of FIPS 180-4 §5.3.
var (
	sha1 = variant{block: 64, size: 20, length: 8, initial: digest{
		0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x89, 0x98, 0xba, 0xdc, 0xfe, 0x10, 0x32, 0x54, 0x76,
		0xc3, 0xd2, 0xe1, 0xf0,
	}}
	sha256 = variant{block: 64, size: 32, length: 8, initial: digest{
		0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3, 0x72, 0xa5, 0x4f, 0xf5, 0x3a,
		0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05, 0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19,
	}}
	sha384 = variant{block: 128, size: 48, length: 16, initial: digest{
		0xcb, 0xbb, 0x9d, 0x5d, 0xc1, 0x05, 0x9e, 0xd8, 0x62, 0x9a, 0x29, 0x2a, 0x36, 0x7c, 0xd5, 0x07,
		0x91, 0x59, 0x01, 0x5a, 0x30, 0x70, 0xdd, 0x17, 0x15, 0x2f, 0xec, 0xd8, 0xf7, 0x0e, 0x59, 0x39,
		0x67, 0x33, 0x26, 0x67, 0xff, 0xc0, 0x0b, 0x31, 0x8e, 0xb4, 0x4a, 0x87, 0x68, 0x58, 0x15, 0x11,
		0xdb, 0x0c, 0x2e, 0x0d, 0x64, 0xf9, 0x8f, 0xa7, 0x47, 0xb5, 0x48, 0x1d, 0xbe, 0xfa, 0x4f, 0xa4,
	}}
)

// variantOf returns the hash if this processor can run a kernel for it, else nil.
func variantOf(h crypto.Hash) *variant {
	switch {
	case h == crypto.SHA1 && hasSHA:
		return &sha1
	case h == crypto.SHA256 && hasSHA:
		return &sha256
	case h == crypto.SHA384 && hasAVX512:
		return &sha384
	}
	return nil
}

var (
	// hasSHA is whether there are the instructions for SHA-1 and SHA-256, and those
	// around them. [cpu.X86] does not tell of the first.
	hasSHA = cpu.X86.HasSSSE3 && cpu.X86.HasSSE41 && leaf7()&(1<<29) != 0
	// hasAVX512 is whether there is what the kernel for SHA-384 and AES is made of.
	hasAVX512 = cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VAES && cpu.X86.HasBMI1 && cpu.X86.HasBMI2
)

// compress takes whole blocks, one at least, into the state.
func (v *variant) compress(state *digest, p []byte) {
	for len(p) > 0 {
		n := min(len(p), stretch)
		switch blocks := n / v.block; v {
		case &sha1:
			sha1Blocks(state, &p[0], blocks)
		case &sha256:
			sha256Blocks(state, &p[0], blocks)
		default:
			sha512Blocks(state, &p[0], blocks)
		}
		p = p[n:]
	}
}

// Weaves reports whether [MAC.WriteEncrypting] does both at once.
func (m *MAC) Weaves(c *aescbc.Cipher) bool {
	return m.std == nil && m.kernel.v == &sha384 && c.Keys256() != nil
}

// weave takes p into the state and encrypts src to dst, as much of both as can be
// done at once. It moves p and returns how much of src is done.
func (k *keyed) weave(p *[]byte, keys *aescbc.RoundKeys, dst, src []byte, iv *[aescbc.BlockSize]byte) (done int) {
	rest := k.fill(*p)
	for {
		n := min(len(rest), len(src)-done, stretch) &^ (k.v.block - 1)
		if n == 0 {
			*p = rest
			return done
		}
		encryptSHA512Blocks(&k.state, &rest[0], n/k.v.block, keys, &dst[done], &src[done], iv)
		k.written += uint64(n)
		rest, done = rest[n:], done+n
	}
}

// finish takes p, the end of a message, into the state from, and makes k.state the
// MAC.
func (k *keyed) finish(from *digest, p []byte) {
	switch blocks := len(p) / k.v.block; k.v {
	case &sha1:
		sha1MAC(&k.state, from, &k.outer, &p[0], blocks)
		return
	case &sha256:
		sha256MAC(&k.state, from, &k.outer, &p[0], blocks)
		return
	}
	k.state = *from
	k.v.compress(&k.state, p)
	n := copy(k.buf[:], k.state[:k.v.size])
	k.state = k.outer
	k.v.compress(&k.state, k.v.pad(k.buf[:], n, uint64(k.v.block+n)))
}

// sha1Blocks is the hash computation of FIPS 180-4 §6.1.2 for more than 0 blocks.
//
//go:noescape
func sha1Blocks(state *digest, p *byte, blocks int)

// sha1MAC takes more than 0 blocks into the state inner, and the digest that it is
// then, with padding, into the state outer. It leaves that in mac, which may be either.
//
//go:noescape
func sha1MAC(mac, inner, outer *digest, p *byte, blocks int)

// sha256Blocks is that of §6.2.2.
//
//go:noescape
func sha256Blocks(state *digest, p *byte, blocks int)

// sha256MAC is as sha1MAC.
//
//go:noescape
func sha256MAC(mac, inner, outer *digest, p *byte, blocks int)

// sha512Blocks is that of §6.4.2.
//
//go:noescape
func sha512Blocks(state *digest, p *byte, blocks int)

// leaf7 returns EBX of CPUID leaf 7, 0 if there is none.
//
//go:noescape
func leaf7() uint32

// encryptSHA512Blocks is sha512Blocks, and while it works it encrypts as many
// bytes from src to dst with AES-256, starting from iv and leaving there the last
// block. p does not overlap dst; src is dst or apart from it.
//
//go:noescape
func encryptSHA512Blocks(state *digest, p *byte, blocks int, keys *aescbc.RoundKeys, dst, src *byte, iv *[aescbc.BlockSize]byte)
