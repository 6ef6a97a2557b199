package krb5

import (
	"context"
	"fmt"
	"slices"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/v1"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// initiator is the initiator's side of a context.
type initiator struct {
	secContext
	req  mech.InitRequest
	cred *cred     // nil: the default one
	sent time.Time // the authenticator's time
	// offered are the encryption types that the acceptor's subkey may have.
	offered []Enctype
}

// wireFlags are the flags that an initiator sends (RFC 4121 §4.1.1.1).
const wireFlags = mech.FlagMutual | mech.FlagReplay | mech.FlagSequence | mech.FlagConf | mech.FlagInteg |
	mech.FlagDCEStyle | mech.FlagIdentify | mech.FlagExtendedError

// Initiate implements [mech.Mechanism].
func (m *Mechanism) Initiate(target mech.Name, r mech.InitRequest) (mech.Context, error) {
	const op = "init_sec_context"
	n, err := m.ownName(op, target)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	}
	c := &initiator{req: r}
	if c.cred, err = m.own(op, r.Creds, func(k *cred) bool { return k.init != nil }); err != nil {
		return nil, err
	}
	c.m, c.target, c.require = m, n, r.Require
	c.mechOID = oid.Krb5
	if r.Mech == oid.Krb5MS || r.Mech == oid.Krb5Old {
		c.mechOID = r.Mech
	}
	c.flags = r.Flags & wireFlags
	if c.cred != nil {
		c.flags = c.cred.initiating(c.flags, r.Require)
	}
	if c.flags.Has(mech.FlagDCEStyle) {
		c.flags |= mech.FlagMutual
	}
	return c, nil
}

func (c *initiator) step(ctx context.Context, in []byte) ([]byte, error) {
	switch c.state {
	case stateStart:
		if len(in) > 0 {
			return nil, fail("", gsserr.ErrDefectiveToken, fmt.Errorf("the initiator speaks first"))
		}
		return c.request(ctx)
	default:
		return c.reply(in)
	}
}

// request gets a ticket and sends the AP-REQ.
func (c *initiator) request(ctx context.Context) ([]byte, error) {
	// What the peer cannot change is known now: no token leaves for a context
	// that can never be what the caller needs.
	if err := c.checkRequired(c.hopedFor()); err != nil {
		return nil, err
	}
	profile, err := c.m.config()
	if err != nil {
		return nil, err
	}
	if c.cred == nil {
		if c.cred, err = c.m.acquire(ctx, mech.CredRequest{Usage: mech.UsageInitiate}); err != nil {
			return nil, err
		}
	}
	if c.cred, err = c.cred.chosen(ctx, profile, c.target); err != nil {
		return nil, err
	}
	t, err := c.cred.init.ticket(ctx, profile, c.target, c.cred.wish(profile, c.req.Lifetime))
	if err != nil {
		return nil, err
	}
	bindings, err := apreq.BindingsHash(c.req.Bindings)
	if err != nil {
		return nil, err
	}
	if c.subkey, err = enctype.GenerateKey(t.key.Enctype()); err != nil {
		return nil, err
	}
	c.session, c.sendSeq = t.key, apreq.NewSeq()
	c.ticketFlags, c.authTime = t.Flags, t.AuthTime
	c.client, c.server, c.expires = c.m.wrap(t.Client), c.m.wrap(t.Server), t.EndTime
	c.sent = c.m.c.Time().Add(t.offset).Truncate(time.Microsecond)
	deleg := c.delegate(ctx, profile, t)
	if err := c.checkRequired(0); err != nil {
		return nil, err
	}
	mutual := c.flags.Has(mech.FlagMutual)
	aware := c.req.Flags.Has(mech.FlagChannelBound) || profile.Bool(false, "libdefaults", "client_aware_channel_bindings")
	c.offered = c.cred.enctypes(profile)
	msg, err := (&apreq.Request{
		Ticket:        t.Ticket,
		SessionKey:    t.key,
		Client:        t.Client,
		Time:          c.sent,
		Subkey:        c.subkey,
		Seq:           c.sendSeq,
		Mutual:        mutual,
		Checksum:      &apreq.Checksum{Bindings: bindings, Flags: c.flags, Deleg: deleg},
		UserToUser:    t.IsSKey,
		Enctypes:      c.offered,
		BindingsAware: aware,
	}).Append(nil)
	if err != nil {
		return nil, err
	}
	if mutual {
		c.state = stateReply
	} else {
		c.recvSeq = c.sendSeq
		c.establish(true)
	}
	if c.flags.Has(mech.FlagDCEStyle) {
		return msg, nil
	}
	return apreq.Frame(c.mechOID, apreq.TokAPReq, msg), nil
}

// reply verifies the AP-REP, and in DCE style answers it.
func (c *initiator) reply(in []byte) ([]byte, error) {
	dce := c.flags.Has(mech.FlagDCEStyle)
	msg := in
	if !dce || !apreq.IsReply(in) { // errors are framed in DCE style too
		_, id, body, err := apreq.Unframe(in)
		switch {
		case err != nil:
			return nil, err
		case id == apreq.TokError:
			return nil, apreq.OpenError(body)
		case id != apreq.TokAPRep || dce:
			return nil, fail("", gsserr.ErrDefectiveToken, krberr.GSSWrongTokID)
		}
		msg = body
	}
	r, err := apreq.OpenReply(msg, c.session)
	if err != nil {
		return nil, err
	}
	// Only who decrypted the authenticator knows its time.
	if !r.Time.Equal(c.sent) {
		r.Subkey.Clear()
		return nil, fail("", gsserr.ErrFailure, krberr.MutualFailed)
	}
	if r.Subkey != nil && !c.permits(r.Subkey.Enctype()) {
		r.Subkey.Clear()
		return nil, fail("", gsserr.ErrFailure, fmt.Errorf("%w: acceptor subkey of %v", krberr.NoPermEtype, r.Subkey.Enctype()))
	}
	if r.Subkey != nil && !dce && v1.Handles(c.subkey.Enctype()) && r.Subkey.Enctype() == c.subkey.Enctype() {
		// In such contexts it means nothing; most acceptors send our own.
		r.Subkey.Clear()
		r.Subkey = nil
	}
	c.acceptorSubkey, c.recvSeq = r.Subkey, r.Seq
	var out []byte
	if dce {
		third := apreq.Reply{Time: c.m.c.Time().Truncate(time.Microsecond), Seq: r.Seq}
		if out, err = third.Append(nil, c.session); err != nil {
			return nil, err
		}
	}
	c.establish(true)
	return out, nil
}

// permits reports whether the acceptor's subkey may be of the type: the session
// key's, or one that was offered to it.
func (c *initiator) permits(id Enctype) bool {
	return id == c.session.Enctype() || slices.Contains(c.offered, id)
}

// Info implements [mech.Context].
func (c *initiator) Info() mech.ContextInfo {
	i := c.info()
	i.Initiator, i.Target = true, c.target
	if c.client != nil {
		i.InitiatorName = c.client
	}
	if i.Established && c.flags.Has(mech.FlagMutual) {
		i.AcceptorName = c.server
	}
	return i
}
