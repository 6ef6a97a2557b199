package cfx

import (
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// GetMIC appends a MIC token for msg to dst: header | MAC(msg | header) (RFC
// 4121 §4.2.6.1).
func (c *Context) GetMIC(dst, msg []byte, q mech.QOP) ([]byte, error) {
	const op = "get_mic"
	if err := checkQOP(op, q); err != nil {
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
	m, err := s.suite.signing()
	if err != nil {
		return dst, fail(op, gsserr.ErrFailure, err)
	}
	header{token: tokenMIC, flags: c.flags(), ec: micFiller, rrc: micFiller, seq: s.seq}.put(&s.header)
	out := append(slices.Grow(dst, headerLen+m.Size()), s.header[:]...)
	out, err = sum(m, out, msg, s.header[:])
	if err != nil {
		return dst, fail(op, gsserr.ErrFailure, err)
	}
	s.seq++
	return out, nil
}

// VerifyMIC checks the MIC token of msg. The quality of protection is always 0.
func (c *Context) VerifyMIC(msg, mic []byte) (mech.QOP, error) {
	const op = "verify_mic"
	r := &c.recv
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, fail(op, gsserr.ErrNoContext, errClosed)
	}
	var h header
	sum, err := h.parseToken(mic, tokenMIC)
	if err != nil {
		return 0, fail(op, gsserr.ErrDefectiveToken, err)
	}
	s, err := c.suiteFor(h)
	if err != nil {
		return 0, fail(op, gsserr.ErrBadMIC, err)
	}
	m, err := s.signing()
	if err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	if len(sum) != m.Size() {
		return 0, fail(op, gsserr.ErrDefectiveToken, krberr.GSSBadLength)
	}
	h.put(&r.header)
	if !m.Verify(sum, msg, r.header[:]) {
		return 0, fail(op, gsserr.ErrBadMIC, krberr.APBadIntegrity)
	}
	return 0, c.sequence(op, h.seq)
}
