package secctx

import (
	"errors"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var errLength = errors.New("the length is negative")

// Inquire asks an established context the question that an OID names (GFD.24
// §2.3.3, gss_inquire_sec_context_by_oid). There may be no answer in the result.
// A question that the mechanism does not know is ErrUnavailable.
func (c *SecContext) Inquire(aspect oid.OID) ([][]byte, error) {
	const op = "inquire_sec_context_by_oid"
	if !c.opened() {
		return nil, noContext(op)
	}
	q, ok := c.engine.(mech.Inquirer)
	if !ok {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	answers, err := q.Inquire(aspect)
	if err != nil {
		return nil, fail(op, 0, err)
	}
	return answers, nil
}

// SetOption sets an option of a context (gss_set_sec_context_option): before the
// first Step, during the handshake or after it, as the option wants it. An option
// that the mechanism does not know is ErrUnavailable, as is every option of an
// acceptor before its first Step, because its mechanism is not known yet.
func (c *SecContext) SetOption(aspect oid.OID, value []byte) error {
	const op = "set_sec_context_option"
	if c == nil {
		return noContext(op)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() == stateDead || c.reg == nil {
		return noContext(op)
	}
	s, ok := c.engine.(mech.OptionSetter)
	if !ok {
		return fail(op, gsserr.ErrUnavailable, nil)
	}
	if err := s.SetOption(aspect, value); err != nil {
		return fail(op, 0, err)
	}
	return nil
}

// ProcessToken takes a token that the peer sent outside of the handshake
// (RFC 2743 §2.2.4): in practice one that ends the context. Most mechanisms have
// none and are ErrUnavailable or ErrDefectiveToken.
func (c *SecContext) ProcessToken(token []byte) error {
	const op = "process_context_token"
	if !c.opened() {
		return noContext(op)
	}
	if len(token) > mech.MaxToken {
		return fail(op, gsserr.ErrDefectiveToken, errTokenSize)
	}
	p, ok := c.engine.(mech.TokenProcessor)
	if !ok {
		return fail(op, gsserr.ErrUnavailable, nil)
	}
	if err := p.ProcessToken(token); err != nil {
		return fail(op, 0, err)
	}
	return nil
}

// PRF appends to dst n bytes that both sides can derive from in and from the
// context's key, and nobody else (RFC 4401). With full set the key depends on the
// whole handshake, otherwise on the initiator alone. On error it returns dst as it
// was: ErrNoContext, ErrUnavailable if the mechanism has no such function, or
// ErrFailure for a length it does not offer.
func (c *SecContext) PRF(dst []byte, full bool, in []byte, n int) ([]byte, error) {
	const op = "pseudo_random"
	if !c.opened() {
		return dst, noContext(op)
	}
	p, ok := c.engine.(mech.PRF)
	switch {
	case !ok:
		return dst, fail(op, gsserr.ErrUnavailable, nil)
	case n < 0:
		return dst, fail(op, gsserr.ErrFailure, errLength)
	}
	out, err := p.PRF(dst, full, in, n)
	if err != nil {
		return dst, fail(op, 0, err)
	}
	return out, nil
}
