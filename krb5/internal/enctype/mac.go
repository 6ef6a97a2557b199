package enctype

import (
	"crypto/hmac"
	"hash"
)

// MAC computes the mandatory checksum of a key under one usage: get_mic and
// verify_mic of RFC 3961 §4. It is not safe for concurrent use; after its
// second use it does not allocate when dst has room. It prints as
// "[redacted]".
type MAC struct {
	masked
	f func() *checksum
}

// checksum is what a MAC has, behind a function as in a Cipher. Besides the
// HMAC it is the space for what interface methods are given.
type checksum struct {
	p     *profile
	usage uint32
	h     hash.Hash
	buf   [64]byte
	sum   [64]byte
}

// MAC derives the key of the usage: Kc of RFC 3961 §5.3.
func (k *Key) MAC(usage uint32) (*MAC, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	return k.s.newMAC(k.p, usage)
}

// newMAC derives a MAC. The caller holds the lock.
func (s *state) newMAC(p *profile, usage uint32) (*MAC, error) {
	sched, err := s.schedule(p)
	if err != nil {
		return nil, err
	}
	h, err := sched.mac(usage)
	if err != nil {
		return nil, err
	}
	x := &checksum{p: p, usage: usage, h: h}
	return &MAC{f: func() *checksum { return x }}, nil
}

// Sum appends the checksum of a and b to dst. b is meant for a header of a few
// bytes and may lie on the caller's stack. It returns nil when the type is not
// allowed any more (FIPS).
func (m *MAC) Sum(dst, a, b []byte) []byte {
	s := m.f().compute(a, b)
	if s == nil {
		return nil
	}
	return append(dst, s...)
}

// SumParts is Sum for any number of parts. To allocate nothing the parts must
// not lie on the caller's stack.
func (m *MAC) SumParts(dst []byte, parts ...[]byte) []byte {
	x := m.f()
	if x.p.allowed() != nil {
		return nil
	}
	return append(dst, x.all(parts)...)
}

// Verify reports in constant time whether sum is the checksum of a and b.
func (m *MAC) Verify(sum, a, b []byte) bool {
	s := m.f().compute(a, b)
	return s != nil && hmac.Equal(sum, s)
}

// Size returns the bytes of the checksum.
func (m *MAC) Size() int { return m.f().p.sumSize }

// compute returns the checksum in x's own space, nil if it is refused.
func (x *checksum) compute(a, b []byte) []byte {
	if x.p.allowed() != nil {
		return nil
	}
	x.h.Reset()
	x.h.Write(a)
	for len(b) > 0 {
		// What goes to an interface method moves to the heap. The copy
		// spares the caller that.
		n := copy(x.buf[:], b)
		x.h.Write(x.buf[:n])
		b = b[n:]
	}
	return x.end()
}

// all returns the checksum of the concatenated data in x's own space.
func (x *checksum) all(data [][]byte) []byte {
	x.h.Reset()
	for _, d := range data {
		x.h.Write(d)
	}
	return x.end()
}

// end returns the checksum in x's own space.
func (x *checksum) end() []byte { return x.h.Sum(x.sum[:0])[:x.p.sumSize] }
