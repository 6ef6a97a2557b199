package apreq

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
)

// Of the flags on the wire an acceptor takes those that an initiator may set
// (gss: 0x703E), and no other.
func TestTermsFlags(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	for bit := range 32 {
		f := mech.Flags(1) << bit
		s.checksum(t, &Checksum{Flags: f})
		terms, err := s.accepted(t).Terms(nil, false)
		require.NoError(t, err)
		want := f & 0x703E
		if f == mech.FlagDCEStyle {
			want |= mech.FlagMutual
		}
		require.Equal(t, want, terms.Flags, "flag %#x", uint32(f))
		require.False(t, terms.Bound)
	}
}

func TestTermsDeleg(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	s.checksum(t, &Checksum{Flags: mech.FlagDeleg | mech.FlagMutual, Deleg: []byte("KRB-CRED")})
	terms, err := s.accepted(t).Terms(nil, false)
	require.NoError(t, err)
	require.Equal(t, &Terms{Flags: mech.FlagMutual, Deleg: []byte("KRB-CRED")}, terms)
}

func apOptions(bits uint32) []byte { return binary.LittleEndian.AppendUint32(nil, bits) }

func ifRelevant(ad ...wire.AuthzDatum) wire.AuthzDatum {
	return wire.AuthzDatum{Type: adIfRelevant, Data: wire.AppendAuthzData(nil, ad)}
}

// Channel bindings: what the acceptor has, against what the initiator says.
func TestTermsBindings(t *testing.T) {
	mine := &mech.ChannelBindings{Application: []byte("tls-server-end-point:abc")}
	theirs := &mech.ChannelBindings{Application: []byte("tls-server-end-point:abd")}
	cbt := ifRelevant(wire.AuthzDatum{Type: adAPOptions, Data: apOptions(apOptionsCBT)})
	var (
		same, other, none = "same", "other", "none"
		noSum, plain      = "no checksum", "plain checksum"
	)
	for _, sent := range []string{same, other, none, noSum, plain} {
		for _, announced := range []bool{false, true} {
			for _, optional := range []bool{false, true} {
				for _, want := range []*mech.ChannelBindings{nil, mine} {
					t.Run(fmt.Sprintf("%s/announced=%t/optional=%t/acceptor=%t", sent, announced, optional, want != nil), func(t *testing.T) {
						s := newScene(t, etype.AES256SHA1)
						c := &Checksum{}
						var err error
						switch sent {
						case same:
							c.Bindings, err = BindingsHash(mine)
						case other:
							c.Bindings, err = BindingsHash(theirs)
						}
						require.NoError(t, err)
						s.checksum(t, c)
						switch sent {
						case noSum:
							s.auth.Checksum = nil
						case plain:
							s.auth.Checksum = plainSum(t, s.session)
						}
						if announced {
							s.auth.AuthzData = []wire.AuthzDatum{cbt}
						}
						terms, err := s.accepted(t).Terms(want, optional)
						switch {
						case want == nil:
							require.NoError(t, err)
							require.False(t, terms.Bound)
						case sent == same:
							require.NoError(t, err)
							require.True(t, terms.Bound)
						case sent == other || announced || !optional:
							requireCode(t, err, gsserr.ErrBadBindings, krberr.APBadMatch)
						default:
							require.NoError(t, err)
							require.False(t, terms.Bound)
						}
					})
				}
			}
		}
	}
}

// KERB_AP_OPTIONS may be bare or in AD-IF-RELEVANT, must be there once at most,
// has four bytes, and says something by the bit 0x4000 alone.
func TestTermsAPOptions(t *testing.T) {
	b := &mech.ChannelBindings{Application: []byte("x")}
	d := func(data []byte) wire.AuthzDatum { return wire.AuthzDatum{Type: adAPOptions, Data: data} }
	bad := func(t *testing.T, err error) { requireCode(t, err, gsserr.ErrFailure, krberr.APMsgType) }
	refused := func(t *testing.T, err error) { requireCode(t, err, gsserr.ErrBadBindings, krberr.APBadMatch) }
	good := func(t *testing.T, err error) { require.NoError(t, err) }
	cbt := apOptions(apOptionsCBT)
	for _, tc := range []struct {
		name string
		ad   []wire.AuthzDatum
		want func(*testing.T, error)
	}{
		{"absent", nil, good},
		{"bare", []wire.AuthzDatum{d(cbt)}, refused},
		{"wrapped", []wire.AuthzDatum{ifRelevant(d(cbt))}, refused},
		{"wrapped twice is not looked at", []wire.AuthzDatum{ifRelevant(ifRelevant(d(cbt)))}, good},
		{"among others", []wire.AuthzDatum{ifRelevant(wire.AuthzDatum{Type: 7, Data: cbt}), ifRelevant(wire.AuthzDatum{Type: 8}, d(cbt))}, refused},
		{"other bits", []wire.AuthzDatum{d(apOptions(^uint32(apOptionsCBT)))}, good},
		{"all bits", []wire.AuthzDatum{d(apOptions(^uint32(0)))}, refused},
		{"big-endian", []wire.AuthzDatum{d([]byte{0, 0, 0x40, 0})}, good},
		{"twice", []wire.AuthzDatum{d(cbt), ifRelevant(d(cbt))}, bad},
		{"short", []wire.AuthzDatum{d(cbt[:3])}, bad},
		{"long", []wire.AuthzDatum{d(append(cbt, 0))}, bad},
		{"empty", []wire.AuthzDatum{d(nil)}, bad},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScene(t, etype.AES256SHA1)
			s.auth.AuthzData = tc.ad
			acc := s.accepted(t)
			_, err := acc.Terms(b, true)
			tc.want(t, err)
			_, err = acc.Terms(nil, false)
			require.NoError(t, err, "without bindings of its own an acceptor does not care")
		})
	}
	// The KDC's authorization data says nothing about the request.
	s := newScene(t, etype.AES256SHA1)
	s.part.AuthzData = []wire.AuthzDatum{d(cbt)}
	_, err := s.accepted(t).Terms(b, true)
	require.NoError(t, err)
}

func plainSum(t *testing.T, k *enctype.Key, data ...[]byte) *wire.Checksum {
	t.Helper()
	typ, ok := enctype.ChecksumType(k.Enctype())
	require.True(t, ok)
	sum, err := k.Checksum(nil, usageAPReqChecksum, data...)
	require.NoError(t, err)
	return &wire.Checksum{Type: typ, Sum: sum}
}

func TestTermsPlainChecksum(t *testing.T) {
	for _, id := range types {
		s := newScene(t, id)
		s.auth.Checksum = plainSum(t, s.session)
		terms, err := s.accepted(t).Terms(nil, false)
		require.NoError(t, err)
		require.Equal(t, mech.FlagReplay|mech.FlagSequence|mech.FlagMutual, terms.Flags)

		s.options = 0
		terms, err = s.accepted(t).Terms(nil, false)
		require.NoError(t, err)
		require.Equal(t, mech.FlagReplay|mech.FlagSequence, terms.Flags)

		good := s.auth.Checksum
		for i := range good.Sum {
			s.auth.Checksum = &wire.Checksum{Type: good.Type, Sum: append([]byte(nil), good.Sum...)}
			s.auth.Checksum.Sum[i] ^= 1
			_, err = s.accepted(t).Terms(nil, false)
			requireCode(t, err, gsserr.ErrFailure, krberr.APModified)
		}
		for name, tc := range map[string]struct {
			sum  *wire.Checksum
			code krberr.Code
		}{
			"short":         {&wire.Checksum{Type: good.Type, Sum: good.Sum[:len(good.Sum)-1]}, krberr.APModified},
			"empty":         {&wire.Checksum{Type: good.Type}, krberr.APModified},
			"over data":     {plainSum(t, s.session, []byte("x")), krberr.APModified},
			"another key":   {plainSum(t, newKey(t, id)), krberr.APModified},
			"unkeyed":       {&wire.Checksum{Type: 14, Sum: make([]byte, 20)}, krberr.APInappCksum},
			"crc":           {&wire.Checksum{Type: 1, Sum: make([]byte, 4)}, krberr.APInappCksum},
			"type 0":        {&wire.Checksum{Sum: good.Sum}, krberr.APInappCksum},
			"almost 0x8003": {&wire.Checksum{Type: -0x8003, Sum: good.Sum}, krberr.APInappCksum},
		} {
			s.auth.Checksum = tc.sum
			_, err = s.accepted(t).Terms(nil, false)
			require.Error(t, err, name)
			requireCode(t, err, gsserr.ErrFailure, tc.code)
		}
	}
}

func TestTermsNoChecksum(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	s.auth.Checksum = nil
	terms, err := s.accepted(t).Terms(nil, false)
	require.NoError(t, err)
	require.Equal(t, &Terms{}, terms)
}

func TestTermsMalformedChecksum(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	s.auth.Checksum.Sum = s.auth.Checksum.Sum[:23]
	_, err := s.accepted(t).Terms(nil, false)
	requireCode(t, err, gsserr.ErrBadBindings, krberr.GSSBadLength)
}
