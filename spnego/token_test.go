package spnego

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func unhex(s string) []byte {
	return must(hex.DecodeString(strings.Join(strings.Fields(s), "")))
}

// Tokens as MIT's library writes them.
var (
	goldenReject    = unhex("a1 07 30 05 a0 03 0a 01 02")
	goldenCompleted = unhex("a1 14 30 12 a0 03 0a 01 00 a1 0b 06 09 2a 86 48 86 f7 12 01 02 02")
	goldenHint      = unhex(`60 47 06 06 2b 06 01 05 05 02 a0 3d 30 3b a0 0d 30 0b 06 09 2a 86 48 86 f7 12 01 02 02
		a3 2a 30 28 a0 26 1b 24`)
)

func init() { goldenHint = append(goldenHint, hintName...) }

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name string
		resp negTokenResp
		want []byte
	}{
		{"reject", negTokenResp{negState: reject}, goldenReject},
		{"accept-completed", negTokenResp{negState: acceptCompleted, supportedMech: oid.Krb5}, goldenCompleted},
		{"no negState", negTokenResp{negState: noState, responseToken: []byte{0}}, unhex("a1 07 30 05 a2 03 04 01 00")},
		{"nothing", negTokenResp{negState: noState}, unhex("a1 02 30 00")},
		{"everything", negTokenResp{negState: requestMIC, supportedMech: oid.SPNEGO, responseToken: []byte{1, 2}, mechListMIC: []byte{}},
			unhex("a1 1b 30 19 a0 03 0a 01 03 a1 08 06 06 2b 06 01 05 05 02 a2 04 04 02 01 02 a3 02 04 00")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.resp.marshal())
			got, err := parseResp(tt.want)
			require.NoError(t, err)
			require.Equal(t, &tt.resp, got)
			got, err = parseResp(mech.AppendToken(nil, oid.SPNEGO, tt.want)) // as old Solaris sends it
			require.NoError(t, err)
			require.Equal(t, &tt.resp, got)
		})
	}
	t.Run("hint", func(t *testing.T) {
		want := &negTokenInit{mechTypesDER: encodeMechTypes([]oid.OID{oid.Krb5}), negHints: encodeHints()}
		require.Equal(t, goldenHint, want.marshal())
		got, err := parseInit(goldenHint)
		require.NoError(t, err)
		want.mechTypes = []oid.OID{oid.Krb5}
		require.Equal(t, want, got)
	})
}

// frame puts the body of a NegTokenInit into its frame, from hexadecimal.
func frame(fields string) []byte {
	b := unhex(fields)
	return mech.AppendToken(nil, oid.SPNEGO, []byte{0xa0, byte(len(b) + 2), 0x30, byte(len(b))}, b)
}

const (
	listA = "a0 0d 30 0b 06 09 2a 86 48 86 f7 12 01 02 02 "
	flags = "a1 04 03 02 06 40 "
	token = "a2 03 04 01 07 "
	mic3  = "a3 03 04 01 08 "
	mic4  = "a4 03 04 01 08 "
	hints = "a3 07 30 05 a0 03 1b 01 78 "
)

func TestParseInit(t *testing.T) {
	for _, tt := range []struct {
		name, fields     string
		token, mic, hint bool
	}{
		{"list", listA, false, false, false},
		{"token", listA + token, true, false, false},
		{"flags", listA + flags + token, true, false, false},
		{"flags, empty", listA + "a1 03 03 01 00 ", false, false, false},
		{"mic", listA + token + mic3, true, true, false},
		{"hints", listA + hints, false, false, true},
		{"hints without name", listA + "a3 02 30 00", false, false, true},
		{"hints with address", listA + "a3 06 30 04 a1 02 04 00", false, false, true},
		{"hints, token, mic", listA + token + hints + mic4, true, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := frame(tt.fields)
			got, err := parseInit(in)
			require.NoError(t, err)
			require.Equal(t, []oid.OID{oid.Krb5}, got.mechTypes)
			require.Equal(t, unhex(listA)[2:], got.mechTypesDER)
			require.Equal(t, tt.token, got.mechToken != nil)
			require.Equal(t, tt.mic, got.mechListMIC != nil)
			require.Equal(t, tt.hint, got.negHints != nil)
			if tt.token {
				require.Equal(t, []byte{7}, got.mechToken)
			}
			if tt.mic {
				require.Equal(t, []byte{8}, got.mechListMIC)
			}
			require.Equal(t, in, got.marshal())
		})
	}
	for name, in := range map[string][]byte{
		"empty":             {},
		"no frame":          frame(listA)[10:],
		"other frame":       mech.AppendToken(nil, oid.Krb5, frame(listA)[10:]),
		"resp":              goldenReject,
		"framed resp":       mech.AppendToken(nil, oid.SPNEGO, goldenReject),
		"trailing":          append(frame(listA), 0),
		"after choice":      mech.AppendToken(nil, oid.SPNEGO, frame(listA)[10:], []byte{5, 0}),
		"no list":           frame(""),
		"no list, token":    frame(token),
		"no sequence":       frame("a0 0b 06 09 2a 86 48 86 f7 12 01 02 02"),
		"two sequences":     frame("a0 04 30 00 30 00"),
		"not an OID":        frame("a0 05 30 03 02 01 00"),
		"empty OID":         frame("a0 04 30 02 06 00"),
		"bad OID":           frame("a0 05 30 03 06 01 80"),
		"indefinite":        frame("a0 80 30 00 00 00"),
		"long length":       frame("a0 81 0d 30 0b 06 09 2a 86 48 86 f7 12 01 02 02"),
		"flags are octets":  frame(listA + "a1 04 04 02 06 40"),
		"flags and more":    frame(listA + "a1 06 03 02 06 40 05 00"),
		"token is a number": frame(listA + "a2 03 02 01 07"),
		"token and more":    frame(listA + "a2 05 04 01 07 05 00"),
		"no explicit tag":   frame(listA + "82 01 07"),
		"order":             frame(listA + token + flags),
		"twice":             frame(listA + token + token),
		"two lists":         frame(listA + listA),
		"mic 4":             frame(listA + mic4),
		"two mics":          frame(listA + mic3 + mic4),
		"hints and mic 3":   frame(listA + hints + mic3),
		"hints are octets":  frame(listA + "a3 05 30 03 04 01 78"),
		"hint is UTF-8":     frame(listA + "a3 07 30 05 a0 03 0c 01 78"),
		"hints and more":    frame(listA + "a3 09 30 05 a0 03 1b 01 78 05 00"),
		"more hints":        frame(listA + "a3 06 30 04 a2 02 04 00"),
		"unknown field":     frame(listA + "a5 02 05 00"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseInit(in)
			require.ErrorIs(t, err, errSyntax)
		})
	}
}

func TestParseRespMalformed(t *testing.T) {
	for name, in := range map[string]string{
		"empty":               "",
		"init":                "a0 02 30 00",
		"no sequence":         "a1 00",
		"two sequences":       "a1 04 30 00 30 00",
		"trailing":            "a1 02 30 00 00",
		"truncated":           "a1 07 30 05 a0 03 0a 01",
		"unknown state":       "a1 07 30 05 a0 03 0a 01 04",
		"negative state":      "a1 07 30 05 a0 03 0a 01 ff",
		"long state":          "a1 08 30 06 a0 04 0a 02 00 01",
		"empty state":         "a1 06 30 04 a0 02 0a 00",
		"state is a number":   "a1 07 30 05 a0 03 02 01 00",
		"state and more":      "a1 09 30 07 a0 05 0a 01 00 05 00",
		"mech is octets":      "a1 07 30 05 a1 03 04 01 00",
		"mech is malformed":   "a1 07 30 05 a1 03 06 01 80",
		"mech is empty":       "a1 06 30 04 a1 02 06 00",
		"token is a sequence": "a1 06 30 04 a2 02 30 00",
		"mic is a sequence":   "a1 06 30 04 a3 02 30 00",
		"order":               "a1 0c 30 0a a3 03 04 01 00 a2 03 04 01 00",
		"state twice":         "a1 0c 30 0a a0 03 0a 01 00 a0 03 0a 01 00",
		"unknown field":       "a1 07 30 05 a4 03 04 01 00",
		"framed, empty":       "60 08 06 06 2b 06 01 05 05 02",
		"framed for Kerberos": "60 0f 06 09 2a 86 48 86 f7 12 01 02 02 a1 02 30 00",
		"framed twice":        "60 14 06 06 2b 06 01 05 05 02 60 0a 06 06 2b 06 01 05 05 02 a1 02 30 00",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseResp(unhex(in))
			require.ErrorIs(t, err, errSyntax)
		})
	}
}

func TestNegState(t *testing.T) {
	require.Equal(t, "accept-completed accept-incomplete reject request-mic no negState", strings.Join([]string{
		acceptCompleted.String(), acceptIncomplete.String(), reject.String(), requestMIC.String(), noState.String()}, " "))
}
