package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Key usages of FAST (RFC 6113 §7.6), and of the armor's authenticator.
const (
	usageAPReqAuth    = 11
	usageFastReqSum   = 50
	usageFastReq      = 51
	usageFastRep      = 52
	usageFastFinished = 53
)

// fast is the armor of one exchange (RFC 6113 §5.4): a key that the client and
// the KDC have, and what tells the KDC which one. It is for one realm.
type fast struct {
	realm string
	ap    []byte // AP-REQ; nil in a TGS exchange, whose own AP-REQ does it
	key   *enctype.Key
}

// armor makes an AP-REQ for the realm's ticket-granting service the armor (RFC
// 6113 §5.4.1.1). tgt is any ticket-granting ticket from which that service can
// be reached.
func (c *Client) armor(ctx context.Context, tgt *ccache.Credential, realm string, offset time.Duration) (*fast, error) {
	tgt, err := c.TGT(ctx, tgt, realm, &TicketOptions{Offset: offset})
	if err != nil {
		return nil, fmt.Errorf("armor for FAST: %w", err)
	}
	session, err := c.sessionKey(tgt)
	if err != nil {
		return nil, fmt.Errorf("armor for FAST: %w", err)
	}
	defer session.Clear()
	subkey, err := enctype.GenerateKey(session.Enctype())
	if err != nil {
		return nil, err
	}
	defer subkey.Clear()
	sub := wire.EncryptionKey{Etype: subkey.Enctype(), Value: subkey.Bytes()}
	defer clear(sub.Value)
	authenticator := wire.Authenticator{Client: tgt.Client, Time: c.now(offset), Subkey: &sub}
	plain := authenticator.Append(nil)
	defer clear(plain)
	cipher, err := session.Encrypt(nil, plain, usageAPReqAuth)
	if err != nil {
		return nil, err
	}
	ap := wire.APReq{
		Ticket:        wire.Ticket{Raw: tgt.Ticket},
		Authenticator: wire.EncryptedData{Etype: session.Enctype(), Cipher: cipher},
	}
	key, err := enctype.CF2(subkey, session, "subkeyarmor", "ticketarmor")
	if err != nil {
		return nil, err
	}
	return &fast{realm: realm, ap: ap.Append(nil), key: key}, nil
}

// armor puts a TGS-REQ's padata under the armor that the request has by itself:
// the keys of its authenticator (RFC 6113 §5.4.2).
func (x *tgsExchange) armor(padata []wire.PAData, ap []byte) ([]wire.PAData, error) {
	key, err := enctype.CF2(x.subkey, x.session, "subkeyarmor", "ticketarmor")
	if err != nil {
		return nil, err
	}
	x.fast = &fast{key: key}
	pa, err := x.fast.wrap(0, padata, x.body.Raw, ap)
	return []wire.PAData{pa}, err
}

// wrap returns PA-FX-FAST with the padata and the body inside (RFC 6113 §5.4.2).
// bound is what the outer request is tied to: its body in an AS-REQ, its AP-REQ
// in a TGS-REQ.
func (f *fast) wrap(options uint32, padata []wire.PAData, body, bound []byte) (wire.PAData, error) {
	sum, err := f.key.Checksum(nil, usageFastReqSum, bound)
	if err != nil {
		return wire.PAData{}, err
	}
	sumType, _ := enctype.ChecksumType(f.key.Enctype())
	req := wire.FastReq{Options: options, PAData: padata, Body: wire.KDCReqBody{Raw: body}}
	plain := req.Append(nil)
	defer clear(plain)
	cipher, err := f.key.Encrypt(nil, plain, usageFastReq)
	if err != nil {
		return wire.PAData{}, err
	}
	armored := wire.FastArmoredReq{
		ArmorType: wire.FastArmorAPRequest,
		Armor:     f.ap,
		Checksum:  wire.Checksum{Type: sumType, Sum: sum},
		Enc:       wire.EncryptedData{Etype: f.key.Enctype(), Cipher: cipher},
	}
	return wire.PAData{Type: wire.PAFXFast, Value: armored.Append(nil)}, nil
}

// open returns what the KDC has said under armor. An answer without it is as
// good as none: krberr.FASTRequired.
func (f *fast) open(padata []wire.PAData, nonce uint32) (*wire.FastResponse, error) {
	pa, ok := find(padata, wire.PAFXFast)
	if !ok {
		return nil, krberr.FASTRequired
	}
	enc, err := wire.ParseFastReply(pa.Value)
	if err != nil {
		return nil, modified("PA-FX-FAST: %w", err)
	}
	if enc.Etype != f.key.Enctype() {
		return nil, fmt.Errorf("%w: PA-FX-FAST is encrypted with %s", krberr.WrongEtype, enc.Etype)
	}
	plain, err := f.key.Decrypt(nil, enc.Cipher, usageFastRep)
	if err != nil {
		return nil, fmt.Errorf("%w: PA-FX-FAST does not open with the armor key", err)
	}
	resp, err := wire.ParseFastResponse(plain)
	if err != nil {
		return nil, modified("KrbFastResponse: %w", err)
	}
	if resp.Nonce != nonce {
		return nil, modified("the nonce under armor is not the request's")
	}
	return resp, nil
}

// reply takes the place of a reply's padata and client with what the KDC has
// said under armor, and verifies that the ticket is the one that it issued. The
// key, which may be nil, strengthens the reply key (RFC 6113 §5.4.3).
func (f *fast) reply(rep *wire.KDCRep, nonce uint32) (strengthen *enctype.Key, err error) {
	resp, err := f.open(rep.PAData, nonce)
	if err != nil {
		return nil, err
	}
	fin := resp.Finished
	if fin == nil {
		return nil, modified("nothing under armor vouches for the ticket")
	}
	if typ, ok := enctype.ChecksumType(f.key.Enctype()); !ok || fin.Checksum.Type != typ {
		return nil, modified("checksum type %d of the ticket", fin.Checksum.Type)
	}
	if err := f.key.VerifyChecksum(fin.Checksum.Sum, usageFastFinished, rep.Ticket.Raw); err != nil {
		return nil, modified("the ticket is not the one that the KDC vouches for: %w", err)
	}
	rep.Client, rep.PAData = fin.Client, resp.PAData
	if k := resp.StrengthenKey; k != nil {
		defer clear(k.Value)
		if strengthen, err = enctype.NewKey(k.Etype, k.Value); err != nil {
			return nil, modified("strengthen-key: %w", err)
		}
	}
	return strengthen, nil
}

// strengthened is the reply key after FAST; a nil strengthen changes nothing.
func strengthened(strengthen, key *enctype.Key) (*enctype.Key, error) {
	if strengthen == nil {
		return key, nil
	}
	return enctype.CF2(strengthen, key, "strengthenkey", "replykey")
}

// refused returns the error that stands under armor in another one's METHOD-DATA
// (RFC 6113 §5.4.4). An error without armor is returned as it is: it proves
// nothing, and what it says about preauthentication is not looked at. One with
// broken armor is no error of the KDC's at all.
func (f *fast) refused(e *Error, nonce uint32) (*Error, error) {
	outer, err := wire.ParseMethodData(e.Data)
	if err != nil {
		return e, nil
	}
	resp, err := f.open(outer, nonce)
	if errors.Is(err, krberr.FASTRequired) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	pa, ok := find(resp.PAData, wire.PAFXError)
	if !ok {
		return nil, modified("no error stands under the error's armor")
	}
	inner, err := wire.ParseKRBError(pa.Value)
	if err != nil {
		return nil, modified("PA-FX-ERROR: %w", err)
	}
	in := newError(inner)
	in.armored, in.padata = true, resp.PAData
	return in, nil
}

// hidden is the name that an AS-REQ shows when the real one is only for the KDC
// (RFC 6113 §5.4.2, hide-client-names).
func hidden(realm string) principal.Name { return principal.Anonymous.WithRealm(realm) }
