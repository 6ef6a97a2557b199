//go:build gc && !purego && !boringcrypto

package aescbc

import "golang.org/x/sys/cpu"

// implementations are those that this processor can run, the best one last. The
// processors with VAES are of the generations in which 512-bit registers slow nothing
// else down.
var implementations = func() []implementation {
	switch {
	case cpu.X86.HasAES && cpu.X86.HasAVX512VAES && cpu.X86.HasAVX512F:
		return []implementation{standard, narrow, wide}
	case cpu.X86.HasAES:
		return []implementation{standard, narrow}
	}
	return []implementation{standard}
}()

// decryptMany decrypts as much as is left to the kernel for many blocks, and returns
// how much that is.
func (s *schedule) decryptMany(rounds int, dst, src []byte, iv *[BlockSize]byte) int {
	n := len(src) &^ (16*BlockSize - 1)
	if n > 0 {
		decryptWide(&s.dec, rounds, &dst[:n][0], &src[0], n/BlockSize, iv)
	}
	return n
}

// decryptWide is decryptBlocks for a multiple of sixteen blocks.
//
//go:noescape
func decryptWide(keys *RoundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)
