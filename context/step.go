package secctx

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/gss-go/gssapi/creds"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

var (
	errTokenSize = fmt.Errorf("the token is longer than %d bytes", mech.MaxToken)
	errNotDflt   = errors.New("the mechanism is accepted only with a credential for it")
	errAnonymous = errors.New("the initiator is anonymous")
	errNTLM      = errors.New("the initiator sends NTLM, which is not registered")
)

// Step takes the peer's token and returns the one to send (RFC 2743 §2.2.1 and
// §2.2.2). The initiator's first Step takes nil. A token in out must be sent if
// it is not empty; with more the context awaits another token, without it is
// established. Step may do I/O, for which ctx is.
//
// After an error the context has ended, out is nil, and [gsserr.Error].Token may
// hold a token that should still be sent. Before out leaves, the required flags
// are checked; a missing one is ErrUnavailable. Other errors of note are
// ErrNoContext after the end of the handshake, ErrDefectiveToken for a token that
// is malformed or of more than mech.MaxToken bytes, ErrBadMech for one of a
// mechanism that is not registered, ErrNoCred for one that the credential does
// not cover, and ErrUnauthorized for an anonymous initiator.
func (c *SecContext) Step(ctx context.Context, in []byte) (out []byte, more bool, err error) {
	op := "accept_sec_context"
	if c == nil {
		return nil, false, noContext(op)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.initiator {
		op = "init_sec_context"
	}
	first := c.state.Load() == stateFresh
	if !first && c.state.Load() != stateBusy || c.reg == nil {
		return nil, false, noContext(op)
	}
	c.state.Store(stateBusy)
	if ctx == nil {
		ctx = context.Background()
	}
	switch {
	case len(in) > mech.MaxToken:
		err = fail(op, gsserr.ErrDefectiveToken, errTokenSize)
	case first && !c.initiator:
		err = c.choose(op, in)
	}
	if err == nil {
		if out, more, err = c.engine.Step(ctx, in); err != nil {
			err = stepError(op, err, out)
		} else if !more {
			err = c.open(op)
		}
	}
	if err != nil {
		_ = c.end() // the error that ended it says more
		return nil, false, err
	}
	return out, more, nil
}

// stepError makes the error of a failed Step, with the token for the peer even
// if the mechanism returned it beside the error. It is never informational: a
// token that was seen before ends a handshake.
func stepError(op string, err error, token []byte) error {
	e := gsserr.New(op, 0, err)
	if gsserr.Informational(e) {
		e.Major, e.Err = gsserr.ErrFailure, errors.New(e.Major.Error())
	}
	if len(e.Token) == 0 && len(token) > 0 {
		e.Token = token
	}
	return e
}

// open checks a finished handshake and lets messages through.
func (c *SecContext) open(op string) error {
	i := c.engine.Info()
	if missing := c.require &^ i.Flags; missing != 0 {
		return fail(op, gsserr.ErrUnavailable, fmt.Errorf("the context lacks the required %s", missing))
	}
	if !c.initiator && !c.accept.AllowAnonymous && anonymous(i) {
		return fail(op, gsserr.ErrUnauthorized, errAnonymous)
	}
	return c.established(i)
}

// anonymous reports whether the initiator has no name.
func anonymous(i mech.ContextInfo) bool {
	if i.InitiatorName == nil || i.Flags.Has(mech.FlagAnon) {
		return true
	}
	_, typ := i.InitiatorName.Display()
	return typ == oid.NTAnonymous
}

// established fills in what an open context needs and opens it.
func (c *SecContext) established(i mech.ContextInfo) error {
	c.prot, _ = c.engine.(mech.Protector)
	c.iov, _ = c.engine.(mech.IOVProtector)
	c.signer, _ = c.engine.(mech.IOVSigner)
	c.expires = i.Expires
	switch {
	case !c.initiator:
		c.peer = c.name(i.InitiatorName)
	case i.Flags.Has(mech.FlagMutual):
		c.peer = c.name(i.AcceptorName)
	}
	if i.Delegated != nil && !c.initiator {
		d, err := creds.New(c.reg, i.Delegated)
		if err != nil {
			return fail("accept_sec_context", 0, err)
		}
		c.deleg = d
	}
	c.state.Store(stateOpen)
	return nil
}

// name makes a mechanism's name one of ours.
func (c *SecContext) name(n mech.Name) names.Name {
	if n == nil {
		return names.Name{}
	}
	m, _ := c.reg.Lookup(n.Mech())
	return names.FromMech(n, m)
}

// choose makes the engine that the initiator's first token asks for.
func (c *SecContext) choose(op string, in []byte) error {
	id, err := c.mechOf(in)
	if err != nil {
		return fail(op, 0, err)
	}
	m, err := c.reg.Lookup(id)
	if err != nil {
		return fail(op, gsserr.ErrBadMech, unknownMech(id))
	}
	if i := m.Info(); c.cred == nil && (i.HasAttr(mech.MADeprecated) || i.HasAttr(mech.MANotDefaultMech)) {
		return fail(op, gsserr.ErrNoCred, errNotDflt)
	}
	if c.accept.Creds, err = elements(op, c.cred, m, mech.UsageAccept); err != nil {
		return err
	}
	engine, err := m.Accept(c.accept)
	if err != nil {
		return fail(op, 0, err)
	}
	c.engine, c.mechanism = engine, m
	return nil
}

// unknownMech is why nobody takes a token.
func unknownMech(id oid.OID) error {
	if id == oid.NTLM {
		return errNTLM
	}
	return fmt.Errorf("the initiator's token is for mechanism %s, which is not registered", id)
}

// What first tokens without the frame of RFC 2743 §3.1 begin with.
var ntlmMagic = []byte("NTLMSSP\x00") // MS-NLMP §2.2.1

const tagAPReq = 0x6e // a bare AP-REQ, RFC 4120 §5.5.1; DCE style sends it so

// mechOf returns the mechanism that a first token is for. An empty one asks a
// negotiating mechanism to begin, as SMB servers do (MS-SPNG §3.2.5.2).
func (c *SecContext) mechOf(in []byte) (oid.OID, error) {
	switch {
	case len(in) == 0:
		if _, err := c.reg.Lookup(oid.SPNEGO); err != nil {
			return oid.OID{}, gsserr.ErrDefectiveToken
		}
		return oid.SPNEGO, nil
	case bytes.HasPrefix(in, ntlmMagic):
		return oid.NTLM, nil
	case in[0] == tagAPReq:
		return oid.Krb5, nil
	}
	id, _, err := mech.ParseToken(in)
	if err != nil {
		// A negotiation may begin with a part of a token (MS-SPNG §3.1.5.4).
		if part, size, e := mech.PeekToken(in); e == nil && part == oid.SPNEGO && size > len(in) {
			return part, nil
		}
	}
	return id, err
}
