package wire

import (
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// builder appends DER to b. What is constructed is opened and closed again; its
// length is written on closing, and the contents move up if it takes more than
// the one byte that was kept for it. Messages are small, and so is the move.
type builder struct{ b []byte }

// open starts a constructed value and returns the mark that close needs.
func (w *builder) open(tag byte) int {
	w.b = append(w.b, tag, 0)
	return len(w.b)
}

func (w *builder) close(mark int) {
	n := len(w.b) - mark
	if n < 0x80 {
		w.b[mark-1] = byte(n)
		return
	}
	var pad [4]byte
	more := lengthSize(n) - 1
	w.b = append(w.b, pad[:more]...)
	copy(w.b[mark+more:], w.b[mark:mark+n])
	_ = appendLength(w.b[:mark-1], n)
}

// application opens [APPLICATION tag] SEQUENCE; end closes both.
func (w *builder) application(tag uint8) int {
	w.open(classApplication | tag)
	return w.open(byte(asn1.SEQUENCE))
}

// sequence opens [tag] SEQUENCE; end closes both.
func (w *builder) sequence(tag uint8) int {
	w.open(classContext | tag)
	return w.open(byte(asn1.SEQUENCE))
}

// end closes what application and sequence opened. The outer mark lies before
// the two bytes of the inner one.
func (w *builder) end(mark int) {
	w.close(mark)
	w.close(mark - 2)
}

// lengthSize returns how many bytes the length n takes.
func lengthSize(n int) int {
	switch {
	case n < 0x80:
		return 1
	case n < 0x100:
		return 2
	case n < 0x10000:
		return 3
	case n < 0x1000000:
		return 4
	}
	return 5
}

func appendLength(b []byte, n int) []byte {
	size := lengthSize(n)
	if size == 1 {
		return append(b, byte(n))
	}
	b = append(b, 0x80|byte(size-1))
	for i := size - 2; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

// header writes [tag] and the tag and length of a primitive value of n bytes.
func (w *builder) header(tag uint8, inner asn1.Tag, n int) {
	w.b = appendLength(append(w.b, classContext|tag), 1+lengthSize(n)+n)
	w.b = appendLength(append(w.b, byte(inner)), n)
}

func (w *builder) octets(tag uint8, v []byte) {
	w.header(tag, asn1.OCTET_STRING, len(v))
	w.b = append(w.b, v...)
}

func (w *builder) str(tag uint8, v string) {
	w.header(tag, tagGeneralString, len(v))
	w.b = append(w.b, v...)
}

func (w *builder) int32(tag uint8, v int32) { w.integer(tag, int64(v)) }

func (w *builder) uint32(tag uint8, v uint32) { w.integer(tag, int64(v)) }

func (w *builder) integer(tag uint8, v int64) {
	w.b = append(w.b, classContext|tag, 0)
	mark := len(w.b)
	w.bareInteger(v)
	w.b[mark-1] = byte(len(w.b) - mark)
}

func (w *builder) bareInteger(v int64) {
	n := 1
	for r := v; r > 0x7f || r < -0x80; r >>= 8 {
		n++
	}
	w.b = append(w.b, byte(asn1.INTEGER), byte(n))
	for i := n - 1; i >= 0; i-- {
		w.b = append(w.b, byte(v>>(8*i)))
	}
}

// flags writes KerberosFlags, always 32 bits (RFC 4120 §5.2.8).
func (w *builder) flags(tag uint8, v uint32) {
	w.b = append(w.b, classContext|tag, 7, byte(asn1.BIT_STRING), 5, 0, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// time writes a KerberosTime. Years that four digits cannot say become the
// nearest that they can.
func (w *builder) time(tag uint8, t time.Time) {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	t = t.UTC()
	if y := t.Year(); y < 0 {
		t = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	} else if y > 9999 {
		t = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	w.b = append(w.b, classContext|tag, 17, byte(asn1.GeneralizedTime), 15)
	for _, n := range [...]int{year / 100, year % 100, int(month), day, hour, minute, second} {
		w.b = append(w.b, '0'+byte(n/10), '0'+byte(n%10))
	}
	w.b = append(w.b, 'Z')
}

// optionalTime is time for a field that may be absent.
func (w *builder) optionalTime(tag uint8, t time.Time) {
	if !t.IsZero() {
		w.time(tag, t)
	}
}

// micros writes the microseconds of t.
func (w *builder) micros(tag uint8, t time.Time) {
	w.integer(tag, int64(t.Nanosecond()/int(time.Microsecond)))
}

// appendList writes a field that is a SEQUENCE OF SEQUENCE, nothing if v is nil.
func appendList[T any](w *builder, tag uint8, v []T, write func(*T, []byte) []byte) {
	if v == nil {
		return
	}
	outer := w.open(classContext | tag)
	appendBareList(w, v, write)
	w.close(outer)
}

// appendBareList writes a SEQUENCE OF SEQUENCE. write takes and returns bytes
// and not the builder, which would move it to the heap.
func appendBareList[T any](w *builder, v []T, write func(*T, []byte) []byte) {
	m := w.open(byte(asn1.SEQUENCE))
	for i := range v {
		e := w.open(byte(asn1.SEQUENCE))
		w.b = write(&v[i], w.b)
		w.close(e)
	}
	w.close(m)
}
