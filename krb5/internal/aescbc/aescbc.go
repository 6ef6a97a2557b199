// Package aescbc is AES in CBC mode (NIST SP 800-38A §6.2) with 128-bit and
// 256-bit keys, for messages that are processed in pieces.
//
// The standard library decrypts CBC one block per call, although its blocks do
// not depend on each other. On amd64 and arm64 this package has kernels in
// assembler, made of the processor's AES instructions, that keep eight blocks
// in flight, and that encrypt with the round keys in registers. Their running
// time does not depend on key or data.
//
// The standard library does the work wherever they cannot: on other
// architectures and processors, in programs built with the tag purego or
// without the gc compiler, and in FIPS 140-3 mode or with BoringCrypto, whose
// validated modules the kernels are no part of.
package aescbc

import (
	"crypto/fips140"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// BlockSize is the length in bytes of a block and of an initialization vector.
const BlockSize = 16

// Cipher encrypts and decrypts under one key. Make it with [New]; it is not
// safe for concurrent use. It prints as "[redacted]".
type Cipher struct {
	rounds int // of the kernel, 0 if std does the work
	keys   schedule
	std    generic
}

// New returns a Cipher for a key of 16 or 32 bytes, which it does not keep.
// The error for another length is [krberr.BadKeySize].
func New(key []byte) (*Cipher, error) {
	return newCipher(key, accelerated() && !fips140.Enabled())
}

// newCipher chooses between the kernel and the standard library.
func newCipher(key []byte, kernel bool) (*Cipher, error) {
	if len(key) != 16 && len(key) != 32 {
		return nil, fmt.Errorf("%w: %d bytes for AES", krberr.BadKeySize, len(key))
	}
	c := new(Cipher)
	if kernel {
		c.rounds = c.keys.expand(key)
		return c, nil
	}
	return c, c.std.init(key)
}

// Encrypt encrypts src, which is a number of whole blocks, to the beginning of
// dst. It starts from iv and leaves there what the next call needs to go on
// with the same message. dst and src may be the same memory or memory apart;
// they must not overlap otherwise.
//
// An error means that nothing was done: [krberr.BadMsize] if src is not whole
// blocks or dst is shorter, [krberr.BadKeySize] after Clear and for a zero
// Cipher.
func (c *Cipher) Encrypt(dst, src []byte, iv *[BlockSize]byte) error {
	if err := c.check(dst, src); err != nil {
		return err
	}
	if c.rounds == 0 {
		return c.std.encrypt(dst, src, iv)
	}
	c.keys.encrypt(c.rounds, dst, src, iv)
	return nil
}

// Decrypt is the inverse of [Cipher.Encrypt], with the same contract.
func (c *Cipher) Decrypt(dst, src []byte, iv *[BlockSize]byte) error {
	if err := c.check(dst, src); err != nil {
		return err
	}
	if c.rounds == 0 {
		return c.std.decrypt(dst, src, iv)
	}
	c.keys.decrypt(c.rounds, dst, src, iv)
	return nil
}

// Interleaves reports whether a message should be encrypted in pieces of about
// 128 bytes in turns with SHA-1 or SHA-256. Both are chains of instructions
// that wait for their predecessors most of the time. Where both are made of
// instructions for the purpose, pieces that short are in the processor's view
// together and run side by side. Elsewhere short pieces only cost.
func (c *Cipher) Interleaves() bool { return c.rounds != 0 && interleaving }

// check establishes what the implementations rely on.
func (c *Cipher) check(dst, src []byte) error {
	if len(src)%BlockSize != 0 || len(dst) < len(src) {
		return fmt.Errorf("%w: %d bytes of CBC with room for %d", krberr.BadMsize, len(src), len(dst))
	}
	if c.rounds == 0 && c.std.block == nil {
		return fmt.Errorf("%w: no AES key", krberr.BadKeySize)
	}
	return nil
}

// Clear overwrites the kernel's key schedule and drops the standard library's,
// which cannot be reached. The Cipher is of no use afterwards.
func (c *Cipher) Clear() { *c = Cipher{} }

// Format implements [fmt.Formatter] for every verb.
func (*Cipher) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }
