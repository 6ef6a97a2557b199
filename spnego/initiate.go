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
	used   mech.Mechanism   // the one in use
}

// Initiate implements [mech.Mechanism].
func (m *Mechanism) Initiate(target mech.Name, r mech.InitRequest) (mech.Context, error) {
	const op = "init_sec_context"
	n, ok := target.(*name)
	switch {
	case target == nil:
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, 0, nil)
	case !ok:
		return nil, fail(op, gsserr.ErrBadName, 0, nil)
	case n.m != m:
		return nil, fail(op, gsserr.ErrDefectiveCredential, 0, errors.New("the name belongs to another mechanism value"))
	}
	c := &initiator{target: n, req: r, mechs: m.candidates(r.Creds, mech.Usage.Initiates, r.NegMechs)}
	c.m, c.op = m, op
	c.req.Mech = oid.OID{} // each inner mechanism under its own OID
	if len(c.mechs) == 0 {
		return nil, fail(op, gsserr.ErrFailure, minorNoMechs, nil)
	}
	return c, nil
}

// Step implements [mech.Context].
func (c *initiator) Step(ctx context.Context, in []byte) ([]byte, bool, error) {
	return c.run(ctx, in, func(ctx context.Context, in []byte) ([]byte, error) {
		if c.state == stateStart {
			return c.propose(ctx, in)
		}
		return c.reply(ctx, in)
	})
}

// Info implements [mech.Context].
func (c *initiator) Info() mech.ContextInfo {
	i := c.info()
	i.Initiator = true
	return i
}

// propose sends the list of mechanisms with a token of the first (RFC 4178
// §4.2.1). in is the acceptor's hint, if it spoke first.
func (c *initiator) propose(ctx context.Context, in []byte) ([]byte, error) {
	if len(in) > 0 {
		hint, err := parseInit(in)
		if err != nil {
			return nil, fail(c.op, gsserr.ErrDefectiveToken, 0, err)
		}
		// What the acceptor has not got is not worth offering. Nothing
		// protects the hint: it can only shorten the list.
		c.mechs = slices.DeleteFunc(c.mechs, func(i mech.Mechanism) bool {
			return !slices.ContainsFunc(hint.mechTypes, func(o oid.OID) bool { return answers(i.Info(), o) })
		})
		if len(c.mechs) == 0 {
			return nil, fail(c.op, gsserr.ErrBadMech, minorRejected, nil)
		}
	}
	token, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]oid.OID, len(c.mechs))
	for i, m := range c.mechs {
		list[i] = m.Info().OID
	}
	c.mechTypes, c.chosen, c.state = encodeMechTypes(list), list[0], stateProposed
	t := negTokenInit{mechTypes: list, mechTypesDER: c.mechTypes, mechToken: token}
	return t.marshal(), nil
}

// begin starts the first mechanism that can be started, and drops those before
// it. If none can, the error is that of the first.
func (c *initiator) begin(ctx context.Context) ([]byte, error) {
	var first error
	for len(c.mechs) > 0 {
		token, err := c.use(ctx, c.mechs[0])
		if err == nil {
			return token, nil
		}
		c.m.c.Logger.DebugContext(ctx, "mechanism not offered", "mech", c.mechs[0].Info().OID.String(), "error", err)
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
		c.mechs = c.mechs[1:]
	}
	return nil, first
}

// use makes a mechanism the one in use and returns its first token.
func (c *initiator) use(ctx context.Context, m mech.Mechanism) ([]byte, error) {
	target, err := m.ImportName([]byte(c.target.text), c.target.typ)
	if err != nil {
		return nil, err
	}
	inner, err := m.Initiate(target, c.req)
	if err != nil {
		return nil, err
	}
	if c.inner != nil {
		_ = c.inner.Close()
	}
	c.inner, c.used = inner, m
	return c.advance(ctx, nil)
}

// reply takes the acceptor's token.
func (c *initiator) reply(ctx context.Context, in []byte) ([]byte, error) {
	t, err := parseResp(in)
	if err != nil {
		return nil, c.refuse(fail(c.op, gsserr.ErrDefectiveToken, 0, err), false)
	}
	first := c.state == stateProposed
	if t.negState == reject {
		return nil, c.rejected(ctx, t, first)
	}
	if same(t.responseToken, t.mechListMIC) && len(t.responseToken) > 0 {
		t.mechListMIC = nil // Windows 2000 repeats the token here
	}
	if t.negState == requestMIC {
		c.micRequired = true
	}
	switch {
	case !first:
		if !t.supportedMech.IsZero() && !c.isChosen(t.supportedMech) {
			return nil, c.defective("supportedMech after the first reply")
		}
	case !t.supportedMech.IsZero() && !c.isChosen(t.supportedMech):
		return c.reselect(ctx, t)
	}
	c.state = stateMechanism
	var token []byte
	switch {
	case c.innerDone && len(t.responseToken) > 0:
		return nil, c.defective("a token for a mechanism that is complete")
	case c.innerDone:
	case len(t.responseToken) == 0:
		return nil, c.refuse(fail(c.op, gsserr.ErrDefectiveToken, minorNoToken, nil), false)
	default:
		if token, err = c.advance(ctx, t.responseToken); err != nil {
			return nil, c.refuse(err, false)
		}
	}
	return c.answer(token, t)
}

// answer makes the next token from what the mechanism has to say.
func (c *initiator) answer(token []byte, t *negTokenResp) ([]byte, error) {
	r := negTokenResp{negState: acceptIncomplete, responseToken: nonEmpty(token)}
	if !c.innerDone {
		if r.responseToken == nil {
			return nil, c.defective("the mechanism has nothing to say")
		}
		if t.mechListMIC != nil {
			return nil, c.defective("a mechListMIC before the mechanism is complete")
		}
		return r.marshal(), nil
	}
	mic, done, err := c.exchangeMIC(t.mechListMIC)
	if err != nil {
		return nil, err
	}
	r.mechListMIC = mic
	switch {
	case !done:
		c.state = stateMIC
	case r.responseToken != nil:
		// Windows expects an even number of tokens: what we send last is
		// answered.
		c.state = stateMIC
	case mic != nil:
		c.state, r.negState = stateEstablished, acceptCompleted
	default:
		c.state = stateEstablished
		return nil, nil
	}
	return r.marshal(), nil
}

// rejected finds out why.
func (c *initiator) rejected(ctx context.Context, t *negTokenResp, first bool) error {
	if len(t.responseToken) > 0 && !c.innerDone {
		if _, err := c.advance(ctx, t.responseToken); err != nil {
			return fail(c.op, 0, 0, err)
		}
		return fail(c.op, gsserr.ErrDefectiveToken, 0, syntax("a reject with a token that is good"))
	}
	if first {
		return fail(c.op, gsserr.ErrBadMech, minorRejected, errors.New("the acceptor rejects every mechanism"))
	}
	return fail(c.op, gsserr.ErrFailure, minorRejected, errors.New("the acceptor rejects the negotiation"))
}

// isChosen reports whether the acceptor's choice is the mechanism whose token it
// has. It may call Kerberos by any of its OIDs, whichever we sent.
func (c *initiator) isChosen(o oid.OID) bool {
	i := c.used.Info()
	return o == c.chosen || o == i.OID || slices.Contains(i.Aliases, o)
}

// reselect starts over with the mechanism that the acceptor prefers. That takes
// a mechListMIC: someone else may have shortened our list.
func (c *initiator) reselect(ctx context.Context, t *negTokenResp) ([]byte, error) {
	i := slices.IndexFunc(c.mechs, func(m mech.Mechanism) bool {
		info := m.Info()
		return t.supportedMech == info.OID || slices.Contains(info.Aliases, t.supportedMech)
	})
	switch {
	case i < 0:
		return nil, c.refuse(fail(c.op, gsserr.ErrBadMech, minorNoMech, errors.New("the acceptor chose what was not offered")), false)
	case len(t.responseToken) > 0 || t.mechListMIC != nil || t.negState == acceptCompleted:
		return nil, c.defective("another mechanism together with a token")
	}
	c.m.c.Logger.DebugContext(ctx, "acceptor chose another mechanism", "mech", t.supportedMech.String())
	token, err := c.use(ctx, c.mechs[i])
	if err != nil {
		return nil, c.refuse(err, false)
	}
	c.chosen, c.micRequired, c.state = t.supportedMech, true, stateMechanism
	return c.answer(token, &negTokenResp{})
}

// nonEmpty turns an empty token into an absent one.
func nonEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}
