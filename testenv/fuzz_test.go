package testenv_test

import (
	"context"
	"testing"
	"time"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/testenv"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"
)

// seeds are requests that are understood.
func seeds(t testing.TB, k *testenv.KDC) [][]byte {
	key := stringToKey(t, 18, password, realm+"alice")
	tgt := login(t, k, body(18, tgs))
	b := body(18, host)
	b.AdditionalTickets = []messages.Ticket{tgt.rep.Ticket}
	b.Addresses = []types.HostAddress{{AddrType: 2, Address: []byte{127, 0, 0, 1}}}
	return [][]byte{
		asReq(t, body(18, tgs)),
		asReq(t, body(18, tgs), timestamp(t, key, time.Now())),
		tgsReq(t, tgt.rep.Ticket, tgt.part.Key, b, tgsOptions{}),
	}
}

// TestDamagedRequests cuts and flips requests at every byte: each is answered.
func TestDamagedRequests(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	for _, seed := range seeds(t, k) {
		for i := range seed {
			answered(t, k, seed[:i])
			for _, bit := range []byte{1, 0x20, 0x80, 0xff} {
				m := append([]byte{}, seed...)
				m[i] ^= bit
				answered(t, k, m)
			}
		}
		require.Equal(t, byte(0x7e), answered(t, k, append(seed, 0))[0])
	}

	// Additional tickets of one byte are what gokrb5's decoder indexes into.
	b := body(18, tgs)
	der, err := b.Marshal()
	require.NoError(t, err)
	var seq asn1.RawValue
	_, err = asn1.Unmarshal(der, &seq)
	require.NoError(t, err)
	raw, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: append(seq.Bytes, 0xab, 1, 0)})
	require.NoError(t, err)
	tgt := login(t, k, b)
	answered(t, k, tgsReq(t, tgt.rep.Ticket, tgt.part.Key, b, tgsOptions{rawBody: raw}))
}

// answered checks that there is a reply, and that it is a reply.
func answered(t testing.TB, k *testenv.KDC, req []byte) []byte {
	b, err := k.Exchange(context.Background(), &krb5.Request{Realm: realm, Message: req, TCP: true})
	require.NoError(t, err)
	require.NotEmpty(t, b)
	require.Contains(t, []byte{0x7e, 0x6b, 0x6d}, b[0])
	return b
}

func FuzzHandle(f *testing.F) {
	k := newKDC(f, &testenv.Options{NoListen: true})
	for _, seed := range seeds(f, k) {
		f.Add(seed)
	}
	f.Add([]byte{})
	f.Add([]byte{0x6c, 0x80})
	f.Fuzz(func(t *testing.T, req []byte) { answered(t, k, req) })
}

// FuzzHandleSealed puts plaintexts of the fuzzer's where only the holder of a
// key can: the timestamp, the ticket, the authenticator, authorization data.
func FuzzHandleSealed(f *testing.F) {
	k := newKDC(f, &testenv.Options{NoListen: true})
	user := stringToKey(f, 18, password, realm+"alice")
	tgt := login(f, k, body(18, tgs))
	kt := keytab.New()
	require.NoError(f, kt.Unmarshal(k.UserKeytab("krbtgt/"+realm)))
	krbtgt, _, err := kt.GetEncryptionKey(tgs, realm, 1, 18)
	require.NoError(f, err)

	seal := func(t testing.TB, key types.EncryptionKey, usage uint32, plain []byte) types.EncryptedData {
		d, err := crypto.GetEncryptedData(plain, key, usage, 0)
		require.NoError(t, err)
		return d
	}
	stamp, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: time.Now().UTC()})
	require.NoError(f, err)
	ticket, err := crypto.DecryptEncPart(tgt.rep.Ticket.EncPart, krbtgt, 2)
	require.NoError(f, err)
	auth, err := types.NewAuthenticator(realm, alice)
	require.NoError(f, err)
	auth.Cksum = types.Checksum{CksumType: 16, Checksum: make([]byte, 12)}
	authenticator, err := auth.Marshal()
	require.NoError(f, err)
	f.Add(uint8(0), stamp)
	f.Add(uint8(1), ticket)
	f.Add(uint8(2), authenticator)
	f.Add(uint8(3), []byte{0x30, 0})

	f.Fuzz(func(t *testing.T, where uint8, plain []byte) {
		var req []byte
		switch where % 4 {
		case 0:
			req = asReq(t, body(18, tgs), sealedPA(t, user, plain))
		case 1:
			forged := tgt.rep.Ticket
			forged.EncPart = seal(t, krbtgt, 2, plain)
			req = tgsReq(t, forged, tgt.part.Key, body(18, host), tgsOptions{})
		case 2:
			ap := messages.APReq{PVNO: 5, MsgType: 14, APOptions: types.NewKrbFlags(), Ticket: tgt.rep.Ticket}
			ap.EncryptedAuthenticator = seal(t, tgt.part.Key, 7, plain)
			value, err := ap.Marshal()
			require.NoError(t, err)
			m := messages.TGSReq{KDCReqFields: messages.KDCReqFields{PVNO: 5, MsgType: 12, ReqBody: body(18, host)}}
			m.PAData = types.PADataSequence{{PADataType: 1, PADataValue: value}}
			req, err = m.Marshal()
			require.NoError(t, err)
		case 3:
			b := body(18, host)
			b.EncAuthData = seal(t, tgt.part.Key, 4, plain)
			req = tgsReq(t, tgt.rep.Ticket, tgt.part.Key, b, tgsOptions{})
		}
		answered(t, k, req)
	})
}
