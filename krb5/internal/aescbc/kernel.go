//go:build (amd64 || arm64) && gc && !purego && !boringcrypto

package aescbc

import (
	"encoding/binary"
	"math/bits"
)

const (
	keyWords = 60 // AES-256: 15 round keys of 4 words
	// stretch is how many bytes go through the assembler at once: the
	// scheduler and the garbage collector cannot interrupt it.
	stretch = 64 << 10
)

// roundKeys are the round keys in the order of their use. Those of AES-128, 11
// keys, are the last ones in it, so that the rounds that both sizes have in
// common find theirs at the same place.
type roundKeys [keyWords]uint32

// schedule is a key expanded for the kernel.
type schedule struct{ enc, dec roundKeys }

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

func (s *schedule) decrypt(rounds int, dst, src []byte, iv *[BlockSize]byte) {
	for len(src) > 0 {
		n := min(len(src), stretch)
		decryptBlocks(&s.dec, rounds, &dst[:n][0], &src[0], n/BlockSize, iv)
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
func encryptBlocks(keys *roundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)

// decryptBlocks is its inverse. It reads each group of blocks as a whole
// before it writes.
//
//go:noescape
func decryptBlocks(keys *roundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)
