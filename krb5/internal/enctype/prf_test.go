package enctype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestPRF(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		seen := map[string]bool{}
		for _, n := range lengths {
			out := k.PRF([]byte("head"), bytesOf(n))
			require.Equal(t, "head", string(out[:4]))
			require.Equal(t, out[4:], k.PRF(nil, bytesOf(n)))
			require.False(t, seen[string(out)], "length %d", n)
			seen[string(out)] = true
		}
	})
}

// PRF+ is the concatenation of PRF(1 | pepper), PRF(2 | pepper) …
func TestPRFPlus(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		var want []byte
		for i := range byte(255) {
			want = k.PRF(want, append([]byte{i + 1}, "pepper"...))
		}
		for _, n := range []int{0, 1, 15, 16, 17, 32, 33, 48, 100, len(want) - 1, len(want)} {
			got := enctype.PRFPlus(k, []byte("head"), []byte("pepper"), n)
			require.Equal(t, "head"+string(want[:n]), string(got), "length %d", n)
		}
		require.Nil(t, enctype.PRFPlus(k, nil, []byte("pepper"), len(want)+1), "the counter is one byte")
		require.Nil(t, enctype.PRFPlus(k, nil, []byte("pepper"), -1))
	})
}

// The type of the result is that of the first key.
func TestCF2Types(t *testing.T) {
	for _, a := range enctype.Default() {
		for _, b := range enctype.Default() {
			k, err := enctype.CF2(testKey(t, a), testKey(t, b), "one", "two")
			require.NoError(t, err)
			require.Equal(t, a, k.Enctype())
			want := enctype.PRFPlus(testKey(t, a), nil, []byte("one"), enctype.KeySize(a))
			for i, x := range enctype.PRFPlus(testKey(t, b), nil, []byte("two"), enctype.KeySize(a)) {
				want[i] ^= x
			}
			require.Equal(t, want, k.Bytes())
		}
	}
	k := testKey(t, etype.AES128SHA2)
	_, err := enctype.CF2(k, nil, "a", "b")
	require.ErrorIs(t, err, krberr.BadEnctype)
	cleared := testKey(t, etype.AES128SHA2)
	cleared.Clear()
	_, err = enctype.CF2(k, cleared, "a", "b")
	require.ErrorIs(t, err, krberr.BadKeySize)
}
