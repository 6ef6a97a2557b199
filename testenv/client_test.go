package testenv_test

import (
	"context"
	"testing"
	"time"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/testenv"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"
)

const (
	realm    = "EXAMPLE.TEST"
	password = "correct horse"
	service  = "host/server.example.test"
)

// newKDC makes a KDC with a user and a service.
func newKDC(t testing.TB, o *testenv.Options) *testenv.KDC {
	k := testenv.NewKDC(o)
	t.Cleanup(k.Close)
	k.AddUser("alice", password)
	k.AddService(service)
	return k
}

func principal(parts ...string) types.PrincipalName {
	return types.PrincipalName{NameType: nametype.KRB_NT_PRINCIPAL, NameString: parts}
}

var (
	alice = principal("alice")
	tgs   = types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", realm}}
	host  = principal("host", "server.example.test")
)

// body is a request body for etype with a day's lifetime.
func body(etype int32, sname types.PrincipalName, options ...int) messages.KDCReqBody {
	b := messages.KDCReqBody{
		KDCOptions: types.NewKrbFlags(), CName: alice, Realm: realm, SName: sname,
		Till: time.Now().UTC().Add(24 * time.Hour), Nonce: 0x12345678, EType: []int32{etype},
	}
	types.SetFlags(&b.KDCOptions, options)
	return b
}

// reply is what a KDC answered: err if it is a KRB-ERROR.
type reply struct {
	err  messages.KRBError
	rep  messages.KDCRepFields
	part messages.EncKDCRepPart
}

func (r reply) code() int32 { return r.err.ErrorCode }

func exchange(t testing.TB, k *testenv.KDC, req []byte) []byte {
	b, err := k.Exchange(context.Background(), &krb5.Request{Realm: k.Realm(), Message: req, TCP: true})
	require.NoError(t, err)
	return b
}

func parse(t testing.TB, b []byte, key types.EncryptionKey, usage uint32) reply {
	var r reply
	if r.err.Unmarshal(b) == nil {
		return r
	}
	var as messages.ASRep
	var tg messages.TGSRep
	if as.Unmarshal(b) == nil {
		r.rep = as.KDCRepFields
	} else {
		require.NoError(t, tg.Unmarshal(b))
		r.rep = tg.KDCRepFields
	}
	plain, err := crypto.DecryptEncPart(r.rep.EncPart, key, usage)
	require.NoError(t, err)
	want := byte(0x60 | 25)
	if usage != keyusage.AS_REP_ENCPART {
		want = 0x60 | 26
	}
	require.Equal(t, want, plain[0], "application tag of the encrypted part")
	require.NoError(t, r.part.Unmarshal(plain))
	require.Equal(t, 0x12345678, r.part.Nonce)
	return r
}

func stringToKey(t testing.TB, etype int32, password, salt string) types.EncryptionKey {
	et, err := crypto.GetEtype(etype)
	require.NoError(t, err)
	key, err := et.StringToKey(password, salt, et.GetDefaultStringToKeyParams())
	require.NoError(t, err)
	return types.EncryptionKey{KeyType: etype, KeyValue: key}
}

// timestamp is PA-ENC-TIMESTAMP.
func timestamp(t testing.TB, key types.EncryptionKey, at time.Time) types.PAData {
	at = at.UTC()
	plain, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: at, PAUSec: at.Nanosecond() / 1000})
	require.NoError(t, err)
	return sealedPA(t, key, plain)
}

func sealedPA(t testing.TB, key types.EncryptionKey, plain []byte) types.PAData {
	enc, err := crypto.GetEncryptedData(plain, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, 0)
	require.NoError(t, err)
	value, err := asn1.Marshal(enc)
	require.NoError(t, err)
	return types.PAData{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}
}

func asReq(t testing.TB, b messages.KDCReqBody, pa ...types.PAData) []byte {
	req := messages.ASReq{KDCReqFields: messages.KDCReqFields{PVNO: 5, MsgType: 10, PAData: pa, ReqBody: b}}
	m, err := req.Marshal()
	require.NoError(t, err)
	return m
}

// login is a whole AS exchange with alice's password.
func login(t testing.TB, k *testenv.KDC, b messages.KDCReqBody, pa ...types.PAData) reply {
	key := stringToKey(t, b.EType[0], password, realm+"alice")
	pa = append(pa, timestamp(t, key, time.Now()))
	return parse(t, exchange(t, k, asReq(t, b, pa...)), key, keyusage.AS_REP_ENCPART)
}

// tgsOptions changes a TGS-REQ away from what is right.
type tgsOptions struct {
	subkey   *types.EncryptionKey
	cksum    func(*types.Checksum)
	auth     func(*types.Authenticator)
	rawBody  []byte
	noPAData bool
}

// tgsReq is a TGS-REQ made of gokrb5's parts.
func tgsReq(t testing.TB, tgt messages.Ticket, key types.EncryptionKey, b messages.KDCReqBody, o tgsOptions) []byte {
	raw := o.rawBody
	if raw == nil {
		var err error
		raw, err = b.Marshal()
		require.NoError(t, err)
	}
	et, err := crypto.GetEtype(key.KeyType)
	require.NoError(t, err)
	sum, err := et.GetChecksumHash(key.KeyValue, raw, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
	require.NoError(t, err)
	auth, err := types.NewAuthenticator(realm, alice)
	require.NoError(t, err)
	auth.Cksum = types.Checksum{CksumType: et.GetHashID(), Checksum: sum}
	if o.cksum != nil {
		o.cksum(&auth.Cksum)
	}
	if o.subkey != nil {
		auth.SubKey = *o.subkey
	}
	if o.auth != nil {
		o.auth(&auth)
	}
	ap, err := messages.NewAPReq(tgt, key, auth)
	require.NoError(t, err)
	value, err := ap.Marshal()
	require.NoError(t, err)
	pa := types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: value}}
	if o.noPAData {
		pa = nil
	}
	m := struct {
		PVNO    int                  `asn1:"explicit,tag:1"`
		MsgType int                  `asn1:"explicit,tag:2"`
		PAData  types.PADataSequence `asn1:"explicit,optional,tag:3"`
		Body    asn1.RawValue        `asn1:"explicit,tag:4"`
	}{5, 12, pa, asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Tag: 4, Bytes: raw}}
	inner, err := asn1.Marshal(m)
	require.NoError(t, err)
	out, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, IsCompound: true, Tag: 12, Bytes: inner})
	require.NoError(t, err)
	return out
}

// openTicket decrypts a ticket with a keytab.
func openTicket(t testing.TB, ticket messages.Ticket, table []byte) messages.EncTicketPart {
	kt := keytab.New()
	require.NoError(t, kt.Unmarshal(table))
	require.NoError(t, ticket.DecryptEncPart(kt, nil))
	return ticket.DecryptedEncPart
}

func flagsOf(f asn1.BitString) (set []int) {
	for i := range f.BitLength {
		if f.At(i) != 0 {
			set = append(set, i)
		}
	}
	return set
}

func krb5Config(t testing.TB, k *testenv.KDC, etype int32) *config.Config {
	c, err := config.NewFromString(k.Config())
	require.NoError(t, err)
	c.LibDefaults.DefaultTktEnctypeIDs = []int32{etype}
	c.LibDefaults.DefaultTGSEnctypeIDs = []int32{etype}
	c.LibDefaults.PermittedEnctypeIDs = []int32{etype}
	return c
}
