package interop

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
)

// kinit's tickets are used by us, with and without a service ticket among them,
// and what we add to the file is read by MIT's programs.
func TestCacheOfKinit(t *testing.T) {
	for _, e := range enctypes {
		t.Run(e.short, func(t *testing.T) {
			conf := e.short + ".conf"
			cc := kinit(t, conf, "alice")
			configured, err := realm.RunEnv(environ(conf, cc), "", "klist", "-C")
			require.NoError(t, err)
			r, _ := engine(t, conf, cc)
			c, err := gssapi.AcquireCred(testContext(t), gssapi.Name{}, gssapi.UsageInitiate, &gssapi.CredOptions{Registry: r})
			require.NoError(t, err)
			inquire(t, c, "alice")
			talk(t, r, c, "alice", e.short) // gets a ticket, and keeps it

			klist, err := realm.RunEnv(environ(conf, cc), "", "klist", "-C", "-e")
			require.NoError(t, err)
			require.Contains(t, klist, e.short+"/localhost@"+realmName)
			require.Contains(t, klist, "Etype (skey, tkt): "+e.long+", "+e.long)
			require.Contains(t, configured, "config: ", "kinit wrote no configuration entry: the next line tests nothing")
			require.Contains(t, klist, "config: ")

			_, err = realm.RunEnv(environ(conf, cc), "", "kvno", e.short+"-2/localhost") // MIT adds one
			require.NoError(t, err)
			talk(t, r, c, "alice", e.short+"-2") // that we use
		})
	}
}

// Tickets that we got and stored are used by MIT's programs.
func TestOurCache(t *testing.T) {
	for _, e := range enctypes {
		t.Run(e.short, func(t *testing.T) {
			conf := e.short + ".conf"
			r, m := engine(t, conf, "/nonexistent/ccache")
			elem, err := m.Login(testContext(t), e.short, withPassword(e.short))
			require.NoError(t, err)
			c := credential(t, r, elem)
			talk(t, r, c, e.short, e.short) // so that there is a service ticket too
			file, klist := keep(t, c)
			require.Contains(t, klist, "krbtgt/"+realmName)
			require.Contains(t, klist, e.short+"/localhost@"+realmName)

			// One with the ticket that we got, one with our ticket-granting ticket.
			for _, service := range []string{e.short, e.short + "-2"} {
				server := startServer(t, "gss-server", conf, service)
				out, err := realm.RunEnv(environ(conf, file), "", "gss-client", "-port", server.port, "localhost", service+"@localhost", "hello")
				require.NoError(t, err)
				require.Contains(t, out, verified)
			}
		})
	}
}

// StoreInto does not overwrite by accident.
func TestStoreTwice(t *testing.T) {
	cc := kinit(t, "krb5.conf", "alice")
	r, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	elem, err := m.Login(testContext(t), "nopreauth", withPassword("nopreauth"))
	require.NoError(t, err)
	o := &gssapi.StoreOptions{Usage: gssapi.UsageInitiate, Store: gssapi.Store{"ccache": "FILE:" + cc}}
	_, err = credential(t, r, elem).StoreInto(testContext(t), o)
	require.ErrorIs(t, err, gssapi.ErrDuplicateElement)
	o.Overwrite = true
	_, err = credential(t, r, elem).StoreInto(testContext(t), o)
	require.NoError(t, err)
	klist, err := realm.RunEnv(environ("krb5.conf", cc), "", "klist")
	require.NoError(t, err)
	require.Contains(t, klist, "Default principal: nopreauth@"+realmName)
}
