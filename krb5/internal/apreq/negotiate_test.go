package apreq

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

type ids = []etype.ID

// RFC 4537 §3: the initiator offers what it likes better than the session key's
// type, and that one last; nothing if there is nothing better.
func TestBetter(t *testing.T) {
	for _, tc := range []struct {
		list    ids
		session etype.ID
		want    ids
	}{
		{nil, 18, nil},
		{ids{18, 17, 20, 19}, 18, nil},
		{ids{18, 17, 20, 19}, 17, ids{18, 17}},
		{ids{18, 17, 20, 19}, 20, ids{18, 17, 20}},
		{ids{18, 17, 20, 19}, 19, ids{18, 17, 20, 19}},
		{ids{20}, 17, ids{20}},
	} {
		require.Equal(t, tc.want, better(tc.list, tc.session), "%v, %v", tc.list, tc.session)
	}
}

// RFC 4537 §4: the acceptor's first choice among what the initiator can.
func TestNegotiate(t *testing.T) {
	for _, tc := range []struct {
		permitted, list ids
		subkey, session etype.ID
		want            etype.ID // 0: refused
	}{
		{ids{18, 17}, nil, 17, 17, 17},
		{ids{18, 17}, ids{18, 17}, 17, 17, 18},
		{ids{17, 18}, ids{18, 17}, 17, 17, 17},
		{ids{20, 18, 17}, ids{19, 18}, 17, 17, 18},
		{ids{20, 18, 17}, ids{20}, 17, 18, 20},
		{ids{18, 17}, nil, 18, 17, 18},
		{ids{18, 17}, nil, 17, 18, 18},
		{ids{18, 17}, ids{23, 1, -128, 99}, 17, 17, 17},
		{ids{18}, ids{18}, 18, 17, 0},
		{ids{18}, ids{18}, 17, 18, 0},
		{nil, ids{18}, 18, 18, 0},
	} {
		got, err := negotiate(tc.permitted, tc.list, tc.subkey, tc.session)
		require.Equal(t, tc.want, got, "%+v", tc)
		if tc.want == 0 {
			require.ErrorIs(t, err, krberr.NoPermEtype)
		} else {
			require.NoError(t, err)
		}
	}
}

func etypeList(list ...etype.ID) wire.AuthzDatum {
	return wire.AuthzDatum{Type: adEtypeNegotiation, Data: wire.AppendETypeList(nil, list)}
}

// The list may be bare or in AD-IF-RELEVANT; one that cannot be read is none;
// one in the ticket is not the initiator's.
func TestAcceptNegotiates(t *testing.T) {
	for _, tc := range []struct {
		name string
		ad   []wire.AuthzDatum
		want etype.ID
	}{
		{"none", nil, 17},
		{"bare", []wire.AuthzDatum{etypeList(20, 17)}, 20},
		{"wrapped", []wire.AuthzDatum{ifRelevant(etypeList(20, 17))}, 20},
		{"wrapped with others", []wire.AuthzDatum{{Type: 5}, ifRelevant(wire.AuthzDatum{Type: adAPOptions, Data: apOptions(apOptionsCBT)}, etypeList(18))}, 18},
		{"no DER", []wire.AuthzDatum{{Type: adEtypeNegotiation, Data: []byte("x")}}, 17},
		{"no DER, then a list", []wire.AuthzDatum{{Type: adEtypeNegotiation, Data: []byte("x")}, etypeList(18)}, 18},
		{"unknown types", []wire.AuthzDatum{etypeList(23, 16, 99)}, 17},
		{"wrapped twice", []wire.AuthzDatum{ifRelevant(ifRelevant(etypeList(20)))}, 17},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScene(t, etype.AES128SHA1)
			s.acceptor.Enctypes = ids{20, 18, 17}
			s.auth.AuthzData = tc.ad
			require.Equal(t, tc.want, s.accepted(t).Enctype)
		})
	}
	s := newScene(t, etype.AES128SHA1)
	s.acceptor.Enctypes = ids{20, 18, 17}
	s.part.AuthzData = []wire.AuthzDatum{etypeList(20)}
	require.EqualValues(t, 17, s.accepted(t).Enctype)
}

// Both sides together.
func TestNegotiateBothSides(t *testing.T) {
	for _, session := range types {
		for _, mutual := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/mutual=%t", session, mutual), func(t *testing.T) {
				s := newScene(t, session)
				r := s.initiator(t)
				r.Mutual, r.Enctypes = mutual, ids{19, 20, 18, 17}
				s.acceptor.Enctypes = ids{20, 18, 19, 17}
				acc := s.receive(t, r)
				want := etype.ID(20)
				switch {
				case !mutual: // then nobody may choose
					want = session
				case session == 19: // nothing better, so nothing to negotiate
					want = 19
				}
				require.Equal(t, want, acc.Enctype)
			})
		}
	}
}
