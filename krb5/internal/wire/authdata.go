package wire

import "golang.org/x/crypto/cryptobyte"

// Authorization data types (RFC 4120 §7.5.4, RFC 4537, 7751, 8129; MS-KILE).
// The ones that a KDC vouches for mean nothing in an authenticator, which the
// client writes.
const (
	ADIfRelevant       int32 = 1
	ADKDCIssued        int32 = 4
	ADAndOr            int32 = 5
	ADMandatoryForKDC  int32 = 8
	ADFXFastArmor      int32 = 71
	ADCAMMAC           int32 = 96
	ADAuthIndicator    int32 = 97
	ADWin2KPAC         int32 = 128
	ADEtypeNegotiation int32 = 129
	ADAPOptions        int32 = 143
	ADTargetPrincipal  int32 = 144
	ADSignTicket       int32 = 512
)

// AuthzDatum is one element of AuthorizationData (RFC 4120 §5.2.6).
type AuthzDatum struct {
	Type int32
	Data []byte
}

func (x *AuthzDatum) fields(b []byte) []byte {
	w := builder{b}
	w.int32(0, x.Type)
	w.octets(1, x.Data)
	return w.b
}

func (x *AuthzDatum) read(in cryptobyte.String) error {
	s := seq{in: in}
	x.Type = s.int32(0, "ad-type")
	x.Data = s.octets(1, "ad-data")
	return s.end("AuthzDatum")
}

// AppendAuthzData appends the DER of AuthorizationData, the contents of
// AD-IF-RELEVANT among others, to dst.
func AppendAuthzData(dst []byte, v []AuthzDatum) []byte {
	w := builder{dst}
	appendBareList(&w, v, (*AuthzDatum).fields)
	return w.b
}

// ParseAuthzData parses the DER of AuthorizationData. The result is not nil
// unless there is an error.
func ParseAuthzData(b []byte) ([]AuthzDatum, error) {
	in, err := whole(b, "AuthorizationData")
	if err != nil {
		return nil, err
	}
	return listOf(in, "AuthorizationData", (*AuthzDatum).read)
}

func (w *builder) authzData(tag uint8, v []AuthzDatum) {
	appendList(w, tag, v, (*AuthzDatum).fields)
}

func (s *seq) authzData(tag uint8, field string) []AuthzDatum {
	return optionalList(s, tag, field, (*AuthzDatum).read)
}
