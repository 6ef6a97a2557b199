package conf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func parse(t *testing.T, text string) *conf.Config {
	t.Helper()
	c, err := conf.Parse(text)
	require.NoError(t, err)
	return c
}

func TestParseValues(t *testing.T) {
	tests := []struct {
		name, text string
		path       string // words separated by "/"
		want       []string
	}{
		{"plain", "[libdefaults]\ndefault_realm = A", "libdefaults/default_realm", []string{"A"}},
		{"tabs and CRLF", "[libdefaults]\r\n\tdefault_realm\t=\tA \t\r\n", "libdefaults/default_realm", []string{"A"}},
		{"no blanks", "[a]\nx=1", "a/x", []string{"1"}},
		{"blanks before the section", "  [a]  \nx=1", "a/x", []string{"1"}},
		{"byte order mark", "\ufeff[a]\nx=1", "a/x", []string{"1"}},
		{"text before the first section", "made by hand\nx = 2\n[a]\nx = 1", "a/x", []string{"1"}},
		{"comments", "[a]\n# x = 1\n ; x = 2\nx = 3", "a/x", []string{"3"}},
		{"value with special characters", "[a]\nx = a=b # no ; comment", "a/x", []string{"a=b # no ; comment"}},
		{"inner blanks kept", "[a]\nx = a  b\tc", "a/x", []string{"a  b\tc"}},
		{"quoted", `[a]` + "\n" + `x = " a\tb\n\"c\"\\ " # rest`, "a/x", []string{" a\tb\n\"c\"\\ "}},
		{"quoted and empty", `[a]` + "\n" + `x = ""`, "a/x", []string{""}},
		{"quote left open", `[a]` + "\n" + `x = "b\`, "a/x", []string{`b\`}},
		{"several values", "[a]\nx = 1\ny = 2\nx = 3", "a/x", []string{"1", "3"}},
		{"section again", "[a]\nx = 1\n[b]\nx = 2\n[a]\nx = 3", "a/x", []string{"1", "3"}},
		{"block", "[r]\nA = {\n kdc = x\n}\n", "r/A/kdc", []string{"x"}},
		{"block in a block", "[r]\nA = {\n n = {\n  u = v\n }\n kdc = x\n}", "r/A/n/u", []string{"v"}},
		{"after a block", "[r]\nA = {\n n = {\n  u = v\n }\n kdc = x\n}\ny = z", "r/y", []string{"z"}},
		{"block again", "[r]\nA = {\n kdc = x\n}\nA = {\n kdc = y\n}", "r/A/kdc", []string{"x", "y"}},
		{"brace on the next line", "[r]\nA =\n\n# here\n {\n kdc = x\n}", "r/A/kdc", []string{"x"}},
		{"block left open", "[r]\nA = {\n kdc = x", "r/A/kdc", []string{"x"}},
		{"comment after a brace", "[r]\nA = {\n kdc = x\n} # A", "r/A/kdc", []string{"x"}},
		{"one line", "[r]\nA = { kdc = x }", "r/A/kdc", []string{"x"}},
		{"one line, several", "[r]\nA = {kdc=x kdc = y admin_server=z}", "r/A/kdc", []string{"x", "y"}},
		{"one line, the last", "[r]\nA = {kdc=x kdc = y admin_server=z}", "r/A/admin_server", []string{"z"}},
		{"one line, value with blanks and =", "[r]\nA = { auth_to_local = RULE:[1:$1](x)s/=/y/ g kdc = x }", "r/A/auth_to_local", []string{"RULE:[1:$1](x)s/=/y/ g"}},
		{"one line, quoted", "[r]\nA = { a = \"b = c\" d = e }", "r/A/a", []string{"b = c"}},
		{"one line, after quoted", "[r]\nA = { a = \"b = c\" d = e }", "r/A/d", []string{"e"}},
		{"one line and more", "[r]\nA = { kdc = x }\nA = {\nkdc = y\n}", "r/A/kdc", []string{"x", "y"}},
		{"braces in a value", "[r]\nA = {x}", "r/A", []string{"{x}"}},
		{"final marks", "[a]*\nx* = 1\nb* = {\n y = 2\n}*", "a/b/y", []string{"2"}},
		{"star inside a name", "[d]\n*.example.com = A", "d/*.example.com", []string{"A"}},
		{"module", "module /usr/lib/x.so:y\n[a]\nmodule /usr/lib/x.so\nx = 1", "a/x", []string{"1"}},
		{"relation called module", "[plugins]\ncertauth = {\n module = a:b\n include = c\n}", "plugins/certauth/module", []string{"a:b"}},
		{"relation called include", "[plugins]\ncertauth = {\n module = a:b\n include = c\n}", "plugins/certauth/include", []string{"c"}},
		{"absent", "[a]\nx = 1", "a/y", nil},
		{"absent section", "[a]\nx = 1", "b/x", nil},
		{"path into a value", "[a]\nx = 1", "a/x/y", nil},
		{"a section is no value", "[a]\nx = 1", "a", nil},
		{"empty", "", "a/x", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, tt.text)
			path := strings.Split(tt.path, "/")
			require.Equal(t, tt.want, c.All(path...))
			got, ok := c.Get(path...)
			require.Equal(t, tt.want != nil, ok)
			if ok {
				require.Equal(t, tt.want[0], got)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, text string
		line       int
	}{
		{"no relation", "[a]\nx = 1\nhello", 3},
		{"no name", "[a]\n = 1", 2},
		{"star for a name", "[a]\n* = 1", 2},
		{"two words for a name", "[a]\nx y = 1", 2},
		{"bracket left open", "[a\nx = 1", 1},
		{"text after a section", "[a] x = 1", 1},
		{"section in a block", "[a]\nb = {\n[c]", 3},
		{"brace too many", "[a]\n}", 2},
		{"text after a brace", "[a]\nb = {\n} c = d", 3},
		{"no value", "[a]\nx =\ny = 1", 3},
		{"no value at the end", "[a]\nx = 1\ny =", 3},
		{"text after an opening brace", "[a]\nb = { x = 1\n}", 2},
		{"one line without a value", "[a]\nb = { x = }", 2},
		{"one line without the first value", "[a]\nb = { x = y = 1 }", 2},
		{"one line without a relation", "[a]\nb = { x = \"1\" y }", 2},
		{"one line with braces", "[a]\nb = { x = { y = 1 } }", 2},
		{"one line without a name", "[a]\nb = { = 1 }", 2},
		{"NUL", "[a]\nx = \x00", 2},
		{"include in a text", "[a]\ninclude /x", 2},
		{"includedir in a text", "includedir /x", 1},
		{"long line", "[a]\nx = " + strings.Repeat("y", 64<<10), 2},
		{"deep", "[a]\n" + strings.Repeat("b = {\n", 40), 34},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := conf.Parse(tt.text)
			require.ErrorIs(t, err, krberr.ConfigBadFormat)
			require.ErrorContains(t, err, fmt.Sprintf("line %d: ", tt.line))
		})
	}
}

func TestNames(t *testing.T) {
	c := parse(t, "[realms]\nB = {\n}\nA = { x = 1 }\nB = {\nkdc = x\n}\nlone = 1\n[capaths]\nA = {\n z = .\n y = .\n z = q\n}")
	require.Equal(t, []string{"realms", "capaths"}, c.Sections())
	require.Equal(t, []string{"B", "A"}, c.Sections("realms"))
	require.Equal(t, []string{"z", "y"}, c.Keys("capaths", "A"))
	require.Equal(t, []string{"lone"}, c.Keys("realms"))
	require.Empty(t, c.Sections("no"))
	require.Empty(t, c.Keys("no"))

	// What is returned is the caller's.
	c.Sections()[0] = "x"
	c.All("capaths", "A", "z")[0] = "x"
	require.Equal(t, []string{"realms", "capaths"}, c.Sections())
	require.Equal(t, []string{".", "q"}, c.All("capaths", "A", "z"))
}

func TestNilConfig(t *testing.T) {
	for _, c := range []*conf.Config{nil, {}} {
		require.Empty(t, c.Sections())
		require.Empty(t, c.Keys())
		require.Empty(t, c.All())
		require.Empty(t, c.Paths())
		require.Empty(t, c.DefaultRealm())
		require.Empty(t, c.Servers("A", "kdc"))
		require.Equal(t, 5*time.Minute, c.ClockSkew())
		require.Equal(t, 1465, c.UDPPreferenceLimit())
		require.Equal(t, "fallback", c.CanonicalizeHostname())
		require.Equal(t, []etype.ID{20}, c.Enctypes("permitted_enctypes", []etype.ID{20}))
		require.True(t, c.Bool(true, "a", "b"))
		_, ok := c.RealmOf("a.b")
		require.False(t, ok)
	}
}

func TestBoolIntDuration(t *testing.T) {
	for _, w := range strings.Fields("y yes true t 1 on Y Yes TRUE On") {
		require.True(t, parse(t, "[a]\nx = "+w).Bool(false, "a", "x"), w)
	}
	for _, w := range strings.Fields("n no false nil 0 off N No FALSE Off") {
		require.False(t, parse(t, "[a]\nx = "+w).Bool(true, "a", "x"), w)
	}
	c := parse(t, "[a]\nx = maybe\nn = -12\nd = 1d 2h")
	require.True(t, c.Bool(true, "a", "x"))
	require.False(t, c.Bool(false, "a", "x"))
	require.Equal(t, -12, c.Int(3, "a", "n"))
	require.Equal(t, 3, c.Int(3, "a", "x"))
	require.Equal(t, 26*time.Hour, c.Duration(time.Second, "a", "d"))
	require.Equal(t, time.Second, c.Duration(time.Second, "a", "x"))
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		text string
		want time.Duration
	}{
		{"0", 0}, {"3600", time.Hour}, {" 60 ", time.Minute}, {"-60", -time.Minute},
		{"10h", 10 * time.Hour}, {"7d", 7 * day}, {"5m", 5 * time.Minute}, {"30s", 30 * time.Second},
		{"1d 2h", day + 2*time.Hour}, {"1d2h3m4s", day + 2*time.Hour + 3*time.Minute + 4*time.Second},
		{"1d 4s", day + 4*time.Second}, {"1 d 2 H", day + 2*time.Hour}, {"90m", 90 * time.Minute},
		{"1:30", 90 * time.Minute}, {"0:90", 90 * time.Minute}, {"1:30:15", 90*time.Minute + 15*time.Second}, {"100:00:00", 100 * time.Hour},
		{"2-1:30:15", 2*day + 90*time.Minute + 15*time.Second}, {"2147483647", 2147483647 * time.Second},
	}
	for _, tt := range tests {
		got, err := conf.ParseDuration(tt.text)
		require.NoError(t, err, tt.text)
		require.Equal(t, tt.want, got, tt.text)
	}
	for _, text := range []string{
		"", " ", "-", "x", "1x", "1h1d", "1h 1h", "1h 30", "h", "1:2:3:4", "1-2:3", "1-", ":", "1:",
		":1", "1:-2", "2147483648", "99999999999999999999", "24856d", "1.5h", "--1", "１", "2147483647:0:0", "99999-0:00:00",
	} {
		_, err := conf.ParseDuration(text)
		require.ErrorIs(t, err, krberr.DeltatBadFormat, text)
	}
}

func TestRealmOf(t *testing.T) {
	c := parse(t, `[domain_realm]
	host.example.com = HOST
	.example.com = DOT
	example.com = PLAIN
	sub.example.com = SUB
	.org = ORG
	192.0.2.1 = IP
	empty.example.com = ""`)
	tests := []struct {
		host, want string
		ok         bool
	}{
		{"host.example.com", "HOST", true},
		{"HOST.Example.COM.", "HOST", true},
		{"other.example.com", "DOT", true},
		{"a.b.example.com", "DOT", true},
		{"example.com", "PLAIN", true},
		{"sub.example.com", "SUB", true},
		{"a.sub.example.com", "SUB", true}, // MIT looks for parents without the dot too
		{"a.org", "ORG", true},
		{"org", "", false},
		{"a.net", "", false},
		{"notexample.com", "", false},
		{"192.0.2.1", "", false},
		{"empty.example.com", "", true},
		{"", "", false}, {".", "", false}, {"..", "", false}, {"...org", "ORG", true},
		{strings.Repeat("a.", 200) + "example.com", "", false},
	}
	for _, tt := range tests {
		got, ok := c.RealmOf(tt.host)
		require.Equal(t, tt.ok, ok, tt.host)
		require.Equal(t, tt.want, got, tt.host)
	}
}

func TestServers(t *testing.T) {
	c := parse(t, `[realms]
	A = {
		kdc = k1 trailing
		kdc = k2:88
		kdc = ""
		master_kdc = old
		kpasswd_server = p
	}
	B = {
		master_kdc = old
		primary_kdc = new
	}`)
	require.Equal(t, []string{"k1", "k2:88"}, c.Servers("A", "kdc"))
	require.Equal(t, []string{"p"}, c.Servers("A", "kpasswd_server"))
	require.Equal(t, []string{"old"}, c.Servers("A", "primary_kdc"))
	require.Equal(t, []string{"old"}, c.Servers("A", "master_kdc"))
	require.Equal(t, []string{"new"}, c.Servers("B", "primary_kdc"))
	require.Equal(t, []string{"new"}, c.Servers("B", "master_kdc"))
	require.Empty(t, c.Servers("A", "admin_server"))
	require.Empty(t, c.Servers("C", "kdc"))
}

func TestLibdefaults(t *testing.T) {
	def := []etype.ID{18, 17, 20, 19}
	tests := []struct {
		text string
		key  string
		want []etype.ID
	}{
		{"", "permitted_enctypes", def},
		{"", "default_tgs_enctypes", def},
		{"permitted_enctypes = aes256-sha2", "permitted_enctypes", []etype.ID{20}},
		{"permitted_enctypes = aes256-sha2", "default_tkt_enctypes", []etype.ID{20}},
		{"permitted_enctypes = aes256-sha2\ndefault_tkt_enctypes = rc4", "default_tkt_enctypes", []etype.ID{23}},
		{"default_tkt_enctypes = rc4", "permitted_enctypes", def},
		{"permitted_enctypes = DEFAULT -aes128-cts", "permitted_enctypes", []etype.ID{18, 20, 19}},
		{"permitted_enctypes = aes256-cts,nonsense", "permitted_enctypes", []etype.ID{18}},
		{"permitted_enctypes = nonsense", "permitted_enctypes", nil},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, parse(t, "[libdefaults]\n"+tt.text).Enctypes(tt.key, def), tt.text)
	}
	for value, want := range map[string]string{
		"true": "true", "yes": "true", "false": "false", "0": "false", "off": "false", "fallback": "fallback", "Fallback": "fallback", "nonsense": "true",
	} {
		require.Equal(t, want, parse(t, "[libdefaults]\ndns_canonicalize_hostname = "+value).CanonicalizeHostname(), value)
	}
	for value, want := range map[string]time.Duration{"60": time.Minute, "2m": 2 * time.Minute, "-1": 5 * time.Minute, "x": 5 * time.Minute, "0": 0} {
		require.Equal(t, want, parse(t, "[libdefaults]\nclockskew = "+value).ClockSkew(), value)
	}
	for value, want := range map[string]int{"0": 0, "1": 1, "-1": 1465, "x": 1465, "99999": 32700} {
		require.Equal(t, want, parse(t, "[libdefaults]\nudp_preference_limit = "+value).UDPPreferenceLimit(), value)
	}
}

func TestExpand(t *testing.T) {
	env := func(k string) string { return map[string]string{"TMPDIR": "/my/tmp"}[k] }
	tests := []struct{ text, want string }{
		{"FILE:/tmp/x", "FILE:/tmp/x"},
		{"FILE:/tmp/krb5cc_%{uid}", fmt.Sprintf("FILE:/tmp/krb5cc_%d", os.Getuid())},
		{"%{USERID}/%{euid}/c", fmt.Sprintf("%d/%d/c", os.Getuid(), os.Geteuid())},
		{"%{TEMP}/a%{null}b", "/my/tmp/ab"},
		{"100%", "100%"},
		{"", ""},
	}
	for _, tt := range tests {
		if os.Getuid() < 0 && strings.Contains(tt.text, "id}") {
			continue
		}
		got, err := conf.Expand(tt.text, env)
		require.NoError(t, err, tt.text)
		require.Equal(t, tt.want, got)
	}
	for _, text := range []string{"%{LIBDIR}/x", "%{}", "%{uid", "a%{nonsense}b"} {
		_, err := conf.Expand(text, nil)
		require.ErrorIs(t, err, krberr.ConfigBadFormat, text)
	}
	name, err := conf.Expand("%{username}", nil)
	if err == nil {
		require.NotEmpty(t, name)
	}
	temp, err := conf.Expand("%{TEMP}", nil)
	require.NoError(t, err)
	require.NotEmpty(t, temp)
}

func TestDefault(t *testing.T) {
	sep := string(os.PathListSeparator)
	env := func(k string) string { return map[string]string{"KRB5_CONFIG": "/a" + sep + sep + "/b"}[k] }
	require.Equal(t, []string{"/a", "/b"}, conf.Default(env))
	if os.PathSeparator == '/' {
		require.Equal(t, "/etc/krb5.conf", conf.Default(nil)[0])
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
