// Package layout finds the buffers of a message in pieces, and what they must
// not do: have another length than they should, or share memory.
package layout

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Err is what is wrong with buffers that cannot be a message.
var Err = errors.New("layout of buffers")

// Buffers are those of one message. A type that there is none of is nil.
type Buffers struct {
	All                                   []iov.Buffer
	Header, Trailer, Padding, Stream, MIC *iov.Buffer
	Data                                  *iov.Buffer // the first
	Datas                                 int
}

// Scan finds the buffers. The error of a type that there is twice, but should
// not be, is [Err].
func Scan(b []iov.Buffer) (Buffers, error) {
	l := Buffers{All: b}
	for i := range b {
		p := &b[i]
		var slot **iov.Buffer
		switch p.Type {
		case iov.Data:
			if l.Datas++; l.Data == nil {
				l.Data = p
			}
			continue
		case iov.Header:
			slot = &l.Header
		case iov.Trailer:
			slot = &l.Trailer
		case iov.Padding:
			slot = &l.Padding
		case iov.Stream:
			slot = &l.Stream
		case iov.MICToken:
			slot = &l.MIC
		default:
			continue
		}
		if *slot != nil {
			return Buffers{All: b}, fmt.Errorf("%w: more than one %v", Err, p.Type)
		}
		*slot = p
	}
	return l, nil
}

// Wrapped checks that l is a message to wrap or to unwrap with a header.
func (l *Buffers) Wrapped() error {
	switch {
	case l.Header == nil:
		return fmt.Errorf("%w: no header", Err)
	case l.Stream != nil || l.MIC != nil:
		return fmt.Errorf("%w: header beside a stream or MIC token", Err)
	}
	return nil
}

// Signed checks that l is a message to sign.
func (l *Buffers) Signed() error {
	if l.MIC == nil {
		return fmt.Errorf("%w: no MIC token", Err)
	}
	return nil
}

// Wipe clears the data.
func (l *Buffers) Wipe() {
	for i := range l.All {
		if b := &l.All[i]; b.Type == iov.Data {
			clear(b.Bytes)
		}
	}
}

// Resize gives b n bytes, in the memory that it has if that is enough.
func Resize(b *iov.Buffer, n int) {
	b.Bytes = slices.Grow(b.Bytes[:0], n)[:n]
}

// Give gives b n bytes if it may be given any. The error of one that may not be
// and has not got them is [krberr.BadMsize].
func Give(b *iov.Buffer, n int) error {
	if b.Alloc {
		Resize(b, n)
	}
	if len(b.Bytes) != n {
		return fmt.Errorf("%w: %v of %d bytes, not %d", krberr.BadMsize, b.Type, len(b.Bytes), n)
	}
	return nil
}

// Memory lists the memory of a message. It is scratch space: what one has listed
// is used again by the next.
type Memory []span

// span is what one buffer has.
type span struct {
	from, to uintptr
	written  bool
}

// Of lists the memory of b, of which all but what is only signed is written.
func (m Memory) Of(b []iov.Buffer) Memory {
	m = m[:0]
	for i := range b {
		switch p := &b[i]; p.Type {
		case iov.Header, iov.Data, iov.Padding, iov.Trailer:
			m = m.Add(p.Bytes, true)
		case iov.SignOnly:
			m = m.Add(p.Bytes, false)
		}
	}
	return m
}

// Add lists b, which is written or only read.
func (m Memory) Add(b []byte, written bool) Memory {
	if len(b) == 0 {
		return m
	}
	from := reflect.ValueOf(&b[0]).Pointer()
	return append(m, span{from, from + uintptr(len(b)), written})
}

// Overlaps reports whether something that is written lies in something else.
// Without package unsafe only reflection gives addresses.
func (m Memory) Overlaps() bool {
	slices.SortFunc(m, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var all, written uintptr // where those before end
	for _, s := range m {
		if s.from < written || s.written && s.from < all {
			return true
		}
		all = max(all, s.to)
		if s.written {
			written = max(written, s.to)
		}
	}
	return false
}
