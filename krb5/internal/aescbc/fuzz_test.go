package aescbc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// fuzz compares one direction, whole and in two pieces, with the standard
// library.
func fuzz(f *testing.F, op func(c *Cipher, dst, src []byte, iv *[BlockSize]byte) error, want func(tb testing.TB, key, in []byte, iv [BlockSize]byte) []byte) {
	for i, n := range []int{0, 16, 96, 128, 144, 1024} {
		f.Add(noise(uint64(i), 32), noise(uint64(n), 16), noise(uint64(i), n), i%2 == 0, n/32)
	}
	f.Fuzz(func(t *testing.T, key, vector, in []byte, short bool, cut int) {
		var k [32]byte
		var iv [BlockSize]byte
		copy(k[:], key)
		copy(iv[:], vector)
		key = k[:]
		if short {
			key = k[:16]
		}
		in = in[:len(in)&^(BlockSize-1)]
		at := 0
		if blocks := len(in) / BlockSize; cut > 0 && blocks > 0 {
			at = cut % blocks * BlockSize
		}
		ref := want(t, key, in, iv)
		for _, by := range implementations {
			c, err := newCipher(key, by)
			require.NoError(t, err)
			out, intact := walled(t, len(in))
			next := iv
			require.NoError(t, op(c, out[:at], in[:at], &next))
			copy(out[at:], in[at:])
			require.NoError(t, op(c, out[at:], out[at:], &next))
			require.Equal(t, ref, out)
			intact()
		}
	})
}

func FuzzEncrypt(f *testing.F) { fuzz(f, (*Cipher).Encrypt, stdEncrypt) }

func FuzzDecrypt(f *testing.F) { fuzz(f, (*Cipher).Decrypt, stdDecrypt) }
