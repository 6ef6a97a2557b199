package apreq

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	require.NoError(t, err)
	return b
}

const hash16 = "000102030405060708090a0b0c0d0e0f"

// RFC 4121 §4.1.1: little-endian, but for the extensions of RFC 6542.
func TestChecksumBytes(t *testing.T) {
	hash := [BindingsSize]byte(unhex(t, hash16))
	for _, tc := range []struct {
		name  string
		sum   Checksum
		bytes string
	}{
		{"empty", Checksum{}, "10000000 00000000000000000000000000000000 00000000"},
		{"bindings and flags", Checksum{Bindings: hash, Flags: mech.FlagMutual | mech.FlagConf | mech.FlagInteg | mech.FlagDCEStyle},
			"10000000" + hash16 + "32100000"},
		{"all flags", Checksum{Flags: 0xfffffffe}, "10000000 00000000000000000000000000000000 feffffff"},
		{"credential", Checksum{Flags: mech.FlagDeleg | mech.FlagMutual, Deleg: []byte("cred")},
			"10000000 00000000000000000000000000000000 03000000 0100 0400 63726564"},
		{"empty credential", Checksum{Flags: mech.FlagDeleg, Deleg: []byte{}},
			"10000000 00000000000000000000000000000000 01000000 0100 0000"},
		{"extension", Checksum{Flags: mech.FlagMutual, Extensions: []Extension{{ExtFinished, []byte("fin")}}},
			"10000000 00000000000000000000000000000000 02000000 00000002 00000003 66696e"},
		{"credential and extensions", Checksum{Flags: mech.FlagDeleg, Deleg: []byte{7}, Extensions: []Extension{{1, []byte{}}, {0x01020304, []byte{9, 9}}}},
			"10000000 00000000000000000000000000000000 01000000 0100 0100 07 00000001 00000000 01020304 00000002 0909"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := unhex(t, tc.bytes)
			got, err := tc.sum.Append([]byte("before"))
			require.NoError(t, err)
			require.Equal(t, "before"+string(want), string(got))
			parsed, err := ParseChecksum(want)
			require.NoError(t, err)
			require.Equal(t, &tc.sum, parsed)
		})
	}
}

func TestChecksumTruncated(t *testing.T) {
	sum := Checksum{Flags: mech.FlagDeleg, Deleg: []byte("cred"), Extensions: []Extension{{1, []byte("x")}, {2, []byte("yy")}}}
	whole, err := sum.Append(nil)
	require.NoError(t, err)
	// Where one may stop: after the fixed part, although DELEG promises more,
	// after the credential and after each extension.
	ends := []int{24, 32, 41, len(whole)}
	for n := range len(whole) + 1 {
		_, err := ParseChecksum(whole[:n:n])
		switch {
		case n < 24:
			requireCode(t, err, gsserr.ErrBadBindings, krberr.GSSBadLength)
		case slices.Contains(ends, n):
			require.NoError(t, err, "%d bytes", n)
		default:
			requireCode(t, err, gsserr.ErrFailure, krberr.GSSBadLength)
		}
	}
	_, err = ParseChecksum(append(whole, 0))
	requireCode(t, err, gsserr.ErrFailure, krberr.GSSBadLength)
	_, err = ParseChecksum(nil)
	requireCode(t, err, gsserr.ErrBadBindings, krberr.GSSBadLength)
}

func TestChecksumRefuses(t *testing.T) {
	const zero = "00000000000000000000000000000000"
	for name, text := range map[string]string{
		"length 15":                   "0f000000" + zero + "00000000",
		"length 17":                   "11000000" + zero + "00000000 00",
		"length big-endian":           "00000010" + zero + "00000000",
		"option 0, as gokrb5 has it":  "10000000" + zero + "01000000 0000 0000",
		"option 2":                    "10000000" + zero + "01000000 0200 0100 00",
		"option big-endian":           "10000000" + zero + "01000000 0001 0100 00",
		"credential too short":        "10000000" + zero + "01000000 0100 0200 00",
		"credential without the flag": "10000000" + zero + "00000000 0100 0100 00",
		"extension of 4 GiB":          "10000000" + zero + "00000000 00000001 ffffffff 00",
		"extension without a length":  "10000000" + zero + "00000000 00000001",
		"extension cut off":           "10000000" + zero + "00000000 00000001 00000002 00",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseChecksum(unhex(t, text))
			requireCode(t, err, gsserr.ErrFailure, krberr.GSSBadLength)
		})
	}
	many := unhex(t, "10000000"+zero+"00000000")
	for range maxExtensions {
		many = append(many, 0, 0, 0, 1, 0, 0, 0, 0)
	}
	c, err := ParseChecksum(many)
	require.NoError(t, err)
	require.Len(t, c.Extensions, maxExtensions)
	_, err = ParseChecksum(append(many, 0, 0, 0, 1, 0, 0, 0, 0))
	requireCode(t, err, gsserr.ErrFailure, krberr.GSSBadLength)
}

func TestChecksumCredentialTooLong(t *testing.T) {
	c := Checksum{Flags: mech.FlagDeleg, Deleg: make([]byte, 65535-28)}
	b, err := c.Append(nil)
	require.NoError(t, err)
	parsed, err := ParseChecksum(b)
	require.NoError(t, err)
	require.Len(t, parsed.Deleg, 65535-28)
	c.Deleg = make([]byte, 65535-27)
	_, err = c.Append(nil)
	requireCode(t, err, gsserr.ErrFailure, krberr.KRBFieldTooLong)
	c.Flags = 0 // then it is not written
	b, err = c.Append(nil)
	require.NoError(t, err)
	require.Len(t, b, 24)
}

func FuzzParseChecksum(f *testing.F) {
	for _, c := range []Checksum{
		{}, {Flags: mech.FlagDeleg, Deleg: []byte("cred")},
		{Flags: mech.FlagDeleg, Deleg: []byte("c"), Extensions: []Extension{{2, []byte("fin")}}},
	} {
		b, err := c.Append(nil)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseChecksum(b)
		if err != nil {
			return
		}
		if c.Flags.Has(mech.FlagDeleg) && c.Deleg == nil {
			return // the flag alone, which our side never writes
		}
		again, err := c.Append(nil)
		if len(c.Deleg) > maxDeleg {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, again), "%x became %x", b, again)
	})
}
