package kdcclient

import (
	"fmt"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

const (
	usageASRep    = 3  // AS-REP enc-part (RFC 4120 §7.5.1)
	usageASReqSum = 56 // checksum of the AS-REQ (RFC 6806 §11)
)

// finish opens and checks an AS-REP (RFC 4120 §3.1.5).
func (l *login) finish(reply []byte) (*Result, error) {
	rep, err := parseReply(reply, wire.MsgASRep)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(l.etypes, rep.Enc.Etype) {
		return nil, fmt.Errorf("%w: the reply is encrypted with %s", krberr.WrongEtype, rep.Enc.Etype)
	}
	key, err := l.replyKey(rep)
	if err != nil {
		return nil, err
	}
	plain, err := key.Decrypt(nil, rep.Enc.Cipher, usageASRep)
	if err != nil {
		return nil, fmt.Errorf("%w: the AS-REP does not open with the client's password or key", err)
	}
	defer clear(plain)
	part, err := wire.ParseEncKDCRepPart(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: EncASRepPart: %w", krberr.KDCRepModified, err)
	}
	if err := l.check(rep, part, key); err != nil {
		return nil, err
	}
	if m, ok := l.mech.(partVerifier); ok {
		if err := m.verify(rep, part); err != nil {
			return nil, err
		}
	}
	offset, err := l.authenticOffset(part.AuthTime)
	if err != nil {
		return nil, err
	}
	cred, err := credential(rep, part, l.etypes)
	if err != nil {
		return nil, err
	}
	return &Result{
		Credential: cred, Offset: offset, KeyExpires: part.KeyExpiration,
		Mechanism: l.mechanismType(), FAST: l.offersFAST(part),
	}, nil
}

// replyKey returns what the reply is encrypted with.
func (l *login) replyKey(rep *wire.KDCRep) (*enctype.Key, error) {
	var strengthen *enctype.Key
	if l.fast != nil {
		var err error
		if strengthen, err = l.fast.reply(rep, l.nonce); err != nil {
			return nil, err
		}
	}
	var key *enctype.Key
	var err error
	switch {
	case l.mech != nil:
		key, err = l.mech.replyKey(l, rep)
	case l.hasKey():
		key, err = longTerm{}.replyKey(l, rep)
	default:
		err = fmt.Errorf("%w: the KDC gives a ticket without the proof that it was to ask for", krberr.PreauthFailed)
	}
	if err != nil {
		return nil, err
	}
	if key, err = strengthened(strengthen, key); err != nil {
		return nil, err
	}
	if key.Enctype() != rep.Enc.Etype {
		return nil, fmt.Errorf("%w: the reply is encrypted with %s", krberr.WrongEtype, rep.Enc.Etype)
	}
	return key, nil
}

// partVerifier is a mechanism that has something to compare with the encrypted
// part of the reply.
type partVerifier interface {
	verify(rep *wire.KDCRep, part *wire.EncKDCRepPart) error
}

// mechanismType is the padata type of the mechanism that was used, 0 for none.
func (l *login) mechanismType() int32 {
	if l.mech == nil {
		return 0
	}
	return l.mech.padata()
}

// offersFAST reports whether the KDC says that it knows FAST where nobody can
// have put or removed it (RFC 6806 §11): in a part that check has verified.
func (l *login) offersFAST(part *wire.EncKDCRepPart) bool {
	_, ok := find(part.PAData, wire.PAFXFast)
	return ok && part.Flags&wire.FlagEncPARep != 0
}

// check compares the reply with the request.
func (l *login) check(rep *wire.KDCRep, part *wire.EncKDCRepPart, key *enctype.Key) error {
	canonical := l.options&wire.OptCanonicalize != 0
	switch {
	case part.Nonce != l.nonce:
		return modified("its nonce is not the request's")
	case len(rep.Client.Components) == 0:
		return modified("it is for nobody")
	case !rep.Client.Equal(l.client) && !(canonical || l.anonymous() && rep.Client.Equal(principal.Anonymous)):
		return modified("it is for client %s", quote(rep.Client.String()))
	case !part.Server.Equal(rep.Ticket.Server):
		return modified("it is for server %s, its ticket for %s", quote(part.Server.String()), quote(rep.Ticket.Server.String()))
	case !part.Server.Equal(l.server) && !(canonical && part.Server.IsTGS() && l.server.IsTGS()):
		return modified("it is for server %s", quote(part.Server.String()))
	}
	if err := checkTimes(part, l.options, l.till, l.rtime); err != nil {
		return err
	}
	if part.Flags&wire.FlagEncPARep == 0 {
		return nil
	}
	// RFC 6806 §11: the KDC vouches for the request as it arrived.
	pa, ok := find(part.PAData, wire.PAReqEncPARep)
	if !ok {
		return modified("it has no checksum of the request")
	}
	sum, err := wire.ParseChecksum(pa.Value)
	if err != nil {
		return modified("checksum of the request: %w", err)
	}
	if typ, ok := enctype.ChecksumType(key.Enctype()); !ok || sum.Type != typ {
		return modified("checksum type %d of the request", sum.Type)
	}
	if err := key.VerifyChecksum(sum.Sum, usageASReqSum, l.raw); err != nil {
		return modified("the request was changed on its way: %w", err)
	}
	return nil
}

// authenticOffset is how far the KDC's clock is ahead of ours, by the reply's
// own authenticated time. A second is less than that time can tell.
func (l *login) authenticOffset(authtime time.Time) (time.Duration, error) {
	now := l.c.now(0)
	if !l.c.timesync(l.client.Realm) {
		if !near(authtime, now, l.c.Config.ClockSkew()) {
			return 0, fmt.Errorf("%w: the KDC's clock says %s", krberr.KDCRepSkew, authtime.Format(time.RFC3339))
		}
		return 0, nil
	}
	if near(authtime, now, 2*time.Second) {
		return 0, nil
	}
	return authtime.Sub(now), nil
}

// modified is an authentic reply, or one that claims to be, that does not fit.
func modified(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{krberr.KDCRepModified}, args...)...)
}
