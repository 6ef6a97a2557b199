package krb5

import (
	"github.com/gss-go/gssapi/krb5/internal/cfx"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/v1"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// protection is the per-message half of an established context. The key that
// protects messages decides which tokens it has: those of RFC 4121 or, with
// Triple-DES and RC4, of RFC 1964.
type protection interface {
	mech.Protector
	mech.IOVProtector
	mech.IOVSigner
	// State returns what a context with the same keys needs to go on.
	State() (p cfx.Params, ok bool)
	Close()
}

// newProtection returns the tokens for the parameters p. m is the OID in frames.
func newProtection(m oid.OID, p cfx.Params) protection {
	if !v1.Handles(messageKey(p).Enctype()) {
		return cfx.New(p)
	}
	return older{v1.New(v1.Params{
		Initiator:      p.Initiator,
		Mech:           m,
		Key:            p.Key,
		AcceptorSubkey: p.AcceptorSubkey,
		SendSeq:        uint32(p.SendSeq),
		RecvSeq:        uint32(p.RecvSeq),
		DCE:            p.DCE,
		Replay:         p.Replay,
		Sequence:       p.Sequence,
		Window:         p.Window,
	})}
}

// messageKey returns the key that protects what is sent.
func messageKey(p cfx.Params) *enctype.Key {
	if p.AcceptorSubkey != nil {
		return p.AcceptorSubkey
	}
	return p.Key
}

// older is protection with the tokens of RFC 1964.
type older struct{ *v1.Context }

// State implements protection.
func (o older) State() (cfx.Params, bool) {
	p, ok := o.Context.State()
	return cfx.Params{
		Initiator:      p.Initiator,
		Key:            p.Key,
		AcceptorSubkey: p.AcceptorSubkey,
		SendSeq:        uint64(p.SendSeq),
		DCE:            p.DCE,
		Window:         p.Window,
	}, ok
}
