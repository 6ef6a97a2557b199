package aescbc

import (
	"crypto/fips140"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Each length from nothing to 64 blocks agrees with the standard library, from
// memory to memory and in place, and touches no byte beyond.
func TestLengths(t *testing.T) {
	each(t, func(t *testing.T, c *Cipher, key []byte) {
		for blocks := range 65 {
			n := blocks * BlockSize
			in := noise(uint64(blocks), n)
			iv := [BlockSize]byte(noise(99, BlockSize))
			for name, op := range map[string]struct {
				got  func(dst, src []byte, iv *[BlockSize]byte) error
				want []byte
				next []byte // the ciphertext
			}{
				"encrypt": {c.Encrypt, stdEncrypt(t, key, in, iv), stdEncrypt(t, key, in, iv)},
				"decrypt": {c.Decrypt, stdDecrypt(t, key, in, iv), in},
			} {
				next := iv
				if n > 0 {
					next = [BlockSize]byte(op.next[n-BlockSize:])
				}
				out, intact := walled(t, n)
				v := iv
				require.NoError(t, op.got(out, in, &v))
				require.Equal(t, op.want, out, "%s %d", name, blocks)
				require.Equal(t, next, v, "%s %d", name, blocks)
				intact()

				copy(out, in)
				v = iv
				require.NoError(t, op.got(out, out, &v))
				require.Equal(t, op.want, out, "%s %d in place", name, blocks)
				require.Equal(t, next, v, "%s %d in place", name, blocks)
				intact()
			}
			require.Equal(t, noise(uint64(blocks), n), in, "the source does not change")
		}
	})
}

// Pieces of a message give what the whole gives.
func TestChaining(t *testing.T) {
	each(t, func(t *testing.T, c *Cipher, key []byte) {
		in := noise(1, 200*BlockSize)
		iv := [BlockSize]byte(noise(2, BlockSize))
		want := stdEncrypt(t, key, in, iv)
		for _, pieces := range [][]int{{1}, {2, 3}, {7, 8, 9}, {0, 15, 17}, {64}, {199, 1}} {
			enc, dec := iv, iv
			ct, pt := make([]byte, len(in)), make([]byte, len(in))
			for i, at := 0, 0; at < len(in); i++ {
				end := min(at+pieces[i%len(pieces)]*BlockSize, len(in))
				require.NoError(t, c.Encrypt(ct[at:end], in[at:end], &enc))
				require.NoError(t, c.Decrypt(pt[at:end], want[at:end], &dec))
				at = end
			}
			require.Equal(t, want, ct, "%v", pieces)
			require.Equal(t, in, pt, "%v", pieces)
			require.Equal(t, enc, dec)
		}
	})
}

// A message longer than the assembler takes at once.
func TestLong(t *testing.T) {
	each(t, func(t *testing.T, c *Cipher, key []byte) {
		var enc, dec [BlockSize]byte
		for _, n := range []int{64 << 10, 64<<10 + BlockSize, 300 << 10} {
			in := noise(3, n)
			enc, dec = [BlockSize]byte{}, [BlockSize]byte{}
			got := make([]byte, n)
			require.NoError(t, c.Encrypt(got, in, &enc))
			require.Equal(t, stdEncrypt(t, key, in, [BlockSize]byte{}), got)
			require.NoError(t, c.Decrypt(got, got, &dec))
			require.Equal(t, in, got)
		}
	})
}

// Keys at random, so that each byte of the schedule is met with many values.
func TestKeys(t *testing.T) {
	iv := [BlockSize]byte(noise(4, BlockSize))
	in := noise(5, 9*BlockSize)
	for _, by := range implementations {
		for i := range 500 {
			for _, size := range []int{16, 32} {
				key := noise(uint64(1000+i), size)
				c, err := newCipher(key, by)
				require.NoError(t, err)
				out := make([]byte, len(in))
				v := iv
				require.NoError(t, c.Encrypt(out, in, &v))
				require.Equal(t, stdEncrypt(t, key, in, iv), out)
				v = iv
				require.NoError(t, c.Decrypt(out, in, &v))
				require.Equal(t, stdDecrypt(t, key, in, iv), out)
			}
		}
	}
}

// The best kernel works, but not in FIPS mode, in which it is no part of the validated
// module.
func TestChoice(t *testing.T) {
	want := implementations[len(implementations)-1]
	if fips140.Enabled() {
		want = standard
	}
	c, err := New(make([]byte, 32))
	require.NoError(t, err)
	require.Equal(t, want, c.by)
	require.Equal(t, want != standard, c.Keys256() != nil)
	require.Equal(t, want == wide, c.Wide())
	c, err = New(make([]byte, 16))
	require.NoError(t, err)
	require.Nil(t, c.Keys256())
}

func TestKeySize(t *testing.T) {
	for n := range 40 {
		_, err := New(make([]byte, n))
		if n == 16 || n == 32 {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, krberr.BadKeySize, "%d", n)
	}
}

// A wrong length is an error, and nothing is read or written.
func TestBadLengths(t *testing.T) {
	each(t, func(t *testing.T, c *Cipher, _ []byte) {
		for _, n := range [][2]int{{16, 1}, {16, 15}, {32, 17}, {0, 16}, {15, 16}, {127, 128}, {1 << 10, 1<<10 - 1}} {
			dst, src := make([]byte, n[0]), noise(6, n[1])
			var iv [BlockSize]byte
			require.ErrorIs(t, c.Encrypt(dst, src, &iv), krberr.BadMsize, "%v", n)
			require.ErrorIs(t, c.Decrypt(dst, src, &iv), krberr.BadMsize, "%v", n)
			require.Equal(t, make([]byte, n[0]), dst)
			require.Zero(t, iv)
		}
		var iv [BlockSize]byte
		require.NoError(t, c.Encrypt(nil, nil, &iv))
		require.NoError(t, c.Decrypt(nil, nil, &iv))
		long := make([]byte, 100)
		require.NoError(t, c.Encrypt(long, make([]byte, 48), &iv))
		require.Equal(t, make([]byte, 52), long[48:], "what is beyond src's length stays")
	})
}

func TestClear(t *testing.T) {
	each(t, func(t *testing.T, c *Cipher, _ []byte) {
		c.Clear()
		require.Equal(t, Cipher{}, *c, "no key is left")
		b := noise(7, 32)
		var iv [BlockSize]byte
		require.ErrorIs(t, c.Encrypt(b, b, &iv), krberr.BadKeySize)
		require.ErrorIs(t, c.Decrypt(b, b, &iv), krberr.BadKeySize)
		require.Equal(t, noise(7, 32), b, "nothing is encrypted without a key")
	})
}

func TestRedacted(t *testing.T) {
	each(t, func(t *testing.T, c *Cipher, _ []byte) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
			require.NotContains(t, fmt.Sprintf(verb, c)+fmt.Sprintf(verb, struct{ C *Cipher }{c}), "schedule", verb)
			require.Equal(t, "[redacted]", fmt.Sprintf(verb, c), verb)
		}
		//lint:ignore SA9005 that there is nothing to marshal is what is tested
		j, err := json.Marshal(c)
		require.NoError(t, err)
		require.Equal(t, "{}", string(j))
	})
}

func TestAllocs(t *testing.T) {
	each(t, func(t *testing.T, c *Cipher, _ []byte) {
		b := make([]byte, 1<<10)
		iv := new([BlockSize]byte)
		f := func() {
			if c.Encrypt(b, b, iv) != nil || c.Decrypt(b, b, iv) != nil {
				t.Error("refused")
			}
		}
		f()
		require.Zero(t, testing.AllocsPerRun(100, f))
	})
}
