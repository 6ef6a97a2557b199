package aescbc

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func (i implementation) String() string { return [...]string{"standard", "narrow", "wide"}[i] }

// each runs f for each implementation that can run here and each key size.
func each(t *testing.T, f func(t *testing.T, c *Cipher, key []byte)) {
	for _, by := range implementations {
		for _, size := range []int{16, 32} {
			t.Run(fmt.Sprintf("%v/%d", by, 8*size), func(t *testing.T) {
				key := noise(uint64(size), size)
				c, err := newCipher(key, by)
				require.NoError(t, err)
				require.Equal(t, by != standard, c.Accelerated())
				f(t, c, key)
			})
		}
	}
}

// noise returns bytes that look random and are the same each time.
func noise(seed uint64, n int) []byte {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(s).Read(b)
	return b
}

// stdEncrypt and stdDecrypt are what the standard library makes of in.
func stdEncrypt(tb testing.TB, key, in []byte, iv [BlockSize]byte) []byte {
	tb.Helper()
	b, err := aes.NewCipher(key)
	require.NoError(tb, err)
	out := make([]byte, len(in))
	cipher.NewCBCEncrypter(b, iv[:]).CryptBlocks(out, in)
	return out
}

func stdDecrypt(tb testing.TB, key, in []byte, iv [BlockSize]byte) []byte {
	tb.Helper()
	b, err := aes.NewCipher(key)
	require.NoError(tb, err)
	out := make([]byte, len(in))
	cipher.NewCBCDecrypter(b, iv[:]).CryptBlocks(out, in)
	return out
}

// walled returns n bytes within a larger array, and a function that fails the
// test if anything around them has changed.
func walled(tb testing.TB, n int) ([]byte, func()) {
	const wall = 128 + 5 // not a multiple of 16: the kernels must not need alignment
	all := make([]byte, wall+n+wall)
	for i := range all {
		all[i] = byte(i) | 1
	}
	want := append([]byte(nil), all...)
	return all[wall : wall+n : wall+n], func() {
		tb.Helper()
		require.Equal(tb, want[:wall], all[:wall])
		require.Equal(tb, want[wall+n:], all[wall+n:])
	}
}
