package v1

import (
	"crypto/rand"
	"sync"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/krb5/internal/seq"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Handles reports whether contexts with keys of the type have the tokens of this
// package and not those of RFC 4121.
func Handles(id etype.ID) bool { return id == etype.DES3SHA1 || id == etype.RC4 }

// Params are what the exchange of AP-REQ and AP-REP has agreed on.
type Params struct {
	// Initiator says that this is the initiator's side.
	Initiator bool
	// Mech is the OID in the frames.
	Mech oid.OID
	// Key is the subkey of the authenticator, or the session key if there was
	// none. Without it the Context is closed from the start.
	Key *enctype.Key
	// AcceptorSubkey is the subkey of the AP-REP in DCE style, nil otherwise. It
	// then takes the place of Key in both directions.
	AcceptorSubkey *enctype.Key
	// SendSeq is the number of the first token to send, RecvSeq of the first
	// one to receive.
	SendSeq, RecvSeq uint32
	// DCE is the style of DCE RPC (RFC 4757 §7.1): it changes how messages in
	// pieces are padded and framed.
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
// where it is readable, and ErrBadMIC for everything else: checksum, padding,
// sequence number and direction. A token that is authentic but duplicate, old
// or out of sequence gives its message together with an informational error; see
// [gsserr.Informational].
type Context struct {
	initiator bool
	dce       bool
	mech      []byte // the OID in DER, tag and all
	key       *enctype.Key
	subkey    *enctype.Key // nil: none

	send sender
	recv receiver
}

var (
	_ mech.Protector      = (*Context)(nil)
	_ mech.TokenProcessor = (*Context)(nil)
)

// sender is the half that Wrap and GetMIC use. What interface methods are given
// is in here: on the stack it would escape and be allocated each time.
type sender struct {
	mu     sync.Mutex
	closed bool
	seq    uint32
	suite  suite
	// random are confounders, drawn several at once; unused says how many of
	// the bytes at the end are left.
	random [8 * confounderLen]byte
	unused int
	memory layout.Memory // scratch space
}

// receiver is the half that Unwrap and VerifyMIC use.
type receiver struct {
	mu     sync.Mutex
	closed bool
	window seq.Window
	suite  suite
	memory layout.Memory
}

// New returns a context with the parameters p. The keys are its own from now
// on: Close clears them. Keys of a type that [Handles] does not name make each
// call fail with ErrFailure.
func New(p Params) *Context {
	c := &Context{initiator: p.Initiator, dce: p.DCE, mech: p.Mech.AppendDER(nil), key: p.Key, subkey: p.AcceptorSubkey}
	c.send.closed = p.Key == nil
	c.recv.closed = p.Key == nil
	c.send.seq = p.SendSeq
	c.recv.window = seq.New(uint64(p.RecvSeq), p.Replay, p.Sequence, false)
	if p.Window != nil {
		c.recv.window = *p.Window
	}
	key := p.Key
	if p.AcceptorSubkey != nil {
		key = p.AcceptorSubkey
	}
	c.send.suite.key, c.recv.suite.key = key, key
	return c
}

// State returns what a context with the same keys and OID needs to go on from
// here. ok is false after Close.
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
	c.recv.suite.clear()
	clear(c.send.random[:])
	c.send.unused = 0
	for _, k := range []*enctype.Key{c.key, c.subkey} {
		k.Clear()
	}
	c.key, c.subkey = nil, nil
}

// The four bytes that say who sent a token (RFC 1964 §1.2.1.2).
const (
	fromInitiator byte = 0x00
	fromAcceptor  byte = 0xff
)

// direction returns the byte for what the initiator, or the acceptor, sends.
func direction(initiator bool) byte {
	if initiator {
		return fromInitiator
	}
	return fromAcceptor
}

// confounder returns random bytes, which are good until the next call.
func (s *sender) confounder() ([]byte, error) {
	if s.unused == 0 {
		if _, err := rand.Read(s.random[:]); err != nil {
			return nil, krberr.CryptoInternal
		}
		s.unused = len(s.random)
	}
	at := len(s.random) - s.unused
	s.unused -= confounderLen
	return s.random[at : at+confounderLen], nil
}

// accept passes the number of a verified token to the window, unless the token
// is this side's own.
func (c *Context) accept(op string) error {
	n, dir := c.recv.suite.number()
	if dir != direction(!c.initiator) {
		return fail(op, gsserr.ErrBadMIC, krberr.GSSBadDirection)
	}
	if m := c.recv.window.Check(uint64(n)); m != 0 {
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
