package apreq

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/rcache"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var mechKrb5 = oid.Krb5

// open takes a framed AP-REQ from the first byte to the terms.
func (s *scene) open(token []byte) (*Accepted, *Terms, error) {
	_, id, msg, err := Unframe(token)
	if err != nil {
		return nil, nil, err
	}
	if id != TokAPReq {
		return nil, nil, wire.ErrSyntax
	}
	req, err := wire.ParseAPReq(msg)
	if err != nil {
		return nil, nil, err
	}
	acc, _, err := s.acceptor.Accept(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	terms, err := acc.Terms(nil, false)
	return acc, terms, err
}

// What of an AP-REQ is in the clear, and no key protects it (RFC 4120 §5.5.1,
// §5.3). An acceptor that does not insist on one exact name uses none of it:
//
//	the frame's OID     one of the three that are all Kerberos
//	ap-options          the unknown bits, and MUTUAL-REQUIRED, which matters only
//	                    for Samba's plain checksum and for whether an error is
//	                    answered; whether an AP-REP is sent, the checksum says
//	the ticket's realm, sname, name-type and kvno
//	                    hints for finding a key
//
// Everything else must fail, whichever bit is flipped.
func TestTamperRequest(t *testing.T) {
	for _, id := range types {
		t.Run(id.String(), func(t *testing.T) {
			s := newScene(t, id)
			token := Frame(mechKrb5, TokAPReq, s.request(t).Append(nil))
			// The fields are found by their contents, so that the test does not
			// depend on the encoder.
			clear := make([]bool, len(token))
			mark := func(field []byte) {
				i := bytes.Index(token, field)
				require.GreaterOrEqual(t, i, 0)
				for j := range field {
					clear[i+j] = true
				}
			}
			mark([]byte(service.Realm))
			for _, c := range service.Components {
				mark([]byte(c))
			}
			options := []byte{3, 5, 0, 0x20, 0, 0, 0} // BIT STRING
			i := bytes.Index(token, options)
			for j := range 5 { // with the count of unused bits
				clear[i+2+j] = true
			}
			kvno := []byte{0xa1, 3, 2, 1, 3}
			clear[bytes.Index(token, kvno)+4] = true
			nameType := []byte{0xa0, 3, 2, 1, 1, 0xa1}
			clear[bytes.Index(token, nameType)+4] = true
			options = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2}
			clear[bytes.Index(token, options)+3] = true // …48.86… is Microsoft's with 82

			want, wantTerms, err := s.open(token)
			require.NoError(t, err)
			for i := range token {
				for bit := range 8 {
					bad := bytes.Clone(token)
					bad[i] ^= 1 << bit
					s.acceptor.Replay = rcache.NewMemory(1)
					acc, terms, err := s.open(bad)
					if err != nil {
						continue
					}
					require.True(t, clear[i], "byte %d (%#x) bit %d", i, token[i], bit)
					require.Equal(t, want.Ticket, acc.Ticket)
					require.Equal(t, want.Auth, acc.Auth)
					require.Equal(t, want.Server, acc.Server)
					require.True(t, want.Key().Equal(acc.Key()))
					require.Equal(t, want.Enctype, acc.Enctype)
					require.Equal(t, wantTerms, terms)
				}
			}
			for n := range token {
				_, _, err := s.open(token[:n])
				require.Error(t, err, "%d bytes", n)
			}
			_, _, err = s.open(append(bytes.Clone(token), 0))
			require.Error(t, err)

			// For one exact name the key version counts too.
			s.acceptor.Service.Name, s.acceptor.Service.Exact = service, true
			bad := bytes.Clone(token)
			bad[bytes.Index(token, kvno)+4] ^= 1
			s.acceptor.Replay = rcache.NewMemory(1)
			_, _, err = s.open(bad)
			require.Error(t, err)
		})
	}
}

// A replay is a replay, whatever is changed of what is in the clear.
func TestTamperReplay(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	req := s.request(t)
	_, _, err := s.acceptor.Accept(ctx, req)
	require.NoError(t, err)
	req.Options ^= OptMutualRequired
	req.Ticket.Server.Components = []string{"alias"}
	req.Ticket.Enc.Kvno = 99
	_, _, err = s.acceptor.Accept(ctx, req)
	require.ErrorIs(t, err, krberr.APRepeat)
}

// Of an AP-REP everything is protected or without a choice.
func TestTamperReply(t *testing.T) {
	for _, id := range types {
		t.Run(id.String(), func(t *testing.T) {
			k := newKey(t, id)
			msg, err := (&Reply{Time: noon, Subkey: newKey(t, id), Seq: 5}).Append(nil, k)
			require.NoError(t, err)
			for i := range msg {
				for bit := range 8 {
					bad := bytes.Clone(msg)
					bad[i] ^= 1 << bit
					_, err := OpenReply(bad, k)
					require.Error(t, err, "byte %d bit %d", i, bit)
				}
				_, err := OpenReply(msg[:i], k)
				require.Error(t, err, "%d bytes", i)
			}
			_, err = OpenReply(append(bytes.Clone(msg), 0), k)
			require.Error(t, err)
		})
	}
}

// Parts of two good requests do not make a third.
func TestTamperSplice(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	one := s.request(t)
	s.session = newKey(t, etype.AES256SHA1)
	s.part.Key.Value = s.session.Bytes()
	two := s.request(t)
	two.Ticket, one.Ticket = one.Ticket, two.Ticket
	for _, req := range []*wire.APReq{one, two} {
		_, _, err := s.acceptor.Accept(ctx, req)
		require.Error(t, err)
	}
}

func fuzzKey(f *testing.F, id etype.ID, fill byte) *enctype.Key {
	k, err := enctype.NewKey(id, bytes.Repeat([]byte{fill}, enctype.KeySize(id)))
	require.NoError(f, err)
	return k
}

// FuzzAccept gives a live acceptor tokens, and sealed plaintexts of a hostile
// KDC or client.
func FuzzAccept(f *testing.F) {
	s := newScene(f, etype.AES128SHA1)
	s.key, s.session = fuzzKey(f, etype.AES128SHA1, 1), fuzzKey(f, etype.AES128SHA1, 2)
	s.acceptor.Service.Keys[0].Key = s.key
	s.part.Key.Value = s.session.Bytes()
	s.acceptor.Transited = func(client, server string, realms []byte) error {
		return CheckTransited(client, server, realms, nil)
	}
	s.acceptor.Replay = replay{fresh: true}
	f.Add(s.request(f).Append(nil), s.part.Append(nil), s.auth.Append(nil))
	s.part.Transited = []byte(",")
	s.auth.Subkey, s.auth.Checksum = nil, nil
	s.auth.AuthzData = []wire.AuthzDatum{ifRelevant(etypeList(20, 17), wire.AuthzDatum{Type: adAPOptions, Data: apOptions(apOptionsCBT)})}
	f.Add(s.request(f).Append(nil), s.part.Append(nil), s.auth.Append(nil))
	bindings := &mech.ChannelBindings{Application: []byte("x")}
	f.Fuzz(func(t *testing.T, token, ticket, auth []byte) {
		if req, err := wire.ParseAPReq(token); err == nil {
			check(t, s.acceptor, req, bindings)
		}
		ct, err := s.key.Encrypt(nil, ticket, usageTicket)
		require.NoError(t, err)
		req := &wire.APReq{Ticket: wire.Ticket{Server: service, Enc: wire.EncryptedData{Etype: 17, Cipher: ct}}}
		ct, err = s.session.Encrypt(nil, auth, usageAPReqAuth)
		require.NoError(t, err)
		req.Authenticator = wire.EncryptedData{Etype: 17, Cipher: ct}
		check(t, s.acceptor, req, bindings)
	})
}

func check(t *testing.T, a *Acceptor, req *wire.APReq, b *mech.ChannelBindings) {
	acc, report, err := a.Accept(ctx, req)
	if err != nil {
		require.Nil(t, acc)
		require.NotZero(t, report)
		return
	}
	require.Zero(t, report)
	require.True(t, acc.Auth.Client.Equal(acc.Ticket.Client))
	require.NotNil(t, acc.Key())
	require.Contains(t, a.Enctypes, acc.Enctype)
	terms, err := acc.Terms(b, true)
	if err == nil {
		require.Zero(t, terms.Flags&^0x703E)
	}
}

func FuzzOpenReply(f *testing.F) {
	k := fuzzKey(f, etype.AES256SHA2, 1)
	part := wire.EncAPRepPart{Time: noon, Seq: 7, HasSeq: true, Subkey: &wire.EncryptionKey{Etype: 17, Value: make([]byte, 16)}}
	f.Add(sealReply(f, k, part.Append(nil), usageAPRep), part.Append(nil))
	f.Fuzz(func(t *testing.T, msg, plain []byte) {
		for _, m := range [][]byte{msg, sealReply(t, k, plain, usageAPRep)} {
			if r, err := OpenReply(m, k); err == nil {
				require.NotNil(t, r)
			} else {
				require.Nil(t, r)
			}
			_ = OpenError(m)
		}
	})
}
