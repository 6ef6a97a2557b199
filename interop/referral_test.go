package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

// twoRealms are two sites that trust each other. The KDC of the first knows that
// .second.test is the other's; clients do not.
func twoRealms(t *testing.T) (first, second *site) {
	t.Helper()
	first = newSite(t, "FIRST.TEST", &mitkdc.Options{Hosts: map[string]string{".second.test": "SECOND.TEST"}},
		mitkdc.Principal{Name: "alice", Password: password("alice")},
		mitkdc.Principal{Name: "host/www.first.test", Keytab: "services.keytab"})
	second = newSite(t, "SECOND.TEST", &mitkdc.Options{Hosts: map[string]string{".first.test": "FIRST.TEST"}},
		mitkdc.Principal{Name: "bob", Password: password("bob")},
		mitkdc.Principal{Name: "host/www.second.test", Keytab: "services.keytab"},
		mitkdc.Principal{Name: "host/ftp.second.test", Keytab: "services.keytab"})
	require.NoError(t, mitkdc.Trust(first.Realm, second.Realm))
	return first, second
}

// Services of another realm, found by the KDC's referral and by the
// configuration, with the tickets of kinit; kvno finds the same.
func TestTwoRealms(t *testing.T) {
	first, second := twoRealms(t)
	const service = "host/www.second.test"
	known, err := os.ReadFile(first.File("krb5.conf"))
	require.NoError(t, err)
	for name, config := range map[string]string{
		"referral":      string(known),
		"configuration": strings.Replace(string(known), "[domain_realm]", "[domain_realm]\n    .second.test = SECOND.TEST", 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(first.File("krb5.conf"), []byte(config), 0o600))
			r, _ := first.engine(t)
			cc, cred := first.user(t, r, "alice")
			who, err := second.reach(t, cred, service)
			require.NoError(t, err)
			require.Equal(t, "alice@FIRST.TEST", who)

			// What we have put into the cache, kvno finds there.
			before := len(first.Log())
			klist, err := first.RunEnv(first.environ(cc), "", "klist")
			require.NoError(t, err)
			require.Contains(t, klist, "krbtgt/SECOND.TEST@FIRST.TEST")
			require.Contains(t, klist, service+"@SECOND.TEST")
			_, err = first.RunEnv(first.environ(cc), "", "kvno", service+"@SECOND.TEST")
			require.NoError(t, err)
			require.Len(t, first.Log(), before)

			// And we use what kvno has got.
			cc, cred = first.user(t, r, "alice")
			_, err = first.RunEnv(first.environ(cc), "", "kvno", service+"@SECOND.TEST")
			require.NoError(t, err)
			requests := len(second.Log())
			_, err = second.reach(t, cred, service)
			require.NoError(t, err)
			require.Len(t, second.Log(), requests)

			_, err = second.reach(t, cred, "host/nobody.second.test")
			require.ErrorIs(t, err, krb5.ErrServerUnknown)
		})
	}
}

// A user of one realm with a ticket-granting ticket that was delegated, and the
// other way: what MIT's library accepts from the other realm.
func TestTwoRealmsDelegate(t *testing.T) {
	first, second := twoRealms(t)
	r, _ := first.engine(t)
	_, cred := first.user(t, r, "alice")
	file := filepath.Join(t.TempDir(), "delegated")
	p := second.peer(t, "/nonexistent/ccache", "accept", "service=host@www.second.test", "store=FILE:"+file)
	i, err := gssapi.InitContext(gssapi.HostBased("host", "www.second.test"), &gssapi.InitOptions{Cred: cred, Flags: gssapi.FlagDeleg, Require: gssapi.FlagDeleg})
	require.NoError(t, err)
	defer i.Close()
	require.NoError(t, gssapi.Exchange(testContext(t), i, p.send, p.recv))
	_, err = p.established()
	require.NoError(t, err)
	_, err = second.RunEnv(second.environ(file), "", "kvno", "host/ftp.second.test")
	require.NoError(t, err)
	who, err := first.reach(t, first.cache(t, r, file), "host/www.first.test")
	require.NoError(t, err)
	require.Equal(t, "alice@FIRST.TEST", who)

	// We accept a client of the other realm.
	cc, _ := second.user(t, r, "bob")
	p = second.peer(t, cc, "initiate", "service=host@www.first.test")
	a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: first.acceptor(t, r, "host/www.first.test")})
	require.NoError(t, err)
	defer a.Close()
	require.NoError(t, gssapi.Exchange(testContext(t), a, p.send, p.recv))
	require.Equal(t, "bob@SECOND.TEST", a.Peer().String())
}

// Tickets with a life of their own: renewed by us and by kinit, and validated.
func TestRenewAndValidate(t *testing.T) {
	r, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	o := withPassword("alice")
	o.Lifetime, o.Renewable = time.Hour, 24*time.Hour
	elem, err := m.Login(testContext(t), "alice", o)
	require.NoError(t, err)
	time.Sleep(1100 * time.Millisecond) // the end is in seconds
	renewed, err := m.Renew(testContext(t), elem)
	require.NoError(t, err)
	was, err := elem.Info(testContext(t))
	require.NoError(t, err)
	is, err := renewed.Info(testContext(t))
	require.NoError(t, err)
	require.True(t, is.InitiateExpires.After(was.InitiateExpires))
	c := credential(t, r, renewed)
	talk(t, r, c, "alice", "host")
	file, klist := keep(t, c)
	require.Contains(t, klist, "renew until")
	_, err = realm.RunEnv(environ("krb5.conf", file), "", "kinit", "-R")
	require.NoError(t, err)

	postdated := filepath.Join(t.TempDir(), "ccache")
	_, err = realm.RunEnv(environ("krb5.conf", postdated), password("alice")+"\n", "kinit", "-s", "1s", "alice")
	require.NoError(t, err)
	early := initiatorOf(t, r, postdated)
	raw, ok := early.Element(gssapi.Krb5, gssapi.UsageInitiate)
	require.True(t, ok)
	time.Sleep(2 * time.Second)
	valid, err := m.Validate(testContext(t), raw)
	require.NoError(t, err)
	talk(t, r, credential(t, r, valid), "alice", "host")
	_, err = m.Validate(testContext(t), valid)
	require.ErrorIs(t, err, krb5.ErrBadOption)
}

// A service of one realm cannot act for a user of the other here: it takes a KDC
// that knows the service by an enterprise name, which MIT's own databases do not.
// kvno is told so, and so are we. That it works otherwise is tested with the
// embedded KDC.
func TestTwoRealmsImpersonate(t *testing.T) {
	first, _ := twoRealms(t)
	r, _ := first.engine(t)
	const service = "host/www.first.test"
	cc, cred := first.service(t, r, service)
	_, err := first.RunEnv(first.environ(cc), "", "kvno", "-k", first.File("services.keytab"), "-I", "bob@SECOND.TEST", service)
	require.ErrorContains(t, err, "not found in Kerberos database")
	_, err = gssapi.AcquireCred(testContext(t), gssapi.Principal("bob@SECOND.TEST"), gssapi.UsageInitiate, &gssapi.CredOptions{Impersonator: cred})
	require.ErrorIs(t, err, krb5.ErrServerUnknown)
}

// Between two users, neither of whom has a keytab. MIT's KDC issues the ticket;
// libgssapi knows no user-to-user, so both sides are ours.
func TestUserToUser(t *testing.T) {
	r, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	login := func(user string) mech.Cred {
		c, err := m.Login(testContext(t), user, withPassword(user))
		require.NoError(t, err)
		return c
	}
	const bob = "aes256-sha1"
	acceptor, tgt, err := m.UserToUserAcceptor(testContext(t), login(bob))
	require.NoError(t, err)
	initiator, err := m.UserToUser(testContext(t), login("alice"), bob, tgt)
	require.NoError(t, err)
	i, err := gssapi.InitContext(gssapi.Principal(bob), &gssapi.InitOptions{Cred: credential(t, r, initiator)})
	require.NoError(t, err)
	defer i.Close()
	a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: credential(t, r, acceptor)})
	require.NoError(t, err)
	defer a.Close()
	token, _, err := i.Step(testContext(t), nil)
	require.NoError(t, err)
	token, _, err = a.Step(testContext(t), token)
	require.NoError(t, err)
	_, _, err = i.Step(testContext(t), token)
	require.NoError(t, err)
	require.Equal(t, "alice@"+realmName, a.Peer().String())
	require.Equal(t, bob+"@"+realmName, i.Peer().String())

	// It is of the kind that kvno --u2u gets.
	_, klist := keep(t, credential(t, r, initiator))
	require.Contains(t, klist, bob+"@"+realmName)
}
