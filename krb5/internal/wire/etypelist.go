package wire

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// AppendETypeList appends the DER of an EtypeList (RFC 4537 §3) to dst.
func AppendETypeList(dst []byte, v []etype.ID) []byte {
	w := builder{dst}
	w.etypes(v)
	return w.b
}

// ParseETypeList parses the DER of an EtypeList. The result is not nil unless
// there is an error.
func ParseETypeList(b []byte) ([]etype.ID, error) {
	in, err := whole(b, "EtypeList")
	if err != nil {
		return nil, err
	}
	v, ok := parseEtypes(in)
	if !ok {
		return nil, fmt.Errorf("%w: EtypeList", ErrSyntax)
	}
	return v, nil
}

func (w *builder) etypes(v []etype.ID) {
	m := w.open(byte(asn1.SEQUENCE))
	for _, id := range v {
		w.bareInteger(int64(id))
	}
	w.close(m)
}

func parseEtypes(in cryptobyte.String) ([]etype.ID, bool) {
	v := []etype.ID{}
	for !in.Empty() {
		var e cryptobyte.String
		if len(v) == maxList || !in.ReadASN1(&e, asn1.INTEGER) {
			return nil, false
		}
		n, ok := parseInteger(e)
		if !ok || n != int64(int32(n)) {
			return nil, false
		}
		v = append(v, etype.ID(n))
	}
	return v, true
}
