package localauth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

const realm = "EXAMPLE.TEST"

func config(t testing.TB, block string) *conf.Config {
	t.Helper()
	c, err := conf.Parse("[libdefaults]\ndefault_realm = " + realm + "\n[realms]\n" + realm + " = {\n" + block + "\n}\n")
	require.NoError(t, err)
	return c
}

func parse(t testing.TB, text string) principal.Name {
	t.Helper()
	p, err := principal.Parse(text)
	require.NoError(t, err)
	return p
}

// What MIT makes of these, interop/localname_test.go asks MIT.
func TestName(t *testing.T) {
	for _, tc := range []struct {
		name, block, principal, want string
		err                          error
	}{
		{"default", "", "alice@" + realm, "alice", nil},
		{"default, realm as instance", "", "alice/" + realm + "@" + realm, "alice", nil},
		{"default, instance", "", "alice/admin@" + realm, "", krberr.NoLocalName},
		{"default, three components", "", "a/b/c@" + realm, "", krberr.NoLocalName},
		{"default, other realm", "", "alice@OTHER.TEST", "", krberr.NoLocalName},
		{"no realm", "", "alice", "", krberr.NoLocalName},
		{"explicit", "auth_to_local_names = {\nalice = bob\n}", "alice@" + realm, "bob", nil},
		{"explicit, the last one", "auth_to_local_names = {\nalice = bob\nalice = carol\n}", "alice@" + realm, "carol", nil},
		{"explicit, of any realm", "auth_to_local_names = {\nalice = bob\n}", "alice@OTHER.TEST", "bob", nil},
		{"explicit, before rules", "auth_to_local = RULE:[1:rule]\nauth_to_local_names = {\nalice = bob\n}", "alice@" + realm, "bob", nil},
		{"rules leave no default", "auth_to_local = RULE:[2:$1]", "alice@" + realm, "", krberr.NoLocalName},
		{"DEFAULT after rules", "auth_to_local = RULE:[2:$1]\nauth_to_local = DEFAULT", "alice@" + realm, "alice", nil},
		{"the first that fits", "auth_to_local = RULE:[1:first]\nauth_to_local = RULE:[1:second]", "alice@" + realm, "first", nil},
		{"components and realm", "auth_to_local = RULE:[2:$2-$1.$0]", "alice/admin@" + realm, "admin-alice." + realm, nil},
		{"match", "auth_to_local = RULE:[1:$1@$0](.*@OTHER\\.TEST)s/@.*//", "alice@OTHER.TEST", "alice", nil},
		{"match is whole", "auth_to_local = RULE:[1:$1@$0](alice)", "alice@OTHER.TEST", "", krberr.NoLocalName},
		{"match at the start", "auth_to_local = RULE:[1:$1](lice)", "alice@" + realm, "", krberr.NoLocalName},
		{"leftmost, longest", "auth_to_local = RULE:[1:$1](a|alice)", "alice@" + realm, "alice", nil},
		{"no selection", "auth_to_local = RULE:s/alice/bob/", "alice@OTHER.TEST", "bob", nil},
		{"replace one", "auth_to_local = RULE:[1:$1]s/a/b/", "aaa@" + realm, "baa", nil},
		{"replace all", "auth_to_local = RULE:[1:$1]s/a/b/g", "aaa@" + realm, "bbb", nil},
		{"replace several", "auth_to_local = RULE:[1:$1]s/a/b/g s/b/c/", "aaa@" + realm, "cbb", nil},
		{"^ again after each", "auth_to_local = RULE:[1:$1]s/^a//g", "aab@" + realm, "b", nil},
		{"an expression that is none", "auth_to_local = RULE:[1:$1](*[)\nauth_to_local = DEFAULT", "alice@" + realm, "alice", nil},
		{"a replacement that is none", "auth_to_local = RULE:[1:$1]s/[/x/\nauth_to_local = DEFAULT", "alice@" + realm, "alice", nil},
		{"nothing left", "auth_to_local = RULE:[1:$1]s/.*//", "alice@" + realm, "", krberr.NoLocalName},
		{"a path", "auth_to_local = RULE:[2:$1/$2]", "alice/admin@" + realm, "", krberr.NoLocalName},
		{"a line", "auth_to_local = RULE:[1:$1]", `alice\nroot@` + realm, "", krberr.NoLocalName},
		{"a zero byte", "", `root\0x@` + realm, "", krberr.NoLocalName},
		{"too long", "", strings.Repeat("a", 300) + "@" + realm, "", krberr.NoLocalName},
		{"wrong where it does not get", "auth_to_local = RULE:[2:$3\nauth_to_local = RULE:[1:$1](x)wrong\nauth_to_local = DEFAULT", "alice@" + realm, "alice", nil},
		{"no number", "auth_to_local = RULE:[x:$1]", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"no colon", "auth_to_local = RULE:[1$1]", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"no such component", "auth_to_local = RULE:[1:$2]", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"no bracket", "auth_to_local = RULE:[1:$1", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"no parenthesis", "auth_to_local = RULE:[1:$1](alice", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"half a replacement", "auth_to_local = RULE:[1:$1]s/a/b", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"text after it", "auth_to_local = RULE:[1:$1]x", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"nothing, again and again", "auth_to_local = RULE:[1:$1]s/x*//g", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"growth", "auth_to_local = RULE:[1:$1]" + strings.Repeat("s/a/aa/g", 40), "a@" + realm, "", krberr.ConfigBadFormat},
		{"another type", "auth_to_local = DB:/etc/aname", "alice@" + realm, "", krberr.ConfigBadFormat},
		{"RULE alone", "auth_to_local = RULE", "alice@" + realm, "", krberr.ConfigBadFormat},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Name(config(t, tc.block), parse(t, tc.principal))
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, tc.want, got)
		})
	}
	_, err := Name(nil, parse(t, "alice@"+realm))
	require.ErrorIs(t, err, krberr.NoLocalName, "without a default realm")
}

// A rule never panics, and what it makes is bounded and a possible user.
func FuzzRule(f *testing.F) {
	f.Add("[2:$1;$2](^.*;admin$)s/;admin$//g s/a/b/", "alice/admin@"+realm)
	f.Add("[1:$1@$0](.*@OTHER\\.TEST)s/@.*//", "alice@OTHER.TEST")
	f.Add("[1:$99999999999999999999]", "a@B")
	f.Add("s/()*//g", "a@B")
	f.Fuzz(func(t *testing.T, text, name string) {
		p, err := principal.Parse(name)
		if err != nil || p.Realm == "" {
			return
		}
		got, ok, err := apply("RULE:"+text, realm, p)
		if err != nil && (ok || got != "") || len(got) > maxText+len(name) {
			t.Errorf("RULE:%s of %s = %q, %v, %v", text, name, got, ok, err)
		}
		if user, err := valid(got, p); err == nil && (user == "" || len(user) > maxUser) {
			t.Errorf("%q is no user", user)
		}
	})
}
