package enctype_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		for _, usage := range usages {
			c := cipherOf(t, k, usage)
			for _, n := range lengths {
				msg := bytesOf(n)
				ct, err := k.Encrypt([]byte("head"), msg, usage)
				require.NoError(t, err)
				require.Equal(t, "head", string(ct[:4]))
				require.Len(t, ct, 4+n+c.Overhead())
				require.Equal(t, c.Overhead(), enctype.Overhead(k.Enctype()))
				got, err := c.Open([]byte("head"), ct[4:])
				require.NoError(t, err, "length %d", n)
				require.Equal(t, "head", string(got[:4]))
				require.Equal(t, msg, append([]byte{}, got[4:]...), "length %d", n)
				_, err = k.Decrypt(nil, ct[4:], usage+1)
				require.ErrorIs(t, err, krberr.APBadIntegrity)
			}
		}
	})
}

// Seal(a, b) is Encrypt(a | b), wherever the border lies.
func TestSealParts(t *testing.T) {
	conf := bytesOf(16)
	each(t, func(t *testing.T, k *enctype.Key) {
		whole, parts := cipherOf(t, k, 24), cipherOf(t, k, 24)
		whole.SetConfounder(conf)
		parts.SetConfounder(conf)
		for _, n := range lengths {
			msg := bytesOf(n)
			want, err := whole.Seal(nil, msg, nil)
			require.NoError(t, err)
			for _, tail := range []int{0, 1, 15, 16, 17, 32, 64, 300, 600, n} {
				if tail > n {
					continue
				}
				got, err := parts.Seal(nil, msg[:n-tail], msg[n-tail:])
				require.NoError(t, err)
				require.Equal(t, want, got, "length %d, tail %d", n, tail)
			}
		}
	})
}

// A cleared cipher fails and gives nothing away.
func TestCipherClear(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		for _, n := range []int{0, 5, 16, enctype.Short, 3000} {
			c := cipherOf(t, k, 24)
			ct, err := c.Seal(nil, bytesOf(n), nil)
			require.NoError(t, err)
			tag := c.Tag(ct)
			require.Equal(t, tag, c.Tag(ct))
			c.Clear()
			c.Clear()
			require.NotEqual(t, tag, c.Tag(ct), "the integrity key is gone too")
			dst := make([]byte, 4, n+100)
			got, err := c.Seal(dst, bytesOf(n), []byte("tail"))
			require.ErrorIs(t, err, krberr.BadKeySize)
			require.Len(t, got, 4)
			require.Equal(t, make([]byte, cap(dst)), dst[:cap(dst)])
			got, err = c.Open(dst, ct)
			require.ErrorIs(t, err, krberr.APBadIntegrity)
			require.Len(t, got, 4)
			require.Equal(t, make([]byte, cap(dst)), dst[:cap(dst)])
		}
	})
}

// How far the cipher runs ahead of the hash makes no difference.
func TestTurns(t *testing.T) {
	conf := bytesOf(16)
	each(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		c.SetConfounder(conf)
		for _, n := range lengths {
			msg, tail := bytesOf(n), bytesOf(16)
			c.SetTurns(enctype.Chunk, enctype.Chunk)
			want, err := c.Seal(nil, msg, tail)
			require.NoError(t, err)
			for _, turn := range []int{64, enctype.Stride, 1 << 10} {
				c.SetTurns(turn, 2*turn)
				got, err := c.Seal(nil, msg, tail)
				require.NoError(t, err)
				require.Equal(t, want, got, "length %d, turn %d", n, turn)
				got, err = c.Open(nil, got)
				require.NoError(t, err)
				require.Equal(t, append(msg, tail...), got, "length %d, turn %d", n, turn)
			}
		}
	})
}

// The confounder is new with each message.
func TestConfounder(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		c, seen := cipherOf(t, k, 2), map[string]bool{}
		for range 64 {
			ct, err := c.Seal(nil, make([]byte, 32), nil)
			require.NoError(t, err)
			require.False(t, seen[string(ct)])
			seen[string(ct)] = true
		}
	})
}

func TestSealWithoutRandom(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 2)
		c.FailRandom(io.ErrUnexpectedEOF)
		got, err := c.Seal([]byte("head"), []byte("message"), nil)
		require.ErrorIs(t, err, krberr.CryptoInternal)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, "head", string(got))
	})
}

// A message may be sealed where it lies, and opened where it lies: that is how
// buffers of an IOV are handled.
func TestInPlace(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		for _, n := range lengths {
			msg := bytesOf(n)
			buf := make([]byte, 16+n, 16+n+len(msg)+c.Overhead())
			copy(buf[16:], msg)
			ct, err := c.Seal(buf[:0], buf[16:], []byte("trailer"))
			require.NoError(t, err)
			require.Same(t, &buf[0], &ct[0])
			want, err := c.Open(nil, ct)
			require.NoError(t, err)
			require.Equal(t, string(msg)+"trailer", string(want), "length %d", n)
			got, err := c.Open(ct[16:16], ct)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), "length %d", n)
		}
	})
}

// Every flipped bit, every shorter and some longer ciphertexts are refused with
// the same error, and nothing of the plaintext stays behind.
func TestTamper(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 2)
		for _, n := range []int{0, 1, 15, 16, 17, 32, 40, enctype.Short + 5} {
			msg := make([]byte, n)
			for i := range msg {
				msg[i] = 0xa5
			}
			ct, err := c.Seal(nil, msg, nil)
			require.NoError(t, err)
			refuse := func(bad []byte, what string, args ...any) {
				t.Helper()
				buf := make([]byte, 4+len(bad))
				for i := range buf {
					buf[i] = 0x5a
				}
				out, err := c.Open(buf[:4], bad)
				require.Equal(t, krberr.APBadIntegrity, err, fmt.Sprintf(what, args...))
				require.Len(t, out, 4)
				for i, x := range buf {
					require.True(t, x == 0x5a || i >= 4 && x == 0, "%s: byte %d is %#x", fmt.Sprintf(what, args...), i, x)
				}
				_, err = k.Decrypt(nil, bad, 2)
				require.Equal(t, krberr.APBadIntegrity, err)
			}
			for i := range ct {
				for _, bit := range []byte{0x01, 0x80} {
					bad := append([]byte{}, ct...)
					bad[i] ^= bit
					refuse(bad, "length %d, byte %d", n, i)
				}
			}
			for i := range ct {
				refuse(ct[:i], "length %d cut to %d", n, i)
			}
			for _, more := range []int{1, 12, 16, 64} {
				refuse(append(append([]byte{}, ct...), make([]byte, more)...), "length %d, %d more", n, more)
			}
			got, err := c.Open(nil, ct)
			require.NoError(t, err, "a refusal must not spoil the next message")
			require.Len(t, got, n)
		}
	})
}

// A failure uses the room of dst only as far as the plaintext would.
func TestOpenLeavesTheRest(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 2)
		ct, err := c.Seal(nil, make([]byte, 20), nil)
		require.NoError(t, err)
		ct[0] ^= 1
		buf := []byte("0123456789012345678901234567890123456789")
		_, err = c.Open(buf[:0], ct)
		require.Equal(t, krberr.APBadIntegrity, err)
		require.Equal(t, "01234567890123456789", string(buf[20:]))
	})
}

// The keys of the two directions and of other types differ.
func TestWrongKey(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		ct, err := k.Encrypt(nil, []byte("message"), 22)
		require.NoError(t, err)
		other, err := enctype.GenerateKey(k.Enctype())
		require.NoError(t, err)
		_, err = other.Decrypt(nil, ct, 22)
		require.True(t, errors.Is(err, krberr.APBadIntegrity))
		_, err = k.Decrypt(nil, ct, 24)
		require.True(t, errors.Is(err, krberr.APBadIntegrity))
	})
}
