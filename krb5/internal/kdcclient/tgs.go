package kdcclient

import (
	"fmt"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
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

// tgsExchange is the state of one TGS exchange.
type tgsExchange struct {
	tgt     *ccache.Credential
	session *enctype.Key
	subkey  *enctype.Key // made by request
	server  principal.Name
	body    wire.KDCReqBody
	now     time.Time
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
	req := wire.KDCReq{
		Type:   wire.MsgTGSReq,
		PAData: []wire.PAData{{Type: wire.PATGSReq, Value: ap.Append(nil)}},
		Body:   x.body,
	}
	return req.Append(nil), nil
}

// finish opens and checks a TGS-REP (RFC 4120 §3.3.4).
func (x *tgsExchange) finish(reply []byte) (*ccache.Credential, error) {
	rep, err := parseReply(reply, wire.MsgTGSRep)
	if err != nil {
		return nil, err
	}
	plain, err := x.open(&rep.Enc)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	part, err := wire.ParseEncKDCRepPart(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: EncTGSRepPart: %w", krberr.KDCRepModified, err)
	}
	if err := x.check(rep, part); err != nil {
		return nil, err
	}
	return credential(rep, part, x.body.Etypes)
}

// open decrypts the reply with the subkey, as RFC 4120 §3.3.3 has it, or with
// the session key, which old KDCs use all the same.
func (x *tgsExchange) open(enc *wire.EncryptedData) ([]byte, error) {
	if enc.Etype != x.session.Enctype() {
		return nil, fmt.Errorf("%w: the reply is encrypted with %s", krberr.WrongEtype, enc.Etype)
	}
	plain, err := x.subkey.Decrypt(nil, enc.Cipher, usageTGSRepSubkey)
	if err != nil {
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
	case !rep.Client.Equal(x.tgt.Client):
		return modified("it is for client %s", quote(rep.Client.String()))
	case !part.Server.Equal(rep.Ticket.Server):
		return modified("it is for server %s, its ticket for %s", quote(part.Server.String()), quote(rep.Ticket.Server.String()))
	}
	if !part.Server.Equal(x.server) {
		// RFC 6806 §8: a ticket-granting ticket for another realm is a referral.
		if part.Server.IsTGS() && part.Server.Realm == x.server.Realm {
			return fmt.Errorf("%w: the KDC refers to realm %s, which is not followed", krberr.KDCWrongRealm, quote(part.Server.Components[1]))
		}
		if x.body.Options&wire.OptCanonicalize == 0 {
			return modified("it is for server %s", quote(part.Server.String()))
		}
	}
	return checkTimes(part, x.body.Options, x.body.Till, x.body.RTime)
}
