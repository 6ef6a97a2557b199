package enctype_test

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

	"github.com/gss-go/gssapi/krb5/internal/enctype"
)

// Nothing that prints values prints a key, or what was derived from it.
func TestRedacted(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		const usage = 2
		kc, ke, ki, err := enctype.Derived(k, usage)
		require.NoError(t, err)
		c, m := cipherOf(t, k, usage), macOf(t, k, usage)
		msg := []byte("a plaintext that stays in the scratch space")
		ct, err := c.Seal(nil, nil, msg)
		require.NoError(t, err)
		_, err = c.Open(nil, ct)
		require.NoError(t, err)
		m.Sum(nil, msg, nil)
		_, err = k.Encrypt(nil, msg, usage)
		require.NoError(t, err)

		require.Equal(t, "[redacted]", k.String()+c.String()[10:]+m.String()[10:])
		check := func(out string) {
			t.Helper()
			for _, s := range [][]byte{k.Bytes(), kc, ke, ki, msg} {
				s = s[:8]
				var decimal []string
				for _, x := range s {
					decimal = append(decimal, fmt.Sprint(x))
				}
				for _, form := range []string{
					string(s), hex.EncodeToString(s), strings.ToUpper(hex.EncodeToString(s)), strings.Join(decimal, " "), strings.Join(decimal, ", "),
					strings.Trim(fmt.Sprintf("%#v", s), "[]byte{}"), base64.StdEncoding.EncodeToString(s)[:8], fmt.Sprintf("% x", s),
				} {
					require.NotContains(t, out, form)
				}
			}
		}
		for _, v := range []any{k, *k, c, *c, m, *m} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%X", "%s", "%q", "%b", "%o", "% x", "%p", "%t", "%c"} {
				out := fmt.Sprintf(verb, v)
				check(out)
				if verb != "%p" { // an address, whatever the type says
					require.Equal(t, "[redacted]", out, "%s of %T", verb, v)
				}
				holder := struct {
					Exported any
					hidden   any
				}{v, v}
				check(fmt.Sprintf(verb, holder))
				check(fmt.Sprintf(verb, &holder))
				check(fmt.Sprintf(verb, []any{v}))
				check(fmt.Sprintf(verb, map[string]any{"key": v}))
			}
			b, err := json.Marshal(map[string]any{"key": v})
			require.NoError(t, err)
			require.JSONEq(t, `{"key":"[redacted]"}`, string(b))
			for _, handler := range []func(*bytes.Buffer) slog.Handler{
				func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
				func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
			} {
				var b bytes.Buffer
				slog.New(handler(&b)).Info("key", "key", v, "held", struct{ Held any }{v})
				require.Contains(t, b.String(), "[redacted]")
				check(b.String())
			}
		}
		holder := struct {
			key *enctype.Key
			c   enctype.Cipher
			m   enctype.MAC
		}{k, *c, *m}
		for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%s"} {
			check(fmt.Sprintf(verb, holder))
		}
	})
}

// Errors say what was wrong, not with which bytes.
func TestErrorsHaveNoBytes(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		value := append(bytesOf(enctype.KeySize(k.Enctype())), 'x')
		_, err := enctype.NewKey(k.Enctype(), value)
		require.NotContains(t, err.Error(), hex.EncodeToString(value[:4]))
		require.NotContains(t, err.Error(), string(value[:4]))
		sum, err := k.Checksum(nil, 1, []byte("data"))
		require.NoError(t, err)
		err = k.VerifyChecksum(make([]byte, len(sum)), 1, []byte("data"))
		require.NotContains(t, err.Error(), hex.EncodeToString(sum[:4]))
	})
}
