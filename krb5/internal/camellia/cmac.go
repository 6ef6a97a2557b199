package camellia

import (
	"encoding/binary"
	"fmt"
	"hash"
)

// CMAC is a message authentication code under one key (NIST SP 800-38B, with
// Camellia in the place of AES). It is a [hash.Hash] that does not allocate; it
// is not safe for concurrent use. Make it with [NewCMAC]. It prints as
// "[redacted]".
type CMAC struct {
	c          Cipher
	sub1, sub2 wide // the subkeys K1 and K2
	l, r       uint64
	buf        [BlockSize]byte // the last block, not yet in l and r
	n          int             // bytes in buf
}

var _ hash.Hash = (*CMAC)(nil)

// NewCMAC returns a CMAC for a key of 16 or 32 bytes, with the errors of [New].
func NewCMAC(key []byte) (*CMAC, error) {
	c, err := New(key)
	if err != nil {
		return nil, err
	}
	m := &CMAC{c: *c}
	c.Clear()
	var w wide
	w.hi, w.lo = m.c.k.encrypt(0, 0)
	m.sub1 = w.double()
	m.sub2 = m.sub1.double()
	return m, nil
}

// double multiplies by x in the field of SP 800-38B §6.1, in constant time.
func (w wide) double() wide {
	return wide{w.hi<<1 | w.lo>>63, w.lo<<1 ^ 0x87&-(w.hi>>63)}
}

// Write implements [hash.Hash]. It does not fail.
func (m *CMAC) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		// A full block stays in buf until it is known not to be the last.
		if m.n == BlockSize {
			m.absorb(m.buf[:])
			m.n = 0
		}
		if m.n == 0 {
			for len(p) > BlockSize {
				m.absorb(p)
				p = p[BlockSize:]
			}
		}
		k := copy(m.buf[m.n:], p)
		m.n, p = m.n+k, p[k:]
	}
	return total, nil
}

func (m *CMAC) absorb(block []byte) {
	m.l, m.r = m.c.k.encrypt(m.l^binary.BigEndian.Uint64(block), m.r^binary.BigEndian.Uint64(block[8:]))
}

// Sum implements [hash.Hash]: it appends 16 bytes to b and changes nothing.
func (m *CMAC) Sum(b []byte) []byte {
	key := m.sub1
	last := m.buf
	if m.n < BlockSize {
		key = m.sub2
		clear(last[m.n:])
		last[m.n] = 0x80
	}
	l := m.l ^ key.hi ^ binary.BigEndian.Uint64(last[:])
	r := m.r ^ key.lo ^ binary.BigEndian.Uint64(last[8:])
	l, r = m.c.k.encrypt(l, r)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, l), r)
}

// Reset implements [hash.Hash].
func (m *CMAC) Reset() {
	m.l, m.r, m.n = 0, 0, 0
	clear(m.buf[:])
}

// Clear overwrites the key and what is left of the message; m is of no use
// afterwards.
func (m *CMAC) Clear() { *m = CMAC{} }

// Format implements [fmt.Formatter] for every verb.
func (*CMAC) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// Size implements [hash.Hash].
func (m *CMAC) Size() int { return BlockSize }

// BlockSize implements [hash.Hash].
func (m *CMAC) BlockSize() int { return BlockSize }
