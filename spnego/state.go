package spnego

import (
	"context"
	"errors"
	"log/slog"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// state is how far a negotiation has got.
type state uint8

const (
	stateStart       state = iota // no token sent or received
	stateHinted                   // acceptor: the list is sent, the initiator's is due
	stateProposed                 // initiator: the list is sent, the first reply is due
	stateMechanism                // the mechanism is chosen and exchanges its tokens
	stateMIC                      // the mechanism is complete, the peer's last word is due
	stateEstablished              // messages can be protected
	stateDead                     // failed or closed
)

func (s state) String() string {
	return [...]string{
		"start", "hinted", "proposed", "in the mechanism's exchange", "awaiting the last token", "established", "dead",
	}[s]
}

// maxSteps bounds the tokens, and fragments of tokens, that one negotiation
// takes. Mechanisms need a handful; a peer that never comes to an end has no
// good reason.
const maxSteps = 256

// negotiation is what both sides have in common.
type negotiation struct {
	m         *Mechanism
	op        string
	initiator bool
	state     state
	steps     int
	fragments fragments

	used      mech.Mechanism // the mechanism in use, nil until there is one
	inner     mech.Context   // its context
	innerDone bool
	chosen    oid.OID // the mechanism as the initiator listed it
	// mechTypes is the initiator's list in DER, to the byte.
	mechTypes []byte

	micRequired, micSent, micReceived bool

	// open is inner from the end of the negotiation on, and nil before. It does
	// not change again, so that calls on messages need no lock.
	open mech.Context
}

// run runs one step, and ends the negotiation if that fails.
func (n *negotiation) run(in []byte, step func(in []byte) ([]byte, error)) (out []byte, more bool, err error) {
	if n.state >= stateEstablished {
		return nil, false, fail(n.op, gsserr.ErrNoContext, 0, errors.New("the negotiation is "+n.state.String()))
	}
	in, whole, err := n.receive(in)
	if err == nil && whole {
		out, err = step(in)
	}
	if err != nil {
		n.die()
		e := fail(n.op, 0, 0, err)
		if inner, ok := err.(*gsserr.Error); ok {
			c := *inner
			e, c.Op = &c, n.op
		}
		return nil, false, e
	}
	if n.state == stateEstablished {
		n.open = n.inner
	}
	return out, n.open == nil, nil
}

// receive counts a token and puts it together if it comes in pieces.
func (n *negotiation) receive(in []byte) (token []byte, whole bool, err error) {
	if n.steps++; n.steps > maxSteps {
		return nil, false, n.defective("more of them than any mechanism needs")
	}
	if token, whole, err = n.fragments.add(in); err != nil {
		return nil, false, n.refuse(fail(n.op, gsserr.ErrDefectiveToken, 0, err))
	}
	return token, whole, nil
}

// advance passes a token to the mechanism in use.
func (n *negotiation) advance(ctx context.Context, in []byte) ([]byte, error) {
	out, more, err := n.inner.Step(ctx, in)
	if err != nil {
		return nil, err
	}
	n.innerDone = !more
	if len(out) == 0 {
		return nil, nil // an empty token is none
	}
	return out, nil
}

// log writes a debug record about a mechanism.
func (n *negotiation) log(ctx context.Context, text string, o oid.OID, args ...any) {
	if l := n.m.c.Logger; l.Enabled(ctx, slog.LevelDebug) {
		l.DebugContext(ctx, text, append([]any{"mech", o.String()}, args...)...)
	}
}

// refuse adds to err the token that tells the peer: a reject, with the
// mechanism's own error token if it has one.
func (n *negotiation) refuse(err error) error {
	e := fail(n.op, 0, 0, err)
	t := negTokenResp{negState: reject, responseToken: e.Token}
	if !n.initiator && n.state <= stateHinted {
		t.supportedMech = n.chosen // zero if the choice is what failed
	}
	e.Token = t.marshal()
	return e
}

// defective is a token that does not belong here.
func (n *negotiation) defective(what string) error {
	return n.refuse(fail(n.op, gsserr.ErrDefectiveToken, 0, syntax(what)))
}

// die ends a negotiation that failed.
func (n *negotiation) die() {
	_ = n.Close() // the failure is what counts
}

// Close implements [mech.Context].
func (n *negotiation) Close() error {
	n.state = stateDead
	n.fragments = fragments{}
	if n.inner == nil {
		return nil
	}
	return n.inner.Close()
}

// Selected implements [mech.Negotiator].
func (n *negotiation) Selected() mech.Context { return n.open }

// Info implements [mech.Context]: it describes the negotiation while it lasts,
// and the chosen context then.
func (n *negotiation) Info() mech.ContextInfo {
	var i mech.ContextInfo
	if n.inner != nil {
		i = n.inner.Info()
	}
	if n.state != stateEstablished {
		// What the mechanism could do already is of no use yet.
		i = mech.ContextInfo{Mech: oid.SPNEGO, Flags: i.Flags &^ (mech.FlagProtReady | mech.FlagTrans), Target: i.Target}
	}
	i.Initiator = n.initiator
	return i
}
