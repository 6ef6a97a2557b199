package wire

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// FAST options (RFC 6113 §5.4.2); bit 0 is 1<<31. The first 16 bits are
// critical: a KDC that does not know one of them refuses the request.
const (
	FastHideClientNames uint32 = 1 << 30
)

// FastArmorAPRequest is the armor-type of an AP-REQ (RFC 6113 §5.4.1.1).
const FastArmorAPRequest int32 = 1

// FastArmoredReq is a KrbFastArmoredReq (RFC 6113 §5.4.2), the one form that the
// value of PA-FX-FAST has in a request.
type FastArmoredReq struct {
	// ArmorType and Armor are optional: a nil Armor is absent, as it is in a
	// TGS-REQ, whose own authenticator makes the armor key.
	ArmorType int32
	Armor     []byte
	// Checksum is over the KDC-REQ-BODY of an AS-REQ, or the AP-REQ of a
	// TGS-REQ.
	Checksum Checksum
	Enc      EncryptedData // a FastReq
}

// Append appends the DER of PA-FX-FAST-REQUEST to dst.
func (x *FastArmoredReq) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.sequence(0)
	if x.Armor != nil {
		a := w.sequence(0)
		w.int32(0, x.ArmorType)
		w.octets(1, x.Armor)
		w.end(a)
	}
	w.checksum(1, &x.Checksum)
	w.encrypted(2, &x.Enc)
	w.end(m)
	return w.b
}

// ParseFastArmoredReq parses the DER of PA-FX-FAST-REQUEST.
func ParseFastArmoredReq(b []byte) (*FastArmoredReq, error) {
	s, err := choice(b, 0, "PA-FX-FAST-REQUEST")
	if err != nil {
		return nil, err
	}
	x := new(FastArmoredReq)
	if s.has(0) {
		a := s.sequence(0, "armor")
		x.ArmorType = a.int32(0, "armor-type")
		x.Armor = a.octets(1, "armor-value")
		s.leave(&a, "armor")
		if s.err == nil && x.Armor == nil {
			x.Armor = []byte{}
		}
	}
	s.checksum(1, "req-checksum", &x.Checksum)
	s.encrypted(2, "enc-fast-req", &x.Enc)
	if err := s.end("KrbFastArmoredReq"); err != nil {
		return nil, err
	}
	return x, nil
}

// choice enters the alternative of a CHOICE that has the tag and is a SEQUENCE.
func choice(b []byte, tag uint8, name string) (seq, error) {
	outer := seq{in: cryptobyte.String(b)}
	if len(b) > MaxMessage {
		outer.fail(name)
	}
	inner := outer.sequence(tag, name)
	if err := outer.end(name); err != nil {
		return seq{}, err
	}
	return inner, nil
}

// FastReq is a KrbFastReq (RFC 6113 §5.4.2): what the KDC takes for the request
// instead of what surrounds it.
type FastReq struct {
	Options uint32
	PAData  []PAData
	Body    KDCReqBody
}

// Append appends the DER of x to dst.
func (x *FastReq) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.flags(0, x.Options)
	w.requiredPAData(1, x.PAData)
	body := w.open(classContext | 2)
	w.b = x.Body.Append(w.b)
	w.close(body)
	w.close(m)
	return w.b
}

// requiredPAData writes a list that is there even if it is empty.
func (w *builder) requiredPAData(tag uint8, v []PAData) {
	m := w.open(classContext | tag)
	appendBareList(w, v, (*PAData).fields)
	w.close(m)
}

// ParseFastReq parses the DER of a KrbFastReq.
func ParseFastReq(b []byte) (*FastReq, error) {
	in, err := whole(b, "KrbFastReq")
	s := seq{in, err}
	x := new(FastReq)
	x.Options = s.flags(0, "fast-options")
	x.PAData = list(&s, 1, "padata", (*PAData).read)
	body := s.explicit(2, "req-body")
	if err := s.end("KrbFastReq"); err != nil {
		return nil, err
	}
	if err := x.Body.parse(body); err != nil {
		return nil, err
	}
	return x, nil
}

// AppendFastReply appends the DER of PA-FX-FAST-REPLY with its one form, a
// KrbFastArmoredRep (RFC 6113 §5.4.3), to dst. enc is an encrypted
// FastResponse.
func AppendFastReply(dst []byte, enc *EncryptedData) []byte {
	w := builder{dst}
	m := w.sequence(0)
	w.encrypted(0, enc)
	w.end(m)
	return w.b
}

// ParseFastReply parses the DER of PA-FX-FAST-REPLY.
func ParseFastReply(b []byte) (*EncryptedData, error) {
	s, err := choice(b, 0, "PA-FX-FAST-REPLY")
	if err != nil {
		return nil, err
	}
	x := new(EncryptedData)
	s.encrypted(0, "enc-fast-rep", x)
	if err := s.end("KrbFastArmoredRep"); err != nil {
		return nil, err
	}
	return x, nil
}

// FastResponse is a KrbFastResponse (RFC 6113 §5.4.3).
type FastResponse struct {
	PAData        []PAData
	StrengthenKey *EncryptionKey // optional
	Finished      *FastFinished  // optional; in a reply that has a ticket
	Nonce         uint32
}

// FastFinished is a KrbFastFinished (RFC 6113 §5.4.3).
type FastFinished struct {
	Time     time.Time // timestamp and usec
	Client   principal.Name
	Checksum Checksum // of the ticket
}

// Append appends the DER of x to dst.
func (x *FastResponse) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.requiredPAData(0, x.PAData)
	if x.StrengthenKey != nil {
		w.key(1, x.StrengthenKey)
	}
	if f := x.Finished; f != nil {
		fin := w.sequence(2)
		w.time(0, f.Time)
		w.micros(1, f.Time)
		w.str(2, f.Client.Realm)
		w.name(3, &f.Client)
		w.checksum(4, &f.Checksum)
		w.end(fin)
	}
	w.uint32(3, x.Nonce)
	w.close(m)
	return w.b
}

// ParseFastResponse parses the DER of a KrbFastResponse.
func ParseFastResponse(b []byte) (*FastResponse, error) {
	in, err := whole(b, "KrbFastResponse")
	s := seq{in, err}
	x := new(FastResponse)
	x.PAData = list(&s, 0, "padata", (*PAData).read)
	if s.has(1) {
		x.StrengthenKey = new(EncryptionKey)
		s.key(1, "strengthen-key", x.StrengthenKey)
	}
	if s.has(2) {
		x.Finished = new(FastFinished)
		f := s.sequence(2, "finished")
		t := f.time(0, "timestamp")
		x.Finished.Time = t.Add(f.micros(1, "usec"))
		x.Finished.Client.Realm = f.str(2, "crealm")
		f.name(3, "cname", &x.Finished.Client)
		f.required(&x.Finished.Client, "cname")
		f.checksum(4, "ticket-checksum", &x.Finished.Checksum)
		s.leave(&f, "finished")
	}
	x.Nonce = s.uint32(3, "nonce")
	if err := s.end("KrbFastResponse"); err != nil {
		return nil, err
	}
	return x, nil
}

// AppendEncryptionKey appends the DER of an EncryptionKey, which PA-PKINIT-KX
// has encrypted (RFC 8062 §4.3), to dst.
func AppendEncryptionKey(dst []byte, x *EncryptionKey) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.int32(0, int32(x.Etype))
	w.octets(1, x.Value)
	w.close(m)
	return w.b
}

// ParseEncryptionKey parses the DER of an EncryptionKey.
func ParseEncryptionKey(b []byte) (*EncryptionKey, error) {
	in, err := whole(b, "EncryptionKey")
	s := seq{in, err}
	x := &EncryptionKey{}
	x.Etype = etype.ID(s.int32(0, "keytype"))
	x.Value = s.octets(1, "keyvalue")
	if err := s.end("EncryptionKey"); err != nil {
		return nil, err
	}
	return x, nil
}
