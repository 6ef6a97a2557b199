package enctype_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// eachInPlace runs f for every type that protects messages in place.
func eachInPlace(t *testing.T, f func(t *testing.T, k *enctype.Key)) {
	for _, id := range []etype.ID{17, 18, 19, 20, 25, 26} {
		if enctype.Supported(id) {
			t.Run(fmt.Sprint(id), func(t *testing.T) { f(t, testKey(t, id)) })
		}
	}
}

// message returns a message whose data is cut as pieces says.
func message(data, tail []byte, overhead int, pieces ...int) enctype.Message {
	m := enctype.Message{Confounder: make([]byte, 16), Tail: bytes.Clone(tail), MAC: make([]byte, overhead-16)}
	data = bytes.Clone(data)
	for _, n := range pieces {
		n = min(n, len(data))
		m.Buffers = append(m.Buffers, iov.Buffer{Type: iov.Data, Bytes: data[:n:n]})
		data = data[n:]
	}
	m.Buffers = append(m.Buffers, iov.Buffer{Type: iov.Data, Bytes: data})
	return m
}

// joined returns the ciphertext of m, MAC and all, without what is only signed.
func joined(m enctype.Message) []byte {
	b := bytes.Clone(m.Confounder)
	for _, p := range m.Buffers {
		if p.Type == iov.Data {
			b = append(b, p.Bytes...)
		}
	}
	return append(append(b, m.Tail...), m.MAC...)
}

func clone(m enctype.Message) enctype.Message {
	m.Confounder, m.Tail, m.MAC = bytes.Clone(m.Confounder), bytes.Clone(m.Tail), bytes.Clone(m.MAC)
	m.Buffers = slices.Clone(m.Buffers)
	for i := range m.Buffers {
		m.Buffers[i].Bytes = bytes.Clone(m.Buffers[i].Bytes)
	}
	return m
}

var cuts = [][]int{
	nil, {0}, {1}, {15}, {16}, {17}, {1, 1, 1}, {0, 5, 0, 7, 0}, {3, 16, 16, 3}, {100, 1, 15, 16}, {16, 32, 48},
	{255, 257}, {1000, 1, 1, 1000}, {4096, 3},
	slices.Repeat([]int{1}, 70), slices.Repeat([]int{7}, 50), slices.Repeat([]int{130}, 9),
}

// What is sealed in pieces is what is sealed in one, and the other way round.
func TestInPieces(t *testing.T) {
	conf := bytesOf(16)
	eachInPlace(t, func(t *testing.T, k *enctype.Key) {
		c, one := cipherOf(t, k, 24), cipherOf(t, k, 24)
		c.SetConfounder(conf)
		one.SetConfounder(conf)
		for _, n := range lengths {
			for _, tail := range []int{16, 32, 45, 300} {
				data, end := bytesOf(n), bytesOf(tail)
				want, err := one.Seal(nil, slices.Concat(data, end), nil)
				require.NoError(t, err)
				for _, cut := range cuts {
					m := message(data, end, c.Overhead(), cut...)
					require.NoError(t, c.SealInPlace(m))
					require.Equal(t, want, joined(m), "%d bytes in %v, tail %d", n, cut, tail)
					require.NoError(t, c.OpenInPlace(m))
					got := joined(m)
					require.Equal(t, slices.Concat(conf, data, end), got[:len(got)-len(m.MAC)], "%d bytes in %v, tail %d", n, cut, tail)
				}
			}
		}
	})
}

// What is only signed counts where it stands, and stays as it is.
func TestInPlaceSignOnly(t *testing.T) {
	eachInPlace(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		r := rand.New(rand.NewPCG(1, uint64(k.Enctype())))
		for range 400 {
			m := random(r, c.Overhead())
			plain := clone(m)
			require.NoError(t, c.SealInPlace(m))
			sealed := clone(m)
			for i, b := range m.Buffers {
				if b.Type != iov.Data {
					require.Equal(t, plain.Buffers[i], b)
				}
			}
			require.NoError(t, c.OpenInPlace(m))
			require.Equal(t, plain.Buffers, m.Buffers)
			require.Equal(t, plain.Tail, m.Tail)

			// Another order of what is signed, or other bytes in it, is another message.
			for i, b := range sealed.Buffers {
				if b.Type != iov.SignOnly || len(b.Bytes) == 0 {
					continue
				}
				bad := clone(sealed)
				bad.Buffers[i].Bytes[r.IntN(len(b.Bytes))] ^= 1
				refused(t, c, bad)
				bad = clone(sealed)
				bad.Buffers[i].Bytes = b.Bytes[1:]
				refused(t, c, bad)
				if i > 0 && bad.Buffers[i-1].Type == iov.Data && len(bad.Buffers[i-1].Bytes) > 0 {
					bad = clone(sealed)
					bad.Buffers[i], bad.Buffers[i-1] = bad.Buffers[i-1], bad.Buffers[i]
					refused(t, c, bad)
				}
			}
		}
	})
}

// random returns a message of all kinds of pieces.
func random(r *rand.Rand, overhead int) enctype.Message {
	fill := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	m := enctype.Message{Confounder: make([]byte, 16), Tail: fill(16 + r.IntN(2)*16), MAC: make([]byte, overhead-16)}
	for range r.IntN(8) {
		typ := []iov.Type{iov.Data, iov.Data, iov.SignOnly, iov.Empty, iov.Header}[r.IntN(5)]
		n := r.IntN(40)
		if r.IntN(4) == 0 {
			n = r.IntN(1500)
		}
		m.Buffers = append(m.Buffers, iov.Buffer{Type: typ, Bytes: fill(n)})
	}
	return m
}

// refused checks that m does not open and nothing of it is left.
func refused(t *testing.T, c *enctype.Cipher, m enctype.Message) {
	t.Helper()
	require.ErrorIs(t, c.OpenInPlace(m), krberr.APBadIntegrity)
	b := joined(m)
	require.Equal(t, make([]byte, len(b)-len(m.MAC)), b[:len(b)-len(m.MAC)])
}

func TestInPlaceTampered(t *testing.T) {
	eachInPlace(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		for _, n := range []int{0, 1, 40, enctype.Short + 40} {
			m := message(bytesOf(n), bytesOf(32), c.Overhead(), 5, 20)
			m.Buffers = append(m.Buffers, iov.Buffer{Type: iov.SignOnly, Bytes: bytesOf(21)})
			require.NoError(t, c.SealInPlace(m))
			flip := func(part func(m *enctype.Message) []byte) {
				for i := range part(&m) {
					bad := clone(m)
					part(&bad)[i] ^= 1 << (i % 8)
					refused(t, c, bad)
				}
			}
			flip(func(m *enctype.Message) []byte { return m.Confounder })
			flip(func(m *enctype.Message) []byte { return m.Tail })
			flip(func(m *enctype.Message) []byte { return m.MAC })
			for i := range m.Buffers {
				flip(func(m *enctype.Message) []byte { return m.Buffers[i].Bytes })
				bad := clone(m)
				bad.Buffers = slices.Delete(bad.Buffers, i, i+1)
				if len(m.Buffers[i].Bytes) > 0 {
					refused(t, c, bad)
				}
			}
			other := cipherOf(t, k, 22)
			refused(t, other, clone(m))
			require.NoError(t, c.OpenInPlace(m), "the genuine one after forged ones")
		}
	})
}

func TestInPlaceRefused(t *testing.T) {
	for _, id := range []etype.ID{etype.RC4, etype.DES3SHA1} {
		if enctype.Supported(id) {
			c := cipherOf(t, testKey(t, id), 24)
			m := message(nil, bytesOf(16), c.Overhead())
			require.ErrorIs(t, c.SealInPlace(m), krberr.BadEnctype)
			require.ErrorIs(t, c.OpenInPlace(m), krberr.BadEnctype)
		}
	}
	eachInPlace(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		for _, change := range []func(m *enctype.Message){
			func(m *enctype.Message) { m.Confounder = m.Confounder[:15] },
			func(m *enctype.Message) { m.Confounder = make([]byte, 17) },
			func(m *enctype.Message) { m.Tail = m.Tail[:15] },
			func(m *enctype.Message) { m.Tail = nil },
			func(m *enctype.Message) { m.MAC = m.MAC[1:] },
			func(m *enctype.Message) { m.MAC = make([]byte, len(m.MAC)+1) },
		} {
			m := message(bytesOf(9), bytesOf(16), c.Overhead())
			change(&m)
			require.ErrorIs(t, c.SealInPlace(m), krberr.BadMsize)
			require.ErrorIs(t, c.OpenInPlace(m), krberr.BadMsize)
		}
		failure := errors.New("no randomness")
		m := message(bytesOf(9), bytesOf(16), c.Overhead())
		c.FailRandom(failure)
		require.ErrorIs(t, c.SealInPlace(m), failure)
		require.Equal(t, bytesOf(9), m.Buffers[0].Bytes)

		for _, n := range []int{0, 9, enctype.Short, 3000} {
			c := cipherOf(t, k, 24)
			m := message(bytesOf(n), bytesOf(16), c.Overhead())
			require.NoError(t, c.SealInPlace(m))
			c.Clear()
			refused(t, c, m)
			require.Error(t, c.SealInPlace(message(bytesOf(n), bytesOf(16), c.Overhead())))
		}
	})
}

// The checksum of buffers is that of what is in them.
func TestMACBuffers(t *testing.T) {
	eachInPlace(t, func(t *testing.T, k *enctype.Key) {
		m := macOf(t, k, 25)
		buffers := []iov.Buffer{
			{Type: iov.SignOnly, Bytes: []byte("one")}, {Type: iov.Header, Bytes: []byte("left out")}, {Type: iov.Data, Bytes: bytesOf(300)},
			{Type: iov.Padding, Bytes: []byte("left out")}, {Type: iov.Data}, {Type: iov.SignOnly, Bytes: []byte("two")},
		}
		want := m.Sum(nil, slices.Concat([]byte("one"), bytesOf(300), []byte("two")), bytesOf(100))
		got := m.SumBuffers([]byte("before"), buffers, bytesOf(100))
		require.Equal(t, append([]byte("before"), want...), got)
		require.True(t, m.VerifyBuffers(want, buffers, bytesOf(100)))
		require.False(t, m.VerifyBuffers(want[1:], buffers, bytesOf(100)))
		buffers[0].Type = iov.Empty
		require.False(t, m.VerifyBuffers(want, buffers, bytesOf(100)))
	})
}

func TestInPlaceAllocs(t *testing.T) {
	eachInPlace(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		for _, n := range []int{0, 64, 1024, 65536} {
			m := message(bytesOf(n), bytesOf(16), c.Overhead(), 5, 500)
			noAllocs(t, func() {
				if c.SealInPlace(m) != nil || c.OpenInPlace(m) != nil {
					t.Error("refused")
				}
			})
		}
		mac := macOf(t, k, 24)
		sum, b := make([]byte, 0, 32), []iov.Buffer{{Type: iov.Data, Bytes: bytesOf(99)}}
		noAllocs(t, func() {
			var header [16]byte
			mac.SumBuffers(sum, b, header[:])
		})
	})
}

func BenchmarkInPlace(b *testing.B) {
	for _, seal := range []bool{true, false} {
		name := "open"
		if seal {
			name = "seal"
		}
		b.Run(name, func(b *testing.B) {
			forEach(b, func(b *testing.B, k *enctype.Key, msg []byte) {
				c, err := k.Cipher(24)
				require.NoError(b, err)
				m := message(msg, make([]byte, 16), c.Overhead())
				require.NoError(b, c.SealInPlace(m))
				sealed := bytes.Clone(joined(m))
				for b.Loop() {
					if seal {
						err = c.SealInPlace(m)
					} else {
						copy(m.Confounder, sealed)
						copy(m.Buffers[0].Bytes, sealed[16:])
						copy(m.Tail, sealed[16+len(msg):])
						copy(m.MAC, sealed[32+len(msg):])
						err = c.OpenInPlace(m)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
