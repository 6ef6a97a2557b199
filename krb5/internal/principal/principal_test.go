package principal

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestParse(t *testing.T) {
	many := strings.Repeat("a/", MaxComponents-1) + "a"
	for _, tt := range []struct {
		text  string
		realm string
		parts []string
		again string // String, "" if it is text
	}{
		{"alice", "", []string{"alice"}, ""},
		{"alice@EXAMPLE.COM", "EXAMPLE.COM", []string{"alice"}, ""},
		{"HTTP/www.example.com@EXAMPLE.COM", "EXAMPLE.COM", []string{"HTTP", "www.example.com"}, ""},
		{"a/b/c", "", []string{"a", "b", "c"}, ""},
		{`a\/b@R`, "R", []string{"a/b"}, ""},
		{`a\@b@R`, "R", []string{"a@b"}, ""},
		{`a\\b@R`, "R", []string{`a\b`}, ""},
		{`\n\t\b\0@R`, "R", []string{"\n\t\b\x00"}, ""},
		{`a\bc`, "", []string{"a\bc"}, ""},
		{`\a\l\i`, "", []string{"ali"}, "ali"},
		{"a@R/S", "R/S", []string{"a"}, ""},
		{`a@R\/S`, "R/S", []string{"a"}, "a@R/S"},
		{`a@R\@S`, "R@S", []string{"a"}, ""},
		{"a@", "", []string{"a"}, "a"},
		{"a/", "", []string{"a", ""}, ""},
		{"/a", "", []string{"", "a"}, ""},
		{"/", "", []string{"", ""}, ""},
		{"a//b@R", "R", []string{"a", "", "b"}, ""},
		{"m\xc3\xbcller@R", "R", []string{"m\xc3\xbcller"}, ""},
		{"a\nb", "", []string{"a\nb"}, `a\nb`},
		{many, "", strings.Split(many, "/"), ""},
		{strings.Repeat("x", MaxBytes), "", []string{strings.Repeat("x", MaxBytes)}, ""},
	} {
		name := tt.text[:min(len(tt.text), 40)]
		n, err := Parse(tt.text)
		require.NoError(t, err, name)
		require.Equal(t, tt.realm, n.Realm, name)
		require.Equal(t, tt.parts, n.Components, name)
		require.Equal(t, TypePrincipal, n.Type, name)
		want := tt.again
		if want == "" {
			want = tt.text
		}
		require.Equal(t, want, n.String(), name)
	}
}

func TestParseMalformed(t *testing.T) {
	for _, text := range []string{
		"", "@", "@R", "a@R@S", `a\`, `a@R\`, "a\x00b", "a@R\x00",
		strings.Repeat("a/", MaxComponents) + "a", strings.Repeat("x", MaxBytes+1),
	} {
		n, err := Parse(text)
		require.ErrorIs(t, err, krberr.ParseMalformed, "%.20q", text)
		require.True(t, n.IsZero())
	}
}

func TestParseType(t *testing.T) {
	n, err := Parse("krbtgt/EXAMPLE.COM@EXAMPLE.COM")
	require.NoError(t, err)
	require.Equal(t, TypeSrvInst, n.Type)
	require.True(t, n.IsTGS())
	require.True(t, n.Equal(TGS("EXAMPLE.COM", "EXAMPLE.COM")))
	require.Equal(t, TypeSrvInst, TGS("A", "B").Type)
	require.Equal(t, "krbtgt/B@A", TGS("A", "B").String())

	n, err = Parse("krbtgt@R")
	require.NoError(t, err)
	require.False(t, n.IsTGS())
	require.Equal(t, TypePrincipal, n.Type)
}

func TestParseEnterprise(t *testing.T) {
	for _, tt := range []struct{ text, user, realm, again string }{
		{"alice@example.com", "alice@example.com", "", `alice\@example.com`},
		{"alice@example.com@REALM", "alice@example.com", "REALM", `alice\@example.com@REALM`},
		{"alice", "alice", "", "alice"},
		{"a/b@example.com", "a/b@example.com", "", `a\/b\@example.com`},
		{"alice@", "alice@", "", `alice\@`},
		{"alice@example.com@", "alice@example.com", "", `alice\@example.com`},
	} {
		n, err := ParseEnterprise(tt.text)
		require.NoError(t, err, tt.text)
		require.Equal(t, Name{TypeEnterprise, tt.realm, []string{tt.user}}, n, tt.text)
		require.Equal(t, tt.again, n.String())
	}
	for _, text := range []string{"", "a@b@c@d", "a\x00", strings.Repeat("x", MaxBytes+1)} {
		_, err := ParseEnterprise(text)
		require.ErrorIs(t, err, krberr.ParseMalformed, "%.20q", text)
	}
}

func TestShort(t *testing.T) {
	n := New("R", "a/b", "c@d")
	require.Equal(t, `a\/b/c\@d`, n.Short())
	require.Equal(t, `a\/b/c\@d@R`, n.String())
	require.Equal(t, "", Name{}.String())
}

func TestCompare(t *testing.T) {
	a := New("R", "HTTP", "www")
	b := Name{TypeSrvHst, "R", []string{"HTTP", "www"}}
	require.True(t, a.Equal(b), "types take no part")
	require.False(t, a.Equal(b.WithRealm("S")))
	require.True(t, a.SameName(b.WithRealm("S")))
	require.Equal(t, "R", b.Realm, "WithRealm changes a copy")
	for _, o := range []Name{New("R", "HTTP"), New("R", "HTTP", "www", ""), New("R", "HTTP", "WWW"), New("r", "HTTP", "www"), New("R", "HTTP/www"), {}} {
		require.False(t, a.Equal(o), o.String())
	}
	require.False(t, New("R", "a", "bc").Equal(New("R", "ab", "c")))
}

func TestIsZero(t *testing.T) {
	require.True(t, Name{}.IsZero())
	require.True(t, Name{Type: 1}.IsZero())
	require.False(t, Name{Realm: "R"}.IsZero())
	require.False(t, New("", "a").IsZero())
}

func TestAnonymous(t *testing.T) {
	require.True(t, Anonymous.IsAnonymous())
	require.True(t, Anonymous.WithRealm("EXAMPLE.COM").IsAnonymous())
	require.False(t, New("WELLKNOWN:ANONYMOUS", "WELLKNOWN", "OTHER").IsAnonymous())
	require.Equal(t, "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", Anonymous.String())
}

func TestSalt(t *testing.T) {
	// RFC 3962 appendix B: realm and components, no separators.
	require.Equal(t, "ATHENA.MIT.EDUraeburn", New("ATHENA.MIT.EDU", "raeburn").Salt())
	require.Equal(t, "EXAMPLE.COMHTTPwww.example.com", New("EXAMPLE.COM", "HTTP", "www.example.com").Salt())
	require.Equal(t, "R", Name{Realm: "R"}.Salt())
}

// FuzzParse: what is accepted is bounded, and its text reads back as the same
// name and is then its own text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"alice", "alice@R", "HTTP/www@R", `a\/b\@c\\d\n\t\b\0@R\@S/T`, "krbtgt/R@R", "/", "a@", "@R", `a\`, "\x00", `\`, "a//@", `\/@`, "\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text)
		if err != nil {
			if krberr.Of(err) != krberr.ParseMalformed || !n.IsZero() {
				t.Fatalf("Parse(%q) = %v, %v", text, n, err)
			}
			return
		}
		if len(n.Components) == 0 || len(n.Components) > MaxComponents {
			t.Fatalf("Parse(%q): %d components", text, len(n.Components))
		}
		out := n.String()
		if len(out) > MaxBytes {
			return // quoting made it longer than what is read
		}
		again, err := Parse(out)
		if err != nil || !again.Equal(n) || again.Type != n.Type {
			t.Fatalf("Parse(%q) = %q, which reads as %q, %v", text, n, again, err)
		}
		if s := again.String(); s != out {
			t.Fatalf("String(Parse(%q)) = %q", out, s)
		}
	})
}

// FuzzString: the text of any name that can be one reads back as it.
func FuzzString(f *testing.F) {
	f.Add("alice", "", "R", true)
	f.Add("HTTP", "www", "R", false)
	f.Add(`\`, "/", "@\x00\n", false)
	f.Add("", "", "", false)
	f.Fuzz(func(t *testing.T, first, second, realm string, one bool) {
		n := New(realm, first, second)
		if one {
			n = New(realm, first)
		}
		text := n.String()
		if one && first == "" || len(text) > MaxBytes {
			return
		}
		got, err := Parse(text)
		if err != nil || !got.Equal(n) {
			t.Fatalf("Parse(%q) = %q, %v, want %q", text, got.Components, err, n.Components)
		}
	})
}

func FuzzParseEnterprise(f *testing.F) {
	for _, text := range []string{"a@b", "a@b@R", "a", "@", "a@b@R@S", "a\\@b/c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseEnterprise(text)
		if err != nil {
			return
		}
		if len(n.Components) != 1 || n.Components[0] == "" || len(n.Components[0])+len(n.Realm) > len(text) {
			t.Fatalf("ParseEnterprise(%q) = %#v", text, n)
		}
		if s := n.String(); len(s) <= MaxBytes {
			if again, err := Parse(s); err != nil || !again.Equal(n) {
				t.Fatalf("Parse(%q) = %v, %v", s, again, err)
			}
		}
	})
}
