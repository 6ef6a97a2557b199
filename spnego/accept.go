package spnego

import (
	"context"
	"errors"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// acceptor is the acceptor's side of a negotiation.
type acceptor struct {
	negotiation
	req   mech.AcceptRequest
	mechs []mech.Mechanism
	early []byte // a mechListMIC that came before the mechanism was complete
}

// Accept implements [mech.Mechanism].
func (m *Mechanism) Accept(r mech.AcceptRequest) (mech.Context, error) {
	const op = "accept_sec_context"
	c := &acceptor{req: r, mechs: m.candidates(r.Creds, mech.Usage.Accepts, r.NegMechs)}
	c.m, c.op = m, op
	if len(c.mechs) == 0 {
		return nil, fail(op, gsserr.ErrFailure, minorNoMechs, nil)
	}
	return c, nil
}

// Step implements [mech.Context].
func (c *acceptor) Step(ctx context.Context, in []byte) ([]byte, bool, error) {
	return c.run(ctx, in, func(ctx context.Context, in []byte) ([]byte, error) {
		switch {
		case c.state != stateStart:
			return c.reply(ctx, in)
		case len(in) == 0:
			return c.hint(), nil
		}
		return c.choose(ctx, in)
	})
}

// Info implements [mech.Context].
func (c *acceptor) Info() mech.ContextInfo { return c.info() }

// hint is the answer to an initiator that has nothing to say yet: our own list
// (MS-SPNG §3.2.5.2). The negotiation then begins with its next token.
func (c *acceptor) hint() []byte {
	list := make([]oid.OID, len(c.mechs))
	for i, m := range c.mechs {
		list[i] = m.Info().OID
	}
	t := negTokenInit{mechTypesDER: encodeMechTypes(list), hints: true}
	return t.marshal()
}

// choose takes the initiator's list and settles on its first mechanism that we
// have (RFC 4178 §4.1: the preference is the initiator's).
func (c *acceptor) choose(ctx context.Context, in []byte) ([]byte, error) {
	t, err := parseInit(in)
	if err != nil {
		return nil, c.refuse(fail(c.op, gsserr.ErrDefectiveToken, 0, err), false)
	}
	var used mech.Mechanism
	place := slices.IndexFunc(t.mechTypes, func(o oid.OID) bool {
		i := slices.IndexFunc(c.mechs, func(m mech.Mechanism) bool { return answers(m.Info(), o) })
		if i >= 0 {
			used = c.mechs[i]
		}
		return i >= 0
	})
	if place < 0 {
		return nil, c.refuse(fail(c.op, gsserr.ErrBadMech, minorRejected, errors.New("no mechanism in common")), false)
	}
	c.mechTypes = append([]byte(nil), t.mechTypesDER...)
	c.chosen, c.state = t.mechTypes[place], stateMechanism
	c.m.c.Logger.DebugContext(ctx, "mechanism chosen", "mech", c.chosen.String(), "place", place)
	if c.inner, err = used.Accept(c.req); err != nil {
		return nil, c.refuse(err, true)
	}
	if place > 0 {
		// The token is the first mechanism's and of no use. Nor is the list
		// what the initiator hoped for, so it has to be protected.
		c.micRequired = true
		r := negTokenResp{negState: requestMIC, supportedMech: c.chosen}
		return r.marshal(), nil
	}
	if t.mechToken == nil {
		r := negTokenResp{negState: acceptIncomplete, supportedMech: c.chosen}
		return r.marshal(), nil
	}
	token, err := c.advance(ctx, t.mechToken)
	if err != nil {
		return nil, c.refuse(err, true)
	}
	return c.answer(token, t.mechListMIC, true)
}

// reply takes every token after the first.
func (c *acceptor) reply(ctx context.Context, in []byte) ([]byte, error) {
	t, err := parseResp(in)
	switch {
	case err != nil:
		return nil, c.refuse(fail(c.op, gsserr.ErrDefectiveToken, 0, err), false)
	case t.negState == reject:
		return nil, fail(c.op, gsserr.ErrFailure, minorRejected, errors.New("the initiator rejects the negotiation"))
	case !t.supportedMech.IsZero():
		return nil, c.defective("supportedMech from the initiator")
	case t.responseToken == nil && t.mechListMIC == nil:
		return nil, c.defective("neither token nor mechListMIC")
	}
	var token []byte
	switch {
	case c.innerDone && len(t.responseToken) > 0:
		return nil, c.defective("a token for a mechanism that is complete")
	case c.innerDone:
	case t.responseToken == nil:
		return nil, c.defective("no token for the mechanism")
	default:
		if token, err = c.advance(ctx, t.responseToken); err != nil {
			return nil, c.refuse(err, false)
		}
	}
	return c.answer(token, t.mechListMIC, false)
}

// answer makes the next token from what the mechanism has to say. mic is the
// initiator's, nil if it sent none.
func (c *acceptor) answer(token, mic []byte, first bool) ([]byte, error) {
	r := negTokenResp{negState: acceptIncomplete, responseToken: nonEmpty(token)}
	if first {
		r.supportedMech = c.chosen
	}
	if !c.innerDone {
		if mic != nil {
			if c.early != nil {
				return nil, c.defective("a second mechListMIC")
			}
			c.early = append([]byte{}, mic...)
		}
		return r.marshal(), nil
	}
	if mic == nil {
		mic, c.early = c.early, nil
	}
	out, done, err := c.exchangeMIC(mic)
	if err != nil {
		return nil, err
	}
	r.mechListMIC = out
	switch {
	case !done:
		c.state = stateMIC
		if first && r.responseToken == nil {
			r.negState = requestMIC // nothing else says that we wait for one
		}
		return r.marshal(), nil
	case c.micSent && out == nil && r.responseToken == nil:
		c.state = stateEstablished // the initiator is done already
		return nil, nil
	}
	c.state, r.negState = stateEstablished, acceptCompleted
	return r.marshal(), nil
}
