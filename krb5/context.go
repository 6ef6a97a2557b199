package krb5

import (
	"context"
	"fmt"
	"sync"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/cfx"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// state is how far a context has got.
type state uint8

const (
	stateStart       state = iota // nothing sent or received
	stateReply                    // initiator: the AP-REQ is sent, the AP-REP is due
	stateThirdLeg                 // acceptor in DCE style: the AP-REP is sent, another one is due
	stateEstablished              // messages can be protected
	stateDead                     // failed or closed
)

func (s state) String() string {
	return [...]string{"start", "awaiting AP-REP", "awaiting third leg", "established", "dead"}[s]
}

// secContext is what both sides of a context have in common.
type secContext struct {
	m     *Mechanism
	state state
	// mechOID is the OID in the frames: the peer's choice, on the acceptor.
	mechOID oid.OID
	flags   mech.Flags
	require mech.Flags
	expires time.Time

	// Who takes part: nil for an initiator's target on the acceptor, and for
	// whatever is not known yet.
	client, server, target *name

	subkey         *enctype.Key // the initiator's, until the context is established
	acceptorSubkey *enctype.Key // nil if there is none
	sendSeq        uint32
	recvSeq        uint32

	// What the ticket says besides.
	ticketFlags uint32
	authTime    time.Time

	enctype string
	prot    protection // nil until established

	// mu guards state and held from the end of the handshake on, as Close may
	// come while others ask. During the handshake there is one caller.
	mu sync.Mutex
	held
}

// held is what a context gives up when it ends.
type held struct {
	session   *enctype.Key      // of the ticket
	delegated *cred             // what the initiator has handed on
	authz     []wire.AuthzDatum // that a KDC vouches for
	claims    []wire.AuthzDatum // that the initiator says of itself
}

// holds returns what the context has not given up yet, and whether it is
// established.
func (c *secContext) holds() (h held, established bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held, c.state == stateEstablished
}

// establish makes the per-message keys. Nothing can fail after it.
func (c *secContext) establish(initiator bool) {
	key := c.subkey
	if c.acceptorSubkey != nil {
		key = c.acceptorSubkey
	}
	c.enctype = key.Enctype().String()
	c.prot = newProtection(c.mechOID, cfx.Params{
		Initiator:      initiator,
		Key:            c.subkey,
		AcceptorSubkey: c.acceptorSubkey,
		SendSeq:        uint64(c.sendSeq),
		RecvSeq:        uint64(c.recvSeq),
		Replay:         c.flags.Has(mech.FlagReplay),
		Sequence:       c.flags.Has(mech.FlagSequence),
		DCE:            c.flags.Has(mech.FlagDCEStyle),
	})
	c.subkey, c.acceptorSubkey = nil, nil // the per-message context's now
	c.flags |= mech.FlagProtReady | mech.FlagTrans
	c.state = stateEstablished
}

// checkRequired fails if the context would lack a flag that the caller cannot
// do without. The hoped are flags that may yet come.
func (c *secContext) checkRequired(hoped mech.Flags) error {
	granted := c.flags | hoped | mech.FlagProtReady | mech.FlagTrans // the last two once it is established
	if missing := c.require &^ granted; missing != 0 {
		return &gsserr.Error{Major: gsserr.ErrUnavailable, Mech: oid.Krb5, Err: fmt.Errorf("required but not granted: %s", missing)}
	}
	return nil
}

// die ends a context that failed.
func (c *secContext) die() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = stateDead
	for _, k := range []*enctype.Key{c.subkey, c.acceptorSubkey} {
		k.Clear()
	}
	c.subkey, c.acceptorSubkey = nil, nil
	c.held = held{} // the session key may be a cached ticket's, and goes on there
}

// Close implements [mech.Context].
func (c *secContext) Close() error {
	c.die()
	if c.prot != nil {
		c.prot.Close()
	}
	return nil
}

func (c *secContext) info() mech.ContextInfo {
	_, established := c.holds()
	return mech.ContextInfo{
		Mech:        oid.Krb5,
		Established: established,
		Flags:       c.flags,
		Expires:     c.expires,
		Enctype:     c.enctype,
	}
}

// protector returns the per-message calls.
func (c *secContext) protector(op string) (protection, error) {
	if c.prot == nil {
		return nil, fail(op, gsserr.ErrNoContext, nil)
	}
	return c.prot, nil
}

// Wrap implements [mech.Protector].
func (c *secContext) Wrap(dst, msg []byte, o *mech.WrapOptions) ([]byte, error) {
	p, err := c.protector("wrap")
	if err != nil {
		return dst, err
	}
	return p.Wrap(dst, msg, o)
}

// Unwrap implements [mech.Protector].
func (c *secContext) Unwrap(dst, token []byte) ([]byte, mech.MessageInfo, error) {
	p, err := c.protector("unwrap")
	if err != nil {
		return dst, mech.MessageInfo{}, err
	}
	return p.Unwrap(dst, token)
}

// GetMIC implements [mech.Protector].
func (c *secContext) GetMIC(dst, msg []byte, q mech.QOP) ([]byte, error) {
	p, err := c.protector("get_mic")
	if err != nil {
		return dst, err
	}
	return p.GetMIC(dst, msg, q)
}

// VerifyMIC implements [mech.Protector].
func (c *secContext) VerifyMIC(msg, mic []byte) (mech.QOP, error) {
	p, err := c.protector("verify_mic")
	if err != nil {
		return 0, err
	}
	return p.VerifyMIC(msg, mic)
}

// WrapSizeLimit implements [mech.Protector].
func (c *secContext) WrapSizeLimit(size int, o *mech.WrapOptions) (int, error) {
	p, err := c.protector("wrap_size_limit")
	if err != nil {
		return 0, err
	}
	return p.WrapSizeLimit(size, o)
}

var (
	_ mech.Context   = (*initiator)(nil)
	_ mech.Context   = (*acceptor)(nil)
	_ mech.Protector = (*secContext)(nil)
)

// Step implements [mech.Context].
func (c *initiator) Step(ctx context.Context, in []byte) (out []byte, more bool, err error) {
	return c.run("init_sec_context", func() ([]byte, error) { return c.step(ctx, in) })
}

// Step implements [mech.Context].
func (c *acceptor) Step(ctx context.Context, in []byte) (out []byte, more bool, err error) {
	return c.run("accept_sec_context", func() ([]byte, error) { return c.step(ctx, in) })
}

// run calls one step, and ends the context if it fails.
func (c *secContext) run(op string, step func() ([]byte, error)) ([]byte, bool, error) {
	if c.state >= stateEstablished {
		return nil, false, fail(op, gsserr.ErrNoContext, fmt.Errorf("the context is %s", c.state))
	}
	out, err := step()
	if err != nil {
		c.die()
		return nil, false, fail(op, 0, err)
	}
	return out, c.state != stateEstablished, nil
}
