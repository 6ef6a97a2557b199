package testenv_test

import (
	"testing"
	"time"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/testenv"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"
)

// threeRealms are EXAMPLE.TEST, which trusts B.TEST, which trusts C.TEST.
func threeRealms(t *testing.T) (a, b, c *testenv.KDC) {
	t.Helper()
	a = newKDC(t, &testenv.Options{NoListen: true})
	b = newKDC(t, &testenv.Options{Realm: "B.TEST", NoListen: true})
	c = newKDC(t, &testenv.Options{Realm: "C.TEST", NoListen: true})
	a.Trust(b)
	b.Trust(c)
	return a, b, c
}

// inRealm is a request to another realm's KDC with a ticket-granting ticket of
// alice's.
func inRealm(t *testing.T, k *testenv.KDC, tgt messages.Ticket, key types.EncryptionKey, b messages.KDCReqBody) reply {
	t.Helper()
	b.Realm = k.Realm()
	return parse(t, exchange(t, k, tgsReq(t, tgt, key, b, tgsOptions{})), key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
}

func TestReferrals(t *testing.T) {
	a, b, c := threeRealms(t)
	table := c.AddService("http/www.c.test")
	www := principal("http", "www.c.test")
	tgt := login(t, a, body(18, tgs))

	r := inRealm(t, a, tgt.rep.Ticket, tgt.part.Key, body(18, www))
	require.Equal(t, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, r.code(), "nobody asked for referrals")

	r = inRealm(t, a, tgt.rep.Ticket, tgt.part.Key, body(18, www, flags.Canonicalize))
	require.Zero(t, r.code())
	require.Equal(t, []string{"krbtgt", "B.TEST"}, r.part.SName.NameString)
	r = inRealm(t, b, r.rep.Ticket, r.part.Key, body(18, www, flags.Canonicalize))
	require.Zero(t, r.code())
	require.Equal(t, []string{"krbtgt", "C.TEST"}, r.part.SName.NameString)
	r = inRealm(t, c, r.rep.Ticket, r.part.Key, body(18, www, flags.Canonicalize))
	require.Zero(t, r.code())
	require.Equal(t, "C.TEST", r.rep.Ticket.Realm)
	inner := openTicket(t, r.rep.Ticket, table)
	require.Equal(t, realm, inner.CRealm)
	require.Equal(t, "B.TEST", string(inner.Transited.Contents), "the realms between, not the ends")

	// A ticket-granting ticket for a realm that is not a neighbor is one for the
	// realm on the way, without being asked to.
	r = inRealm(t, a, tgt.rep.Ticket, tgt.part.Key, body(18, principal("krbtgt", "C.TEST")))
	require.Zero(t, r.code())
	require.Equal(t, []string{"krbtgt", "B.TEST"}, r.part.SName.NameString)
	r = inRealm(t, a, tgt.rep.Ticket, tgt.part.Key, body(18, principal("krbtgt", "NOWHERE.TEST")))
	require.Equal(t, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, r.code())
}

func TestClientReferral(t *testing.T) {
	a, _, c := threeRealms(t)
	c.AddUser("carol", password)
	b := body(18, tgs)
	b.CName = principal("carol")
	r := parse(t, exchange(t, a, asReq(t, b)), types.EncryptionKey{}, 0)
	require.Equal(t, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, r.code())
	b = body(18, tgs, flags.Canonicalize)
	b.CName = principal("carol")
	r = parse(t, exchange(t, a, asReq(t, b)), types.EncryptionKey{}, 0)
	require.Equal(t, errorcode.KDC_ERR_WRONG_REALM, r.code())
	require.Equal(t, "C.TEST", r.err.CRealm)
}

// forge makes a ticket-granting ticket of realm from for realm to, as the KDC of
// from could.
func forge(t *testing.T, from, to *testenv.KDC, client, crealm string) (messages.Ticket, types.EncryptionKey) {
	t.Helper()
	table := keytab.New()
	name := types.PrincipalName{NameType: 2, NameString: []string{"krbtgt", to.Realm()}}
	require.NoError(t, table.Unmarshal(from.UserKeytab("krbtgt/"+to.Realm())))
	key, kvno, err := table.GetEncryptionKey(name, from.Realm(), 0, 18)
	require.NoError(t, err)
	session := types.EncryptionKey{KeyType: 18, KeyValue: make([]byte, 32)}
	now := time.Now().UTC().Truncate(time.Second)
	plain, err := asn1.Marshal(messages.EncTicketPart{
		Flags: types.NewKrbFlags(), Key: session, CRealm: crealm, CName: principal(client), AuthTime: now, EndTime: now.Add(time.Hour),
	})
	require.NoError(t, err)
	enc, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(plain, asnAppTag.EncTicketPart), key, keyusage.KDC_REP_TICKET, kvno)
	require.NoError(t, err)
	return messages.Ticket{TktVNO: 5, Realm: from.Realm(), SName: name, EncPart: enc}, session
}

// A trusted realm speaks for its own users, and not for ours.
func TestTrustHasLimits(t *testing.T) {
	a, b, _ := threeRealms(t)
	stranger := newKDC(t, &testenv.Options{Realm: "STRANGER.TEST", NoListen: true})
	other := newKDC(t, &testenv.Options{Realm: "B.TEST", NoListen: true})
	stranger.Trust(other)
	for _, tc := range []struct {
		name         string
		from         *testenv.KDC
		to           *testenv.KDC
		client, real string
		want         int32
	}{
		{"its own user", b, a, "alice", "B.TEST", 0},
		{"a user of a third realm", b, a, "alice", "C.TEST", 0},
		{"our user", b, a, "alice", realm, errorcode.KDC_ERR_POLICY},
		{"another realm of that name", other, stranger, "alice", "B.TEST", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ticket, key := forge(t, tc.from, tc.to, tc.client, tc.real)
			req := body(18, host)
			req.Realm = tc.to.Realm()
			r := parse(t, exchange(t, tc.to, tgsReq(t, ticket, key, req, tgsOptions{auth: func(x *types.Authenticator) {
				x.CRealm = tc.real
			}})), key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
			require.Equal(t, tc.want, r.code())
		})
	}
	t.Run("a realm that is not trusted", func(t *testing.T) {
		ticket, key := forge(t, other, stranger, "alice", "B.TEST")
		r := inRealm(t, a, ticket, key, body(18, host))
		require.NotZero(t, r.code())
	})
}

// A KDC answers for all realms in its reach, and for no others.
func TestReach(t *testing.T) {
	a, _, c := threeRealms(t)
	c.AddUser("carol", password)
	for realm, ok := range map[string]bool{"B.TEST": true, "C.TEST": true, "D.TEST": false} {
		_, err := a.Exchange(t.Context(), &krb5.Request{Realm: realm, Message: []byte("garbage")})
		require.Equal(t, ok, err == nil, realm)
	}
	require.Contains(t, a.Config(), "C.TEST = {")
	a.Trust(a)
	_, err := a.Mechanism(nil).Login(t.Context(), "carol@C.TEST", &krb5.LoginOptions{Password: func() []byte { return []byte(password) }})
	require.NoError(t, err)
}
