package secctx

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gss-go/gssapi/creds"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

// DefaultFlags are what an initiator asks for unless it omits some.
const DefaultFlags = mech.FlagMutual | mech.FlagReplay | mech.FlagSequence | mech.FlagConf | mech.FlagInteg

// demanded are the flags without which an initiator refuses a context, unless it
// omits them.
const demanded = mech.FlagMutual | mech.FlagInteg

// InitOptions are the optional arguments of [Init]. Nil is the zero value: the
// default credential and mechanism, mutual authentication, and messages that are
// encrypted and protected against replay and reordering.
type InitOptions struct {
	// Cred is the initiator's credential, nil for the default one.
	Cred *creds.Cred
	// Mech is the mechanism, zero for the registry's default. The credential
	// must have an element of it or, if it negotiates, of any.
	Mech oid.OID
	// Flags are asked for besides DefaultFlags, and those in Omit are not. Both
	// are wishes, see [SecContext.Info] for the outcome.
	Flags, Omit mech.Flags
	// Require are flags without which the context fails rather than open, such
	// as FlagConf. FlagMutual and FlagInteg are always among them, unless in
	// Omit. Requiring a flag does not ask for it: put it into Flags too.
	Require mech.Flags
	// Lifetime is how long the context is wanted for; zero is the default.
	Lifetime time.Duration
	// Bindings tie the context to the channel it runs over; nil for none.
	Bindings *mech.ChannelBindings
	// Registry has the mechanisms. It counts only without Cred, and must be the
	// same as Cred's if both are set.
	Registry *mech.Registry
}

// AcceptOptions are the optional arguments of [Accept]. Nil is the zero value:
// any service of the default credential, for any initiator with a name.
type AcceptOptions struct {
	// Cred is the acceptor's credential, nil for the default one. It decides
	// which mechanisms are accepted, and under which name.
	Cred *creds.Cred
	// Require are flags without which the context fails rather than open.
	Require mech.Flags
	// Bindings are those of the channel the context runs over, nil for none. An
	// initiator whose bindings differ, or who sent none, is refused.
	Bindings *mech.ChannelBindings
	// BindingsOptional admits initiators that sent no bindings. FlagChannelBound
	// tells afterwards whether they did.
	BindingsOptional bool
	// AllowAnonymous admits initiators without a name.
	AllowAnonymous bool
	// Registry has the mechanisms. It counts only without Cred, and must be the
	// same as Cred's if both are set.
	Registry *mech.Registry
}

// The life of a context. Only a fresh or a busy one can step, only an open one
// protects messages.
const (
	stateFresh uint32 = iota // nothing sent or received
	stateBusy                // in the handshake
	stateOpen                // established
	stateDead                // failed, exported or closed
)

// SecContext is one side of a security context, the initiator's or the
// acceptor's (RFC 2743 §1.1.3). Make it with [Init], [Accept] or [Import]; the
// zero value and nil are contexts that have ended.
//
// It is safe for concurrent use. Step, SetOption and the calls that describe the
// context wait for each other; once it is established, messages can be protected
// by any number of goroutines. Close it to have the keys wiped.
type SecContext struct {
	state atomic.Uint32

	// Set before the state becomes open, and not changed after.
	engine  mech.Context // nil on an acceptor that has not seen a token
	prot    mech.Protector
	iov     mech.IOVProtector
	signer  mech.IOVSigner
	peer    names.Name
	deleg   *creds.Cred
	expires time.Time

	sealing, opening aead // one for each direction

	mu        sync.Mutex // serializes the handshake and what changes the state
	reg       *mech.Registry
	mechanism mech.Mechanism // the one it was made with; nil with a nil engine
	initiator bool
	target    names.Name
	cred      *creds.Cred        // the acceptor's
	accept    mech.AcceptRequest // of an acceptor
	require   mech.Flags
}

var (
	errNoRegistry    = errors.New("no registry of mechanisms")
	errTwoRegistries = errors.New("the credential comes from another registry")
	errFlags         = errors.New("a flag is both omitted and asked for or required")
	errLifetime      = errors.New("the lifetime is negative")
	errNoElement     = errors.New("the credential has no element for this mechanism and use")
)

// fail makes the errors of this package.
func fail(op string, major gsserr.Major, cause error) error {
	return gsserr.New(op, major, cause)
}

// Init makes the initiator's side of a context with target, a service most of
// the time (RFC 2743 §2.2.1). It does no I/O: the first Step does.
//
// Errors are a name read error for the zero target, ErrBadMech for a mechanism
// that is not registered, or no registry, ErrNoCred for a credential without a
// fitting element, ErrDefectiveCredential for a credential of another registry,
// ErrFailure for a flag that is both in Omit and in Flags or Require, and those
// of the mechanism, for example about the name.
func Init(target names.Name, o *InitOptions) (*SecContext, error) {
	const op = "init_sec_context"
	if o == nil {
		o = new(InitOptions)
	}
	reg, err := registry(op, o.Cred, o.Registry)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Omit&(o.Flags|o.Require) != 0:
		return nil, fail(op, gsserr.ErrFailure, errFlags)
	case o.Lifetime < 0:
		return nil, fail(op, gsserr.ErrFailure, errLifetime)
	case target.IsZero():
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	}
	m, err := reg.Lookup(o.Mech)
	if err != nil {
		return nil, fail(op, gsserr.ErrBadMech, nil)
	}
	elems, err := elements(op, o.Cred, m, mech.UsageInitiate)
	if err != nil {
		return nil, err
	}
	name, err := target.ForMech(m)
	if err != nil {
		return nil, fail(op, 0, err)
	}
	c := &SecContext{
		reg: reg, mechanism: m, initiator: true, target: target,
		require: (demanded | o.Require) &^ o.Omit,
	}
	c.engine, err = m.Initiate(name, mech.InitRequest{
		Creds: elems, NegMechs: o.Cred.NegMechs(), Mech: o.Mech,
		Flags:    (DefaultFlags | o.Flags) &^ o.Omit,
		Lifetime: o.Lifetime, Require: c.require, Bindings: cloneBindings(o.Bindings),
	})
	if err != nil {
		return nil, fail(op, 0, err)
	}
	return c, nil
}

// Accept makes the acceptor's side of a context (RFC 2743 §2.2.2). It does no
// I/O. The initiator's first token, given to the first Step, chooses the
// mechanism.
//
// Errors are ErrBadMech for no registry, ErrNoCred for a credential that is not
// for accepting, and ErrDefectiveCredential for one of another registry.
func Accept(o *AcceptOptions) (*SecContext, error) {
	const op = "accept_sec_context"
	if o == nil {
		o = new(AcceptOptions)
	}
	reg, err := registry(op, o.Cred, o.Registry)
	if err != nil {
		return nil, err
	}
	if o.Cred != nil && len(o.Cred.Elements(mech.UsageAccept)) == 0 {
		return nil, fail(op, gsserr.ErrNoCred, errNoElement)
	}
	return &SecContext{
		reg: reg, cred: o.Cred, require: o.Require,
		accept: mech.AcceptRequest{
			NegMechs: o.Cred.NegMechs(), Require: o.Require,
			Bindings: cloneBindings(o.Bindings), BindingsOptional: o.BindingsOptional,
			AllowAnonymous: o.AllowAnonymous,
		},
	}, nil
}

// registry returns the registry of the credential or else r.
func registry(op string, c *creds.Cred, r *mech.Registry) (*mech.Registry, error) {
	if c != nil {
		own := c.Registry()
		switch {
		case own == nil:
			return nil, fail(op, gsserr.ErrDefectiveCredential, nil)
		case r != nil && r != own:
			return nil, fail(op, gsserr.ErrDefectiveCredential, errTwoRegistries)
		}
		return own, nil
	}
	if r == nil {
		return nil, fail(op, gsserr.ErrBadMech, errNoRegistry)
	}
	return r, nil
}

// elements returns what to give the mechanism of the credential c: all elements
// for the use u, among them one that m can use. A nil c is the default
// credential and gives none; nothing else does, lest the default be taken for it.
func elements(op string, c *creds.Cred, m mech.Mechanism, u mech.Usage) ([]mech.Cred, error) {
	if c == nil {
		return nil, nil
	}
	i := m.Info()
	elems := c.Elements(u)
	fits := func(e mech.Cred) bool { return i.HasAttr(mech.MAMechNego) || e.Mech() == i.OID }
	if !slices.ContainsFunc(elems, fits) {
		return nil, fail(op, gsserr.ErrNoCred, errNoElement)
	}
	return elems, nil
}

// cloneBindings copies b, so that the caller may use the memory again.
func cloneBindings(b *mech.ChannelBindings) *mech.ChannelBindings {
	if b == nil {
		return nil
	}
	c := *b
	c.Initiator = slices.Clone(b.Initiator)
	c.Acceptor = slices.Clone(b.Acceptor)
	c.Application = slices.Clone(b.Application)
	return &c
}

// Close ends the context and wipes its keys (RFC 2743 §2.2.3). It is idempotent
// and may be called at any time, on nil too; during a Step it waits for it.
func (c *SecContext) Close() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end()
}

// end makes the context dead. The caller holds mu.
func (c *SecContext) end() error {
	if c.state.Swap(stateDead) == stateDead || c.engine == nil {
		return nil
	}
	if err := c.engine.Close(); err != nil {
		return fail("delete_sec_context", 0, err)
	}
	return nil
}
