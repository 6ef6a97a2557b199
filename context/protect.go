package secctx

import (
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// noContext is the error for a context that is not in the right state.
func noContext(op string) error { return fail(op, gsserr.ErrNoContext, nil) }

// protector returns what protects messages.
func (c *SecContext) protector(op string) (mech.Protector, error) {
	if !c.opened() {
		return nil, noContext(op)
	}
	if c.prot == nil {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	return c.prot, nil
}

// Wrap appends to dst a token that holds the message, encrypted and
// authenticated, or only authenticated if the options say so (RFC 2743 §2.3.3).
// Nil options encrypt. With room in dst nothing is allocated. dst must not
// overlap msg. On error Wrap returns dst as it was.
//
// Errors are ErrNoContext if the context is not established, ErrUnavailable if it
// cannot encrypt or protect messages at all, and ErrBadQOP.
func (c *SecContext) Wrap(dst, msg []byte, o *mech.WrapOptions) ([]byte, error) {
	const op = "wrap"
	p, err := c.protector(op)
	if err != nil {
		return dst, err
	}
	out, err := p.Wrap(dst, msg, o)
	if err != nil {
		return dst, fail(op, 0, err)
	}
	return out, nil
}

// Unwrap appends to dst the message that the peer's token holds (RFC 2743
// §2.3.4). With room in dst nothing is allocated. dst must not overlap token.
//
// A message that was seen before, is too old to tell, or is out of sequence comes
// together with an informational error: ErrDuplicateToken, ErrOldToken,
// ErrGapToken or ErrUnseqToken; see gsserr.Informational. With any other error
// Unwrap returns dst as it was, the room behind it wiped: ErrBadMIC for a token
// that is not the peer's, ErrDefectiveToken for a malformed one, ErrNoContext if
// the context is not established.
func (c *SecContext) Unwrap(dst, token []byte) ([]byte, mech.MessageInfo, error) {
	const op = "unwrap"
	p, err := c.protector(op)
	if err != nil {
		return dst, mech.MessageInfo{}, err
	}
	out, info, err := p.Unwrap(dst, token)
	if err == nil {
		return out, info, nil
	}
	err = fail(op, 0, err)
	if !gsserr.Informational(err) {
		return dst, mech.MessageInfo{}, err
	}
	return out, info, err
}

// GetMIC appends to dst a token that proves the message to be ours (RFC 2743
// §2.3.1). With room in dst nothing is allocated. dst must not overlap msg. On
// error GetMIC returns dst as it was. Errors are as for [SecContext.Wrap].
func (c *SecContext) GetMIC(dst, msg []byte) ([]byte, error) {
	const op = "get_mic"
	p, err := c.protector(op)
	if err != nil {
		return dst, err
	}
	out, err := p.GetMIC(dst, msg, 0)
	if err != nil {
		return dst, fail(op, 0, err)
	}
	return out, nil
}

// VerifyMIC returns nil if mic proves the message to be the peer's (RFC 2743
// §2.3.2). Errors are as for [SecContext.Unwrap]; with an informational one the
// message is the peer's too.
func (c *SecContext) VerifyMIC(msg, mic []byte) error {
	const op = "verify_mic"
	p, err := c.protector(op)
	if err != nil {
		return err
	}
	if _, err = p.VerifyMIC(msg, mic); err != nil {
		return fail(op, 0, err)
	}
	return nil
}

// WrapSizeLimit returns the length in bytes of the longest message whose token
// fits in size bytes, 0 if none does (RFC 2743 §2.2.7). The options are those of
// Wrap.
func (c *SecContext) WrapSizeLimit(size int, o *mech.WrapOptions) (int, error) {
	const op = "wrap_size_limit"
	p, err := c.protector(op)
	if err != nil || size <= 0 {
		return 0, err
	}
	n, err := p.WrapSizeLimit(size, o)
	if err != nil {
		return 0, fail(op, 0, err)
	}
	return max(n, 0), nil
}
