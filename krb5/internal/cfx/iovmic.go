package cfx

import (
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/mech"
)

// GetMICIOV fills the MICToken of b, of which there must be one, with what GetMIC
// makes of the Data and SignOnly buffers in their order. Other buffers count for
// nothing (MIT's library refuses a trailer). The errors are as those of WrapIOV.
func (c *Context) GetMICIOV(b []iov.Buffer, q mech.QOP) error {
	const op = "get_mic_iov"
	l, err := c.signing(op, b, q)
	if err != nil {
		return err
	}
	s := &c.send
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail(op, gsserr.ErrNoContext, errClosed)
	}
	m, err := s.suite.signing()
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	if err := layout.Give(l.MIC, headerLen+m.Size()); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	token := l.MIC.Bytes
	s.memory = s.memory[:0].Add(token, true)
	for i := range b {
		if b[i].Type == iov.Data || b[i].Type == iov.SignOnly {
			s.memory = s.memory.Add(b[i].Bytes, false)
		}
	}
	if s.memory.Overlaps() {
		return fail(op, gsserr.ErrFailure, errOverlap)
	}
	header{token: tokenMIC, flags: c.flags(), ec: micFiller, rrc: micFiller, seq: s.seq}.put(&s.header)
	copy(token, s.header[:])
	if m.SumBuffers(token[:headerLen], b, s.header[:]) == nil {
		return fail(op, gsserr.ErrFailure, krberr.BadEnctype)
	}
	s.seq++
	return nil
}

// signing finds the buffers of a message to sign.
func (c *Context) signing(op string, b []iov.Buffer, q mech.QOP) (layout.Buffers, error) {
	if err := checkQOP(op, q); err != nil {
		return layout.Buffers{}, err
	}
	l, err := layout.Scan(b)
	if err == nil {
		err = l.Signed()
	}
	if err != nil {
		return layout.Buffers{}, fail(op, gsserr.ErrFailure, err)
	}
	return l, nil
}

// GetMICIOVLength gives the MICToken the length that GetMICIOV will give it, or
// demand. Memory that it has is used if it is enough.
func (c *Context) GetMICIOVLength(b []iov.Buffer, q mech.QOP) error {
	const op = "get_mic_iov_length"
	l, err := c.signing(op, b, q)
	if err != nil {
		return err
	}
	c.send.mu.Lock()
	defer c.send.mu.Unlock()
	if c.send.closed {
		return fail(op, gsserr.ErrNoContext, errClosed)
	}
	layout.Resize(l.MIC, headerLen+enctype.ChecksumSize(c.send.suite.key.Enctype()))
	return nil
}

// VerifyMICIOV checks the MICToken of b against the Data and SignOnly buffers,
// as VerifyMIC does. The quality of protection is always 0.
func (c *Context) VerifyMICIOV(b []iov.Buffer) (mech.QOP, error) {
	const op = "verify_mic_iov"
	l, err := c.signing(op, b, 0)
	if err != nil {
		return 0, err
	}
	r := &c.recv
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, fail(op, gsserr.ErrNoContext, errClosed)
	}
	var h header
	sum, err := h.parseToken(l.MIC.Bytes, tokenMIC)
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
	if !m.VerifyBuffers(sum, b, r.header[:]) {
		return 0, fail(op, gsserr.ErrBadMIC, krberr.APBadIntegrity)
	}
	return 0, c.sequence(op, h.seq)
}
