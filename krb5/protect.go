package krb5

import (
	"github.com/gss-go/gssapi/krb5/internal/cfx"
	"github.com/gss-go/gssapi/krb5/internal/v1"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// protection is the per-message half of an established context. The key that
// protects messages decides which tokens it has: those of RFC 4121 or, with
// Triple-DES and RC4, of RFC 1964.
type protection interface {
	mech.Protector
	// State returns what a context with the same keys needs to go on.
	State() (p cfx.Params, ok bool)
	Close()
}

// newProtection returns the tokens for the parameters p. m is the OID in frames.
func newProtection(m oid.OID, p cfx.Params) protection {
	key := p.Key
	if p.AcceptorSubkey != nil {
		key = p.AcceptorSubkey
	}
	if !v1.Handles(key.Enctype()) {
		return cfx.New(p)
	}
	return older{v1.New(v1.Params{
		Initiator:      p.Initiator,
		Mech:           m,
		Key:            p.Key,
		AcceptorSubkey: p.AcceptorSubkey,
		SendSeq:        uint32(p.SendSeq),
		RecvSeq:        uint32(p.RecvSeq),
		Replay:         p.Replay,
		Sequence:       p.Sequence,
		Window:         p.Window,
	})}
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
		Window:         p.Window,
	}, ok
}
