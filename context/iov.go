package secctx

import (
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
)

// The calls of this file protect messages in place, piece by piece, as DCE RPC
// and file servers need it (MIT's gss_wrap_iov and its siblings).

// wrapper returns what wraps messages in place.
func (c *SecContext) wrapper(op string) (mech.IOVProtector, error) {
	if !c.opened() {
		return nil, noContext(op)
	}
	if c.iov == nil {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	return c.iov, nil
}

// pieces returns what signs messages in pieces.
func (c *SecContext) pieces(op string) (mech.IOVSigner, error) {
	if !c.opened() {
		return nil, noContext(op)
	}
	if c.signer == nil {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	return c.signer, nil
}

// WrapIOV protects the data of b in place and fills header, padding and trailer;
// see package iov for the layouts. Nil options encrypt. Errors are as for
// [SecContext.Wrap], ErrUnavailable also if the mechanism knows no pieces, and
// ErrFailure for buffers that are no message.
func (c *SecContext) WrapIOV(b []iov.Buffer, o *mech.WrapOptions) error {
	const op = "wrap_iov"
	p, err := c.wrapper(op)
	if err != nil {
		return err
	}
	if err = p.WrapIOV(b, o); err != nil {
		return fail(op, 0, err)
	}
	return nil
}

// UnwrapIOV takes protection off the data of b in place. Errors are as for
// [SecContext.Unwrap]; unless informational they leave the data wiped.
func (c *SecContext) UnwrapIOV(b []iov.Buffer) (mech.MessageInfo, error) {
	const op = "unwrap_iov"
	p, err := c.wrapper(op)
	if err != nil {
		return mech.MessageInfo{}, err
	}
	info, err := p.UnwrapIOV(b)
	if err == nil {
		return info, nil
	}
	err = fail(op, 0, err)
	if !gsserr.Informational(err) {
		info = mech.MessageInfo{}
	}
	return info, err
}

// WrapIOVLength gives header, padding and trailer of b the lengths that WrapIOV
// with the same options will need. The capacity they have is used again.
func (c *SecContext) WrapIOVLength(b []iov.Buffer, o *mech.WrapOptions) error {
	const op = "wrap_iov_length"
	p, err := c.wrapper(op)
	if err != nil {
		return err
	}
	if err = p.WrapIOVLength(b, o); err != nil {
		return fail(op, 0, err)
	}
	return nil
}

// GetMICIOV fills the MIC token of b with what GetMIC would make of its data in
// one piece (gss_get_mic_iov). Errors are as for [SecContext.WrapIOV].
func (c *SecContext) GetMICIOV(b []iov.Buffer) error {
	const op = "get_mic_iov"
	p, err := c.pieces(op)
	if err != nil {
		return err
	}
	if err = p.GetMICIOV(b, 0); err != nil {
		return fail(op, 0, err)
	}
	return nil
}

// VerifyMICIOV checks the MIC token of b against its data, as VerifyMIC does.
// Errors are as for [SecContext.VerifyMIC], and ErrFailure for buffers that are
// no message.
func (c *SecContext) VerifyMICIOV(b []iov.Buffer) error {
	const op = "verify_mic_iov"
	p, err := c.pieces(op)
	if err != nil {
		return err
	}
	if _, err = p.VerifyMICIOV(b); err != nil {
		return fail(op, 0, err)
	}
	return nil
}

// GetMICIOVLength gives the MIC token of b the length in bytes that GetMICIOV
// will need. Errors are as for [SecContext.WrapIOV].
func (c *SecContext) GetMICIOVLength(b []iov.Buffer) error {
	const op = "get_mic_iov_length"
	p, err := c.pieces(op)
	if err != nil {
		return err
	}
	if err = p.GetMICIOVLength(b, 0); err != nil {
		return fail(op, 0, err)
	}
	return nil
}
