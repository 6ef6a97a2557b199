package aescbc

import (
	"fmt"
	"testing"
)

func benchmark(b *testing.B, op func(c *Cipher, dst, src []byte, iv *[BlockSize]byte) error) {
	for _, bits := range []int{128, 256} {
		for _, by := range implementations {
			for _, size := range []int{96, 128, 1 << 10, 16 << 10, 64 << 10, 1 << 20} {
				b.Run(fmt.Sprintf("%d/%v/%d", bits, by, size), func(b *testing.B) {
					c, err := newCipher(noise(1, bits/8), by)
					if err != nil {
						b.Fatal(err)
					}
					buf, iv := noise(2, size), new([BlockSize]byte)
					b.SetBytes(int64(size))
					b.ReportAllocs()
					for b.Loop() {
						if err := op(c, buf, buf, iv); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

func BenchmarkEncrypt(b *testing.B) { benchmark(b, (*Cipher).Encrypt) }

func BenchmarkDecrypt(b *testing.B) { benchmark(b, (*Cipher).Decrypt) }

func BenchmarkNew(b *testing.B) {
	for _, bits := range []int{128, 256} {
		for _, by := range implementations {
			b.Run(fmt.Sprintf("%d/%v", bits, by), func(b *testing.B) {
				key := noise(1, bits/8)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := newCipher(key, by); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
