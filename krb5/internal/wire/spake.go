package wire

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// SPAKEFactorNone is the second factor that is none (RFC 9588 §4.2).
const SPAKEFactorNone int32 = 1

// PASPAKEMessage is the value of PA-SPAKE (RFC 9588 §4): one of the four is not
// nil.
type PASPAKEMessage struct {
	Support   []int32 // groups, the best first
	Challenge *SPAKEChallenge
	Response  *SPAKEResponse
	EncData   *EncryptedData
}

// SPAKEChallenge is the KDC's public key (RFC 9588 §4.2).
type SPAKEChallenge struct {
	Group   int32
	Public  []byte
	Factors []SPAKEFactor
}

// SPAKEFactor is a SPAKESecondFactor.
type SPAKEFactor struct {
	Type int32
	Data []byte // optional
}

// SPAKEResponse is the client's public key (RFC 9588 §4.3).
type SPAKEResponse struct {
	Public []byte
	Factor EncryptedData // a SPAKEFactor
}

// Append appends the DER of x to dst.
func (x *PASPAKEMessage) Append(dst []byte) []byte {
	w := builder{dst}
	switch {
	case x.Challenge != nil:
		m := w.sequence(1)
		w.int32(0, x.Challenge.Group)
		w.octets(1, x.Challenge.Public)
		f := w.open(classContext | 2)
		appendBareList(&w, x.Challenge.Factors, (*SPAKEFactor).fields)
		w.close(f)
		w.end(m)
	case x.Response != nil:
		m := w.sequence(2)
		w.octets(0, x.Response.Public)
		w.encrypted(1, &x.Response.Factor)
		w.end(m)
	case x.EncData != nil:
		w.encrypted(3, x.EncData)
	default:
		m := w.sequence(0)
		g := w.sequence(0)
		for _, id := range x.Support {
			w.bareInteger(int64(id))
		}
		w.end(g)
		w.end(m)
	}
	return w.b
}

// ParsePASPAKE parses the DER of a PA-SPAKE.
func ParsePASPAKE(b []byte) (*PASPAKEMessage, error) {
	x := new(PASPAKEMessage)
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: PA-SPAKE", ErrSyntax)
	}
	tag := b[0] &^ classContext
	if tag == 3 && b[0] == classContext|3 {
		outer := seq{in: cryptobyte.String(b)}
		x.EncData = new(EncryptedData)
		outer.encrypted(3, "encdata", x.EncData)
		if err := outer.end("PA-SPAKE"); err != nil {
			return nil, err
		}
		return x, nil
	}
	s, err := choice(b, tag, "PA-SPAKE")
	if err != nil {
		return nil, err
	}
	switch tag {
	case 0:
		x.Support = s.int32List(0, "groups")
	case 1:
		x.Challenge = new(SPAKEChallenge)
		x.Challenge.Group = s.int32(0, "group")
		x.Challenge.Public = s.octets(1, "pubkey")
		x.Challenge.Factors = list(&s, 2, "factors", (*SPAKEFactor).read)
	case 2:
		x.Response = new(SPAKEResponse)
		x.Response.Public = s.octets(0, "pubkey")
		s.encrypted(1, "factor", &x.Response.Factor)
	default:
		s.fail("PA-SPAKE")
	}
	if err := s.end("PA-SPAKE"); err != nil {
		return nil, err
	}
	return x, nil
}

// int32List reads a field that is a SEQUENCE OF Int32.
func (s *seq) int32List(tag uint8, field string) []int32 {
	in := s.value(tag, asn1.SEQUENCE, field)
	ids := []int32{}
	for s.err == nil && !in.Empty() {
		var v cryptobyte.String
		var n int64
		ok := in.ReadASN1(&v, asn1.INTEGER)
		if ok {
			n, ok = parseInteger(v)
		}
		if !ok || n != int64(int32(n)) || len(ids) == maxList {
			s.fail(field)
			break
		}
		ids = append(ids, int32(n))
	}
	return ids
}

// Append appends the DER of x, a SPAKESecondFactor, to dst.
func (x *SPAKEFactor) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.b = x.fields(w.b)
	w.close(m)
	return w.b
}

// ParseSPAKEFactor parses the DER of a SPAKESecondFactor.
func ParseSPAKEFactor(b []byte) (*SPAKEFactor, error) {
	in, err := whole(b, "SPAKESecondFactor")
	if err != nil {
		return nil, err
	}
	x := new(SPAKEFactor)
	if err := x.read(in); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *SPAKEFactor) fields(b []byte) []byte {
	w := builder{b}
	w.int32(0, x.Type)
	if x.Data != nil {
		w.octets(1, x.Data)
	}
	return w.b
}

func (x *SPAKEFactor) read(in cryptobyte.String) error {
	s := seq{in: in}
	x.Type = s.int32(0, "type")
	if s.has(1) {
		x.Data = s.octets(1, "data")
	}
	return s.end("SPAKESecondFactor")
}
