package v1

import (
	"crypto/hmac"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// GetMIC appends a MIC token for msg to dst (RFC 1964 §1.2.1): frame | prefix |
// number | checksum of the prefix and msg.
func (c *Context) GetMIC(dst, msg []byte, q mech.QOP) ([]byte, error) {
	const op = "get_mic"
	if err := checkQOP(op, q); err != nil {
		return dst, err
	}
	if overlaps(dst, msg) {
		return dst, fail(op, gsserr.ErrFailure, errOverlap)
	}
	c.send.mu.Lock()
	defer c.send.mu.Unlock()
	return c.sign(op, dst, msg, tokenMIC)
}

// sign appends a token without a body. The caller holds the lock.
func (c *Context) sign(op string, dst, msg []byte, token uint16) ([]byte, error) {
	s := &c.send
	if s.closed {
		return dst, fail(op, gsserr.ErrNoContext, errClosed)
	}
	if err := s.suite.prepare(); err != nil {
		return dst, fail(op, gsserr.ErrFailure, err)
	}
	x := &s.suite
	putPrefix(x.prefix[:], token, x.sign, noSeal)
	sum, err := x.checksum(x.signMAC, x.prefix[:], nil, msg, nil)
	if err != nil {
		return dst, fail(op, gsserr.ErrFailure, err)
	}
	n := prefixLen + numberLen + x.sumLen
	out := slices.Grow(dst, frameLen(len(c.mech), n)+n)
	out = append(appendFrame(out, c.mech, n), x.prefix[:]...)
	if out, err = x.appendNumber(out, s.seq, direction(c.initiator), sum); err != nil {
		return dst, fail(op, gsserr.ErrFailure, err)
	}
	s.seq++
	return append(out, sum...), nil
}

// VerifyMIC checks the MIC token of msg. The quality of protection is always 0.
func (c *Context) VerifyMIC(msg, mic []byte) (mech.QOP, error) {
	const op = "verify_mic"
	c.recv.mu.Lock()
	defer c.recv.mu.Unlock()
	if err := c.verify(op, msg, mic, tokenMIC); err != nil {
		return 0, err
	}
	return 0, c.accept(op)
}

// verify checks a token without a body, but not its number. The caller holds
// the lock.
func (c *Context) verify(op string, msg, token []byte, want uint16) error {
	r := &c.recv
	if r.closed {
		return fail(op, gsserr.ErrNoContext, errClosed)
	}
	if err := r.suite.prepare(); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	x := &r.suite
	p, err := parse(token, c.mech, want, &x.algorithms)
	if err == nil && len(p.body)+len(p.outside) > 0 {
		err = krberr.GSSBadLength
	}
	if err != nil {
		return fail(op, gsserr.ErrDefectiveToken, err)
	}
	ok, err := x.openNumber(p.number, p.sum)
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	sum, err := x.checksum(x.signMAC, p.prefix, nil, msg, nil)
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	if !hmac.Equal(sum, p.sum) || ok != 1 {
		return fail(op, gsserr.ErrBadMIC, krberr.APBadIntegrity)
	}
	return nil
}

// ProcessToken implements [mech.TokenProcessor] with the one token that a peer
// sends by itself: it ends the context (RFC 1964 §1.2.3). Whether it comes in
// order makes no difference.
func (c *Context) ProcessToken(token []byte) error {
	const op = "process_context_token"
	c.recv.mu.Lock()
	err := c.verify(op, nil, token, tokenDelete)
	if err == nil {
		if _, dir := c.recv.suite.number(); dir != direction(!c.initiator) {
			err = fail(op, gsserr.ErrBadMIC, krberr.GSSBadDirection)
		}
	}
	c.recv.mu.Unlock()
	if err == nil {
		c.Close()
	}
	return err
}
