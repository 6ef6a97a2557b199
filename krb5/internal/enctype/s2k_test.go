package enctype_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Iterations that a faked KDC would ask for are refused before any work.
func TestStringToKeyParams(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		id := k.Enctype()
		def := uint32(4096)
		if id >= 19 {
			def = 32768
		}
		be := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
		want, err := enctype.StringToKey(id, []byte("password"), "EXAMPLE.COMuser", nil)
		require.NoError(t, err)
		got, err := enctype.StringToKey(id, []byte("password"), "EXAMPLE.COMuser", be(def))
		require.NoError(t, err)
		require.True(t, want.Equal(got), "nil is the default")
		got, err = enctype.StringToKey(id, []byte("password"), "EXAMPLE.COMuser", be(def+1))
		require.NoError(t, err)
		require.False(t, want.Equal(got), "the count is used")
		for _, params := range [][]byte{
			{}, {0}, {0, 0x10, 0}, {0, 0, 0x80, 0, 0}, be(0), be(1), be(def - 1), be(1 << 24), be(1<<24 + 4096), be(1 << 31), be(0xffffffff),
		} {
			_, err := enctype.StringToKey(id, []byte("password"), "EXAMPLE.COMuser", params)
			require.ErrorIs(t, err, krberr.BadS2KParams, "%x", params)
		}
	})
}

func TestStringToKeyInputs(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		key := func(password, salt string) *enctype.Key {
			k, err := enctype.StringToKeyCount(k.Enctype(), password, salt, 1)
			require.NoError(t, err)
			return k
		}
		keys := []*enctype.Key{key("", ""), key("a", ""), key("", "a"), key("a", "b"), key("b", "a"), key("ab", ""), key("a\x00", "b")}
		for i, a := range keys {
			for j, b := range keys {
				// PBKDF2's HMAC pads its key with zeros.
				same := i == j || i == 3 && j == 6 || i == 6 && j == 3
				require.Equal(t, same, a.Equal(b), "%d, %d", i, j)
			}
		}
	})
}
