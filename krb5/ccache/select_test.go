package ccache_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

func TestSelect(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	col, err := ccache.OpenCollection("DIR:"+dir, nil)
	require.NoError(t, err)
	c, err := conf.Parse("[libdefaults]\ndefault_realm = DEFAULT.NET\n")
	require.NoError(t, err)
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, ".k5identity"), []byte(`# comment
  # another
broken@A@B realm=*
nobody@NOWHERE.ORG service=imap
alice@EXAMPLE.COM service=ldap	host=*.other.org
carol service=nfs
malformed@EXAMPLE.COM realm
odd@EXAMPLE.COM colour=blue
bob@OTHER.ORG realm=[!A-D]*.COM
`), 0o600))
	for _, who := range []principal.Name{alice, bob, principal.New("DEPT.OTHER.ORG", "dora"), principal.New("DEFAULT.NET", "carol")} {
		_, err := col.New(ctx, contents(who))
		require.NoError(t, err)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tktnoise"), []byte("noise"), 0o600))

	host := func(realm, service, name string) principal.Name {
		return principal.Name{Type: principal.TypeSrvHst, Realm: realm, Components: []string{service, name}}
	}
	all := &ccache.SelectOptions{Home: home, Config: c}
	tests := []struct {
		name   string
		server principal.Name
		o      *ccache.SelectOptions
		want   string
		found  bool
	}{
		{"realm", host("EXAMPLE.COM", "HTTP", "www.other.org"), nil, "alice@EXAMPLE.COM", true},
		{"realm of a name that is no host's", principal.New("OTHER.ORG", "HTTP", "www.example.com"), nil, "bob@OTHER.ORG", true},
		{"realm from the domain", host("", "HTTP", "www.other.org"), nil, "bob@OTHER.ORG", true},
		{"realm by default", host("", "HTTP", "www"), all, "carol@DEFAULT.NET", true},
		{"no default realm", host("", "HTTP", "www"), nil, "", false},
		{"address", host("", "HTTP", "192.0.2.1"), all, "carol@DEFAULT.NET", true},
		{"longest domain", host("UNKNOWN", "HTTP", "a.b.dept.other.org"), nil, "dora@DEPT.OTHER.ORG", true},
		{"shorter domain", host("UNKNOWN", "HTTP", "www.other.org"), nil, "bob@OTHER.ORG", true},
		{"the host itself", host("UNKNOWN", "HTTP", "other.org"), nil, "bob@OTHER.ORG", true},
		{"no host", principal.New("UNKNOWN", "HTTP", "www.other.org"), nil, "", false},
		{"nothing", host("UNKNOWN", "HTTP", "www.unknown.net"), all, "", false},
		{"identity before realm", host("OTHER.ORG", "ldap", "DC.Other.org"), all, "alice@EXAMPLE.COM", true},
		{"identity without realm", host("OTHER.ORG", "nfs", "x"), all, "carol@DEFAULT.NET", true},
		{"identity by realm", host("ZULU.COM", "x", "y"), all, "bob@OTHER.ORG", true},
		{"identity without tickets", host("OTHER.ORG", "imap", "x"), all, "nobody@NOWHERE.ORG", false},
		{"identity for hosts only", principal.New("OTHER.ORG", "imap", "x"), all, "bob@OTHER.ORG", true},
		{"no home", host("OTHER.ORG", "imap", "x"), &ccache.SelectOptions{Config: c}, "bob@OTHER.ORG", true},
		{"no file", host("OTHER.ORG", "imap", "x"), &ccache.SelectOptions{Home: dir}, "bob@OTHER.ORG", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cc, p, err := ccache.Select(ctx, col, tt.server, tt.o)
			require.Equal(t, tt.want, p.String())
			if !tt.found {
				require.ErrorIs(t, err, krberr.CCNotFound)
				require.Nil(t, cc)
				return
			}
			require.NoError(t, err)
			got, err := cc.Principal(ctx)
			require.NoError(t, err)
			require.Equal(t, p, got)
		})
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, server := range []principal.Name{host("", "imap", "x"), host("EXAMPLE.COM", "HTTP", "x")} {
		_, _, err = ccache.Select(ended, col, server, all)
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "", false}, {"*", "", true}, {"**", "a/b", true},
		{"a*c", "abbc", true}, {"a*c", "abcd", false}, {"*.org", "x.y.org", true}, {"a*b*c", "aXbYbZc", true},
		{"?", "a", true}, {"?", "", false}, {"??", "a", false},
		{"[abc]x", "bx", true}, {"[a-c]x", "dx", false}, {"[!a-c]x", "dx", true}, {"[^a]", "b", true},
		{"[]a]", "]", true}, {"[!]]", "]", false}, {"[a-]", "-", true}, {"[", "[", true}, {"[a", "[a", true}, {"[a", "a", false},
		{`\*`, "*", true}, {`\*`, "a", false}, {`a\`, `a\`, true}, {`[\]]`, "]", true}, {"*a", "aaaaaaaaaaaaaaaaaaaab", false},
	} {
		require.Equal(t, tt.want, ccache.Glob(tt.pattern, tt.text), "%q %q", tt.pattern, tt.text)
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add([]byte("alice@A host=*.b[!c-d]\\?\nbob realm=B\n"), "HTTP", "www.b.org")
	f.Fuzz(func(t *testing.T, b []byte, service, host string) {
		p, ok := ccache.ParseIdentity(b, principal.Name{Type: principal.TypeSrvHst, Realm: "R", Components: []string{service, host}}, "D")
		if ok && (len(p.Components) == 0 || p.Realm == "") {
			again, err := principal.Parse(p.String())
			if err != nil || !again.Equal(p) {
				t.Fatalf("%+v of %q", p, b)
			}
		}
	})
}
