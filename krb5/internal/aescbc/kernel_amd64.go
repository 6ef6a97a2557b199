//go:build gc && !purego && !boringcrypto

package aescbc

import "golang.org/x/sys/cpu"

// accelerated reports whether this processor can run the kernel.
func accelerated() bool { return cpu.X86.HasAES }

// interleaving is whether crypto/sha1 and crypto/sha256 use the processor's
// instructions. [cpu.X86] does not tell.
var interleaving = cpu.X86.HasAVX && cpu.X86.HasSSE41 && leaf7()&(1<<29) != 0

// leaf7 returns EBX of CPUID leaf 7, 0 if there is none.
//
//go:noescape
func leaf7() uint32
