package testenv_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/gss-go/gssapi/testenv"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"
)

func TestTGS(t *testing.T) {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	k.AddUser("alice", password)
	table := k.AddService(service)
	for _, etype := range []int32{17, 18, 19, 20} {
		tgt := login(t, k, body(etype, tgs))
		subkey := types.EncryptionKey{KeyType: etype, KeyValue: make([]byte, len(tgt.part.Key.KeyValue))}
		for _, o := range []tgsOptions{{}, {subkey: &subkey}} {
			key, usage := tgt.part.Key, uint32(keyusage.TGS_REP_ENCPART_SESSION_KEY)
			if o.subkey != nil {
				key, usage = subkey, keyusage.TGS_REP_ENCPART_AUTHENTICATOR_SUB_KEY
			}
			r := parse(t, exchange(t, k, tgsReq(t, tgt.rep.Ticket, tgt.part.Key, body(etype, host), o)), key, usage)
			require.Zero(t, r.code())
			require.Equal(t, etype, r.part.Key.KeyType)
			require.Equal(t, []int{flags.PreAuthent, flags.TransitedPolicyChecked}, flagsOf(r.part.Flags))
			require.Equal(t, tgt.part.AuthTime, r.part.AuthTime)
			require.Equal(t, tgt.part.EndTime, r.part.EndTime)
			require.Zero(t, r.rep.EncPart.KVNO)
			require.Equal(t, int32(18), r.rep.Ticket.EncPart.EType)
			inner := openTicket(t, r.rep.Ticket, table)
			require.Equal(t, r.part.Key, inner.Key)
			require.Equal(t, alice, inner.CName)
			require.Equal(t, realm, inner.CRealm)
		}
	}
}

func TestTGSRefused(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	tgt := login(t, k, body(18, tgs))
	notTGT := login(t, k, body(18, host))
	ticket, key := tgt.rep.Ticket, tgt.part.Key
	badTicket, badVersion, noKey := ticket, ticket, ticket
	badTicket.EncPart.Cipher = append([]byte{}, ticket.EncPart.Cipher...)
	badTicket.EncPart.Cipher[40] ^= 1
	badVersion.EncPart.KVNO = 7
	noKey.EncPart.EType = 23
	shortKey := types.EncryptionKey{KeyType: 18, KeyValue: []byte("short")}
	late := body(18, host)
	late.Till = time.Now().UTC().Add(-time.Hour)
	elsewhere := body(18, host)
	elsewhere.Realm = "OTHER.TEST"

	tests := []struct {
		name   string
		ticket messages.Ticket
		key    types.EncryptionKey
		body   messages.KDCReqBody
		o      tgsOptions
		code   int32
	}{
		{"no padata", ticket, key, body(18, host), tgsOptions{noPAData: true}, errorcode.KDC_ERR_PADATA_TYPE_NOSUPP},
		{"not a TGT", notTGT.rep.Ticket, notTGT.part.Key, body(18, host), tgsOptions{}, errorcode.KRB_AP_ERR_NOT_US},
		{"modified ticket", badTicket, key, body(18, host), tgsOptions{}, errorcode.KRB_AP_ERR_BAD_INTEGRITY},
		{"key version", badVersion, key, body(18, host), tgsOptions{}, errorcode.KRB_AP_ERR_BADKEYVER},
		{"no key", noKey, key, body(18, host), tgsOptions{}, errorcode.KRB_AP_ERR_NOKEY},
		{"wrong session key", ticket, notTGT.part.Key, body(18, host), tgsOptions{}, errorcode.KRB_AP_ERR_BAD_INTEGRITY},
		{"client name", ticket, key, body(18, host), tgsOptions{auth: func(a *types.Authenticator) { a.CName = principal("bob") }}, errorcode.KRB_AP_ERR_BADMATCH},
		{"client realm", ticket, key, body(18, host), tgsOptions{auth: func(a *types.Authenticator) { a.CRealm = "OTHER.TEST" }}, errorcode.KRB_AP_ERR_BADMATCH},
		{"skew", ticket, key, body(18, host), tgsOptions{auth: func(a *types.Authenticator) { a.CTime = a.CTime.Add(-time.Hour) }}, errorcode.KRB_AP_ERR_SKEW},
		{"no checksum", ticket, key, body(18, host), tgsOptions{cksum: func(c *types.Checksum) { *c = types.Checksum{} }}, errorcode.KRB_AP_ERR_INAPP_CKSUM},
		{"checksum type", ticket, key, body(18, host), tgsOptions{cksum: func(c *types.Checksum) { c.CksumType = 7 }}, errorcode.KRB_AP_ERR_MODIFIED},
		{"checksum", ticket, key, body(18, host), tgsOptions{cksum: func(c *types.Checksum) { c.Checksum[0] ^= 1 }}, errorcode.KRB_AP_ERR_MODIFIED},
		{"short checksum", ticket, key, body(18, host), tgsOptions{cksum: func(c *types.Checksum) { c.Checksum = c.Checksum[:1] }}, errorcode.KRB_AP_ERR_MODIFIED},
		{"subkey size", ticket, key, body(18, host), tgsOptions{subkey: &shortKey}, errorcode.KDC_ERR_ETYPE_NOSUPP},
		{"unknown service", ticket, key, body(18, principal("host", "nowhere")), tgsOptions{}, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN},
		{"no service", ticket, key, body(18, types.PrincipalName{}), tgsOptions{}, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN},
		{"another realm", ticket, key, elsewhere, tgsOptions{}, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN},
		{"enctype", ticket, key, body(23, host), tgsOptions{}, errorcode.KDC_ERR_ETYPE_NOSUPP},
		{"never valid", ticket, key, late, tgsOptions{}, errorcode.KDC_ERR_NEVER_VALID},
		{"postdated", ticket, key, body(18, host, flags.PostDated), tgsOptions{}, errorcode.KDC_ERR_BADOPTION},
		{"user to user", ticket, key, body(18, host, flags.EncTktInSkey), tgsOptions{}, errorcode.KDC_ERR_BADOPTION},
		{"constrained delegation", ticket, key, body(18, host, 14), tgsOptions{}, errorcode.KDC_ERR_BADOPTION},
		{"forwarded", ticket, key, body(18, host, flags.Forwarded), tgsOptions{}, errorcode.KDC_ERR_BADOPTION},
		{"proxy", ticket, key, body(18, host, flags.Proxy), tgsOptions{}, errorcode.KDC_ERR_BADOPTION},
		{"not renewable", ticket, key, body(18, tgs, flags.Renew), tgsOptions{}, errorcode.KDC_ERR_BADOPTION},
		{"renew another", ticket, key, body(18, host, flags.Renew), tgsOptions{}, errorcode.KRB_AP_ERR_NOT_US},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := parse(t, exchange(t, k, tgsReq(t, test.ticket, test.key, test.body, test.o)), key, 8)
			require.Equal(t, test.code, r.code())
		})
	}
}

// TestTGSRawBody sends a body that decodes and encodes to other bytes: an empty
// list of addresses. The checksum counts over what was sent.
func TestTGSRawBody(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	tgt := login(t, k, body(18, tgs))
	b := body(18, host)
	der, err := b.Marshal()
	require.NoError(t, err)
	var seq asn1.RawValue
	_, err = asn1.Unmarshal(der, &seq)
	require.NoError(t, err)
	raw, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: append(seq.Bytes, 0xa9, 2, 0x30, 0)})
	require.NoError(t, err)
	r := parse(t, exchange(t, k, tgsReq(t, tgt.rep.Ticket, tgt.part.Key, b, tgsOptions{rawBody: raw})), tgt.part.Key, 8)
	require.Zero(t, r.code())
}

func TestForward(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	k.OKAsDelegate(service, true)
	k.OKAsDelegate("nobody", true)
	tgt := login(t, k, body(18, tgs, flags.Forwardable, flags.Proxiable))
	b := body(18, tgs, flags.Forwarded, flags.Forwardable)
	b.Addresses = []types.HostAddress{{AddrType: 2, Address: []byte{127, 0, 0, 1}}}
	r := parse(t, exchange(t, k, tgsReq(t, tgt.rep.Ticket, tgt.part.Key, b, tgsOptions{})), tgt.part.Key, 8)
	require.Equal(t, []int{flags.Forwardable, flags.Forwarded, flags.PreAuthent, flags.TransitedPolicyChecked}, flagsOf(r.part.Flags))
	require.Equal(t, b.Addresses, r.part.CAddr)

	// What is got with a forwarded ticket is forwarded, and not proxiable if
	// that one is not.
	r = parse(t, exchange(t, k, tgsReq(t, r.rep.Ticket, r.part.Key, body(18, host, flags.Proxiable), tgsOptions{})), r.part.Key, 8)
	require.Equal(t, []int{flags.Forwarded, flags.PreAuthent, flags.TransitedPolicyChecked, flags.OKAsDelegate}, flagsOf(r.part.Flags))
	require.Equal(t, b.Addresses, r.part.CAddr)
}

func TestRenewAndExpire(t *testing.T) {
	var ahead atomic.Int64
	k := newKDC(t, &testenv.Options{NoListen: true, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	b := body(18, tgs, flags.Renewable)
	b.Till = time.Now().UTC().Add(time.Hour)
	tgt := login(t, k, b)
	send := func(b messages.KDCReqBody) reply {
		o := tgsOptions{auth: func(a *types.Authenticator) { a.CTime = a.CTime.Add(time.Duration(ahead.Load())) }}
		return parse(t, exchange(t, k, tgsReq(t, tgt.rep.Ticket, tgt.part.Key, b, o)), tgt.part.Key, 8)
	}

	ahead.Store(int64(30 * time.Minute))
	r := send(body(18, tgs, flags.Renew))
	require.Equal(t, []int{flags.Renewable, flags.PreAuthent}, flagsOf(r.part.Flags))
	require.WithinDuration(t, time.Now().Add(90*time.Minute), r.part.EndTime, 5*time.Second)
	require.Equal(t, tgt.part.RenewTill, r.part.RenewTill)
	require.Equal(t, tgt.part.AuthTime, r.part.AuthTime)

	ahead.Store(int64(2 * time.Hour))
	require.Equal(t, errorcode.KRB_AP_ERR_TKT_EXPIRED, send(body(18, host)).code())
	k.Skew(-8 * time.Hour)
	ahead.Store(0)
	require.Equal(t, errorcode.KRB_AP_ERR_TKT_NYV, send(body(18, host)).code())
}

// TestAuthorizationData sends authorization data along, under either key.
func TestAuthorizationData(t *testing.T) {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	k.AddUser("alice", password)
	table := k.AddService(service)
	tgt := login(t, k, body(18, tgs))
	subkey := types.EncryptionKey{KeyType: 17, KeyValue: make([]byte, 16)}
	want := types.AuthorizationData{{ADType: 1, ADData: []byte{0x30, 0}}, {ADType: 999, ADData: []byte("x")}}
	plain, err := asn1.Marshal(want)
	require.NoError(t, err)
	for _, test := range []struct {
		name  string
		key   types.EncryptionKey
		usage uint32
		o     tgsOptions
		code  int32
	}{
		{"session key", tgt.part.Key, 4, tgsOptions{}, 0},
		{"subkey", subkey, 5, tgsOptions{subkey: &subkey}, 0},
		{"wrong usage", tgt.part.Key, 5, tgsOptions{}, errorcode.KRB_AP_ERR_BAD_INTEGRITY},
		{"wrong key", tgt.part.Key, 5, tgsOptions{subkey: &subkey}, errorcode.KRB_AP_ERR_BAD_INTEGRITY},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := body(18, host)
			b.EncAuthData, err = crypto.GetEncryptedData(plain, test.key, test.usage, 0)
			require.NoError(t, err)
			key, usage := tgt.part.Key, uint32(8)
			if test.o.subkey != nil {
				key, usage = subkey, 9
			}
			r := parse(t, exchange(t, k, tgsReq(t, tgt.rep.Ticket, tgt.part.Key, b, test.o)), key, usage)
			require.Equal(t, test.code, r.code())
			if test.code == 0 {
				require.Equal(t, want, openTicket(t, r.rep.Ticket, table).AuthorizationData)
			}
		})
	}
}

// A postdated ticket is good for nothing until its time has come and it was
// validated (RFC 4120 §2.4).
func TestPostdated(t *testing.T) {
	var ahead atomic.Int64
	k := newKDC(t, &testenv.Options{NoListen: true, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	b := body(18, tgs, flags.PostDated, flags.Renewable)
	b.From = time.Now().UTC().Add(time.Hour)
	tgt := login(t, k, b)
	require.Zero(t, tgt.code())
	require.Contains(t, flagsOf(tgt.part.Flags), flags.Invalid)
	require.Contains(t, flagsOf(tgt.part.Flags), flags.PostDated)
	require.WithinDuration(t, b.From, tgt.part.StartTime, time.Second)
	ask := func(r reply, sname types.PrincipalName, options ...int) reply {
		return parse(t, exchange(t, k, tgsReq(t, r.rep.Ticket, r.part.Key, body(18, sname, options...), tgsOptions{auth: func(a *types.Authenticator) {
			a.CTime = a.CTime.Add(time.Duration(ahead.Load()))
		}})), r.part.Key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	}
	require.Equal(t, errorcode.KRB_AP_ERR_TKT_NYV, ask(tgt, host).code())
	require.Equal(t, errorcode.KRB_AP_ERR_TKT_NYV, ask(tgt, tgs, flags.Validate).code(), "too early")
	ahead.Store(int64(61 * time.Minute))
	require.Equal(t, errorcode.KRB_AP_ERR_TKT_NYV, ask(tgt, host).code(), "not validated")
	valid := ask(tgt, tgs, flags.Validate)
	require.Zero(t, valid.code())
	require.NotContains(t, flagsOf(valid.part.Flags), flags.Invalid)
	require.Equal(t, tgt.part.EndTime, valid.part.EndTime)
	require.Zero(t, ask(valid, host).code())
	require.Equal(t, errorcode.KRB_AP_ERR_TKT_NYV, ask(valid, tgs, flags.Validate).code(), "valid already")
}
