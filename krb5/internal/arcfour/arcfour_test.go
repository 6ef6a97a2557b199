package arcfour

import (
	"crypto/rc4"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 6229 §2: the beginnings of key streams.
func TestVectors(t *testing.T) {
	for _, v := range []struct{ key, stream string }{
		{"0102030405", "b2396305f03dc027ccc3524a0a1118a8"},
		{"0102030405060708090a0b0c0d0e0f10", "9ac7cc9a609d1ef7b2932899cde41b97"},
	} {
		key, err := hex.DecodeString(v.key)
		require.NoError(t, err)
		var c Cipher
		c.SetKey(key)
		got := make([]byte, 16)
		c.XORKeyStream(got, got)
		require.Equal(t, v.stream, hex.EncodeToString(got))
	}
}

// The same stream as the standard library's, in pieces and in place.
func FuzzXORKeyStream(f *testing.F) {
	if _, err := rc4.NewCipher([]byte("key")); err != nil {
		f.Skip("the process enforces FIPS 140-3")
	}
	f.Add([]byte("key"), []byte("message"), 3)
	f.Add(make([]byte, 256), make([]byte, 1000), 0)
	f.Fuzz(func(t *testing.T, key, msg []byte, cut int) {
		var c Cipher
		c.SetKey([]byte("another key before"))
		c.XORKeyStream(make([]byte, 5), make([]byte, 5))
		c.SetKey(key)
		std, err := rc4.NewCipher(key)
		if err != nil {
			require.True(t, len(key) == 0 || len(key) > 256)
			return
		}
		cut = max(min(cut, len(msg)), 0)
		want, got := make([]byte, len(msg)), append([]byte{}, msg...)
		std.XORKeyStream(want, msg)
		c.XORKeyStream(got[:cut], got[:cut])
		c.XORKeyStream(got[cut:], got[cut:])
		require.Equal(t, want, got)
	})
}

func TestMisuse(t *testing.T) {
	var c Cipher
	c.SetKey(nil)
	require.Zero(t, c)
	c.XORKeyStream(nil, []byte("no room"))
	require.Zero(t, c.i)
	buf := []byte("secret")
	c.XORKeyStream(buf, buf)
	require.Equal(t, make([]byte, 6), buf)
	c.SetKey([]byte("key"))
	require.Equal(t, "[redacted]", fmt.Sprintf("%x", &c))
	c.Clear()
	require.Zero(t, c)
}

func TestAllocs(t *testing.T) {
	key, buf := make([]byte, 16), make([]byte, 1000)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		var c Cipher
		c.SetKey(key)
		c.XORKeyStream(buf, buf)
	}))
}

func BenchmarkXORKeyStream(b *testing.B) {
	var c Cipher
	c.SetKey([]byte("0123456789abcdef"))
	buf := make([]byte, 8192)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		c.XORKeyStream(buf, buf)
	}
}

func BenchmarkStandard(b *testing.B) {
	c, err := rc4.NewCipher([]byte("0123456789abcdef"))
	require.NoError(b, err)
	buf := make([]byte, 8192)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		c.XORKeyStream(buf, buf)
	}
}
