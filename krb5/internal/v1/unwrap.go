package v1

import (
	"crypto/hmac"
	"fmt"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// Unwrap appends the message of a Wrap token to dst (RFC 1964 §1.2.2).
func (c *Context) Unwrap(dst, token []byte) ([]byte, mech.MessageInfo, error) {
	const op = "unwrap"
	var info mech.MessageInfo
	if overlaps(dst, token) {
		return dst, info, fail(op, gsserr.ErrFailure, errOverlap)
	}
	r := &c.recv
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return dst, info, fail(op, gsserr.ErrNoContext, errClosed)
	}
	if err := r.suite.prepare(); err != nil {
		return dst, info, fail(op, gsserr.ErrFailure, err)
	}
	p, err := parse(token, c.mech, tokenWrap, &r.suite.algorithms)
	if err == nil {
		err = p.checkBody(r.suite.block)
	}
	if err != nil {
		return dst, info, fail(op, gsserr.ErrDefectiveToken, err)
	}
	// All that follows the confounder: the padding, too, is in dst for a while.
	room := len(p.body) - confounderLen
	out := slices.Grow(dst, room)[:len(dst)+room]
	n, major, err := r.suite.open(out[len(dst):], &p)
	if err != nil {
		clear(out[len(dst):])
		return dst, info, fail(op, major, err)
	}
	err = c.accept(op)
	if err != nil && !gsserr.Informational(err) { // our own token
		clear(out[len(dst):])
		return dst, info, err
	}
	clear(out[len(dst)+n:])
	info.Encrypted = p.sealed
	return out[:len(dst)+n], info, err
}

// checkBody refuses a Wrap token whose length cannot be right.
func (p *parts) checkBody(block int) error {
	switch {
	case len(p.outside) > 0:
		return fmt.Errorf("%w: bytes behind the frame", krberr.GSSBadLength)
	case len(p.body) < confounderLen+1:
		return krberr.GSSTokTrunc
	case p.sealed && len(p.body)%block != 0:
		return fmt.Errorf("%w: no whole blocks", krberr.GSSBadLength)
	}
	return nil
}

// open writes what follows the confounder to out, which is as long as that, and
// returns how much of it is message. Whatever is wrong is told in the same words
// and takes the same way: number, checksum and padding are looked at in any case,
// and only together.
func (s *suite) open(out []byte, p *parts) (int, gsserr.Major, error) {
	ok, err := s.openNumber(p.number, p.sum)
	if err != nil {
		return 0, gsserr.ErrFailure, err
	}
	confounder, body := p.body[:confounderLen], p.body[confounderLen:]
	if p.sealed {
		n, _ := s.number()
		s.crypt.start(n)
		if err := s.crypt.decrypt(s.confounder[:], confounder); err != nil {
			return 0, gsserr.ErrFailure, err
		}
		if err := s.crypt.decrypt(out, body); err != nil {
			return 0, gsserr.ErrFailure, err
		}
	} else {
		copy(s.confounder[:], confounder)
		copy(out, body)
	}
	sum, err := s.checksum(s.wrapMAC, p.prefix, s.confounder[:], out, nil)
	clear(s.confounder[:])
	if err != nil {
		return 0, gsserr.ErrFailure, err
	}
	pad := int(out[len(out)-1])
	if !hmac.Equal(sum, p.sum) || ok != 1 || pad > len(out) {
		return 0, gsserr.ErrBadMIC, krberr.APBadIntegrity
	}
	return len(out) - pad, 0, nil
}
