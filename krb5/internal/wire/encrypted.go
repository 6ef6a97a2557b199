package wire

import (
	"fmt"
	"log/slog"

	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// EncryptedData is ciphertext with what says how to read it (RFC 4120 §5.2.9).
type EncryptedData struct {
	Etype etype.ID
	// Kvno is the version of the key, 0 if absent. It is written as a signed
	// number, which is what every peer can read: read-only domain controllers
	// of Active Directory use the upper 16 bits.
	Kvno   uint32
	Cipher []byte
}

// Append appends the DER of x to dst.
func (x *EncryptedData) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	x.fields(&w)
	w.close(m)
	return w.b
}

func (x *EncryptedData) fields(w *builder) {
	w.int32(0, int32(x.Etype))
	if x.Kvno != 0 {
		w.int32(1, int32(x.Kvno))
	}
	w.octets(2, x.Cipher)
}

func (w *builder) encrypted(tag uint8, x *EncryptedData) {
	m := w.sequence(tag)
	x.fields(w)
	w.end(m)
}

// ParseEncryptedData parses the DER of an EncryptedData, such as the value of
// PA-ENC-TIMESTAMP.
func ParseEncryptedData(b []byte) (*EncryptedData, error) {
	in, err := whole(b, "EncryptedData")
	s := seq{in, err}
	x := new(EncryptedData)
	x.read(&s)
	if err := s.end("EncryptedData"); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *EncryptedData) read(s *seq) {
	x.Etype = etype.ID(s.int32(0, "etype"))
	if s.has(1) {
		x.Kvno = s.uint32(1, "kvno")
	}
	x.Cipher = s.octets(2, "cipher")
}

func (s *seq) encrypted(tag uint8, field string, x *EncryptedData) {
	c := s.sequence(tag, field)
	x.read(&c)
	s.leave(&c, field)
}

// EncryptionKey is a key as messages carry it (RFC 4120 §5.2.9). It prints as
// "[redacted]".
type EncryptionKey struct {
	Etype etype.ID
	Value []byte
}

const redacted = "[redacted]"

// Format implements [fmt.Formatter] for every verb.
func (EncryptionKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements [encoding.TextMarshaler].
func (EncryptionKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer].
func (EncryptionKey) LogValue() slog.Value { return slog.StringValue(redacted) }

func (w *builder) key(tag uint8, x *EncryptionKey) {
	m := w.sequence(tag)
	w.int32(0, int32(x.Etype))
	w.octets(1, x.Value)
	w.end(m)
}

func (s *seq) key(tag uint8, field string, x *EncryptionKey) {
	c := s.sequence(tag, field)
	x.Etype = etype.ID(c.int32(0, field))
	x.Value = c.octets(1, field)
	s.leave(&c, field)
}
