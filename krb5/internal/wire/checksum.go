package wire

import "golang.org/x/crypto/cryptobyte/asn1"

// Checksum is a checksum with its type (RFC 4120 §5.2.9).
type Checksum struct {
	Type int32
	Sum  []byte
}

// Append appends the DER of x to dst.
func (x *Checksum) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	x.fields(&w)
	w.close(m)
	return w.b
}

func (x *Checksum) fields(w *builder) {
	w.int32(0, x.Type)
	w.octets(1, x.Sum)
}

// ParseChecksum parses the DER of a Checksum, such as the value of
// PA-REQ-ENC-PA-REP in a reply (RFC 6806 §11).
func ParseChecksum(b []byte) (*Checksum, error) {
	in, err := whole(b, "Checksum")
	s := seq{in, err}
	x := new(Checksum)
	x.read(&s)
	if err := s.end("Checksum"); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *Checksum) read(s *seq) {
	x.Type = s.int32(0, "cksumtype")
	x.Sum = s.octets(1, "checksum")
}

func (w *builder) checksum(tag uint8, x *Checksum) {
	m := w.sequence(tag)
	x.fields(w)
	w.end(m)
}

func (s *seq) checksum(tag uint8, field string, x *Checksum) {
	c := s.sequence(tag, field)
	x.read(&c)
	s.leave(&c, field)
}
