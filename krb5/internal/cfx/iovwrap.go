package cfx

import (
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/aescbc"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/mech"
)

// WrapIOV protects the Data of b in place, as a Wrap token does (RFC 4121
// §4.2.4), and fills the Header, of which there must be one, and the Trailer if
// there is one. SignOnly buffers are authenticated where they stand in the
// order. Padding is emptied. A layout that cannot be a message, a Header or
// Trailer of another length than [Context.WrapIOVLength] gives, without Alloc,
// and buffers that share memory, are ErrFailure; b is then not changed but for
// the lengths of Alloc buffers. Nil options mean sealed, also if there is no
// data.
func (c *Context) WrapIOV(b []iov.Buffer, o *mech.WrapOptions) error {
	const op = "wrap_iov"
	if o == nil {
		o = &mech.WrapOptions{}
	}
	if err := checkQOP(op, o.QOP); err != nil {
		return err
	}
	l, err := layout.Scan(b)
	if err == nil {
		err = l.Wrapped()
	}
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	s := &c.send
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail(op, gsserr.ErrNoContext, errClosed)
	}
	sealed := !o.IntegrityOnly
	sh := c.shape(&l, sealed)
	if err := fit(&l, sh); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	if s.memory = s.memory.Of(b); s.memory.Overlaps() {
		return fail(op, gsserr.ErrFailure, errOverlap)
	}
	h := header{token: tokenWrap, flags: c.flags(), seq: s.seq}
	if sealed {
		err = s.sealIOV(&l, sh, h)
	} else {
		err = s.signIOV(&l, sh, h)
	}
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	s.seq++
	return nil
}

// WrapIOVLength gives Header, Padding and Trailer the lengths that WrapIOV will
// give them, or demand, with the same options. Memory that they have is used if
// it is enough. The errors are those of WrapIOV.
func (c *Context) WrapIOVLength(b []iov.Buffer, o *mech.WrapOptions) error {
	const op = "wrap_iov_length"
	if o == nil {
		o = &mech.WrapOptions{}
	}
	if err := checkQOP(op, o.QOP); err != nil {
		return err
	}
	l, err := layout.Scan(b)
	if err == nil {
		err = l.Wrapped()
	}
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	c.send.mu.Lock()
	defer c.send.mu.Unlock()
	if c.send.closed {
		return fail(op, gsserr.ErrNoContext, errClosed)
	}
	sh := c.shape(&l, !o.IntegrityOnly)
	layout.Resize(l.Header, sh.header)
	if l.Trailer != nil {
		layout.Resize(l.Trailer, sh.trailer)
	}
	if l.Padding != nil {
		layout.Resize(l.Padding, 0)
	}
	return nil
}

// shape returns the shape of a message to send. The caller holds the lock.
func (c *Context) shape(l *layout.Buffers, sealed bool) shape {
	ec := 0
	if c.dce {
		ec = aescbc.BlockSize
	}
	return shapeOf(c.send.suite.key.Enctype(), sealed, l.Trailer != nil, c.dce, ec)
}

// fit gives the buffers that WrapIOV fills their lengths.
func fit(l *layout.Buffers, s shape) error {
	if err := layout.Give(l.Header, s.header); err != nil {
		return err
	}
	if l.Trailer != nil {
		if err := layout.Give(l.Trailer, s.trailer); err != nil {
			return err
		}
	}
	if l.Padding != nil {
		l.Padding.Bytes = l.Padding.Bytes[:0]
	}
	return nil
}

// sealIOV encrypts. RRC is 0 in the copy of the header.
func (s *sender) sealIOV(l *layout.Buffers, sh shape, h header) error {
	e, err := s.suite.sealing()
	if err != nil {
		return err
	}
	confounder, tail, mac := split(l, sh, true)
	h.flags |= flagSealed
	h.ec = uint16(sh.ec)
	for i := range sh.ec {
		tail[i] = filler
	}
	h.put((*[headerLen]byte)(tail[sh.ec:]))
	err = e.SealInPlace(enctype.Message{Confounder: confounder, Buffers: l.All, Tail: tail, MAC: mac})
	if err != nil {
		return err
	}
	h.rrc = uint16(sh.rrc)
	h.put((*[headerLen]byte)(l.Header.Bytes))
	return nil
}

// signIOV signs. EC and RRC are 0 in the header that is signed.
func (s *sender) signIOV(l *layout.Buffers, sh shape, h header) error {
	m, err := s.suite.wrapping()
	if err != nil {
		return err
	}
	_, _, mac := split(l, sh, false)
	h.put(&s.header)
	if m.SumBuffers(mac[:0], l.All, s.header[:]) == nil {
		return krberr.BadEnctype
	}
	h.ec, h.rrc = uint16(sh.ec), uint16(sh.rrc)
	h.put((*[headerLen]byte)(l.Header.Bytes))
	return nil
}
