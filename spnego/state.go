package spnego

import (
	"context"
	"crypto/subtle"
	"errors"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// state is how far a negotiation has got.
type state uint8

const (
	stateStart       state = iota // no token sent or received
	stateProposed                 // initiator: the list is sent, the first reply is due
	stateMechanism                // the mechanism is chosen and exchanges its tokens
	stateMIC                      // the mechanism is complete, a mechListMIC is due
	stateEstablished              // messages can be protected
	stateDead                     // failed or closed
)

func (s state) String() string {
	return [...]string{"start", "proposed", "in the mechanism's exchange", "awaiting a mechListMIC", "established", "dead"}[s]
}

// negotiation is what both sides have in common.
type negotiation struct {
	m     *Mechanism
	op    string
	state state

	inner     mech.Context // of the mechanism in use, nil until there is one
	innerDone bool
	chosen    oid.OID // as the initiator listed it
	// mechTypes is the initiator's list in DER, to the byte.
	mechTypes []byte

	micRequired, micSent, micReceived bool

	fragment []byte // of a token that has not arrived whole
}

// step runs one step, and ends the negotiation if it fails.
func (n *negotiation) run(ctx context.Context, in []byte, step func(context.Context, []byte) ([]byte, error)) (out []byte, more bool, err error) {
	if n.state >= stateEstablished {
		return nil, false, fail(n.op, gsserr.ErrNoContext, 0, errors.New("the negotiation is "+n.state.String()))
	}
	in, whole := n.assemble(in)
	if !whole {
		return nil, true, nil
	}
	out, err = step(ctx, in)
	if err != nil {
		n.die()
		var e *gsserr.Error
		if !errors.As(err, &e) {
			e = fail(n.op, gsserr.ErrFailure, 0, err)
		}
		f := *e
		f.Op = n.op
		return nil, false, &f
	}
	return out, n.state != stateEstablished, nil
}

// assemble puts the fragments of a token together (MS-SPNG §3.1.5.4): a token
// that is shorter than its first bytes say is to be continued. It reports
// whether the token is whole, or can never become so.
func (n *negotiation) assemble(in []byte) ([]byte, bool) {
	if len(n.fragment) > 0 {
		in = append(n.fragment, in...)
		n.fragment = nil
	}
	size, ok := sizeOf(in)
	if !ok || size <= len(in) || size > mech.MaxToken {
		return in, true
	}
	n.fragment = append([]byte(nil), in...)
	return nil, false
}

// sizeOf returns the size in bytes that a DER element claims to have.
func sizeOf(b []byte) (int, bool) {
	if len(b) < 2 {
		return 0, false
	}
	if b[1] < 0x80 {
		return 2 + int(b[1]), true
	}
	n := int(b[1] & 0x7f)
	if n == 0 || n > 4 || len(b) < 2+n {
		return 0, false
	}
	size := 0
	for _, c := range b[2 : 2+n] {
		size = size<<8 | int(c)
	}
	return 2 + n + size, true
}

// advance passes a token to the mechanism in use.
func (n *negotiation) advance(ctx context.Context, in []byte) ([]byte, error) {
	out, more, err := n.inner.Step(ctx, in)
	if err != nil {
		return nil, err
	}
	n.innerDone = !more
	return out, nil
}

// refuse adds to err the token that tells the peer: a reject with the
// mechanism's own error token, if it has one.
func (n *negotiation) refuse(err error, first bool) error {
	e := fail(n.op, 0, 0, err)
	t := negTokenResp{negState: reject, responseToken: e.Token}
	if first {
		t.supportedMech = n.chosen
	}
	e.Token = t.marshal()
	return e
}

// defective is a token that does not belong here.
func (n *negotiation) defective(what string) error {
	return n.refuse(fail(n.op, gsserr.ErrDefectiveToken, 0, syntax(what)), false)
}

// protects reports whether the mechanism in use can sign the list.
func (n *negotiation) protects() bool {
	_, ok := n.inner.(mech.Protector)
	return ok && n.inner.Info().Flags.Has(mech.FlagInteg)
}

// wantsMIC reports whether the mechanism in use asks for a mechListMIC that
// RFC 4178 would let us leave out.
func (n *negotiation) wantsMIC() bool {
	if n.m.c.RequireMechListMIC {
		return true
	}
	q, ok := n.inner.(mech.Inquirer)
	if !ok {
		return false
	}
	answer, err := q.Inquire(oid.SPNEGORequireMIC)
	return err == nil && len(answer) > 0
}

// exchangeMIC deals with the mechListMIC (RFC 4178 §5) when the mechanism is
// complete. in is what the peer sent, nil if nothing; out is what to send. The
// negotiation is over when done is true.
//
// A MIC is required if the initiator's first choice was not taken, if the peer
// sends one, or if the mechanism or the configuration wants it. Then each side
// must send one and receive one: a peer that has ours and sends none is cheating.
func (n *negotiation) exchangeMIC(in []byte) (out []byte, done bool, err error) {
	if !n.protects() {
		if n.m.c.RequireMechListMIC {
			return nil, false, n.refuse(fail(n.op, gsserr.ErrUnavailable, 0, errors.New("the mechanism cannot protect the negotiation")), false)
		}
		return nil, true, nil
	}
	n.micRequired = n.micRequired || n.wantsMIC()
	p := n.inner.(mech.Protector)
	switch {
	case in != nil && n.micReceived:
		return nil, false, n.defective("a second mechListMIC")
	case in != nil:
		if _, err := p.VerifyMIC(n.mechTypes, in); err != nil && !gsserr.Informational(err) {
			return nil, false, n.refuse(err, false)
		}
		n.micReceived, n.micRequired = true, true
	case n.micRequired && n.micSent && !n.micReceived:
		return nil, false, n.defective("no mechListMIC")
	}
	if n.micRequired && !n.micSent {
		if out, err = p.GetMIC(nil, n.mechTypes, 0); err != nil {
			return nil, false, n.refuse(err, false)
		}
		n.micSent = true
	}
	return out, !n.micRequired || n.micReceived, nil
}

// die ends a negotiation that failed.
func (n *negotiation) die() {
	n.state = stateDead
	n.fragment = nil
	if n.inner != nil {
		_ = n.inner.Close() // the failure is what counts
	}
}

// Close implements [mech.Context].
func (n *negotiation) Close() error {
	n.state = stateDead
	n.fragment = nil
	if n.inner == nil {
		return nil
	}
	return n.inner.Close()
}

// Selected implements [mech.Negotiator].
func (n *negotiation) Selected() mech.Context {
	if n.state != stateEstablished {
		return nil
	}
	return n.inner
}

// info describes the negotiation while it lasts, and the chosen context then.
func (n *negotiation) info() mech.ContextInfo {
	var i mech.ContextInfo
	if n.inner != nil {
		i = n.inner.Info()
	}
	if n.state == stateEstablished {
		return i
	}
	return mech.ContextInfo{
		Mech:   oid.SPNEGO,
		Flags:  i.Flags &^ (mech.FlagProtReady | mech.FlagTrans),
		Target: i.Target,
	}
}

// same compares two byte strings of the peer's, in constant time as everything
// here is that may be a MIC.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
