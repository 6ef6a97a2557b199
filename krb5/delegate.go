package krb5

import (
	"context"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
)

// delegFlags are the two ways to ask for delegation.
const delegFlags = mech.FlagDeleg | mech.FlagDelegPolicy

// delegation decides on the wish to delegate for a service ticket with the given
// flags: what the initiator is to send if it can get a ticket to hand on, zero
// for nothing. The policy of the KDC, ok-as-delegate (RFC 4120 §2.8), counts
// for FlagDelegPolicy, and for FlagDeleg where the configuration says so.
func delegation(wish mech.Flags, enforce bool, ticketFlags uint32) mech.Flags {
	if enforce && wish.Has(mech.FlagDeleg) {
		wish = mech.FlagDelegPolicy
	}
	if wish.Has(mech.FlagDelegPolicy) && ticketFlags&wire.FlagOKAsDelegate != 0 {
		return delegFlags
	}
	return wish & mech.FlagDeleg
}

// hopedFor are flags that the first step may yet bring.
func (c *initiator) hopedFor() mech.Flags {
	if c.req.Flags&delegFlags != 0 {
		return delegFlags
	}
	return 0
}

// delegate returns the KRB-CRED with which the initiator hands its credential on
// (RFC 4121 §4.1.1), and sets the flags that go with it. Not to have one is no
// error: the context comes about without delegation, and whoever cannot do
// without requires the flag.
func (c *initiator) delegate(ctx context.Context, profile *conf.Config, t *ticket) []byte {
	enforce := profile.Bool(false, "libdefaults", "enforce_ok_as_delegate")
	flags := delegation(c.req.Flags&delegFlags, enforce, t.Flags)
	if flags == 0 {
		return nil
	}
	msg, err := c.cred.init.forward(ctx, profile, t)
	if err != nil {
		c.m.c.Logger.DebugContext(ctx, "credential not delegated", "server", t.Server.String(), "error", err)
		return nil
	}
	c.flags |= flags
	return msg
}

// forward gets a forwarded ticket-granting ticket for the owner of a service
// ticket and seals it for the service, with the session key: that is the one
// key that every acceptor tries (RFC 4121 §4.1.1).
func (t *tickets) forward(ctx context.Context, profile *conf.Config, to *ticket) ([]byte, error) {
	contents, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	tgt := ticketGranting(contents)
	if tgt == nil {
		return nil, krberr.GSSTGTMissing
	}
	host := ""
	if s := to.Server.Components; len(s) == 2 {
		host = s[1]
	}
	forwarded, err := t.m.client(profile).Forward(ctx, tgt, host, to.key.Enctype(), t.options(ctx, contents))
	if err != nil {
		return nil, err
	}
	defer forwarded.Key.Value.Clear()
	return apreq.SealCred(forwarded, to.key)
}

// delegated makes a credential of what an initiator has handed on. Its tickets
// are in memory; store it to give it to another process. A KRB-CRED that cannot
// be read fails the context, as with MIT: the initiator believes that it has
// delegated.
func (m *Mechanism) delegated(msg []byte, acc *apreq.Accepted) (*cred, error) {
	c, err := apreq.OpenCred(msg, acc.Client(), acc.Subkey, acc.SessionKey)
	if err != nil {
		return nil, err
	}
	return &cred{m: m, init: &tickets{m: m, cache: ccache.NewMemory(c.Client, *c)}}, nil
}
