//go:build gc && !purego && !boringcrypto

package aescbc

import "golang.org/x/sys/cpu"

// accelerated reports whether this processor can run the kernel.
func accelerated() bool { return cpu.ARM64.HasAES }

// interleaving has only been measured on amd64.
const interleaving = false
