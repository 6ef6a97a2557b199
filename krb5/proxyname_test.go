package krb5_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// The service's name in an AP-REQ is in the clear and whatever the client wrote:
// in the cache of a proxy credential is the name of the key that opened the
// ticket. A client could else put a configuration entry there.
func TestAcceptorActsName(t *testing.T) {
	w := newOffice(t, &testenv.Options{}, nil)
	i, err := w.Initiate(importName(t, w.Mechanism, "HTTP@"+webHost, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{w.logIn(t, "alice")}, Flags: onewayFlags})
	require.NoError(t, err)
	token, _, err := i.Step(ctx, nil)
	require.NoError(t, err)
	id, kind, msg, err := apreq.Unframe(token)
	require.NoError(t, err)
	req, err := wire.ParseAPReq(msg)
	require.NoError(t, err)
	req.Ticket.Server = principal.New("X-CACHECONF:", "krb5_ccache_conf_data", ccache.ConfProxyImpersonator)
	req.Ticket.Raw = nil

	kt := w.keytab(t, "HTTP/"+webHost)
	file := tempFile(t, "keytab")
	require.NoError(t, kt.Write(file))
	cache := tempFile(t, "cache")
	both, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageBoth, Store: map[string]string{"keytab": file, "client_keytab": file}})
	require.NoError(t, err)
	a, err := w.Accept(mech.AcceptRequest{Creds: []mech.Cred{both}})
	require.NoError(t, err)
	_, _, err = a.Step(ctx, apreq.Frame(id, kind, req.Append(nil)))
	require.NoError(t, err)
	d := a.Info().Delegated
	require.NotNil(t, d)
	_, err = d.(mech.Storer).Store(ctx, mech.StoreRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": "FILE:" + cache}})
	require.NoError(t, err)
	contents, err := ccache.NewFile(cache).Load(ctx)
	require.NoError(t, err)
	by, ok := contents.Config(ccache.ConfProxyImpersonator, nil)
	require.True(t, ok)
	require.Equal(t, "HTTP/"+webHost+"@"+realm, string(by))
}
