// Package secret keeps key bytes out of logs.
package secret

import (
	"fmt"
	"log/slog"

	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// redacted is what every printer gets to see.
const redacted = "[redacted]"

// Secret holds bytes that fmt, encoding/json and slog cannot print. They sit
// behind a function, because fmt looks into unexported fields by reflection
// without calling their methods. The zero Secret is empty. It is safe for
// concurrent use except for Clear.
type Secret struct{ f func() []byte }

// New returns a secret with a copy of b.
func New(b []byte) Secret {
	c := append([]byte(nil), b...)
	return Secret{func() []byte { return c }}
}

// Bytes returns the secret's own bytes, which must not be modified.
func (s Secret) Bytes() []byte {
	if s.f == nil {
		return nil
	}
	return s.f()
}

// Clear overwrites the bytes, for every copy of s.
func (s Secret) Clear() { clear(s.Bytes()) }

// String implements [fmt.Stringer].
func (Secret) String() string { return redacted }

// Format implements [fmt.Formatter] for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements [encoding.TextMarshaler].
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Key is an encryption key as files and messages carry it.
type Key struct {
	Enctype etype.ID
	Value   Secret
}
