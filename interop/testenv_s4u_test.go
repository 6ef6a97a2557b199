package interop

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/testenv"
)

// The embedded KDC's trusts, as MIT's client sees them: referrals over two
// hops, aliases and enterprise names.
func TestEmbeddedTrust(t *testing.T) {
	a, b, c := testenv.NewKDC(&testenv.Options{Realm: "A.TEST"}), testenv.NewKDC(&testenv.Options{Realm: "B.TEST"}), testenv.NewKDC(&testenv.Options{Realm: "C.TEST"})
	for _, k := range []*testenv.KDC{a, b, c} {
		t.Cleanup(k.Close)
	}
	a.Trust(b)
	b.Trust(c)
	a.AddUser("alice", "pw")
	c.AddUser("carol", "pw")
	c.Alias("c.jones@corp.test", "carol")
	c.AddService("host/far.away.test")
	c.Alias("HTTP/alias.away.test", "host/far.away.test")
	dir, keys := t.TempDir(), t.TempDir()
	require.NoError(t, a.WriteFiles(dir))
	require.NoError(t, c.WriteFiles(keys))
	mit := func(input, program string, args ...string) (string, error) {
		return realm.RunEnv([]string{
			"KRB5_CONFIG=" + filepath.Join(dir, "krb5.conf"),
			"KRB5CCNAME=FILE:" + filepath.Join(dir, "ccache"),
			"KRB5_KTNAME=FILE:" + filepath.Join(keys, "krb5.keytab"),
		}, input, program, args...)
	}
	for user, principal := range map[string]string{"alice": "alice@A.TEST", "c.jones@corp.test": "carol@C.TEST"} {
		args := []string{user}
		if user != "alice" {
			args = []string{"-E", user}
		}
		_, err := mit("pw\n", "kinit", args...)
		require.NoError(t, err)
		out, err := mit("", "klist")
		require.NoError(t, err)
		require.Contains(t, out, "Default principal: "+principal)
		for _, service := range []string{"host", "HTTP"} {
			name := map[string]string{"host": "far.away.test", "HTTP": "alias.away.test"}[service]
			out, err = mit("", "kvno", "-S", service, name)
			require.NoError(t, err, out)
		}
	}
	_, err := mit("", "kvno", "-S", "host", "nobody.away.test")
	require.Error(t, err)
}

// The embedded KDC's constrained delegation, as MIT's client sees it.
func TestEmbeddedS4U(t *testing.T) {
	web, staff := testenv.NewKDC(&testenv.Options{Realm: "WEB.TEST"}), testenv.NewKDC(&testenv.Options{Realm: "STAFF.TEST"})
	t.Cleanup(web.Close)
	t.Cleanup(staff.Close)
	web.Trust(staff)
	web.AddUser("alice", "pw")
	staff.AddUser("carol", "pw")
	web.AddService("HTTP/www.web.test")
	web.AddService("sql/db.web.test")
	staff.AddService("sql/db.staff.test")
	dir := t.TempDir()
	require.NoError(t, web.WriteFiles(dir))
	keytab := filepath.Join(dir, "krb5.keytab")
	mit := func(program string, args ...string) error {
		_, err := realm.RunEnv([]string{
			"KRB5_CONFIG=" + filepath.Join(dir, "krb5.conf"),
			"KRB5CCNAME=FILE:" + filepath.Join(dir, "ccache"),
			"KRB5_KTNAME=FILE:" + keytab,
		}, "", program, args...)
		return err
	}
	login := func(t *testing.T) {
		require.NoError(t, mit("kinit", "-f", "-k", "HTTP/www.web.test"))
	}
	t.Run("S4U2Self", func(t *testing.T) {
		login(t)
		require.NoError(t, mit("kvno", "-k", keytab, "-U", "alice", "HTTP/www.web.test"))
		require.Error(t, mit("kvno", "-k", keytab, "-U", "nobody", "HTTP/www.web.test"))
	})
	t.Run("S4U2Proxy", func(t *testing.T) {
		login(t)
		proxy := []string{"-k", keytab, "-U", "alice", "-P", "sql/db.web.test"}
		require.Error(t, mit("kvno", proxy...))
		web.AllowDelegation("HTTP/www.web.test", "sql/db.web.test")
		require.Error(t, mit("kvno", proxy...))
		web.ProtocolTransition("HTTP/www.web.test", true)
		login(t)
		require.NoError(t, mit("kvno", proxy...))
	})
	t.Run("resource-based", func(t *testing.T) {
		web.AllowDelegation("HTTP/www.web.test")
		web.ProtocolTransition("HTTP/www.web.test", false)
		web.AllowDelegationFrom("sql/db.web.test", "HTTP/www.web.test")
		login(t)
		require.NoError(t, mit("kvno", "-k", keytab, "-U", "alice", "-P", "sql/db.web.test"))
	})
	t.Run("S4U2Self across realms", func(t *testing.T) {
		login(t)
		require.NoError(t, mit("kvno", "-k", keytab, "-U", "carol@STAFF.TEST", "HTTP/www.web.test"))
	})
	t.Run("S4U2Proxy across realms", func(t *testing.T) {
		staff.AllowDelegationFrom("sql/db.staff.test")
		login(t)
		proxy := []string{"-U", "alice", "-P", "-S", "sql", "db.staff.test"}
		require.Error(t, mit("kvno", proxy...))
		staff.AllowDelegationFrom("sql/db.staff.test", "HTTP/www.web.test@WEB.TEST")
		login(t)
		require.NoError(t, mit("kvno", proxy...))
	})
	t.Run("user to user", func(t *testing.T) {
		login(t)
		mine := filepath.Join(dir, "alice")
		_, err := realm.RunEnv([]string{"KRB5_CONFIG=" + filepath.Join(dir, "krb5.conf"), "KRB5CCNAME=FILE:" + mine}, "pw\n", "kinit", "alice")
		require.NoError(t, err)
		require.NoError(t, mit("kvno", "--u2u", "FILE:"+mine, "alice"))
	})
}
