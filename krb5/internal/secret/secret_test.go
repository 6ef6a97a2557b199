package secret

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
)

var known = []byte("0123456789abcdefSECRET")

// holder is how credentials and messages hold keys.
type holder struct {
	Name     string
	Exported Key
	hidden   Key
	Pointer  *Key
	List     []Key
	Map      map[string]Secret
	Any      any
}

// forms are the ways in which fmt, JSON and base64 write known.
func forms() []string {
	var decimal, hexes []string
	for _, c := range known {
		decimal = append(decimal, fmt.Sprint(c))
		hexes = append(hexes, fmt.Sprintf("%#x", c))
	}
	return []string{
		string(known), hex.EncodeToString(known), strings.ToUpper(hex.EncodeToString(known)), strings.Join(decimal, " "),
		strings.Join(decimal, ","), strings.Join(hexes, ", "), "MDEyMzQ1Njc4OWFiY2RlZlNFQ1JFVA",
	}
}

func requireHidden(t *testing.T, text string) {
	t.Helper()
	for _, f := range forms() {
		require.NotContains(t, text, f)
	}
}

func TestNothingPrints(t *testing.T) {
	k := Key{etype.AES256SHA1, New(known)}
	h := holder{"n", k, k, &k, []Key{k}, map[string]Secret{"x": k.Value}, k}
	for _, v := range []any{k, &k, k.Value, &k.Value, h, &h, []any{h}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t", "%p", "% x", "%#x", "%T"} {
			requireHidden(t, fmt.Sprintf(verb, v))
		}
		b, err := json.Marshal(v)
		require.NoError(t, err)
		requireHidden(t, string(b))
		var text, js bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v)
		requireHidden(t, text.String())
		requireHidden(t, js.String())
	}
	require.Equal(t, "[redacted]", k.Value.String())
	require.Equal(t, "[redacted]", fmt.Sprintf("%d", k.Value))
	require.Equal(t, "[redacted]", k.Value.LogValue().String())
	b, err := k.Value.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "[redacted]", string(b))
}

func TestForms(t *testing.T) {
	// The forms are the right ones: what has no protection shows in each.
	require.Contains(t, fmt.Sprintf("%x", known), forms()[1])
	require.Contains(t, fmt.Sprintf("%X", known), forms()[2])
	require.Contains(t, fmt.Sprintf("%d", known), forms()[3])
	b, err := json.Marshal(known)
	require.NoError(t, err)
	require.Contains(t, string(b), forms()[6])
}

func TestNewCopies(t *testing.T) {
	b := bytes.Clone(known)
	s := New(b)
	clear(b)
	require.Equal(t, known, s.Bytes())
}

func TestClear(t *testing.T) {
	s := New(known)
	second := s
	s.Clear()
	require.Equal(t, make([]byte, len(known)), second.Bytes())
	second.Clear()
}

func TestZero(t *testing.T) {
	var s Secret
	require.Nil(t, s.Bytes())
	s.Clear()
	require.Equal(t, "[redacted]", s.String())
	require.Empty(t, New(nil).Bytes())
	var k Key
	require.Nil(t, k.Value.Bytes())
}
