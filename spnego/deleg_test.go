package spnego_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

func TestDelegate(t *testing.T) {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	k.AddUser("alice", "pw")
	k.AddService("HTTP@www.example.test")
	m := k.Mechanism(nil)
	r, err := mech.NewRegistry(spnego.New(nil, m), m)
	require.NoError(t, err)
	elem, err := m.Login(context.Background(), "alice", &krb5.LoginOptions{Password: func() []byte { return []byte("pw") }, Forwardable: true})
	require.NoError(t, err)
	c, err := gssapi.NewCred(r, elem)
	require.NoError(t, err)
	i, a, err := testenv.Pair(k, &testenv.PairOptions{Service: "HTTP@www.example.test", Registry: r, Init: gssapi.InitOptions{Cred: c, Mech: gssapi.SPNEGO, Flags: gssapi.FlagDeleg, Require: gssapi.FlagDeleg}})
	require.NoError(t, err)
	require.True(t, i.Info().Negotiated)
	require.NotNil(t, a.Delegated())
	info, err := a.Delegated().Info(context.Background())
	require.NoError(t, err)
	require.Equal(t, "alice@EXAMPLE.TEST", info.Name.String())
}
