package krb5

import (
	"context"
	"errors"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/v1"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// acceptor is the acceptor's side of a context.
type acceptor struct {
	secContext
	req  mech.AcceptRequest
	cred *cred // nil: the default one
}

// Accept implements [mech.Mechanism].
func (m *Mechanism) Accept(r mech.AcceptRequest) (mech.Context, error) {
	const op = "accept_sec_context"
	k, err := m.own(op, r.Creds, func(k *cred) bool { return k.acc != nil })
	if err != nil {
		return nil, err
	}
	c := &acceptor{req: r, cred: k}
	c.m, c.require, c.mechOID = m, r.Require, oid.Krb5
	return c, nil
}

func (c *acceptor) step(ctx context.Context, in []byte) ([]byte, error) {
	switch c.state {
	case stateStart:
		return c.request(ctx, in)
	default:
		return nil, c.thirdLeg(in)
	}
}

// request verifies the AP-REQ and answers it if the initiator asks for that.
func (c *acceptor) request(ctx context.Context, in []byte) ([]byte, error) {
	msg, framed := in, !apreq.IsRequest(in)
	if framed { // otherwise it must turn out to be in DCE style
		o, id, body, err := apreq.Unframe(in)
		if err != nil {
			return nil, err
		}
		if id != apreq.TokAPReq {
			return nil, fail("", gsserr.ErrDefectiveToken, krberr.GSSWrongTokID)
		}
		c.mechOID, msg = o, body
	}
	req, err := wire.ParseAPReq(msg)
	if err != nil {
		return nil, fail("", gsserr.ErrDefectiveToken, err)
	}
	profile, err := c.m.config()
	if err != nil {
		return nil, err
	}
	if c.cred == nil {
		if c.cred, err = c.m.acquire(ctx, mech.CredRequest{Usage: mech.UsageAccept}); err != nil {
			return nil, err
		}
	}
	out, report, err := c.verify(ctx, profile, req, framed)
	if err != nil {
		return nil, c.refuse(req, report, err)
	}
	return out, nil
}

// refuse adds a KRB-ERROR to err if the initiator waits for an answer.
func (c *acceptor) refuse(req *wire.APReq, report krberr.Code, err error) error {
	var e *gsserr.Error
	if req.Options&apreq.OptMutualRequired == 0 || !errors.As(err, &e) {
		return err
	}
	server := req.Ticket.Server
	if c.server != nil {
		server = c.server.p
	}
	f := *e
	f.Token = apreq.ErrorToken(c.mechOID, report, server, c.m.c.Time())
	return &f
}

// verify does what [acceptor.request] is for. report is what to tell the
// initiator in case of an error.
func (c *acceptor) verify(ctx context.Context, profile *conf.Config, req *wire.APReq, framed bool) (out []byte, report krberr.Code, err error) {
	service, err := c.cred.acc.service(ctx, profile)
	if err != nil {
		return nil, krberr.APNoKey, err
	}
	replay, err := c.m.replay(profile, c.cred.acc.rcache)
	if err != nil {
		return nil, krberr.KRBGeneric, err
	}
	now, skew := c.m.c.Time(), c.m.skew(profile)
	acc, report, err := (&apreq.Acceptor{
		Service:    *service,
		UserToUser: c.cred.acc.userToUser,
		Now:        now,
		Skew:       skew,
		Replay:     replay,
		Enctypes:   c.cred.enctypes(profile),
		Transited: func(client, server string, realms []byte) error {
			return apreq.CheckTransited(client, server, realms, profile.All("capaths", client, server))
		},
	}).Accept(ctx, req)
	if err != nil {
		return nil, report, err
	}
	report = krberr.KRBGeneric // the initiator is authentic: what follows is policy
	terms, err := acc.Terms(c.req.Bindings, c.req.BindingsOptional)
	if err != nil {
		return nil, report, err
	}
	if dce := terms.Flags.Has(mech.FlagDCEStyle); dce == framed {
		return nil, report, fail("", gsserr.ErrDefectiveToken, fmt.Errorf("%w: framed and in DCE style, or neither", krberr.GSSBadTokHeader))
	}
	c.client, c.server = c.m.wrap(acc.Client()), c.m.wrap(acc.Server)
	c.client.attrs = newAttributes(acc)
	c.flags = terms.Flags
	if terms.Bound {
		c.flags |= mech.FlagChannelBound
	}
	if acc.Client().IsAnonymous() {
		if !c.req.AllowAnonymous {
			return nil, report, fail("", gsserr.ErrUnauthorized, fmt.Errorf("the initiator is anonymous"))
		}
		c.flags |= mech.FlagAnon
	}
	if terms.Deleg != nil && !terms.Flags.Has(mech.FlagDCEStyle) { // MIT takes none in DCE style
		if c.delegated, err = c.m.delegated(terms.Deleg, acc); err != nil {
			return nil, report, err
		}
		c.flags |= mech.FlagDeleg
	} else if !terms.Flags.Has(mech.FlagDCEStyle) {
		if c.delegated = c.accepted(ctx, acc, &req.Ticket); c.delegated != nil {
			c.flags |= mech.FlagDeleg
		}
	}
	if err := c.checkRequired(0); err != nil {
		return nil, report, err
	}
	c.expires = acc.Ticket.EndTime.Add(skew)
	c.session, c.subkey = acc.SessionKey, acc.Key()
	c.ticketFlags, c.authTime = acc.Ticket.Flags, acc.Ticket.AuthTime
	c.authz, c.claims = acc.Ticket.AuthzData, acc.Auth.AuthzData
	c.recvSeq = acc.Auth.Seq
	if !c.flags.Has(mech.FlagMutual) {
		c.sendSeq = c.recvSeq
		c.establish(false)
		return nil, 0, nil
	}
	out, err = c.answer(acc)
	return out, report, err
}

// answer makes the AP-REP, with a subkey of the type that both sides like best.
// Contexts that stay with Triple-DES or RC4 have no acceptor's subkey, outside
// DCE style: what they send is the initiator's own, as MIT's acceptor does.
func (c *acceptor) answer(acc *apreq.Accepted) (out []byte, err error) {
	stays := v1.Handles(acc.Key().Enctype()) && (acc.Enctype == acc.SessionKey.Enctype() || v1.Handles(acc.Enctype))
	reply := apreq.Reply{Time: acc.Auth.Time, Subkey: acc.Subkey}
	if !stays || c.flags.Has(mech.FlagDCEStyle) {
		if c.acceptorSubkey, err = enctype.GenerateKey(acc.Enctype); err != nil {
			return nil, err
		}
		reply.Subkey = c.acceptorSubkey
	}
	c.sendSeq = apreq.NewSeq()
	reply.Seq = c.sendSeq
	msg, err := reply.Append(nil, c.session)
	if err != nil {
		return nil, err
	}
	if c.flags.Has(mech.FlagDCEStyle) {
		c.state = stateThirdLeg
		return msg, nil
	}
	c.establish(false)
	return apreq.Frame(c.mechOID, apreq.TokAPRep, msg), nil
}

// thirdLeg verifies the initiator's AP-REP of DCE style (MS-KILE §3.4.5.1):
// it proves that the initiator has read ours by repeating its number.
func (c *acceptor) thirdLeg(in []byte) error {
	r, err := apreq.OpenReply(in, c.session)
	if err != nil {
		return err
	}
	if r.Subkey != nil || r.Seq != c.sendSeq {
		r.Subkey.Clear()
		return fail("", gsserr.ErrFailure, krberr.MutualFailed)
	}
	c.establish(false)
	return nil
}

// Info implements [mech.Context].
func (c *acceptor) Info() mech.ContextInfo {
	i := c.info()
	if i.Established { // before that, and after a failure, nobody was authenticated
		i.InitiatorName = c.client
		i.AcceptorName = c.server
		if h, _ := c.holds(); h.delegated != nil {
			i.Delegated = h.delegated
		}
	}
	return i
}
