package mechtest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

const (
	toyNonce = 16 // bytes
	toyMAC   = sha256.Size
)

// Token identifiers.
const (
	toyInit   = 1 // initiator's first, framed as in RFC 2743 §3.1
	toyReply  = 2
	toyThird  = 3 // with FlagDCEStyle
	toyRefuse = 4
)

// toyFlags are what a Toy can do, toyWire what travels.
const (
	toyWire = mech.FlagDeleg | mech.FlagMutual | mech.FlagReplay | mech.FlagSequence | mech.FlagConf |
		mech.FlagInteg | mech.FlagAnon | mech.FlagDCEStyle
	toyOwn = mech.FlagTrans
)

// toyContext is one side of a Toy's context. During the handshake mu guards it;
// afterwards only what follows is touched, which has locks of its own.
type toyContext struct {
	t         *Toy
	initiator bool
	require   mech.Flags
	bindings  *mech.ChannelBindings
	optional  bool // bindings
	anonymous bool // admitted
	cred      *toyCred
	target    *toyName
	lifetime  time.Duration

	mu            sync.Mutex
	leg           int
	open, dead    bool
	flags         mech.Flags
	first, second []byte // tokens of the first two legs
	nonce         [toyNonce]byte
	from, to      *toyName // who was authenticated
	delegated     *toyCred
	expires       time.Time
	label         []byte
	prfKey        []byte

	send toyHalf
	recv toyHalf
}

var (
	_ mech.Context        = (*toyContext)(nil)
	_ mech.Protector      = (*toyContext)(nil)
	_ mech.PRF            = (*toyContext)(nil)
	_ mech.Inquirer       = (*toyContext)(nil)
	_ mech.OptionSetter   = (*toyContext)(nil)
	_ mech.TokenProcessor = (*toyContext)(nil)
	_ mech.Exporter       = (*toyContext)(nil)
)

// Initiate makes the initiator's side of a context.
func (t *Toy) Initiate(target mech.Name, r mech.InitRequest) (mech.Context, error) {
	const op = "init_sec_context"
	n, ok := target.(*toyName)
	switch {
	case target == nil:
		return nil, t.fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	case !ok || n.t != t:
		return nil, t.fail(op, gsserr.ErrDefectiveCredential, errToyForeign)
	}
	c, err := t.element(op, r.Creds, mech.UsageInitiate)
	if err != nil {
		return nil, err
	}
	flags := r.Flags & toyWire
	if flags.Has(mech.FlagDCEStyle) {
		flags |= mech.FlagMutual
	}
	return &toyContext{t: t, initiator: true, require: r.Require, bindings: r.Bindings, cred: c, target: n,
		lifetime: r.Lifetime, flags: flags}, nil
}

// Accept makes the acceptor's side of a context.
func (t *Toy) Accept(r mech.AcceptRequest) (mech.Context, error) {
	c, err := t.element("accept_sec_context", r.Creds, mech.UsageAccept)
	if err != nil {
		return nil, err
	}
	return &toyContext{t: t, require: r.Require, bindings: r.Bindings, optional: r.BindingsOptional,
		anonymous: r.AllowAnonymous, cred: c}, nil
}

func (c *toyContext) op() string {
	if c.initiator {
		return "init_sec_context"
	}
	return "accept_sec_context"
}

// Step takes the handshake one leg further.
func (c *toyContext) Step(ctx context.Context, in []byte) (out []byte, more bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || c.open {
		return nil, false, c.t.fail(c.op(), gsserr.ErrNoContext, nil)
	}
	if err = ctx.Err(); err != nil {
		err = c.t.fail(c.op(), gsserr.ErrFailure, err)
	} else {
		c.leg++
		switch {
		case c.initiator && c.leg == 1:
			out, more, err = c.sayHello()
		case c.initiator:
			out, err = c.takeReply(in)
		case c.leg == 1:
			out, more, err = c.takeHello(in)
		default:
			err = c.takeThird(in)
		}
	}
	if err != nil {
		c.wipe()
		return nil, false, err
	}
	if !more {
		c.finish()
	}
	return out, more, nil
}

// sayHello makes the first token.
func (c *toyContext) sayHello() ([]byte, bool, error) {
	// What is not asked for will not come.
	if missing := c.require &^ (c.flags | toyOwn | mech.FlagChannelBound); missing != 0 {
		return nil, false, c.missing(missing)
	}
	c.from = c.cred.name
	if c.flags.Has(mech.FlagAnon) {
		c.from = &toyName{t: c.t, kind: kindAnonymous}
	}
	if c.from == nil {
		return nil, false, c.t.fail(c.op(), gsserr.ErrNoCred, nil)
	}
	_, _ = rand.Read(c.nonce[:])
	b := binary.BigEndian.AppendUint32([]byte{toyInit}, uint32(c.flags))
	b = append(b, c.nonce[:]...)
	from, _ := c.from.Export()
	to, _ := c.target.Export()
	b = appendTime(b, c.cred.initExpires)
	b = appendPart(appendPart(appendPart(b, from), to), hashBindings(c.bindings))
	b = append(b, c.t.mac([]byte("toy init"), c.t.o.OID.DER(), b)...)
	c.first = mech.AppendToken(nil, c.t.o.OID, b)
	c.expires = c.cred.initExpires
	mutual := c.flags.Has(mech.FlagMutual)
	if !mutual {
		c.flags |= toyOwn
		if missing := c.require &^ c.flags; missing != 0 {
			return nil, false, c.missing(missing)
		}
		c.keys(nil)
	}
	return slices.Clone(c.first), mutual, nil
}

// takeHello reads the first token and answers it.
func (c *toyContext) takeHello(in []byte) ([]byte, bool, error) {
	id, body, err := mech.ParseToken(in)
	if err != nil || id != c.t.o.OID || len(body) < toyMAC {
		return nil, false, c.t.fail(c.op(), gsserr.ErrDefectiveToken, errToyToken)
	}
	body, sum := body[:len(body)-toyMAC], body[len(body)-toyMAC:]
	if !hmac.Equal(sum, c.t.mac([]byte("toy init"), c.t.o.OID.DER(), body)) {
		return nil, false, c.t.fail(c.op(), gsserr.ErrBadMIC, nil)
	}
	r := reader{b: body}
	kind := r.byte()
	wire := mech.Flags(r.uint32())
	copy(c.nonce[:], r.bytes(toyNonce))
	c.expires = r.time()
	from, to, bound := r.part(), r.part(), r.part()
	if !r.done() || kind != toyInit {
		return nil, false, c.t.fail(c.op(), gsserr.ErrDefectiveToken, errToyToken)
	}
	c.flags = wire & toyWire
	if err = c.admit(from, to, bound); err == nil {
		if missing := c.require &^ (c.flags | toyOwn); missing != 0 {
			err = c.missing(missing)
		}
	}
	if err != nil {
		return nil, false, c.refuse(err)
	}
	c.flags |= toyOwn
	c.first = slices.Clone(in)
	if !c.flags.Has(mech.FlagMutual) {
		c.keys(nil)
		return nil, false, nil
	}
	var nonce [toyNonce]byte
	_, _ = rand.Read(nonce[:])
	b := binary.BigEndian.AppendUint32([]byte{toyReply}, uint32(c.flags&(toyWire|mech.FlagChannelBound)))
	b = append(b, nonce[:]...)
	c.second = append(b, c.t.mac([]byte("toy reply"), c.first, b)...)
	c.keys(nonce[:])
	return slices.Clone(c.second), c.flags.Has(mech.FlagDCEStyle), nil
}

// admit decides about an authentic first token.
func (c *toyContext) admit(from, to, bound []byte) (err error) {
	if c.from, err = c.t.exported(c.op(), from); err != nil {
		return err
	}
	if c.to, err = c.t.exported(c.op(), to); err != nil {
		return err
	}
	now := c.t.o.Time()
	switch own := hashBindings(c.bindings); {
	case !c.t.fresh(c.nonce):
		return c.t.fail(c.op(), gsserr.ErrFailure, errors.New("toy: the token is a replay"))
	case !c.expires.IsZero() && !now.Before(c.expires):
		return c.t.fail(c.op(), gsserr.ErrCredentialsExpired, nil)
	case c.cred.name != nil && !c.cred.name.Equal(c.to):
		return c.t.fail(c.op(), gsserr.ErrNoCred, errors.New("toy: not the service that was asked for"))
	case c.from.kind == kindAnonymous && !c.anonymous:
		return c.t.fail(c.op(), gsserr.ErrUnauthorized, nil)
	case own == nil || len(bound) == 0 && c.optional:
	case !hmac.Equal(own, bound):
		return c.t.fail(c.op(), gsserr.ErrBadBindings, nil)
	default:
		c.flags |= mech.FlagChannelBound
	}
	if c.flags.Has(mech.FlagDeleg) {
		c.delegated = &toyCred{t: c.t, name: c.from, usage: mech.UsageInitiate, initExpires: c.expires}
	}
	return nil
}

// refuse adds a token for the peer to an error.
func (c *toyContext) refuse(err error) error {
	e := gsserr.New(c.op(), 0, err)
	if c.flags.Has(mech.FlagMutual) {
		e.Token = binary.BigEndian.AppendUint32([]byte{toyRefuse}, uint32(e.Major))
	}
	return e
}

// takeReply reads the acceptor's token.
func (c *toyContext) takeReply(in []byte) ([]byte, error) {
	if len(in) == 5 && in[0] == toyRefuse {
		e := gsserr.New(c.op(), gsserr.ErrFailure, gsserr.Major(binary.BigEndian.Uint32(in[1:])).Routine())
		e.Mech, e.Minor = c.t.o.OID, toyMinor
		return nil, e
	}
	r := reader{b: in}
	kind, flags, nonce := r.byte(), mech.Flags(r.uint32()), r.bytes(toyNonce)
	sum := r.bytes(toyMAC)
	if !r.done() || kind != toyReply {
		return nil, c.t.fail(c.op(), gsserr.ErrDefectiveToken, errToyToken)
	}
	if !hmac.Equal(sum, c.t.mac([]byte("toy reply"), c.first, in[:len(in)-toyMAC])) {
		return nil, c.t.fail(c.op(), gsserr.ErrBadMIC, nil)
	}
	c.flags = flags&(c.flags|mech.FlagChannelBound) | toyOwn
	if missing := c.require &^ c.flags; missing != 0 {
		return nil, c.missing(missing)
	}
	c.to = c.target
	c.keys(nonce)
	if !c.flags.Has(mech.FlagDCEStyle) {
		return nil, nil
	}
	return append([]byte{toyThird}, c.t.mac([]byte("toy third"), c.first, in)...), nil
}

// takeThird reads the initiator's last token.
func (c *toyContext) takeThird(in []byte) error {
	if len(in) != 1+toyMAC || in[0] != toyThird {
		return c.t.fail(c.op(), gsserr.ErrDefectiveToken, errToyToken)
	}
	if !hmac.Equal(in[1:], c.t.mac([]byte("toy third"), c.first, c.second)) {
		return c.t.fail(c.op(), gsserr.ErrBadMIC, nil)
	}
	return nil
}

func (c *toyContext) missing(f mech.Flags) error {
	return c.t.fail(c.op(), gsserr.ErrUnavailable, fmt.Errorf("toy: cannot have %s", f))
}

// keys derives what protects messages. The acceptor's nonce is nil without mutual
// authentication.
func (c *toyContext) keys(nonce []byte) {
	key := func(label string) []byte { return c.t.mac([]byte(label), c.nonce[:], nonce) }
	send, recv := key("initiator"), key("acceptor")
	if !c.initiator {
		send, recv = recv, send
	}
	c.prfKey = key("prf")
	c.send.init(send)
	c.recv.init(recv)
}

// finish opens the context.
func (c *toyContext) finish() {
	if c.lifetime > 0 && c.lifetime != mech.Indefinite {
		c.expires = c.t.expiry(c.lifetime)
	}
	c.open = true
	c.send.start(c.flags)
	c.recv.start(c.flags)
}

// Info describes the context.
func (c *toyContext) Info() mech.ContextInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := mech.ContextInfo{Mech: c.t.o.OID, Initiator: c.initiator, Established: c.open, Flags: c.flags,
		Expires: c.expires, Enctype: "toy aes256-gcm"}
	if c.from != nil {
		i.InitiatorName = c.from
	}
	if c.to != nil {
		i.AcceptorName = c.to
	}
	if c.target != nil {
		i.Target = c.target
	}
	if c.delegated != nil {
		i.Delegated = c.delegated
	}
	return i
}

// Close wipes the keys.
func (c *toyContext) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wipe()
	return nil
}

func (c *toyContext) wipe() {
	c.dead, c.open = true, false
	clear(c.prfKey)
	c.send.stop()
	c.recv.stop()
}

// Inquire answers ToyLabel with what SetOption set.
func (c *toyContext) Inquire(aspect oid.OID) ([][]byte, error) {
	if aspect != ToyLabel {
		return nil, c.t.fail("inquire_sec_context_by_oid", gsserr.ErrUnavailable, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return [][]byte{slices.Clone(c.label)}, nil
}

// SetOption takes ToyLabel.
func (c *toyContext) SetOption(aspect oid.OID, value []byte) error {
	if aspect != ToyLabel {
		return c.t.fail("set_sec_context_option", gsserr.ErrUnavailable, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.label = slices.Clone(value)
	return nil
}

// ProcessToken ends the context if the token is the peer's MIC of "delete".
func (c *toyContext) ProcessToken(token []byte) error {
	if _, err := c.VerifyMIC([]byte("delete"), token); err != nil {
		return c.t.fail("process_context_token", gsserr.ErrDefectiveToken, nil)
	}
	return c.Close()
}

// PRF is HMAC-SHA256 in counter mode. There is only one key, so full makes no
// difference but in the output.
func (c *toyContext) PRF(dst []byte, full bool, in []byte, n int) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open {
		return dst, c.t.fail("pseudo_random", gsserr.ErrNoContext, nil)
	}
	if n > 255*sha256.Size {
		return dst, c.t.fail("pseudo_random", gsserr.ErrFailure, nil)
	}
	end := len(dst) + n
	for i := byte(1); len(dst) < end; i++ {
		h := hmac.New(sha256.New, c.prfKey)
		if full {
			h.Write([]byte{1})
		} else {
			h.Write([]byte{0})
		}
		h.Write([]byte{i})
		h.Write(in)
		dst = h.Sum(dst)
	}
	return dst[:end], nil
}

// hashBindings returns a digest of the bindings, nil for none.
func hashBindings(b *mech.ChannelBindings) []byte {
	if b == nil {
		return nil
	}
	m := binary.BigEndian.AppendUint32(nil, uint32(b.InitiatorType))
	m = appendPart(m, b.Initiator)
	m = binary.BigEndian.AppendUint32(m, uint32(b.AcceptorType))
	m = appendPart(appendPart(m, b.Acceptor), b.Application)
	sum := sha256.Sum256(m)
	return sum[:]
}
