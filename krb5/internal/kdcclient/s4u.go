package kdcclient

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
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

// Key usages of S4U (MS-SFU §2.2).
const (
	usageForUser   = 17
	usageS4UX509   = 26
	usageS4UX509Re = 27 // of a reply with S4UUseReplyKeyUsage
)

// cksumHMACMD5 is KERB_CHECKSUM_HMAC_MD5 (RFC 4757 §4).
const cksumHMACMD5 = -138

// authPackage is the only one there is (MS-SFU §2.2.1).
const authPackage = "Kerberos"

// ForUser gets a ticket to the owner of tgt itself in the name of a user
// (S4U2Self, MS-SFU §3.1.5.1.1), who is named or, with an enterprise name, found
// by the KDC. In a realm other than the service's the user's
// KDC is asked first, and its referrals lead home.
//
// Errors are as for [Client.Ticket], and krberr.KDCPadataTypeNosupp if the KDC
// does not know S4U2Self, or does not say for whom the ticket is and nobody else
// does (TicketOptions.Confirm).
func (c *Client) ForUser(ctx context.Context, tgt *ccache.Credential, user principal.Name, o *TicketOptions) (*ccache.Credential, error) {
	if err := usableTGT(tgt); err != nil {
		return nil, err
	}
	if o == nil {
		o = &TicketOptions{}
	}
	own := tgt.Client
	if user.Realm == "" {
		user.Realm = own.Realm
	}
	if len(user.Components) == 0 {
		return nil, fmt.Errorf("%w: no user", krberr.ParseMalformed)
	}
	if user.Type == principal.TypeEnterprise {
		var err error
		if user.Realm, err = c.identify(ctx, user); err != nil {
			return nil, err
		}
	}
	first, err := c.TGT(ctx, tgt, user.Realm, o)
	if err != nil {
		return nil, err
	}
	var s *s4uSelf
	got, err := c.chase(ctx, first, o, func(tgt *ccache.Credential, realm string) (*ask, error) {
		server := own
		if realm != own.Realm { // there the service is somebody from elsewhere
			server = principal.Name{Type: principal.TypeEnterprise, Realm: realm, Components: []string{own.String()}}
		}
		q, err := c.ask(tgt, server, wire.OptCanonicalize|o.KDCOptions, o)
		if err != nil {
			return nil, err
		}
		s = &s4uSelf{own: own, user: user, witness: o.Confirm != nil}
		q.padata, q.client = s.padata, s.client
		return q, nil
	})
	if err != nil {
		return nil, err
	}
	if !got.Server.Equal(own) {
		return nil, modified("it is for server %s", quote(got.Server.String()))
	}
	if s.unconfirmed {
		if err := o.Confirm(got.Credential); err != nil {
			return nil, err
		}
	}
	return got.Credential, nil
}

// identify returns the realm that a user is in, by asking for a ticket and
// looking at who refuses it.
func (c *Client) identify(ctx context.Context, user principal.Name) (string, error) {
	etypes, err := c.enctypes(nil, "default_tkt_enctypes")
	if err != nil {
		return "", err
	}
	realm := user.Realm
	seen := []string{realm}
	for {
		now := c.now(0)
		req := wire.KDCReq{Type: wire.MsgASReq, Body: wire.KDCReqBody{
			Options: wire.OptCanonicalize, Client: user, Realm: realm, Server: tgsOf(realm),
			Till: until(now, identifyLifetime), Nonce: newNonce(), Etypes: etypes,
		}}
		_, err := c.exchange(ctx, &conversation{realm: realm}, "AS-REQ", req.Append(nil))
		var refused *Error
		switch {
		case err == nil: // the user needs no preauthentication
			return realm, nil
		case !errors.As(err, &refused):
			return "", err
		case refused.Code == krberr.KDCPreauthRequired, refused.Code == krberr.KDCPreauthFailed:
			return realm, nil
		case refused.Code != krberr.KDCWrongRealm || refused.Client.Realm == "":
			return "", err
		}
		realm = refused.Client.Realm
		if err := follow(&seen, realm); err != nil {
			return "", err
		}
	}
}

const identifyLifetime = time.Minute // of a ticket that nobody is going to use

// s4uSelf is one request of an S4U2Self exchange.
type s4uSelf struct {
	own, user principal.Name
	id        wire.S4UUserID
	// witness says that somebody besides the KDC can tell whom the ticket is
	// for, unconfirmed that the KDC did not.
	witness, unconfirmed bool
}

// padata names the user, in the two forms that KDCs know. The one of RC4's time
// has a checksum with MD5, and is left out where that is not allowed; the newer
// one needs a keyed checksum and is left out with RC4 itself, of which it has
// none.
func (s *s4uSelf) padata(x *tgsExchange) ([]wire.PAData, error) {
	var list []wire.PAData
	s.id = wire.S4UUserID{Nonce: x.body.Nonce, User: s.user, Options: wire.S4UUseReplyKeyUsage, HasOptions: true}
	if signsUsers(x.subkey.Enctype()) {
		sum, err := x.subkey.Checksum(nil, usageS4UX509, s.id.Append(nil))
		if err != nil {
			return nil, err
		}
		typ, _ := enctype.ChecksumType(x.subkey.Enctype())
		v := wire.S4UX509User{ID: s.id, Checksum: wire.Checksum{Type: typ, Sum: sum}}
		list = append(list, wire.PAData{Type: wire.PAS4UX509User, Value: v.Append(nil)})
	}
	if enctype.Supported(etype.AES128SHA1) { // not FIPS mode
		key := x.session.Bytes()
		v := wire.S4UForUser{
			User:        s.user,
			Checksum:    wire.Checksum{Type: cksumHMACMD5, Sum: hmacMD5(key, usageForUser, forUserData(s.user))},
			AuthPackage: authPackage,
		}
		clear(key)
		list = append(list, wire.PAData{Type: wire.PAForUser, Value: v.Append(nil)})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no way to name the user with %s", krberr.ProgEtypeNosupp, x.subkey.Enctype())
	}
	return list, nil
}

// signsUsers reports whether a type has a keyed checksum for PA-S4U-X509-USER:
// all but the two of RC4, for which it is MD4.
func signsUsers(id etype.ID) bool { return id != etype.RC4 && id != etype.RC4Exp }

// client verifies that the KDC has understood whom the ticket is to be for: one
// that does not know S4U2Self would issue one for the service itself, and the
// client's name in a reply is not protected, but the answer to our padata is.
func (s *s4uSelf) client(x *tgsExchange, rep *wire.KDCRep, part *wire.EncKDCRepPart) error {
	confirmed, err := s.verify(x, rep)
	if err != nil {
		return err
	}
	switch {
	case part.Server.IsTGS(): // a referral, in whose name does not matter
		return nil
	case len(confirmed.Components) > 0 && !rep.Client.Equal(confirmed):
		return modified("it is for client %s, and confirms %s", quote(rep.Client.String()), quote(confirmed.String()))
	case rep.Client.Equal(s.own) && !s.user.Equal(s.own):
		return fmt.Errorf("%w: the ticket is for the service itself", krberr.KDCPadataTypeNosupp)
	case s.user.Type != principal.TypeEnterprise && !rep.Client.Equal(s.user):
		return modified("it is for client %s", quote(rep.Client.String()))
	}
	return nil
}

// verify checks the KDC's PA-S4U-X509-USER and returns the user in it.
func (s *s4uSelf) verify(x *tgsExchange, rep *wire.KDCRep) (user principal.Name, err error) {
	if !signsUsers(x.subkey.Enctype()) {
		return user, nil
	}
	pa, ok := find(rep.PAData, wire.PAS4UX509User)
	if !ok && x.fast != nil {
		// Heimdal's KDCs, and with them Samba's, know PA-FOR-USER alone. What
		// FAST protects in their replies includes the client's name.
		return user, nil
	}
	if !ok && s.witness {
		s.unconfirmed = true
		return user, nil
	}
	if !ok {
		return user, fmt.Errorf("%w: the KDC does not confirm the user", krberr.KDCPadataTypeNosupp)
	}
	v, err := wire.ParseS4UX509User(pa.Value)
	if err != nil {
		return user, modified("PA-S4U-X509-USER: %w", err)
	}
	usage := uint32(usageS4UX509)
	if v.ID.Options&wire.S4UUseReplyKeyUsage != 0 {
		usage = usageS4UX509Re
	}
	typ, _ := enctype.ChecksumType(x.subkey.Enctype())
	if v.Checksum.Type != typ {
		return user, fmt.Errorf("%w: PA-S4U-X509-USER with checksum type %d", krberr.APInappCksum, v.Checksum.Type)
	}
	if err := x.subkey.VerifyChecksum(v.Checksum.Sum, usage, v.ID.Raw); err != nil {
		return user, modified("PA-S4U-X509-USER: %w", err)
	}
	if v.ID.Nonce != s.id.Nonce {
		return user, modified("its PA-S4U-X509-USER answers another request")
	}
	return v.ID.User, nil
}

// forUserData is what the checksum of PA-FOR-USER is over.
func forUserData(user principal.Name) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(user.Type))
	for _, c := range user.Components {
		b = append(b, c...)
	}
	b = append(b, user.Realm...)
	return append(b, authPackage...)
}

// hmacMD5 is KERB_CHECKSUM_HMAC_MD5 (RFC 4757 §4) with a key of any type.
func hmacMD5(key []byte, usage uint32, data []byte) []byte {
	mac := func(key, data []byte) []byte {
		h := hmac.New(md5.New, key)
		h.Write(data)
		return h.Sum(nil)
	}
	sign := mac(key, []byte("signaturekey\x00"))
	inner := md5.New()
	inner.Write(binary.LittleEndian.AppendUint32(nil, usage))
	inner.Write(data)
	return mac(sign, inner.Sum(nil))
}
