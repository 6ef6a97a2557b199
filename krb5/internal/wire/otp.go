package wire

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// OTP flags (RFC 6560 §4.1); bit 0 is 1<<31.
const (
	OTPNext             uint32 = 1 << 30
	OTPCombine          uint32 = 1 << 29
	OTPCollectPIN       uint32 = 1 << 28
	OTPDoNotCollectPIN  uint32 = 1 << 27
	OTPMustEncryptNonce uint32 = 1 << 26
	OTPSeparatePIN      uint32 = 1 << 25
	OTPCheckDigit       uint32 = 1 << 24
)

// OTPChallenge is a PA-OTP-CHALLENGE (RFC 6560 §4.1). Its tags are implicit. It
// is extensible: what follows the known fields is passed over.
type OTPChallenge struct {
	Nonce   []byte
	Service string // optional
	Tokens  []OTPTokenInfo
	Salt    string // optional
	Params  []byte // optional
}

// OTPTokenInfo is an OTP-TOKENINFO. The hash algorithms and their iteration count
// are not read: they are for OTP values that are not sent.
type OTPTokenInfo struct {
	Flags     uint32
	Vendor    string // optional
	Challenge []byte // optional
	Length    int32  // optional, -1 if absent
	Format    int32  // optional, -1 if absent
	TokenID   []byte // optional
	AlgID     string // optional
}

// OTPRequest is a PA-OTP-REQUEST (RFC 6560 §4.2), with those of its fields that
// go with a value that is sent.
type OTPRequest struct {
	Flags     uint32
	Enc       EncryptedData // PA-OTP-ENC-REQUEST
	Value     []byte        // optional
	PIN       []byte        // optional
	Challenge []byte        // optional
	Format    int32         // optional, -1 is absent
	TokenID   []byte        // optional
	AlgID     string        // optional
	Vendor    string        // optional
}

// classImplicit is a context tag in the place of a primitive type's own.
const classImplicit = 0x80

// bare writes a primitive value under an implicit tag.
func (w *builder) bare(tag uint8, v []byte) {
	w.b = append(appendLength(append(w.b, classImplicit|tag), len(v)), v...)
}

func (w *builder) optionalBare(tag uint8, v []byte) {
	if v != nil {
		w.bare(tag, v)
	}
}

func (w *builder) optionalText(tag uint8, v string) {
	if v != "" {
		w.bare(tag, []byte(v))
	}
}

func (w *builder) bareFlags(tag uint8, v uint32) {
	w.bare(tag, []byte{0, byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// bareInt writes an INTEGER under an implicit tag, nothing for -1.
func (w *builder) bareInt(tag uint8, v int32) {
	if v != -1 {
		mark := len(w.b)
		w.bareInteger(int64(v))
		w.b[mark] = classImplicit | tag
	}
}

// Append appends the DER of x to dst.
func (x *OTPRequest) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.bareFlags(0, x.Flags)
	e := w.open(classContext | 2)
	x.Enc.fields(&w)
	w.close(e)
	w.optionalBare(5, x.Value)
	w.optionalBare(6, x.PIN)
	w.optionalBare(7, x.Challenge)
	w.bareInt(10, x.Format)
	w.optionalBare(11, x.TokenID)
	w.optionalText(12, x.AlgID)
	w.optionalText(13, x.Vendor)
	w.close(m)
	return w.b
}

// AppendOTPEncRequest appends the DER of a PA-OTP-ENC-REQUEST to dst.
func AppendOTPEncRequest(dst, nonce []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.bare(0, nonce)
	w.close(m)
	return w.b
}

// Append appends the DER of x to dst.
func (x *OTPChallenge) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.bare(0, x.Nonce)
	w.optionalText(1, x.Service)
	list := w.open(classContext | 2)
	for i := range x.Tokens {
		e := w.open(byte(asn1.SEQUENCE))
		w.b = x.Tokens[i].fields(w.b)
		w.close(e)
	}
	w.close(list)
	w.optionalText(3, x.Salt)
	w.optionalBare(4, x.Params)
	w.close(m)
	return w.b
}

func (x *OTPTokenInfo) fields(b []byte) []byte {
	w := builder{b}
	w.bareFlags(0, x.Flags)
	w.optionalText(1, x.Vendor)
	w.optionalBare(2, x.Challenge)
	w.bareInt(3, x.Length)
	w.bareInt(4, x.Format)
	w.optionalBare(5, x.TokenID)
	w.optionalText(6, x.AlgID)
	return w.b
}

// implicit returns the contents of a primitive field under an implicit tag, nil
// if it is absent.
func (s *seq) implicit(tag uint8, field string) cryptobyte.String {
	t := asn1.Tag(classImplicit | tag)
	var v cryptobyte.String
	if s.err != nil || !s.in.PeekASN1Tag(t) {
		return nil
	}
	if !s.in.ReadASN1(&v, t) {
		s.fail(field)
	}
	if v == nil {
		v = cryptobyte.String{}
	}
	return v
}

// implicitInt reads an Int32 under an implicit tag, -1 if it is absent.
func (s *seq) implicitInt(tag uint8, field string) int32 {
	v := s.implicit(tag, field)
	if v == nil {
		return -1
	}
	n, ok := parseInteger(v)
	if !ok || n < 0 || n != int64(int32(n)) {
		s.fail(field)
		return -1
	}
	return int32(n)
}

// ParseOTPChallenge parses the DER of a PA-OTP-CHALLENGE.
func ParseOTPChallenge(b []byte) (*OTPChallenge, error) {
	in, err := whole(b, "PA-OTP-CHALLENGE")
	s := seq{in, err}
	x := new(OTPChallenge)
	if x.Nonce = s.implicit(0, "nonce"); s.err == nil && x.Nonce == nil {
		s.fail("nonce")
	}
	x.Service = string(s.implicit(1, "otp-service"))
	tokens := s.explicit(2, "otp-tokenInfo")
	if s.err == nil {
		if x.Tokens, s.err = listOf(tokens, "otp-tokenInfo", (*OTPTokenInfo).read); s.err == nil && len(x.Tokens) == 0 {
			s.fail("otp-tokenInfo")
		}
	}
	x.Salt = string(s.implicit(3, "salt"))
	x.Params = s.implicit(4, "s2kparams")
	if s.err != nil {
		return nil, s.err
	}
	return x, nil
}

func (x *OTPTokenInfo) read(in cryptobyte.String) error {
	s := seq{in: in}
	flags := s.implicit(0, "flags")
	if len(flags) < 1 || flags[0] > 7 || len(flags) == 1 && flags[0] != 0 {
		s.fail("flags")
	} else {
		for i, c := range flags[1:min(len(flags), 5)] {
			x.Flags |= uint32(c) << (24 - 8*i)
		}
	}
	x.Vendor = string(s.implicit(1, "otp-vendor"))
	x.Challenge = s.implicit(2, "otp-challenge")
	x.Length = s.implicitInt(3, "otp-length")
	x.Format = s.implicitInt(4, "otp-format")
	x.TokenID = s.implicit(5, "otp-tokenID")
	x.AlgID = string(s.implicit(6, "otp-algID"))
	return s.err
}
