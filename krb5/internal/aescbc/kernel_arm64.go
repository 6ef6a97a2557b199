//go:build gc && !purego && !boringcrypto

package aescbc

import "golang.org/x/sys/cpu"

// implementations are those that this processor can run, the best one last.
var implementations = func() []implementation {
	if cpu.ARM64.HasAES {
		return []implementation{standard, narrow}
	}
	return []implementation{standard}
}()

// decryptMany has no kernel of its own.
func (*schedule) decryptMany(int, []byte, []byte, *[BlockSize]byte) int { return 0 }
