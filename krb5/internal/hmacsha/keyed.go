package hmacsha

import "encoding/binary"

const (
	maxBlock  = 128
	maxDigest = 64
)

// digest is the state of a hash in the form in which it is given out at the
// end: its words in big-endian order. SHA-1 uses the beginning.
type digest [maxDigest]byte

// variant is a hash that a kernel computes.
type variant struct {
	block   int // bytes of a block
	size    int // bytes of what the hash gives out
	length  int // bytes in which a message's length is written at its end
	initial digest
}

// keyed is HMAC with a kernel.
type keyed struct {
	v            *variant
	inner, outer digest // behind the block that the key makes
	state        digest
	written      uint64             // bytes that the inner hash was given, the key's block among them
	buf          [2 * maxBlock]byte // the beginning of a block, and room for the padding
}

// init makes the two states of a key (RFC 2104 §2).
func (k *keyed) init(v *variant, key []byte) {
	k.v = v
	var pad [maxBlock]byte
	block := pad[:v.block]
	defer clear(block)
	if len(key) > len(block) {
		k.state = v.initial
		k.write(key)
		v.compress(&k.state, v.pad(k.buf[:], len(key)&(v.block-1), uint64(len(key))))
		key = k.state[:v.size]
		clear(k.buf[:])
	}
	copy(block, key)
	for i := range block {
		block[i] ^= 0x36
	}
	k.inner = v.initial
	v.compress(&k.inner, block)
	for i := range block {
		block[i] ^= 0x36 ^ 0x5c
	}
	k.outer = v.initial
	v.compress(&k.outer, block)
	k.reset()
}

func (k *keyed) reset() { k.state, k.written = k.inner, uint64(k.v.block) }

func (k *keyed) write(p []byte) {
	p = k.fill(p)
	k.written += uint64(len(p))
	if whole := len(p) &^ (k.v.block - 1); whole > 0 {
		k.v.compress(&k.state, p[:whole])
		p = p[whole:]
	}
	copy(k.buf[:], p)
}

// fill finishes a block that has begun and returns what p has beyond it.
func (k *keyed) fill(p []byte) []byte {
	have := int(k.written) & (k.v.block - 1)
	if have == 0 {
		return p
	}
	n := copy(k.buf[have:k.v.block], p)
	k.written += uint64(n)
	if have+n == k.v.block {
		k.v.compress(&k.state, k.buf[:k.v.block])
	}
	return p[n:]
}

// sum ends the message and appends its MAC.
func (k *keyed) sum(dst []byte) []byte {
	have := int(k.written) & (k.v.block - 1)
	k.finish(&k.state, k.v.pad(k.buf[:], have, k.written))
	return append(dst, k.state[:k.v.size]...)
}

// short returns the MAC of buf[:n] in k's own space.
func (k *keyed) short(buf []byte, n int) []byte {
	k.finish(&k.inner, k.v.pad(buf, n, uint64(k.v.block+n)))
	return k.state[:k.v.size]
}

// pad returns b[:n] with what follows at the end of a message of so many bytes in
// all (FIPS 180-4 §5.1).
func (v *variant) pad(b []byte, n int, all uint64) []byte {
	b = b[:(n+v.length+v.block)&^(v.block-1)]
	b[n] = 0x80
	clear(b[n+1:])
	binary.BigEndian.PutUint64(b[len(b)-8:], 8*all)
	return b
}
