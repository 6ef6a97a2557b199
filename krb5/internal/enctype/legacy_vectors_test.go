package enctype_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
)

func TestLegacyStringToKeyVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		id, count := v.etype(), v.num("count")
		k, err := enctype.StringToKeyCount(id, string(v.hex("password")), string(v.hex("salt")), count)
		require.NoError(t, err)
		require.Equal(t, v.hex("key"), k.Bytes())
		if count == 0 || count == 32768 { // what the type has where nothing is said
			k, err = enctype.StringToKey(id, v.hex("password"), string(v.hex("salt")), nil)
			require.NoError(t, err)
			require.Equal(t, v.hex("key"), k.Bytes())
		}
	}, "rfc3961-des3-s2k.txt", "rfc4757-s2k.txt", "rfc6803-s2k.txt", "mit-legacy-s2k.txt")
}

func TestLegacyDeriveVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		kc, ke, ki, err := enctype.Derived(v.key(), v.num("usage"))
		require.NoError(t, err)
		require.Equal(t, v.hex("kc"), kc)
		require.Equal(t, v.hex("ke"), ke)
		require.Equal(t, v.hex("ki"), ki)
	}, "rfc6803-derive.txt")
	vectors(t, func(t *testing.T, v vector) {
		got, err := enctype.DeriveDES3(v.key(), v.hex("constant"))
		require.NoError(t, err)
		require.Equal(t, v.hex("out"), got)
	}, "rfc3961-des3-dk.txt")
}

func TestLegacyEncryptVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		c := cipherOf(t, v.key(), v.num("usage"))
		c.SetConfounder(v.hex("confounder"))
		got, err := c.Seal(nil, v.hex("plain"), nil)
		require.NoError(t, err)
		require.Equal(t, v.hex("cipher"), got)
		require.Equal(t, c.Overhead(), len(got)-len(v.hex("plain")))
	}, "rfc6803-encrypt.txt")
}

func TestLegacyDecryptVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		want := v.hex("plain")
		got, err := v.key().Decrypt([]byte{}, v.hex("cipher"), v.num("usage"))
		require.NoError(t, err)
		if v.etype() == etype.DES3SHA1 {
			want = append(want, make([]byte, (8-len(want)%8)%8)...)
		}
		require.Equal(t, want, got)
	}, "rfc6803-encrypt.txt", "mit-legacy-decrypt.txt")
}

func TestLegacyChecksumVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		k, usage, data := v.key(), v.num("usage"), v.hex("data")
		got, err := k.Checksum(nil, usage, data[:3], data[3:])
		require.NoError(t, err)
		require.Equal(t, v.hex("sum"), got)
		require.NoError(t, k.VerifyChecksum(got, usage, data))
		if text, ok := v.fields["type"]; ok {
			want, err := strconv.Atoi(text)
			require.NoError(t, err)
			typ, _ := enctype.ChecksumType(k.Enctype())
			require.EqualValues(t, want, typ)
		}
	}, "rfc6803-checksum.txt", "mit-legacy-checksum.txt")
}

func TestLegacyPRFVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		k := v.key()
		require.Equal(t, v.hex("out"), k.PRF(nil, v.hex("in")))
		require.Equal(t, v.hex("out"), k.PRF([]byte("x"), v.hex("in"))[1:], "second call")
	}, "mit-legacy-prf.txt")
}

func TestLegacyCF2Vectors(t *testing.T) {
	needOld(t)
	vectors(t, func(t *testing.T, v vector) {
		k2, err := enctype.NewKey(etype.ID(v.num("etype2")), v.hex("key2"))
		require.NoError(t, err)
		k, err := enctype.CF2(v.key(), k2, "one", "two")
		require.NoError(t, err)
		require.Equal(t, v.hex("out"), k.Bytes())
	}, "mit-legacy-cf2.txt")
}
