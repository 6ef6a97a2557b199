// Package des3 is Triple-DES in CBC mode, for messages that are processed in
// pieces, and the keys of RFC 3961 §6.3. The block cipher is the standard
// library's.
package des3

import (
	"crypto/cipher"
	"crypto/des"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Sizes in bytes.
const (
	BlockSize = des.BlockSize // of a block and of an initialization vector
	KeySize   = 24            // of a key, parity bits included
	SeedSize  = 21            // of what a key is made from
)

// Cipher encrypts and decrypts under one key. It is not safe for concurrent
// use. Make it with [New]. It prints as "[redacted]".
type Cipher struct {
	block cipher.Block
	buf   [BlockSize]byte
}

// New returns a Cipher for a key of [KeySize] bytes, which it does not keep;
// parity bits are ignored. The error for another length is [krberr.BadKeySize].
func New(key []byte) (*Cipher, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("%w: %d bytes for Triple-DES", krberr.BadKeySize, len(key))
	}
	b, err := des.NewTripleDESCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	return &Cipher{block: b}, nil
}

// EncryptCBC encrypts src, which is a number of whole blocks, to the beginning
// of dst. It starts from iv and leaves there what the next call needs to go on
// with the same message. dst and src may be the same memory or memory apart;
// they must not overlap otherwise.
//
// An error means that nothing was done: [krberr.BadMsize] if src is not whole
// blocks or dst is shorter, [krberr.BadKeySize] after Clear and for a zero
// Cipher.
func (c *Cipher) EncryptCBC(dst, src []byte, iv *[BlockSize]byte) error {
	if err := c.check(dst, src); err != nil {
		return err
	}
	state := binary.NativeEndian.Uint64(iv[:])
	for ; len(src) > 0; dst, src = dst[BlockSize:], src[BlockSize:] {
		binary.NativeEndian.PutUint64(c.buf[:], state^binary.NativeEndian.Uint64(src))
		c.block.Encrypt(c.buf[:], c.buf[:])
		state = binary.NativeEndian.Uint64(c.buf[:])
		binary.NativeEndian.PutUint64(dst, state)
	}
	binary.NativeEndian.PutUint64(iv[:], state)
	clear(c.buf[:])
	return nil
}

// DecryptCBC is the reverse of EncryptCBC, with the same contract.
func (c *Cipher) DecryptCBC(dst, src []byte, iv *[BlockSize]byte) error {
	if err := c.check(dst, src); err != nil {
		return err
	}
	state := binary.NativeEndian.Uint64(iv[:])
	for ; len(src) > 0; dst, src = dst[BlockSize:], src[BlockSize:] {
		next := binary.NativeEndian.Uint64(src)
		binary.NativeEndian.PutUint64(c.buf[:], next)
		c.block.Decrypt(c.buf[:], c.buf[:])
		binary.NativeEndian.PutUint64(dst, state^binary.NativeEndian.Uint64(c.buf[:]))
		state = next
	}
	binary.NativeEndian.PutUint64(iv[:], state)
	clear(c.buf[:])
	return nil
}

func (c *Cipher) check(dst, src []byte) error {
	if len(src)%BlockSize != 0 || len(dst) < len(src) {
		return fmt.Errorf("%w: %d bytes of Triple-DES blocks with room for %d", krberr.BadMsize, len(src), len(dst))
	}
	if c.block == nil {
		return fmt.Errorf("%w: no Triple-DES key", krberr.BadKeySize)
	}
	return nil
}

// Clear drops the key schedule, which is out of reach inside the standard
// library. The Cipher is of no use afterwards.
func (c *Cipher) Clear() { *c = Cipher{} }

// Format implements [fmt.Formatter] for every verb.
func (*Cipher) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// RandomToKey makes a key of [SeedSize] random bytes, or of as many as there
// are of them (RFC 3961 §6.3.1): 56 bits become 8 bytes with odd parity, and a
// weak key is turned into another.
func RandomToKey(seed []byte) [KeySize]byte {
	var in [SeedSize]byte
	var key [KeySize]byte
	copy(in[:], seed)
	for i := range 3 {
		from, to := in[7*i:7*i+7], key[8*i:8*i+8]
		var low byte // the lowest bits of the seven bytes make the eighth
		for j, b := range from {
			to[j] = odd(b)
			low |= b & 1 << (j + 1)
		}
		to[7] = odd(low)
		if weak(binary.BigEndian.Uint64(to)) {
			to[7] ^= 0xf0
		}
	}
	clear(in[:])
	return key
}

// odd sets the lowest bit so that the number of ones is odd.
func odd(b byte) byte {
	b &^= 1
	return b | ^byte(bits.OnesCount8(b))&1
}

// weakKeys are the weak and the semi-weak keys of DES.
var weakKeys = [...]uint64{
	0x0101010101010101, 0xfefefefefefefefe, 0xe0e0e0e0f1f1f1f1, 0x1f1f1f1f0e0e0e0e,
	0x011f011f010e010e, 0x1f011f010e010e01, 0x01e001e001f101f1, 0xe001e001f101f101,
	0x01fe01fe01fe01fe, 0xfe01fe01fe01fe01, 0x1fe01fe00ef10ef1, 0xe01fe01ff10ef10e,
	0x1ffe1ffe0efe0efe, 0xfe1ffe1ffe0efe0e, 0xe0fee0fef1fef1fe, 0xfee0fee0fef1fef1,
}

// weak looks at all of the list whatever the key is.
func weak(key uint64) bool {
	found := uint64(0)
	for _, w := range weakKeys {
		d := key ^ w
		found |= (d|-d)>>63 ^ 1
	}
	return found == 1
}
