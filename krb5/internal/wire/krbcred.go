package wire

import (
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// KRBCred is a KRB-CRED (RFC 4120 §5.8.1).
type KRBCred struct {
	Tickets []Ticket
	Enc     EncryptedData
}

// Append appends the DER of x to dst.
func (x *KRBCred) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(uint8(MsgCred))
	w.int32(0, version)
	w.int32(1, int32(MsgCred))
	w.tickets(2, x.Tickets)
	w.encrypted(3, &x.Enc)
	w.end(m)
	return w.b
}

// ParseKRBCred parses the DER of a KRB-CRED.
func ParseKRBCred(b []byte) (*KRBCred, error) {
	x := new(KRBCred)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *KRBCred) parse(b []byte) error {
	_, s := message(b, MsgCred, MsgCred)
	s.version(0, "pvno")
	s.msgType(1, MsgCred)
	x.Tickets = s.tickets(2, "tickets")
	s.encrypted(3, "enc-part", &x.Enc)
	return s.end("KRB-CRED")
}

// EncKrbCredPart is what a KRB-CRED has encrypted (RFC 4120 §5.8.1).
type EncKrbCredPart struct {
	// TicketInfo has one entry for each ticket, in the same order; parsing does
	// not know the tickets and so does not check it.
	TicketInfo []KrbCredInfo
	// Nonce counts if HasNonce is set.
	Nonce    uint32
	HasNonce bool
	// Time is timestamp and usec, which are both optional. It is absent if
	// timestamp is.
	Time               time.Time
	SAddress, RAddress *HostAddress // optional
}

// KrbCredInfo describes a ticket in a KRB-CRED (RFC 4120 §5.8.1). All but Key
// is optional.
type KrbCredInfo struct {
	Key    EncryptionKey
	Client principal.Name
	// Flags counts if HasFlags is set.
	Flags    uint32
	HasFlags bool

	AuthTime, StartTime, EndTime, RenewTill time.Time

	Server principal.Name
	Addrs  []HostAddress
}

// Append appends the DER of x to dst.
func (x *EncKrbCredPart) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(tagEncKrbCredPart)
	info := w.open(classContext) // [0]
	appendBareList(&w, x.TicketInfo, (*KrbCredInfo).fields)
	w.close(info)
	if x.HasNonce {
		w.uint32(1, x.Nonce)
	}
	if !x.Time.IsZero() {
		w.time(2, x.Time)
		w.micros(3, x.Time)
	}
	w.address(4, x.SAddress)
	w.address(5, x.RAddress)
	w.end(m)
	return w.b
}

func (x *KrbCredInfo) fields(b []byte) []byte {
	w := builder{b}
	w.key(0, &x.Key)
	if x.Client.Realm != "" {
		w.str(1, x.Client.Realm)
	}
	w.optionalName(2, &x.Client)
	if x.HasFlags {
		w.flags(3, x.Flags)
	}
	w.optionalTime(4, x.AuthTime)
	w.optionalTime(5, x.StartTime)
	w.optionalTime(6, x.EndTime)
	w.optionalTime(7, x.RenewTill)
	if x.Server.Realm != "" {
		w.str(8, x.Server.Realm)
	}
	w.optionalName(9, &x.Server)
	w.addresses(10, x.Addrs)
	return w.b
}

// ParseEncKrbCredPart parses the DER of an EncKrbCredPart.
func ParseEncKrbCredPart(b []byte) (*EncKrbCredPart, error) {
	x := new(EncKrbCredPart)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *EncKrbCredPart) parse(b []byte) error {
	s := application(b, tagEncKrbCredPart, "EncKrbCredPart")
	x.TicketInfo = list(&s, 0, "ticket-info", (*KrbCredInfo).read)
	if x.HasNonce = s.has(1); x.HasNonce {
		x.Nonce = s.uint32(1, "nonce")
	}
	x.Time = s.optionalTime(2, "timestamp")
	if s.has(3) {
		usec := s.micros(3, "usec")
		if !x.Time.IsZero() {
			x.Time = x.Time.Add(usec)
		}
	}
	x.SAddress = s.address(4, "s-address")
	x.RAddress = s.address(5, "r-address")
	return s.end("EncKrbCredPart")
}

func (x *KrbCredInfo) read(in cryptobyte.String) error {
	s := seq{in: in}
	s.key(0, "key", &x.Key)
	x.Client.Realm = s.optionalRealm(1, "prealm")
	s.optionalName(2, "pname", &x.Client)
	if x.HasFlags = s.has(3); x.HasFlags {
		x.Flags = s.flags(3, "flags")
	}
	x.AuthTime = s.optionalTime(4, "authtime")
	x.StartTime = s.optionalTime(5, "starttime")
	x.EndTime = s.optionalTime(6, "endtime")
	x.RenewTill = s.optionalTime(7, "renew-till")
	x.Server.Realm = s.optionalRealm(8, "srealm")
	s.optionalName(9, "sname", &x.Server)
	x.Addrs = s.addresses(10, "caddr")
	return s.end("KrbCredInfo")
}
