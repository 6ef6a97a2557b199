package apreq

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
)

// initiator is a request with the scene's ticket.
func (s *scene) initiator(t testing.TB) *Request {
	t.Helper()
	req := s.request(t)
	return &Request{
		Ticket:     req.Ticket.Append(nil),
		SessionKey: s.session,
		Client:     s.part.Client,
		Time:       s.auth.Time,
		Subkey:     newKey(t, s.session.Enctype()),
		Seq:        NewSeq(),
		Mutual:     true,
		Checksum:   &Checksum{Flags: mech.FlagMutual | mech.FlagInteg},
	}
}

// receive has the acceptor verify a request.
func (s *scene) receive(t testing.TB, r *Request) *Accepted {
	t.Helper()
	msg, err := r.Append(nil)
	require.NoError(t, err)
	req, err := wire.ParseAPReq(msg)
	require.NoError(t, err)
	acc, _, err := s.acceptor.Accept(ctx, req)
	require.NoError(t, err)
	return acc
}

func TestRequest(t *testing.T) {
	b := &mech.ChannelBindings{Application: []byte("channel")}
	hash, err := BindingsHash(b)
	require.NoError(t, err)
	for _, id := range types {
		for _, mutual := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/mutual=%t", id, mutual), func(t *testing.T) {
				s := newScene(t, id)
				r := s.initiator(t)
				r.Mutual = mutual
				r.Checksum.Bindings = hash
				subkey := r.Subkey.Bytes()
				acc := s.receive(t, r)
				require.Equal(t, alice, acc.Client())
				require.Equal(t, r.Time, acc.Auth.Time.UTC())
				require.Equal(t, r.Seq, acc.Auth.Seq)
				require.True(t, acc.Auth.HasSeq)
				require.Equal(t, subkey, acc.Subkey.Bytes())
				require.Equal(t, subkey, r.Subkey.Bytes(), "the initiator's own key must stay")
				want := OptMutualRequired
				if !mutual {
					want = 0
				}
				require.Equal(t, want, acc.Options, "nothing else is ever on the wire")
				terms, err := acc.Terms(b, false)
				require.NoError(t, err)
				require.Equal(t, &Terms{Flags: r.Checksum.Flags, Bound: true}, terms)
				require.Empty(t, acc.Auth.AuthzData)
			})
		}
	}
}

func TestRequestAppends(t *testing.T) {
	s := newScene(t, types[0])
	msg, err := s.initiator(t).Append([]byte("before"))
	require.NoError(t, err)
	require.Equal(t, "before", string(msg[:6]))
	_, err = wire.ParseAPReq(msg[6:])
	require.NoError(t, err)
}

func TestRequestBindingsAware(t *testing.T) {
	b := &mech.ChannelBindings{Application: []byte("channel")}
	s := newScene(t, types[0])
	r := s.initiator(t)
	_, err := s.receive(t, r).Terms(b, true)
	require.NoError(t, err)
	r.BindingsAware = true
	acc := s.receive(t, r)
	_, err = acc.Terms(b, true)
	requireCode(t, err, gsserr.ErrBadBindings, krberr.APBadMatch)
	require.Equal(t, []wire.AuthzDatum{ifRelevant(wire.AuthzDatum{Type: adAPOptions, Data: []byte{0, 0x40, 0, 0}})}, acc.Auth.AuthzData)

	// Both elements share one AD-IF-RELEVANT.
	r.Enctypes = types
	s2 := newScene(t, etype.AES256SHA2)
	r2 := s2.initiator(t)
	r2.BindingsAware, r2.Enctypes = true, types
	require.Len(t, s2.receive(t, r2).Auth.AuthzData, 1)
}

func TestRequestDelegTooLong(t *testing.T) {
	s := newScene(t, types[0])
	r := s.initiator(t)
	r.Checksum = &Checksum{Flags: mech.FlagDeleg, Deleg: make([]byte, 70000)}
	_, err := r.Append(nil)
	requireCode(t, err, gsserr.ErrFailure, krberr.KRBFieldTooLong)
}

func TestNewSeq(t *testing.T) {
	seen := make(map[uint32]bool)
	for range 1000 {
		n := NewSeq()
		require.True(t, n > 0 && n < 1<<30, "%#x", n)
		seen[n] = true
	}
	require.Greater(t, len(seen), 990)
}

func TestReply(t *testing.T) {
	for _, id := range types {
		for _, sub := range types {
			session, subkey := newKey(t, id), newKey(t, sub)
			r := Reply{Time: noon.Add(7 * time.Microsecond), Subkey: subkey, Seq: 0xfffffff0}
			msg, err := r.Append([]byte("before"), session)
			require.NoError(t, err)
			require.Equal(t, "before", string(msg[:6]))
			got, err := OpenReply(msg[6:], session)
			require.NoError(t, err)
			require.True(t, r.Time.Equal(got.Time))
			require.Equal(t, r.Seq, got.Seq)
			require.True(t, subkey.Equal(got.Subkey))
			require.Equal(t, sub, got.Subkey.Enctype())
		}
		session := newKey(t, id)
		msg, err := (&Reply{Time: noon}).Append(nil, session)
		require.NoError(t, err)
		got, err := OpenReply(msg, session)
		require.NoError(t, err)
		require.Nil(t, got.Subkey)
		require.Zero(t, got.Seq)
	}
}

func sealReply(t testing.TB, k *enctype.Key, plain []byte, usage uint32) []byte {
	t.Helper()
	ct, err := k.Encrypt(nil, plain, usage)
	require.NoError(t, err)
	return (&wire.APRep{Enc: wire.EncryptedData{Etype: k.Enctype(), Cipher: ct}}).Append(nil)
}

func TestOpenReplyRefuses(t *testing.T) {
	k := newKey(t, etype.AES256SHA1)
	part := wire.EncAPRepPart{Time: noon, Seq: 7, HasSeq: true}
	good := sealReply(t, k, part.Append(nil), usageAPRep)
	_, err := OpenReply(good, k)
	require.NoError(t, err)

	_, err = OpenReply(good, newKey(t, etype.AES256SHA1))
	requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
	_, err = OpenReply(good, newKey(t, etype.AES128SHA1))
	requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
	_, err = OpenReply(sealReply(t, k, part.Append(nil), usageAPReqAuth), k)
	requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
	for _, plain := range [][]byte{nil, []byte("x"), append(part.Append(nil), 0)} {
		_, err = OpenReply(sealReply(t, k, plain, usageAPRep), k)
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	}
	for _, key := range []wire.EncryptionKey{{Etype: 99, Value: make([]byte, 16)}, {Etype: 18, Value: make([]byte, 16)}} {
		part.Subkey = &key
		_, err = OpenReply(sealReply(t, k, part.Append(nil), usageAPRep), k)
		require.ErrorIs(t, err, gsserr.ErrFailure)
	}
	s := newScene(t, etype.AES256SHA1)
	for _, msg := range [][]byte{nil, []byte("x"), s.request(t).Append(nil), ErrorToken(mechKrb5, krberr.APSkew, service, noon), append(good, 0)} {
		_, err = OpenReply(msg, k)
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	}
}
