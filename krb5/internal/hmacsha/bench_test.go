package hmacsha

import (
	"fmt"
	"testing"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
)

func BenchmarkMAC(b *testing.B) {
	for _, h := range hashes {
		for _, kernel := range kernels(h) {
			for _, size := range []int{64, 96, 1 << 10, 64 << 10} {
				b.Run(fmt.Sprintf("%s/%d", name(h, kernel), size), func(b *testing.B) {
					m, msg, out := newMAC(h, noise(1, 24), kernel), noise(2, size), make([]byte, 0, 64)
					b.SetBytes(int64(size))
					b.ReportAllocs()
					for b.Loop() {
						m.Reset()
						_, _ = m.Write(msg)
						m.Sum(out)
					}
				})
			}
		}
	}
}

func BenchmarkShort(b *testing.B) {
	for _, h := range hashes {
		for _, kernel := range kernels(h) {
			b.Run(name(h, kernel), func(b *testing.B) {
				m, buf := newMAC(h, noise(1, 24), kernel), noise(2, 96+Room)
				b.SetBytes(96)
				b.ReportAllocs()
				for b.Loop() {
					m.Short(buf, 96)
				}
			})
		}
	}
}

func BenchmarkWriteEncrypting(b *testing.B) {
	for _, h := range hashes {
		b.Run(name(h, variantOf(h) != nil), func(b *testing.B) {
			m, c, iv := New(h, noise(1, 24)), newCipher(b, 32), new([aescbc.BlockSize]byte)
			p, buf := noise(2, 8<<10), noise(3, 8<<10)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				m.Reset()
				if err := m.WriteEncrypting(p, c, buf, buf, iv); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for _, h := range hashes {
		for _, kernel := range kernels(h) {
			b.Run(name(h, kernel), func(b *testing.B) {
				key := noise(1, 24)
				b.ReportAllocs()
				for b.Loop() {
					newMAC(h, key, kernel)
				}
			})
		}
	}
}
