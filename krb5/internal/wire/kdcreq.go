package wire

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// KDC options (RFC 4120 §5.4.1, RFC 6806 §8, RFC 8062 §3, MS-SFU); bit 0 is
// 1<<31.
const (
	OptForwardable           uint32 = 1 << 30
	OptForwarded             uint32 = 1 << 29
	OptProxiable             uint32 = 1 << 28
	OptProxy                 uint32 = 1 << 27
	OptAllowPostdate         uint32 = 1 << 26
	OptPostdated             uint32 = 1 << 25
	OptRenewable             uint32 = 1 << 23
	OptCNameInAddlTkt        uint32 = 1 << 17
	OptCanonicalize          uint32 = 1 << 16
	OptRequestAnonymous      uint32 = 1 << 15
	OptDisableTransitedCheck uint32 = 1 << 5
	OptRenewableOK           uint32 = 1 << 4
	OptEncTktInSKey          uint32 = 1 << 3
	OptRenew                 uint32 = 1 << 1
	OptValidate              uint32 = 1 << 0
)

// KDCReq is an AS-REQ or a TGS-REQ (RFC 4120 §5.4.1).
type KDCReq struct {
	Type   MsgType  // MsgASReq or MsgTGSReq
	PAData []PAData // optional
	Body   KDCReqBody
}

// Append appends the DER of x to dst.
func (x *KDCReq) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(uint8(x.Type))
	w.int32(1, version)
	w.int32(2, int32(x.Type))
	w.paData(3, x.PAData)
	body := w.open(classContext | 4)
	w.b = x.Body.Append(w.b)
	w.close(body)
	w.end(m)
	return w.b
}

// ParseKDCReq parses the DER of an AS-REQ or a TGS-REQ.
func ParseKDCReq(b []byte) (*KDCReq, error) {
	x := new(KDCReq)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *KDCReq) parse(b []byte) error {
	t, s := message(b, MsgASReq, MsgTGSReq)
	x.Type = t
	s.version(1, "pvno")
	s.msgType(2, t)
	x.PAData = s.paData(3)
	body := s.explicit(4, "req-body")
	if err := s.end(t.String()); err != nil {
		return err
	}
	return x.Body.parse(body)
}

// KDCReqBody is a KDC-REQ-BODY (RFC 4120 §5.4.1).
type KDCReqBody struct {
	Options uint32
	// Client is optional. Its realm is not used: in an AS-REQ it is Realm, in a
	// TGS-REQ that of the ticket.
	Client principal.Name
	// Realm is that of the server, and of the client in an AS-REQ.
	Realm string
	// Server is optional; its realm is Realm, and is set so by parsing.
	Server   principal.Name
	From     time.Time // optional
	Till     time.Time
	RTime    time.Time // optional
	Nonce    uint32
	Etypes   []etype.ID
	Addrs    []HostAddress  // optional
	EncAuthz *EncryptedData // optional
	Tickets  []Ticket       // optional
	// Raw is the body as it was received: what checksums are made over. If it
	// is set Append writes it and nothing else.
	Raw []byte
}

// Append appends the DER of x to dst: the input of the checksum in a TGS-REQ's
// authenticator.
func (x *KDCReqBody) Append(dst []byte) []byte {
	if x.Raw != nil {
		return append(dst, x.Raw...)
	}
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.flags(0, x.Options)
	w.optionalName(1, &x.Client)
	w.str(2, x.Realm)
	w.optionalName(3, &x.Server)
	w.optionalTime(4, x.From)
	w.time(5, x.Till)
	w.optionalTime(6, x.RTime)
	w.uint32(7, x.Nonce)
	e := w.open(classContext | 8)
	w.etypes(x.Etypes)
	w.close(e)
	w.addresses(9, x.Addrs)
	if x.EncAuthz != nil {
		w.encrypted(10, x.EncAuthz)
	}
	if x.Tickets != nil {
		w.tickets(11, x.Tickets)
	}
	w.close(m)
	return w.b
}

func (x *KDCReqBody) parse(b cryptobyte.String) error {
	in, err := whole(b, "req-body")
	s := seq{in, err}
	x.Raw = b
	x.Options = s.flags(0, "kdc-options")
	s.optionalName(1, "cname", &x.Client)
	x.Realm = s.str(2, "realm")
	if s.has(3) {
		x.Server.Realm = x.Realm
		s.optionalName(3, "sname", &x.Server)
	}
	x.From = s.optionalTime(4, "from")
	x.Till = s.time(5, "till")
	x.RTime = s.optionalTime(6, "rtime")
	x.Nonce = s.uint32(7, "nonce")
	if in := s.value(8, asn1.SEQUENCE, "etype"); s.err == nil {
		var ok bool
		if x.Etypes, ok = parseEtypes(in); !ok {
			s.fail("etype")
		}
	}
	x.Addrs = s.addresses(9, "addresses")
	if s.has(10) {
		x.EncAuthz = new(EncryptedData)
		s.encrypted(10, "enc-authorization-data", x.EncAuthz)
	}
	if s.has(11) {
		x.Tickets = s.tickets(11, "additional-tickets")
	}
	return s.end("req-body")
}
