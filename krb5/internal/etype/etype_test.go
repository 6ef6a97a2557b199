package etype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
)

func TestString(t *testing.T) {
	for id, want := range map[etype.ID]string{
		1: "des-cbc-crc", 2: "des-cbc-md4", 3: "des-cbc-md5",
		16: "des3-cbc-sha1", 17: "aes128-cts-hmac-sha1-96", 18: "aes256-cts-hmac-sha1-96",
		19: "aes128-cts-hmac-sha256-128", 20: "aes256-cts-hmac-sha384-192",
		23: "arcfour-hmac", 24: "arcfour-hmac-exp", 25: "camellia128-cts-cmac", 26: "camellia256-cts-cmac",
		0: "enctype 0", 4: "enctype 4", 99: "enctype 99", -133: "enctype -133",
	} {
		require.Equal(t, want, id.String())
	}
}

func TestNumbers(t *testing.T) {
	require.EqualValues(t, 16, etype.DES3SHA1)
	require.EqualValues(t, 17, etype.AES128SHA1)
	require.EqualValues(t, 18, etype.AES256SHA1)
	require.EqualValues(t, 19, etype.AES128SHA2)
	require.EqualValues(t, 20, etype.AES256SHA2)
	require.EqualValues(t, 23, etype.RC4)
	require.EqualValues(t, 24, etype.RC4Exp)
	require.EqualValues(t, 25, etype.Camellia128)
	require.EqualValues(t, 26, etype.Camellia256)
}

func TestParse(t *testing.T) {
	for word, want := range map[string]etype.ID{
		"des-cbc-crc": 1, "des-cbc-md4": 2, "des-cbc-md5": 3, "des": 3,
		"des3-cbc-sha1": 16, "des3-hmac-sha1": 16, "des3-cbc-sha1-kd": 16,
		"aes128-cts-hmac-sha1-96": 17, "aes128-cts": 17, "aes128-sha1": 17, "AES128-CTS": 17,
		"aes256-cts-hmac-sha1-96": 18, "aes256-cts": 18, "aes256-sha1": 18,
		"aes128-cts-hmac-sha256-128": 19, "aes128-sha2": 19, "Aes128-Sha2": 19,
		"aes256-cts-hmac-sha384-192": 20, "aes256-sha2": 20,
		"arcfour-hmac": 23, "rc4-hmac": 23, "arcfour-hmac-md5": 23,
		"arcfour-hmac-exp": 24, "rc4-hmac-exp": 24, "arcfour-hmac-md5-exp": 24,
		"camellia128-cts-cmac": 25, "camellia128-cts": 25, "camellia256-cts-cmac": 26, "camellia256-cts": 26,
	} {
		id, ok := etype.Parse(word)
		require.True(t, ok, word)
		require.Equal(t, want, id, word)
	}
	// A family is not a type, and neither are numbers or pieces of names.
	for _, word := range []string{"", " ", "aes", "rc4", "des3", "camellia", "DEFAULT", "18", "enctype 18", "aes256", "aes256-cts ", "-aes256-cts", "aes256-cts-hmac-sha1-96x"} {
		_, ok := etype.Parse(word)
		require.False(t, ok, "%q", word)
	}
}

// What String writes, Parse reads.
func TestParseString(t *testing.T) {
	for id := etype.ID(-200); id < 200; id++ {
		got, ok := etype.Parse(id.String())
		if ok {
			require.Equal(t, id, got)
		} else {
			require.Contains(t, id.String(), "enctype ")
		}
	}
}

func TestParseList(t *testing.T) {
	def := []etype.ID{18, 17, 20, 19}
	for _, tt := range []struct {
		name, text string
		want       []etype.ID
	}{
		{"empty", "", nil},
		{"separators only", " ,\t, ", nil},
		{"one", "aes256-cts", []etype.ID{18}},
		{"order is kept", "aes128-cts aes256-cts", []etype.ID{17, 18}},
		{"separators", "aes128-cts,aes256-cts\taes128-sha2 , aes256-sha2", []etype.ID{17, 18, 19, 20}},
		{"family", "aes", []etype.ID{18, 17, 20, 19}},
		{"families", "camellia rc4 des3", []etype.ID{26, 25, 23, 16}},
		{"any case", "AES RC4", []etype.ID{18, 17, 20, 19, 23}},
		{"default", "DEFAULT", def},
		{"default in any case, and more", "default +rc4", []etype.ID{18, 17, 20, 19, 23}},
		{"default without one", "DEFAULT -aes128-sha1", []etype.ID{18, 20, 19}},
		{"default without a family", "DEFAULT rc4 -aes", []etype.ID{23}},
		{"doubles are dropped", "aes256-cts aes aes256-cts", []etype.ID{18, 17, 20, 19}},
		{"alias of one already there", "aes256-sha1 aes256-cts", []etype.ID{18}},
		{"unknown words", "aes256-cts no-such-type 18 rc4-hmac", []etype.ID{18, 23}},
		{"only unknown words", "no-such-type", nil},
		{"taking out what is not there", "-aes aes128-cts", []etype.ID{17}},
		{"taken out and put back", "aes -aes256-sha1 aes256-sha1", []etype.ID{17, 20, 19, 18}},
		{"minus default", "aes rc4 -DEFAULT", []etype.ID{23}},
		{"everything taken out", "rc4 -rc4", []etype.ID{}},
		{"signs alone", "- + rc4", []etype.ID{23}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := etype.ParseList(tt.text, def)
			if len(tt.want) == 0 {
				require.Empty(t, got)
			} else {
				require.Equal(t, tt.want, got)
			}
		})
	}
	require.Equal(t, []etype.ID{18, 17, 20, 19}, def, "the default is not modified")
}

// A list that takes types out again does not touch the families or the default.
func TestParseListKeepsTables(t *testing.T) {
	def := []etype.ID{18, 17}
	require.Equal(t, []etype.ID{17}, etype.ParseList("DEFAULT -aes256-cts", def))
	require.Equal(t, []etype.ID{18, 17}, def)
	require.Equal(t, []etype.ID{17, 20, 19}, etype.ParseList("aes -aes256-cts", nil))
	require.Equal(t, []etype.ID{18, 17, 20, 19}, etype.ParseList("aes", nil))
}

func FuzzParseList(f *testing.F) {
	f.Add("aes -aes256-cts, DEFAULT\trc4")
	f.Add("+-aes --rc4 ,, -")
	f.Fuzz(func(t *testing.T, text string) {
		seen := map[etype.ID]bool{}
		for _, id := range etype.ParseList(text, []etype.ID{18, 17, 20, 19}) {
			require.False(t, seen[id], "%v twice", id)
			seen[id] = true
			_, ok := etype.Parse(id.String())
			require.True(t, ok)
		}
	})
}
