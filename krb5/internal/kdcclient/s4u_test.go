package kdcclient

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

var bob = principal.New("EXAMPLE.COM", "bob")

// s4uKDC makes a fake KDC know S4U2Self. The hook changes what it confirms
// before it signs that, or after.
func s4uKDC(t testing.TB, k *fakeKDC, id func(*wire.S4UUserID), signed func(*wire.S4UX509User)) {
	t.Helper()
	k.part = func(r *wire.KDCRep, p *wire.EncKDCRepPart) {
		if r.Type != wire.MsgTGSRep {
			return
		}
		req := k.last()
		pa, ok := find(req.PAData, wire.PAS4UX509User)
		if !ok {
			return
		}
		_, auth, err := k.apReq(req)
		require.NoError(t, err)
		subkey, err := enctype.NewKey(auth.Subkey.Etype, auth.Subkey.Value)
		require.NoError(t, err)
		v, err := wire.ParseS4UX509User(pa.Value)
		require.NoError(t, err)
		require.NoError(t, subkey.VerifyChecksum(v.Checksum.Sum, usageS4UX509, v.ID.Raw))
		require.Equal(t, req.Body.Nonce, v.ID.Nonce)
		v.ID.Raw = nil
		r.Client = v.ID.User
		if id != nil {
			id(&v.ID)
		}
		usage := uint32(usageS4UX509)
		if v.ID.Options&wire.S4UUseReplyKeyUsage != 0 {
			usage = usageS4UX509Re
		}
		v.Checksum.Sum, err = subkey.Checksum(nil, usage, v.ID.Append(nil))
		require.NoError(t, err)
		if signed != nil {
			signed(v)
		}
		r.PAData = append(r.PAData, wire.PAData{Type: wire.PAS4UX509User, Value: v.Append(nil)})
	}
}

func TestForUser(t *testing.T) {
	for _, id := range allTypes {
		t.Run(id.String(), func(t *testing.T) {
			k := newKDC(t)
			s4uKDC(t, k, nil, nil)
			c := newClient(t, k, "")
			c.Enctypes = []etype.ID{id}
			tgt := getTGT(t, c)
			got, err := c.ForUser(t.Context(), tgt, bob, nil)
			require.NoError(t, err)
			require.True(t, got.Client.Equal(bob))
			require.True(t, got.Server.Equal(alice))
			require.NotZero(t, k.last().Body.Options&wire.OptCanonicalize)

			pa, ok := find(k.last().PAData, wire.PAForUser)
			require.True(t, ok)
			f, err := wire.ParseS4UForUser(pa.Value)
			require.NoError(t, err)
			require.True(t, f.User.Equal(bob))
			require.Equal(t, int32(-138), f.Checksum.Type)
			require.Equal(t, "Kerberos", f.AuthPackage)
		})
	}
}

// The checksum of PA-FOR-USER, against the RC4 enctype's own of the same number.
func TestForUserChecksum(t *testing.T) {
	key, err := enctype.NewKey(etype.RC4, bytes.Repeat([]byte{7}, 16))
	if err != nil {
		t.Skip("no RC4")
	}
	data := forUserData(principal.Name{Type: principal.TypeEnterprise, Realm: "EXAMPLE.COM", Components: []string{"bob@corp", "x"}})
	require.Equal(t, "\x0a\x00\x00\x00bob@corpxEXAMPLE.COMKerberos", string(data))
	want, err := key.Checksum(nil, usageForUser, data)
	require.NoError(t, err)
	require.Equal(t, want, hmacMD5(bytes.Repeat([]byte{7}, 16), usageForUser, data))
}

// Whatever is not the KDC's own word on the user is refused: on the wire anybody
// can take the padata out of a request, and change the client's name in a reply.
func TestForUserRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		id     func(*wire.S4UUserID)
		signed func(*wire.S4UX509User)
		part   func(*wire.KDCRep, *wire.EncKDCRepPart)
		is     krberr.Code
	}{
		{name: "another nonce", id: func(x *wire.S4UUserID) { x.Nonce++ }, is: krberr.KDCRepModified},
		{name: "another user", id: func(x *wire.S4UUserID) { x.User = alice }, is: krberr.KDCRepModified},
		{name: "no user", id: func(x *wire.S4UUserID) { x.User.Components = nil }, is: 0},
		{name: "the request's usage", id: func(x *wire.S4UUserID) { x.Options = 0 }, is: 0},
		{name: "changed after signing", signed: func(x *wire.S4UX509User) { x.ID.User = alice }, is: krberr.KDCRepModified},
		{name: "options taken out after signing", signed: func(x *wire.S4UX509User) { x.ID.Options = 0 }, is: krberr.KDCRepModified},
		{name: "wrong checksum", signed: func(x *wire.S4UX509User) { x.Checksum.Sum[0] ^= 1 }, is: krberr.KDCRepModified},
		{name: "short checksum", signed: func(x *wire.S4UX509User) { x.Checksum.Sum = nil }, is: krberr.KDCRepModified},
		{name: "no keyed checksum", signed: func(x *wire.S4UX509User) { x.Checksum.Type = 7 }, is: krberr.APInappCksum},
		{name: "a KDC that knows nothing of it", part: func(*wire.KDCRep, *wire.EncKDCRepPart) {}, is: krberr.KDCPadataTypeNosupp},
		{name: "and a forged name", part: func(r *wire.KDCRep, _ *wire.EncKDCRepPart) { r.Client = bob }, is: krberr.KDCPadataTypeNosupp},
		{name: "garbage", part: func(r *wire.KDCRep, _ *wire.EncKDCRepPart) {
			r.Client, r.PAData = bob, []wire.PAData{{Type: wire.PAS4UX509User, Value: []byte("x")}}
		}, is: krberr.KDCRepModified},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newKDC(t)
			c := newClient(t, k, "")
			tgt := getTGT(t, c)
			s4uKDC(t, k, tc.id, tc.signed)
			if tc.part != nil {
				k.part = tc.part
			}
			_, err := c.ForUser(t.Context(), tgt, bob, nil)
			if tc.is == 0 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tc.is)
		})
	}
	for _, tc := range []struct {
		name   string
		client principal.Name
		is     krberr.Code
	}{
		{"for the service itself", alice, krberr.KDCRepModified},
		{"for somebody else", principal.New("EXAMPLE.COM", "carol"), krberr.KDCRepModified},
		{"for a namesake", bob.WithRealm("OTHER.TEST"), krberr.KDCRepModified},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newKDC(t)
			c := newClient(t, k, "")
			tgt := getTGT(t, c)
			s4uKDC(t, k, nil, nil)
			right := k.part
			k.part = func(r *wire.KDCRep, p *wire.EncKDCRepPart) {
				right(r, p)
				r.Client = tc.client
			}
			_, err := c.ForUser(t.Context(), tgt, bob, nil)
			require.ErrorIs(t, err, tc.is)
		})
	}
	t.Run("nothing confirmed, with RC4", func(t *testing.T) {
		key, err := enctype.GenerateKey(etype.RC4)
		require.NoError(t, err)
		x, s := &tgsExchange{subkey: key}, &s4uSelf{own: alice, user: bob}
		part := &wire.EncKDCRepPart{Server: alice}
		require.ErrorIs(t, s.client(x, &wire.KDCRep{Client: alice}, part), krberr.KDCPadataTypeNosupp)
		require.ErrorIs(t, s.client(x, &wire.KDCRep{Client: imap}, part), krberr.KDCRepModified)
		require.NoError(t, s.client(x, &wire.KDCRep{Client: bob}, part))
	})
	t.Run("nobody", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		_, err := c.ForUser(t.Context(), getTGT(t, c), principal.Name{Realm: "EXAMPLE.COM"}, nil)
		require.ErrorIs(t, err, krberr.ParseMalformed)
	})
	t.Run("no ticket", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		_, err := c.ForUser(t.Context(), nil, bob, nil)
		require.ErrorIs(t, err, krberr.NoTktSupplied)
		_, err = c.Proxy(t.Context(), nil, nil, imap, nil)
		require.ErrorIs(t, err, krberr.NoTktSupplied)
		tgt := getTGT(t, c)
		_, err = c.Proxy(t.Context(), tgt, nil, imap, nil)
		require.ErrorIs(t, err, krberr.NoTktSupplied)
		_, err = c.Proxy(t.Context(), tgt, tgt, principal.Name{}, nil)
		require.ErrorIs(t, err, krberr.ParseMalformed)
	})
}

// Nobody knows where an enterprise name is but the KDCs.
func TestIdentify(t *testing.T) {
	user := principal.Name{Type: principal.TypeEnterprise, Realm: "EXAMPLE.COM", Components: []string{"bob@corp.test"}}
	for _, tc := range []struct {
		name   string
		answer map[string]krberr.Code // by realm; 0 is a ticket
		to     map[string]string
		realm  string
		is     krberr.Code
	}{
		{"here", map[string]krberr.Code{"EXAMPLE.COM": krberr.KDCPreauthRequired}, nil, "EXAMPLE.COM", 0},
		{"here, without preauthentication", nil, nil, "EXAMPLE.COM", 0},
		{"there", map[string]krberr.Code{"EXAMPLE.COM": krberr.KDCWrongRealm, "CORP.TEST": krberr.KDCPreauthRequired},
			map[string]string{"EXAMPLE.COM": "CORP.TEST"}, "CORP.TEST", 0},
		{"nowhere", map[string]krberr.Code{"EXAMPLE.COM": krberr.KDCClientUnknown}, nil, "", krberr.KDCClientUnknown},
		{"no realm", map[string]krberr.Code{"EXAMPLE.COM": krberr.KDCWrongRealm}, nil, "", krberr.KDCWrongRealm},
		{"loop", map[string]krberr.Code{"EXAMPLE.COM": krberr.KDCWrongRealm, "B": krberr.KDCWrongRealm},
			map[string]string{"EXAMPLE.COM": "B", "B": "EXAMPLE.COM"}, "", krberr.KDCUnreach},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newKDC(t)
			k.preauth = false
			c := newClient(t, k, "")
			k.instead = func(_ int, r *kdcnet.Request, req *wire.KDCReq) ([]byte, error) {
				require.Equal(t, principal.TypeEnterprise, req.Body.Client.Type)
				if code := tc.answer[r.Realm]; code != 0 {
					return k.fail(code, func(e *wire.KRBError) { e.Client.Realm = tc.to[r.Realm] }), nil
				}
				return nil, nil
			}
			realm, err := c.identify(t.Context(), user)
			if tc.is != 0 {
				require.ErrorIs(t, err, tc.is)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.realm, realm)
		})
	}
}

func TestProxy(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	evidence := &ccache.Credential{Client: bob, Server: alice, Ticket: tgt.Ticket}
	asBob := func(r *wire.KDCRep, p *wire.EncKDCRepPart) { r.Client = bob }
	k.part = asBob
	got, err := c.Proxy(t.Context(), tgt, evidence, imap.WithRealm("ANY.TEST"), nil)
	require.NoError(t, err)
	require.True(t, got.Client.Equal(bob))
	require.True(t, got.Server.Equal(imap), "the realm that is asked is one's own: %s", got.Server)
	body := k.last().Body
	require.Equal(t, wire.OptCNameInAddlTkt|wire.OptCanonicalize, body.Options&(wire.OptCNameInAddlTkt|wire.OptCanonicalize))
	require.Len(t, body.Tickets, 1)
	require.Equal(t, evidence.Ticket, body.Tickets[0].Raw)
	pa, ok := find(k.last().PAData, wire.PAPACOptions)
	require.True(t, ok)
	options, err := wire.ParsePACOptions(pa.Value)
	require.NoError(t, err)
	require.Equal(t, wire.PACOptionRBCD, options)

	k.part = nil // the fake KDC issues tickets for who asks
	_, err = c.Proxy(t.Context(), tgt, evidence, imap, nil)
	require.ErrorIs(t, err, krberr.KDCRepModified, "a ticket for the service must not pass for the user's")

	k.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) { return k.fail(krberr.KDCBadOption, nil), nil }
	_, err = c.Proxy(t.Context(), tgt, evidence, imap, nil)
	require.ErrorIs(t, err, krberr.KDCBadOption)
}

// Into another realm it goes only if the KDC confirms that it knows how.
func TestProxyReferral(t *testing.T) {
	for _, confirmed := range []bool{true, false} {
		k := newKDC(t)
		c := newClient(t, k, "")
		tgt := getTGT(t, c)
		evidence := &ccache.Credential{Client: bob, Server: alice, Ticket: tgt.Ticket}
		k.part = func(r *wire.KDCRep, p *wire.EncKDCRepPart) {
			if k.last().Body.Options&wire.OptCNameInAddlTkt == 0 {
				return
			}
			r.Client = bob
			if p.Server.Realm == "EXAMPLE.COM" {
				p.Server = principal.TGS("EXAMPLE.COM", "OTHER.TEST")
				r.Ticket.Server = p.Server
				if confirmed {
					p.PAData = []wire.PAData{{Type: wire.PAPACOptions, Value: wire.AppendPACOptions(nil, wire.PACOptionRBCD)}}
				}
			}
		}
		k.requests, k.seen = nil, nil
		got, err := c.Proxy(t.Context(), tgt, evidence, imap, nil)
		if !confirmed {
			require.ErrorIs(t, err, krberr.KDCPadataTypeNosupp)
			continue
		}
		require.NoError(t, err)
		require.True(t, got.Server.Equal(imap.WithRealm("OTHER.TEST")))
		require.Equal(t, []string{
			"EXAMPLE.COM: " + imap.String(),
			"EXAMPLE.COM: krbtgt/OTHER.TEST@EXAMPLE.COM",
			"OTHER.TEST: " + imap.WithRealm("OTHER.TEST").String(),
		}, k.asked())
		require.NotEqual(t, evidence.Ticket, k.last().Body.Tickets[0].Raw, "the referral is the evidence there")
	}
}

// FuzzS4UReply puts arbitrary padata into a reply that is otherwise right: it
// never makes a ticket for a user.
func FuzzS4UReply(f *testing.F) {
	k := newKDC(f)
	c := newClient(f, k, "")
	tgt := getTGT(f, c)
	var seen []byte
	s4uKDC(f, k, nil, func(x *wire.S4UX509User) { seen = x.Append(nil) })
	if _, err := c.ForUser(f.Context(), tgt, bob, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(seen)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		k.part = func(r *wire.KDCRep, _ *wire.EncKDCRepPart) {
			r.Client, r.PAData = bob, []wire.PAData{{Type: wire.PAS4UX509User, Value: b}}
		}
		k.requests, k.seen, k.replies, k.parts = nil, nil, nil, nil
		if _, err := c.ForUser(t.Context(), tgt, bob, nil); err == nil {
			t.Fatalf("%x confirms a user", b)
		}
	})
}
