package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/mech"
)

// forward logs a user in so that the ticket can be handed on, and returns the
// cache.
func forward(t *testing.T, user string, args ...string) string {
	t.Helper()
	cc := filepath.Join(t.TempDir(), "ccache")
	_, err := realm.RunEnv(environ("krb5.conf", cc), password(user)+"\n", "kinit", append([]string{"-f"}, append(args, user)...)...)
	require.NoError(t, err)
	return cc
}

// initiatorOf are the options of an initiator with the tickets of a cache.
func initiatorOf(t *testing.T, r *mech.Registry, cc string) *gssapi.Cred {
	t.Helper()
	c, err := gssapi.AcquireCred(testContext(t), gssapi.Name{}, gssapi.UsageInitiate,
		&gssapi.CredOptions{Registry: r, Store: gssapi.Store{"ccache": "FILE:" + cc}})
	require.NoError(t, err)
	return c
}

// What we delegate is used by programs on MIT's library, for every enctype.
func TestDelegateToMIT(t *testing.T) {
	for _, e := range enctypes {
		t.Run(e.short, func(t *testing.T) {
			conf := e.short + ".conf"
			r, _ := engine(t, conf, "/nonexistent/ccache")
			got := filepath.Join(t.TempDir(), "delegated")
			p := startPeer(t, environ(conf, "/nonexistent/ccache"), "accept", "service="+e.short+"@localhost", "store=FILE:"+got)
			i, err := gssapi.InitContext(gssapi.HostBased(e.short, "localhost"), &gssapi.InitOptions{
				Cred: initiatorOf(t, r, kinit(t, conf, "alice")), Flags: gssapi.FlagDeleg, Require: gssapi.FlagDeleg,
			})
			require.NoError(t, err)
			defer i.Close()
			require.NoError(t, gssapi.Exchange(testContext(t), i, p.send, p.recv))
			said, err := p.established()
			require.NoError(t, err)
			require.True(t, gssapi.Flags(said.flags).Has(gssapi.FlagDeleg))

			klist, err := realm.RunEnv(environ(conf, got), "", "klist", "-e", "-f")
			require.NoError(t, err)
			require.Contains(t, klist, "Default principal: alice@"+realmName)
			require.Contains(t, klist, "krbtgt/"+realmName+"@"+realmName)
			require.Regexp(t, "Flags: F[^\n]*f", klist) // forwardable, forwarded
			require.Contains(t, klist, "Etype (skey, tkt): "+e.long)

			server := startServer(t, "gss-server", conf, e.short+"-2")
			out, err := realm.RunEnv(environ(conf, got), "", "gss-client", "-port", server.port, "localhost", e.short+"-2@localhost", "hello")
			require.NoError(t, err)
			require.Contains(t, out, verified)
			server.since(t, 0, `"alice@`+realmName+`"`, 1)
		})
	}
}

// What MIT's library delegates is used by us, stored, and used by MIT again.
func TestDelegateFromMIT(t *testing.T) {
	for _, e := range enctypes {
		t.Run(e.short, func(t *testing.T) {
			conf := e.short + ".conf"
			r, _ := engine(t, conf, "/nonexistent/ccache")
			want := gssapi.DefaultFlags | gssapi.FlagDeleg
			p := startPeer(t, environ(conf, kinit(t, conf, "alice")), "initiate",
				"service="+e.short+"@localhost", fmt.Sprintf("flags=%x", uint32(want)))
			a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, e.short)})
			require.NoError(t, err)
			defer a.Close()
			require.NoError(t, gssapi.Exchange(testContext(t), a, p.send, p.recv))
			_, err = p.established()
			require.NoError(t, err)
			require.True(t, a.Info().Flags.Has(gssapi.FlagDeleg))

			d := a.Delegated()
			require.NotNil(t, d)
			inquire(t, d, "alice")
			talk(t, r, d, "alice", e.short+"-2")
			file, klist := keep(t, d)
			require.Contains(t, klist, "Default principal: alice@"+realmName)
			_, err = realm.RunEnv(environ(conf, file), "", "kvno", e.short+"/localhost")
			require.NoError(t, err)
		})
	}
}

// gss-client -d, and what happens when the ticket must not be forwarded.
func TestDelegateSamples(t *testing.T) {
	for _, side := range []struct{ name, client, server string }{
		{"MIT client, our server", "gss-client", programs.server},
		{"our client, MIT server", programs.client, "gss-server"},
	} {
		t.Run(side.name, func(t *testing.T) {
			server := startServer(t, side.server, "krb5.conf", "host")
			run := func(cc string) string {
				n := server.size()
				out, err := realm.RunEnv(environ("krb5.conf", cc), "", side.client, "-port", server.port, "-d", "localhost", "host@localhost", "hello")
				require.NoError(t, err)
				require.Contains(t, out, verified)
				return server.since(t, n, "hello", 1)
			}
			require.Contains(t, run(forward(t, "alice")), server.flag("deleg"))
			unforwardable := filepath.Join(t.TempDir(), "ccache")
			_, err := realm.RunEnv(environ("krb5.conf", unforwardable), password("alice")+"\n", "kinit", "-F", "alice")
			require.NoError(t, err)
			require.NotContains(t, run(unforwardable), server.flag("deleg"))
		})
	}
}

// The KDC's word on whom it trusts with a ticket decides, where we follow it.
func TestDelegatePolicy(t *testing.T) {
	cc := forward(t, "alice")
	for _, trusted := range []bool{false, true} {
		sign := "-"
		if trusted {
			sign = "+"
		}
		_, err := realm.Run("", "kadmin.local", "-r", realmName, "-q", "modprinc "+sign+"ok_as_delegate aes256-sha1/localhost")
		require.NoError(t, err)
		fresh := filepath.Join(t.TempDir(), "ccache") // without the other ticket
		b, err := os.ReadFile(cc)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(fresh, b, 0o600))
		r, _ := engine(t, "krb5.conf", "/nonexistent/ccache")
		i, err := gssapi.InitContext(gssapi.HostBased("aes256-sha1", "localhost"), &gssapi.InitOptions{
			Cred: initiatorOf(t, r, fresh), Flags: gssapi.FlagDelegPolicy,
		})
		require.NoError(t, err)
		p := startPeer(t, environ("krb5.conf", "/nonexistent/ccache"), "accept", "service=aes256-sha1@localhost")
		require.NoError(t, gssapi.Exchange(testContext(t), i, p.send, p.recv))
		said, err := p.established()
		require.NoError(t, err)
		require.Equal(t, trusted, gssapi.Flags(said.flags).Has(gssapi.FlagDeleg))
		require.Equal(t, trusted, i.Info().Flags.Has(gssapi.FlagDelegPolicy|gssapi.FlagDeleg))
		require.NoError(t, i.Close())
	}
}
