package aescbc

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// With pages that cannot be touched on both sides, a read beyond the data
// crashes, where the other tests would only see a write.
func TestReadsNothingBeyond(t *testing.T) {
	page := syscall.Getpagesize()
	m, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Munmap(m)) }()
	require.NoError(t, syscall.Mprotect(m[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(m[2*page:], syscall.PROT_NONE))
	inner := m[page : 2*page]
	each(t, func(t *testing.T, c *Cipher, key []byte) {
		for blocks := 1; blocks <= 20; blocks++ {
			n := blocks * BlockSize
			for _, part := range [][]byte{inner[:n], inner[page-n:]} {
				in := noise(uint64(blocks), n)
				copy(part, in)
				var enc, dec [BlockSize]byte
				require.NoError(t, c.Encrypt(part, part, &enc))
				require.Equal(t, stdEncrypt(t, key, in, [BlockSize]byte{}), part)
				require.NoError(t, c.Decrypt(part, part, &dec))
				require.Equal(t, in, part)
			}
		}
	})
}
