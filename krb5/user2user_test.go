package krb5_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

func TestUserToUser(t *testing.T) {
	for _, id := range enctypes {
		t.Run(id.String(), func(t *testing.T) {
			w := newOffice(t, &testenv.Options{Enctypes: []int32{int32(id)}}, nil)
			alice, bob := w.logIn(t, "alice"), w.logIn(t, "bob")
			acceptor, tgt, err := w.UserToUserAcceptor(ctx, bob)
			require.NoError(t, err)
			require.Equal(t, mech.UsageAccept, acceptor.Usage())
			toBob, err := w.UserToUser(ctx, alice, "bob", tgt)
			require.NoError(t, err)
			target := importName(t, w.Mechanism, "bob", oid.NTKrb5Principal)
			for _, flags := range []mech.Flags{allFlags, onewayFlags, allFlags | mech.FlagDCEStyle} {
				i, err := w.Initiate(target, mech.InitRequest{Creds: []mech.Cred{toBob}, Flags: flags})
				require.NoError(t, err)
				a, err := w.Accept(mech.AcceptRequest{Creds: []mech.Cred{acceptor}})
				require.NoError(t, err)
				establish(t, i, a)
				exchange(t, i, a)
				require.Equal(t, "alice@"+realm, peerOf(a))
				name, _ := a.Info().AcceptorName.Display()
				require.Equal(t, "bob@"+realm, name)
			}
		})
	}
}

func TestUserToUserRefuses(t *testing.T) {
	w := newOffice(t, nil, nil)
	alice, bob := w.logIn(t, "alice"), w.logIn(t, "bob")
	acceptor, tgt, err := w.UserToUserAcceptor(ctx, bob)
	require.NoError(t, err)
	_, err = w.UserToUser(ctx, alice, "alice", tgt)
	require.ErrorIs(t, err, gsserr.ErrNoCred, "the ticket is bob's")
	_, err = w.UserToUser(ctx, alice, "bob", []byte("garbage"))
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	for _, c := range []mech.Cred{nil, w.back} {
		_, err = w.UserToUser(ctx, c, "bob", tgt)
		require.ErrorIs(t, err, gsserr.ErrNoCred)
		_, _, err = w.UserToUserAcceptor(ctx, c)
		require.ErrorIs(t, err, gsserr.ErrNoCred)
	}
	toBob, err := w.UserToUser(ctx, alice, "bob", tgt)
	require.NoError(t, err)

	// Good for bob alone, and for who has shown that ticket.
	_, _, err = w.connect(t, toBob, "sql@"+backHost, w.back)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	again, _, err := w.UserToUserAcceptor(ctx, w.logIn(t, "bob"))
	require.NoError(t, err)
	target := importName(t, w.Mechanism, "bob", oid.NTKrb5Principal)
	token := func() []byte {
		i, err := w.Initiate(target, mech.InitRequest{Creds: []mech.Cred{toBob}, Flags: allFlags})
		require.NoError(t, err)
		out, _, err := i.Step(ctx, nil)
		require.NoError(t, err)
		return out
	}
	for name, c := range map[string]mech.Cred{"another session": again, "a keytab": w.accepting(t, "bob")} {
		a, err := w.Accept(mech.AcceptRequest{Creds: []mech.Cred{c}})
		require.NoError(t, err)
		_, _, err = a.Step(ctx, token())
		require.Error(t, err, name)
	}

	// And an ordinary ticket for bob is not one for the session.
	i, err := w.Initiate(target, mech.InitRequest{Creds: []mech.Cred{alice}, Flags: allFlags})
	require.NoError(t, err)
	out, _, err := i.Step(ctx, nil)
	require.NoError(t, err)
	a, err := w.Accept(mech.AcceptRequest{Creds: []mech.Cred{acceptor}})
	require.NoError(t, err)
	_, _, err = a.Step(ctx, out)
	require.ErrorIs(t, err, krberr.APMethod)
}
