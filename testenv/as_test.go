package testenv_test

import (
	"testing"
	"time"

	"github.com/gss-go/gssapi/testenv"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"
)

func methodData(t *testing.T, e messages.KRBError) (list types.PADataSequence, info types.ETypeInfo2) {
	require.NoError(t, list.Unmarshal(e.EData))
	for _, pa := range list {
		if pa.PADataType == patype.PA_ETYPE_INFO2 {
			require.NoError(t, info.Unmarshal(pa.PADataValue))
		}
	}
	return list, info
}

func TestPreauthRequired(t *testing.T) {
	k := newKDC(t, nil)
	b := body(17, tgs)
	b.EType = []int32{99, 19, 17, 19, 23}
	r := parse(t, exchange(t, k, asReq(t, b)), types.EncryptionKey{}, 0)
	require.Equal(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, r.code())
	require.Equal(t, alice, r.err.CName)
	require.Equal(t, tgs, r.err.SName)
	list, info := methodData(t, r.err)
	require.True(t, list.Contains(patype.PA_ENC_TIMESTAMP))
	require.Equal(t, types.ETypeInfo2{{EType: 19, Salt: realm + "alice"}, {EType: 17, Salt: realm + "alice"}}, info)
}

func TestSaltAndIterations(t *testing.T) {
	k := testenv.NewKDC(&testenv.Options{NoListen: true, Iterations: 0x2000, Enctypes: []int32{18, 23}})
	defer k.Close()
	k.AddUserSalt("alice", password, "pepper")
	b := body(18, tgs)
	b.EType = []int32{18, 23}
	r := parse(t, exchange(t, k, asReq(t, b)), types.EncryptionKey{}, 0)
	_, info := methodData(t, r.err)
	require.Equal(t, types.ETypeInfo2{{EType: 18, Salt: "pepper", S2KParams: []byte{0, 0, 0x20, 0}}, {EType: 23}}, info)

	et, err := crypto.GetEtype(18)
	require.NoError(t, err)
	value, err := et.StringToKey(password, "pepper", "00002000")
	require.NoError(t, err)
	key := types.EncryptionKey{KeyType: 18, KeyValue: value}
	r = parse(t, exchange(t, k, asReq(t, b, timestamp(t, key, time.Now()))), key, keyusage.AS_REP_ENCPART)
	require.Zero(t, r.code())
}

// TestNTHash compares with the NT hash of a password that is not ASCII, which
// gokrb5 gets wrong.
func TestNTHash(t *testing.T) {
	k := testenv.NewKDC(&testenv.Options{NoListen: true, Enctypes: []int32{23}})
	defer k.Close()
	k.AddUser("alice", "p\u00e4ss\U0001d11e")
	table := k.UserKeytab("alice")
	// OpenSSL's MD4 of 7000 e400 7300 7300 34d8 1edd.
	require.Contains(t, string(table), "\x00\x17\x00\x10"+"\x17\x01\x88\x40\x95\xfe\x25\x14\xa7\x83\x3b\xd2\xdd\x39\xb2\xf4")
}

func TestLogin(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	for _, etype := range []int32{17, 18, 19, 20} {
		r := login(t, k, body(etype, tgs))
		require.Zero(t, r.code())
		require.Equal(t, alice, r.rep.CName)
		require.Equal(t, realm, r.rep.CRealm)
		require.Equal(t, tgs, r.rep.Ticket.SName)
		require.Equal(t, 1, r.rep.EncPart.KVNO)
		require.Equal(t, etype, r.rep.EncPart.EType)
		require.Equal(t, etype, r.part.Key.KeyType)
		require.Equal(t, int32(18), r.rep.Ticket.EncPart.EType)
		require.Equal(t, []int{flags.Initial, flags.PreAuthent}, flagsOf(r.part.Flags))
		require.Empty(t, r.part.EncPAData)
		require.WithinDuration(t, time.Now().Add(10*time.Hour), r.part.EndTime, 5*time.Second)
	}
}

func TestASFlagsAndTimes(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true, TicketLifetime: time.Hour, RenewLifetime: 3 * time.Hour})
	now := time.Now().UTC()

	b := body(18, tgs, flags.Forwardable, flags.Proxiable, flags.Renewable, flags.Canonicalize)
	b.RTime = now.Add(2 * time.Hour)
	b.Addresses = []types.HostAddress{{AddrType: 2, Address: []byte{127, 0, 0, 1}}}
	r := login(t, k, b)
	require.Equal(t, []int{flags.Forwardable, flags.Proxiable, flags.Renewable, flags.Initial, flags.PreAuthent}, flagsOf(r.part.Flags))
	require.WithinDuration(t, now.Add(time.Hour), r.part.EndTime, 5*time.Second)
	require.Equal(t, b.RTime.Truncate(time.Second), r.part.RenewTill)
	require.Equal(t, b.Addresses, r.part.CAddr)
	inner := openTicket(t, r.rep.Ticket, k.UserKeytab("krbtgt/"+realm))
	require.Equal(t, r.part.Flags, inner.Flags)
	require.Equal(t, r.part.Key, inner.Key)
	require.Equal(t, b.Addresses, []types.HostAddress(inner.CAddr))

	b = body(18, tgs, flags.RenewableOK)
	r = login(t, k, b)
	require.Equal(t, now.Add(3*time.Hour).Truncate(time.Minute), r.part.RenewTill.Truncate(time.Minute))

	b = body(18, tgs)
	b.Till = time.Unix(0, 0).UTC()
	require.WithinDuration(t, now.Add(time.Hour), login(t, k, b).part.EndTime, 5*time.Second)
	b.Till = now.Add(time.Minute)
	require.Equal(t, b.Till.Truncate(time.Second), login(t, k, b).part.EndTime)

	b.Till = now.Add(-time.Minute)
	require.Equal(t, errorcode.KDC_ERR_NEVER_VALID, login(t, k, b).code())
	b = body(18, tgs)
	b.From = now.Add(time.Hour)
	require.Equal(t, errorcode.KDC_ERR_CANNOT_POSTDATE, login(t, k, b).code())
	for _, refused := range []int{flags.PostDated, flags.RequestAnonymous, flags.EncTktInSkey, flags.Renew, flags.Validate, flags.Forwarded, flags.Proxy} {
		require.Equal(t, errorcode.KDC_ERR_BADOPTION, login(t, k, body(18, tgs, refused)).code(), "option %d", refused)
	}
}

func TestASRefused(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	key := stringToKey(t, 18, password, realm+"alice")
	good := timestamp(t, key, time.Now())
	other := func(change func(*messages.KDCReqBody)) messages.KDCReqBody {
		b := body(18, tgs)
		change(&b)
		return b
	}
	tests := []struct {
		name string
		body messages.KDCReqBody
		pa   types.PAData
		code int32
	}{
		{"wrong password", body(18, tgs), timestamp(t, stringToKey(t, 18, "wrong", realm+"alice"), time.Now()), errorcode.KDC_ERR_PREAUTH_FAILED},
		{"late", body(18, tgs), timestamp(t, key, time.Now().Add(-6*time.Minute)), errorcode.KRB_AP_ERR_SKEW},
		{"early", body(18, tgs), timestamp(t, key, time.Now().Add(6*time.Minute)), errorcode.KRB_AP_ERR_SKEW},
		{"garbage timestamp", body(18, tgs), types.PAData{PADataType: 2, PADataValue: []byte("x")}, errorcode.KDC_ERR_PREAUTH_FAILED},
		{"garbage inside", body(18, tgs), sealedPA(t, key, []byte("x")), errorcode.KDC_ERR_PREAUTH_FAILED},
		{"unknown client", other(func(b *messages.KDCReqBody) { b.CName = principal("bob") }), good, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN},
		{"no client", other(func(b *messages.KDCReqBody) { b.CName = types.PrincipalName{} }), good, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN},
		{"unknown service", body(18, principal("host", "nowhere")), good, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN},
		{"no service", body(18, types.PrincipalName{}), good, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN},
		{"another realm", other(func(b *messages.KDCReqBody) { b.Realm = "OTHER.TEST" }), good, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN},
		{"enctype", body(23, tgs), good, errorcode.KDC_ERR_ETYPE_NOSUPP},
		{"no enctype", other(func(b *messages.KDCReqBody) { b.EType = nil }), good, errorcode.KDC_ERR_ETYPE_NOSUPP},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := parse(t, exchange(t, k, asReq(t, test.body, test.pa)), key, keyusage.AS_REP_ENCPART)
			require.Equal(t, test.code, r.code())
		})
	}

	// A short ciphertext is what gokrb5 slices out of bounds.
	for size := range 60 {
		value, err := asn1.Marshal(types.EncryptedData{EType: 18, Cipher: make([]byte, size)})
		require.NoError(t, err)
		req := asReq(t, body(18, tgs), types.PAData{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value})
		require.Equal(t, errorcode.KDC_ERR_PREAUTH_FAILED, parse(t, exchange(t, k, req), key, 3).code())
	}
}

func TestNoPreauth(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true, NoPreauth: true})
	key := stringToKey(t, 18, password, realm+"alice")
	r := parse(t, exchange(t, k, asReq(t, body(18, tgs))), key, keyusage.AS_REP_ENCPART)
	require.Equal(t, []int{flags.Initial}, flagsOf(r.part.Flags))
}

// TestEncPARep verifies the checksum of RFC 6806 §11 over the request.
func TestEncPARep(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	key := stringToKey(t, 20, password, realm+"alice")
	req := asReq(t, body(20, tgs), types.PAData{PADataType: patype.PA_REQ_ENC_PA_REP}, timestamp(t, key, time.Now()))
	r := parse(t, exchange(t, k, req), key, keyusage.AS_REP_ENCPART)
	require.Contains(t, flagsOf(r.part.Flags), flags.EncPARep)
	require.Len(t, r.part.EncPAData, 1)
	require.Equal(t, patype.PA_REQ_ENC_PA_REP, r.part.EncPAData[0].PADataType)
	var sum types.PAReqEncPARep
	require.NoError(t, sum.Unmarshal(r.part.EncPAData[0].PADataValue))
	et, err := crypto.GetChksumEtype(sum.ChksumType)
	require.NoError(t, err)
	require.True(t, et.VerifyChecksum(key.KeyValue, req, sum.Chksum, keyusage.KEY_USAGE_AS_REQ))
}

func TestEnterpriseName(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	b := body(18, tgs, flags.Canonicalize)
	b.CName = types.PrincipalName{NameType: nametype.KRB_NT_ENTERPRISE, NameString: []string{"alice@example.test"}}
	require.Equal(t, alice, login(t, k, b).rep.CName)
	b.CName.NameString[0] = "alice@elsewhere.test"
	require.Equal(t, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, login(t, k, b).code())
}

func TestASForService(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	table := k.AddServiceEnctypes("odd/server", 19, 99)
	r := login(t, k, body(18, principal("odd", "server")))
	require.Equal(t, errorcode.KDC_ERR_ETYPE_NOSUPP, r.code())
	b := body(18, principal("odd", "server"))
	b.EType = []int32{18, 19}
	r = login(t, k, b)
	require.Equal(t, int32(19), r.part.Key.KeyType)
	require.Equal(t, int32(18), r.rep.EncPart.EType)
	require.Equal(t, r.part.Key, openTicket(t, r.rep.Ticket, table).Key)
}
