package enctype_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// lengths has the block borders, and the borders between the ways in which
// short and long messages are handled.
var lengths = []int{
	0, 1, 15, 16, 17, 31, 32, 33, 47, 48, 49,
	enctype.Short - 17, enctype.Short - 16, enctype.Short - 15, enctype.Short - 1, enctype.Short, enctype.Short + 1,
	enctype.Short + 16, enctype.Short + 17, 3*enctype.Stride - 33, 3*enctype.Stride - 32, 3*enctype.Stride - 31,
	3*enctype.Stride - 17, 3*enctype.Stride - 16, 3*enctype.Stride - 15, 3*enctype.Stride - 1, 3 * enctype.Stride, 4095,
	enctype.Chunk - 16, enctype.Chunk, enctype.Chunk + 1, enctype.Chunk + 16, enctype.Chunk + 17, 65536,
}

var usages = []uint32{0, 1, 2, 24, 1024, 0xffffffff}

// bytesOf returns n bytes that depend on n only.
func bytesOf(n int) []byte {
	var seed [32]byte
	seed[0], seed[1], seed[2] = byte(n), byte(n>>8), byte(n>>16)
	b := make([]byte, n)
	r := rand.NewChaCha8(seed)
	_, _ = r.Read(b)
	return b
}

// testKey returns a fixed key.
func testKey(t testing.TB, id etype.ID) *enctype.Key {
	t.Helper()
	k, err := enctype.NewKey(id, bytesOf(enctype.KeySize(id)))
	require.NoError(t, err)
	return k
}

// each runs f for every type with AES that is supported in this process.
func each(t *testing.T, f func(t *testing.T, k *enctype.Key)) {
	for _, id := range []etype.ID{etype.AES256SHA1, etype.AES128SHA1, etype.AES256SHA2, etype.AES128SHA2} {
		if !enctype.Supported(id) {
			continue
		}
		t.Run(fmt.Sprint(id), func(t *testing.T) { f(t, testKey(t, id)) })
	}
}

func cipherOf(t testing.TB, k *enctype.Key, usage uint32) *enctype.Cipher {
	t.Helper()
	c, err := k.Cipher(usage)
	require.NoError(t, err)
	return c
}

func macOf(t testing.TB, k *enctype.Key, usage uint32) *enctype.MAC {
	t.Helper()
	m, err := k.MAC(usage)
	require.NoError(t, err)
	return m
}
