package interop

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/conf"
)

// askMIT asks c/krb5conf.c about a configuration.
func askMIT(t *testing.T, config string, questions []string) []string {
	t.Helper()
	program, err := mitkdc.Build(t.TempDir(), "c/krb5conf.c")
	require.NoError(t, err)
	out, err := realm.RunEnv([]string{"KRB5_CONFIG=" + config}, strings.Join(questions, "\n")+"\n", program)
	require.NoError(t, err)
	answers := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, answers, len(questions))
	return answers
}

// askUs answers the same questions.
func askUs(t *testing.T, config string, questions []string) []string {
	t.Helper()
	c, err := conf.Load(config)
	require.NoError(t, err)
	m := krb5.New(&krb5.Config{ConfigPath: config, Getenv: func(string) string { return "" }})
	var answers []string
	for _, q := range questions {
		w := strings.Split(q, "\t")
		var answer string
		switch w[0] {
		case "realm":
			answer = c.DefaultRealm()
		case "host":
			answer, _ = c.RealmOf(w[1])
		case "app":
			answer, _ = c.AppDefault(w[1], w[2], w[3])
		default:
			n, err := gssapi.Principal(w[1]).Canonicalize(testContext(t), m)
			require.NoError(t, err)
			if w[0] == "userok" {
				answer = map[bool]string{true: "yes", false: "no"}[n.UserOK(testContext(t), w[2]) == nil]
				break
			}
			if answer, err = n.LocalName(testContext(t)); err != nil && w[0] == "local" && strings.Contains(err.Error(), "BADFORMAT") {
				answer = "- bad"
			}
		}
		if answer == "" {
			answer = "-"
		}
		answers = append(answers, answer)
	}
	return answers
}

func compare(t *testing.T, config string, questions []string) {
	t.Helper()
	theirs, ours := askMIT(t, config, questions), askUs(t, config, questions)
	for i, q := range questions {
		if strings.HasPrefix(q, "local") || strings.HasPrefix(q, "gss") {
			if strings.Contains(theirs[i], "/") { // no user's name on any system: we give none
				theirs[i] = "-"
			}
		}
		require.Equal(t, theirs[i], ours[i], "%q", q)
	}
}

// The configurations that distributions, SSSD, FreeIPA and AD join tools write
// mean the same to MIT and to us.
func TestConfigurations(t *testing.T) {
	samples := filepath.Join("..", "krb5", "conf", "testdata")
	files, err := filepath.Glob(filepath.Join(samples, "*.conf"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 5)
	var questions []string
	for _, h := range []string{"www.example.com", "example.com", "EXAMPLE.COM", "client.example.com", "dc.ad.example.com", "ad.example.com", "a.b.c.mit.edu", "mit.edu"} {
		questions = append(questions, "host\t"+h)
	}
	for _, realm := range []string{"EXAMPLE.COM", "IPA.EXAMPLE.COM", "AD.EXAMPLE.COM", "CHILD.AD.EXAMPLE.COM"} {
		for _, p := range []string{"alice", "Administrator", "alice/admin", "host/a.example.com"} {
			questions = append(questions, "local\t"+p+"@"+realm, "gss\t"+p+"@"+realm)
		}
		for _, o := range []string{"forwardable", "mappings", "krb4_convert"} {
			questions = append(questions, "app\tpam\t"+realm+"\t"+o, "app\tother\t"+realm+"\t"+o)
		}
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			dir := t.TempDir()
			for _, include := range []string{"krb5.conf.d", "krb5.include.d"} {
				require.NoError(t, os.CopyFS(filepath.Join(dir, include), os.DirFS(filepath.Join(samples, include))))
			}
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			config := filepath.Join(dir, "krb5.conf")
			require.NoError(t, os.WriteFile(config, []byte(strings.ReplaceAll(string(b), "DIR/", dir+"/")), 0o600))
			c, err := conf.Load(config)
			require.NoError(t, err)
			list := questions
			if c.DefaultRealm() != "" { // else MIT takes the host's domain for a realm
				list = append([]string{"realm"}, questions...)
			}
			compare(t, config, list)
		})
	}
}

// Rules give the same users.
func TestLocalNames(t *testing.T) {
	var questions []string
	for _, p := range []string{
		"alice@A.TEST", "alice@B.TEST", "alice/admin@A.TEST", "alice/admin@B.TEST", "alice/A.TEST@A.TEST", "a/b/c@A.TEST",
		"host/www.a.test@A.TEST", "aaa@A.TEST", "aXbXc@A.TEST", "user.name@B.TEST", `at\@sign@A.TEST`, "UPPER@A.TEST", "x-y_z@A.TEST",
	} {
		questions = append(questions, "local\t"+p, "gss\t"+p)
	}
	for i, block := range []string{
		"",
		"auth_to_local = DEFAULT",
		"auth_to_local = RULE:[1:$1]",
		"auth_to_local = RULE:[1:$1@$0](.*@B\\.TEST)s/@.*//\nauth_to_local = DEFAULT",
		"auth_to_local = RULE:[2:$1;$2](^.*;admin$)s/;admin$//\nauth_to_local = DEFAULT",
		"auth_to_local = RULE:[2:$2.$1-$0]",
		"auth_to_local = RULE:[1:prefix_$1]",
		"auth_to_local = RULE:[1:$1](aaa|alice)s/a/b/",
		"auth_to_local = RULE:[1:$1](a|aa|aaa)s/a/b/g",
		"auth_to_local = RULE:[1:$1]s/^a/b/g",
		"auth_to_local = RULE:[1:$1]s/[A-Z]//g s/b/(b)/",
		"auth_to_local = RULE:[1:$1]s/X$//s/c/d/g",
		"auth_to_local = RULE:[1:$1](lic)",
		"auth_to_local = RULE:[1:$1](ali[[:alpha:]]{2})",
		"auth_to_local = RULE:[1:$1](^[^.]+\\.[a-z]*$)s/\\././",
		"auth_to_local = RULE:s/alice/bob/",
		"auth_to_local = RULE:(alice)s/alice/bob/",
		"auth_to_local = RULE:[1:$1](*)\nauth_to_local = DEFAULT",
		"auth_to_local = RULE:[1:$1]s/[/x/\nauth_to_local = DEFAULT",
		"auth_to_local = RULE:[3:$3$2$1]",
		"auth_to_local = RULE:[1:$1",
		"auth_to_local = RULE:[1$1]",
		"auth_to_local = RULE:[1:$2]",
		"auth_to_local = RULE:[1:$1](alice",
		"auth_to_local = RULE:[1:$1]s/a/b",
		"auth_to_local = RULE:[1:$1]x",
		"auth_to_local = RULE",
		"auth_to_local = NONSENSE",
		"auth_to_local = NONSENSE:x\nauth_to_local = DEFAULT",
		"auth_to_local = RULE:[1:$0]",
		"auth_to_local = RULE:[0:x]\nauth_to_local = DEFAULT",
		"auth_to_local_names = {\nalice = bob\nalice = carol\nalice/admin = root\n}",
		"auth_to_local = RULE:[1:rule]\nauth_to_local_names = {\nalice = bob\n}",
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "krb5.conf")
			require.NoError(t, os.WriteFile(config, []byte("[libdefaults]\ndefault_realm = A.TEST\n[realms]\nA.TEST = {\n"+block+"\n}\n"), 0o600))
			compare(t, config, questions)
		})
	}
}

// .k5login decides alike.
func TestUserOK(t *testing.T) {
	me, err := user.Current()
	require.NoError(t, err)
	var questions []string
	for _, p := range []string{"alice@A.TEST", "bob@A.TEST", "bob@B.TEST", me.Username + "@A.TEST", me.Username + "@B.TEST"} {
		for _, u := range []string{me.Username, "nobody", "no-such-user"} {
			questions = append(questions, "userok\t"+p+"\t"+u)
		}
	}
	for name, tc := range map[string]struct {
		libdefaults string
		login       *string
		mode        os.FileMode
	}{
		"no file":            {"", nil, 0},
		"listed":             {"", ptr("bob@B.TEST\nalice@A.TEST\n"), 0o600},
		"without a line end": {"", ptr("bob@B.TEST"), 0o600},
		"empty":              {"", ptr(""), 0o600},
		"spaces":             {"", ptr(" bob@B.TEST\nalice@A.TEST \n"), 0o600},
		"not authoritative":  {"k5login_authoritative = false", ptr("bob@B.TEST\n"), 0o600},
		"for all to write":   {"", ptr("bob@B.TEST\n"), 0o666},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tc.login != nil {
				file := filepath.Join(dir, me.Username)
				require.NoError(t, os.WriteFile(file, []byte(*tc.login), 0o600))
				require.NoError(t, os.Chmod(file, tc.mode))
			}
			config := filepath.Join(t.TempDir(), "krb5.conf")
			text := "[libdefaults]\ndefault_realm = A.TEST\nk5login_directory = " + dir + "\n" + tc.libdefaults + "\n"
			require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
			compare(t, config, questions)
		})
	}
}

func ptr(s string) *string { return &s }
