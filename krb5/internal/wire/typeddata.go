package wire

import "golang.org/x/crypto/cryptobyte"

// ParseTypedData parses the DER of TYPED-DATA (RFC 4120 §5.9.1), which differs
// from METHOD-DATA in its tags and in that a value may be absent.
func ParseTypedData(b []byte) ([]PAData, error) {
	in, err := whole(b, "TYPED-DATA")
	if err != nil {
		return nil, err
	}
	return listOf(in, "TYPED-DATA", (*PAData).readTyped)
}

func (x *PAData) readTyped(in cryptobyte.String) error {
	s := seq{in: in}
	x.Type = s.int32(0, "data-type")
	if s.has(1) {
		x.Value = s.octets(1, "data-value")
	}
	return s.end("TYPED-DATA")
}

// AppendTypedData appends the DER of TYPED-DATA to dst.
func AppendTypedData(dst []byte, v []PAData) []byte {
	w := builder{dst}
	appendBareList(&w, v, (*PAData).typedFields)
	return w.b
}

func (x *PAData) typedFields(b []byte) []byte {
	w := builder{b}
	w.int32(0, x.Type)
	if x.Value != nil {
		w.octets(1, x.Value)
	}
	return w.b
}
