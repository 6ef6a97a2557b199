package apreq

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/mech"
)

// RFC 4121 §4.1.1.2: each field with its length, little-endian, also where it
// is empty. The inputs are written out by hand.
func TestBindingsHash(t *testing.T) {
	for _, tc := range []struct {
		name string
		b    mech.ChannelBindings
		in   string
	}{
		{"no content", mech.ChannelBindings{}, "00000000 00000000 00000000 00000000 00000000"},
		{"application", mech.ChannelBindings{Application: []byte("abc")}, "00000000 00000000 00000000 00000000 03000000 616263"},
		{"all", mech.ChannelBindings{
			InitiatorType: mech.AddrInet, Initiator: []byte{192, 0, 2, 1},
			AcceptorType: mech.AddrInet6, Acceptor: []byte{0x20, 1},
			Application: []byte("x"),
		}, "02000000 04000000 c0000201 18000000 02000000 2001 01000000 78"},
		{"Java's null addresses", mech.ChannelBindings{InitiatorType: mech.AddrNull, AcceptorType: mech.AddrNull, Application: []byte("x")},
			"ff000000 00000000 ff000000 00000000 01000000 78"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := BindingsHash(&tc.b)
			require.NoError(t, err)
			want, ok := md5Sum(unhex(t, tc.in))
			require.True(t, ok)
			require.Equal(t, want, got)
		})
	}
	got, err := BindingsHash(nil)
	require.NoError(t, err)
	require.Zero(t, got)

	// Bindings without content are bindings. The sum of twenty zero bytes.
	got, err = BindingsHash(&mech.ChannelBindings{})
	require.NoError(t, err)
	require.Equal(t, "441018525208457705bf09a8ee3c1093", hex.EncodeToString(got[:]))
}

// Bytes that move from one field to the next make another hash.
func TestBindingsHashSeparates(t *testing.T) {
	seen := make(map[[BindingsSize]byte]int)
	for i, b := range []mech.ChannelBindings{
		{}, {Initiator: []byte("ab")}, {Acceptor: []byte("ab")}, {Application: []byte("ab")},
		{Initiator: []byte("a"), Acceptor: []byte("b")}, {Initiator: []byte("a"), Application: []byte("b")},
		{InitiatorType: 2}, {AcceptorType: 2}, {Acceptor: []byte("a"), Application: []byte("b")},
	} {
		sum, err := BindingsHash(&b)
		require.NoError(t, err)
		require.NotContains(t, seen, sum, "%d", i)
		seen[sum] = i
	}
}
