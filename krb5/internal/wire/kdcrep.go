package wire

import (
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// KDCRep is an AS-REP or a TGS-REP (RFC 4120 §5.4.2).
type KDCRep struct {
	Type   MsgType  // MsgASRep or MsgTGSRep
	PAData []PAData // optional
	// Client may have no components: Heimdal writes an empty name where the one
	// under the armor of FAST counts.
	Client principal.Name
	Ticket Ticket
	Enc    EncryptedData
}

// Append appends the DER of x to dst.
func (x *KDCRep) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(uint8(x.Type))
	w.int32(0, version)
	w.int32(1, int32(x.Type))
	w.paData(2, x.PAData)
	w.str(3, x.Client.Realm)
	w.name(4, &x.Client)
	t := w.open(classContext | 5)
	w.ticket(&x.Ticket)
	w.close(t)
	w.encrypted(6, &x.Enc)
	w.end(m)
	return w.b
}

// ParseKDCRep parses the DER of an AS-REP or a TGS-REP.
func ParseKDCRep(b []byte) (*KDCRep, error) {
	x := new(KDCRep)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *KDCRep) parse(b []byte) error {
	t, s := message(b, MsgASRep, MsgTGSRep)
	x.Type = t
	s.version(0, "pvno")
	s.msgType(1, t)
	x.PAData = s.paData(2)
	x.Client.Realm = s.str(3, "crealm")
	s.name(4, "cname", &x.Client)
	s.ticket(5, &x.Ticket)
	s.encrypted(6, "enc-part", &x.Enc)
	return s.end(t.String())
}

// LastReq is one element of last-req (RFC 4120 §5.4.2).
type LastReq struct {
	Type  int32
	Value time.Time
}

func (x *LastReq) fields(b []byte) []byte {
	w := builder{b}
	w.int32(0, x.Type)
	w.time(1, x.Value)
	return w.b
}

func (x *LastReq) read(in cryptobyte.String) error {
	s := seq{in: in}
	x.Type = s.int32(0, "lr-type")
	x.Value = s.time(1, "lr-value")
	return s.end("last-req")
}

// EncKDCRepPart is what an AS-REP or a TGS-REP has encrypted (RFC 4120 §5.4.2,
// RFC 6806 §11).
type EncKDCRepPart struct {
	// Type is MsgASRep or MsgTGSRep. The message around it decides what it is:
	// some KDCs put an EncTGSRepPart into an AS-REP, which RFC 4120 §5.4.2
	// allows. Append takes any other value for MsgASRep.
	Type          MsgType
	Key           EncryptionKey
	LastReq       []LastReq
	Nonce         uint32
	KeyExpiration time.Time // optional
	Flags         uint32
	AuthTime      time.Time
	StartTime     time.Time // optional
	EndTime       time.Time
	RenewTill     time.Time // optional
	Server        principal.Name
	Addrs         []HostAddress // optional
	PAData        []PAData      // optional: encrypted-pa-data
}

// Append appends the DER of x to dst.
func (x *EncKDCRepPart) Append(dst []byte) []byte {
	w := builder{dst}
	tag := tagEncASRepPart
	if x.Type == MsgTGSRep {
		tag = tagEncTGSRepPart
	}
	m := w.application(tag)
	w.key(0, &x.Key)
	last := w.open(classContext | 1)
	appendBareList(&w, x.LastReq, (*LastReq).fields)
	w.close(last)
	w.uint32(2, x.Nonce)
	w.optionalTime(3, x.KeyExpiration)
	w.flags(4, x.Flags)
	w.time(5, x.AuthTime)
	w.optionalTime(6, x.StartTime)
	w.time(7, x.EndTime)
	w.optionalTime(8, x.RenewTill)
	w.str(9, x.Server.Realm)
	w.name(10, &x.Server)
	w.addresses(11, x.Addrs)
	w.paData(12, x.PAData)
	w.end(m)
	return w.b
}

// ParseEncKDCRepPart parses the DER of an EncASRepPart or an EncTGSRepPart.
func ParseEncKDCRepPart(b []byte) (*EncKDCRepPart, error) {
	x := new(EncKDCRepPart)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *EncKDCRepPart) parse(b []byte) error {
	const name = "EncKDCRepPart"
	x.Type = MsgASRep
	tag := tagEncASRepPart
	if len(b) > 0 && b[0] == classApplication|tagEncTGSRepPart {
		x.Type, tag = MsgTGSRep, tagEncTGSRepPart
	}
	s := application(b, tag, name)
	s.key(0, "key", &x.Key)
	x.LastReq = list(&s, 1, "last-req", (*LastReq).read)
	x.Nonce = s.uint32(2, "nonce")
	x.KeyExpiration = s.optionalTime(3, "key-expiration")
	x.Flags = s.flags(4, "flags")
	x.AuthTime = s.time(5, "authtime")
	x.StartTime = s.optionalTime(6, "starttime")
	x.EndTime = s.time(7, "endtime")
	x.RenewTill = s.optionalTime(8, "renew-till")
	x.Server.Realm = s.str(9, "srealm")
	s.name(10, "sname", &x.Server)
	s.required(&x.Server, "sname")
	x.Addrs = s.addresses(11, "caddr")
	x.PAData = s.paData(12)
	return s.end(name)
}
