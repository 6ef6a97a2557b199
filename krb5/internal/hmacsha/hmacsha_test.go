package hmacsha

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/fips140"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
)

func TestVectors(t *testing.T) {
	text, err := os.Open("testdata/rfc.txt")
	require.NoError(t, err)
	defer text.Close()
	byName := map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384}
	count := 0
	for s := bufio.NewScanner(text); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		words := strings.Fields(s.Text())
		var v [3][]byte
		for i, word := range words[1:] {
			v[i], err = hex.DecodeString(word)
			require.NoError(t, err)
		}
		h := byName[words[0]]
		for _, kernel := range kernels(h) {
			require.Equal(t, v[2], sum(newMAC(h, v[0], kernel), v[1]), s.Text())
		}
		count++
	}
	require.Equal(t, 19, count)
}

// Each length of a message around the ends of several blocks gives the standard
// library's MAC, as do many messages under one key.
func TestLengths(t *testing.T) {
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		key := noise(1, 32)
		m := create(key)
		for n := range 600 {
			msg := noise(uint64(n), n)
			want := reference(h, key, msg)
			require.Equal(t, want, sum(m, msg), n)
			require.Equal(t, want, m.Short(append(msg, noise(3, Room)...), n), n)
			require.Equal(t, want, sum(m, msg), n)
		}
		require.Equal(t, h.Size(), m.Size())
		require.Equal(t, h.New().BlockSize(), m.BlockSize())
	})
}

// The kernel works wherever it can, but not in FIPS mode, in which it is no part of the
// validated module.
func TestChoice(t *testing.T) {
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
		m := New(h, noise(1, 24))
		require.Equal(t, variantOf(h) != nil && !fips140.Enabled(), m.std == nil, h)
		require.Equal(t, h == crypto.SHA384 && m.std == nil, m.Weaves(newCipher(t, 32)), h)
		require.False(t, m.Weaves(newCipher(t, 16)), h)
	}
}

// Short needs no more than the room it asks for, and leaves the message alone.
func TestShortRoom(t *testing.T) {
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		m := create(nil)
		for n := range 300 {
			msg := noise(uint64(n), n)
			buf := append(append([]byte(nil), msg...), noise(9, Room+40)...)
			m.Short(buf[:n+Room:n+Room], n)
			require.Equal(t, msg, buf[:n])
			require.Equal(t, noise(9, Room+40)[Room:], buf[n+Room:], "what is behind the room")
		}
	})
}

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		msg := noise(1, 100)
		for n := range 300 {
			key := noise(uint64(n), n)
			m := create(key)
			require.Equal(t, keyed{}.buf, m.kernel.buf, "no key is left in the buffer")
			require.Equal(t, reference(h, key, msg), sum(m, msg), n)
			require.Equal(t, noise(uint64(n), n), key, "the key is the caller's")
		}
	})
}

// Pieces of a message give what the whole gives, begun at any place in a block.
func TestPieces(t *testing.T) {
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		key, msg := noise(1, 24), noise(2, 2000)
		want := reference(h, key, msg)
		m := create(key)
		for _, pieces := range [][]int{{1}, {7}, {16, 112}, {63, 1, 64, 65}, {127, 129, 128}, {0, 300}, {1999}} {
			m.Reset()
			for i, at := 0, 0; at < len(msg); i++ {
				end := min(at+pieces[i%len(pieces)], len(msg))
				n, err := m.Write(msg[at:end])
				require.NoError(t, err)
				require.Equal(t, end-at, n)
				at = end
			}
			require.Equal(t, want, m.Sum(nil), "%v", pieces)
		}
		require.Equal(t, append([]byte("before"), want...), func() []byte {
			m.Reset()
			_, _ = m.Write(msg)
			return m.Sum([]byte("before"))
		}())
	})
}

// A message longer than the assembler takes at once.
func TestLong(t *testing.T) {
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		for _, n := range []int{64 << 10, 64<<10 + 1, 200<<10 + 77} {
			msg := noise(1, n)
			require.Equal(t, reference(h, nil, msg), sum(create(nil), msg))
		}
	})
}

// Both at once is one after the other: for all lengths of what is hashed and what is
// encrypted, in place and apart, with a block of the hash begun before.
func TestWriteEncrypting(t *testing.T) {
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		key := noise(1, 24)
		m := create(key)
		for _, size := range []int{16, 32} {
			c := newCipher(t, size)
			for _, before := range []int{0, 16, 100, 128} {
				for _, hashed := range []int{0, 1, 28, 112, 128, 129, 256, 300, 512, 1030, 66 << 10} {
					for _, length := range []int{0, 16, 112, 128, 144, 256, 272, 512, 1024, 66 << 10} {
						first, p, src := noise(2, before), noise(3, hashed), noise(4, length)
						iv := [aescbc.BlockSize]byte(noise(5, aescbc.BlockSize))
						want, next := encrypted(t, c, src, iv)
						for _, apart := range []bool{false, true} {
							dst, v := bytes.Clone(src), iv
							in := dst
							if apart {
								in = src
							}
							m.Reset()
							_, _ = m.Write(first)
							require.NoError(t, m.WriteEncrypting(p, c, dst, in, &v))
							_, _ = m.Write([]byte("behind"))
							what := fmt.Sprint(size, " ", before, " ", hashed, " ", length, " ", apart)
							require.Equal(t, reference(h, key, first, p, []byte("behind")), m.Sum(nil), what)
							require.Equal(t, want, dst, what)
							require.Equal(t, next, v, what)
							require.Equal(t, noise(3, hashed), p, what)
						}
					}
				}
			}
		}
	})
}

// What the cipher refuses is not begun.
func TestWriteEncryptingFails(t *testing.T) {
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		m, c := create(nil), newCipher(t, 32)
		var iv [aescbc.BlockSize]byte
		p := noise(1, 512)
		for _, n := range [][2]int{{512, 511}, {256, 512}, {0, 128}, {300, 300}} {
			dst, src := noise(2, n[0]), noise(3, n[1])
			require.Error(t, m.WriteEncrypting(p, c, dst, src, &iv))
			require.Equal(t, noise(2, n[0]), dst)
			require.Zero(t, iv)
		}
		c.Clear()
		require.Error(t, m.WriteEncrypting(p, c, noise(2, 512), noise(3, 512), &iv))
		require.Zero(t, iv)
	})
}

// Turns do not leave a block of the hash half done.
func TestTurns(t *testing.T) {
	each(t, func(t *testing.T, _ crypto.Hash, create func([]byte) *MAC) {
		m := create(nil)
		for _, size := range []int{16, 32} {
			e, d := m.Turns(newCipher(t, size))
			for _, n := range []int{e, d} {
				require.Positive(t, n)
				require.Zero(t, n%m.BlockSize())
			}
		}
	})
}

// After Clear no MAC is one that anybody can make, and no two are the same.
func TestClear(t *testing.T) {
	each(t, func(t *testing.T, h crypto.Hash, create func([]byte) *MAC) {
		key, msg := noise(1, 16), noise(2, 40)
		m := create(key)
		sum(m, msg)
		m.Clear()
		m.Clear()
		require.Equal(t, keyed{v: m.kernel.v}, m.kernel, "nothing is left")
		seen := map[string]bool{string(reference(h, key, msg)): true, string(sum(create(nil), msg)): true}
		buf := append(append([]byte(nil), msg...), noise(3, Room)...)
		for range 10 {
			for _, got := range [][]byte{sum(m, msg), m.Short(buf, len(msg))} {
				require.Len(t, got, h.Size())
				require.False(t, seen[string(got)])
				seen[string(got)] = true
			}
		}
	})
}

func TestRedacted(t *testing.T) {
	m := New(crypto.SHA384, noise(1, 24))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		require.Equal(t, "[redacted]", fmt.Sprintf(verb, m), verb)
		require.NotContains(t, fmt.Sprintf(verb, struct{ M *MAC }{m}), "inner", verb)
	}
	//lint:ignore SA9005 that there is nothing to marshal is what is tested
	j, err := json.Marshal(m)
	require.NoError(t, err)
	require.Equal(t, "{}", string(j))
}

func TestAllocs(t *testing.T) {
	each(t, func(t *testing.T, _ crypto.Hash, create func([]byte) *MAC) {
		m, c := create(noise(1, 24)), newCipher(t, 32)
		buf, out, iv := noise(2, 1<<10+Room), noise(3, 64), new([aescbc.BlockSize]byte)
		f := func() {
			m.Reset()
			_, _ = m.Write(buf[:300])
			if m.WriteEncrypting(buf[:512], c, buf[512:1<<10], buf[512:1<<10], iv) != nil {
				t.Error("refused")
			}
			m.Sum(out[:0])
			m.Short(buf, 100)
		}
		f()
		require.Zero(t, testing.AllocsPerRun(100, f))
	})
}
