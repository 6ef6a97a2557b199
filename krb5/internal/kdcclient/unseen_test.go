package kdcclient

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// A KDC that says that it knows FAST, and does not look under the armor of a
// TGS-REQ. A plain request has nothing there, and the reply will do.
func TestUnseen(t *testing.T) {
	for _, session := range []bool{false, true} {
		k := newKDC(t)
		k.useSession = session
		c := newClient(t, k, "")
		tgt := getTGT(t, c)
		k.requests = nil
		got, err := c.Ticket(t.Context(), tgt, imap, &TicketOptions{FAST: "EXAMPLE.COM"})
		require.NoError(t, err)
		require.True(t, got.Server.Equal(imap))
		require.Len(t, k.requests, 1)
		_, armored := find(k.requests[0].PAData, wire.PAFXFast)
		require.True(t, armored)
	}
}

// What stands under the armor goes out again without it.
func TestUnseenPadata(t *testing.T) {
	k := newKDC(t)
	s4uKDC(t, k, nil, nil)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	k.requests = nil
	got, err := c.ForUser(t.Context(), tgt, bob, &TicketOptions{FAST: "EXAMPLE.COM"})
	require.NoError(t, err)
	require.True(t, got.Client.Equal(bob))
	require.Len(t, k.requests, 2)
	for i, want := range []bool{true, false} {
		_, armored := find(k.requests[i].PAData, wire.PAFXFast)
		require.Equal(t, want, armored)
		_, named := find(k.requests[i].PAData, wire.PAS4UX509User)
		require.Equal(t, !want, named)
	}
}

// A reply that is not authentic does not make the armor go away.
func TestUnseenForged(t *testing.T) {
	k := newKDC(t)
	s4uKDC(t, k, nil, nil)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	k.requests = nil
	k.raw = func(reply []byte) []byte { reply[len(reply)-1] ^= 1; return reply }
	_, err := c.ForUser(t.Context(), tgt, bob, &TicketOptions{FAST: "EXAMPLE.COM"})
	require.ErrorIs(t, err, krberr.APBadIntegrity)
	require.Len(t, k.requests, 1)
}

// Under armor the client's name is the KDC's word, and needs no confirmation.
func TestUnconfirmed(t *testing.T) {
	key, err := enctype.GenerateKey(etype.AES256SHA1)
	require.NoError(t, err)
	s, part, rep := &s4uSelf{own: alice, user: bob}, &wire.EncKDCRepPart{Server: alice}, &wire.KDCRep{Client: bob}
	require.NoError(t, s.client(&tgsExchange{subkey: key, fast: new(fast)}, rep, part))
	require.ErrorIs(t, s.client(&tgsExchange{subkey: key}, rep, part), krberr.KDCPadataTypeNosupp)
	require.ErrorIs(t, s.client(&tgsExchange{subkey: key, fast: new(fast)}, &wire.KDCRep{Client: alice}, part), krberr.KDCPadataTypeNosupp)
}

// Where the KDC does not confirm the user, whoever has the service's key may.
func TestUnconfirmedWithWitness(t *testing.T) {
	s := &s4uSelf{own: principal.New("R", "service"), user: principal.New("R", "user"), witness: true}
	key, err := enctype.GenerateKey(etype.AES256SHA2)
	require.NoError(t, err)
	rep := &wire.KDCRep{Client: principal.New("R", "user")}
	require.NoError(t, s.client(&tgsExchange{subkey: key}, rep, &wire.EncKDCRepPart{Server: principal.New("R", "service")}))
	require.True(t, s.unconfirmed, "the witness must be asked")
}
