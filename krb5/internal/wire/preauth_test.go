package wire

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

var otpChallenges = []*OTPChallenge{
	{Nonce: []byte("nonce"), Tokens: []OTPTokenInfo{{Length: -1, Format: -1}}},
	{
		Nonce: []byte{}, Service: "service", Salt: "salt", Params: []byte{0, 0, 16, 0},
		Tokens: []OTPTokenInfo{
			{OTPCollectPIN | OTPSeparatePIN, "vendor", []byte("challenge"), 6, 0, []byte("id"), "urn:hotp"},
			{Length: 8, Format: 2},
		},
	},
}

// preauthCodecs has the types of preauthentication mechanisms.
func preauthCodecs() []codec {
	return []codec{
		messageCodec("FastArmoredReq", ParseFastArmoredReq, (*FastArmoredReq).Append,
			&FastArmoredReq{FastArmorAPRequest, filled(200, 'a'), Checksum{16, filled(12, 's')}, EncryptedData{etype.AES256SHA1, 0, filled(99, 'f')}},
			&FastArmoredReq{Checksum: Checksum{0, []byte{}}, Enc: EncryptedData{0, 0, []byte{}}}),
		messageCodec("FastReply", ParseFastReply, func(x *EncryptedData, b []byte) []byte { return AppendFastReply(b, x) },
			&EncryptedData{etype.AES256SHA1, 0, filled(200, 'r')}, &EncryptedData{0, 0, []byte{}}),
		messageCodec("FastResponse", ParseFastResponse, (*FastResponse).Append,
			&FastResponse{padata, &key, &FastFinished{micro, alice, Checksum{16, filled(12, 's')}}, 0xfffffffe},
			&FastResponse{PAData: []PAData{}}),
		messageCodec("EncryptionKey", ParseEncryptionKey, func(x *EncryptionKey, b []byte) []byte { return AppendEncryptionKey(b, x) },
			&key, &EncryptionKey{0, []byte{}}),
		messageCodec("PASPAKE", ParsePASPAKE, (*PASPAKEMessage).Append,
			&PASPAKEMessage{Support: []int32{1, 2, -129}}, &PASPAKEMessage{Support: []int32{}},
			&PASPAKEMessage{Challenge: &SPAKEChallenge{2, filled(33, 'T'), []SPAKEFactor{{1, nil}, {2, []byte{}}}}},
			&PASPAKEMessage{Response: &SPAKEResponse{filled(33, 'S'), EncryptedData{etype.AES128SHA1, 0, filled(40, 'f')}}},
			&PASPAKEMessage{EncData: &EncryptedData{etype.AES128SHA1, 0, []byte("z")}}),
		messageCodec("SPAKEFactor", ParseSPAKEFactor, (*SPAKEFactor).Append, &SPAKEFactor{1, nil}, &SPAKEFactor{-2, []byte("data")}),
		listCodec("TypedData", ParseTypedData, AppendTypedData, []PAData{{109, []byte("x")}, {-1, nil}, {1, []byte{}}}, []PAData{}),
	}
}

func preauthCodecOf(name string) codec {
	for _, c := range preauthCodecs() {
		if c.name == name {
			return c
		}
	}
	panic("no codec " + name)
}

func TestPreauthCodecs(t *testing.T) {
	for _, c := range preauthCodecs() {
		t.Run(c.name, func(t *testing.T) {
			for _, b := range c.samples {
				_, again, err := c.recode(b)
				require.NoError(t, err)
				require.Equal(t, b, again)
				for i := range b {
					_, _, err := c.recode(b[:i])
					require.ErrorIs(t, err, ErrSyntax, "%d bytes of %x", i, b)
				}
				_, _, err = c.recode(append(b[:len(b):len(b)], 0))
				require.ErrorIs(t, err, ErrSyntax)
			}
		})
	}
}

// fuzzPreauth is fuzz for these types.
func fuzzPreauth(f *testing.F, name string) {
	c := preauthCodecOf(name)
	for _, b := range c.samples {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkMalleability(t, c, b) })
}

// golden are MIT's encodings.
func golden(t *testing.T) map[string][][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/mit-preauth.txt")
	require.NoError(t, err)
	all := make(map[string][][]byte)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		typ, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		b, err := hex.DecodeString(value)
		require.NoError(t, err)
		all[typ] = append(all[typ], b)
	}
	return all
}

func TestGoldenPreauth(t *testing.T) {
	all := golden(t)
	for _, typ := range []string{"FastResponse", "FastReply", "SPAKEFactor", "PASPAKE", "TypedData"} {
		require.NotEmpty(t, all[typ])
		for _, b := range all[typ] {
			_, again, err := preauthCodecOf(typ).recode(b)
			require.NoError(t, err, "%s %x", typ, b)
			require.Equal(t, b, again)
		}
	}
	enc := EncryptedData{0, 5, []byte("krbASN.1 test message")}
	when := time.Date(1994, 6, 10, 6, 3, 17, 123456000, time.UTC)
	name := principal.Name{Type: 1, Realm: "ATHENA.MIT.EDU", Components: []string{"hftsai", "extra"}}
	pa := PAData{13, []byte("pa-data")}
	resp, err := ParseFastResponse(all["FastResponse"][0])
	require.NoError(t, err)
	require.Equal(t, &FastResponse{
		[]PAData{pa, pa}, &EncryptionKey{1, []byte("12345678")}, &FastFinished{when, name, Checksum{1, []byte("1234")}}, 42,
	}, resp)
	var spake []*PASPAKEMessage
	for _, b := range all["PASPAKE"] {
		x, err := ParsePASPAKE(b)
		require.NoError(t, err)
		spake = append(spake, x)
	}
	require.Equal(t, []*PASPAKEMessage{
		{Support: []int32{1, 2}},
		{Challenge: &SPAKEChallenge{1, []byte("T value"), []SPAKEFactor{{1, nil}, {2, []byte("fdata")}}}},
		{Response: &SPAKEResponse{[]byte("S value"), enc}},
		{EncData: &enc},
	}, spake)
	otp := OTPRequest{Enc: enc, Format: -1}
	require.Equal(t, all["OTPRequest"][0], otp.Append(nil))
	require.Equal(t, all["OTPEncRequest"][0], AppendOTPEncRequest(nil, []byte("krb5data")))
	x, err := ParseOTPChallenge(all["OTPChallenge"][0])
	require.NoError(t, err)
	require.Equal(t, &OTPChallenge{Nonce: []byte("minnonce"), Tokens: []OTPTokenInfo{{Length: -1, Format: -1}}}, x)
	require.Equal(t, all["OTPChallenge"][0], x.Append(nil))
	x, err = ParseOTPChallenge(all["OTPChallenge"][1])
	require.NoError(t, err)
	require.Equal(t, &OTPChallenge{
		Nonce: []byte("maxnonce"), Service: "testservice", Salt: "keysalt", Params: []byte("1234"),
		Tokens: []OTPTokenInfo{
			{Length: -1, Format: -1},
			{0x77000000, "Examplecorp", []byte("hark!"), 10, 2, []byte("yourtoken"), "urn:ietf:params:xml:ns:keyprov:pskc:hotp"},
		},
	}, x)
}

func TestOTP(t *testing.T) {
	for _, x := range otpChallenges {
		b := x.Append(nil)
		y, err := ParseOTPChallenge(b)
		require.NoError(t, err)
		require.Equal(t, b, y.Append(nil))
		for i := range b {
			_, err := ParseOTPChallenge(b[:i])
			require.ErrorIs(t, err, ErrSyntax)
		}
		_, err = ParseOTPChallenge(append(b, 0))
		require.ErrorIs(t, err, ErrSyntax)
	}
	for _, bad := range []*OTPChallenge{{Nonce: []byte("n")}, {Nonce: []byte("n"), Tokens: []OTPTokenInfo{{Length: -2}}}} {
		_, err := ParseOTPChallenge(bad.Append(nil))
		require.ErrorIs(t, err, ErrSyntax)
	}
	full := OTPRequest{
		OTPNext, EncryptedData{18, 0, []byte("e")}, []byte("123456"), []byte("pin"), []byte("c"), 0, []byte("id"), "urn:x", "vendor",
	}
	b := full.Append(nil)
	require.Equal(t, byte(0x30), b[0])
	require.Contains(t, string(b), "\x85\x06123456\x86\x03pin\x87\x01c\x8a\x01\x00\x8b\x02id\x8c\x05urn:x\x8d\x06vendor")
}

func TestFastReq(t *testing.T) {
	body := KDCReqBody{Realm: "R", Till: second, Nonce: 7, Etypes: []etypeID{18}}
	x := FastReq{FastHideClientNames, padata, body}
	b := x.Append(nil)
	y, err := ParseFastReq(b)
	require.NoError(t, err)
	require.Equal(t, FastHideClientNames, y.Options)
	require.Equal(t, padata, y.PAData)
	require.Equal(t, body.Append(nil), y.Body.Raw)
	require.Equal(t, uint32(7), y.Body.Nonce)
	for i := range b {
		_, err := ParseFastReq(b[:i])
		require.Error(t, err)
	}
	none, err := ParseFastReq((&FastReq{Body: body}).Append(nil))
	require.NoError(t, err)
	require.Empty(t, none.PAData)
}

func FuzzParseFastArmoredReq(f *testing.F) { fuzzPreauth(f, "FastArmoredReq") }
func FuzzParseFastReply(f *testing.F)      { fuzzPreauth(f, "FastReply") }
func FuzzParseFastResponse(f *testing.F)   { fuzzPreauth(f, "FastResponse") }
func FuzzParseEncryptionKey(f *testing.F)  { fuzzPreauth(f, "EncryptionKey") }
func FuzzParsePASPAKE(f *testing.F)        { fuzzPreauth(f, "PASPAKE") }
func FuzzParseSPAKEFactor(f *testing.F)    { fuzzPreauth(f, "SPAKEFactor") }
func FuzzParseTypedData(f *testing.F)      { fuzzPreauth(f, "TypedData") }

// FuzzParseFastReq reads a request and the body in it.
func FuzzParseFastReq(f *testing.F) {
	x := FastReq{FastHideClientNames, padata, KDCReqBody{Realm: "R", Till: second, Etypes: []etypeID{18}}}
	f.Add(x.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := ParseFastReq(b)
		if err != nil {
			return
		}
		again, err := ParseFastReq(x.Append(nil))
		if err != nil || again.Options != x.Options || len(again.PAData) != len(x.PAData) || string(again.Body.Raw) != string(x.Body.Raw) {
			t.Fatalf("%x", b)
		}
	})
}

// FuzzParseOTPChallenge: the message is extensible, so that what is read need
// not be all that was written; but it is read as the same thing again.
func FuzzParseOTPChallenge(f *testing.F) {
	for _, x := range otpChallenges {
		f.Add(x.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := ParseOTPChallenge(b)
		if err != nil {
			return
		}
		first := x.Append(nil)
		again, err := ParseOTPChallenge(first)
		if err != nil || string(again.Append(nil)) != string(first) {
			t.Fatalf("%x became %x: %v", b, first, err)
		}
	})
}
