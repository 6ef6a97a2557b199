package creds

import (
	"fmt"
	"log/slog"
	"slices"
)

const redacted = "[redacted]"

// Secret is a password that fmt, encoding/json and slog cannot print. The zero
// Secret is no password, which is not the same as an empty one. It is safe for
// concurrent use.
type Secret struct{ f func() []byte }

// Password returns a copy of the password p. An empty one is a password too, if
// one that nothing accepts.
func Password(p []byte) Secret {
	p = slices.Clone(p)
	return Secret{func() []byte { return p }}
}

// IsZero reports whether s is no password.
func (s Secret) IsZero() bool { return s.f == nil }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format implements [fmt.Formatter]: every verb prints "[redacted]".
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements [encoding.TextMarshaler] with "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer] with "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
