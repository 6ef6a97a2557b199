package wire

import (
	"time"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// KRBError is a KRB-ERROR (RFC 4120 §5.9.1). Nothing in it is authentic.
type KRBError struct {
	// CTime is ctime and cusec, which are both optional. It is absent if ctime
	// is; a cusec alone says nothing.
	CTime time.Time
	// STime is stime and susec.
	STime time.Time
	// Code is an error-code of RFC 4120 §7.5.9; see [krberr.FromRFC].
	Code int32
	// Client is optional; its realm and its name are so independently.
	Client principal.Name
	// Server may have no components: Heimdal writes an empty name if it knows
	// none.
	Server principal.Name
	// Text is e-text, for people; "" is absent.
	Text string
	// Data is e-data; METHOD-DATA for some codes. Optional.
	Data []byte
}

// Append appends the DER of x to dst.
func (x *KRBError) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(uint8(MsgError))
	w.int32(0, version)
	w.int32(1, int32(MsgError))
	if !x.CTime.IsZero() {
		w.time(2, x.CTime)
		w.micros(3, x.CTime)
	}
	w.time(4, x.STime)
	w.micros(5, x.STime)
	w.int32(6, x.Code)
	if x.Client.Realm != "" {
		w.str(7, x.Client.Realm)
	}
	w.optionalName(8, &x.Client)
	w.str(9, x.Server.Realm)
	w.name(10, &x.Server)
	if x.Text != "" {
		w.str(11, x.Text)
	}
	if x.Data != nil {
		w.octets(12, x.Data)
	}
	w.end(m)
	return w.b
}

// ParseKRBError parses the DER of a KRB-ERROR.
func ParseKRBError(b []byte) (*KRBError, error) {
	x := new(KRBError)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *KRBError) parse(b []byte) error {
	_, s := message(b, MsgError, MsgError)
	s.version(0, "pvno")
	s.msgType(1, MsgError)
	x.CTime = s.optionalTime(2, "ctime")
	if s.has(3) {
		usec := s.micros(3, "cusec")
		if !x.CTime.IsZero() {
			x.CTime = x.CTime.Add(usec)
		}
	}
	t := s.time(4, "stime")
	x.STime = t.Add(s.micros(5, "susec"))
	x.Code = s.int32(6, "error-code")
	x.Client.Realm = s.optionalRealm(7, "crealm")
	s.optionalName(8, "cname", &x.Client)
	x.Server.Realm = s.str(9, "realm")
	s.name(10, "sname", &x.Server)
	if s.has(11) {
		x.Text = s.str(11, "e-text")
	}
	if s.has(12) {
		x.Data = s.octets(12, "e-data")
	}
	return s.end("KRB-ERROR")
}
