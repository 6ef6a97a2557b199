package wire

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Address types (RFC 4120 §7.5.3).
const (
	AddrIPv4        int32 = 2
	AddrDirectional int32 = 3
	AddrNetBIOS     int32 = 20
	AddrIPv6        int32 = 24
)

// HostAddress is a network address (RFC 4120 §5.2.5).
type HostAddress struct {
	Type int32
	Addr []byte
}

func (x *HostAddress) fields(b []byte) []byte {
	w := builder{b}
	w.int32(0, x.Type)
	w.octets(1, x.Addr)
	return w.b
}

func (x *HostAddress) read(in cryptobyte.String) error {
	s := seq{in: in}
	x.Type = s.int32(0, "addr-type")
	x.Addr = s.octets(1, "address")
	return s.end("HostAddress")
}

func (w *builder) addresses(tag uint8, v []HostAddress) {
	appendList(w, tag, v, (*HostAddress).fields)
}

func (s *seq) addresses(tag uint8, field string) []HostAddress {
	return optionalList(s, tag, field, (*HostAddress).read)
}

func (w *builder) address(tag uint8, x *HostAddress) {
	if x == nil {
		return
	}
	m := w.sequence(tag)
	w.b = x.fields(w.b)
	w.end(m)
}

func (s *seq) address(tag uint8, field string) *HostAddress {
	if !s.has(tag) {
		return nil
	}
	x := new(HostAddress)
	if in := s.value(tag, asn1.SEQUENCE, field); s.err == nil {
		s.err = x.read(in)
	}
	return x
}
