package testenv

import (
	"slices"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// cnameInAddlTkt is S4U2Proxy's option (MS-SFU §2.2.3).
const cnameInAddlTkt = 14

// handleTGS is the ticket-granting service (RFC 4120 §3.3).
func (k *KDC) handleTGS(r *request) ([]byte, error) {
	now := k.now()
	tgt, auth, err := k.authenticate(r, now)
	if err != nil {
		return nil, err
	}
	if err := k.unarmorTGS(r, tgt.Key, auth); err != nil {
		return nil, err
	}
	server := k.server(r)
	referral := server == nil
	if referral {
		if server = k.refer(r); server == nil {
			return nil, &failure{code: errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN}
		}
	}
	for _, refused := range []int{flags.PostDated, flags.RequestAnonymous} {
		if r.option(refused) {
			return nil, &failure{code: errorcode.KDC_ERR_BADOPTION}
		}
	}
	replyKey, usage := tgt.Key, uint32(keyusage.TGS_REP_ENCPART_SESSION_KEY)
	if len(auth.SubKey.KeyValue) > 0 {
		replyKey, usage = auth.SubKey, keyusage.TGS_REP_ENCPART_AUTHENTICATOR_SUB_KEY
		if !usable(replyKey) {
			return nil, &failure{code: errorcode.KDC_ERR_ETYPE_NOSUPP}
		}
	}

	s, err := k.subject(r, tgt, auth, server, referral, now)
	if err != nil {
		return nil, err
	}
	g := &grant{server: server, sname: server.principal(r.Body.SName.NameType)}
	if !referral { // by an alias a service keeps the name that the client knows
		g.sname = r.Body.SName
	}
	if r.option(flags.EncTktInSkey) {
		if g.key, err = k.userToUser(r, server); err != nil {
			return nil, err
		}
	}
	g.part = messages.EncTicketPart{
		Flags:     bits(flags.TransitedPolicyChecked),
		CRealm:    s.base.CRealm,
		CName:     s.base.CName,
		Transited: s.base.Transited,
		AuthTime:  s.base.AuthTime,
		CAddr:     s.base.CAddr,
	}
	if err := k.derive(r, g, &s.base, now); err != nil {
		return nil, err
	}
	if g.part.AuthorizationData, err = authzData(r, &s.base, auth); err != nil {
		return nil, err
	}
	ticket, err := k.issue(r, g)
	if err != nil {
		return nil, err
	}
	plain, err := k.encPart(r, g, asnAppTag.EncTGSRepPart, s.encrypted)
	if err != nil {
		return nil, err
	}
	strengthen, replyKey, err := r.armor.strengthen(replyKey)
	if err != nil {
		return nil, err
	}
	enc, err := seal(replyKey, usage, 0, plain)
	if err != nil {
		return nil, err
	}
	if s.reply, err = r.armor.reply(s.reply, strengthen, &g.part, ticket, now); err != nil {
		return nil, err
	}
	rep := messages.TGSRep{KDCRepFields: messages.KDCRepFields{
		PVNO: iana.PVNO, MsgType: msgtype.KRB_TGS_REP, PAData: s.reply,
		CRealm: g.part.CRealm, CName: g.part.CName, Ticket: ticket, EncPart: enc,
	}}
	return rep.Marshal()
}

// subject is in whose name the new ticket is to be: the client's, or the one of
// whom it acts for.
func (k *KDC) subject(r *request, tgt *messages.EncTicketPart, auth *types.Authenticator, server *entry, referral bool, now time.Time) (*s4u, error) {
	if r.option(cnameInAddlTkt) {
		return k.proxy(r, tgt, server, referral, now)
	}
	s, err := k.self(r, tgt, auth, server, referral)
	if s != nil || err != nil {
		return s, err
	}
	if actedFor(tgt) != nil {
		return nil, &failure{code: errorcode.KDC_ERR_POLICY} // good for S4U alone
	}
	return &s4u{base: *tgt}, nil
}

// userToUser returns the session key of the ticket-granting ticket that the
// server of a user-to-user request has (RFC 4120 §3.3.3).
func (k *KDC) userToUser(r *request, server *entry) (*types.EncryptionKey, error) {
	part, issuer, err := k.additional(r)
	switch {
	case err != nil:
		return nil, err
	case !slices.Equal(issuer.name, k.tgs().NameString):
		return nil, &failure{code: errorcode.KDC_ERR_POLICY}
	case part.CRealm != k.realm || !slices.Equal(part.CName.NameString, server.name):
		return nil, &failure{code: errorcode.KDC_ERR_SERVER_NOMATCH}
	}
	return &part.Key, nil
}

// authenticate verifies the AP-REQ of a TGS-REQ: the ticket, the authenticator,
// and its checksum over the body as it arrived (RFC 4120 §3.3.2).
func (k *KDC) authenticate(r *request, now time.Time) (*messages.EncTicketPart, *types.Authenticator, error) {
	value, ok := r.padata(patype.PA_TGS_REQ)
	if !ok {
		return nil, nil, &failure{code: errorcode.KDC_ERR_PADATA_TYPE_NOSUPP}
	}
	var ap messages.APReq
	if err := ap.Unmarshal(value); err != nil {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_MSG_TYPE}
	}
	if ap.PVNO != iana.PVNO {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_BADVERSION}
	}
	// Any ticket of the realm can be renewed or validated, and only the TGT gets
	// others.
	issuer := k.tgs()
	if r.option(flags.Renew) || r.option(flags.Validate) {
		issuer = r.Body.SName
	}
	e, foreign := k.isTrusted(&ap.Ticket)
	if !foreign {
		if ap.Ticket.Realm != k.realm || !equalName(ap.Ticket.SName, issuer) {
			return nil, nil, &failure{code: errorcode.KRB_AP_ERR_NOT_US}
		}
		if e = k.lookup(ap.Ticket.SName.NameString); e == nil {
			return nil, nil, &failure{code: errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN}
		}
	}
	tgt, err := openWith(e, &ap.Ticket)
	if err != nil {
		return nil, nil, err
	}
	if foreign {
		if tgt.CRealm == k.realm && actedFor(tgt) == nil {
			return nil, nil, &failure{code: errorcode.KDC_ERR_POLICY} // nobody else speaks for our users
		}
		tgt.Transited = transit(tgt.Transited, tgt.CRealm, ap.Ticket.Realm)
	}
	if !now.Before(tgt.EndTime) {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_TKT_EXPIRED}
	}
	if tgt.StartTime.Sub(now) > k.opt.ClockSkew || (tgt.Flags.At(flags.Invalid) != 0) != r.option(flags.Validate) {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_TKT_NYV}
	}

	plain, err := open(tgt.Key, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR, ap.EncryptedAuthenticator)
	var auth types.Authenticator
	if err != nil || auth.Unmarshal(plain) != nil {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_BAD_INTEGRITY}
	}
	if auth.CRealm != tgt.CRealm || !equalName(auth.CName, tgt.CName) {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_BADMATCH}
	}
	if auth.CTime.Sub(now).Abs() > k.opt.ClockSkew {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_SKEW}
	}
	if len(auth.Cksum.Checksum) == 0 {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_INAPP_CKSUM}
	}
	if !verify(tgt.Key, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM, r.RawBody, auth.Cksum) {
		return nil, nil, &failure{code: errorcode.KRB_AP_ERR_MODIFIED}
	}
	return tgt, &auth, nil
}

// openWith decrypts a ticket with the keys of an entry.
func openWith(server *entry, t *messages.Ticket) (*messages.EncTicketPart, error) {
	set := server.version(t.EncPart.KVNO)
	if set == nil {
		return nil, &failure{code: errorcode.KRB_AP_ERR_BADKEYVER}
	}
	key, ok := set.key(t.EncPart.EType)
	if !ok {
		return nil, &failure{code: errorcode.KRB_AP_ERR_NOKEY}
	}
	plain, err := open(key, keyusage.KDC_REP_TICKET, t.EncPart)
	part := new(messages.EncTicketPart)
	if err != nil || part.Unmarshal(plain) != nil {
		return nil, &failure{code: errorcode.KRB_AP_ERR_BAD_INTEGRITY}
	}
	return part, nil
}

// derive sets the flags, times and addresses of a ticket got with another (RFC
// 4120 §3.3.3).
func (k *KDC) derive(r *request, g *grant, tgt *messages.EncTicketPart, now time.Time) error {
	has := func(flag int) bool { return tgt.Flags.At(flag) != 0 }
	for _, kept := range []int{flags.PreAuthent, flags.HWAuthent} {
		if has(kept) {
			types.SetFlag(&g.part.Flags, kept)
		}
	}
	for _, wanted := range []int{flags.Forwardable, flags.Proxiable} {
		if r.option(wanted) && has(wanted) {
			types.SetFlag(&g.part.Flags, wanted)
		}
	}
	if g.server.okDelegate {
		types.SetFlag(&g.part.Flags, flags.OKAsDelegate)
	}
	// A forwarded or proxied ticket is for the addresses that were asked for.
	for option, needs := range map[int]int{flags.Forwarded: flags.Forwardable, flags.Proxy: flags.Proxiable} {
		if r.option(option) {
			if !has(needs) {
				return &failure{code: errorcode.KDC_ERR_BADOPTION}
			}
			types.SetFlag(&g.part.Flags, option)
			g.part.CAddr = r.Body.Addresses
		}
	}
	if has(flags.Forwarded) {
		types.SetFlag(&g.part.Flags, flags.Forwarded)
	}
	switch {
	case r.option(flags.Renew):
		return k.renew(g, tgt, now)
	case r.option(flags.Validate):
		g.part.Flags = tgt.Flags
		types.UnsetFlag(&g.part.Flags, flags.Invalid)
		g.part.StartTime, g.part.EndTime, g.part.RenewTill = tgt.StartTime, tgt.EndTime, tgt.RenewTill
		return nil
	}
	return k.times(r, &g.part, now, limits{tgt.EndTime, tgt.RenewTill}, has(flags.Renewable))
}

// renew gives the ticket the lifetime of the old one again.
func (k *KDC) renew(g *grant, tgt *messages.EncTicketPart, now time.Time) error {
	if tgt.Flags.At(flags.Renewable) == 0 {
		return &failure{code: errorcode.KDC_ERR_BADOPTION}
	}
	if !now.Before(tgt.RenewTill) {
		return &failure{code: errorcode.KRB_AP_ERR_TKT_EXPIRED}
	}
	start := tgt.StartTime
	if start.IsZero() {
		start = tgt.AuthTime
	}
	g.part.Flags = tgt.Flags
	types.UnsetFlag(&g.part.Flags, flags.Initial)
	g.part.StartTime = seconds(now)
	g.part.EndTime = earliest(g.part.StartTime.Add(tgt.EndTime.Sub(start)), tgt.RenewTill)
	g.part.RenewTill = tgt.RenewTill
	return nil
}

// authzData is the authorization data of the new ticket: what the client sent
// along (RFC 4120 §5.4.1, enc-authorization-data) and what the old one has.
func authzData(r *request, tgt *messages.EncTicketPart, auth *types.Authenticator) (types.AuthorizationData, error) {
	enc := r.Body.EncAuthData
	if len(enc.Cipher) == 0 {
		return tgt.AuthorizationData, nil
	}
	key, usage := tgt.Key, uint32(keyusage.TGS_REQ_KDC_REQ_BODY_AUTHDATA_SESSION_KEY)
	if len(auth.SubKey.KeyValue) > 0 {
		key, usage = auth.SubKey, keyusage.TGS_REQ_KDC_REQ_BODY_AUTHDATA_SUB_KEY
	}
	plain, err := open(key, usage, enc)
	var data types.AuthorizationData
	if err != nil || data.Unmarshal(plain) != nil {
		return nil, &failure{code: errorcode.KRB_AP_ERR_BAD_INTEGRITY}
	}
	return append(data, tgt.AuthorizationData...), nil
}
