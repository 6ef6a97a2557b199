package wire

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// Preauthentication data types (RFC 4120 §7.5.2, RFC 4556, RFC 6113 §7.1, RFC
// 6560, RFC 6806 §11, RFC 8062, RFC 8070, RFC 9588, MS-KILE).
const (
	PATGSReq          int32 = 1
	PAEncTimestamp    int32 = 2
	PAPWSalt          int32 = 3
	PAETypeInfo       int32 = 11
	PAPKASReq         int32 = 16
	PAPKASRep         int32 = 17
	PAETypeInfo2      int32 = 19
	PAPACRequest      int32 = 128
	PAForUser         int32 = 129
	PAFXCookie        int32 = 133
	PAFXFast          int32 = 136
	PAFXError         int32 = 137
	PAEncChallenge    int32 = 138
	PAOTPChallenge    int32 = 141
	PAOTPRequest      int32 = 142
	PAPKInitKX        int32 = 147
	PAReqEncPARep     int32 = 149
	PAASFreshness     int32 = 150
	PASPAKE           int32 = 151
	PASupportedEtypes int32 = 165
	PAPACOptions      int32 = 167
)

// PAData is one element of preauthentication data (RFC 4120 §5.2.7). Value may
// be empty.
type PAData struct {
	Type  int32
	Value []byte
}

func (x *PAData) fields(b []byte) []byte {
	w := builder{b}
	w.int32(1, x.Type)
	w.octets(2, x.Value)
	return w.b
}

func (x *PAData) read(in cryptobyte.String) error {
	s := seq{in: in}
	x.Type = s.int32(1, "padata-type")
	x.Value = s.octets(2, "padata-value")
	return s.end("PA-DATA")
}

func (w *builder) paData(tag uint8, v []PAData) {
	appendList(w, tag, v, (*PAData).fields)
}

func (s *seq) paData(tag uint8) []PAData {
	return optionalList(s, tag, "padata", (*PAData).read)
}

// AppendMethodData appends the DER of METHOD-DATA (RFC 4120 §5.9.1) to dst.
func AppendMethodData(dst []byte, v []PAData) []byte {
	w := builder{dst}
	appendBareList(&w, v, (*PAData).fields)
	return w.b
}

// ParseMethodData parses the DER of METHOD-DATA, the e-data of a KRB-ERROR that
// asks for preauthentication. The result is not nil unless there is an error.
func ParseMethodData(b []byte) ([]PAData, error) {
	in, err := whole(b, "METHOD-DATA")
	if err != nil {
		return nil, err
	}
	return listOf(in, "METHOD-DATA", (*PAData).read)
}

// PAEncTS is a PA-ENC-TS-ENC, what PA-ENC-TIMESTAMP has encrypted (RFC 4120
// §5.2.7.2).
type PAEncTS struct {
	// Time is patimestamp and pausec.
	Time time.Time
}

// Append appends the DER of x to dst.
func (x *PAEncTS) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.time(0, x.Time)
	w.micros(1, x.Time)
	w.close(m)
	return w.b
}

// ParsePAEncTS parses the DER of a PA-ENC-TS-ENC. pausec may be absent.
func ParsePAEncTS(b []byte) (*PAEncTS, error) {
	in, err := whole(b, "PA-ENC-TS-ENC")
	s := seq{in, err}
	x := &PAEncTS{Time: s.time(0, "patimestamp")}
	if s.has(1) {
		x.Time = x.Time.Add(s.micros(1, "pausec"))
	}
	if err := s.end("PA-ENC-TS-ENC"); err != nil {
		return nil, err
	}
	return x, nil
}

// ETypeInfoEntry is one element of ETYPE-INFO (RFC 4120 §5.2.7.4).
type ETypeInfoEntry struct {
	Etype etype.ID
	Salt  []byte // optional
}

// AppendETypeInfo appends the DER of ETYPE-INFO to dst.
func AppendETypeInfo(dst []byte, v []ETypeInfoEntry) []byte {
	w := builder{dst}
	appendBareList(&w, v, (*ETypeInfoEntry).fields)
	return w.b
}

func (x *ETypeInfoEntry) fields(b []byte) []byte {
	w := builder{b}
	w.int32(0, int32(x.Etype))
	if x.Salt != nil {
		w.octets(1, x.Salt)
	}
	return w.b
}

// ParseETypeInfo parses the DER of ETYPE-INFO. The result is not nil unless
// there is an error.
func ParseETypeInfo(b []byte) ([]ETypeInfoEntry, error) {
	in, err := whole(b, "ETYPE-INFO")
	if err != nil {
		return nil, err
	}
	return listOf(in, "ETYPE-INFO", (*ETypeInfoEntry).read)
}

func (x *ETypeInfoEntry) read(in cryptobyte.String) error {
	s := seq{in: in}
	x.Etype = etype.ID(s.int32(0, "etype"))
	if s.has(1) {
		x.Salt = s.octets(1, "salt")
	}
	return s.end("ETYPE-INFO-ENTRY")
}

// ETypeInfo2Entry is one element of ETYPE-INFO2 (RFC 4120 §5.2.7.5). No salt
// asks for the default one, which is not the same as an empty salt.
type ETypeInfo2Entry struct {
	Etype  etype.ID
	Salt   *string // optional
	Params []byte  // optional: s2kparams
}

// AppendETypeInfo2 appends the DER of ETYPE-INFO2 to dst.
func AppendETypeInfo2(dst []byte, v []ETypeInfo2Entry) []byte {
	w := builder{dst}
	appendBareList(&w, v, (*ETypeInfo2Entry).fields)
	return w.b
}

func (x *ETypeInfo2Entry) fields(b []byte) []byte {
	w := builder{b}
	w.int32(0, int32(x.Etype))
	if x.Salt != nil {
		w.str(1, *x.Salt)
	}
	if x.Params != nil {
		w.octets(2, x.Params)
	}
	return w.b
}

// ParseETypeInfo2 parses the DER of ETYPE-INFO2. The result is not nil unless
// there is an error.
func ParseETypeInfo2(b []byte) ([]ETypeInfo2Entry, error) {
	in, err := whole(b, "ETYPE-INFO2")
	if err != nil {
		return nil, err
	}
	return listOf(in, "ETYPE-INFO2", (*ETypeInfo2Entry).read)
}

func (x *ETypeInfo2Entry) read(in cryptobyte.String) error {
	s := seq{in: in}
	x.Etype = etype.ID(s.int32(0, "etype"))
	if s.has(1) {
		salt := s.str(1, "salt")
		x.Salt = &salt
	}
	if s.has(2) {
		x.Params = s.octets(2, "s2kparams")
	}
	return s.end("ETYPE-INFO2-ENTRY")
}
