package krb5_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
)

// printed is a value in all the ways in which programs print values.
func printed(v any) [][]byte {
	var out [][]byte
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c", "%U"} {
		out = append(out, fmt.Appendf(nil, verb, v))
	}
	if b, err := json.Marshal(v); err == nil {
		out = append(out, b)
	}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v)
	return append(out, text.Bytes(), js.Bytes())
}

// forms are the ways in which bytes look then.
func forms(b []byte) [][]byte {
	var decimal, hexes []string
	for _, c := range b {
		decimal = append(decimal, fmt.Sprint(c))
		hexes = append(hexes, fmt.Sprintf("%#x", c))
	}
	h := hex.EncodeToString(b)
	return [][]byte{
		b, []byte(h), []byte(strings.ToUpper(h)), fmt.Appendf(nil, "% x", b), []byte(strings.Join(decimal, " ")),
		[]byte(strings.Join(decimal, ",")), []byte(strings.Join(hexes, ", ")), []byte(base64.StdEncoding.EncodeToString(b)),
	}
}

// The search finds what is there.
func TestForms(t *testing.T) {
	type open struct{ Key []byte }
	secret := []byte("0123456789abcdef")
	found := map[int]bool{}
	for _, text := range printed(open{secret}) {
		for i, f := range forms(secret) {
			if bytes.Contains(text, f) {
				found[i] = true
			}
		}
	}
	require.Len(t, found, 7, "%v", found)
}

// What a user has typed in is not in what a Prompt may log.
func TestOTPAnswerPrints(t *testing.T) {
	a := krb5.OTPAnswer{Value: []byte("20460815-otp"), PIN: []byte("4711-the-pin")}
	for _, v := range []any{a, &a, []krb5.OTPAnswer{a}, struct{ A *krb5.OTPAnswer }{&a}} {
		for _, text := range printed(v) {
			for _, b := range [][]byte{a.Value, a.PIN} {
				for _, f := range forms(b) {
					require.NotContains(t, string(text), string(f))
				}
			}
		}
	}
}
