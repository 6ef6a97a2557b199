//go:build (amd64 || arm64) && gc && !purego && !boringcrypto

package aescbc

import (
	"encoding/binary"
	"math/bits"
)

const keyWords = len(RoundKeys{})

// stretch is how many bytes go through the assembler at once: the scheduler and
// the garbage collector cannot interrupt it.
const stretch = 64 << 10

// schedule is a key expanded for the kernel.
type schedule struct{ enc, dec RoundKeys }

// expand is KeyExpansion of FIPS 197 §5.2, with words in little-endian order.
// It returns the number of rounds.
func (s *schedule) expand(key []byte) (rounds int) {
	nk := len(key) / 4
	rounds = nk + 6
	w := s.enc[keyWords-4*(rounds+1):]
	for i := range nk {
		w[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	rcon := uint32(1)
	for i := nk; i < len(w); i += nk {
		t := bits.RotateLeft32(subWord(w[i-1]), -8) ^ rcon
		for j := i; j < min(i+nk, len(w)); j++ {
			if j == i+4 { // AES-256
				t = subWord(t)
			}
			t ^= w[j-nk]
			w[j] = t
		}
		rcon = rcon<<1 ^ rcon>>7*0x11b // times x in GF(2⁸)
	}
	// The equivalent inverse cipher, §5.3.5.
	d := s.dec[keyWords-len(w):]
	for i := 0; i <= rounds; i++ {
		to, from := (*[4]uint32)(d[4*i:]), (*[4]uint32)(w[4*(rounds-i):])
		if *to = *from; i > 0 && i < rounds {
			invMixColumns(to)
		}
	}
	return rounds
}

// encrypt and decrypt rely on whole blocks in src and as much room in dst.
func (s *schedule) encrypt(rounds int, dst, src []byte, iv *[BlockSize]byte) {
	for len(src) > 0 {
		n := min(len(src), stretch)
		encryptBlocks(&s.enc, rounds, &dst[:n][0], &src[0], n/BlockSize, iv)
		dst, src = dst[n:], src[n:]
	}
}

func (s *schedule) decrypt(i implementation, rounds int, dst, src []byte, iv *[BlockSize]byte) {
	for len(src) > 0 {
		n := min(len(src), stretch)
		many := 0
		if i == wide {
			many = s.decryptMany(rounds, dst[:n], src[:n], iv)
		}
		if many < n {
			decryptBlocks(&s.dec, rounds, &dst[many:n][0], &src[many], (n-many)/BlockSize, iv)
		}
		dst, src = dst[n:], src[n:]
	}
}

// subWord applies the S-box to each byte (FIPS 197 §5.2).
//
//go:noescape
func subWord(w uint32) uint32

// invMixColumns is the transformation of FIPS 197 §5.3.3.
//
//go:noescape
func invMixColumns(key *[4]uint32)

// encryptBlocks encrypts blocks, more than 0 of them, and leaves the last one
// in iv. rounds is 10 or 14. dst may be src.
//
//go:noescape
func encryptBlocks(keys *RoundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)

// decryptBlocks is its inverse. It reads each group of blocks as a whole
// before it writes.
//
//go:noescape
func decryptBlocks(keys *RoundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)
