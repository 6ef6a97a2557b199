package spnego

import (
	"context"
	"errors"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// initiator is the initiator's side of a negotiation.
type initiator struct {
	negotiation
	target *name
	req    mech.InitRequest
	mechs  []mech.Mechanism // what is offered, in order
}

// Initiate implements [mech.Mechanism].
func (m *Mechanism) Initiate(target mech.Name, r mech.InitRequest) (mech.Context, error) {
	const op = "init_sec_context"
	if target == nil {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, 0, nil)
	}
	n, err := m.own(op, target)
	if err != nil {
		return nil, err
	}
	mechs, err := m.candidates(op, r.Creds, mech.Usage.Initiates, r.NegMechs)
	if err != nil {
		return nil, err
	}
	c := &initiator{target: n, req: r, mechs: mechs}
	c.m, c.op, c.initiator = m, op, true
	c.req.Mech = oid.OID{} // each inner mechanism under its own OID
	return c, nil
}

// Step implements [mech.Context].
func (c *initiator) Step(ctx context.Context, in []byte) ([]byte, bool, error) {
	return c.run(in, func(in []byte) ([]byte, error) {
		if c.state == stateStart {
			return c.propose(ctx, in)
		}
		return c.reply(ctx, in)
	})
}

// Info implements [mech.Context].
func (c *initiator) Info() mech.ContextInfo {
	i := c.negotiation.Info()
	i.Target = c.target
	return i
}

// propose sends the list of mechanisms with a token of the first (RFC 4178
// §4.2.1). in is the acceptor's hint, if it spoke first.
func (c *initiator) propose(ctx context.Context, in []byte) ([]byte, error) {
	if len(in) > 0 {
		if err := c.heed(in); err != nil {
			return nil, err
		}
	}
	token, err := c.begin(ctx)
	if err != nil {
		e := fail(c.op, 0, 0, err)
		e.Token = nil // the acceptor does not know of us
		return nil, e
	}
	list := make([]oid.OID, len(c.mechs))
	for i, m := range c.mechs {
		list[i] = m.Info().OID
	}
	c.mechTypes, c.chosen, c.state = encodeMechTypes(list), list[0], stateProposed
	t := negTokenInit{mechTypes: list, mechTypesDER: c.mechTypes, mechToken: token}
	if c.innerDone { // there will be no later token to put the MIC into
		wanted, err := c.wantsMIC()
		if err == nil && wanted {
			c.micRequired = true
			t.mechListMIC, err = c.sign()
		}
		if err != nil {
			return nil, err
		}
	}
	return t.marshal(), nil
}

// heed reads an acceptor's hint (MS-SPNG §3.2.5.2). Nothing protects it, so that
// it must not change what is offered: the mechListMIC could not tell. It can
// only say early that there is nothing in common.
func (c *initiator) heed(in []byte) error {
	hint, err := parseInit(in)
	if err != nil {
		return fail(c.op, gsserr.ErrDefectiveToken, 0, err)
	}
	if !slices.ContainsFunc(c.mechs, func(m mech.Mechanism) bool {
		return slices.ContainsFunc(hint.mechTypes, func(o oid.OID) bool { return is(m.Info(), o) })
	}) {
		return fail(c.op, gsserr.ErrBadMech, minorRejected, errors.New("the acceptor has none of the mechanisms, but "+describe(hint.mechTypes)))
	}
	return nil
}

// begin starts the first mechanism that can be started, and drops those before
// it. If none can, the error is that of the first.
func (c *initiator) begin(ctx context.Context) ([]byte, error) {
	var first error
	for {
		token, err := c.use(ctx, c.mechs[0])
		if err == nil {
			return token, nil
		}
		c.log(ctx, "mechanism not offered", c.mechs[0].Info().OID, "error", err)
		if first == nil {
			first = err
		}
		if len(c.mechs) == 1 || ctx.Err() != nil {
			return nil, first
		}
		c.mechs = c.mechs[1:]
	}
}

// use makes a mechanism the one in use and returns its first token.
func (c *initiator) use(ctx context.Context, m mech.Mechanism) ([]byte, error) {
	target, err := c.target.of(m)
	if err != nil {
		return nil, err
	}
	inner, err := m.Initiate(target, c.req)
	if err != nil {
		return nil, err
	}
	if c.inner != nil {
		_ = c.inner.Close() // it led nowhere
	}
	c.inner, c.used, c.innerDone = inner, m, false
	token, err := c.advance(ctx, nil)
	if err == nil && token == nil {
		err = fail(c.op, gsserr.ErrFailure, 0, errors.New("the mechanism has no first token"))
	}
	return token, err
}

// reply takes the acceptor's token.
func (c *initiator) reply(ctx context.Context, in []byte) ([]byte, error) {
	t, err := parseResp(in)
	if err != nil {
		return nil, c.refuse(fail(c.op, gsserr.ErrDefectiveToken, 0, err))
	}
	first := c.state == stateProposed
	switch {
	case t.negState == reject:
		return nil, c.rejected(ctx, t, first)
	case t.supportedMech.IsZero() || is(c.used.Info(), t.supportedMech):
		// Samba calls Kerberos by its oldest OID, whichever we sent.
	case first:
		return c.reselect(ctx, t)
	default:
		return nil, c.defective("supportedMech after the first reply")
	}
	if len(t.responseToken) > 0 && same(t.responseToken, t.mechListMIC) {
		t.mechListMIC = nil // Windows 2000 repeats the token there
	}
	if t.negState == requestMIC {
		c.micRequired = true
	}
	var token []byte
	theirs := false // is the mechanism's last token
	switch {
	case c.innerDone && len(t.responseToken) > 0: // old IIS sends an empty one
		return nil, c.defective("a token for a mechanism that is complete")
	case c.innerDone:
	case len(t.responseToken) == 0:
		return nil, c.refuse(fail(c.op, gsserr.ErrDefectiveToken, minorNoToken, nil))
	default:
		if token, err = c.advance(ctx, t.responseToken); err != nil {
			return nil, c.refuse(err)
		}
		theirs = c.innerDone && token == nil
	}
	return c.answer(token, t.mechListMIC, theirs || t.negState == acceptCompleted)
}

// answer makes the next token from what the mechanism has to say. mic is the
// acceptor's, nil if it sent none; owed says that it had to.
func (c *initiator) answer(token, mic []byte, owed bool) ([]byte, error) {
	c.state = stateMechanism
	r := negTokenResp{negState: acceptIncomplete, responseToken: token}
	if !c.innerDone {
		switch {
		case token == nil:
			return nil, c.defective("the mechanism has nothing to say to it")
		case mic != nil:
			return nil, c.defective("a mechListMIC before the mechanism is complete")
		}
		return r.marshal(), nil
	}
	out, done, err := c.exchangeMIC(mic, owed)
	if err != nil {
		return nil, err
	}
	r.mechListMIC = out
	switch {
	case !done, token != nil:
		// Windows expects an even number of tokens: a last token of ours, even
		// if it completes everything, is answered.
		c.state = stateMIC
	case out != nil:
		c.state, r.negState = stateEstablished, acceptCompleted
	default:
		c.state = stateEstablished
		return nil, nil
	}
	return r.marshal(), nil
}

// rejected finds out why.
func (c *initiator) rejected(ctx context.Context, t *negTokenResp, first bool) error {
	var e *gsserr.Error
	switch {
	case len(t.responseToken) > 0 && !c.innerDone:
		if _, err := c.advance(ctx, t.responseToken); err != nil {
			e = fail(c.op, 0, 0, err)
		} else {
			e = fail(c.op, gsserr.ErrDefectiveToken, 0, syntax("a reject with a token that is good"))
		}
	case first:
		e = fail(c.op, gsserr.ErrBadMech, minorRejected, errors.New("the acceptor rejects every mechanism"))
	default:
		e = fail(c.op, gsserr.ErrFailure, minorRejected, errors.New("the acceptor rejects the negotiation"))
	}
	e.Token = nil // the acceptor is gone
	return e
}

// reselect starts over with the mechanism that the acceptor prefers. That takes
// a mechListMIC: someone else may have shortened our list.
func (c *initiator) reselect(ctx context.Context, t *negTokenResp) ([]byte, error) {
	i := slices.IndexFunc(c.mechs, func(m mech.Mechanism) bool { return is(m.Info(), t.supportedMech) })
	switch {
	case i < 0:
		return nil, c.refuse(fail(c.op, gsserr.ErrBadMech, minorNoMech, errors.New("the acceptor chose what was not offered: "+describe([]oid.OID{t.supportedMech}))))
	case len(t.responseToken) > 0 || t.mechListMIC != nil || t.negState == acceptCompleted:
		return nil, c.defective("another mechanism together with a token")
	}
	c.log(ctx, "acceptor chose another mechanism", t.supportedMech)
	token, err := c.use(ctx, c.mechs[i])
	if err != nil {
		return nil, c.refuse(err)
	}
	c.chosen, c.micRequired, c.micSent = t.supportedMech, true, false
	return c.answer(token, nil, false)
}
