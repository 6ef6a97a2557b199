package apreq

import (
	"fmt"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// usageCred is the key usage of a KRB-CRED (RFC 4120 §7.5.1).
const usageCred = 14

// maxTickets is how many tickets a KRB-CRED may have. One is what everybody
// sends.
const maxTickets = 16

// SealCred returns the KRB-CRED message (RFC 4120 §5.8.1) that hands a ticket on
// to an acceptor. It has neither time nor addresses: the authenticator around it
// says all of that.
func SealCred(c *ccache.Credential, key *enctype.Key) ([]byte, error) {
	info := wire.KrbCredInfo{
		Key:       wire.EncryptionKey{Etype: c.Key.Enctype, Value: c.Key.Value.Bytes()},
		Client:    c.Client,
		Flags:     c.Flags,
		HasFlags:  true,
		AuthTime:  c.AuthTime,
		StartTime: c.StartTime,
		EndTime:   c.EndTime,
		RenewTill: c.RenewTill,
		Server:    c.Server,
	}
	for _, a := range c.Addresses {
		info.Addrs = append(info.Addrs, wire.HostAddress{Type: a.Type, Addr: a.Bytes})
	}
	part := wire.EncKrbCredPart{TicketInfo: []wire.KrbCredInfo{info}}
	plain := part.Append(nil)
	cipher, err := key.Encrypt(nil, plain, usageCred)
	clear(plain)
	if err != nil {
		return nil, fail(gsserr.ErrFailure, err)
	}
	msg := wire.KRBCred{
		Tickets: []wire.Ticket{{Raw: c.Ticket}},
		Enc:     wire.EncryptedData{Etype: key.Enctype(), Cipher: cipher},
	}
	return msg.Append(nil), nil
}

// OpenCred opens a KRB-CRED message that came in an authenticator, and returns
// the first ticket in it; nobody sends more. The keys, of which any may be nil,
// are tried in order. A message without encryption, type 0, is read too: the
// authenticator's protects it (RFC 6448). Where the message does not name the
// client, it is the given one.
//
// Any defect is ErrFailure: krberr.APBadIntegrity if no key fits,
// krberr.ASN1ParseError or krberr.APMsgType if it is malformed.
func OpenCred(msg []byte, client principal.Name, keys ...*enctype.Key) (*ccache.Credential, error) {
	cred, err := wire.ParseKRBCred(msg)
	if err != nil {
		return nil, fail(gsserr.ErrFailure, err)
	}
	plain, err := openCredPart(&cred.Enc, keys)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	part, err := wire.ParseEncKrbCredPart(plain)
	if err != nil {
		return nil, fail(gsserr.ErrFailure, err)
	}
	n := len(cred.Tickets)
	if n == 0 || n > maxTickets || n != len(part.TicketInfo) {
		return nil, fail(gsserr.ErrFailure, fmt.Errorf("%w: KRB-CRED with %d tickets and %d descriptions", wire.ErrSyntax, n, len(part.TicketInfo)))
	}
	ticket, info := &cred.Tickets[0], &part.TicketInfo[0]
	c := &ccache.Credential{
		Client:    owned(info.Client, client),
		Server:    owned(info.Server, ticket.Server),
		Key:       secret.Key{Enctype: info.Key.Etype, Value: secret.New(info.Key.Value)},
		Flags:     info.Flags,
		AuthTime:  info.AuthTime,
		StartTime: info.StartTime,
		EndTime:   info.EndTime,
		RenewTill: info.RenewTill,
		Ticket:    slices.Clone(ticket.Raw),
	}
	if c.IsConf() {
		return nil, fail(gsserr.ErrFailure, fmt.Errorf("%w: KRB-CRED with the name of a cache's configuration", wire.ErrSyntax))
	}
	for _, a := range info.Addrs {
		c.Addresses = append(c.Addresses, ccache.Address{Type: a.Type, Bytes: slices.Clone(a.Addr)})
	}
	return c, nil
}

// openCredPart decrypts the inner part of a KRB-CRED. The result is the
// caller's to wipe.
func openCredPart(enc *wire.EncryptedData, keys []*enctype.Key) ([]byte, error) {
	if enc.Etype == 0 {
		return slices.Clone(enc.Cipher), nil
	}
	for _, k := range keys {
		if k == nil || k.Enctype() != enc.Etype {
			continue
		}
		if plain, err := k.Decrypt(nil, enc.Cipher, usageCred); err == nil {
			return plain, nil
		}
	}
	return nil, fail(gsserr.ErrFailure, fmt.Errorf("KRB-CRED: %w", krberr.APBadIntegrity))
}

// owned returns the name that a message has, or else another one.
func owned(n, other principal.Name) principal.Name {
	if len(n.Components) == 0 {
		return other
	}
	if n.Realm == "" {
		n.Realm = other.Realm
	}
	return n
}
