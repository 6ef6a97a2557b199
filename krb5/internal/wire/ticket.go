package wire

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// Ticket flags (RFC 4120 §5.3, RFC 6806 §11, RFC 8062 §3); bit 0 is 1<<31.
const (
	FlagForwardable            uint32 = 1 << 30
	FlagForwarded              uint32 = 1 << 29
	FlagProxiable              uint32 = 1 << 28
	FlagProxy                  uint32 = 1 << 27
	FlagMayPostdate            uint32 = 1 << 26
	FlagPostdated              uint32 = 1 << 25
	FlagInvalid                uint32 = 1 << 24
	FlagRenewable              uint32 = 1 << 23
	FlagInitial                uint32 = 1 << 22
	FlagPreAuthent             uint32 = 1 << 21
	FlagHWAuthent              uint32 = 1 << 20
	FlagTransitedPolicyChecked uint32 = 1 << 19
	FlagOKAsDelegate           uint32 = 1 << 18
	FlagEncPARep               uint32 = 1 << 16
	FlagAnonymous              uint32 = 1 << 15
)

// TransitedX500 is the DOMAIN-X500-COMPRESS encoding of transited realms (RFC
// 4120 §3.3.3.2).
const TransitedX500 int32 = 1

// Ticket is a ticket for Server (RFC 4120 §5.3).
type Ticket struct {
	Server principal.Name
	Enc    EncryptedData
	// Raw is the ticket as it was received. If it is set Append writes it and
	// nothing else, so that a ticket is passed on as it came; a ticket from a
	// cache needs only this field.
	Raw []byte
}

// Append appends the DER of x to dst.
func (x *Ticket) Append(dst []byte) []byte {
	w := builder{dst}
	w.ticket(x)
	return w.b
}

func (w *builder) ticket(x *Ticket) {
	if x.Raw != nil {
		w.b = append(w.b, x.Raw...)
		return
	}
	m := w.application(tagTicket)
	w.int32(0, version)
	w.str(1, x.Server.Realm)
	w.name(2, &x.Server)
	w.encrypted(3, &x.Enc)
	w.end(m)
}

// ParseTicket parses the DER of a ticket and sets Raw.
func ParseTicket(b []byte) (*Ticket, error) {
	x := new(Ticket)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *Ticket) parse(b []byte) error {
	s := application(b, tagTicket, "Ticket")
	s.version(0, "tkt-vno")
	x.Server.Realm = s.str(1, "realm")
	s.name(2, "sname", &x.Server)
	s.required(&x.Server, "sname")
	s.encrypted(3, "enc-part", &x.Enc)
	x.Raw = b
	return s.end("Ticket")
}

// ticket reads a field that is a ticket.
func (s *seq) ticket(tag uint8, x *Ticket) {
	if b := s.explicit(tag, "ticket"); s.err == nil {
		s.err = x.parse(b)
	}
}

// tickets reads a field that is a SEQUENCE OF Ticket.
func (s *seq) tickets(tag uint8, field string) []Ticket {
	in := s.value(tag, asn1.SEQUENCE, field)
	list := []Ticket{}
	for s.err == nil && !in.Empty() {
		var b cryptobyte.String
		if len(list) == maxList || !in.ReadASN1Element(&b, asn1.Tag(classApplication|tagTicket)) {
			s.fail(field)
			break
		}
		list = append(list, Ticket{})
		s.err = list[len(list)-1].parse(b)
	}
	return list
}

func (w *builder) tickets(tag uint8, v []Ticket) {
	m := w.sequence(tag)
	for i := range v {
		w.ticket(&v[i])
	}
	w.end(m)
}

// EncTicketPart is what a ticket has encrypted (RFC 4120 §5.3).
type EncTicketPart struct {
	Flags         uint32
	Key           EncryptionKey
	Client        principal.Name
	TransitedType int32
	Transited     []byte
	AuthTime      time.Time
	StartTime     time.Time // optional
	EndTime       time.Time
	RenewTill     time.Time     // optional
	Addrs         []HostAddress // optional
	AuthzData     []AuthzDatum  // optional
}

// Append appends the DER of x to dst.
func (x *EncTicketPart) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(tagEncTicketPart)
	w.flags(0, x.Flags)
	w.key(1, &x.Key)
	w.str(2, x.Client.Realm)
	w.name(3, &x.Client)
	t := w.sequence(4)
	w.int32(0, x.TransitedType)
	w.octets(1, x.Transited)
	w.end(t)
	w.time(5, x.AuthTime)
	w.optionalTime(6, x.StartTime)
	w.time(7, x.EndTime)
	w.optionalTime(8, x.RenewTill)
	w.addresses(9, x.Addrs)
	w.authzData(10, x.AuthzData)
	w.end(m)
	return w.b
}

// ParseEncTicketPart parses the DER of an EncTicketPart.
func ParseEncTicketPart(b []byte) (*EncTicketPart, error) {
	x := new(EncTicketPart)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *EncTicketPart) parse(b []byte) error {
	s := application(b, tagEncTicketPart, "EncTicketPart")
	x.Flags = s.flags(0, "flags")
	s.key(1, "key", &x.Key)
	x.Client.Realm = s.str(2, "crealm")
	s.name(3, "cname", &x.Client)
	s.required(&x.Client, "cname")
	t := s.sequence(4, "transited")
	x.TransitedType = t.int32(0, "transited")
	x.Transited = t.octets(1, "transited")
	s.leave(&t, "transited")
	x.AuthTime = s.time(5, "authtime")
	x.StartTime = s.optionalTime(6, "starttime")
	x.EndTime = s.time(7, "endtime")
	x.RenewTill = s.optionalTime(8, "renew-till")
	x.Addrs = s.addresses(9, "caddr")
	x.AuthzData = s.authzData(10, "authorization-data")
	return s.end("EncTicketPart")
}
