package spnego

import (
	"bytes"
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
}

// Accept implements [mech.Mechanism].
func (m *Mechanism) Accept(r mech.AcceptRequest) (mech.Context, error) {
	const op = "accept_sec_context"
	mechs, err := m.candidates(op, r.Creds, mech.Usage.Accepts, r.NegMechs)
	if err != nil {
		return nil, err
	}
	c := &acceptor{req: r, mechs: mechs}
	c.m, c.op = m, op
	return c, nil
}

// Step implements [mech.Context].
func (c *acceptor) Step(ctx context.Context, in []byte) ([]byte, bool, error) {
	return c.run(in, func(in []byte) ([]byte, error) {
		switch {
		case c.state > stateHinted:
			return c.reply(ctx, in)
		case c.state == stateStart && len(in) == 0:
			return c.hint(ctx)
		}
		return c.choose(ctx, in)
	})
}

// hint is the answer to an initiator that has nothing to say yet: our own list
// (MS-SPNG §3.2.5.2). The negotiation then begins with its next token.
func (c *acceptor) hint(ctx context.Context) ([]byte, error) {
	var list []oid.OID
	var first error
	for _, m := range c.mechs {
		if _, err := c.creds(ctx, m); err == nil {
			list = append(list, m.Info().OID)
		} else if first == nil {
			first = err
		}
	}
	if list == nil {
		return nil, c.refuse(first)
	}
	c.state = stateHinted
	t := negTokenInit{mechTypesDER: encodeMechTypes(list), negHints: encodeHints()}
	return t.marshal(), nil
}

// creds returns what to accept with under the mechanism m: the caller's
// elements, or the default one.
func (c *acceptor) creds(ctx context.Context, m mech.Mechanism) ([]mech.Cred, error) {
	if len(c.req.Creds) > 0 {
		return c.req.Creds, nil
	}
	k, err := m.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageAccept})
	if err != nil {
		return nil, err
	}
	return []mech.Cred{k}, nil
}

// choose takes the initiator's list and settles on its first mechanism that we
// have (RFC 4178 §4.1: the preference is the initiator's).
func (c *acceptor) choose(ctx context.Context, in []byte) ([]byte, error) {
	t, err := parseInit(in)
	switch {
	case err != nil && bytes.HasPrefix(in, []byte("NTLMSSP\x00")): // MS-NLMP §2.2.1
		return nil, c.refuse(fail(c.op, gsserr.ErrBadMech, 0, errors.New("the initiator sends NTLM without negotiating")))
	case err != nil:
		return nil, c.refuse(fail(c.op, gsserr.ErrDefectiveToken, 0, err))
	}
	place, err := c.settle(ctx, t.mechTypes)
	if err != nil {
		return nil, c.refuse(err)
	}
	c.mechTypes, c.chosen = bytes.Clone(t.mechTypesDER), t.mechTypes[place]
	c.log(ctx, "mechanism chosen", c.chosen, "place", place)
	r := negTokenResp{negState: acceptIncomplete, supportedMech: c.chosen}
	switch {
	case place > 0:
		// The token is the first mechanism's and of no use. Nor is the list
		// what the initiator hoped for, so it has to be protected.
		c.micRequired = true
		r.negState, c.state = requestMIC, stateMechanism
		return r.marshal(), nil
	case len(t.mechToken) == 0 && t.mechListMIC != nil:
		return nil, c.defective("a mechListMIC before the mechanism is complete")
	case len(t.mechToken) == 0:
		c.state = stateMechanism
		return r.marshal(), nil
	}
	if r.responseToken, err = c.advance(ctx, t.mechToken); err != nil {
		return nil, c.refuse(err)
	}
	return c.answer(r, t.mechListMIC, false)
}

// settle finds the first mechanism of the initiator's list that we can accept,
// makes its context and returns its place. If there are only mechanisms that
// cannot be started, the error is that of the first.
func (c *acceptor) settle(ctx context.Context, list []oid.OID) (place int, err error) {
	for place, o := range list {
		i := slices.IndexFunc(c.mechs, func(m mech.Mechanism) bool { return answers(m.Info(), o) })
		if i < 0 {
			continue
		}
		r := c.req
		var e error
		if r.Creds, e = c.creds(ctx, c.mechs[i]); e == nil {
			if c.inner, e = c.mechs[i].Accept(r); e == nil {
				c.used = c.mechs[i]
				return place, nil
			}
			c.inner = nil
		}
		c.log(ctx, "mechanism not accepted", o, "error", e)
		if err == nil {
			err = e
		}
	}
	if err == nil {
		err = fail(c.op, gsserr.ErrBadMech, minorRejected, errors.New("no mechanism in common: the initiator offers "+describe(list)))
	}
	return 0, err
}

// reply takes every token after the first.
func (c *acceptor) reply(ctx context.Context, in []byte) ([]byte, error) {
	t, err := parseResp(in)
	switch {
	case err != nil:
		return nil, c.refuse(fail(c.op, gsserr.ErrDefectiveToken, 0, err))
	case t.negState == reject:
		return nil, fail(c.op, gsserr.ErrFailure, minorRejected, errors.New("the initiator rejects the negotiation"))
	case !t.supportedMech.IsZero():
		return nil, c.defective("supportedMech from the initiator")
	}
	r := negTokenResp{negState: acceptIncomplete}
	theirs := false // is the mechanism's last token
	switch {
	case c.innerDone && len(t.responseToken) > 0:
		return nil, c.defective("a token for a mechanism that is complete")
	case c.innerDone && t.mechListMIC == nil:
		return nil, c.defective("neither token nor mechListMIC")
	case c.innerDone:
	case len(t.responseToken) == 0:
		return nil, c.defective("no token for the mechanism")
	default:
		if r.responseToken, err = c.advance(ctx, t.responseToken); err != nil {
			return nil, c.refuse(err)
		}
		theirs = c.innerDone && r.responseToken == nil
	}
	// An initiator that was told to send a MIC puts it into its last token.
	return c.answer(r, t.mechListMIC, theirs && c.micRequired)
}

// answer completes our next token r, which has the mechanism's token in it. mic
// is the initiator's, nil if it sent none; owed says that it had to.
func (c *acceptor) answer(r negTokenResp, mic []byte, owed bool) ([]byte, error) {
	first := c.state <= stateHinted
	if !c.innerDone {
		switch {
		case r.responseToken == nil:
			return nil, c.defective("the mechanism has nothing to say to it")
		case mic != nil:
			return nil, c.defective("a mechListMIC before the mechanism is complete")
		}
		c.state = stateMechanism
		return r.marshal(), nil
	}
	out, done, err := c.exchangeMIC(mic, owed)
	if err != nil {
		return nil, err
	}
	r.mechListMIC = out
	switch {
	case !done:
		c.state = stateMIC
		if first && r.responseToken == nil {
			r.negState = requestMIC // the initiator may think that all is said
		}
		return r.marshal(), nil
	case c.micSent && out == nil && r.responseToken == nil:
		c.state = stateEstablished // the initiator is done already
		return nil, nil
	}
	c.state, r.negState = stateEstablished, acceptCompleted
	return r.marshal(), nil
}
