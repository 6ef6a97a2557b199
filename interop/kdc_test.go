package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
)

// withPassword are the options of a login with the user's password.
func withPassword(user string) *krb5.LoginOptions {
	return &krb5.LoginOptions{Password: func() []byte { return []byte(password(user)) }}
}

// credential makes what Login returned a credential of the registry.
func credential(t *testing.T, r *mech.Registry, elem mech.Cred) *gssapi.Cred {
	t.Helper()
	c, err := gssapi.NewCred(r, elem)
	require.NoError(t, err)
	return c
}

// inquire checks whose credential it is and that it has most of its life left.
func inquire(t *testing.T, c *gssapi.Cred, user string) {
	t.Helper()
	i, err := c.Info(testContext(t))
	require.NoError(t, err)
	require.Equal(t, user+"@"+realmName, i.Name.String())
	left := time.Until(i.InitiateExpires)
	require.True(t, left > 9*time.Hour && left <= 10*time.Hour, "%v left", left)
}

// talk establishes a context of ours with ourselves for the service, with a
// ticket that the KDC has to issue, and sends a message through it.
func talk(t *testing.T, r *mech.Registry, c *gssapi.Cred, user, service string) {
	t.Helper()
	ctx := testContext(t)
	i, err := gssapi.InitContext(gssapi.HostBased(service, "localhost"), &gssapi.InitOptions{Cred: c})
	require.NoError(t, err)
	defer i.Close()
	a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, service)})
	require.NoError(t, err)
	defer a.Close()
	toAcceptor, more, err := i.Step(ctx, nil)
	require.NoError(t, err)
	require.True(t, more)
	toInitiator, more, err := a.Step(ctx, toAcceptor)
	require.NoError(t, err)
	require.False(t, more)
	_, more, err = i.Step(ctx, toInitiator)
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, user+"@"+realmName, a.Peer().String())
	token, err := i.Wrap(nil, []byte("message"), nil)
	require.NoError(t, err)
	got, _, err := a.Unwrap(nil, token)
	require.NoError(t, err)
	require.Equal(t, "message", string(got))
}

// keep stores a credential in a file and returns what klist says of it.
func keep(t *testing.T, c *gssapi.Cred) (file, klist string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "ccache")
	_, err := c.StoreInto(testContext(t), &gssapi.StoreOptions{
		Usage: gssapi.UsageInitiate, Store: gssapi.Store{"ccache": "FILE:" + file},
	})
	require.NoError(t, err)
	klist, err = realm.RunEnv(environ("krb5.conf", file), "", "klist", "-e", "-f")
	require.NoError(t, err)
	return file, klist
}

func TestLogin(t *testing.T) {
	kt, err := keytab.Load("FILE:" + realm.File("users.keytab"))
	require.NoError(t, err)
	for _, e := range enctypes {
		for _, how := range []struct {
			name string
			opt  *krb5.LoginOptions
		}{
			{"password", withPassword(e.short)},
			{"keytab", &krb5.LoginOptions{Keytab: kt}},
		} {
			t.Run(e.short+"/"+how.name, func(t *testing.T) {
				r, m := engine(t, e.short+".conf", "/nonexistent/ccache")
				elem, err := m.Login(testContext(t), e.short, how.opt)
				require.NoError(t, err)
				c := credential(t, r, elem)
				inquire(t, c, e.short)
				talk(t, r, c, e.short, e.short)
				_, klist := keep(t, c)
				require.Contains(t, klist, "Default principal: "+e.short+"@"+realmName)
				require.Contains(t, klist, "krbtgt/"+realmName+"@"+realmName)
				require.Contains(t, klist, "Etype (skey, tkt): "+e.long)
			})
		}
	}
}

// A client that permits every enctype logs users in that have keys of one only.
func TestLoginAnyEnctype(t *testing.T) {
	r, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	for _, user := range []string{"alice", "nopreauth", "aes128-sha1", "aes256-sha1", "aes128-sha2", "aes256-sha2"} {
		elem, err := m.Login(testContext(t), user, withPassword(user))
		require.NoError(t, err)
		c := credential(t, r, elem)
		inquire(t, c, user)
		for _, service := range []string{"host", "aes128-sha1", "aes256-sha1", "aes128-sha2", "aes256-sha2"} {
			talk(t, r, c, user, service)
		}
	}
}

func TestLoginOverTCP(t *testing.T) {
	text, err := os.ReadFile(realm.File("krb5.conf"))
	require.NoError(t, err)
	conf := "tcp.conf"
	tcp := strings.Replace(string(text), "[libdefaults]", "[libdefaults]\n    udp_preference_limit = 1", 1)
	require.NoError(t, os.WriteFile(realm.File(conf), []byte(tcp), 0o600))
	r, m := engine(t, conf, "/nonexistent/ccache")
	elem, err := m.Login(testContext(t), "alice", withPassword("alice"))
	require.NoError(t, err)
	talk(t, r, credential(t, r, elem), "alice", "host")
}

func TestLoginOptions(t *testing.T) {
	r, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	o := withPassword("alice")
	o.Lifetime, o.Renewable, o.Forwardable, o.Proxiable = time.Hour, 48*time.Hour, true, true
	elem, err := m.Login(testContext(t), "alice", o)
	require.NoError(t, err)
	c := credential(t, r, elem)
	i, err := c.Info(testContext(t))
	require.NoError(t, err)
	require.InDelta(t, time.Hour.Seconds(), time.Until(i.InitiateExpires).Seconds(), 60)
	_, klist := keep(t, c)
	require.Contains(t, klist, "renew until")
	require.Regexp(t, "Flags: F[^\n]*P[^\n]*R", klist)
}

func TestLoginRefused(t *testing.T) {
	_, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	for _, tt := range []struct {
		name, user, password string
		want                 error
	}{
		{"wrong password", "alice", "wrong", krb5.ErrPreauthFailed},
		{"wrong password without preauthentication", "nopreauth", "wrong", nil},
		{"unknown user", "nobody", "x", krb5.ErrClientUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := m.Login(testContext(t), tt.user, &krb5.LoginOptions{Password: func() []byte { return []byte(tt.password) }})
			require.ErrorIs(t, err, gssapi.ErrNoCred)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
		})
	}
}

func TestAcquireCred(t *testing.T) {
	r, _ := engine(t, "krb5.conf", "/nonexistent/ccache")
	for _, tt := range []struct {
		name string
		opt  gssapi.CredOptions
	}{
		{"password", gssapi.CredOptions{Password: gssapi.Password([]byte(password("aes256-sha2")))}},
		{"client keytab", gssapi.CredOptions{Store: gssapi.Store{"client_keytab": "FILE:" + realm.File("users.keytab")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.opt.Registry = r
			c, err := gssapi.AcquireCred(testContext(t), gssapi.User("aes256-sha2"), gssapi.UsageInitiate, &tt.opt)
			require.NoError(t, err)
			inquire(t, c, "aes256-sha2")
			talk(t, r, c, "aes256-sha2", "host")
		})
	}
}

func TestUnknownService(t *testing.T) {
	r, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	elem, err := m.Login(testContext(t), "alice", withPassword("alice"))
	require.NoError(t, err)
	i, err := gssapi.InitContext(gssapi.HostBased("unknown", "localhost"), &gssapi.InitOptions{Cred: credential(t, r, elem)})
	require.NoError(t, err)
	defer i.Close()
	_, _, err = i.Step(testContext(t), nil)
	require.ErrorIs(t, err, krb5.ErrServerUnknown)
}
