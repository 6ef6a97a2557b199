package mechtest

import (
	"encoding/binary"
	"time"
)

// appendPart appends a length and the bytes.
func appendPart(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}

// appendTime appends a time in seconds; the zero time is 0.
func appendTime(dst []byte, t time.Time) []byte {
	var s int64
	if !t.IsZero() {
		s = t.Unix()
	}
	return binary.BigEndian.AppendUint64(dst, uint64(s))
}

// reader takes a token apart. Once bad it gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) time() time.Time {
	s := r.uint64()
	if s > 1<<40 { // some 30,000 years
		r.bad = true
	}
	if s == 0 || r.bad {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

func (r *reader) part() []byte { return r.bytes(r.uint32()) }

// done reports whether everything was read and well formed.
func (r *reader) done() bool { return !r.bad && len(r.b) == 0 }
