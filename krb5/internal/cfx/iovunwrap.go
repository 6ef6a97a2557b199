package cfx

import (
	"fmt"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/mech"
)

// UnwrapIOV takes the protection off the Data of b in place. There are two
// forms:
//
//   - A Header, Data, and a Trailer if the sender had one: each as WrapIOV left
//     it. A token whose RRC says that it was divided otherwise is
//     ErrDefectiveToken.
//   - A Stream, which is a whole token of any RRC, and one Data buffer, which
//     becomes the message: a part of the Stream's memory, which is overwritten,
//     or, with Alloc, a copy, and the Stream stays as it is. In DCE style there
//     is no such form.
//
// SignOnly buffers are as they were for WrapIOV. What is in the Padding must be
// nothing. After an error that is not informational all Data is zero, and in the
// second form it is empty.
func (c *Context) UnwrapIOV(b []iov.Buffer) (mech.MessageInfo, error) {
	const op = "unwrap_iov"
	l, err := layout.Scan(b)
	if err != nil {
		l.All = b
		l.Wipe()
		return mech.MessageInfo{}, fail(op, gsserr.ErrFailure, err)
	}
	r := &c.recv
	r.mu.Lock()
	defer r.mu.Unlock()
	h, major, err := c.unwrapIOV(&l)
	if err != nil {
		l.Wipe()
		if l.Stream != nil && l.Data != nil {
			l.Data.Bytes = l.Data.Bytes[:0]
		}
		return mech.MessageInfo{}, fail(op, major, err)
	}
	return mech.MessageInfo{Encrypted: h.flags&flagSealed != 0}, c.sequence(op, h.seq)
}

// parts are the parts of a token that are not data.
type parts struct{ confounder, tail, mac []byte }

// unwrapIOV verifies a message. The caller holds the lock.
func (c *Context) unwrapIOV(l *layout.Buffers) (header, gsserr.Major, error) {
	r := &c.recv
	if r.closed {
		return header{}, gsserr.ErrNoContext, errClosed
	}
	first := l.Stream
	if first == nil {
		if err := l.Wrapped(); err != nil {
			return header{}, gsserr.ErrFailure, err
		}
		first = l.Header
	}
	var h header
	body, err := h.parse(first.Bytes, tokenWrap)
	if l.Stream != nil {
		body, err = h.parseToken(first.Bytes, tokenWrap)
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
	if l.Stream != nil {
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
func (c *Context) divided(l *layout.Buffers, h header, id etype.ID) (parts, gsserr.Major, error) {
	sealed := h.flags&flagSealed != 0
	sh := shapeOf(id, sealed, l.Trailer != nil, c.dce, int(h.ec))
	switch {
	case int(h.ec) != sh.ec:
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: extra count", krberr.GSSBadLength)
	case int(h.rrc) != sh.rrc:
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: rotation count", krberr.GSSBadTokHeader)
	case len(l.Header.Bytes) != sh.header, l.Trailer != nil && len(l.Trailer.Bytes) != sh.trailer:
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: header or trailer", krberr.BadMsize)
	case l.Padding != nil && len(l.Padding.Bytes) > 0:
		return parts{}, gsserr.ErrDefectiveToken, fmt.Errorf("%w: padding", krberr.BadMsize)
	}
	if c.recv.memory = c.recv.memory.Of(l.All); c.recv.memory.Overlaps() {
		return parts{}, gsserr.ErrFailure, errOverlap
	}
	var p parts
	p.confounder, p.tail, p.mac = split(l, sh, sealed)
	return p, 0, nil
}

// divide returns the parts of a stream and makes the data buffer what is between
// them.
func (c *Context) divide(l *layout.Buffers, h header, body []byte, id etype.ID) (parts, gsserr.Major, error) {
	switch {
	case c.dce:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: stream in DCE style", layout.Err)
	case l.Datas != 1:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: %d data buffers beside a stream", layout.Err, l.Datas)
	case l.Header != nil || l.Trailer != nil || l.MIC != nil:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: header, trailer or MIC token beside a stream", layout.Err)
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
	own := l.Data.Bytes // the data's own memory
	if l.Data.Alloc {
		own = slices.Grow(own[:0], n)[:n]
	}
	r.memory = r.memory[:0].Add(l.Stream.Bytes, !l.Data.Alloc)
	for i := range l.All {
		if b := &l.All[i]; b.Type == iov.SignOnly {
			r.memory = r.memory.Add(b.Bytes, false)
		}
	}
	if l.Data.Alloc {
		r.memory = r.memory.Add(own, true)
	}
	if r.memory.Overlaps() {
		return parts{}, gsserr.ErrFailure, errOverlap
	}
	var confounder, behind []byte
	turn := int(h.rrc) % len(body)
	switch {
	case l.Data.Alloc:
		// The stream stays as it is.
		r.rotated = slices.Grow(r.rotated[:0], front+sh.trailer)[:front+sh.trailer]
		confounder, behind = r.rotated[:front], r.rotated[front:]
		copyTurned(confounder, body, turn)
		copyTurned(own, body, turn+front)
		copyTurned(behind, body, turn+front+n)
		l.Data.Bytes = own
		if cap(r.rotated) > maxRotated {
			r.rotated = nil
		}
	case turn == sh.trailer:
		// What a sender without trailer makes needs no turning back.
		behind, body = body[:turn], body[turn:]
		confounder, l.Data.Bytes = body[:front], body[front:][:n:n]
	default:
		r.turn(body, turn)
		confounder, l.Data.Bytes, behind = body[:front], body[front:][:n:n], body[front+n:]
	}
	at := sh.trailer - sh.mac
	return parts{confounder: confounder, tail: behind[:at], mac: behind[at:]}, 0, nil
}

// copyTurned fills dst with what is in b from a place on, which may lie behind
// its end: b goes on with its beginning there.
func copyTurned(dst, b []byte, from int) {
	if len(dst) == 0 {
		return
	}
	from %= len(b)
	copy(dst[copy(dst, b[from:]):], b)
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
func (r *receiver) openIOV(s *suite, l *layout.Buffers, p parts, h header) (gsserr.Major, error) {
	e, err := s.sealing()
	if err != nil {
		return gsserr.ErrFailure, err
	}
	if e.OpenInPlace(enctype.Message{Confounder: p.confounder, Buffers: l.All, Tail: p.tail, MAC: p.mac}) != nil {
		// Whatever it was, it is told in the same words.
		return gsserr.ErrBadMIC, krberr.APBadIntegrity
	}
	if _, err := messageLen(p.tail, &h); err != nil {
		return gsserr.ErrDefectiveToken, err
	}
	return 0, nil
}

// checkIOV verifies the checksum of a message that is not sealed.
func (r *receiver) checkIOV(s *suite, l *layout.Buffers, p parts, h header) (gsserr.Major, error) {
	m, err := s.wrapping()
	if err != nil {
		return gsserr.ErrFailure, err
	}
	h.ec, h.rrc = 0, 0
	h.put(&r.header)
	if !m.VerifyBuffers(p.mac, l.All, r.header[:]) {
		return gsserr.ErrBadMIC, krberr.APBadIntegrity
	}
	return 0, nil
}
