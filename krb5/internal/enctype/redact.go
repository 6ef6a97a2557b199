package enctype

import (
	"fmt"
	"log/slog"
)

// masked gives the type that embeds it the methods by which fmt,
// encoding/json and log/slog print, and none of them prints a key.
type masked struct{}

const redacted = "[redacted]"

// String implements [fmt.Stringer].
func (masked) String() string { return redacted }

// Format implements [fmt.Formatter] for every verb.
func (masked) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements [encoding.TextMarshaler].
func (masked) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer].
func (masked) LogValue() slog.Value { return slog.StringValue(redacted) }
