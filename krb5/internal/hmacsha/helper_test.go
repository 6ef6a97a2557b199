package hmacsha

import (
	"crypto"
	"crypto/hmac"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
)

// hashes are those that some processor has a kernel for.
var hashes = []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384}

// each runs f for each hash, with the standard library and with the kernel that can
// run here.
func each(t *testing.T, f func(t *testing.T, h crypto.Hash, create func(key []byte) *MAC)) {
	for _, h := range hashes {
		for _, kernel := range kernels(h) {
			t.Run(name(h, kernel), func(t *testing.T) {
				f(t, h, func(key []byte) *MAC {
					m := newMAC(h, key, kernel)
					require.Equal(t, kernel, m.std == nil)
					return m
				})
			})
		}
	}
}

// kernels are the choices that there are here.
func kernels(h crypto.Hash) []bool {
	if variantOf(h) == nil {
		return []bool{false}
	}
	return []bool{false, true}
}

func name(h crypto.Hash, kernel bool) string {
	if kernel {
		return h.String() + "/kernel"
	}
	return h.String() + "/standard"
}

// noise returns bytes that look random and are the same each time.
func noise(seed uint64, n int) []byte {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(s).Read(b)
	return b
}

// reference is the standard library's HMAC.
func reference(h crypto.Hash, key []byte, parts ...[]byte) []byte {
	m := hmac.New(h.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// sum is m's of a message in one.
func sum(m *MAC, msg []byte) []byte {
	m.Reset()
	_, _ = m.Write(msg)
	return m.Sum(nil)
}

// newCipher returns AES with a key of that many bytes.
func newCipher(tb testing.TB, size int) *aescbc.Cipher {
	tb.Helper()
	c, err := aescbc.New(noise(uint64(size), size))
	require.NoError(tb, err)
	return c
}

// encrypted is what c makes of in.
func encrypted(tb testing.TB, c *aescbc.Cipher, in []byte, iv [aescbc.BlockSize]byte) (out []byte, next [aescbc.BlockSize]byte) {
	tb.Helper()
	out = make([]byte, len(in))
	require.NoError(tb, c.Encrypt(out, in, &iv))
	return out, iv
}
