package kdcclient

import (
	"context"
	"crypto/rand"
	"encoding/binary"

	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// request builds the next AS-REQ in l.raw, with a nonce and times of its own.
func (l *login) request(ctx context.Context) error {
	now := l.c.now(l.offset)
	l.nonce = newNonce()
	l.till = until(now, l.lifetime)
	if l.renewable > 0 {
		// As long as the ticket at least: a shorter wish would be no wish.
		l.rtime = until(now, max(l.renewable, l.lifetime))
	}
	if err := l.arm(ctx); err != nil {
		return err
	}
	body := wire.KDCReqBody{
		Options: l.options,
		Client:  l.client,
		Realm:   l.client.Realm,
		Server:  l.server,
		Till:    l.till,
		RTime:   l.rtime,
		Nonce:   l.nonce,
		Etypes:  l.etypes,
		Addrs:   l.addrs,
	}
	// What proofs are bound to is what is sent: the body is encoded once.
	l.body = body.Append(nil)
	var padata []wire.PAData
	if l.mech != nil {
		answer, err := l.mech.respond(ctx, l)
		if err != nil {
			return err
		}
		padata = append(padata, answer...)
		if cookie, ok := find(l.offered, wire.PAFXCookie); ok {
			padata = append(padata, cookie)
		}
	}
	if l.mech == nil && l.r.PKINIT != nil {
		// Asks for a token that proves when the signature was made (RFC 8070).
		padata = append(padata, wire.PAData{Type: wire.PAASFreshness, Value: []byte{}})
	}
	// Asks for proof in the reply that this request arrived as it was sent.
	padata = append(padata, wire.PAData{Type: wire.PAReqEncPARep, Value: []byte{}})
	req := wire.KDCReq{Type: wire.MsgASReq, PAData: padata, Body: wire.KDCReqBody{Raw: l.body}}
	if l.fast != nil {
		var options uint32
		if l.r.HideClient {
			options |= wire.FastHideClientNames
			body.Client = hidden(body.Realm)
			req.Body.Raw = body.Append(nil)
		}
		armored, err := l.fast.wrap(options, padata, l.body, req.Body.Raw)
		if err != nil {
			return err
		}
		req.PAData = []wire.PAData{armored}
	}
	l.raw = req.Append(nil)
	return nil
}

// arm makes the armor for the realm that is asked, if the login has any.
func (l *login) arm(ctx context.Context) error {
	if l.r.Armor == nil || l.fast != nil && l.fast.realm == l.client.Realm {
		return nil
	}
	offset := l.r.ArmorOffset
	if l.synced {
		offset = l.offset
	}
	var err error
	l.fast, err = l.c.armor(ctx, l.r.Armor, l.client.Realm, offset)
	return err
}

// newNonce returns 31 random bits: there are KDCs that read a signed number.
func newNonce() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:]) >> 1
}

// find returns the first element of a type.
func find(list []wire.PAData, typ int32) (wire.PAData, bool) {
	for _, pa := range list {
		if pa.Type == typ {
			return pa, true
		}
	}
	return wire.PAData{}, false
}
