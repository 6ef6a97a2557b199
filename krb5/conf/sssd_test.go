package conf_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
)

// What SSSD keeps in a folder of its own comes before the file that includes it,
// and what it leaves there while it writes is not read.
func TestSSSD(t *testing.T) {
	dir, path := install(t, "sssd.conf")
	include := filepath.Join(dir, "krb5.include.d")
	require.NoError(t, os.CopyFS(include, os.DirFS(filepath.Join("testdata", "krb5.include.d"))))
	write(t, filepath.Join(include, ".sssd_krb5_Kx3a9Q"), "[domain_realm]\nad.example.com = HALF")
	c := load(t, path)
	require.Empty(t, c.Warnings())
	require.Equal(t, "IPA.EXAMPLE.COM", c.DefaultRealm())
	for host, want := range map[string]string{"dc.ad.example.com": "AD.EXAMPLE.COM", "ad.example.com": "AD.EXAMPLE.COM", "www.example.com": "IPA.EXAMPLE.COM"} {
		realm, ok := c.RealmOf(host)
		require.True(t, ok)
		require.Equal(t, want, realm, host)
	}
	require.True(t, c.Bool(false, "libdefaults", "canonicalize"))
	require.Equal(t, []string{"AD.EXAMPLE.COM"}, c.All("capaths", "AD.EXAMPLE.COM", "IPA.EXAMPLE.COM"))
	require.Equal(t, []string{"KCM:", "KEYRING:persistent:%{uid}"}, c.All("libdefaults", "default_ccache_name"))
	require.Len(t, c.All("realms", "IPA.EXAMPLE.COM", "auth_to_local"), 3)
	module, ok := c.Get("plugins", "localauth", "module")
	require.True(t, ok, "kept, and of no effect")
	require.Contains(t, module, "sssd:")

	require.NoError(t, os.WriteFile(filepath.Join(include, "broken"), []byte("[domain_realm]\nno relation here\n"), 0o600))
	_, err := conf.Load(path)
	require.ErrorContains(t, err, filepath.Join(include, "broken")+":2: ")
}
