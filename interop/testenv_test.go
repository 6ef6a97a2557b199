package interop

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/testenv"
)

// embedded starts the embedded KDC and returns how to run MIT's programs in it.
func embedded(t *testing.T, o *testenv.Options) (k *testenv.KDC, dir string, mit func(input, program string, args ...string) (string, error)) {
	t.Helper()
	k = testenv.NewKDC(o)
	t.Cleanup(k.Close)
	k.AddUser("bob", "bob's password")
	k.AddService("host/server.example.test")
	dir = t.TempDir()
	require.NoError(t, k.WriteFiles(dir))
	env := []string{
		"KRB5_CONFIG=" + filepath.Join(dir, "krb5.conf"),
		"KRB5CCNAME=FILE:" + filepath.Join(dir, "ccache"),
		"KRB5_KTNAME=FILE:" + filepath.Join(dir, "krb5.keytab"),
		"KRB5_CLIENT_KTNAME=FILE:" + filepath.Join(dir, "client.keytab"),
	}
	return k, dir, func(input, program string, args ...string) (string, error) {
		return realm.RunEnv(env, input, program, args...)
	}
}

const embeddedService = "host/server.example.test"

func TestEmbeddedKDC(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  testenv.Options
	}{
		{"default", testenv.Options{}},
		{"no preauthentication", testenv.Options{NoPreauth: true}},
		{"over TCP", testenv.Options{UDPLimit: -1}},
		{"other iteration count", testenv.Options{Iterations: 40_000}},
		{enctypes[0].short, testenv.Options{Enctypes: []int32{17}}},
		{enctypes[1].short, testenv.Options{Enctypes: []int32{18}}},
		{enctypes[2].short, testenv.Options{Enctypes: []int32{19}}},
		{enctypes[3].short, testenv.Options{Enctypes: []int32{20}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, dir, mit := embedded(t, &tt.opt)
			_, err := mit("bob's password\n", "kinit", "bob")
			require.NoError(t, err)
			// kvno also decrypts the ticket with the service's key.
			out, err := mit("", "kvno", "-k", filepath.Join(dir, "krb5.keytab"), embeddedService)
			require.NoError(t, err)
			require.Contains(t, out, "keytab entry valid")
			out, err = mit("", "klist", "-e")
			require.NoError(t, err)
			require.Contains(t, out, "Default principal: bob@"+k.Realm())
			require.Contains(t, out, embeddedService+"@"+k.Realm())
			for _, e := range enctypes {
				if tt.name == e.short {
					require.Contains(t, out, "Etype (skey, tkt): "+e.long+", "+e.long)
				}
			}
		})
	}
}

func TestEmbeddedKDCKeytab(t *testing.T) {
	_, dir, mit := embedded(t, nil)
	_, err := mit("", "kinit", "-k", "-t", filepath.Join(dir, "client.keytab"), "bob")
	require.NoError(t, err)
	_, err = mit("", "kvno", embeddedService)
	require.NoError(t, err)
	out, err := mit("", "klist", "-k", "-e", filepath.Join(dir, "krb5.keytab"))
	require.NoError(t, err)
	for _, e := range enctypes {
		require.Contains(t, out, e.long)
	}
}

func TestEmbeddedKDCSalt(t *testing.T) {
	k, _, mit := embedded(t, nil)
	k.AddUserSalt("carol", "carol's password", "a salt that is not the default")
	_, err := mit("carol's password\n", "kinit", "carol")
	require.NoError(t, err)
}

func TestEmbeddedKDCRenew(t *testing.T) {
	_, _, mit := embedded(t, nil)
	_, err := mit("bob's password\n", "kinit", "-r", "2d", "bob")
	require.NoError(t, err)
	_, err = mit("", "kinit", "-R")
	require.NoError(t, err)
	out, err := mit("", "klist")
	require.NoError(t, err)
	require.Contains(t, out, "renew until")
}

func TestEmbeddedKDCRefuses(t *testing.T) {
	k, _, mit := embedded(t, nil)
	_, err := mit("wrong\n", "kinit", "bob")
	require.ErrorContains(t, err, "Password incorrect")
	_, err = mit("x\n", "kinit", "nobody")
	require.ErrorContains(t, err, "not found in Kerberos database")
	_, err = mit("bob's password\n", "kinit", "bob")
	require.NoError(t, err)
	_, err = mit("", "kvno", "host/unknown.example.test")
	require.ErrorContains(t, err, "not found in Kerberos database")
	k.Fail(18) // KDC_ERR_CLIENT_REVOKED
	_, err = mit("bob's password\n", "kinit", "bob")
	require.ErrorContains(t, err, "revoked")
	k.Fail(0)
	k.Skew(time.Hour)
	_, err = mit("", "kvno", "host/skewed.example.test")
	require.Error(t, err)
}
