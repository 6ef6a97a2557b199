package camellia

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// vectors runs f for each record of a file in testdata.
func vectors(t *testing.T, name string, f func(t *testing.T, v map[string][]byte)) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	defer file.Close()
	in, v, n := bufio.NewScanner(file), map[string][]byte{}, 0
	flush := func() {
		if len(v) > 0 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { f(t, v) })
			v, n = map[string][]byte{}, n+1
		}
	}
	require.True(t, in.Scan() && strings.HasPrefix(in.Text(), "# "), "%s has no source in line 1", name)
	for in.Scan() {
		key, value, ok := strings.Cut(in.Text(), "=")
		if !ok {
			flush()
			continue
		}
		b, err := hex.DecodeString(strings.TrimSpace(value))
		require.NoError(t, err)
		v[strings.TrimSpace(key)] = b
	}
	require.NoError(t, in.Err())
	flush()
	require.NotZero(t, n)
}

func newCipher(t testing.TB, key []byte) *Cipher {
	t.Helper()
	c, err := New(key)
	require.NoError(t, err)
	return c
}

func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func TestBlock(t *testing.T) {
	vectors(t, "rfc3713.txt", func(t *testing.T, v map[string][]byte) {
		c := newCipher(t, v["key"])
		got := make([]byte, BlockSize)
		require.NoError(t, c.EncryptCBC(got, v["plain"], new([BlockSize]byte)))
		require.Equal(t, v["cipher"], got)
		require.NoError(t, c.DecryptCBC(got, got, new([BlockSize]byte)))
		require.Equal(t, v["plain"], got)
	})
}

func TestCBC(t *testing.T) {
	vectors(t, "openssl-cbc.txt", func(t *testing.T, v map[string][]byte) {
		c := newCipher(t, v["key"])
		for cut := 0; cut <= len(v["plain"]); cut += BlockSize {
			iv := [BlockSize]byte(v["iv"])
			got := make([]byte, len(v["plain"]))
			require.NoError(t, c.EncryptCBC(got, v["plain"][:cut], &iv))
			require.NoError(t, c.EncryptCBC(got[cut:], v["plain"][cut:], &iv))
			require.Equal(t, v["cipher"], got)
			require.Equal(t, got[len(got)-BlockSize:], iv[:])

			iv = [BlockSize]byte(v["iv"])
			require.NoError(t, c.DecryptCBC(got[:cut], got[:cut], &iv))
			require.NoError(t, c.DecryptCBC(got[cut:], got[cut:], &iv))
			require.Equal(t, v["plain"], got)
			require.Equal(t, v["cipher"][len(got)-BlockSize:], iv[:])
		}
	})
}

func TestCMAC(t *testing.T) {
	vectors(t, "openssl-cmac.txt", func(t *testing.T, v map[string][]byte) {
		m, err := NewCMAC(v["key"])
		require.NoError(t, err)
		data := v["data"]
		for cut := 0; cut <= len(data); cut++ {
			_, _ = m.Write(data[:cut])
			m.Sum(nil) // changes nothing
			n, err := m.Write(data[cut:])
			require.NoError(t, err)
			require.Equal(t, len(data)-cut, n)
			require.Equal(t, v["mac"], m.Sum([]byte{})[:m.Size()])
			require.Equal(t, v["mac"], m.Sum([]byte("x"))[1:])
			m.Reset()
		}
	})
}

// slowF is the F-function byte by byte, as RFC 3713 §2.4.1 writes it.
func slowF(x uint64) uint64 {
	var t [9]byte
	for i := 1; i <= 8; i++ {
		t[i] = byte(x >> (64 - 8*i))
	}
	rot := func(b byte, n uint) byte { return b<<n | b>>(8-n) }
	s1 := func(b byte) byte { return sbox1[b] }
	s2 := func(b byte) byte { return rot(sbox1[b], 1) }
	s3 := func(b byte) byte { return rot(sbox1[b], 7) }
	s4 := func(b byte) byte { return sbox1[rot(b, 1)] }
	for i, s := range []func(byte) byte{s1, s2, s3, s4, s2, s3, s4, s1} {
		t[i+1] = s(t[i+1])
	}
	y := [8]byte{
		t[1] ^ t[3] ^ t[4] ^ t[6] ^ t[7] ^ t[8],
		t[1] ^ t[2] ^ t[4] ^ t[5] ^ t[7] ^ t[8],
		t[1] ^ t[2] ^ t[3] ^ t[5] ^ t[6] ^ t[8],
		t[2] ^ t[3] ^ t[4] ^ t[5] ^ t[6] ^ t[7],
		t[1] ^ t[2] ^ t[6] ^ t[7] ^ t[8],
		t[2] ^ t[3] ^ t[5] ^ t[7] ^ t[8],
		t[3] ^ t[4] ^ t[5] ^ t[6] ^ t[8],
		t[1] ^ t[4] ^ t[5] ^ t[6] ^ t[7],
	}
	return binary.BigEndian.Uint64(y[:])
}

func TestF(t *testing.T) {
	for range 10_000 {
		x := rand.Uint64()
		require.Equal(t, slowF(x), f(x))
	}
}

func TestInverse(t *testing.T) {
	for range 1000 {
		x, k := rand.Uint64(), rand.Uint64()
		require.Equal(t, x, flInverse(fl(x, k), k))
		for _, n := range []int{16, 32} {
			c := newCipher(t, random(n))
			l, r := rand.Uint64(), rand.Uint64()
			gl, gr := c.k.encrypt(l, r)
			gl, gr = c.k.decrypt(gl, gr)
			require.Equal(t, []uint64{l, r}, []uint64{gl, gr})
		}
	}
}

func TestRotate(t *testing.T) {
	w := wide{0x0123456789abcdef, 0xfedcba9876543210}
	one := func(w wide) wide { return wide{w.hi<<1 | w.lo>>63, w.lo<<1 | w.hi>>63} }
	want := w
	for n := range uint(128) {
		require.Equal(t, want, w.rotate(n), n)
		want = one(want)
	}
	require.Equal(t, w, want)
}

func TestErrors(t *testing.T) {
	for _, n := range []int{0, 15, 17, 24, 31, 33} {
		_, err := New(make([]byte, n))
		require.ErrorIs(t, err, krberr.BadKeySize)
		_, err = NewCMAC(make([]byte, n))
		require.ErrorIs(t, err, krberr.BadKeySize)
	}
	c := newCipher(t, random(16))
	iv := new([BlockSize]byte)
	for _, crypt := range []func(dst, src []byte, iv *[BlockSize]byte) error{c.EncryptCBC, c.DecryptCBC} {
		require.ErrorIs(t, crypt(make([]byte, 32), make([]byte, 17), iv), krberr.BadMsize)
		require.ErrorIs(t, crypt(make([]byte, 16), make([]byte, 32), iv), krberr.BadMsize)
		require.NoError(t, crypt(nil, nil, iv))
	}
	c.Clear()
	require.ErrorIs(t, c.EncryptCBC(make([]byte, 16), make([]byte, 16), iv), krberr.BadKeySize)
	require.ErrorIs(t, c.DecryptCBC(make([]byte, 16), make([]byte, 16), iv), krberr.BadKeySize)
	require.Zero(t, *c)
}

// A cleared CMAC is of no use, and no danger.
func TestClear(t *testing.T) {
	m, err := NewCMAC(random(32))
	require.NoError(t, err)
	_, _ = m.Write(random(100))
	m.Clear()
	require.Zero(t, *m)
	_, _ = m.Write(random(100))
	require.Len(t, m.Sum(nil), m.Size())
	require.Equal(t, BlockSize, m.BlockSize())
}

func TestRedacted(t *testing.T) {
	c := newCipher(t, random(16))
	m, err := NewCMAC(random(16))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%s"} {
		require.Equal(t, "[redacted] [redacted]", fmt.Sprintf(verb+" "+verb, c, m))
	}
}

func TestAllocs(t *testing.T) {
	c := newCipher(t, random(32))
	m, err := NewCMAC(random(32))
	require.NoError(t, err)
	buf, sum, iv := random(1024), make([]byte, 0, 16), new([BlockSize]byte)
	require.Zero(t, testing.AllocsPerRun(20, func() {
		_ = c.EncryptCBC(buf, buf, iv)
		_ = c.DecryptCBC(buf, buf, iv)
		m.Reset()
		_, _ = m.Write(buf)
		m.Sum(sum)
	}))
}

// FuzzCMAC holds CMAC in pieces against CBC over the whole message.
func FuzzCMAC(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte{}, 0)
	f.Add([]byte("0123456789abcdef0123456789abcdef"), []byte("message of more than one block"), 7)
	f.Fuzz(func(t *testing.T, key, msg []byte, cut int) {
		m, err := NewCMAC(key)
		if err != nil {
			require.ErrorIs(t, err, krberr.BadKeySize)
			return
		}
		cut = max(min(cut, len(msg)), 0)
		_, _ = m.Write(msg[:cut])
		_, _ = m.Write(msg[cut:])

		c := newCipher(t, key)
		padded := append([]byte{}, msg...)
		sub := m.sub1
		if len(msg) == 0 || len(msg)%BlockSize != 0 {
			padded = append(padded, 0x80)
			padded = append(padded, make([]byte, (BlockSize-len(padded)%BlockSize)%BlockSize)...)
			sub = m.sub2
		}
		last := padded[len(padded)-BlockSize:]
		binary.BigEndian.PutUint64(last, binary.BigEndian.Uint64(last)^sub.hi)
		binary.BigEndian.PutUint64(last[8:], binary.BigEndian.Uint64(last[8:])^sub.lo)
		iv := new([BlockSize]byte)
		require.NoError(t, c.EncryptCBC(padded, padded, iv))
		require.Equal(t, iv[:], m.Sum(nil))
	})
}

func BenchmarkCBC(b *testing.B) {
	for _, size := range []int{16, 32} {
		c := newCipher(b, random(size))
		buf, iv := random(8192), new([BlockSize]byte)
		b.Run(fmt.Sprintf("encrypt/%d", 8*size), func(b *testing.B) {
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				_ = c.EncryptCBC(buf, buf, iv)
			}
		})
		b.Run(fmt.Sprintf("decrypt/%d", 8*size), func(b *testing.B) {
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				_ = c.DecryptCBC(buf, buf, iv)
			}
		})
	}
}
