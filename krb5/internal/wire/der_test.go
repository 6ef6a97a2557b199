package wire

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestInteger(t *testing.T) {
	for _, tt := range []struct {
		der  string // contents
		want int64
		ok   bool
	}{
		{"00", 0, true},
		{"7f", 127, true},
		{"80", -128, true},
		{"0080", 128, true},
		{"ff7f", -129, true},
		{"ff", -1, true},
		{"7fffffff", math.MaxInt32, true},
		{"80000000", math.MinInt32, true},
		{"0080000000", math.MaxInt32 + 1, true},
		{"00ffffffff", math.MaxUint32, true},
		{"0100000000", 0, false},
		{"ff7fffffff", 0, false}, // less than Int32
		{"", 0, false},
		{"0000", 0, false},
		{"007f", 0, false},
		{"ffff", 0, false},
		{"ff80", 0, false},
		{"000000000001", 0, false},
	} {
		n, ok := parseInteger(unhex(t, tt.der))
		require.Equal(t, tt.ok, ok, tt.der)
		if !ok {
			continue
		}
		require.Equal(t, tt.want, n, tt.der)
		var w builder
		w.bareInteger(n)
		require.Equal(t, tt.der, hex.EncodeToString(w.b[2:]))
	}
}

func TestInt32Range(t *testing.T) {
	_, err := ParseEncryptedData(unhex(t, "300e"+"a0070205"+"0080000000"+"a2030401"+"00"))
	require.ErrorIs(t, err, ErrSyntax, "an etype above Int32")
	_, err = ParseETypeList(unhex(t, "3007"+"0205"+"0080000000"))
	require.ErrorIs(t, err, ErrSyntax)
	_, err = ParseETypeList(unhex(t, "3003"+"0401"+"00"))
	require.ErrorIs(t, err, ErrSyntax)
}

func TestSeqNumber(t *testing.T) {
	for _, tt := range []struct {
		der  string
		want uint32
	}{
		{"0201ff", math.MaxUint32}, {"020480000000", 1 << 31}, {"02050080000000", 1 << 31}, {"020500ffffffff", math.MaxUint32}, {"020100", 0},
	} {
		b := join(element{0x7b, join(element{0x30, join(
			element{0xa0, join(element{0x18, []byte("20240229123456Z")})},
			element{0xa1, []byte{2, 1, 0}},
			element{0xa3, unhex(t, tt.der)},
		)})})
		x, err := ParseEncAPRepPart(b)
		require.NoError(t, err, tt.der)
		require.True(t, x.HasSeq)
		require.Equal(t, tt.want, x.Seq, tt.der)
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		der  string // contents of the BIT STRING
		want uint32
		ok   bool
	}{
		{"0020000000", 0x20000000, true},
		{"00ffffffff", 0xffffffff, true},
		{"00", 0, true},
		{"0520", 0x20000000, true},
		{"0740", 0, false}, // bit 1 is unused, but set
		{"0780", 0x80000000, true},
		{"004000000080", 0x40000000, true},
		{"04400000010000f0", 0x40000001, true},
		{"", 0, false},
		{"01", 0, false},
		{"0800", 0, false},
		{"0521", 0, false},
	} {
		in := cryptobyte.String(join(element{0xa0, join(element{3, unhex(t, tt.der)})}))
		s := seq{in: in}
		got := s.flags(0, "flags")
		require.Equal(t, tt.ok, s.err == nil, tt.der)
		require.Equal(t, tt.want, got, tt.der)
	}
}

func TestTime(t *testing.T) {
	for _, tt := range []struct {
		text string
		want string // "": refused
	}{
		{"19700101000000Z", "1970-01-01T00:00:00Z"},
		{"20240229235959Z", "2024-02-29T23:59:59Z"},
		{"20380119031408Z", "2038-01-19T03:14:08Z"},
		{"99991231235959Z", "9999-12-31T23:59:59Z"},
		{"00000101000000Z", "0000-01-01T00:00:00Z"},
		{"00010101000000Z", ""}, // would be absent
		{"20230229000000Z", ""},
		{"20240230000000Z", ""},
		{"20240431000000Z", ""},
		{"20241301000000Z", ""},
		{"20240001000000Z", ""},
		{"20240100000000Z", ""},
		{"20240101240000Z", ""},
		{"20240101006000Z", ""},
		{"20240101000060Z", ""},
		{"20240101000000.5Z", ""},
		{"20240101000000", ""},
		{"20240101000000+0000", ""},
		{"2024010100000 Z", ""},
		{"202401010000Z", ""},
		{"", ""},
		{"-0240101000000Z", ""},
	} {
		got, ok := parseTime([]byte(tt.text))
		require.Equal(t, tt.want != "", ok, tt.text)
		if !ok {
			continue
		}
		require.Equal(t, tt.want, got.Format(time.RFC3339))
		require.Equal(t, time.UTC, got.Location())
		var w builder
		w.time(0, got.In(time.FixedZone("", -3600)))
		require.Equal(t, tt.text, string(w.b[4:]))
	}
}

func TestTimeOutOfRange(t *testing.T) {
	for want, tm := range map[string]time.Time{
		"19700101000000Z": {},
		"99991231235959Z": time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC),
		"00000101000000Z": time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		var w builder
		w.time(0, tm)
		require.Equal(t, want, string(w.b[4:]))
	}
	// A time before 1970 has microseconds that are not negative.
	x, err := ParsePAEncTS((&PAEncTS{time.Unix(-1, 5000).UTC()}).Append(nil))
	require.NoError(t, err)
	require.Equal(t, time.Unix(-1, 5000).UTC(), x.Time)
}

func TestMicros(t *testing.T) {
	for der, ok := range map[string]bool{"020100": true, "02030f423f": true, "02030f4240": false, "0201ff": false} {
		_, err := ParsePAEncTS(join(element{0x30, join(
			element{0xa0, join(element{0x18, []byte("20240229123456Z")})}, element{0xa1, unhex(t, der)})}))
		require.Equal(t, ok, err == nil, der)
	}
}

// TestLengths checks back-patching against cryptobyte at the borders of the
// forms that a length has.
func TestLengths(t *testing.T) {
	for _, n := range []int{0, 1, 0x7d, 0x7e, 0x7f, 0x80, 0xfb, 0xfc, 0xff, 0x100, 0xfffa, 0xffff, 0x10000, 0xfffff8, 0x1000000} {
		v := bytes.Repeat([]byte{7}, n)
		var w builder
		m := w.sequence(3)
		w.octets(1, v)
		w.end(m)
		var c cryptobyte.Builder
		c.AddASN1(0xa3, func(c *cryptobyte.Builder) {
			c.AddASN1(asn1.SEQUENCE, func(c *cryptobyte.Builder) {
				c.AddASN1(0xa1, func(c *cryptobyte.Builder) { c.AddASN1OctetString(v) })
			})
		})
		require.True(t, bytes.Equal(c.BytesOrPanic(), w.b), "%d bytes", n)
	}
}
