package wire

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// Identifier octets (X.690 §8.1.2).
const (
	classApplication = 0x60 // constructed
	classContext     = 0xa0 // constructed
	tagGeneralString = asn1.Tag(0x1b)
)

// maxList is the largest number of entries that a list may have.
const maxList = 1024

// seq reads the fields of a SEQUENCE, each under its explicit context tag. The
// first failure sticks in err; after it every read gives a zero value, so that
// a message can be read in one go and err looked at once.
type seq struct {
	in  cryptobyte.String
	err error
}

func (s *seq) fail(field string) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: %s", ErrSyntax, field)
	}
}

// application enters [APPLICATION tag] SEQUENCE, which must be all of b.
func application(b []byte, tag uint8, name string) seq {
	var s seq
	var inner cryptobyte.String
	in := cryptobyte.String(b)
	if len(b) > MaxMessage ||
		!in.ReadASN1(&inner, asn1.Tag(classApplication|tag)) || !in.Empty() ||
		!inner.ReadASN1(&s.in, asn1.SEQUENCE) || !inner.Empty() {
		s.fail(name)
	}
	return s
}

// message is application for a message of the type t, or else of the type or.
func message(b []byte, t, or MsgType) (MsgType, seq) {
	got, ok := TypeOf(b)
	if !ok {
		got = t
	} else if got != t && got != or {
		return got, seq{err: fmt.Errorf("%w: %v instead of %v", krberr.APMsgType, got, t)}
	}
	return got, application(b, uint8(got), got.String())
}

// has reports whether the next field has the tag.
func (s *seq) has(tag uint8) bool {
	return s.err == nil && s.in.PeekASN1Tag(asn1.Tag(classContext|tag))
}

// explicit returns what is in the field, tags and all.
func (s *seq) explicit(tag uint8, field string) cryptobyte.String {
	var v cryptobyte.String
	if s.err == nil && !s.in.ReadASN1(&v, asn1.Tag(classContext|tag)) {
		s.fail(field)
	}
	return v
}

// value returns the contents of the field's value, which has the type inner.
func (s *seq) value(tag uint8, inner asn1.Tag, field string) cryptobyte.String {
	var outer, v cryptobyte.String
	if s.err != nil {
		return nil
	}
	if !s.in.ReadASN1(&outer, asn1.Tag(classContext|tag)) || !outer.ReadASN1(&v, inner) || !outer.Empty() {
		s.fail(field)
		return nil
	}
	return v
}

// sequence enters a field that is a SEQUENCE itself; leave ends it.
func (s *seq) sequence(tag uint8, field string) seq {
	in := s.value(tag, asn1.SEQUENCE, field)
	return seq{in, s.err}
}

// leave ends the inner sequence c of s.
func (s *seq) leave(c *seq, field string) {
	if s.err == nil {
		s.err = c.end(field)
	}
}

// end returns the failure, and fails if there are fields left.
func (s *seq) end(field string) error {
	if s.err == nil && !s.in.Empty() {
		s.err = fmt.Errorf("%w: %s: unknown, repeated or misplaced field", ErrSyntax, field)
	}
	return s.err
}

func (s *seq) octets(tag uint8, field string) []byte {
	return s.value(tag, asn1.OCTET_STRING, field)
}

// str reads a KerberosString (RFC 4120 §5.2.1): any bytes.
func (s *seq) str(tag uint8, field string) string {
	v := s.value(tag, tagGeneralString, field)
	if len(v) > principal.MaxBytes {
		s.fail(field)
		return ""
	}
	return string(v)
}

// integer reads an INTEGER that fits Int32 or UInt32 (RFC 4120 §5.2.4).
func (s *seq) integer(tag uint8, field string) int64 {
	v := s.value(tag, asn1.INTEGER, field)
	if s.err != nil {
		return 0
	}
	n, ok := parseInteger(v)
	if !ok {
		s.fail(field)
	}
	return n
}

func parseInteger(v []byte) (int64, bool) {
	if len(v) == 0 || len(v) > 5 {
		return 0, false
	}
	if len(v) > 1 && (v[0] == 0 && v[1] < 0x80 || v[0] == 0xff && v[1] >= 0x80) {
		return 0, false
	}
	n := int64(int8(v[0]))
	for _, c := range v[1:] {
		n = n<<8 | int64(c)
	}
	return n, n >= math.MinInt32 && n <= math.MaxUint32
}

func (s *seq) int32(tag uint8, field string) int32 {
	n := s.integer(tag, field)
	if n > math.MaxInt32 {
		s.fail(field)
		return 0
	}
	return int32(n)
}

// uint32 reads a UInt32, and a negative number as its two's complement: older
// peers write sequence numbers, nonces and key versions as signed ones.
func (s *seq) uint32(tag uint8, field string) uint32 {
	return uint32(s.integer(tag, field))
}

// version reads a version number, which must be 5.
func (s *seq) version(tag uint8, field string) {
	if n := s.int32(tag, field); s.err == nil && n != version {
		s.err = fmt.Errorf("%w: %s %d", krberr.APBadVersion, field, n)
	}
}

func (s *seq) msgType(tag uint8, want MsgType) {
	if n := s.int32(tag, "msg-type"); s.err == nil && n != int32(want) {
		s.err = fmt.Errorf("%w: msg-type %d in an %v", krberr.APMsgType, n, want)
	}
}

// flags reads KerberosFlags (RFC 4120 §5.2.8): bit 0 is 1<<31, missing bits are
// zero, bits after the 32nd are ignored.
func (s *seq) flags(tag uint8, field string) uint32 {
	v := s.value(tag, asn1.BIT_STRING, field)
	if s.err != nil {
		return 0
	}
	if len(v) == 0 || v[0] > 7 || v[0] != 0 && (len(v) == 1 || v[len(v)-1]&(1<<v[0]-1) != 0) {
		s.fail(field)
		return 0
	}
	var n uint32
	for i, c := range v[1:min(len(v), 5)] {
		n |= uint32(c) << (24 - 8*i)
	}
	return n
}

func (s *seq) time(tag uint8, field string) time.Time {
	v := s.value(tag, asn1.GeneralizedTime, field)
	if s.err != nil {
		return time.Time{}
	}
	t, ok := parseTime(v)
	if !ok {
		s.fail(field)
	}
	return t
}

// parseTime reads a KerberosTime (RFC 4120 §5.2.3): no fraction, UTC. The first
// instant of the year 1 is refused, because it means absent in Go.
func parseTime(v []byte) (time.Time, bool) {
	const form = "YYYYMMDDhhmmssZ"
	if len(v) != len(form) || v[14] != 'Z' {
		return time.Time{}, false
	}
	for _, c := range v[:14] {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(v[i]-'0')*10 + int(v[i+1]-'0') }
	year, month, day := two(0)*100+two(2), time.Month(two(4)), two(6)
	hour, minute, second := two(8), two(10), two(12)
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day && !t.IsZero()
}

// micros reads Microseconds (RFC 4120 §5.2.4).
func (s *seq) micros(tag uint8, field string) time.Duration {
	n := s.integer(tag, field)
	if n < 0 || n > 999999 {
		s.fail(field)
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

// optionalTime is time for a field that may be absent.
func (s *seq) optionalTime(tag uint8, field string) time.Time {
	if !s.has(tag) {
		return time.Time{}
	}
	return s.time(tag, field)
}

// listOf reads the elements of a SEQUENCE OF SEQUENCE.
func listOf[T any](in cryptobyte.String, name string, read func(*T, cryptobyte.String) error) ([]T, error) {
	var e cryptobyte.String
	count := 0
	for rest := in; !rest.Empty(); count++ {
		if count == maxList || !rest.ReadASN1(&e, asn1.SEQUENCE) {
			return nil, fmt.Errorf("%w: %s", ErrSyntax, name)
		}
	}
	list := make([]T, count)
	for i := range list {
		_ = in.ReadASN1(&e, asn1.SEQUENCE)
		if err := read(&list[i], e); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// list reads a field that is a SEQUENCE OF SEQUENCE.
func list[T any](s *seq, tag uint8, name string, read func(*T, cryptobyte.String) error) []T {
	in := s.value(tag, asn1.SEQUENCE, name)
	if s.err != nil {
		return nil
	}
	var v []T
	v, s.err = listOf(in, name, read)
	return v
}

// optionalList is list for a field that may be absent.
func optionalList[T any](s *seq, tag uint8, name string, read func(*T, cryptobyte.String) error) []T {
	if !s.has(tag) {
		return nil
	}
	return list(s, tag, name, read)
}

// whole returns the contents of b, which must be one SEQUENCE.
func whole(b []byte, name string) (cryptobyte.String, error) {
	var v cryptobyte.String
	in := cryptobyte.String(b)
	if len(b) > MaxMessage || !in.ReadASN1(&v, asn1.SEQUENCE) || !in.Empty() {
		return nil, fmt.Errorf("%w: %s", ErrSyntax, name)
	}
	return v, nil
}
