package interop

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
)

// A service whose key was changed takes tickets under the old key and under the
// new one, as long as both are in its keytab.
func TestKeyRotation(t *testing.T) {
	newKey := func(keytab string) {
		t.Helper()
		out, err := realm.Run("ktadd -k "+realm.File(keytab)+" rotated/localhost\n", "kadmin.local", "-r", realmName)
		require.NoError(t, err)
		require.Contains(t, out, "Entry for principal rotated/localhost")
	}
	accept := func(cc, keytab string) error {
		t.Helper()
		r, _ := engine(t, "krb5.conf", cc)
		cred, err := gssapi.AcquireCred(testContext(t), gssapi.Name{}, gssapi.UsageAccept,
			&gssapi.CredOptions{Registry: r, Store: gssapi.Store{"keytab": "FILE:" + realm.File(keytab)}})
		require.NoError(t, err)
		p := startPeer(t, environ("krb5.conf", cc), "initiate", "service=rotated@localhost")
		c, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: cred})
		require.NoError(t, err)
		defer c.Close()
		return gssapi.Exchange(testContext(t), c, p.send, p.recv)
	}
	withTicket := func() string {
		cc := kinit(t, "krb5.conf", "alice")
		_, err := realm.RunEnv(environ("krb5.conf", cc), "", "kvno", "rotated/localhost")
		require.NoError(t, err)
		return cc
	}
	newKey("rotated.keytab") // key version 2: the principal was made with version 1
	before := withTicket()
	require.NoError(t, accept(before, "rotated.keytab"))
	newKey("rotated.keytab")
	after := withTicket()
	require.NoError(t, accept(before, "rotated.keytab"))
	require.NoError(t, accept(after, "rotated.keytab"))

	newKey("newest.keytab")
	require.Error(t, accept(after, "newest.keytab"))
	require.NoError(t, accept(withTicket(), "newest.keytab"))
}
