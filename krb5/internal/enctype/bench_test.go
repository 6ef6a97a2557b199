package enctype_test

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
)

var sizes = []struct {
	name string
	n    int
}{{"64B", 64}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}}

// forEach runs f for each type and size.
func forEach(b *testing.B, f func(b *testing.B, k *enctype.Key, msg []byte)) {
	for _, id := range enctype.Default() {
		for _, s := range sizes {
			b.Run(id.String()+"/"+s.name, func(b *testing.B) {
				k, err := enctype.GenerateKey(id)
				require.NoError(b, err)
				msg := make([]byte, s.n)
				_, err = rand.Read(msg)
				require.NoError(b, err)
				b.SetBytes(int64(s.n))
				b.ReportAllocs()
				f(b, k, msg)
			})
		}
	}
}

// Seal as a wrap token does it: the message, then a copy of a 16-byte header.
func BenchmarkSeal(b *testing.B) {
	forEach(b, func(b *testing.B, k *enctype.Key, msg []byte) {
		c, err := k.Cipher(24)
		require.NoError(b, err)
		header := make([]byte, 16)
		dst := make([]byte, 0, len(msg)+len(header)+c.Overhead())
		for b.Loop() {
			if _, err := c.Seal(dst, msg, header); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	forEach(b, func(b *testing.B, k *enctype.Key, msg []byte) {
		c, err := k.Cipher(24)
		require.NoError(b, err)
		ct, err := c.Seal(nil, msg, make([]byte, 16))
		require.NoError(b, err)
		dst := make([]byte, 0, len(ct))
		for b.Loop() {
			if _, err := c.Open(dst, ct); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkMAC(b *testing.B) {
	forEach(b, func(b *testing.B, k *enctype.Key, msg []byte) {
		m, err := k.MAC(25)
		require.NoError(b, err)
		header := make([]byte, 16)
		dst := make([]byte, 0, m.Size())
		for b.Loop() {
			m.Sum(dst, msg, header)
		}
	})
}

// What a one-shot call costs on a key that keeps its derived keys.
func BenchmarkDecrypt(b *testing.B) {
	forEach(b, func(b *testing.B, k *enctype.Key, msg []byte) {
		ct, err := k.Encrypt(nil, msg, 2)
		require.NoError(b, err)
		dst := make([]byte, 0, len(ct))
		for b.Loop() {
			if _, err := k.Decrypt(dst, ct, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What a fresh key costs: schedule, Ke and Ki.
func BenchmarkNewCipher(b *testing.B) {
	for _, id := range enctype.Default() {
		b.Run(id.String(), func(b *testing.B) {
			value := make([]byte, enctype.KeySize(id))
			b.ReportAllocs()
			usage := uint32(0)
			for b.Loop() {
				k, err := enctype.NewKey(id, value)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := k.Cipher(usage); err != nil {
					b.Fatal(err)
				}
				usage++
			}
		})
	}
}

// The same with the key's schedule made.
func BenchmarkDerive(b *testing.B) {
	for _, id := range enctype.Default() {
		b.Run(id.String(), func(b *testing.B) {
			k, err := enctype.GenerateKey(id)
			require.NoError(b, err)
			b.ReportAllocs()
			usage := uint32(0)
			for b.Loop() {
				if _, err := k.Cipher(usage); err != nil {
					b.Fatal(err)
				}
				usage++
			}
		})
	}
}

func BenchmarkStringToKey(b *testing.B) {
	for _, id := range []etype.ID{etype.AES256SHA1, etype.AES256SHA2} {
		if !enctype.Supported(id) {
			continue
		}
		b.Run(id.String(), func(b *testing.B) {
			password := []byte("correct horse battery staple")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := enctype.StringToKey(id, password, "EXAMPLE.COMalice", nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFoldUsage(b *testing.B) {
	for b.Loop() {
		enctype.FoldUsage(2, 0xaa)
	}
}
