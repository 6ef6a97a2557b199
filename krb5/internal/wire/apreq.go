package wire

import (
	"time"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// AP options (RFC 4120 §5.5.1); bit 0 is 1<<31.
const (
	APUseSessionKey  uint32 = 1 << 30
	APMutualRequired uint32 = 1 << 29
)

// APReq is an AP-REQ (RFC 4120 §5.5.1).
type APReq struct {
	Options       uint32
	Ticket        Ticket
	Authenticator EncryptedData
}

// Append appends the DER of x to dst.
func (x *APReq) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(uint8(MsgAPReq))
	w.int32(0, version)
	w.int32(1, int32(MsgAPReq))
	w.flags(2, x.Options)
	t := w.open(classContext | 3)
	w.ticket(&x.Ticket)
	w.close(t)
	w.encrypted(4, &x.Authenticator)
	w.end(m)
	return w.b
}

// ParseAPReq parses the DER of an AP-REQ.
func ParseAPReq(b []byte) (*APReq, error) {
	x := new(APReq)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *APReq) parse(b []byte) error {
	_, s := message(b, MsgAPReq, MsgAPReq)
	s.version(0, "pvno")
	s.msgType(1, MsgAPReq)
	x.Options = s.flags(2, "ap-options")
	s.ticket(3, &x.Ticket)
	s.encrypted(4, "authenticator", &x.Authenticator)
	return s.end("AP-REQ")
}

// Authenticator is what an AP-REQ has encrypted (RFC 4120 §5.5.1).
type Authenticator struct {
	Client   principal.Name
	Checksum *Checksum // optional
	// Time is ctime and cusec.
	Time   time.Time
	Subkey *EncryptionKey // optional
	// Seq counts if HasSeq is set.
	Seq       uint32
	HasSeq    bool
	AuthzData []AuthzDatum // optional
}

// Append appends the DER of x to dst.
func (x *Authenticator) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(tagAuthenticator)
	w.int32(0, version)
	w.str(1, x.Client.Realm)
	w.name(2, &x.Client)
	if x.Checksum != nil {
		w.checksum(3, x.Checksum)
	}
	w.micros(4, x.Time)
	w.time(5, x.Time)
	if x.Subkey != nil {
		w.key(6, x.Subkey)
	}
	if x.HasSeq {
		w.uint32(7, x.Seq)
	}
	w.authzData(8, x.AuthzData)
	w.end(m)
	return w.b
}

// ParseAuthenticator parses the DER of an Authenticator.
func ParseAuthenticator(b []byte) (*Authenticator, error) {
	x := new(Authenticator)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *Authenticator) parse(b []byte) error {
	s := application(b, tagAuthenticator, "Authenticator")
	s.version(0, "authenticator-vno")
	x.Client.Realm = s.str(1, "crealm")
	s.name(2, "cname", &x.Client)
	s.required(&x.Client, "cname")
	if s.has(3) {
		x.Checksum = new(Checksum)
		s.checksum(3, "cksum", x.Checksum)
	}
	usec := s.micros(4, "cusec")
	x.Time = s.time(5, "ctime").Add(usec)
	if s.has(6) {
		x.Subkey = new(EncryptionKey)
		s.key(6, "subkey", x.Subkey)
	}
	if x.HasSeq = s.has(7); x.HasSeq {
		x.Seq = s.uint32(7, "seq-number")
	}
	x.AuthzData = s.authzData(8, "authorization-data")
	return s.end("Authenticator")
}
