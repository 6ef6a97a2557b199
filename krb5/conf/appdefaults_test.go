package conf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestAppDefault(t *testing.T) {
	c, err := conf.Parse(`[appdefaults]
	option = general
	only = general
	forwardable = maybe
	proxiable = true
	A.TEST = {
		option = realm
		renewable = yes
	}
	kinit = {
		option = application
		A.TEST = {
			option = both
		}
	}
`)
	require.NoError(t, err)
	for _, tc := range []struct{ application, realm, option, want string }{
		{"kinit", "A.TEST", "option", "both"},
		{"kinit", "B.TEST", "option", "application"},
		{"kinit", "", "option", "application"},
		{"login", "A.TEST", "option", "realm"},
		{"login", "B.TEST", "option", "general"},
		{"login", "", "option", "general"},
		{"kinit", "A.TEST", "only", "general"},
	} {
		got, ok := c.AppDefault(tc.application, tc.realm, tc.option)
		require.True(t, ok)
		require.Equal(t, tc.want, got, "%v", tc)
	}
	_, ok := c.AppDefault("kinit", "A.TEST", "other")
	require.False(t, ok)

	require.True(t, c.AppBool(false, "kinit", "A.TEST", "renewable"))
	require.True(t, c.AppBool(true, "kinit", "B.TEST", "renewable"), "the default")
	require.False(t, c.AppBool(true, "kinit", "", "forwardable"), "what is no boolean is false")
	require.True(t, c.AppBool(false, "kinit", "", "proxiable"))
	_, ok = (*conf.Config)(nil).AppDefault("a", "b", "c")
	require.False(t, ok)
}

func TestLibDefault(t *testing.T) {
	c, err := conf.Parse("[libdefaults]\nticket_lifetime = 1h\nA.TEST = {\nticket_lifetime = 2h\n}\n")
	require.NoError(t, err)
	for realm, want := range map[string]string{"A.TEST": "2h", "B.TEST": "1h", "": "1h"} {
		got, ok := c.LibDefault(realm, "ticket_lifetime")
		require.True(t, ok)
		require.Equal(t, want, got, realm)
	}
	_, ok := c.LibDefault("A.TEST", "renew_lifetime")
	require.False(t, ok)
}

// What cannot be read is named with its place, and does no harm.
func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	require.NoError(t, os.WriteFile(first, []byte(`[libdefaults]
	clockskew = five minutes
	forwardable = maybe
	proxiable = true
	proxiable = perhaps
	permitted_enctypes = nonsense -aes
	dns_canonicalize_hostname = fallback
	udp_preference_limit = 1k
	A.TEST = {
		ticket_lifetime = a day
	}
	anything = goes
`), 0o600))
	require.NoError(t, os.WriteFile(second, []byte("[libdefaults]\nclockskew = 60\nrdns = never\n"), 0o600))
	c, err := conf.Load(first, second)
	require.NoError(t, err)
	var texts []string
	for _, w := range c.Warnings() {
		require.ErrorIs(t, w, krberr.ConfigBadFormat)
		texts = append(texts, w.Error())
	}
	require.Len(t, texts, 6)
	for i, want := range []string{
		first + ":2: ", first + ":3: ", first + ":6: ", first + ":8: ", second + ":3: ", first + ":10: ",
	} {
		require.Contains(t, texts[i], want)
	}
	require.Contains(t, texts[0], `clockskew = "five minutes"`)
	require.Equal(t, "5m0s", c.ClockSkew().String(), "the default counts")
	require.Nil(t, (*conf.Config)(nil).Warnings())
}

// The files that distributions and their tools write have nothing wrong.
func TestWarningsOfRealFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.conf")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		c, err := conf.Parse(withoutIncludes(string(b)))
		require.NoError(t, err, f)
		require.Empty(t, c.Warnings(), f)
	}
}

// withoutIncludes leaves out the lines that name files elsewhere.
func withoutIncludes(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "include") {
			b.WriteString(line)
		}
	}
	return b.String()
}
