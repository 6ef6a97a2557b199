package krb5

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/pac"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var pacLogin = time.Unix(1_700_000_000, 0)

// aPAC is what MIT's KDC makes: the client's name and two signatures.
func aPAC(t *testing.T, key *enctype.Key, client string) []byte {
	t.Helper()
	typ, ok := enctype.ChecksumType(key.Enctype())
	require.True(t, ok)
	info := binary.LittleEndian.AppendUint64(nil, uint64(pacLogin.Unix()+11644473600)*1e7)
	info = binary.LittleEndian.AppendUint16(info, uint16(2*len(client)))
	for _, c := range []byte(client) {
		info = append(info, c, 0)
	}
	sum := append(binary.LittleEndian.AppendUint32(nil, uint32(typ)), make([]byte, enctype.ChecksumSize(key.Enctype()))...)
	var body []byte
	b := binary.LittleEndian.AppendUint64(nil, 3)
	for _, p := range []struct {
		typ  uint32
		data []byte
	}{{pac.TypeServerChecksum, sum}, {pac.TypeClientInfo, info}, {pac.TypePrivSvrChecksum, sum}} {
		b = binary.LittleEndian.AppendUint32(b, p.typ)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p.data)))
		b = binary.LittleEndian.AppendUint64(b, uint64(8+3*16+len(body)))
		body = append(append(body, p.data...), make([]byte, (8-len(p.data)%8)%8)...)
	}
	b = append(b, body...)
	signature, err := key.Checksum(nil, 17, b)
	require.NoError(t, err)
	copy(b[8+3*16+4:], signature)
	return b
}

// aCAMMAC vouches for indicators with the service's key.
func aCAMMAC(t *testing.T, key *enctype.Key, words ...string) []byte {
	t.Helper()
	var list cryptobyte.Builder
	list.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, w := range words {
			b.AddASN1(asn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(w)) })
		}
	})
	elements := wire.AppendAuthzData(nil, []wire.AuthzDatum{{Type: wire.ADAuthIndicator, Data: list.BytesOrPanic()}})
	sum, err := key.Checksum(nil, usageCAMMAC, elements)
	require.NoError(t, err)
	typ, _ := enctype.ChecksumType(key.Enctype())
	field := func(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(field(0), func(b *cryptobyte.Builder) { b.AddBytes(elements) })
		b.AddASN1(field(2), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(field(3), func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(field(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(typ)) })
						b.AddASN1(field(1), func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum) })
					})
				})
			})
		})
	})
	return b.BytesOrPanic()
}

func accepted(key *enctype.Key, ad ...wire.AuthzDatum) *apreq.Accepted {
	return &apreq.Accepted{
		Ticket: &wire.EncTicketPart{
			Client: principal.New("EXAMPLE.TEST", "alice"), AuthTime: pacLogin,
			AuthzData: []wire.AuthzDatum{{Type: wire.ADIfRelevant, Data: wire.AppendAuthzData(nil, ad)}},
		},
		Auth: &wire.Authenticator{}, ServerKey: key,
	}
}

func serviceKey(t *testing.T) *enctype.Key {
	t.Helper()
	k, err := enctype.GenerateKey(AES256SHA2)
	require.NoError(t, err)
	return k
}

// What a KDC has signed for this client and this login is there; everything
// else is not, and does not say why.
func TestAttributes(t *testing.T) {
	key, other := serviceKey(t), serviceKey(t)
	good := aPAC(t, key, "alice")
	damaged := append([]byte(nil), good...)
	damaged[len(damaged)-1] ^= 1 // padding is covered too
	adPAC := func(b []byte) wire.AuthzDatum { return wire.AuthzDatum{Type: wire.ADWin2KPAC, Data: b} }
	adCAMMAC := func(b []byte) wire.AuthzDatum { return wire.AuthzDatum{Type: wire.ADCAMMAC, Data: b} }
	words := aCAMMAC(t, key, "pkinit", "otp")
	changed := append([]byte(nil), words...)
	changed[len(changed)-1] ^= 1
	for label, tc := range map[string]struct {
		ad   []wire.AuthzDatum
		want []string
	}{
		"PAC":                      {[]wire.AuthzDatum{adPAC(good)}, []string{"urn:mspac:", "urn:mspac:server-checksum", "urn:mspac:client-info", "urn:mspac:privsvr-checksum"}},
		"indicators":               {[]wire.AuthzDatum{adCAMMAC(words)}, []string{"auth-indicators"}},
		"damaged PAC":              {[]wire.AuthzDatum{adPAC(damaged)}, nil},
		"PAC of another service":   {[]wire.AuthzDatum{adPAC(aPAC(t, other, "alice"))}, nil},
		"PAC of another client":    {[]wire.AuthzDatum{adPAC(aPAC(t, key, "bob"))}, nil},
		"two PACs":                 {[]wire.AuthzDatum{adPAC(good), adPAC(good)}, nil},
		"garbage":                  {[]wire.AuthzDatum{adPAC([]byte("PAC")), adCAMMAC([]byte("CAMMAC"))}, nil},
		"changed indicators":       {[]wire.AuthzDatum{adCAMMAC(changed)}, nil},
		"another's indicators":     {[]wire.AuthzDatum{adCAMMAC(aCAMMAC(t, other, "pkinit"))}, nil},
		"indicators by themselves": {[]wire.AuthzDatum{{Type: wire.ADAuthIndicator, Data: []byte{0x30, 3, 0x0c, 1, 'x'}}}, nil},
		"nothing":                  {nil, nil},
	} {
		t.Run(label, func(t *testing.T) {
			n := &name{attrs: newAttributes(accepted(key, tc.ad...))}
			require.Equal(t, tc.want, n.Attributes())
			for _, attr := range tc.want {
				a, err := n.Attribute(attr)
				require.NoError(t, err)
				require.True(t, a.Authenticated && a.Complete)
				require.NotEmpty(t, a.Values[0])
				require.Len(t, a.Display, len(a.Values))
			}
			for _, attr := range []string{"urn:mspac:logon-info", "urn:mspac:99999999999", "urn:mspac:nonsense", "other", ""} {
				_, err := n.Attribute(attr)
				require.ErrorIs(t, err, gsserr.ErrUnavailable, attr)
			}
			_, err := n.WithAttribute("urn:mspac:", mech.Attribute{})
			require.ErrorIs(t, err, gsserr.ErrUnavailable)
			_, err = n.WithoutAttribute("urn:mspac:")
			require.ErrorIs(t, err, gsserr.ErrUnavailable)
		})
	}
	n := &name{attrs: newAttributes(accepted(key, adCAMMAC(words)))}
	a, err := n.Attribute("AUTH-Indicators")
	require.NoError(t, err)
	require.Equal(t, []string{"pkinit", "otp"}, a.Display)
	n = &name{attrs: newAttributes(accepted(key, adPAC(good)))}
	byNumber, err := n.Attribute("urn:mspac:10")
	require.NoError(t, err)
	byWord, err := n.Attribute("urn:MSPAC:Client-Info")
	require.NoError(t, err)
	require.Equal(t, byWord, byNumber)
}

// What a client says of itself is never an attribute.
func TestAttributesOfTheAuthenticator(t *testing.T) {
	key := serviceKey(t)
	acc := accepted(key)
	acc.Auth.AuthzData = []wire.AuthzDatum{{Type: wire.ADWin2KPAC, Data: aPAC(t, key, "alice")}}
	require.Nil(t, newAttributes(acc))
}

func TestExportComposite(t *testing.T) {
	m := New(nil)
	n := m.wrap(principal.New("EXAMPLE.TEST", "alice"))
	n.attrs = newAttributes(accepted(serviceKey(t), wire.AuthzDatum{Type: wire.ADCAMMAC, Data: nil}))
	b, err := n.ExportComposite()
	require.NoError(t, err)
	back, err := m.importName(string(b), oid.NTCompositeExport)
	require.NoError(t, err)
	require.True(t, back.Equal(n))
	require.Empty(t, back.Attributes())
}

func FuzzAttributes(f *testing.F) {
	key, err := enctype.NewKey(AES128SHA2, make([]byte, 16))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("x"), []byte{0x30, 0})
	f.Fuzz(func(_ *testing.T, p, c []byte) {
		n := &name{attrs: newAttributes(accepted(key, wire.AuthzDatum{Type: wire.ADWin2KPAC, Data: p}, wire.AuthzDatum{Type: wire.ADCAMMAC, Data: c}))}
		for _, a := range n.Attributes() {
			_, _ = n.Attribute(a)
		}
	})
}
