package cfx

import (
	"fmt"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// UnwrapIOV takes the protection off the Data of b in place. There are two
// forms:
//
//   - A Header, Data, and a Trailer if the sender had one: each as WrapIOV left
//     it. A token whose RRC says that it was divided otherwise is
//     ErrDefectiveToken.
//   - A Stream, which is a whole token of any RRC, and one Data buffer, which
//     becomes the message: a part of the Stream's memory or, with Alloc, a copy.
//     The Stream is overwritten. In DCE style there is no such form.
//
// SignOnly buffers are as they were for WrapIOV. What is in the Padding must be
// nothing. After an error that is not informational all Data is zero, and in the
// second form it is empty.
func (c *Context) UnwrapIOV(b []iov.Buffer) (mech.MessageInfo, error) {
	const op = "unwrap_iov"
	l, err := scan(b)
	if err != nil {
		l.all = b
		l.wipe()
		return mech.MessageInfo{}, fail(op, gsserr.ErrFailure, err)
	}
	r := &c.recv
	r.mu.Lock()
	defer r.mu.Unlock()
	h, major, err := c.unwrapIOV(&l)
	if err != nil {
		l.wipe()
		if l.stream != nil && l.data != nil {
			l.data.Bytes = l.data.Bytes[:0]
		}
		return mech.MessageInfo{}, fail(op, major, err)
	}
	return mech.MessageInfo{Encrypted: h.flags&flagSealed != 0}, c.sequence(op, h.seq)
}

// parts are the parts of a token that are not data.
type parts struct{ confounder, tail, mac []byte }

// unwrapIOV verifies a message. The caller holds the lock.
func (c *Context) unwrapIOV(l *layout) (header, gsserr.Major, error) {
	r := &c.recv
	if r.closed {
		return header{}, gsserr.ErrNoContext, errClosed
	}
	first := l.stream
	if first == nil {
		if err := l.wrapped(); err != nil {
			return header{}, gsserr.ErrFailure, err
		}
		first = l.header
	}
	h, body, err := parseHeader(first.Bytes, tokenWrap)
	if l.stream != nil {
		h, body, err = parseToken(first.Bytes, tokenWrap)
	}
	if err != nil {
		return header{}, gsserr.ErrDefectiveToken, err
	}
	s, err := c.suiteFor(h)
	if err != nil {
		return header{}, gsserr.ErrBadMIC, err
	}
	var p parts
	var major gsserr.Major
	if l.stream != nil {
		p, major, err = c.divide(l, h, body, s.key.Enctype())
	} else {
		p, major, err = c.divided(l, h, s.key.Enctype())
	}
	if err != nil {
		return header{}, major, err
	}
	if h.flags&flagSealed != 0 {
		major, err = r.openIOV(s, l, p, h)
	} else {
		major, err = r.checkIOV(s, l, p, h)
	}
	return h, major, err
}

// divided returns the parts of a message whose buffers are divided already. The
// sizes are the peer's: EC is in its header.
func (c *Context) divided(l *layout, h header, id etype.ID) (parts, gsserr.Major, error) {
	sealed := h.flags&flagSealed != 0
	sh := shapeOf(id, sealed, l.trailer != nil, c.dce, int(h.ec))
	switch {
	case int(h.ec) != sh.ec:
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: extra count", krberr.GSSBadLength)
	case int(h.rrc) != sh.rrc:
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: rotation count", krberr.GSSBadTokHeader)
	case len(l.header.Bytes) != sh.header, l.trailer != nil && len(l.trailer.Bytes) != sh.trailer:
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: header or trailer", krberr.BadMsize)
	case l.padding != nil && len(l.padding.Bytes) > 0:
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: padding", krberr.BadMsize)
	}
	if c.recv.memory = c.recv.memory.of(l.all); c.recv.memory.overlaps() {
		return parts{}, gsserr.ErrFailure, errOverlap
	}
	var p parts
	p.confounder, p.tail, p.mac = l.split(sh, sealed)
	return p, 0, nil
}

// divide returns the parts of a stream and makes the data buffer what is between
// them.
func (c *Context) divide(l *layout, h header, body []byte, id etype.ID) (parts, gsserr.Major, error) {
	switch {
	case c.dce:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: stream in DCE style", errLayout)
	case l.datas != 1:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: %d data buffers beside a stream", errLayout, l.datas)
	case l.header != nil || l.trailer != nil || l.mics != nil:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: header, trailer or MIC token beside a stream", errLayout)
	}
	sealed := h.flags&flagSealed != 0
	sh := shapeOf(id, sealed, true, false, int(h.ec))
	if int(h.ec) != sh.ec {
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: extra count", krberr.GSSBadLength)
	}
	front := sh.header - headerLen // the confounder
	n := len(body) - front - sh.trailer
	if n < 0 {
		return parts{}, gsserr.ErrDefectiveToken, krberr.GSSTokTrunc
	}
	r := &c.recv
	own := l.data.Bytes // the data's own memory
	if l.data.Alloc {
		own = slices.Grow(own[:0], n)[:n]
	}
	r.memory = r.memory[:0]
	for i := range l.all {
		if b := &l.all[i]; b.Type == iov.SignOnly {
			r.memory = r.memory.add(b.Bytes, false)
		}
	}
	r.memory = r.memory.add(l.stream.Bytes, true)
	if l.data.Alloc {
		r.memory = r.memory.add(own, true)
	}
	if r.memory.overlaps() {
		return parts{}, gsserr.ErrFailure, errOverlap
	}
	var behind []byte
	if turn := int(h.rrc) % len(body); turn == sh.trailer {
		// What a sender without trailer makes needs no turning back.
		behind, body = body[:turn], body[turn:]
	} else {
		r.turn(body, turn)
		body, behind = body[:front+n], body[front+n:]
	}
	p := parts{confounder: body[:front], tail: behind[:sh.trailer-sh.mac], mac: behind[sh.trailer-sh.mac:]}
	l.data.Bytes = body[front:][:n:n]
	if l.data.Alloc {
		copy(own, l.data.Bytes)
		l.data.Bytes = own
	}
	return p, 0, nil
}

// turn turns b left by n bytes, fewer than it has, in place.
func (r *receiver) turn(b []byte, n int) {
	if rest := len(b) - n; n <= rest {
		r.rotated = append(r.rotated[:0], b[:n]...)
		copy(b, b[n:])
		copy(b[rest:], r.rotated)
	} else {
		r.rotated = append(r.rotated[:0], b[n:]...)
		copy(b[rest:], b[:n])
		copy(b, r.rotated)
	}
	if cap(r.rotated) > maxRotated {
		r.dropRotated()
	}
}

// openIOV decrypts.
func (r *receiver) openIOV(s *suite, l *layout, p parts, h header) (gsserr.Major, error) {
	e, err := s.sealing()
	if err != nil {
		return gsserr.ErrFailure, err
	}
	if e.OpenInPlace(enctype.Message{Confounder: p.confounder, Buffers: l.all, Tail: p.tail, MAC: p.mac}) != nil {
		// Whatever it was, it is told in the same words.
		return gsserr.ErrBadMIC, krberr.APBadIntegrity
	}
	if _, err := messageLen(p.tail, h); err != nil {
		return gsserr.ErrDefectiveToken, err
	}
	return 0, nil
}

// checkIOV verifies the checksum of a message that is not sealed.
func (r *receiver) checkIOV(s *suite, l *layout, p parts, h header) (gsserr.Major, error) {
	m, err := s.wrapping()
	if err != nil {
		return gsserr.ErrFailure, err
	}
	h.ec, h.rrc = 0, 0
	h.put(&r.header)
	if !m.VerifyBuffers(p.mac, l.all, r.header[:]) {
		return gsserr.ErrBadMIC, krberr.APBadIntegrity
	}
	return 0, nil
}
