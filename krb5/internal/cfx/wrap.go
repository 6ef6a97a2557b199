package cfx

import (
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/mech"
)

// Wrap appends a Wrap token for msg to dst (RFC 4121 §4.2.4). Nil options mean
// sealed. The rotation count is 0, and so is the extra count of a sealed token:
// the ciphers need no padding.
func (c *Context) Wrap(dst, msg []byte, o *mech.WrapOptions) ([]byte, error) {
	const op = "wrap"
	if o == nil {
		o = &mech.WrapOptions{}
	}
	if err := checkQOP(op, o.QOP); err != nil {
		return dst, err
	}
	if overlaps(dst, msg) {
		return dst, fail(op, gsserr.ErrFailure, errOverlap)
	}
	s := &c.send
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return dst, fail(op, gsserr.ErrNoContext, errClosed)
	}
	h := header{token: tokenWrap, flags: c.flags(), seq: s.seq}
	var out []byte
	var err error
	if o.IntegrityOnly {
		out, err = s.wrap(dst, msg, h)
	} else {
		out, err = s.seal(dst, msg, h)
	}
	if err != nil {
		return dst, fail(op, gsserr.ErrFailure, err)
	}
	s.seq++
	return out, nil
}

// seal appends header | E(msg | header).
func (s *sender) seal(dst, msg []byte, h header) ([]byte, error) {
	e, err := s.suite.sealing()
	if err != nil {
		return nil, err
	}
	h.flags |= flagSealed
	h.put(&s.header)
	dst = slices.Grow(dst, headerLen+e.Overhead()+len(msg)+headerLen)
	dst = append(dst, s.header[:]...)
	return e.Seal(dst, msg, s.header[:])
}

// wrap appends header | msg | MAC(msg | header). The MAC is computed with EC 0.
func (s *sender) wrap(dst, msg []byte, h header) ([]byte, error) {
	m, err := s.suite.wrapping()
	if err != nil {
		return nil, err
	}
	dst = slices.Grow(dst, headerLen+len(msg)+m.Size())
	h.ec = uint16(m.Size())
	h.put(&s.header)
	dst = append(append(dst, s.header[:]...), msg...)
	h.ec = 0
	h.put(&s.header)
	return sum(m, dst, msg, s.header[:])
}

// WrapSizeLimit returns the length of the longest message whose token has at
// most size bytes, 0 if there is none.
func (c *Context) WrapSizeLimit(size int, o *mech.WrapOptions) (int, error) {
	const op = "wrap_size_limit"
	if o == nil {
		o = &mech.WrapOptions{}
	}
	if err := checkQOP(op, o.QOP); err != nil {
		return 0, err
	}
	c.send.mu.Lock()
	defer c.send.mu.Unlock()
	if c.send.closed {
		return 0, fail(op, gsserr.ErrNoContext, errClosed)
	}
	id := c.send.suite.key.Enctype()
	overhead := headerLen + enctype.Overhead(id) + headerLen
	if o.IntegrityOnly {
		overhead = headerLen + enctype.ChecksumSize(id)
	}
	return max(size, overhead) - overhead, nil
}
