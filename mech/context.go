package mech

import (
	"context"
	"time"

	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/oid"
)

// InitRequest is what an initiator's context is made with.
type InitRequest struct {
	// Creds are all elements of the initiator's credential, of every
	// mechanism; the engine takes its own. Empty is the default credential.
	Creds []Cred
	// NegMechs limits what a negotiating mechanism may offer; nil is all.
	NegMechs []oid.OID
	// Mech is the OID under which the mechanism was asked for; zero is its own.
	Mech oid.OID
	// Flags are what to ask the peer for, and Lifetime for how long (zero is
	// the default).
	Flags    Flags
	Lifetime time.Duration
	// Require are the flags without which the context must not be
	// established. They are checked before the last token leaves.
	Require Flags
	// Bindings are nil for none.
	Bindings *ChannelBindings
}

// AcceptRequest is what an acceptor's context is made with.
type AcceptRequest struct {
	// Creds are all elements of the acceptor's credential, of every mechanism.
	// Empty is the default credential.
	Creds []Cred
	// NegMechs limits what a negotiating mechanism may accept; nil is all.
	NegMechs []oid.OID
	// Require are the flags without which the context must not be established.
	Require Flags
	// Bindings are nil for none. An initiator that presents none itself is
	// refused, unless BindingsOptional.
	Bindings         *ChannelBindings
	BindingsOptional bool
	// AllowAnonymous admits initiators without a name.
	AllowAnonymous bool
}

// Context is one side of a security context. Step is called serially; after it
// is done, the calls of the optional interfaces may be concurrent.
type Context interface {
	// Step takes the peer's token, nil for the initiator's first, and returns
	// the one to send. A context is established when more is false and err is
	// nil; out may still have to be sent. After an error it is dead.
	Step(ctx context.Context, in []byte) (out []byte, more bool, err error)
	// Info describes the context as far as it has got.
	Info() ContextInfo
	// Close wipes the keys. It is idempotent.
	Close() error
}

// ContextInfo describes a context (RFC 2743 §2.2.6).
type ContextInfo struct {
	// Mech is the mechanism whose messages the context protects.
	Mech oid.OID
	// Initiator says that this is the initiator's side, Established that no
	// further Step is needed.
	Initiator, Established bool
	// Flags are those in force; before the end, those known so far.
	Flags Flags
	// InitiatorName and AcceptorName are who was authenticated, nil if nobody.
	InitiatorName, AcceptorName Name
	// Target is whom the initiator wanted to talk to; nil on the acceptor.
	Target Name
	// Expires is when the context ends, zero if never.
	Expires time.Time
	// Delegated is the credential that the initiator handed on, nil if none.
	Delegated Cred
	// Enctype is a readable name of the algorithm that protects messages, ""
	// if there is none.
	Enctype string
}

// QOP is a quality of protection. Kerberos has only the default, 0.
type QOP uint32

// WrapOptions say how to protect a message. Nil is the zero value: encrypted,
// with the default quality.
type WrapOptions struct {
	// IntegrityOnly leaves the message readable.
	IntegrityOnly bool
	QOP           QOP
}

// MessageInfo says how a message was protected.
type MessageInfo struct {
	Encrypted bool
	QOP       QOP
}

// Protector is implemented by a Context that protects messages (RFC 2743 §2.3).
// Output is appended to dst, which must not overlap the input; with room in dst
// nothing is allocated. Sequence errors are informational and accompany the
// message; see gsserr.Informational.
type Protector interface {
	Wrap(dst, msg []byte, o *WrapOptions) ([]byte, error)
	Unwrap(dst, token []byte) ([]byte, MessageInfo, error)
	GetMIC(dst, msg []byte, q QOP) ([]byte, error)
	VerifyMIC(msg, mic []byte) (QOP, error)
	// WrapSizeLimit returns the longest message whose token fits in size bytes.
	WrapSizeLimit(size int, o *WrapOptions) (int, error)
}

// IOVProtector is implemented by a Context that wraps messages in place. With
// buffers that are used again nothing is allocated. Buffers that share memory
// are refused.
type IOVProtector interface {
	WrapIOV(b []iov.Buffer, o *WrapOptions) error
	// UnwrapIOV takes what WrapIOV has made, or a Stream, which is a whole
	// token, and one Data buffer. That becomes a part of the Stream or, with
	// Alloc, a copy in its own memory, and the Stream is not written to. After an
	// error, unless it is informational, all Data is zero.
	UnwrapIOV(b []iov.Buffer) (MessageInfo, error)
	// WrapIOVLength sets the lengths that WrapIOV will need.
	WrapIOVLength(b []iov.Buffer, o *WrapOptions) error
}

// IOVSigner is implemented by a Context that signs messages in pieces.
type IOVSigner interface {
	GetMICIOV(b []iov.Buffer, q QOP) error
	VerifyMICIOV(b []iov.Buffer) (QOP, error)
	GetMICIOVLength(b []iov.Buffer, q QOP) error
}

// PRF is implemented by a Context with a pseudo-random function (RFC 4401). It
// appends n bytes to dst; full asks for the key that needs the whole exchange.
type PRF interface {
	PRF(dst []byte, full bool, in []byte, n int) ([]byte, error)
}

// Negotiator is implemented by a Context that negotiates another mechanism.
type Negotiator interface {
	// Selected is the context of the chosen mechanism, nil until then.
	Selected() Context
}

// OptionSetter is implemented by a Context with options, which may be set
// before the first Step (gss_set_sec_context_option).
type OptionSetter interface {
	SetOption(aspect oid.OID, value []byte) error
}

// TokenProcessor is implemented by a Context that takes asynchronous tokens
// (RFC 2743 §2.2.4).
type TokenProcessor interface {
	ProcessToken(token []byte) error
}

// ContextImporter is implemented by a Mechanism that reads what its contexts'
// Export wrote.
type ContextImporter interface {
	ImportContext(token []byte) (Context, error)
}

// StatusTexter is implemented by a Mechanism that has words for its minor
// status codes.
type StatusTexter interface {
	StatusText(minor uint32) string
}
