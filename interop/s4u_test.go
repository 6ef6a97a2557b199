package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// site is a realm of a test's own.
type site struct{ *mitkdc.Realm }

// newSite starts a realm. Its KDC ends with the test.
func newSite(t *testing.T, name string, o *mitkdc.Options, principals ...mitkdc.Principal) *site {
	t.Helper()
	r, err := mitkdc.StartWith(t.TempDir(), name, principals, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			log := r.Log()
			t.Logf("KDC of %s:\n%s", name, log[max(0, len(log)-2000):])
		}
		r.Close()
	})
	return &site{r}
}

// engine returns a registry with our engine in the site.
func (s *site) engine(t *testing.T) (*mech.Registry, *krb5.Mechanism) {
	t.Helper()
	m := krb5.New(&krb5.Config{
		ConfigPath: s.File("krb5.conf"),
		CCache:     "FILE:/nonexistent/ccache",
		Keytab:     "FILE:" + s.File("services.keytab"),
		Getenv:     func(string) string { return "" },
	})
	r, err := mech.NewRegistry(m)
	require.NoError(t, err)
	return r, m
}

// environ is what leads an MIT program to a cache, and to the services' keys.
func (s *site) environ(ccache string) []string {
	return []string{"KRB5CCNAME=FILE:" + ccache, "KRB5_KTNAME=FILE:" + s.File("services.keytab")}
}

// service logs a service in with its keys: MIT's kinit, and our credential of
// that cache, for both uses.
func (s *site) service(t *testing.T, r *mech.Registry, name string) (cc string, cred *gssapi.Cred) {
	t.Helper()
	cc = filepath.Join(t.TempDir(), "service")
	_, err := s.RunEnv(s.environ(cc), "", "kinit", "-f", "-k", "-t", s.File("services.keytab"), name)
	require.NoError(t, err)
	cred, err = gssapi.AcquireCred(testContext(t), gssapi.Principal(name), gssapi.UsageBoth, &gssapi.CredOptions{
		Registry: r, Store: gssapi.Store{"ccache": "FILE:" + cc},
	})
	require.NoError(t, err)
	return cc, cred
}

// user logs a user in with a password, ours and MIT's way.
func (s *site) user(t *testing.T, r *mech.Registry, name string) (cc string, cred *gssapi.Cred) {
	t.Helper()
	cc = filepath.Join(t.TempDir(), "user")
	_, err := s.RunEnv(s.environ(cc), password(name)+"\n", "kinit", "-f", name)
	require.NoError(t, err)
	return cc, s.cache(t, r, cc)
}

func (s *site) cache(t *testing.T, r *mech.Registry, cc string) *gssapi.Cred {
	t.Helper()
	c, err := gssapi.AcquireCred(testContext(t), gssapi.Name{}, gssapi.UsageInitiate,
		&gssapi.CredOptions{Registry: r, Store: gssapi.Store{"ccache": "FILE:" + cc}})
	require.NoError(t, err)
	return c
}

// reach establishes a context of ours with a service of MIT's library in this
// site, and returns whom that has accepted.
func (s *site) reach(t *testing.T, c *gssapi.Cred, service string) (string, error) {
	t.Helper()
	host, _, _ := strings.Cut(service, "/")
	_, name, _ := strings.Cut(service, "/")
	i, err := gssapi.InitContext(gssapi.HostBased(host, name), &gssapi.InitOptions{Cred: c})
	require.NoError(t, err)
	defer i.Close()
	ctx := testContext(t)
	first, _, err := i.Step(ctx, nil)
	if err != nil {
		return "", err
	}
	p := s.peer(t, "/nonexistent/ccache", "accept", "service="+host+"@"+name)
	require.NoError(t, p.send(first))
	answer, err := p.recv()
	require.NoError(t, err)
	_, more, err := i.Step(ctx, answer)
	require.NoError(t, err)
	require.False(t, more)
	said, err := p.established()
	require.NoError(t, err)
	return said.initiator, nil
}

// peer starts a gsspeer in the site.
func (s *site) peer(t *testing.T, cc, role string, args ...string) *peer {
	t.Helper()
	return startPeer(t, append(s.environ(cc), "KRB5_CONFIG="+s.File("krb5.conf")), role, args...)
}

func (s *site) store(t *testing.T, c *gssapi.Cred) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stored")
	_, err := c.StoreInto(testContext(t), &gssapi.StoreOptions{Usage: gssapi.UsageInitiate, Store: gssapi.Store{"ccache": "FILE:" + file}})
	require.NoError(t, err)
	return file
}

const s4uRealm = "LDAP.TEST"

func s4uSite(t *testing.T) *site {
	return newSite(t, s4uRealm, &mitkdc.Options{Directory: true},
		mitkdc.Principal{Name: "alice", Password: password("alice"), Aliases: []string{"ally"}},
		mitkdc.Principal{Name: "front/localhost", Keytab: "services.keytab", OKToAuth: true, DelegateTo: []string{"back/localhost"}},
		mitkdc.Principal{Name: "plain/localhost", Keytab: "services.keytab", DelegateTo: []string{"back/localhost"}},
		mitkdc.Principal{Name: "back/localhost", Keytab: "services.keytab"},
		mitkdc.Principal{Name: "gss/localhost", Keytab: "services.keytab", Aliases: []string{"alias/localhost"}},
	)
}

func impersonator(t *testing.T, c *gssapi.Cred) string {
	t.Helper()
	answer, err := c.Inquire(oid.Krb5CredImpersonator)
	require.NoError(t, err)
	if len(answer) == 0 {
		return ""
	}
	return string(answer[0])
}

// Constrained delegation at MIT's KDC: what its own programs get, we get.
func TestS4U(t *testing.T) {
	const alice = "alice@" + s4uRealm
	s := s4uSite(t)
	r, _ := s.engine(t)
	impersonate := func(t *testing.T, by *gssapi.Cred, user gssapi.Name) *gssapi.Cred {
		t.Helper()
		c, err := gssapi.AcquireCred(testContext(t), user, gssapi.UsageInitiate, &gssapi.CredOptions{Impersonator: by})
		require.NoError(t, err)
		return c
	}
	kvno := func(t *testing.T, service string, args ...string) error {
		t.Helper()
		cc, _ := s.service(t, r, service)
		_, err := s.RunEnv(s.environ(cc), "", "kvno", append([]string{"-U", "alice", "-k", s.File("services.keytab")}, args...)...)
		return err
	}
	t.Run("S4U2Self", func(t *testing.T) {
		require.NoError(t, kvno(t, "front/localhost", "front/localhost"))
		_, front := s.service(t, r, "front/localhost")
		c := impersonate(t, front, gssapi.User("alice"))
		info, err := c.Info(testContext(t))
		require.NoError(t, err)
		require.Equal(t, alice, info.Name.String())
		require.Equal(t, "front/localhost@"+s4uRealm, impersonator(t, c))
		who, err := s.reach(t, c, "front/localhost")
		require.NoError(t, err)
		require.Equal(t, alice, who)
	})
	t.Run("S4U2Self of nobody", func(t *testing.T) {
		_, front := s.service(t, r, "front/localhost")
		_, err := gssapi.AcquireCred(testContext(t), gssapi.User("nobody"), gssapi.UsageInitiate, &gssapi.CredOptions{Impersonator: front})
		require.ErrorIs(t, err, krb5.ErrClientUnknown)
	})
	t.Run("S4U2Proxy", func(t *testing.T) {
		require.NoError(t, kvno(t, "front/localhost", "-P", "back/localhost"))
		_, front := s.service(t, r, "front/localhost")
		c := impersonate(t, front, gssapi.User("alice"))
		who, err := s.reach(t, c, "back/localhost")
		require.NoError(t, err)
		require.Equal(t, alice, who)
	})
	t.Run("S4U2Proxy to a service not listed", func(t *testing.T) {
		require.Error(t, kvno(t, "front/localhost", "-P", "gss/localhost"))
		_, front := s.service(t, r, "front/localhost")
		_, err := s.reach(t, impersonate(t, front, gssapi.User("alice")), "gss/localhost")
		require.ErrorIs(t, err, krb5.ErrBadOption)
		require.ErrorIs(t, err, gssapi.ErrUnauthorized)
	})
	t.Run("S4U2Proxy without protocol transition", func(t *testing.T) {
		require.Error(t, kvno(t, "plain/localhost", "-P", "back/localhost"))
		_, plain := s.service(t, r, "plain/localhost")
		_, err := s.reach(t, impersonate(t, plain, gssapi.User("alice")), "back/localhost")
		require.ErrorIs(t, err, krb5.ErrBadOption)
	})
	t.Run("stored, used by MIT", func(t *testing.T) {
		_, front := s.service(t, r, "front/localhost")
		file := s.store(t, impersonate(t, front, gssapi.User("alice")))
		p := s.peer(t, file, "initiate", "service=back@localhost")
		a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: s.acceptor(t, r, "back/localhost")})
		require.NoError(t, err)
		defer a.Close()
		require.NoError(t, gssapi.Exchange(testContext(t), a, p.send, p.recv))
		require.Equal(t, alice, a.Peer().String())
	})
	for _, service := range []string{"front/localhost", "plain/localhost"} {
		name, _, _ := strings.Cut(service, "/")
		t.Run("our acceptor acts: "+name, func(t *testing.T) {
			cc, _ := s.user(t, r, "alice")
			p := s.peer(t, cc, "initiate", "service="+name+"@localhost")
			_, cred := s.service(t, r, service)
			a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: cred})
			require.NoError(t, err)
			defer a.Close()
			require.NoError(t, gssapi.Exchange(testContext(t), a, p.send, p.recv))
			require.Equal(t, service+"@"+s4uRealm, impersonator(t, a.Delegated()))
			who, err := s.reach(t, a.Delegated(), "back/localhost")
			require.NoError(t, err)
			require.Equal(t, alice, who)
		})
		t.Run("MIT's acceptor acts, we use it: "+name, func(t *testing.T) {
			cc, _ := s.service(t, r, service)
			_, cred := s.user(t, r, "alice")
			file := filepath.Join(t.TempDir(), "proxy")
			p := s.peer(t, cc, "accept", "service="+name+"@localhost", "usage=both", "store=FILE:"+file)
			i, err := gssapi.InitContext(gssapi.HostBased(name, "localhost"), &gssapi.InitOptions{Cred: cred})
			require.NoError(t, err)
			defer i.Close()
			require.NoError(t, gssapi.Exchange(testContext(t), i, p.send, p.recv))
			said, err := p.established()
			require.NoError(t, err)
			require.True(t, gssapi.Flags(said.flags).Has(gssapi.FlagDeleg))
			c := s.cache(t, r, file)
			require.Equal(t, service+"@"+s4uRealm, impersonator(t, c))
			who, err := s.reach(t, c, "back/localhost")
			require.NoError(t, err)
			require.Equal(t, alice, who)
		})
	}
	t.Run("alias of a user", func(t *testing.T) {
		conf, err := os.ReadFile(s.File("krb5.conf"))
		require.NoError(t, err)
		m := krb5.New(&krb5.Config{
			ConfigText: string(conf) + "[libdefaults]\n    canonicalize = true\n",
			CCache:     "FILE:/nonexistent/ccache", Getenv: func(string) string { return "" },
		})
		elem, err := m.Login(testContext(t), "ally", withPassword("alice"))
		require.NoError(t, err)
		info, err := elem.Info(testContext(t))
		require.NoError(t, err)
		name, _ := info.Name.Display()
		require.Equal(t, alice, name)
	})
	t.Run("alias of a service", func(t *testing.T) {
		_, cred := s.user(t, r, "alice")
		i, err := gssapi.InitContext(gssapi.HostBased("alias", "localhost"), &gssapi.InitOptions{Cred: cred})
		require.NoError(t, err)
		defer i.Close()
		p := s.peer(t, "/nonexistent/ccache", "accept", "service=gss@localhost")
		require.NoError(t, gssapi.Exchange(testContext(t), i, p.send, p.recv))
		require.Equal(t, "alias/localhost@"+s4uRealm, i.Peer().String())
	})
}

// acceptor returns our credential for one service of the site.
func (s *site) acceptor(t *testing.T, r *mech.Registry, service string) *gssapi.Cred {
	t.Helper()
	c, err := gssapi.AcquireCred(testContext(t), gssapi.Principal(service), gssapi.UsageAccept, &gssapi.CredOptions{Registry: r})
	require.NoError(t, err)
	return c
}
