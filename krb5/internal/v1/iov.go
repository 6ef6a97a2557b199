package v1

import (
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/mech"
)

// Messages in pieces have the tokens of messages in one: the frame, everything
// up to the confounder in the header, then the data, then the padding. There is
// no trailer. In DCE style there is no padding either, and the frame, as its
// length tells, is around the header alone (RFC 4757 §7.3).

var (
	_ mech.IOVProtector = (*Context)(nil)
	_ mech.IOVSigner    = (*Context)(nil)
)

// WrapIOV protects the Data of b in place, as a Wrap token does, and fills the
// Header and the Padding, of which there must be one each. SignOnly buffers are
// authenticated where they stand in the order, and so is the Padding. A Trailer
// is emptied. In DCE style the Padding may be left out and is emptied, and
// Triple-DES takes whole blocks of data only. The errors are those of
// cfx.Context.WrapIOV.
func (c *Context) WrapIOV(b []iov.Buffer, o *mech.WrapOptions) error {
	const op = "wrap_iov"
	l, err := c.arrange(op, b, o, layout.Give)
	if err != nil {
		return err
	}
	s := &c.send
	defer s.mu.Unlock()
	if s.memory = s.memory.Of(b); s.memory.Overlaps() {
		return fail(op, gsserr.ErrFailure, errOverlap)
	}
	if err := c.wrapIOV(&l, o != nil && o.IntegrityOnly); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	s.seq++
	return nil
}

// WrapIOVLength gives Header, Padding and Trailer the lengths that WrapIOV will
// give them, or demand. Memory that they have is used if it is enough. The errors
// are those of WrapIOV.
func (c *Context) WrapIOVLength(b []iov.Buffer, o *mech.WrapOptions) error {
	_, err := c.arrange("wrap_iov_length", b, o, func(p *iov.Buffer, n int) error {
		layout.Resize(p, n)
		return nil
	})
	if err == nil {
		c.send.mu.Unlock()
	}
	return err
}

// arrange finds the buffers of a message to wrap and gives those to be filled
// their lengths. Unless it fails the lock is held.
func (c *Context) arrange(op string, b []iov.Buffer, o *mech.WrapOptions, give func(*iov.Buffer, int) error) (layout.Buffers, error) {
	if o != nil {
		if err := checkQOP(op, o.QOP); err != nil {
			return layout.Buffers{}, err
		}
	}
	l, err := layout.Scan(b)
	if err == nil {
		err = l.Wrapped()
	}
	if err == nil && l.Padding == nil && !c.dce {
		err = fmt.Errorf("%w: no padding", layout.Err)
	}
	if err != nil {
		return layout.Buffers{}, fail(op, gsserr.ErrFailure, err)
	}
	s := &c.send
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return layout.Buffers{}, fail(op, gsserr.ErrNoContext, errClosed)
	}
	if err = s.suite.prepare(); err == nil {
		err = c.fit(&l, give)
	}
	if err != nil {
		s.mu.Unlock()
		return layout.Buffers{}, fail(op, gsserr.ErrFailure, err)
	}
	return l, nil
}

// fit gives the buffers that are filled their lengths.
func (c *Context) fit(l *layout.Buffers, give func(*iov.Buffer, int) error) error {
	n := dataLen(l)
	block := c.send.suite.block
	pad := block - n%block
	if c.dce {
		if pad = 0; n%block != 0 {
			return fmt.Errorf("%w: %d bytes of data in DCE style", krberr.BadMsize, n)
		}
	}
	if err := give(l.Header, c.headerLen(n+pad)); err != nil {
		return err
	}
	if l.Padding != nil {
		if pad > 0 {
			if err := give(l.Padding, pad); err != nil {
				return err
			}
		} else {
			l.Padding.Bytes = l.Padding.Bytes[:0]
		}
	}
	if l.Trailer != nil {
		l.Trailer.Bytes = l.Trailer.Bytes[:0]
	}
	return nil
}

// tokenLen returns what the frame of a message is around, given the length of
// data and padding.
func (c *Context) tokenLen(n int) int {
	if c.dce {
		n = 0
	}
	return prefixLen + numberLen + c.send.suite.sumLen + confounderLen + n
}

// headerLen returns the length of the header.
func (c *Context) headerLen(n int) int {
	return frameLen(len(c.mech), c.tokenLen(n)) + prefixLen + numberLen + c.send.suite.sumLen + confounderLen
}

func dataLen(l *layout.Buffers) (n int) {
	for i := range l.All {
		if b := &l.All[i]; b.Type == iov.Data {
			n += len(b.Bytes)
		}
	}
	return n
}

// wrapIOV makes the token.
func (c *Context) wrapIOV(l *layout.Buffers, integrityOnly bool) error {
	s, x := &c.send, &c.send.suite
	confounder, err := s.confounder()
	if err != nil {
		return err
	}
	defer clear(confounder)
	n := dataLen(l)
	if l.Padding != nil && len(l.Padding.Bytes) > 0 {
		n += copy(l.Padding.Bytes, padding[len(l.Padding.Bytes)])
	}
	seal := x.seal
	if integrityOnly {
		seal = noSeal
	}
	putPrefix(x.prefix[:], tokenWrap, x.sign, seal)
	sum, err := x.checksumIOV(x.prefix[:], confounder, l.All, nil)
	if err != nil {
		return err
	}
	out := appendFrame(l.Header.Bytes[:0], c.mech, c.tokenLen(n))
	out = append(out, x.prefix[:]...)
	if out, err = x.appendNumber(out, s.seq, direction(c.initiator), sum); err != nil {
		return err
	}
	out = append(append(out, sum...), confounder...)
	if integrityOnly {
		return nil
	}
	x.crypt.start(s.seq)
	at := len(out) - confounderLen
	if err := x.crypt.encrypt(out[at:], out[at:]); err != nil {
		return err
	}
	return x.through(l.All, false)
}

// checksumIOV is checksum for a message in pieces. last is padding that is not
// among the buffers.
func (s *suite) checksumIOV(prefix, confounder []byte, buffers []iov.Buffer, last []byte) ([]byte, error) {
	s.parts = append(s.parts[:0], prefix, confounder)
	for i := range buffers {
		switch b := &buffers[i]; b.Type {
		case iov.Data, iov.SignOnly, iov.Padding:
			s.parts = append(s.parts, b.Bytes)
		}
	}
	s.parts = append(s.parts, last)
	return s.sumParts(s.wrapMAC)
}

// sumParts returns the checksum of the parts, in s's own space.
func (s *suite) sumParts(m *enctype.MAC) ([]byte, error) {
	sum := m.SumParts(s.sum[:0], s.parts...)
	clear(s.parts)
	if sum == nil {
		return nil, krberr.BadEnctype
	}
	return sum[:s.sumLen], nil
}

// through takes data and padding, in whole blocks together, through the cipher. A
// block that is spread over buffers is gathered first.
func (s *suite) through(b []iov.Buffer, decrypt bool) error {
	c := cursor{all: b}
	for {
		p := c.next()
		if p == nil {
			return nil
		}
		if n := len(p) - len(p)%s.block; n > 0 {
			if err := s.inPlace(p[:n], decrypt); err != nil {
				return err
			}
			c.off += n
			continue
		}
		from := c
		one := s.one[:s.block]
		for n := 0; n < len(one); {
			p := c.next()
			if p == nil {
				return fmt.Errorf("%w: no whole blocks", krberr.BadMsize)
			}
			k := copy(one[n:], p)
			c.off, n = c.off+k, n+k
		}
		if err := s.inPlace(one, decrypt); err != nil {
			return err
		}
		for n := 0; n < len(one); {
			k := copy(from.next(), one[n:])
			from.off, n = from.off+k, n+k
		}
	}
}

// inPlace encrypts or decrypts whole blocks.
func (s *suite) inPlace(b []byte, decrypt bool) error {
	if decrypt {
		return s.crypt.decrypt(b, b)
	}
	return s.crypt.encrypt(b, b)
}

// cursor is a place in data and padding.
type cursor struct {
	all    []iov.Buffer
	i, off int
}

// next returns the bytes at c that lie together, nil at the end.
func (c *cursor) next() []byte {
	for ; c.i < len(c.all); c.i, c.off = c.i+1, 0 {
		if b := &c.all[c.i]; (b.Type == iov.Data || b.Type == iov.Padding) && c.off < len(b.Bytes) {
			return b.Bytes[c.off:]
		}
	}
	return nil
}
