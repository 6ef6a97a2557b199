package conf_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// install copies a sample configuration into a folder that stands for /etc.
func install(t *testing.T, name string) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	path = write(t, filepath.Join(dir, "krb5.conf"), strings.ReplaceAll(string(b), "DIR/", dir+"/"))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "krb5.conf.d"), os.DirFS(filepath.Join("testdata", "krb5.conf.d"))))
	// What package managers, editors and Kubernetes leave beside them.
	for _, junk := range []string{"local.conf.rpmsave", ".hidden.conf", "backup~", "..data"} {
		write(t, filepath.Join(dir, "krb5.conf.d", junk), "[libdefaults]\ndefault_realm = WRONG.EXAMPLE\ndefault_ccache_name = WRONG\n")
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "krb5.conf.d", "folder"), 0o700))
	return dir, path
}

func load(t *testing.T, paths ...string) *conf.Config {
	t.Helper()
	c, err := conf.Load(paths...)
	require.NoError(t, err)
	return c
}

func TestDebian(t *testing.T) {
	_, path := install(t, "debian.conf")
	c := load(t, path)
	require.Equal(t, "EXAMPLE.COM", c.DefaultRealm())
	require.Equal(t, []string{"kdc1.example.com", "kdc2.example.com:8888"}, c.Servers("EXAMPLE.COM", "kdc"))
	require.Equal(t, []string{"EXAMPLE.COM", "ATHENA.MIT.EDU", "1TS.ORG"}, c.Sections("realms"))
	realm, ok := c.RealmOf("www.mit.edu")
	require.True(t, ok)
	require.Equal(t, "ATHENA.MIT.EDU", realm)
	require.False(t, c.Bool(true, "libdefaults", "rdns"))
	require.True(t, c.Bool(false, "libdefaults", "forwardable"))
	require.Equal(t, []string{path}, c.Paths())
}

func TestRHEL9(t *testing.T) {
	dir, path := install(t, "rhel9.conf")
	c := load(t, path)
	require.Equal(t, "fallback", c.CanonicalizeHostname())
	require.Equal(t, "", c.DefaultRealm())
	require.Equal(t, []etype.ID{18, 20, 19, 17}, c.Enctypes("permitted_enctypes", nil))
	require.Equal(t, []etype.ID{18, 20, 19, 17}, c.Enctypes("default_tgs_enctypes", nil))
	// The included file stands first, so its value is the one.
	require.Equal(t, []string{"KCM:", "KEYRING:persistent:%{uid}"}, c.All("libdefaults", "default_ccache_name"))
	require.Equal(t, 7*24*time.Hour, c.Duration(0, "libdefaults", "renew_lifetime"))
	v, ok := c.Get("libdefaults", "qualify_shortname")
	require.True(t, ok)
	require.Empty(t, v)
	require.Equal(t, []string{
		path, dir + "/krb5.conf.d/",
		filepath.Join(dir, "krb5.conf.d/crypto-policies"), filepath.Join(dir, "krb5.conf.d/kcm_default_ccache"),
	}, c.Paths())
}

func TestFreeIPA(t *testing.T) {
	_, path := install(t, "freeipa.conf")
	c := load(t, path)
	require.Equal(t, "IPA.EXAMPLE.COM", c.DefaultRealm())
	require.Equal(t, []string{"ipa.example.com:88"}, c.Servers("IPA.EXAMPLE.COM", "primary_kdc"))
	require.Equal(t, []string{"ipa.example.com:464"}, c.Servers("IPA.EXAMPLE.COM", "kpasswd_server"))
	require.Equal(t, []string{"RULE:[1:$1@$0](^.*@AD.EXAMPLE.COM$)s/@AD.EXAMPLE.COM/@ad.example.com/", "DEFAULT"},
		c.All("realms", "IPA.EXAMPLE.COM", "auth_to_local"))
	require.Equal(t, "false", c.CanonicalizeHostname())
	require.Equal(t, 0, c.UDPPreferenceLimit())
	v, _ := c.Get("plugins", "certauth", "module")
	require.Equal(t, "ipakdb:kdb/ipadb.so", v)
}

func TestActiveDirectory(t *testing.T) {
	_, path := install(t, "ad.conf")
	c := load(t, path)
	require.Equal(t, []string{"dc1.ad.example.com", "dc2.ad.example.com", "dc3.ad.example.com"}, c.Servers("AD.EXAMPLE.COM", "kdc"))
	require.Equal(t, []string{"dc1.ad.example.com"}, c.Servers("AD.EXAMPLE.COM", "admin_server"))
	require.Equal(t, []string{"[2001:db8::1]:88", "https://proxy.example.com/KdcProxy"}, c.Servers("CHILD.AD.EXAMPLE.COM", "kdc"))
	require.Equal(t, []etype.ID{18, 17, 23}, c.Enctypes("default_tgs_enctypes", nil))
	require.Equal(t, []etype.ID{18, 17, 23}, c.Enctypes("default_tkt_enctypes", nil))
	require.Equal(t, []etype.ID{18, 23}, c.Enctypes("permitted_enctypes", []etype.ID{18, 26}))
	require.Equal(t, 2*time.Minute, c.ClockSkew())
	v, _ := c.Get("realms", "CHILD.AD.EXAMPLE.COM", "auth_to_local_names", "Administrator")
	require.Equal(t, "root", v)
	v, _ = c.Get("appdefaults", "pam", "mappings")
	require.Equal(t, `EXAMPLE\\(.*) $1@AD.EXAMPLE.COM`, v)
	v, _ = c.Get("capaths", "AD.EXAMPLE.COM", "OTHER.EXAMPLE")
	require.Equal(t, ".", v)
}

func TestLoadMerge(t *testing.T) {
	dir := t.TempDir()
	a := write(t, filepath.Join(dir, "a"), "[x]\none = a\nlist = 1\nlock* = a\n[f]*\nv = a\n[r]\nA = {\nkdc = 1\n}*\nB = {\nkdc = 1\n}")
	b := write(t, filepath.Join(dir, "b"), "[x]\none = b\nlist = 2\nlock = b\ntwo* = b\n[f]\nv = b\nw = b\n[r]\nA = {\nkdc = 2\n}\nB* = {\nkdc = 2\n}")
	d := write(t, filepath.Join(dir, "d"), "[x]\ntwo = d\n[r]\nB = {\nkdc = 3\n}")
	missing := filepath.Join(dir, "c")
	c := load(t, a, missing, b, d)
	get := func(path ...string) []string { return c.All(path...) }
	require.Equal(t, []string{"a", "b"}, get("x", "one"))
	require.Equal(t, []string{"1", "2"}, get("x", "list"))
	require.Equal(t, []string{"a"}, get("x", "lock"))
	require.Equal(t, []string{"b"}, get("x", "two"))
	require.Equal(t, []string{"a"}, get("f", "v"))
	require.Nil(t, get("f", "w"))
	require.Equal(t, []string{"1"}, get("r", "A", "kdc"))
	require.Equal(t, []string{"1", "2"}, get("r", "B", "kdc"))
	require.Equal(t, []string{a, missing, b, d}, c.Paths())
}

func TestLoadNothing(t *testing.T) {
	dir := t.TempDir()
	c := load(t, filepath.Join(dir, "no"))
	require.Empty(t, c.Sections())
	require.Len(t, c.Paths(), 1)
	load(t)
	load(t, os.DevNull)
}

func TestInclude(t *testing.T) {
	dir := t.TempDir()
	p := func(name string) string { return filepath.Join(dir, name) }
	write(t, p("inner"), "[x]\nv = inner\n[r]\nA = {\n kdc = 1")
	c := load(t, write(t, p("main"), "[r]\nA = {\n kdc = 0\ninclude "+p("inner")+"\r\n\tinclude "+p("inner")+"\n kdc = 2\n}\n[x]\nv = main\n"))
	// The included file does not change where the including one stands.
	require.Equal(t, []string{"0", "1", "1", "2"}, c.All("r", "A", "kdc"))
	require.Equal(t, []string{"inner", "inner", "main"}, c.All("x", "v"))
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	p := func(name string) string { return filepath.Join(dir, name) }
	write(t, p("loop1"), "include "+p("loop2"))
	write(t, p("loop2"), "\ninclude "+p("loop1"))
	write(t, p("self"), "include "+p("self"))
	write(t, p("bad"), "[a]\nx = 1\nhello")
	write(t, p("incbad"), "\n\ninclude "+p("bad"))
	for i := range 12 {
		write(t, p("deep"+string(rune('a'+i))), "include "+p("deep"+string(rune('b'+i))))
	}
	write(t, p("big"), "[a]\n"+strings.Repeat("# 345678\n", 1<<17))
	write(t, p("wide"), strings.Repeat("include "+p("wider")+"\n", 100))
	write(t, p("wider"), strings.Repeat("include "+p("widest")+"\n", 100))
	write(t, p("widest"), "")
	write(t, p("d/x.conf"), "[a]\nhello")
	tests := []struct {
		name, file, text string
		code             krberr.Code
		want             []string // in the error
	}{
		{"bad line", "bad", "", krberr.ConfigBadFormat, []string{p("bad") + ":3: "}},
		{"bad line in an include", "incbad", "", krberr.ConfigBadFormat, []string{p("incbad") + ":3: ", p("bad") + ":3: "}},
		{"bad line in a folder", "m", "includedir " + p("d"), krberr.ConfigBadFormat, []string{p("m") + ":1: ", p("d/x.conf") + ":2: "}},
		{"loop", "loop1", "", krberr.ConfigBadFormat, []string{"loop"}},
		{"self", "self", "", krberr.ConfigBadFormat, []string{"loop"}},
		{"deep", "deepa", "", krberr.ConfigBadFormat, []string{"too deep"}},
		{"wide", "wide", "", krberr.ConfigBadFormat, []string{"too much"}},
		{"big", "big", "", krberr.ConfigBadFormat, []string{"too much"}},
		{"missing include", "m", "[a]\ninclude " + p("none"), krberr.ConfigCantOpen, []string{p("m") + ":2: "}},
		{"missing includedir", "m", "includedir " + p("none"), krberr.ConfigCantOpen, []string{p("m") + ":1: "}},
		{"include of a folder", "m", "include " + dir, krberr.ConfigCantOpen, nil},
		{"relative include", "m", "include bad", krberr.ConfigBadFormat, []string{"absolute"}},
		{"relative includedir", "m", "includedir d", krberr.ConfigBadFormat, []string{"absolute"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.text != "" {
				write(t, p(tt.file), tt.text)
			}
			_, err := conf.Load(p(tt.file))
			require.ErrorIs(t, err, tt.code)
			for _, w := range tt.want {
				require.ErrorContains(t, err, w)
			}
		})
	}
	_, err := conf.Load(write(t, p("m"), "include "+p("none")))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = conf.Load(dir)
	require.ErrorIs(t, err, krberr.ConfigCantOpen)
}

// Every prefix of a real file parses or gives a typed error.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"debian.conf", "freeipa.conf", "ad.conf"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		text := strings.ReplaceAll(string(b), "includedir ", "# ")
		for i := range text {
			if _, err := conf.Parse(text[:i]); err != nil {
				require.ErrorIs(t, err, krberr.ConfigBadFormat)
			}
		}
	}
}

// Hostile files take time in proportion to their size.
func TestHostile(t *testing.T) {
	start := time.Now()
	for _, unit := range []string{"a={\n}\n", "a = {x = y z = w}\n", "x=\"\\\"\n", "[a]\n", "=", "a = b = c ", "{", "}\n", "x = {= ", "\\"} {
		text := "[a]\n" + strings.Repeat(unit, (1<<20-4)/len(unit))
		_, _ = conf.Parse(text)
	}
	var b strings.Builder
	b.WriteString("[a]\n")
	for i := 0; b.Len() < 1<<20-16; i++ {
		b.WriteString("a" + strings.Repeat("b", i%8) + string(rune('a'+i%26)) + "={\n}\n")
	}
	_, err := conf.Parse(b.String())
	require.NoError(t, err)
	require.Less(t, time.Since(start), 20*time.Second)
}

func TestConcurrentUse(t *testing.T) {
	_, path := install(t, "ad.conf")
	c := load(t, path)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				_ = c.Servers("AD.EXAMPLE.COM", "kdc")
				_, _ = c.RealmOf("a.ad.example.com")
				_ = c.Sections("realms")
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/*.conf")
	require.NoError(f, err)
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(b))
	}
	f.Add("[a]*\nx* = \"\\n\"\nb =\n{\n}*\nc = { d = e f = g }\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := conf.Parse(text)
		if err != nil {
			if krberr.Of(err) != krberr.ConfigBadFormat {
				t.Fatalf("Parse: %v", err)
			}
			return
		}
		// What was understood, written plainly, is understood as the same.
		again, err := conf.Parse(format(c))
		if err != nil {
			t.Fatalf("Parse(format): %v", err)
		}
		if got, want := format(again), format(c); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		_, _ = c.RealmOf(text)
		_ = c.Enctypes("permitted_enctypes", nil)
		_ = c.ClockSkew()
	})
}

// format writes c in the form with the fewest liberties.
func format(c *conf.Config) string {
	var b strings.Builder
	for _, s := range c.Sections() {
		b.WriteString("[" + s + "]\n")
		formatBlock(&b, c, s)
	}
	return b.String()
}

func formatBlock(b *strings.Builder, c *conf.Config, path ...string) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\b", `\b`)
	for _, k := range c.Keys(path...) {
		for _, v := range c.All(append(path[:len(path):len(path)], k)...) {
			b.WriteString(tag(k) + ` = "` + quote.Replace(v) + "\"\n")
		}
	}
	for _, s := range c.Sections(path...) {
		b.WriteString(tag(s) + " = {\n")
		formatBlock(b, c, append(path[:len(path):len(path)], s)...)
		b.WriteString("}\n")
	}
}

// tag protects a name that ends in a star from being read as final.
func tag(s string) string {
	if strings.HasSuffix(s, "*") {
		return s + "*"
	}
	return s
}
