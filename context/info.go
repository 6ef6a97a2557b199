package secctx

import (
	"time"

	"github.com/gss-go/gssapi/creds"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

// ContextInfo describes a context (RFC 2743 §2.2.6).
type ContextInfo struct {
	// Mech is the mechanism: until the context is established the one it was
	// made with, afterwards the one that protects its messages. Negotiated says
	// that they differ, because the first one chose the other.
	Mech       oid.OID
	Negotiated bool
	// IsInitiator says whose side this is, Established that the handshake is
	// over.
	IsInitiator, Established bool
	// Flags are those in force, before the end of the handshake those known so
	// far.
	Flags mech.Flags
	// Target is whom the initiator asked for, zero on the acceptor's side.
	Target names.Name
	// Initiator and Acceptor are who was authenticated, MNs. They are zero until
	// the context is established, and where nobody was: Acceptor without mutual
	// authentication on the initiator's side.
	Initiator, Acceptor names.Name
	// Enctype is the algorithm that protects messages, in words.
	Enctype string
	// Expires is when the context ends, zero for never and until established.
	// Messages are still protected after that; it is for the caller to mind.
	Expires time.Time
}

// Info describes the context. Of one that has ended it tells no more than the
// side and the target.
func (c *SecContext) Info() ContextInfo {
	if c == nil {
		return ContextInfo{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	info := ContextInfo{IsInitiator: c.initiator, Target: c.target}
	state := c.state.Load()
	if state == stateDead || c.engine == nil {
		return info
	}
	i := c.engine.Info()
	info.Flags = i.Flags
	own := c.mechanism.Info().OID
	info.Mech = own
	if state != stateOpen {
		return info
	}
	info.Established = true
	info.Enctype, info.Expires = i.Enctype, i.Expires
	if !i.Mech.IsZero() {
		info.Mech, info.Negotiated = i.Mech, i.Mech != own
	}
	info.Initiator = c.name(i.InitiatorName)
	if !c.initiator || i.Flags.Has(mech.FlagMutual) {
		info.Acceptor = c.name(i.AcceptorName)
	}
	return info
}

// opened reports whether messages can be protected.
func (c *SecContext) opened() bool { return c != nil && c.state.Load() == stateOpen }

// Peer returns the authenticated name of the other side, an MN. It is zero until
// the context is established, after it has ended, for an anonymous initiator
// without a name, and for an acceptor that did not authenticate itself.
func (c *SecContext) Peer() names.Name {
	if !c.opened() {
		return names.Name{}
	}
	return c.peer
}

// Delegated returns the credential that the initiator handed on to this
// acceptor, nil if there is none or the context is not established.
func (c *SecContext) Delegated() *creds.Cred {
	if !c.opened() {
		return nil
	}
	return c.deleg
}

// Expires returns when the context ends (RFC 2743 §2.2.5). It is zero for never,
// and if the context is not established.
func (c *SecContext) Expires() time.Time {
	if !c.opened() {
		return time.Time{}
	}
	return c.expires
}

// maxNesting bounds how deep negotiations are followed.
const maxNesting = 4

// Engine returns the mechanism's own side of the context, for packages of that
// mechanism: of an established context that was negotiated, the chosen
// mechanism's. It is nil for a context that has ended, and for an acceptor before
// its first token. The context stays in charge: do not Step or Close the result.
func (c *SecContext) Engine() mech.Context {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.state.Load()
	if state == stateDead {
		return nil
	}
	e := c.engine
	for range maxNesting {
		n, ok := e.(mech.Negotiator)
		if !ok || state != stateOpen {
			break
		}
		inner := n.Selected()
		if inner == nil {
			break
		}
		e = inner
	}
	return e
}
