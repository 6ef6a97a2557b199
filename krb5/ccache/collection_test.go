package ccache_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

var bob = principal.New("OTHER.ORG", "bob")

func collections(t *testing.T) map[string]ccache.Collection {
	t.Helper()
	dir, err := ccache.OpenCollection("DIR:"+filepath.Join(t.TempDir(), "dir"), nil)
	require.NoError(t, err)
	m := map[string]ccache.Collection{"dir": dir, "kcm": kcmCollection(t, everything), "kcm, few operations": kcmCollection(t, few)}
	for name, col := range keyrings(t) {
		m["keyring "+name] = col
	}
	return m
}

func names(t *testing.T, col ccache.Collection) []string {
	t.Helper()
	list, err := col.Caches(t.Context())
	require.NoError(t, err)
	var out []string
	for _, c := range list {
		out = append(out, c.Name())
	}
	return out
}

func TestCollection(t *testing.T) {
	ctx := t.Context()
	for name, col := range collections(t) {
		t.Run(name, func(t *testing.T) {
			require.Empty(t, names(t, col))
			first := primary(t, col)
			require.True(t, strings.HasPrefix(first.Name(), strings.SplitAfter(col.Name(), ":")[0]), first.Name())
			_, err := ccache.Match(ctx, col, alice)
			require.ErrorIs(t, err, krberr.CCNotFound)
			require.Empty(t, names(t, col)) // looking made nothing

			require.NoError(t, first.Init(ctx, contents(alice, ticket("a", soon()))))
			second, err := col.New(ctx, contents(bob))
			require.NoError(t, err)
			third, err := col.New(ctx, contents(bob))
			require.NoError(t, err)
			require.Len(t, names(t, col), 3)
			require.ElementsMatch(t, []string{first.Name(), second.Name(), third.Name()}, names(t, col))
			require.Equal(t, first.Name(), names(t, col)[0])

			found, err := ccache.Match(ctx, col, alice)
			require.NoError(t, err)
			require.Equal(t, first.Name(), found.Name())
			require.NoError(t, col.Switch(ctx, third))
			require.Equal(t, third.Name(), primary(t, col).Name())
			require.Equal(t, third.Name(), names(t, col)[0])
			found, err = ccache.Match(ctx, col, bob) // the primary before others
			require.NoError(t, err)
			require.Equal(t, third.Name(), found.Name())

			// The value is the cache that was primary then.
			creds, err := ccache.Credentials(ctx, first)
			require.NoError(t, err)
			require.Len(t, creds, 1)

			require.ErrorIs(t, col.Switch(ctx, ccache.NewFile("x")), krberr.CCBadName)
			require.ErrorIs(t, col.Switch(ctx, ccache.NewMemory(alice)), krberr.CCBadName)

			require.NoError(t, third.Destroy(ctx))
			require.ElementsMatch(t, []string{first.Name(), second.Name()}, names(t, col))
			require.NoError(t, second.Destroy(ctx))
			require.NoError(t, first.Destroy(ctx))
			require.Empty(t, names(t, col))

			ended, cancel := context.WithCancel(ctx)
			cancel()
			_, err = col.Caches(ended)
			require.ErrorIs(t, err, context.Canceled)
			_, err = col.Primary(ended)
			require.ErrorIs(t, err, context.Canceled)
			_, err = col.New(ended, contents(alice))
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, col.Switch(ended, first), context.Canceled)
			_, err = ccache.Match(ended, col, alice)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

func TestSingle(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "cc")
	col, err := ccache.OpenCollection(path, nil)
	require.NoError(t, err)
	require.IsType(t, &ccache.Single{}, col)
	require.Equal(t, "FILE:"+path, col.Name())
	require.Empty(t, names(t, col))
	c := primary(t, col)
	require.NoError(t, c.Init(ctx, contents(alice)))
	require.Equal(t, []string{"FILE:" + path}, names(t, col))
	require.NoError(t, col.Switch(ctx, c))
	require.ErrorIs(t, col.Switch(ctx, ccache.NewFile("other")), krberr.CCNoSupp)
	_, err = col.New(ctx, contents(alice))
	require.ErrorIs(t, err, krberr.CCNoSupp)
	require.NoError(t, os.WriteFile(path, []byte("noise"), 0o600))
	require.Len(t, names(t, col), 1) // malformed, but there
	_, err = ccache.Match(ctx, col, alice)
	require.ErrorIs(t, err, krberr.CCNotFound)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = col.Caches(ended)
	require.ErrorIs(t, err, context.Canceled)
}

func TestDefaultCollection(t *testing.T) {
	c, err := conf.Parse("[libdefaults]\ndefault_ccache_name = DIR:/run/%{null}x\n")
	require.NoError(t, err)
	col, err := ccache.DefaultCollection(c, nil)
	require.NoError(t, err)
	require.Equal(t, "DIR:"+filepath.FromSlash("/run/x"), col.Name())
	col, err = ccache.DefaultCollection(c, func(string) string { return "KCM:" })
	require.NoError(t, err)
	require.Equal(t, "KCM:", col.Name())
	c, err = conf.Parse("[libdefaults]\ndefault_ccache_name = DIR:%{LIBDIR}\n")
	require.NoError(t, err)
	_, err = ccache.DefaultCollection(c, nil)
	require.ErrorIs(t, err, krberr.ConfigBadFormat)
}

func TestDirPrimary(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	col, err := ccache.OpenCollection("DIR:"+dir, nil)
	require.NoError(t, err)
	require.NoError(t, primary(t, col).Init(ctx, contents(alice)))
	file := filepath.Join(dir, "primary")
	for text, want := range map[string]string{"tkt\n": "tkt", "tktabc\n": "tktabc"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.Equal(t, "DIR::"+filepath.Join(dir, want), primary(t, col).Name())
	}
	for _, text := range []string{
		"", "\n", "tkt", "tkt\ntkt\n", "x\n", "tkt/../../x\n", `tkt\x` + "\n", "../tkt\n", "tkt\x00\n", "tkt\r\n", "tkt" + strings.Repeat("x", 60) + "\n", strings.Repeat("x", 1<<20),
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := col.Primary(ctx)
		require.ErrorIs(t, err, krberr.CCFormat, "%.20q", text)
		_, err = ccache.Resolve(ctx, "DIR:"+dir, nil)
		require.ErrorIs(t, err, krberr.CCFormat)
		require.Len(t, names(t, col), 1)
	}
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Mkdir(file, 0o700))
	_, err = col.Primary(ctx)
	require.ErrorIs(t, err, krberr.CCFormat)

	// A file is no directory.
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	bad, err := ccache.OpenCollection("DIR:"+plain, nil)
	require.NoError(t, err)
	_, err = bad.Caches(ctx)
	require.ErrorIs(t, err, krberr.CCFormat)
	_, err = bad.New(ctx, contents(alice))
	require.ErrorIs(t, err, krberr.CCFormat)
	below, err := ccache.OpenCollection("DIR:"+filepath.Join(plain, "x", "y"), nil)
	require.NoError(t, err)
	_, err = below.New(ctx, contents(alice))
	require.Error(t, err)
	// Directories that begin with tkt are no caches.
	require.NoError(t, os.Mkdir(filepath.Join(dir, "tktdir"), 0o700))
	require.Len(t, names(t, col), 1)
}

func FuzzDirPrimary(f *testing.F) {
	f.Add([]byte("tkt\n"))
	f.Add([]byte("tkt/../x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name, err := ccache.ParsePrimary(b)
		if err != nil {
			return
		}
		if name+"\n" != string(b) || filepath.Base(name) != name || name == ".." {
			t.Fatalf("%q of %q", name, b)
		}
	})
}
