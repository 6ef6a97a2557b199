package spnego

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/oid"
)

// Lengths of one to four bytes, beside another encoder's.
func TestDER(t *testing.T) {
	for _, n := range []int{0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffff, 0x1000000} {
		v := make([]byte, n)
		var b cryptobyte.Builder
		b.AddASN1OctetString(v)
		want, err := b.Bytes()
		require.NoError(t, err)
		require.Equal(t, want, appendElement(nil, tagOctets, v))
		require.Len(t, want, elementSize(n))
	}
	for _, n := range []int{0, 0x60, 0x78, 0x7b, 0x7c, 0x7f, 0x80, 0xf0, 0xfc, 0x100, 0xfff0} {
		v := make([]byte, n)
		var b cryptobyte.Builder
		b.AddASN1(asn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Enum(1) })
				b.AddASN1(asn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					b.AddBytes(oid.Krb5.AppendDER(nil))
				})
				b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(v) })
				b.AddASN1(asn1.Tag(3).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(v) })
			})
		})
		want, err := b.Bytes()
		require.NoError(t, err)
		r := negTokenResp{negState: acceptIncomplete, supportedMech: oid.Krb5, responseToken: v, mechListMIC: v}
		got := r.marshal()
		require.Equal(t, want, got)
		require.Equal(t, len(got), cap(got), "its size was known")
		back, err := parseResp(got)
		require.NoError(t, err)
		require.Equal(t, r, *back)
		init := negTokenInit{mechTypes: []oid.OID{oid.Krb5}, mechTypesDER: encodeMechTypes([]oid.OID{oid.Krb5}), mechToken: v, mechListMIC: v}
		parsed, err := parseInit(init.marshal())
		require.NoError(t, err)
		require.Equal(t, init, *parsed)
	}
}
