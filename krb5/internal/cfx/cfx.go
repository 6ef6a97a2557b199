package cfx

import (
	"sync"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/krb5/internal/seq"
	"github.com/gss-go/gssapi/mech"
)

// Params are what the exchange of AP-REQ and AP-REP has agreed on.
type Params struct {
	// Initiator says that this is the initiator's side.
	Initiator bool
	// Key is the subkey of the authenticator, or the session key if there was
	// none. Without it the Context is closed from the start.
	Key *enctype.Key
	// AcceptorSubkey is the subkey of the AP-REP, nil if there was none.
	AcceptorSubkey *enctype.Key
	// SendSeq is the number of the first token to send, RecvSeq of the first
	// one to receive.
	SendSeq, RecvSeq uint64
	// DCE is the style of DCE RPC (RFC 4757 §7.1): it changes how messages in
	// pieces are divided.
	DCE bool
	// Replay finds duplicate and old tokens, Sequence those out of order.
	Replay, Sequence bool
	// Window, if not nil, takes the place of RecvSeq, Replay and Sequence: it
	// is that of a context which goes on here.
	Window *seq.Window
}

// Context protects the messages of one security context. It is safe for
// concurrent use; make it with [New].
//
// Output is appended to dst. The free capacity of dst, all of it, must not
// overlap the input: that is ErrFailure. Nothing is allocated if dst has room,
// which for Unwrap means as much as the token is long. On error dst comes back
// with its old length and nothing of a message behind that.
//
// Errors are *gsserr.Error: ErrNoContext after Close, ErrBadQOP for a quality of
// protection other than 0, ErrDefectiveToken for a token that is malformed
// where it is readable or, once authentic, inside, and ErrBadMIC for everything
// that fails before it is known to be authentic. A token that is authentic but
// duplicate, old or out of sequence gives its message together with an
// informational error; see [gsserr.Informational].
type Context struct {
	initiator bool
	dce       bool
	key       *enctype.Key
	subkey    *enctype.Key // nil: none

	send sender
	recv receiver
}

var _ mech.Protector = (*Context)(nil)

// sender is the half that Wrap and GetMIC use.
type sender struct {
	mu     sync.Mutex
	closed bool
	seq    uint64
	suite  suite
	// header is scratch space: an array on the stack would escape through the
	// hash interfaces and be allocated each time.
	header [headerLen]byte
	memory layout.Memory // scratch space too
}

// receiver is the half that Unwrap and VerifyMIC use.
type receiver struct {
	mu     sync.Mutex
	closed bool
	window seq.Window
	// The peer chooses the key anew with each token. If there is no acceptor's
	// subkey only the first is used.
	initiator, acceptor suite
	header              [headerLen]byte // as in sender
	memory              layout.Memory
	rotated             []byte // scratch space for turning tokens back
}

// New returns a context with the parameters p. The keys are its own from now
// on: Close clears them.
func New(p Params) *Context {
	c := &Context{initiator: p.Initiator, dce: p.DCE, key: p.Key, subkey: p.AcceptorSubkey}
	c.send.closed = p.Key == nil
	c.recv.closed = p.Key == nil
	c.send.seq = p.SendSeq
	c.send.suite = newSuite(p.Key, p.Initiator)
	if p.AcceptorSubkey != nil {
		c.send.suite = newSuite(p.AcceptorSubkey, p.Initiator)
	}
	c.recv.window = seq.New(p.RecvSeq, p.Replay, p.Sequence, true)
	if p.Window != nil {
		c.recv.window = *p.Window
	}
	c.recv.initiator = newSuite(p.Key, !p.Initiator)
	c.recv.acceptor = newSuite(p.AcceptorSubkey, !p.Initiator)
	return c
}

// State returns what a context with the same keys needs to go on from here. ok
// is false after Close.
func (c *Context) State() (p Params, ok bool) {
	c.send.mu.Lock()
	defer c.send.mu.Unlock()
	c.recv.mu.Lock()
	defer c.recv.mu.Unlock()
	w := c.recv.window
	return Params{Initiator: c.initiator, DCE: c.dce, Key: c.key, AcceptorSubkey: c.subkey, SendSeq: c.send.seq, Window: &w}, !c.send.closed
}

// Close clears the keys. It waits for calls that are under way; those that come
// later fail with ErrNoContext. It is idempotent.
func (c *Context) Close() {
	c.send.mu.Lock()
	defer c.send.mu.Unlock()
	c.recv.mu.Lock()
	defer c.recv.mu.Unlock()

	c.send.closed, c.recv.closed = true, true
	c.send.suite.clear()
	c.recv.initiator.clear()
	c.recv.acceptor.clear()
	c.recv.dropRotated()
	for _, k := range []*enctype.Key{c.key, c.subkey} {
		if k != nil {
			k.Clear()
		}
	}
	c.key, c.subkey = nil, nil
}

// flags returns the flags of the tokens that this side sends.
func (c *Context) flags() byte {
	var f byte
	if !c.initiator {
		f |= flagSentByAcceptor
	}
	if c.subkey != nil {
		f |= flagAcceptorSubkey
	}
	return f
}

// suiteFor returns the key that a received token names, and refuses a token
// that came from this side itself (RFC 4121 §4.2.2).
func (c *Context) suiteFor(h header) (*suite, error) {
	if fromAcceptor := h.flags&flagSentByAcceptor != 0; fromAcceptor != c.initiator {
		return nil, krberr.GSSBadDirection
	}
	if h.flags&flagAcceptorSubkey != 0 && c.subkey != nil {
		return &c.recv.acceptor, nil
	}
	return &c.recv.initiator, nil
}

// sequence passes the number of a verified token to the window.
func (c *Context) sequence(op string, n uint64) error {
	if m := c.recv.window.Check(n); m != 0 {
		return fail(op, m, nil)
	}
	return nil
}

// checkQOP refuses all but the default.
func checkQOP(op string, q mech.QOP) error {
	if q != 0 {
		return fail(op, gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	}
	return nil
}
