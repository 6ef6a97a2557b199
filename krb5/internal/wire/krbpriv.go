package wire

import "time"

// KRBPriv is a KRB-PRIV (RFC 4120 §5.7.1).
type KRBPriv struct {
	Enc EncryptedData
}

// Append appends the DER of x to dst.
func (x *KRBPriv) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(uint8(MsgPriv))
	w.int32(0, version)
	w.int32(1, int32(MsgPriv))
	// RFC 4120 §5.7.1: there is no field 2.
	w.encrypted(3, &x.Enc)
	w.end(m)
	return w.b
}

// ParseKRBPriv parses the DER of a KRB-PRIV.
func ParseKRBPriv(b []byte) (*KRBPriv, error) {
	x := new(KRBPriv)
	_, s := message(b, MsgPriv, MsgPriv)
	s.version(0, "pvno")
	s.msgType(1, MsgPriv)
	s.encrypted(3, "enc-part", &x.Enc)
	if err := s.end("KRB-PRIV"); err != nil {
		return nil, err
	}
	return x, nil
}

// EncKrbPrivPart is what a KRB-PRIV has encrypted (RFC 4120 §5.7.1).
type EncKrbPrivPart struct {
	UserData []byte
	// Time is timestamp and usec, which are both optional. It is absent if
	// timestamp is.
	Time time.Time
	// Seq counts if HasSeq is set.
	Seq    uint32
	HasSeq bool
	// SAddress is the sender's. RFC 4120 demands it; peers do not all send it.
	SAddress, RAddress *HostAddress // optional
}

// Append appends the DER of x to dst.
func (x *EncKrbPrivPart) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(tagEncKrbPrivPart)
	w.octets(0, x.UserData)
	if !x.Time.IsZero() {
		w.time(1, x.Time)
		w.micros(2, x.Time)
	}
	if x.HasSeq {
		w.uint32(3, x.Seq)
	}
	w.address(4, x.SAddress)
	w.address(5, x.RAddress)
	w.end(m)
	return w.b
}

// ParseEncKrbPrivPart parses the DER of an EncKrbPrivPart.
func ParseEncKrbPrivPart(b []byte) (*EncKrbPrivPart, error) {
	x := new(EncKrbPrivPart)
	s := application(b, tagEncKrbPrivPart, "EncKrbPrivPart")
	x.UserData = s.octets(0, "user-data")
	x.Time = s.optionalTime(1, "timestamp")
	if s.has(2) {
		usec := s.micros(2, "usec")
		if !x.Time.IsZero() {
			x.Time = x.Time.Add(usec)
		}
	}
	if x.HasSeq = s.has(3); x.HasSeq {
		x.Seq = s.uint32(3, "seq-number")
	}
	x.SAddress = s.address(4, "s-address")
	x.RAddress = s.address(5, "r-address")
	if err := s.end("EncKrbPrivPart"); err != nil {
		return nil, err
	}
	return x, nil
}
