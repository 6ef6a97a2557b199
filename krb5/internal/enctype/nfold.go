package enctype

import (
	"encoding/binary"
	"math/bits"
)

// nfold is the n-fold of RFC 3961 §5.1 to size bytes: copies of in, each
// rotated 13 bits further to the right, are laid end to end until their length
// is a multiple of size, and the pieces of size bytes are added in
// ones'-complement arithmetic. in must not be empty.
func nfold(in []byte, size int) []byte {
	out := make([]byte, size)
	width := 8 * len(in)
	carry := 0
	for i := lcm(len(in), size) - 1; i >= 0; i-- {
		// Byte i is in copy i/len(in); this is the bit of in it starts at.
		at := (8*(i%len(in)) - 13*(i/len(in))) % width
		if at < 0 {
			at += width
		}
		pair := int(in[at/8])<<8 | int(in[(at/8+1)%len(in)])
		sum := carry + int(out[i%size]) + pair>>(8-at%8)&0xff
		carry, out[i%size] = sum>>8, byte(sum)
	}
	for i := size - 1; carry > 0; i = (i + size - 1) % size {
		sum := carry + int(out[i])
		carry, out[i] = sum>>8, byte(sum)
	}
	return out
}

// lcm returns the least common multiple.
func lcm(a, b int) int {
	g, r := a, b
	for r != 0 {
		g, r = r, g%r
	}
	return a / g * b
}

// foldUsage is the n-fold of usage and kind, 5 bytes, to 16 bytes. It is the
// one that every derivation needs, so it works on words: sixteen copies of 40
// bits are five pieces of 128.
func foldUsage(out *[16]byte, usage uint32, kind byte) {
	const mask = 1<<40 - 1
	v := uint64(usage)<<8 | uint64(kind)
	var copies [83]byte
	for i := range 16 {
		binary.BigEndian.PutUint64(copies[5*i:], v<<24)
		v = (v>>13 | v<<27) & mask
	}
	var hi, lo, carry uint64
	for i := 0; i < 80; i += 16 {
		lo, carry = bits.Add64(lo, binary.BigEndian.Uint64(copies[i+8:]), carry)
		hi, carry = bits.Add64(hi, binary.BigEndian.Uint64(copies[i:]), carry)
	}
	// The last end-around carry. It does not carry again: that takes a sum of
	// all ones that itself carried, which only pieces of all ones could give,
	// and theirs end in a zero.
	lo, carry = bits.Add64(lo, 0, carry)
	binary.BigEndian.PutUint64(out[:], hi+carry)
	binary.BigEndian.PutUint64(out[8:], lo)
}
