package hmacsha

import (
	"crypto"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
)

// With pages that cannot be touched on both sides, a read beyond the data
// crashes.
func TestReadsNothingBeyond(t *testing.T) {
	page := syscall.Getpagesize()
	memory := func() []byte {
		m, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, syscall.Munmap(m)) })
		require.NoError(t, syscall.Mprotect(m[:page], syscall.PROT_NONE))
		require.NoError(t, syscall.Mprotect(m[2*page:], syscall.PROT_NONE))
		return m[page : 2*page]
	}
	hashed, sealed := memory(), memory()
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		m, c := create(nil), newCipher(t, 32)
		for n := 16; n <= 1024; n += 16 {
			for _, p := range [][2][]byte{{hashed[:n], sealed[:n]}, {hashed[page-n:], sealed[page-n:]}} {
				msg, in := noise(1, n), noise(2, n)
				copy(p[0], msg)
				copy(p[1], in)
				require.Equal(t, reference(h, nil, msg), sum(m, p[0]))
				var iv [aescbc.BlockSize]byte
				want, _ := encrypted(t, c, in, iv)
				m.Reset()
				require.NoError(t, m.WriteEncrypting(p[0], c, p[1], p[1], &iv))
				require.Equal(t, reference(h, nil, msg), m.Sum(nil))
				require.Equal(t, want, p[1])
			}
		}
	})
}
