package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Key usages of the TGS exchange (RFC 4120 §7.5.1).
const (
	usageTGSReqSum     = 6 // authenticator's checksum over the body
	usageTGSReqAuth    = 7 // authenticator
	usageTGSRepSession = 8 // reply, session key
	usageTGSRepSubkey  = 9 // reply, authenticator's subkey
)

// ask is what one TGS-REQ asks for. Its server is in the realm of the KDC that
// is asked, which is the one that the ticket-granting ticket is for.
type ask struct {
	server  principal.Name
	options uint32
	till    time.Time
	etypes  []etype.ID
	addrs   []wire.HostAddress
	tickets []wire.Ticket // additional
	// armored protects the request with FAST, and the reply if the KDC can.
	armored bool
	// padata, if not nil, returns more padata; the exchange has its subkey then.
	padata func(*tgsExchange) ([]wire.PAData, error)
	// client, if not nil, says whether a reply is for the right client.
	// Otherwise that is the one of the ticket-granting ticket.
	client func(*tgsExchange, *wire.KDCRep, *wire.EncKDCRepPart) error
}

// tgsExchange is the state of one TGS exchange.
type tgsExchange struct {
	*ask
	tgt     *ccache.Credential
	session *enctype.Key
	subkey  *enctype.Key // made by request
	fast    *fast        // nil if not armored
	body    wire.KDCReqBody
	now     time.Time
}

// granted is an accepted reply.
type granted struct {
	*ccache.Credential
	rep  *wire.KDCRep
	part *wire.EncKDCRepPart // without the session key
}

// tgs is one exchange with the KDC that tgt is for (RFC 4120 §3.3). A KDC that
// can do nothing with the list of encryption types is asked for one after the
// other.
func (c *Client) tgs(ctx context.Context, tgt *ccache.Credential, q *ask, offset time.Duration) (*granted, error) {
	got, err := c.tgsOnce(ctx, tgt, q, offset)
	if errors.Is(err, errUnseen) {
		plain := *q
		plain.armored, q = false, &plain
		got, err = c.tgsOnce(ctx, tgt, q, offset)
	}
	if !errors.Is(err, krberr.KDCEtypeNosupp) || len(q.etypes) < 2 {
		return got, err
	}
	if refused := (*Error)(nil); errors.As(err, &refused) && q.armored && !refused.armored {
		return nil, err // anyone could have sent that
	}
	for _, id := range q.etypes {
		single := *q
		single.etypes = []etype.ID{id}
		if got, err := c.tgsOnce(ctx, tgt, &single, offset); !errors.Is(err, krberr.KDCEtypeNosupp) {
			return got, err
		}
	}
	return nil, err
}

// errUnseen is an authentic reply by a KDC that has not seen what stood under
// the armor: that of Heimdal, up to version 7, says that it knows FAST, and
// ignores it in a TGS-REQ. The keys of the request protect the exchange without
// FAST, too, and so the request is repeated without it.
var errUnseen = errors.New("what stood under the armor was not looked at")

func (c *Client) tgsOnce(ctx context.Context, tgt *ccache.Credential, q *ask, offset time.Duration) (*granted, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.KDCUnreach, err)
	}
	session, err := c.sessionKey(tgt)
	if err != nil {
		return nil, fmt.Errorf("%w: session key of the ticket-granting ticket", err)
	}
	defer session.Clear()
	x := &tgsExchange{
		ask:     q,
		tgt:     tgt,
		session: session,
		now:     c.now(offset),
		body: wire.KDCReqBody{
			Options: q.options,
			Realm:   q.server.Realm,
			Server:  q.server,
			Till:    q.till,
			Nonce:   newNonce(),
			Etypes:  q.etypes,
			Addrs:   q.addrs,
			Tickets: q.tickets,
		},
	}
	request, err := x.request()
	defer x.subkey.Clear()
	if err != nil {
		return nil, err
	}
	realm := q.server.Realm
	if q.options&(wire.OptRenew|wire.OptValidate) == 0 {
		realm = tgt.Server.Components[1]
	}
	reply, err := c.exchange(ctx, &conversation{realm: realm}, "TGS-REQ", request)
	if refused := (*Error)(nil); errors.As(err, &refused) && x.fast != nil {
		if refused, err = x.fast.refused(refused, x.body.Nonce); err == nil {
			err = refused
		}
	}
	if err != nil {
		return nil, err
	}
	got, err := x.finish(reply)
	if err != nil {
		return nil, err
	}
	// RFC 4120 §2.8: whether a service is fit for delegation is for the client's
	// own realm to say, and for others as far as that one vouches for them.
	if isCross(tgt) && tgt.Flags&wire.FlagOKAsDelegate == 0 {
		got.Flags &^= wire.FlagOKAsDelegate
	}
	return got, nil
}

// isCross reports whether a ticket-granting ticket is for another realm than
// the one that issued it.
func isCross(tgt *ccache.Credential) bool {
	return tgt.Server.IsTGS() && tgt.Server.Realm != tgt.Server.Components[1]
}

// request returns the TGS-REQ: the body, and an AP-REQ whose authenticator has
// a checksum over it and a fresh key for the reply (RFC 4120 §3.3.1).
func (x *tgsExchange) request() ([]byte, error) {
	// What is signed is what is sent: the body is encoded once.
	x.body.Raw = x.body.Append(nil)
	sum, err := x.session.Checksum(nil, usageTGSReqSum, x.body.Raw)
	if err != nil {
		return nil, err
	}
	sumType, _ := enctype.ChecksumType(x.session.Enctype())
	if x.subkey, err = enctype.GenerateKey(x.session.Enctype()); err != nil {
		return nil, err
	}
	subkey := wire.EncryptionKey{Etype: x.subkey.Enctype(), Value: x.subkey.Bytes()}
	defer clear(subkey.Value)
	authenticator := wire.Authenticator{
		// The client's own realm, whichever realm's KDC is asked.
		Client:   x.tgt.Client,
		Checksum: &wire.Checksum{Type: sumType, Sum: sum},
		Time:     x.now,
		Subkey:   &subkey,
	}
	plain := authenticator.Append(nil)
	defer clear(plain)
	cipher, err := x.session.Encrypt(nil, plain, usageTGSReqAuth)
	if err != nil {
		return nil, err
	}
	ap := wire.APReq{
		Ticket:        wire.Ticket{Raw: x.tgt.Ticket},
		Authenticator: wire.EncryptedData{Etype: x.session.Enctype(), Cipher: cipher},
	}
	padata := []wire.PAData{{Type: wire.PATGSReq, Value: ap.Append(nil)}}
	var more []wire.PAData
	if x.padata != nil {
		if more, err = x.padata(x); err != nil {
			return nil, err
		}
	}
	if x.armored {
		if more, err = x.armor(more, padata[0].Value); err != nil {
			return nil, err
		}
	}
	padata = append(padata, more...)
	req := wire.KDCReq{Type: wire.MsgTGSReq, PAData: padata, Body: x.body}
	return req.Append(nil), nil
}

// finish opens and checks a TGS-REP (RFC 4120 §3.3.4).
func (x *tgsExchange) finish(reply []byte) (*granted, error) {
	rep, err := parseReply(reply, wire.MsgTGSRep)
	if err != nil {
		return nil, err
	}
	var strengthen *enctype.Key
	var unseen error // the KDC has not looked under the armor
	if x.fast != nil {
		strengthen, err = x.fast.reply(rep, x.body.Nonce)
		if errors.Is(err, krberr.FASTRequired) {
			unseen, x.fast = err, nil
		} else if err != nil {
			return nil, err
		}
	}
	plain, err := x.open(&rep.Enc, strengthen)
	if err != nil {
		return nil, errors.Join(err, unseen)
	}
	if unseen != nil && x.padata != nil {
		clear(plain)
		return nil, fmt.Errorf("%w: %w", errUnseen, unseen)
	}
	part, err := wire.ParseEncKDCRepPart(plain)
	if err != nil {
		clear(plain)
		return nil, fmt.Errorf("%w: EncTGSRepPart: %w", krberr.KDCRepModified, err)
	}
	defer clear(part.Key.Value) // the rest of plain is no secret, and still in use
	if err := x.check(rep, part); err != nil {
		return nil, err
	}
	cred, err := credential(rep, part, x.body.Etypes)
	if err != nil {
		return nil, err
	}
	return &granted{cred, rep, part}, nil
}

// open decrypts the reply with the subkey, as RFC 4120 §3.3.3 has it, or with
// the session key, which old KDCs use all the same.
func (x *tgsExchange) open(enc *wire.EncryptedData, strengthen *enctype.Key) ([]byte, error) {
	key, err := strengthened(strengthen, x.subkey)
	if err != nil {
		return nil, err
	}
	if enc.Etype != key.Enctype() {
		return nil, fmt.Errorf("%w: the reply is encrypted with %s", krberr.WrongEtype, enc.Etype)
	}
	plain, err := key.Decrypt(nil, enc.Cipher, usageTGSRepSubkey)
	if err != nil && x.fast == nil {
		plain, err = x.session.Decrypt(nil, enc.Cipher, usageTGSRepSession)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the TGS-REP does not open with the session key", err)
	}
	return plain, nil
}

// check compares the reply with the request.
func (x *tgsExchange) check(rep *wire.KDCRep, part *wire.EncKDCRepPart) error {
	switch {
	case part.Nonce != x.body.Nonce:
		return modified("its nonce is not the request's")
	case len(rep.Client.Components) == 0, x.client == nil && !rep.Client.Equal(x.tgt.Client):
		return modified("it is for client %s", quote(rep.Client.String()))
	case !part.Server.Equal(rep.Ticket.Server):
		return modified("it is for server %s, its ticket for %s", quote(part.Server.String()), quote(rep.Ticket.Server.String()))
	case part.Server.Equal(x.server):
	case x.options&wire.OptCanonicalize != 0: // RFC 6806 §6, §8: an alias or a referral
	case x.server.IsTGS() && part.Server.IsTGS() && part.Server.Realm == x.server.Realm:
		// RFC 4120 §3.3.3: a ticket-granting ticket for a realm on the way.
	default:
		return modified("it is for server %s", quote(part.Server.String()))
	}
	if x.client != nil {
		if err := x.client(x, rep, part); err != nil {
			return err
		}
	}
	return checkTimes(part, x.body.Options, x.body.Till, x.body.RTime)
}
