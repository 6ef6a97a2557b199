package v1

import (
	"crypto/hmac"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/mech"
)

// GetMICIOV fills the MICToken of b, of which there must be one, with what GetMIC
// makes of the Data and SignOnly buffers in their order. Other buffers count for
// nothing (MIT's library counts padding). The errors are as those of WrapIOV.
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
	if err := s.suite.prepare(); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	x := &s.suite
	n := prefixLen + numberLen + x.sumLen
	if err := layout.Give(l.MIC, frameLen(len(c.mech), n)+n); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	s.memory = s.memory[:0].Add(l.MIC.Bytes, true)
	for i := range b {
		if b[i].Type == iov.Data || b[i].Type == iov.SignOnly {
			s.memory = s.memory.Add(b[i].Bytes, false)
		}
	}
	if s.memory.Overlaps() {
		return fail(op, gsserr.ErrFailure, errOverlap)
	}
	putPrefix(x.prefix[:], tokenMIC, x.sign, noSeal)
	sum, err := x.checksumMIC(x.prefix[:], b)
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	out := append(appendFrame(l.MIC.Bytes[:0], c.mech, n), x.prefix[:]...)
	if out, err = x.appendNumber(out, s.seq, direction(c.initiator), sum); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	copy(l.MIC.Bytes[len(out):], sum)
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
	s := &c.send
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail(op, gsserr.ErrNoContext, errClosed)
	}
	if err := s.suite.prepare(); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	n := prefixLen + numberLen + s.suite.sumLen
	layout.Resize(l.MIC, frameLen(len(c.mech), n)+n)
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
	if err := r.suite.prepare(); err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	x := &r.suite
	p, err := parse(l.MIC.Bytes, c.mech, tokenMIC, &x.algorithms)
	if err == nil && len(p.body)+len(p.outside) > 0 {
		err = krberr.GSSBadLength
	}
	if err != nil {
		return 0, fail(op, gsserr.ErrDefectiveToken, err)
	}
	ok, err := x.openNumber(p.number, p.sum)
	if err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	sum, err := x.checksumMIC(p.prefix, b)
	if err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	if !hmac.Equal(sum, p.sum) || ok != 1 {
		return 0, fail(op, gsserr.ErrBadMIC, krberr.APBadIntegrity)
	}
	return 0, c.accept(op)
}

// checksumMIC returns the checksum of a message that is only signed.
func (s *suite) checksumMIC(prefix []byte, b []iov.Buffer) ([]byte, error) {
	s.parts = append(s.parts[:0], prefix)
	for i := range b {
		if p := &b[i]; p.Type == iov.Data || p.Type == iov.SignOnly {
			s.parts = append(s.parts, p.Bytes)
		}
	}
	return s.sumParts(s.signMAC)
}
