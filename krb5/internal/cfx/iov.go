package cfx

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// Messages in pieces have the tokens of messages in one. Their parts, in the
// order in which they are encrypted or signed, are
//
//	confounder | data … | EC bytes | copy of the header | MAC
//
// Without a trailer its parts go to the end of the header, which RRC makes up
// for, so that the confounder stays next to the data:
//
//	header | EC bytes | copy of the header | MAC | confounder | data …
//
// In DCE style EC is one block, and RRC is told without it, since Windows rotates
// by the sum of both.

var (
	_ mech.IOVProtector = (*Context)(nil)
	_ mech.IOVSigner    = (*Context)(nil)
)

var errLayout = errors.New("layout of buffers")

// layout is where the buffers of one message are. A type that there is none of
// is nil.
type layout struct {
	all                                    []iov.Buffer
	header, trailer, padding, stream, mics *iov.Buffer
	data                                   *iov.Buffer // the first
	datas                                  int
}

// scan finds the buffers.
func scan(b []iov.Buffer) (layout, error) {
	l := layout{all: b}
	for i := range b {
		p := &b[i]
		var slot **iov.Buffer
		switch p.Type {
		case iov.Data:
			if l.datas++; l.data == nil {
				l.data = p
			}
			continue
		case iov.Header:
			slot = &l.header
		case iov.Trailer:
			slot = &l.trailer
		case iov.Padding:
			slot = &l.padding
		case iov.Stream:
			slot = &l.stream
		case iov.MICToken:
			slot = &l.mics
		default:
			continue
		}
		if *slot != nil {
			return layout{}, fmt.Errorf("%w: more than one %v", errLayout, p.Type)
		}
		*slot = p
	}
	return l, nil
}

// wrapped checks that l is a message to wrap or to unwrap with a header.
func (l *layout) wrapped() error {
	switch {
	case l.header == nil:
		return fmt.Errorf("%w: no header", errLayout)
	case l.stream != nil || l.mics != nil:
		return fmt.Errorf("%w: header beside a stream or MIC token", errLayout)
	}
	return nil
}

// signed checks that l is a message to sign.
func (l *layout) signed() error {
	if l.mics == nil {
		return fmt.Errorf("%w: no MIC token", errLayout)
	}
	return nil
}

// wipe clears the data.
func (l *layout) wipe() {
	for i := range l.all {
		if b := &l.all[i]; b.Type == iov.Data {
			clear(b.Bytes)
		}
	}
}

// shape is how the parts of a token are divided.
type shape struct {
	header, trailer int // lengths; trailer is 0 without one
	ec, rrc         int
	mac             int
}

// shapeOf returns the shape of a token. ec is that of a sealed one.
func shapeOf(id etype.ID, sealed, trailer, dce bool, ec int) shape {
	s := shape{header: headerLen}
	behind := 0 // what goes to the trailer
	if sealed {
		s.header += enctype.ConfounderSize
		s.ec, s.mac = ec, enctype.Overhead(id)-enctype.ConfounderSize
		behind = s.ec + headerLen + s.mac
		s.rrc = behind
		if dce {
			s.rrc -= s.ec
		}
	} else {
		s.mac = enctype.ChecksumSize(id)
		s.ec, s.rrc, behind = s.mac, s.mac, s.mac
	}
	if trailer {
		s.trailer, s.rrc = behind, 0
	} else {
		s.header += behind
	}
	return s
}

// split returns the parts of a token of the shape s. Those that it does not have
// are nil.
func (l *layout) split(s shape, sealed bool) (confounder, tail, mac []byte) {
	behind := l.header.Bytes[headerLen:]
	if l.trailer != nil {
		confounder, behind = behind, l.trailer.Bytes
	} else if sealed {
		n := len(behind) - enctype.ConfounderSize
		behind, confounder = behind[:n], behind[n:]
	}
	n := len(behind) - s.mac
	return confounder, behind[:n], behind[n:]
}

// resize gives b n bytes, in the memory that it has if that is enough.
func resize(b *iov.Buffer, n int) {
	b.Bytes = slices.Grow(b.Bytes[:0], n)[:n]
}

// give gives b n bytes if it may be given any, and checks that it has them.
func give(b *iov.Buffer, n int) error {
	if b.Alloc {
		resize(b, n)
	}
	if len(b.Bytes) != n {
		return fmt.Errorf("%w: %v of %d bytes, not %d", krberr.BadMsize, b.Type, len(b.Bytes), n)
	}
	return nil
}

// memory is the memory of a message: scratch space.
type memory []span

// span is what one buffer has.
type span struct {
	from, to uintptr
	written  bool
}

// of lists the memory of b, of which all but what is only signed is written.
func (m memory) of(b []iov.Buffer) memory {
	m = m[:0]
	for i := range b {
		switch p := &b[i]; p.Type {
		case iov.Header, iov.Data, iov.Trailer, iov.Stream:
			m = m.add(p.Bytes, true)
		case iov.SignOnly:
			m = m.add(p.Bytes, false)
		}
	}
	return m
}

func (m memory) add(b []byte, written bool) memory {
	if len(b) == 0 {
		return m
	}
	from := reflect.ValueOf(&b[0]).Pointer()
	return append(m, span{from, from + uintptr(len(b)), written})
}

// overlaps reports whether something that is written lies in something else.
func (m memory) overlaps() bool {
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
