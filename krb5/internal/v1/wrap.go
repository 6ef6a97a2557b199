package v1

import (
	"math"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// Wrap appends a Wrap token for msg to dst (RFC 1964 §1.2.2): frame | prefix |
// number | checksum | confounder | msg | padding, from the confounder on sealed.
// Nil options mean sealed.
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
	out, err := c.wrap(dst, msg, o.IntegrityOnly)
	if err != nil {
		// What was written may be a message in the clear.
		clear(out[len(dst):])
		return dst, fail(op, gsserr.ErrFailure, err)
	}
	s.seq++
	return out, nil
}

// wrap returns what it has written even if it fails.
func (c *Context) wrap(dst, msg []byte, integrityOnly bool) ([]byte, error) {
	s, x := &c.send, &c.send.suite
	if err := x.prepare(); err != nil {
		return dst, err
	}
	confounder, err := s.confounder()
	if err != nil {
		return dst, err
	}
	defer clear(confounder)
	seal := x.seal
	if integrityOnly {
		seal = noSeal
	}
	pad := padding[x.block-len(msg)%x.block]
	putPrefix(x.prefix[:], tokenWrap, x.sign, seal)
	sum, err := x.checksum(x.wrapMAC, x.prefix[:], confounder, msg, pad)
	if err != nil {
		return dst, err
	}
	n := prefixLen + numberLen + x.sumLen + confounderLen + len(msg) + len(pad)
	out := slices.Grow(dst, frameLen(len(c.mech), n)+n)
	out = append(appendFrame(out, c.mech, n), x.prefix[:]...)
	if out, err = x.appendNumber(out, s.seq, direction(c.initiator), sum); err != nil {
		return out, err
	}
	out = append(out, sum...)
	body := len(out)
	out = append(append(append(out, confounder...), msg...), pad...)
	if !integrityOnly {
		x.crypt.start(s.seq)
		err = x.crypt.encrypt(out[body:], out[body:])
	}
	return out, err
}

// padding by its length, which is the value of each of its bytes (RFC 1964
// §1.2.2.3).
var padding = [...][]byte{
	1: {1}, 2: {2, 2}, 3: {3, 3, 3}, 4: {4, 4, 4, 4}, 5: {5, 5, 5, 5, 5}, 6: {6, 6, 6, 6, 6, 6},
	7: {7, 7, 7, 7, 7, 7, 7}, 8: {8, 8, 8, 8, 8, 8, 8, 8},
}

// WrapSizeLimit returns a length of messages whose tokens have at most size
// bytes, 0 if there is none. It is the one that MIT's library returns: a multiple
// of 8, somewhat less than would fit, whether sealed or not.
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
	if err := c.send.suite.prepare(); err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	size = max(min(size, math.MaxInt32), 0)
	// What a message of size bytes would need, confounder and padding included,
	// beyond itself; and once more what its frame has.
	inside := (confounderLen + size + 8) &^ 7
	n := prefixLen + numberLen + c.send.suite.sumLen + inside
	overhead := frameLen(len(c.mech), n) + n - size
	frame := len(c.mech) + 5
	return max(size-overhead-frame, 0) &^ 7, nil
}
