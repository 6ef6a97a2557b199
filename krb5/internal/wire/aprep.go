package wire

import "time"

// APRep is an AP-REP (RFC 4120 §5.5.2).
type APRep struct {
	Enc EncryptedData
}

// Append appends the DER of x to dst.
func (x *APRep) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(uint8(MsgAPRep))
	w.int32(0, version)
	w.int32(1, int32(MsgAPRep))
	w.encrypted(2, &x.Enc)
	w.end(m)
	return w.b
}

// ParseAPRep parses the DER of an AP-REP.
func ParseAPRep(b []byte) (*APRep, error) {
	x := new(APRep)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *APRep) parse(b []byte) error {
	_, s := message(b, MsgAPRep, MsgAPRep)
	s.version(0, "pvno")
	s.msgType(1, MsgAPRep)
	s.encrypted(2, "enc-part", &x.Enc)
	return s.end("AP-REP")
}

// EncAPRepPart is what an AP-REP has encrypted (RFC 4120 §5.5.2).
type EncAPRepPart struct {
	// Time is ctime and cusec.
	Time   time.Time
	Subkey *EncryptionKey // optional
	// Seq counts if HasSeq is set.
	Seq    uint32
	HasSeq bool
}

// Append appends the DER of x to dst.
func (x *EncAPRepPart) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.application(tagEncAPRepPart)
	w.time(0, x.Time)
	w.micros(1, x.Time)
	if x.Subkey != nil {
		w.key(2, x.Subkey)
	}
	if x.HasSeq {
		w.uint32(3, x.Seq)
	}
	w.end(m)
	return w.b
}

// ParseEncAPRepPart parses the DER of an EncAPRepPart.
func ParseEncAPRepPart(b []byte) (*EncAPRepPart, error) {
	x := new(EncAPRepPart)
	if err := x.parse(b); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *EncAPRepPart) parse(b []byte) error {
	s := application(b, tagEncAPRepPart, "EncAPRepPart")
	t := s.time(0, "ctime")
	x.Time = t.Add(s.micros(1, "cusec"))
	if s.has(2) {
		x.Subkey = new(EncryptionKey)
		s.key(2, "subkey", x.Subkey)
	}
	if x.HasSeq = s.has(3); x.HasSeq {
		x.Seq = s.uint32(3, "seq-number")
	}
	return s.end("EncAPRepPart")
}
