package testenv_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/testenv"
	"github.com/stretchr/testify/require"
)

// talk sends a sealed message each way.
func talk(t *testing.T, i, a *gssapi.SecContext) {
	for _, c := range [][2]*gssapi.SecContext{{i, a}, {a, i}} {
		token, err := c[0].Wrap(nil, []byte("hello"), nil)
		require.NoError(t, err)
		msg, info, err := c[1].Unwrap(nil, token)
		require.NoError(t, err)
		require.Equal(t, "hello", string(msg))
		require.True(t, info.Encrypted)
	}
}

func TestPair(t *testing.T) {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	i, a, err := testenv.Pair(k, nil)
	require.NoError(t, err)
	talk(t, i, a)
	require.Equal(t, "initiator@EXAMPLE.TEST", a.Peer().String())
	require.NoError(t, i.Close())
	require.NoError(t, a.Close())

	k.AddUser("alice", password)
	i, a, err = testenv.Pair(k, &testenv.PairOptions{
		Client: "alice", Service: "imap@mail.example.test",
		Init:   gssapi.InitOptions{Omit: mech.FlagMutual},
		Accept: gssapi.AcceptOptions{Require: mech.FlagConf},
	})
	require.NoError(t, err)
	talk(t, i, a)
	require.Equal(t, "alice@EXAMPLE.TEST", a.Peer().String())
	require.Zero(t, a.Info().Flags&mech.FlagMutual)

	_, _, err = testenv.Pair(k, &testenv.PairOptions{Accept: gssapi.AcceptOptions{Require: mech.FlagDCEStyle}})
	require.Error(t, err)
}

func TestPairEnctypes(t *testing.T) {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	for id, mac := range map[krb5.Enctype]int{17: 12, 18: 12, 19: 16, 20: 24} {
		t.Run(fmt.Sprint(id), func(t *testing.T) {
			i, a, err := testenv.Pair(k, &testenv.PairOptions{Enctype: id})
			require.NoError(t, err)
			talk(t, i, a)
			// Header, confounder, message and header again, MAC (RFC 4121 §4.2.4).
			token, err := i.Wrap(nil, []byte("hello"), nil)
			require.NoError(t, err)
			require.Len(t, token, 16+16+5+16+mac)
		})
	}
	_, _, err := testenv.Pair(k, &testenv.PairOptions{Enctype: 17, Service: "acceptor@enctype18.example.test"})
	require.Error(t, err)
}

// TestPairOverNetwork takes the sockets instead of memory, UDP and then TCP.
func TestPairOverNetwork(t *testing.T) {
	for _, limit := range []int{0, -1} {
		k := newKDC(t, &testenv.Options{UDPLimit: limit})
		r, err := mech.NewRegistry(k.Mechanism(&krb5.Config{KDC: new(krb5.Network)}))
		require.NoError(t, err)
		i, a, err := testenv.Pair(k, &testenv.PairOptions{Client: "alice", Registry: r})
		require.NoError(t, err)
		talk(t, i, a)
	}
}

// TestPairConcurrent lets many pairs add the same principals.
func TestPairConcurrent(t *testing.T) {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, _, err := testenv.Pair(k, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestRegistry checks that the mechanism is one, and that of this KDC alone.
func TestRegistry(t *testing.T) {
	k, other := newKDC(t, &testenv.Options{NoListen: true}), newKDC(t, &testenv.Options{NoListen: true})
	require.Same(t, k.Registry(), k.Registry())
	require.NotSame(t, k.Registry(), other.Registry())

	before := other.Requests()
	cred, err := k.UserCred("alice", nil)
	require.NoError(t, err)
	require.Same(t, k.Registry(), cred.Registry())
	require.Equal(t, before, other.Requests())

	foreign, err := other.ServiceCred(service, nil)
	require.NoError(t, err)
	_, _, err = testenv.Pair(k, &testenv.PairOptions{Service: "host@server.example.test", Accept: gssapi.AcceptOptions{Cred: foreign}})
	require.Error(t, err)

	for _, get := range []func(string, *mech.Registry) (*gssapi.Cred, error){k.UserCred, k.ServiceCred} {
		_, err = get("nobody", nil)
		require.Error(t, err)
	}
	_, err = k.UserCred(service, nil)
	require.Error(t, err)
	_, err = k.ServiceCred(service, new(mech.Registry))
	require.Error(t, err)
}

// TestMechanismIsSealedOff finds none of the machine's credentials.
func TestMechanismIsSealedOff(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	dir := t.TempDir()
	require.NoError(t, k.WriteFiles(dir))
	t.Setenv("KRB5_KTNAME", "FILE:"+dir+"/krb5.keytab")
	t.Setenv("KRB5_CLIENT_KTNAME", "FILE:"+dir+"/client.keytab")
	get := func(m *krb5.Mechanism, u mech.Usage) error {
		_, err := m.AcquireCred(t.Context(), mech.CredRequest{Usage: u})
		return err
	}
	for _, u := range []mech.Usage{mech.UsageInitiate, mech.UsageAccept} {
		require.Error(t, get(k.Mechanism(nil), u))
	}
	// What the caller configures stands.
	require.NoError(t, get(k.Mechanism(&krb5.Config{Keytab: "FILE:" + dir + "/krb5.keytab"}), mech.UsageAccept))
	require.NoError(t, get(k.Mechanism(&krb5.Config{ClientKeytab: "FILE:" + dir + "/client.keytab"}), mech.UsageInitiate))
}
