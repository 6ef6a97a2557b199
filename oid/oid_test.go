package oid_test

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/oid"
)

// The OIDs of the mechanisms and name types, as other implementations print and
// encode them.
func TestWellKnown(t *testing.T) {
	for _, tt := range []struct {
		o         oid.OID
		text, der string
	}{
		{oid.Krb5, "1.2.840.113554.1.2.2", "2a864886f712010202"},
		{oid.Krb5Old, "1.3.5.1.5.2", "2b05010502"},
		{oid.Krb5MS, "1.2.840.48018.1.2.2", "2a864882f712010202"},
		{oid.Krb5v2, "1.2.840.113554.1.2.3", "2a864886f712010203"},
		{oid.IAKERB, "1.3.6.1.5.2.5", "2b0601050205"},
		{oid.SPNEGO, "1.3.6.1.5.5.2", "2b0601050502"},
		{oid.NTLM, "1.3.6.1.4.1.311.2.2.10", "2b06010401823702020a"},
		{oid.NegoEx, "1.3.6.1.4.1.311.2.2.30", "2b06010401823702021e"},
		{oid.SAnon, "1.3.6.1.4.1.5322.26.1.110", "2b06010401a94a1a016e"},
		{oid.NTUserName, "1.2.840.113554.1.2.1.1", "2a864886f71201020101"},
		{oid.NTMachineUID, "1.2.840.113554.1.2.1.2", "2a864886f71201020102"},
		{oid.NTStringUID, "1.2.840.113554.1.2.1.3", "2a864886f71201020103"},
		{oid.NTHostBased, "1.2.840.113554.1.2.1.4", "2a864886f71201020104"},
		{oid.NTHostBasedX, "1.3.6.1.5.6.2", "2b0601050602"},
		{oid.NTAnonymous, "1.3.6.1.5.6.3", "2b0601050603"},
		{oid.NTExportName, "1.3.6.1.5.6.4", "2b0601050604"},
		{oid.NTCompositeExport, "1.3.6.1.5.6.6", "2b0601050606"},
		{oid.NTKrb5Principal, "1.2.840.113554.1.2.2.1", "2a864886f71201020201"},
		{oid.NTKrb5Enterprise, "1.2.840.113554.1.2.2.6", "2a864886f71201020206"},
		{oid.NTKrb5X509Cert, "1.2.840.113554.1.2.2.7", "2a864886f71201020207"},
		{oid.Krb5TicketFlags, "1.2.840.113554.1.2.2.5.1", "2a864886f7120102020501"},
		{oid.Krb5CredImpersonator, "1.2.840.113554.1.2.2.5.14", "2a864886f712010202050e"},
		{oid.Krb5ODBCSessionKey, "1.2.840.113554.1.2.2.5.19", "2a864886f7120102020513"},
		{oid.AttrNegoExAndSPNEGO, "1.2.840.113554.1.2.2.5.18", "2a864886f7120102020512"},
		{oid.Krb5SessionKeyEnctype, "1.2.840.113554.1.2.2.4", "2a864886f71201020204"},
		{oid.Krb5NoCIFlags, "1.2.752.43.13.29", "2a85702b0d1d"},
		{oid.SPNEGORequireMIC, "1.3.6.1.4.1.7165.655.1.2", "2b06010401b77d850f0102"},
		{oid.NTLMResetCrypto, "1.3.6.1.4.1.7165.655.1.3", "2b06010401b77d850f0103"},
		{oid.PeerHasBuggySPNEGO, "1.3.6.1.4.1.5322.19.6", "2b06010401a94a1306"},
		{oid.MechAttr(1), "1.3.6.1.5.5.13.1", "2b06010505 0d01"},
		{oid.MechAttr(200), "1.3.6.1.5.5.13.200", "2b060105050d8148"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			require.Equal(t, tt.text, tt.o.String())
			require.Equal(t, strings.ReplaceAll(tt.der, " ", ""), hex.EncodeToString(tt.o.DER()))
			parsed, err := oid.Parse(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.o, parsed)
			require.True(t, tt.o == parsed, "OIDs compare with ==")
		})
	}
}

func TestFromInts(t *testing.T) {
	for _, tt := range []struct {
		arcs []uint64
		der  string // "" is an error
	}{
		{nil, ""},
		{[]uint64{1}, ""},
		{[]uint64{3, 1}, ""},
		{[]uint64{0, 40}, ""},
		{[]uint64{1, 40}, ""},
		{[]uint64{0, 0}, "00"},
		{[]uint64{0, 39}, "27"},
		{[]uint64{1, 0}, "28"},
		{[]uint64{1, 39}, "4f"},
		{[]uint64{2, 0}, "50"},
		{[]uint64{2, 39}, "77"},
		{[]uint64{2, 47}, "7f"},
		{[]uint64{2, 48}, "8100"},
		{[]uint64{2, 999, 3}, "883703"},
		{[]uint64{2, math.MaxUint64 - 80}, "81ffffffffffffffff7f"},
		{[]uint64{2, math.MaxUint64 - 79}, ""},
		{[]uint64{1, 2, 127, 128, 16383, 16384}, "2a7f8100ff7f818000"},
		{[]uint64{1, 2, math.MaxUint64}, "2a81ffffffffffffffff7f"},
		{append([]uint64{1, 2}, make([]uint64, 1023)...), "2a" + strings.Repeat("00", 1023)},
		{append([]uint64{1, 2}, make([]uint64, 1024)...), ""},
	} {
		o, err := oid.FromInts(tt.arcs...)
		if tt.der == "" {
			require.Error(t, err, "%v", tt.arcs)
			require.True(t, o.IsZero())
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tt.der, hex.EncodeToString(o.DER()))
		require.Equal(t, tt.arcs, o.Arcs())
		back, err := oid.FromDER(o.DER())
		require.NoError(t, err)
		require.Equal(t, o, back)
	}
}

func TestFromDERErrors(t *testing.T) {
	for _, s := range []string{
		"",                       // empty
		"80",                     // unfinished
		"8001",                   // leading zero digit in the first arc
		"2a8001",                 // in a later one
		"2a86",                   // unfinished later one
		"2a82ffffffffffffffff7f", // above 64 bits
		"2a81ffffffffffffffffff7f",
		strings.Repeat("2a", 1025), // too long
	} {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		o, err := oid.FromDER(b)
		require.Error(t, err, s)
		require.True(t, o.IsZero())
	}
}

func TestFromDERCopies(t *testing.T) {
	b := []byte{0x2a, 0x03}
	o, err := oid.FromDER(b)
	require.NoError(t, err)
	b[1] = 4
	o.DER()[1] = 5
	require.Equal(t, "1.2.3", o.String())
}

func TestParseErrors(t *testing.T) {
	for _, s := range []string{
		"", ".", "1", "1.", ".1", "1..2", "1.2.", "01.2", "1.02", "1.2.00", "+1.2", "1.+2", "-1.2", "1.-2",
		"1.2.a", "1.2.0x3", "1.2. 3", "1.2.1_0", "3.1", "1.40", "1.2.18446744073709551616", strings.Repeat("1.", 3000) + "1",
	} {
		o, err := oid.Parse(s)
		require.Error(t, err, s)
		require.True(t, o.IsZero())
	}
}

func TestAppendDER(t *testing.T) {
	long := func(n int) oid.OID {
		o, err := oid.FromDER(make([]byte, n))
		require.NoError(t, err)
		return o
	}
	for _, tt := range []struct {
		o      oid.OID
		header string
	}{
		{oid.OID{}, ""}, {oid.Krb5, "0609"}, {long(127), "067f"}, {long(128), "068180"}, {long(255), "0681ff"},
		{long(256), "06820100"}, {long(1024), "06820400"},
	} {
		got := tt.o.AppendDER([]byte("x"))
		require.Equal(t, "x", string(got[:1]))
		require.Equal(t, tt.header+hex.EncodeToString(tt.o.DER()), hex.EncodeToString(got[1:]))
	}
}

func TestZero(t *testing.T) {
	var o oid.OID
	require.True(t, o.IsZero())
	require.Equal(t, "", o.String())
	require.Nil(t, o.DER())
	require.Nil(t, o.Arcs())
	require.True(t, o.Append(1).IsZero())
	require.True(t, oid.Krb5.HasPrefix(o))
	require.False(t, oid.Krb5.IsZero())
}

func TestPrefix(t *testing.T) {
	ext := oid.Krb5.Append(5)
	for _, tt := range []struct {
		o, prefix oid.OID
		want      bool
	}{
		{ext.Append(6, 1), ext.Append(6), true},
		{ext.Append(6), ext.Append(6), true},
		{ext.Append(6), ext.Append(6, 1), false},
		{ext.Append(60), ext.Append(6), false},
		{ext.Append(0x86, 1), ext.Append(6), false},
		{oid.Krb5, oid.SPNEGO, false},
		{oid.OID{}, oid.Krb5, false},
	} {
		require.Equal(t, tt.want, tt.o.HasPrefix(tt.prefix), "%v, %v", tt.o, tt.prefix)
	}
	require.Equal(t, "1.2.840.113554.1.2.2.5.128.0", ext.Append(128, 0).String())
}

func TestMarshal(t *testing.T) {
	type doc struct {
		O oid.OID
		M map[oid.OID]int
	}
	in := doc{oid.Krb5, map[oid.OID]int{oid.SPNEGO: 1}}
	b, err := json.Marshal(in)
	require.NoError(t, err)
	require.JSONEq(t, `{"O":"1.2.840.113554.1.2.2","M":{"1.3.6.1.5.5.2":1}}`, string(b))
	var out doc
	require.NoError(t, json.Unmarshal(b, &out))
	require.Equal(t, in, out)
	require.Error(t, json.Unmarshal([]byte(`{"O":"1.2.3 "}`), &out))

	bin, err := oid.Krb5.MarshalBinary()
	require.NoError(t, err)
	var o oid.OID
	require.NoError(t, o.UnmarshalBinary(bin))
	require.Equal(t, oid.Krb5, o)
	require.Error(t, o.UnmarshalBinary([]byte{0x80}))
	require.Equal(t, oid.Krb5, o, "unchanged by an error")
	require.NoError(t, o.UnmarshalBinary(nil))
	require.True(t, o.IsZero())
	o = oid.Krb5
	require.NoError(t, o.UnmarshalText(nil))
	require.True(t, o.IsZero())
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.2.840.113554.1.2.2", "0.0", "2.999", "1.2.18446744073709551615", "1..2", "01.2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := oid.Parse(s)
		if err != nil {
			return
		}
		if o.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, o)
		}
		if back, err := oid.FromDER(o.DER()); err != nil || back != o {
			t.Errorf("FromDER(%x) = %v, %v", o.DER(), back, err)
		}
	})
}

func FuzzFromDER(f *testing.F) {
	for _, o := range []oid.OID{oid.Krb5, oid.SPNEGO, oid.NTLM} {
		f.Add(o.DER())
	}
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := oid.FromDER(b)
		if err != nil {
			return
		}
		if string(o.DER()) != string(b) {
			t.Errorf("FromDER(%x).DER() = %x", b, o.DER())
		}
		if back, err := oid.FromInts(o.Arcs()...); err != nil || back != o {
			t.Errorf("FromInts(%v) = %v, %v", o.Arcs(), back, err)
		}
		if back, err := oid.Parse(o.String()); err != nil || back != o {
			t.Errorf("Parse(%q) = %v, %v", o, back, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = oid.Parse("1.2.840.113554.1.2.2")
	}
}
