package v1

import (
	"crypto/hmac"
	"fmt"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/mech"
)

// UnwrapIOV takes the protection off the Data of b in place. The forms are those
// of cfx.Context.UnwrapIOV, with a Padding in the place of the Trailer. The
// padding is taken off, whether it lies in the Padding or in part at the end of
// the Data, and the Padding is emptied. Without one, or with an empty one, and in
// DCE style the message is taken to have no padding: WinRM's RC4 has none.
func (c *Context) UnwrapIOV(b []iov.Buffer) (mech.MessageInfo, error) {
	const op = "unwrap_iov"
	l, err := layout.Scan(b)
	if err != nil {
		l.Wipe()
		return mech.MessageInfo{}, fail(op, gsserr.ErrFailure, err)
	}
	r := &c.recv
	r.mu.Lock()
	defer r.mu.Unlock()
	sealed, major, err := c.unwrapIOV(&l)
	if err != nil {
		err = fail(op, major, err)
	} else {
		err = c.accept(op)
	}
	if err != nil && !gsserr.Informational(err) {
		l.Wipe()
		if l.Stream != nil && l.Data != nil {
			l.Data.Bytes = l.Data.Bytes[:0]
		}
		return mech.MessageInfo{}, err
	}
	return mech.MessageInfo{Encrypted: sealed}, err
}

// unwrapIOV verifies a message but for its number. The caller holds the lock.
func (c *Context) unwrapIOV(l *layout.Buffers) (sealed bool, major gsserr.Major, err error) {
	r := &c.recv
	if r.closed {
		return false, gsserr.ErrNoContext, errClosed
	}
	if err := r.suite.prepare(); err != nil {
		return false, gsserr.ErrFailure, err
	}
	var p parts
	if l.Stream != nil {
		p, major, err = c.divide(l)
	} else {
		p, major, err = c.divided(l)
	}
	if err != nil {
		return false, major, err
	}
	major, err = r.suite.openIOV(l, &p, c.dce)
	return p.sealed, major, err
}

// divided takes the header of a message apart whose buffers are divided already.
func (c *Context) divided(l *layout.Buffers) (parts, gsserr.Major, error) {
	r := &c.recv
	if err := l.Wrapped(); err != nil {
		return parts{}, gsserr.ErrFailure, err
	}
	if r.memory = r.memory.Of(l.All); r.memory.Overlaps() {
		return parts{}, gsserr.ErrFailure, errOverlap
	}
	n := dataLen(l)
	if l.Padding != nil {
		n += len(l.Padding.Bytes)
	}
	p, err := c.parseSplit(l.Header.Bytes, n)
	switch {
	case err != nil:
	case l.Trailer != nil && len(l.Trailer.Bytes) > 0:
		err = fmt.Errorf("%w: trailer", krberr.BadMsize)
	case c.dce && l.Padding != nil && len(l.Padding.Bytes) > 0:
		err = fmt.Errorf("%w: padding in DCE style", krberr.BadMsize)
	case p.sealed && n%r.suite.block != 0:
		err = fmt.Errorf("%w: no whole blocks", krberr.GSSBadLength)
	}
	if err != nil {
		return parts{}, gsserr.ErrDefectiveToken, err
	}
	return p, 0, nil
}

// parseSplit takes a header apart, to which n bytes belong that lie elsewhere:
// outside the frame in DCE style.
func (c *Context) parseSplit(b []byte, n int) (p parts, err error) {
	if c.dce {
		n = 0
	}
	rest, size, err := splitFrame(b, c.mech, n)
	if err != nil {
		return parts{}, err
	}
	if size != len(rest)+n {
		return parts{}, fmt.Errorf("%w: length of the frame", krberr.GSSBadTokHeader)
	}
	if p.body, err = p.header(rest, tokenWrap, &c.recv.suite.algorithms); err != nil {
		return parts{}, err
	}
	if len(p.body) != confounderLen {
		return parts{}, fmt.Errorf("%w: header", krberr.BadMsize)
	}
	return p, nil
}

// divide takes a stream apart and makes the data buffer what follows the
// confounder, padding and all.
func (c *Context) divide(l *layout.Buffers) (parts, gsserr.Major, error) {
	r := &c.recv
	switch {
	case c.dce:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: stream in DCE style", layout.Err)
	case l.Datas != 1:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: %d data buffers beside a stream", layout.Err, l.Datas)
	case l.Header != nil || l.Trailer != nil || l.Padding != nil || l.MIC != nil:
		return parts{}, gsserr.ErrFailure, fmt.Errorf("%w: other parts of a token beside a stream", layout.Err)
	}
	p, err := parse(l.Stream.Bytes, c.mech, tokenWrap, &r.suite.algorithms)
	if err == nil {
		err = p.checkBody(r.suite.block)
	}
	if err != nil {
		return parts{}, gsserr.ErrDefectiveToken, err
	}
	rest := p.body[confounderLen:]
	p.body = p.body[:confounderLen]
	own := l.Data.Bytes
	if l.Data.Alloc {
		own = slices.Grow(own[:0], len(rest))[:len(rest)]
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
	if l.Data.Alloc {
		copy(own, rest)
		rest = own
	}
	l.Data.Bytes = rest[:len(rest):len(rest)]
	return p, 0, nil
}

// openIOV decrypts and verifies. As with open, what is wrong is told in the same
// words and takes the same way.
func (s *suite) openIOV(l *layout.Buffers, p *parts, dce bool) (gsserr.Major, error) {
	ok, err := s.openNumber(p.number, p.sum)
	if err != nil {
		return gsserr.ErrFailure, err
	}
	copy(s.confounder[:], p.body)
	defer clear(s.confounder[:])
	if p.sealed {
		n, _ := s.number()
		s.crypt.start(n)
		if err = s.crypt.decrypt(s.confounder[:], s.confounder[:]); err == nil {
			err = s.through(l.All, true)
		}
		if err != nil {
			return gsserr.ErrFailure, err
		}
	}
	// Where the padding is part of the data it is signed in the end, behind
	// what is only signed.
	var last []byte
	pad, known := 0, 1
	switch {
	case l.Stream != nil:
		b := l.Data.Bytes
		if pad = int(b[len(b)-1]); pad > len(b) {
			pad, known = 0, 0
		}
		at := len(b) - pad
		l.Data.Bytes, last = b[:at], b[at:]
	case !dce && l.Padding != nil && len(l.Padding.Bytes) > 0:
		b := l.Padding.Bytes
		// How much of the padding is not in its buffer.
		if pad = int(b[len(b)-1]) - len(b); pad < 0 || pad > dataLen(l) {
			pad, known = 0, 0
		}
	}
	sum, err := s.checksumIOV(p.prefix, s.confounder[:], l.All, last)
	clear(last)
	if err != nil {
		return gsserr.ErrFailure, err
	}
	if !hmac.Equal(sum, p.sum) || ok&known != 1 {
		return gsserr.ErrBadMIC, krberr.APBadIntegrity
	}
	if l.Padding != nil {
		clear(l.Padding.Bytes)
		l.Padding.Bytes = l.Padding.Bytes[:0]
		shorten(l, pad)
	}
	return 0, nil
}

// shorten takes n bytes off the end of the data.
func shorten(l *layout.Buffers, n int) {
	for i := len(l.All) - 1; i >= 0 && n > 0; i-- {
		if b := &l.All[i]; b.Type == iov.Data {
			at := max(len(b.Bytes)-n, 0)
			n -= len(b.Bytes) - at
			clear(b.Bytes[at:])
			b.Bytes = b.Bytes[:at]
		}
	}
}
