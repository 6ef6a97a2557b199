// Package camellia is the block cipher Camellia (RFC 3713) with 128-bit and
// 256-bit keys, its CBC mode for messages that are processed in pieces, and the
// message authentication code CMAC (NIST SP 800-38B) made of it: what RFC 6803
// needs and the standard library does not have.
//
// The substitution tables are read at places that depend on key and data, as in
// every portable implementation of the cipher: who shares the processor's cache
// may learn something of the key from the time that takes.
package camellia

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// BlockSize is the length in bytes of a block and of an initialization vector.
const BlockSize = 16

// Cipher encrypts and decrypts under one key. It does not change but for Clear,
// and is safe for concurrent use. Make it with [New]. It prints as "[redacted]".
type Cipher struct{ k schedule }

// schedule is an expanded key: the whitening keys kw, the keys k of the rounds,
// and the keys ke of the layers between each six rounds (RFC 3713 §2.2).
type schedule struct {
	kw     [4]uint64
	k      [24]uint64
	ke     [6]uint64
	rounds int // 18 or 24; 0 means that there is no key
}

// New returns a Cipher for a key of 16 or 32 bytes, which it does not keep. The
// error for another length is [krberr.BadKeySize].
func New(key []byte) (*Cipher, error) {
	if len(key) != 16 && len(key) != 32 {
		return nil, fmt.Errorf("%w: %d bytes for Camellia", krberr.BadKeySize, len(key))
	}
	c := new(Cipher)
	c.k.expand(key)
	return c, nil
}

// Clear overwrites the expanded key. The Cipher is of no use afterwards.
func (c *Cipher) Clear() { *c = Cipher{} }

// Format implements [fmt.Formatter] for every verb.
func (*Cipher) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// wide is a 128-bit value.
type wide struct{ hi, lo uint64 }

// rotate returns w rotated left by n bits.
func (w wide) rotate(n uint) wide {
	if n >= 64 {
		w.hi, w.lo, n = w.lo, w.hi, n-64
	}
	// A shift by 64 gives 0, as it should for n = 0.
	return wide{w.hi<<n | w.lo>>(64-n), w.lo<<n | w.hi>>(64-n)}
}

// The constants Sigma1 to Sigma6 (RFC 3713 §2.2).
var sigma = [6]uint64{
	0xa09e667f3bcc908b, 0xb67ae8584caa73b2, 0xc6ef372fe94f82be,
	0x54ff53a5f1d36f1c, 0x10e527fade682d1d, 0xb05688c2b3e6c1fd,
}

// expand is the key schedule (RFC 3713 §2.2).
func (s *schedule) expand(key []byte) {
	kl := wide{binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:])}
	var kr wide
	if len(key) == 32 {
		kr = wide{binary.BigEndian.Uint64(key[16:]), binary.BigEndian.Uint64(key[24:])}
	}
	a := wide{kl.hi ^ kr.hi, kl.lo ^ kr.lo}
	a.lo ^= f(a.hi ^ sigma[0])
	a.hi ^= f(a.lo ^ sigma[1])
	a.hi, a.lo = a.hi^kl.hi, a.lo^kl.lo
	a.lo ^= f(a.hi ^ sigma[2])
	a.hi ^= f(a.lo ^ sigma[3])
	put := func(at *[2]uint64, w wide, n uint) {
		w = w.rotate(n)
		at[0], at[1] = w.hi, w.lo
	}
	pair := func(k []uint64, first int) *[2]uint64 { return (*[2]uint64)(k[first-1:]) }
	if len(key) == 16 {
		s.rounds = 18
		put(pair(s.kw[:], 1), kl, 0)
		put(pair(s.k[:], 1), a, 0)
		put(pair(s.k[:], 3), kl, 15)
		put(pair(s.k[:], 5), a, 15)
		put(pair(s.ke[:], 1), a, 30)
		put(pair(s.k[:], 7), kl, 45)
		s.k[8], s.k[9] = a.rotate(45).hi, kl.rotate(60).lo
		put(pair(s.k[:], 11), a, 60)
		put(pair(s.ke[:], 3), kl, 77)
		put(pair(s.k[:], 13), kl, 94)
		put(pair(s.k[:], 15), a, 94)
		put(pair(s.k[:], 17), kl, 111)
		put(pair(s.kw[:], 3), a, 111)
		return
	}
	b := wide{a.hi ^ kr.hi, a.lo ^ kr.lo}
	b.lo ^= f(b.hi ^ sigma[4])
	b.hi ^= f(b.lo ^ sigma[5])
	s.rounds = 24
	put(pair(s.kw[:], 1), kl, 0)
	put(pair(s.k[:], 1), b, 0)
	put(pair(s.k[:], 3), kr, 15)
	put(pair(s.k[:], 5), a, 15)
	put(pair(s.ke[:], 1), kr, 30)
	put(pair(s.k[:], 7), b, 30)
	put(pair(s.k[:], 9), kl, 45)
	put(pair(s.k[:], 11), a, 45)
	put(pair(s.ke[:], 3), kl, 60)
	put(pair(s.k[:], 13), kr, 60)
	put(pair(s.k[:], 15), b, 60)
	put(pair(s.k[:], 17), kl, 77)
	put(pair(s.ke[:], 5), a, 77)
	put(pair(s.k[:], 19), kr, 94)
	put(pair(s.k[:], 21), a, 94)
	put(pair(s.k[:], 23), kl, 111)
	put(pair(s.kw[:], 3), b, 111)
}

// encrypt is the cipher itself (RFC 3713 §2.3).
func (s *schedule) encrypt(l, r uint64) (uint64, uint64) {
	l, r = l^s.kw[0], r^s.kw[1]
	for i := 0; ; i += 6 {
		r ^= f(l ^ s.k[i])
		l ^= f(r ^ s.k[i+1])
		r ^= f(l ^ s.k[i+2])
		l ^= f(r ^ s.k[i+3])
		r ^= f(l ^ s.k[i+4])
		l ^= f(r ^ s.k[i+5])
		if i+6 >= s.rounds {
			return r ^ s.kw[2], l ^ s.kw[3]
		}
		l, r = fl(l, s.ke[i/3]), flInverse(r, s.ke[i/3+1])
	}
}

// decrypt is encrypt with the keys in the opposite order.
func (s *schedule) decrypt(l, r uint64) (uint64, uint64) {
	l, r = l^s.kw[2], r^s.kw[3]
	for i := s.rounds; ; i -= 6 {
		r ^= f(l ^ s.k[i-1])
		l ^= f(r ^ s.k[i-2])
		r ^= f(l ^ s.k[i-3])
		l ^= f(r ^ s.k[i-4])
		r ^= f(l ^ s.k[i-5])
		l ^= f(r ^ s.k[i-6])
		if i == 6 {
			return r ^ s.kw[0], l ^ s.kw[1]
		}
		l, r = fl(l, s.ke[i/3-3]), flInverse(r, s.ke[i/3-4])
	}
}

// f is the F-function with the key already added (RFC 3713 §2.4.1): each byte
// through an S-box, then the linear function P. The tables have both for the
// four bytes of a word.
func f(x uint64) uint64 {
	l := spA[byte(x>>56)] ^ spB[byte(x>>48)] ^ spC[byte(x>>40)] ^ spD[byte(x>>32)]
	r := spB[byte(x>>24)] ^ spC[byte(x>>16)] ^ spD[byte(x>>8)] ^ spA[byte(x)]
	y := l ^ r
	return uint64(y)<<32 | uint64(y^bits.RotateLeft32(l, -8))
}

// fl and flInverse are the layers between rounds (RFC 3713 §2.4.2, §2.4.3).
func fl(x, k uint64) uint64 {
	l, r := uint32(x>>32), uint32(x)
	r ^= bits.RotateLeft32(l&uint32(k>>32), 1)
	l ^= r | uint32(k)
	return uint64(l)<<32 | uint64(r)
}

func flInverse(y, k uint64) uint64 {
	l, r := uint32(y>>32), uint32(y)
	l ^= r | uint32(k)
	r ^= bits.RotateLeft32(l&uint32(k>>32), 1)
	return uint64(l)<<32 | uint64(r)
}
