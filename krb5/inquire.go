package krb5

import (
	"encoding/binary"
	"fmt"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/secret"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Established is what the functions below take: an established context of
// package gssapi, negotiated or not.
type Established interface{ Engine() mech.Context }

// Key is an encryption key. It prints as "[redacted]"; Value.Bytes is the key.
type Key = secret.Key

// base is what both sides of a context, and imported ones, have in common.
type base interface{ common() *secContext }

func (c *secContext) common() *secContext { return c }

// of returns the Kerberos context behind c. It must be established.
func of(op string, c Established) (*secContext, error) {
	if c != nil {
		if b, ok := c.Engine().(base); ok {
			s := b.common()
			if _, ok := s.holds(); ok {
				return s, nil
			}
			return nil, fail(op, gsserr.ErrNoContext, nil)
		}
	}
	return nil, fail(op, gsserr.ErrUnavailable, fmt.Errorf("not an established Kerberos context"))
}

// SessionKey returns the key that SMB and other protocols derive theirs from,
// which Windows calls the session key: the acceptor's subkey, or the
// initiator's if there is none.
func SessionKey(c Established) (Key, error) {
	s, err := of("inquire_sec_context_by_oid", c)
	if err != nil {
		return Key{}, err
	}
	return s.messageKey()
}

func (c *secContext) messageKey() (Key, error) {
	p, ok := c.prot.State()
	if !ok {
		return Key{}, fail("inquire_sec_context_by_oid", gsserr.ErrNoContext, nil)
	}
	return whole(messageKey(p))
}

// TicketSessionKey returns the session key of the ticket.
func TicketSessionKey(c Established) (Key, error) {
	s, err := of("inquire_sec_context_by_oid", c)
	if err != nil {
		return Key{}, err
	}
	h, ok := s.holds()
	if !ok {
		return Key{}, fail("inquire_sec_context_by_oid", gsserr.ErrNoContext, nil)
	}
	return whole(h.session)
}

// whole exports a key that Close has not cleared meanwhile.
func whole(k *enctype.Key) (Key, error) {
	e := export(k)
	if len(e.Value.Bytes()) == 0 {
		return Key{}, fail("inquire_sec_context_by_oid", gsserr.ErrNoContext, nil)
	}
	return e, nil
}

func export(k *enctype.Key) Key {
	b := k.Bytes()
	defer clear(b)
	return Key{Enctype: k.Enctype(), Value: secret.New(b)}
}

// AuthTime returns when the client logged in, as the ticket says.
func AuthTime(c Established) (time.Time, error) {
	s, err := of("inquire_sec_context_by_oid", c)
	if err != nil {
		return time.Time{}, err
	}
	return s.authTime, nil
}

// TicketFlags returns the flags of the ticket (RFC 4120 §5.3), bit 0 as 1<<31.
func TicketFlags(c Established) (uint32, error) {
	s, err := of("inquire_sec_context_by_oid", c)
	if err != nil {
		return 0, err
	}
	return s.ticketFlags, nil
}

// AuthzData returns the authorization data of a type, at top level or in an
// AD-IF-RELEVANT. What only a KDC may say (a PAC, 128, among others) comes from
// the ticket alone; of other types the client's own, from its authenticator,
// follow. Nothing in them has been verified beyond that. An initiator, which
// cannot read the ticket, gets none.
func AuthzData(c Established, adType int32) ([][]byte, error) {
	s, err := of("inquire_sec_context_by_oid", c)
	if err != nil {
		return nil, err
	}
	return s.authorization(adType), nil
}

func (c *secContext) authorization(adType int32) [][]byte {
	h, _ := c.holds()
	found := collect(nil, h.authz, adType, 0)
	switch adType {
	case wire.ADKDCIssued, wire.ADCAMMAC, wire.ADAuthIndicator, wire.ADWin2KPAC, wire.ADSignTicket:
		return found
	}
	return collect(found, h.claims, adType, 0)
}

// maxNested is how deep AD-IF-RELEVANT containers are opened.
const maxNested = 4

func collect(found [][]byte, ad []wire.AuthzDatum, adType int32, depth int) [][]byte {
	for _, d := range ad {
		if d.Type == adType {
			found = append(found, append([]byte(nil), d.Data...))
		} else if d.Type == wire.ADIfRelevant && depth < maxNested {
			if inner, err := wire.ParseAuthzData(d.Data); err == nil {
				found = collect(found, inner, adType, depth+1)
			}
		}
	}
	return found
}

// Inquire implements [mech.Inquirer] with MIT's questions: ticket flags, time of
// login, authorization data, session keys and strength. Integers are in the
// host's byte order, but the strength, which is big-endian, as in C.
func (c *secContext) Inquire(aspect oid.OID) ([][]byte, error) {
	const op = "inquire_sec_context_by_oid"
	h, ok := c.holds()
	if !ok {
		return nil, fail(op, gsserr.ErrNoContext, nil)
	}
	native := func(v uint32) [][]byte { return [][]byte{binary.NativeEndian.AppendUint32(nil, v)} }
	switch aspect {
	case oid.Krb5TicketFlags:
		return native(c.ticketFlags), nil
	case oid.Krb5AuthTime:
		return native(uint32(c.authTime.Unix())), nil
	case oid.Krb5SSPISessionKey:
		k, err := c.messageKey()
		return answerKey(k), err
	case oid.Krb5ODBCSessionKey:
		k, err := whole(h.session)
		return answerKey(k), err
	case oid.Krb5SASLSSF:
		k, err := c.messageKey()
		if err != nil {
			return nil, err
		}
		return [][]byte{binary.BigEndian.AppendUint32(nil, strength(k))}, nil
	}
	if aspect.HasPrefix(oid.Krb5AuthzData) {
		arcs := aspect.Arcs()
		if len(arcs) != len(oid.Krb5AuthzData.Arcs())+1 || arcs[len(arcs)-1] == 0 {
			return nil, fail(op, gsserr.ErrFailure, fmt.Errorf("the type of authorization data is missing"))
		}
		return c.authorization(int32(arcs[len(arcs)-1])), nil
	}
	return nil, fail(op, gsserr.ErrUnavailable, nil)
}

// strength is how many bits of strength SASL layers may count on, with MIT's
// judgment of the two old ciphers.
func strength(k Key) uint32 {
	switch k.Enctype {
	case DES3SHA1:
		return 112
	case RC4:
		return 64
	}
	return uint32(8 * len(k.Value.Bytes()))
}

// answerKey is the key and the OID of its type, as contents octets.
func answerKey(k Key) [][]byte {
	if k.Enctype == 0 {
		return nil
	}
	return [][]byte{append([]byte(nil), k.Value.Bytes()...), oid.Krb5SessionKeyEnctype.Append(uint64(k.Enctype)).DER()}
}

// ProcessToken implements [mech.TokenProcessor]. Of the tokens of RFC 1964 there
// is one that a peer may send by itself, and that ends the context; those of RFC
// 4121 have none.
func (c *secContext) ProcessToken(token []byte) error {
	const op = "process_context_token"
	if _, ok := c.holds(); !ok {
		return fail(op, gsserr.ErrNoContext, nil)
	}
	p, ok := c.prot.(mech.TokenProcessor)
	if !ok {
		return fail(op, gsserr.ErrDefectiveToken, krberr.GSSWrongTokID)
	}
	if err := p.ProcessToken(token); err != nil {
		return err
	}
	return c.Close()
}
