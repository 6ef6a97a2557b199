package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
)

// oracleKDC is a KDC made of gokrb5's messages and cryptography alone, so that
// an error of ours in both directions cannot cancel itself out.
type oracleKDC struct {
	etype   int32
	params  []byte
	service types.EncryptionKey
	session types.EncryptionKey
	proofs  int
	crealm  string // of the last authenticator
}

func newOracleKDC(t *testing.T, id etype.ID) *oracleKDC {
	t.Helper()
	k := &oracleKDC{etype: int32(id), params: []byte{0, 0, 0x80, 0}}
	// gokrb5 cannot make keys of its own for all types.
	for _, key := range []*types.EncryptionKey{&k.service, &k.session} {
		ours, err := enctype.GenerateKey(id)
		require.NoError(t, err)
		*key = types.EncryptionKey{KeyType: k.etype, KeyValue: ours.Bytes()}
	}
	return k
}

const oracleSalt = "EXAMPLE.COMalice\u00e9"

func (k *oracleKDC) Exchange(_ context.Context, r *kdcnet.Request) ([]byte, error) {
	if r.Message[0] == 0x6a {
		return k.as(r.Message)
	}
	return k.tgs(r.Message)
}

func (k *oracleKDC) clientKey() (types.EncryptionKey, error) {
	et, err := crypto.GetEtype(k.etype)
	if err != nil {
		return types.EncryptionKey{}, err
	}
	value, err := et.StringToKey(password, oracleSalt, fmt.Sprintf("%x", k.params))
	return types.EncryptionKey{KeyType: k.etype, KeyValue: value}, err
}

func (k *oracleKDC) as(b []byte) ([]byte, error) {
	var req messages.ASReq
	if err := req.Unmarshal(b); err != nil {
		return nil, err
	}
	key, err := k.clientKey()
	if err != nil {
		return nil, err
	}
	et, err := crypto.GetEtype(k.etype)
	if err != nil {
		return nil, err
	}
	for _, pa := range req.PAData {
		if pa.PADataType != 2 {
			continue
		}
		var enc types.EncryptedData
		if err := enc.Unmarshal(pa.PADataValue); err != nil {
			return nil, err
		}
		plain, err := crypto.DecryptEncPart(enc, key, 1)
		if err != nil {
			return nil, err
		}
		var stamp types.PAEncTSEnc
		if err := stamp.Unmarshal(plain); err != nil {
			return nil, err
		}
		if !stamp.PATimestamp.Equal(start.Truncate(time.Second)) || stamp.PAUSec != start.Nanosecond()/1000 {
			return nil, errors.New("oracle: timestamp")
		}
		k.proofs++
		sum, err := et.GetChecksumHash(key.KeyValue, b, usageASReqSum)
		if err != nil {
			return nil, err
		}
		encPA, err := asn1.Marshal(types.Checksum{CksumType: et.GetHashID(), Checksum: sum})
		if err != nil {
			return nil, err
		}
		fields, err := k.reply(&req.ReqBody, 11, req.ReqBody.CName, req.ReqBody.Realm, types.PADataSequence{{PADataType: 149, PADataValue: encPA}}, key, usageASRep)
		if err != nil {
			return nil, err
		}
		rep := messages.ASRep{KDCRepFields: fields}
		return rep.Marshal()
	}
	info, err := asn1.Marshal(types.ETypeInfo2{{EType: k.etype, Salt: oracleSalt, S2KParams: k.params}})
	if err != nil {
		return nil, err
	}
	md, err := asn1.Marshal(types.MethodData{{PADataType: 2, PADataValue: []byte{}}, {PADataType: 19, PADataValue: info}})
	if err != nil {
		return nil, err
	}
	e := messages.NewKRBError(req.ReqBody.SName, req.ReqBody.Realm, 25, "NEEDED_PREAUTH")
	e.EData = md
	return e.Marshal()
}

func (k *oracleKDC) reply(body *messages.KDCReqBody, typ int, cname types.PrincipalName, crealm string, encPA types.PADataSequence, key types.EncryptionKey, usage uint32) (f messages.KDCRepFields, err error) {
	flags := asn1.BitString{Bytes: []byte{0x00, 0x61, 0x00, 0x00}, BitLength: 32}
	if typ == 13 {
		flags.Bytes[1] = 0x20
	}
	now := start.Truncate(time.Second)
	ticketPart, err := asn1.Marshal(messages.EncTicketPart{Flags: flags, Key: k.session, CRealm: crealm, CName: cname, AuthTime: now, StartTime: now, EndTime: body.Till})
	if err != nil {
		return f, err
	}
	ticketEnc, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(ticketPart, 3), k.service, 2, 3)
	if err != nil {
		return f, err
	}
	part := messages.EncKDCRepPart{
		Key: k.session, LastReqs: []messages.LastReq{{LRType: 0, LRValue: now}}, Nonce: body.Nonce, Flags: flags,
		AuthTime: now, StartTime: now, EndTime: body.Till, SRealm: body.Realm, SName: body.SName, EncPAData: encPA,
	}
	plain, err := part.Marshal()
	if err != nil {
		return f, err
	}
	enc, err := crypto.GetEncryptedData(plain, key, usage, 1)
	if err != nil {
		return f, err
	}
	return messages.KDCRepFields{
		PVNO: 5, MsgType: typ, CRealm: crealm, CName: cname, EncPart: enc,
		Ticket: messages.Ticket{TktVNO: 5, Realm: body.Realm, SName: body.SName, EncPart: ticketEnc},
	}, nil
}

func (k *oracleKDC) tgs(b []byte) ([]byte, error) {
	var req messages.TGSReq
	if err := req.Unmarshal(b); err != nil {
		return nil, err
	}
	if len(req.PAData) != 1 || req.PAData[0].PADataType != 1 {
		return nil, errors.New("oracle: no PA-TGS-REQ")
	}
	var ap messages.APReq
	if err := ap.Unmarshal(req.PAData[0].PADataValue); err != nil {
		return nil, err
	}
	if err := ap.Ticket.Decrypt(k.service); err != nil {
		return nil, err
	}
	if err := ap.DecryptAuthenticator(ap.Ticket.DecryptedEncPart.Key); err != nil {
		return nil, err
	}
	auth := ap.Authenticator
	k.crealm = auth.CRealm
	body, err := req.ReqBody.Marshal()
	if err != nil {
		return nil, err
	}
	et, err := crypto.GetEtype(k.etype)
	if err != nil {
		return nil, err
	}
	if auth.Cksum.CksumType != et.GetHashID() || !et.VerifyChecksum(k.session.KeyValue, body, auth.Cksum.Checksum, usageTGSReqSum) {
		return nil, errors.New("oracle: checksum of the body")
	}
	fields, err := k.reply(&req.ReqBody, 13, ap.Ticket.DecryptedEncPart.CName, ap.Ticket.DecryptedEncPart.CRealm, nil, auth.SubKey, usageTGSRepSubkey)
	if err != nil {
		return nil, err
	}
	rep := messages.TGSRep{KDCRepFields: fields}
	return rep.Marshal()
}

func TestOracle(t *testing.T) {
	for _, id := range allTypes {
		for _, how := range []string{"password", "key"} {
			t.Run(fmt.Sprintf("%v/%s", id, how), func(t *testing.T) {
				k := newOracleKDC(t, id)
				c := newClient(t, k, "")
				r := byPassword(password)
				if how == "key" {
					key, err := k.clientKey()
					require.NoError(t, err)
					r = byKey(id)
					r.Key = func(id etype.ID, _ uint32) (*enctype.Key, error) { return enctype.NewKey(id, key.KeyValue) }
				}
				got, err := c.Login(t.Context(), r)
				require.NoError(t, err)
				require.Equal(t, 1, k.proofs)
				require.Equal(t, k.session.KeyValue, got.Key.Value.Bytes())
				require.Equal(t, "krbtgt/EXAMPLE.COM@EXAMPLE.COM", got.Server.String())
				require.Equal(t, "alice@EXAMPLE.COM", got.Client.String())

				ticket, err := c.Ticket(t.Context(), got.Credential, imap, nil)
				require.NoError(t, err)
				require.Equal(t, "imap/mail.example.com@EXAMPLE.COM", ticket.Server.String())
				require.Equal(t, "EXAMPLE.COM", k.crealm)
				var theirs messages.Ticket
				require.NoError(t, theirs.Unmarshal(ticket.Ticket))
				require.NoError(t, theirs.Decrypt(k.service))
				require.Equal(t, theirs.DecryptedEncPart.Key.KeyValue, ticket.Key.Value.Bytes())
			})
		}
	}
}
