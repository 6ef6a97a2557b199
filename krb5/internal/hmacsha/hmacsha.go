// Package hmacsha is HMAC (RFC 2104) for many messages under one key.
//
// The standard library's HMAC is made for one long message: starting the next
// one restores marshaled digests, and finishing it copies them. For a message
// of 64 bytes that takes longer than the hash does. Here the two states that a
// key leads to are kept, and a message costs its blocks and one more.
//
// On amd64 there are kernels in assembler: for SHA-1 and SHA-256, made of the
// processor's instructions for them, and for SHA-384, for which it has none. That one
// needs the instructions of AVX-512, on registers of 128 bits, and can encrypt with AES
// in CBC between its rounds: both are chains of instructions that wait for each other,
// and so have room for another chain. The kernels' running time does not depend on key
// or data.
//
// The standard library does the work wherever they cannot: with other hashes, on
// other architectures and processors, in programs built with the tag purego or
// without the gc compiler, and in FIPS 140-3 mode or with BoringCrypto, whose
// validated modules the kernels are no part of.
package hmacsha

import (
	"crypto"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"hash"
)

// MAC is an HMAC under one key. Make it with [New]; it is not safe for concurrent
// use. It has the methods of [hash.Hash], but what follows Sum is Reset. After its
// first message it does not allocate. It prints as "[redacted]".
type MAC struct {
	hash    crypto.Hash
	kernel  keyed     // if std is nil
	std     hash.Hash // nil if the kernel does the work
	fresh   bool      // std needs no Reset
	cleared bool
}

var _ hash.Hash = (*MAC)(nil)

// New returns an HMAC with the hash h, which must be linked into the program,
// for a key of any length, which it does not keep.
func New(h crypto.Hash, key []byte) *MAC { return newMAC(h, key, !fips140.Enabled()) }

// newMAC chooses between the kernel, if there is one, and the standard library.
func newMAC(h crypto.Hash, key []byte, kernel bool) *MAC {
	m := &MAC{hash: h}
	if v := variantOf(h); kernel && v != nil {
		m.kernel.init(v, key)
		return m
	}
	m.std, m.fresh = hmac.New(h.New, key), true
	return m
}

// Write adds p to the message. It never fails.
func (m *MAC) Write(p []byte) (int, error) {
	if m.std != nil {
		m.fresh = false
		return m.std.Write(p)
	}
	m.kernel.write(p)
	return len(p), nil
}

// Sum appends the MAC of what was written to dst. The message has ended with that.
func (m *MAC) Sum(dst []byte) []byte {
	if m.cleared {
		return append(dst, m.garbage()...)
	}
	if m.std != nil {
		m.fresh = false
		return m.std.Sum(dst)
	}
	return m.kernel.sum(dst)
}

// Room is how many bytes [MAC.Short] needs behind a message.
const Room = 16 + maxBlock

// Short returns the MAC of buf[:n], a short message: it is padded where it lies, for
// which there are [Room] bytes in buf behind it. What was written before is dropped,
// and Reset is what follows. The result is m's own space, until it is used again.
func (m *MAC) Short(buf []byte, n int) []byte {
	if m.cleared {
		return m.garbage()
	}
	if m.std == nil {
		return m.kernel.short(buf, n)
	}
	m.Reset()
	_, _ = m.Write(buf[:n])          // never fails
	return m.Sum(m.kernel.state[:0]) // which the kernel has no use for
}

// Reset begins the next message.
func (m *MAC) Reset() {
	if m.std == nil {
		m.kernel.reset()
	} else if !m.fresh { // the first Reset of a new one is dear, and does nothing
		m.std.Reset()
		m.fresh = true
	}
}

// Size returns the length of the MAC in bytes.
func (m *MAC) Size() int {
	if m.std != nil {
		return m.std.Size()
	}
	return m.kernel.v.size
}

// BlockSize returns the length in bytes of the hash's blocks.
func (m *MAC) BlockSize() int {
	if m.std != nil {
		return m.std.BlockSize()
	}
	return m.kernel.v.block
}

// Clear overwrites what the kernel keeps of the key and of the message; state inside
// the standard library is out of reach. From then on the MACs are random bytes, which
// match none.
func (m *MAC) Clear() {
	v := m.kernel.v
	m.kernel = keyed{v: v}
	m.cleared = true
}

// garbage is the MAC after Clear.
func (m *MAC) garbage() []byte {
	_, _ = rand.Read(m.kernel.state[:]) // never fails
	return m.kernel.state[:m.Size()]
}

// Format implements [fmt.Formatter] for every verb.
func (*MAC) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }
