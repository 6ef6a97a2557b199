package krb5_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// chain returns KDCs of realms in a row, each of which trusts the next, and a
// mechanism that starts at the first.
func chain(t testing.TB, change func(*krb5.Config), realms ...string) ([]*testenv.KDC, *krb5.Mechanism) {
	t.Helper()
	var list []*testenv.KDC
	for i, r := range realms {
		k := newKDC(t, &testenv.Options{Realm: r})
		if list = append(list, k); i > 0 {
			list[i-1].Trust(k)
		}
	}
	c := inMemory(list[0])
	if change != nil {
		change(&c)
	}
	return list, krb5.New(&c)
}

func loginAt(t testing.TB, m *krb5.Mechanism, user string, typ oid.OID) mech.Cred {
	t.Helper()
	c, err := m.AcquireCred(ctx, mech.CredRequest{Name: importName(t, m, user, typ), Usage: mech.UsageInitiate, Password: secret})
	require.NoError(t, err)
	return c
}

// reach connects to a service of a KDC's realm and returns who was accepted.
func reach(t testing.TB, m *krb5.Mechanism, from mech.Cred, k *testenv.KDC, target string) (string, error) {
	t.Helper()
	i, err := m.Initiate(importName(t, m, target, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{from}, Flags: allFlags})
	require.NoError(t, err)
	other := k.Mechanism(nil)
	cred, err := other.KeytabCred(ctx, nil, parseKeytab(t, k.UserKeytab(target)))
	require.NoError(t, err)
	a, err := other.Accept(mech.AcceptRequest{Creds: []mech.Cred{cred}})
	require.NoError(t, err)
	if err := handshake(i, a); err != nil {
		return "", err
	}
	return peerOf(a), nil
}

// A service whose realm the configuration does not know is found by referrals,
// over as many realms as it takes, and found again without asking.
func TestServiceElsewhere(t *testing.T) {
	for n := 2; n <= 5; n++ {
		realms := []string{"A.TEST", "B.TEST", "C.TEST", "D.TEST", "E.TEST"}[:n]
		t.Run(strings.Join(realms, " "), func(t *testing.T) {
			var count *counter
			kdcs, m := chain(t, func(c *krb5.Config) {
				count = &counter{Exchanger: c.KDC}
				c.KDC = count
			}, realms...)
			last := kdcs[n-1]
			last.AddService("host@far.away.test")
			last.AddService("ftp@far.away.test")
			alice := loginAt(t, m, "alice", oid.NTUserName)
			before := count.count()
			who, err := reach(t, m, alice, last, "host@far.away.test")
			require.NoError(t, err)
			require.Equal(t, "alice@A.TEST", who)
			require.Equal(t, n, count.count()-before, "one request in each realm")

			before = count.count()
			_, err = reach(t, m, alice, last, "host@far.away.test")
			require.NoError(t, err)
			require.Zero(t, count.count()-before)

			_, err = m.Initiate(importName(t, m, "nobody@far.away.test", oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{alice}})
			require.NoError(t, err)
			i, _ := m.Initiate(importName(t, m, "nobody@far.away.test", oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{alice}})
			_, _, err = i.Step(ctx, nil)
			require.ErrorIs(t, err, krb5.ErrServerUnknown)
		})
	}
}

// A service whose realm is known is reached over the realms between, and their
// tickets are kept for the next one.
func TestServiceInRealm(t *testing.T) {
	var count *counter
	kdcs, m := chain(t, func(c *krb5.Config) {
		c.ConfigText += "\n[domain_realm]\n\t.c.test = C.TEST\n"
		count = &counter{Exchanger: c.KDC}
		c.KDC = count
	}, "A.TEST", "B.TEST", "C.TEST")
	kdcs[2].AddService("host@one.c.test")
	kdcs[2].AddService("host@two.c.test")
	alice := loginAt(t, m, "alice", oid.NTUserName)
	before := count.count()
	who, err := reach(t, m, alice, kdcs[2], "host@one.c.test")
	require.NoError(t, err)
	require.Equal(t, "alice@A.TEST", who)
	require.Equal(t, 3, count.count()-before)
	before = count.count()
	_, err = reach(t, m, alice, kdcs[2], "host@two.c.test")
	require.NoError(t, err)
	require.Equal(t, 2, count.count()-before, "the ticket-granting ticket of A for B is at hand")
}

// The realm of a host is in a TXT record, if the configuration wants to know.
func TestRealmFromDNS(t *testing.T) {
	asked := fakeDNS(t, map[string]string{"_kerberos.away.test": "C.TEST."})
	for _, lookup := range []bool{true, false} {
		var count *counter
		kdcs, m := chain(t, func(c *krb5.Config) {
			if lookup {
				c.ConfigText = strings.Replace(c.ConfigText, "dns_lookup_realm = false", "dns_lookup_realm = true", 1)
			}
			count = &counter{Exchanger: c.KDC}
			c.KDC = count
		}, "A.TEST", "B.TEST", "C.TEST")
		kdcs[2].AddService("host@far.away.test")
		alice := loginAt(t, m, "alice", oid.NTUserName)
		asked.Store(0)
		who, err := reach(t, m, alice, kdcs[2], "host@far.away.test")
		require.NoError(t, err)
		require.Equal(t, "alice@A.TEST", who)
		n, err := m.Canonicalize(ctx, importName(t, m, "host@far.away.test", oid.NTHostBased))
		require.NoError(t, err)
		text, _ := n.Display()
		if lookup {
			require.Equal(t, "host/far.away.test@C.TEST", text)
			require.NotZero(t, asked.Load())
		} else {
			require.Equal(t, "host/far.away.test@A.TEST", text, "the client's realm is the best guess")
			require.Zero(t, asked.Load())
		}
	}
}

// Users are found by enterprise names, in the realm that has them.
func TestEnterpriseLogin(t *testing.T) {
	kdcs, m := chain(t, nil, "A.TEST", "B.TEST", "C.TEST")
	kdcs[2].AddUser("carol", password)
	kdcs[2].Alias("carol.jones@corp.test", "carol")
	kdcs[0].AddService("host@here.a.test")
	for user, want := range map[string]string{
		"alice@A.TEST":          "alice@A.TEST",
		"carol@C.TEST":          "carol@C.TEST",
		"carol.jones@corp.test": "carol@C.TEST",
	} {
		t.Run(user, func(t *testing.T) {
			c := loginAt(t, m, user, oid.NTKrb5Enterprise)
			info, err := c.Info(ctx)
			require.NoError(t, err)
			text, _ := info.Name.Display()
			require.Equal(t, want, text)
			who, err := reach(t, m, c, kdcs[0], "host@here.a.test")
			require.NoError(t, err)
			require.Equal(t, want, who)
		})
	}
	_, err := m.AcquireCred(ctx, mech.CredRequest{Name: importName(t, m, "nobody@corp.test", oid.NTKrb5Enterprise), Usage: mech.UsageInitiate, Password: secret})
	require.ErrorIs(t, err, krb5.ErrClientUnknown)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
}

func TestAliases(t *testing.T) {
	k := newKDC(t, nil)
	k.AddService("HTTP/www.example.test")
	k.Alias("HTTP/intranet.example.test", "HTTP/www.example.test")
	k.Alias("ally", "alice")
	c := inMemory(k)
	m := krb5.New(&c)
	alice := loginAt(t, m, "alice", oid.NTUserName)
	i, err := m.Initiate(importName(t, m, "HTTP@intranet.example.test", oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{alice}, Flags: allFlags})
	require.NoError(t, err)
	cred, err := m.KeytabCred(ctx, nil, parseKeytab(t, k.UserKeytab("HTTP/www.example.test")))
	require.NoError(t, err)
	a, err := m.Accept(mech.AcceptRequest{Creds: []mech.Cred{cred}})
	require.NoError(t, err)
	establish(t, i, a)
	target, _ := i.Info().AcceptorName.Display()
	require.Equal(t, "HTTP/intranet.example.test@"+realm, target)

	c.ConfigText += "\n[libdefaults]\n\tcanonicalize = true\n"
	ally := loginAt(t, krb5.New(&c), "ally", oid.NTUserName)
	info, err := ally.Info(ctx)
	require.NoError(t, err)
	text, _ := info.Name.Display()
	require.Equal(t, "alice@"+realm, text)
}

// S4U across realms: the user of one realm, the service of another; and the
// back end in a third.
func TestImpersonateAcrossRealms(t *testing.T) {
	kdcs, m := chain(t, nil, "WEB.TEST", "HUB.TEST", "STAFF.TEST")
	web, staff := kdcs[0], kdcs[2]
	web.AddService("HTTP@www.web.test")
	staff.AddService("sql@db.staff.test")
	staff.AddUser("carol", password)
	kt := parseKeytab(t, web.UserKeytab("HTTP/www.web.test"))
	front, err := m.Login(ctx, "HTTP/www.web.test", &krb5.LoginOptions{Keytab: kt})
	require.NoError(t, err)
	for user, typ := range map[string]oid.OID{
		"carol@STAFF.TEST": oid.NTKrb5Principal,
		"carol@staff.test": oid.NTKrb5Enterprise,
	} {
		t.Run(user, func(t *testing.T) {
			p, err := front.(mech.Impersonator).Impersonate(ctx, importName(t, m, user, typ), mech.CredRequest{Usage: mech.UsageInitiate})
			require.NoError(t, err)
			who, err := reach(t, m, p, web, "HTTP@www.web.test")
			require.NoError(t, err)
			require.Equal(t, "carol@STAFF.TEST", who)

			staff.AllowDelegationFrom("sql@db.staff.test")
			_, err = reach(t, m, p, staff, "sql@db.staff.test")
			requireCode(t, err, gsserr.ErrUnauthorized, krb5.ErrBadOption)

			staff.AllowDelegationFrom("sql@db.staff.test", "HTTP/www.web.test@WEB.TEST")
			who, err = reach(t, m, p, staff, "sql@db.staff.test")
			require.NoError(t, err)
			require.Equal(t, "carol@STAFF.TEST", who)
		})
	}
	_, err = front.(mech.Impersonator).Impersonate(ctx, importName(t, m, "nobody@STAFF.TEST", oid.NTKrb5Principal), mech.CredRequest{Usage: mech.UsageInitiate})
	require.ErrorIs(t, err, krb5.ErrClientUnknown)
}
