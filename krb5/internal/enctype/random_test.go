package enctype

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestRandomToKey(t *testing.T) {
	for _, id := range []etype.ID{etype.AES128SHA1, etype.AES256SHA1, etype.AES128SHA2, etype.AES256SHA2, etype.DES3SHA1} {
		if !Supported(id) {
			continue // in FIPS mode
		}
		seed := bytes.Repeat([]byte{0x5a}, SeedSize(id))
		k, err := RandomToKey(id, seed)
		require.NoError(t, err)
		require.Len(t, k.Bytes(), KeySize(id))
		if SeedSize(id) == KeySize(id) {
			require.Equal(t, seed, k.Bytes())
		}
		for _, wrong := range [][]byte{nil, seed[1:], append([]byte{0}, seed...)} {
			_, err = RandomToKey(id, wrong)
			require.ErrorIs(t, err, krberr.BadKeySize)
		}
	}
	require.Zero(t, SeedSize(999))
	_, err := RandomToKey(999, nil)
	require.ErrorIs(t, err, krberr.BadEnctype)
}
