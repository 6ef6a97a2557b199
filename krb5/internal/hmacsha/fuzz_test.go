package hmacsha

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
)

// FuzzMAC compares a message, whole and in three pieces, with the standard library.
func FuzzMAC(f *testing.F) {
	for i, n := range []int{0, 20, 64, 111, 128, 600} {
		f.Add(noise(uint64(n), i*30), noise(uint64(i), n), i*10, i*20)
	}
	f.Fuzz(func(t *testing.T, key, msg []byte, i, j int) {
		i = min(max(i, 0), len(msg))
		j = min(max(j, i), len(msg))
		for _, h := range hashes {
			want := reference(h, key, msg)
			for _, kernel := range kernels(h) {
				m := newMAC(h, key, kernel)
				require.Equal(t, want, sum(m, msg))
				m.Reset()
				for _, p := range [][]byte{msg[:i], msg[i:j], msg[j:]} {
					_, _ = m.Write(p)
				}
				require.Equal(t, want, m.Sum(nil))
				require.Equal(t, want, m.Short(append(append([]byte(nil), msg...), make([]byte, Room)...), len(msg)))
			}
		}
	})
}

// FuzzWriteEncrypting compares both at once with one after the other.
func FuzzWriteEncrypting(f *testing.F) {
	for i, n := range []int{0, 128, 130, 700} {
		f.Add(noise(1, 32), noise(2, i*30), noise(3, n), noise(4, n+i))
	}
	f.Fuzz(func(t *testing.T, key, before, p, in []byte) {
		in = in[:len(in)&^(aescbc.BlockSize-1)]
		var k [32]byte
		copy(k[:], key)
		c, err := aescbc.New(k[:])
		require.NoError(t, err)
		iv := [aescbc.BlockSize]byte(k[:])
		want, next := encrypted(t, c, in, iv)
		for _, h := range hashes {
			m := newMAC(h, key, true)
			got, v := bytes.Clone(in), iv
			_, _ = m.Write(before)
			require.NoError(t, m.WriteEncrypting(p, c, got, got, &v))
			require.Equal(t, reference(h, key, before, p), m.Sum(nil))
			require.Equal(t, want, got)
			require.Equal(t, next, v)
		}
	})
}
