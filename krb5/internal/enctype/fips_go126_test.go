//go:build go1.26

package enctype_test

import (
	"crypto/fips140"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// A key, a cipher and a MAC that were made outside enforcement are refused
// inside, again without a panic.
func TestFIPSEnforcementReturns(t *testing.T) {
	if !runOnly(t) {
		return
	}
	var k *enctype.Key
	var c *enctype.Cipher
	var m *enctype.MAC
	var ct []byte
	fips140.WithoutEnforcement(func() {
		require.Len(t, enctype.Default(), 6)
		k = testKey(t, etype.AES256SHA1)
		c, m = cipherOf(t, k, 1), macOf(t, k, 1)
		var err error
		ct, err = c.Seal(nil, []byte("message"), nil)
		require.NoError(t, err)
	})
	unusable(t, k, krberr.BadEnctype)
	_, err := c.Seal(nil, []byte("message"), nil)
	require.ErrorIs(t, err, krberr.BadEnctype)
	_, err = c.Open(nil, ct)
	require.ErrorIs(t, err, krberr.BadEnctype)
	require.Nil(t, m.Sum(nil, nil, nil))
	require.False(t, m.Verify(make([]byte, 12), nil, nil))
	fips140.WithoutEnforcement(func() {
		got, err := c.Open(nil, ct)
		require.NoError(t, err)
		require.Equal(t, "message", string(got))
	})
}
