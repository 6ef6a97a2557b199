// Package aescbc is AES in CBC mode (NIST SP 800-38A §6.2) with 128-bit and
// 256-bit keys, for messages that are processed in pieces.
//
// The standard library decrypts CBC one block per call, although its blocks do
// not depend on each other. On amd64 and arm64 this package has kernels in
// assembler, made of the processor's AES instructions, that keep eight blocks
// in flight, or sixteen where it has VAES, and that encrypt with the round keys in
// registers. Their running time does not depend on key or data.
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

// RoundKeys are the round keys in the order of their use, 15 of 4 words for a key of
// 256 bits. Those for one of 128 bits, 11 keys, are the last ones, so that the rounds
// that both sizes have in common find theirs at the same place.
type RoundKeys [60]uint32

// Cipher encrypts and decrypts under one key. Make it with [New]; it is not
// safe for concurrent use. It prints as "[redacted]".
type Cipher struct {
	by     implementation
	rounds int // of the kernels, 0 if the standard library does the work
	keys   schedule
	std    generic
}

// implementation is who does the work.
type implementation int

const (
	standard implementation = iota // the standard library
	narrow                         // a kernel with a block in a register
	wide                           // the same, but for decryption, which has four
)

// New returns a Cipher for a key of 16 or 32 bytes, which it does not keep.
// The error for another length is [krberr.BadKeySize].
func New(key []byte) (*Cipher, error) {
	by := implementations[len(implementations)-1]
	if fips140.Enabled() {
		by = standard
	}
	return newCipher(key, by)
}

func newCipher(key []byte, by implementation) (*Cipher, error) {
	if len(key) != 16 && len(key) != 32 {
		return nil, fmt.Errorf("%w: %d bytes for AES", krberr.BadKeySize, len(key))
	}
	c := &Cipher{by: by}
	if by != standard {
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
	c.keys.decrypt(c.by, c.rounds, dst, src, iv)
	return nil
}

// Accelerated reports whether a kernel does the work.
func (c *Cipher) Accelerated() bool { return c.rounds != 0 }

// Wide reports whether Decrypt has sixteen blocks in flight.
func (c *Cipher) Wide() bool { return c.by == wide }

// Keys256 returns the round keys for encryption with a 256-bit key, for a kernel
// that does something else at the same time; nil if the standard library does the
// work, or the key is another.
func (c *Cipher) Keys256() *RoundKeys {
	if c.rounds != 14 {
		return nil
	}
	return &c.keys.enc
}

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
