package oid

import (
	"errors"
	"strconv"
	"strings"
)

// Parse returns the identifier written in dotted decimal form, such as
// "1.2.840.113554.1.2.2". Any other text is an error, the empty one too, and so
// is an identifier longer than FromDER takes.
func Parse(s string) (OID, error) {
	if len(s) > 4*maxLen {
		return OID{}, errors.New("oid: text too long")
	}
	parts := strings.Split(s, ".")
	arcs := make([]uint64, len(parts))
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 64)
		if err != nil || p[0] == '+' || (len(p) > 1 && p[0] == '0') {
			return OID{}, errors.New("oid: not in dotted decimal form")
		}
		arcs[i] = v
	}
	return FromInts(arcs...)
}

// String returns the dotted decimal form, "" for the zero OID.
func (o OID) String() string {
	var b strings.Builder
	for i, a := range o.Arcs() {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.FormatUint(a, 10))
	}
	return b.String()
}

// MarshalText implements [encoding.TextMarshaler] with the dotted decimal form.
// The zero OID is the empty text.
func (o OID) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [OID.MarshalText].
func (o *OID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*o = OID{}
		return nil
	}
	v, err := Parse(string(text))
	if err != nil {
		return err
	}
	*o = v
	return nil
}

// MarshalBinary implements [encoding.BinaryMarshaler] with the contents octets.
// The zero OID is the empty slice.
func (o OID) MarshalBinary() ([]byte, error) { return o.DER(), nil }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]; see
// [OID.MarshalBinary].
func (o *OID) UnmarshalBinary(contents []byte) error {
	if len(contents) == 0 {
		*o = OID{}
		return nil
	}
	v, err := FromDER(contents)
	if err != nil {
		return err
	}
	*o = v
	return nil
}
