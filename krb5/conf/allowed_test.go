package conf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/etype"
)

func TestAllowed(t *testing.T) {
	for _, tt := range []struct {
		text      string
		des3, rc4 bool
	}{
		{"", false, false},
		{"allow_rc4 = true", false, true},
		{"allow_des3 = yes", true, false},
		{"allow_des3 = 1\nallow_rc4 = on", true, true},
		{"allow_des3 = false\nallow_rc4 = no", false, false},
		{"allow_weak_crypto = true\npermitted_enctypes = rc4 des3", false, false},
		{"allow_rc4 = perhaps", false, false},
	} {
		c, err := conf.Parse("[libdefaults]\n" + tt.text + "\n")
		require.NoError(t, err)
		require.Equal(t, tt.des3, c.Allowed(etype.DES3SHA1), tt.text)
		require.Equal(t, tt.rc4, c.Allowed(etype.RC4), tt.text)
		for _, id := range []etype.ID{17, 18, 19, 20, 25, 26} {
			require.True(t, c.Allowed(id))
		}
	}
}
