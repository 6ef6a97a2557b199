package testenv

import (
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	msgASReq   = msgtype.KRB_AS_REQ
	msgTGSReq  = msgtype.KRB_TGS_REQ
	errTooLong = errorcode.KRB_ERR_FIELD_TOOLONG
)

// request is a KDC-REQ (RFC 4120 §5.4.1). gokrb5's own type loses the bytes of
// the body, which the TGS verifies a checksum over, pads short options on the
// wrong side and panics on some additional tickets.
type request struct {
	MsgType int
	PAData  types.PADataSequence
	Raw     []byte // the message
	RawBody []byte // the KDC-REQ-BODY
	Body    reqBody
	armor   *armor // nil without FAST
}

type kdcReq struct {
	PVNO    int                  `asn1:"explicit,tag:1"`
	MsgType int                  `asn1:"explicit,tag:2"`
	PAData  types.PADataSequence `asn1:"explicit,optional,tag:3"`
	Body    asn1.RawValue        `asn1:"explicit,tag:4"`
}

// reqBody is a KDC-REQ-BODY.
type reqBody struct {
	Options     asn1.BitString      `asn1:"explicit,tag:0"`
	CName       types.PrincipalName `asn1:"explicit,optional,tag:1"`
	Realm       string              `asn1:"generalstring,explicit,tag:2"`
	SName       types.PrincipalName `asn1:"explicit,optional,tag:3"`
	From        time.Time           `asn1:"generalized,explicit,optional,tag:4"`
	Till        time.Time           `asn1:"generalized,explicit,tag:5"`
	RTime       time.Time           `asn1:"generalized,explicit,optional,tag:6"`
	Nonce       int64               `asn1:"explicit,tag:7"`
	EType       []int32             `asn1:"explicit,tag:8"`
	Addresses   types.HostAddresses `asn1:"explicit,optional,tag:9"`
	EncAuthData types.EncryptedData `asn1:"explicit,optional,tag:10"`
	Tickets     asn1.RawValue       `asn1:"explicit,optional,tag:11"`
}

// parseRequest reads an AS-REQ or a TGS-REQ. The errors are failures.
func parseRequest(b []byte) (*request, error) {
	if len(b) == 0 {
		return nil, &failure{code: errorcode.KRB_AP_ERR_MSG_TYPE}
	}
	r := &request{Raw: b}
	params := ""
	switch b[0] {
	case 0x60 | asnAppTag.ASREQ:
		r.MsgType, params = msgASReq, "application,explicit,tag:10"
	case 0x60 | asnAppTag.TGSREQ:
		r.MsgType, params = msgTGSReq, "application,explicit,tag:12"
	default:
		return nil, &failure{code: errorcode.KRB_AP_ERR_MSG_TYPE}
	}
	var m kdcReq
	if rest, err := asn1.UnmarshalWithParams(b, &m, params); err != nil || len(rest) > 0 {
		return nil, &failure{code: errorcode.KRB_ERR_GENERIC, text: "malformed request"}
	}
	if m.PVNO != iana.PVNO {
		return nil, &failure{code: errorcode.KDC_ERR_BAD_PVNO}
	}
	if m.MsgType != r.MsgType {
		return nil, &failure{code: errorcode.KRB_AP_ERR_MSG_TYPE}
	}
	r.PAData, r.RawBody = m.PAData, m.Body.Bytes
	if rest, err := asn1.Unmarshal(r.RawBody, &r.Body); err != nil || len(rest) > 0 {
		return nil, &failure{code: errorcode.KRB_ERR_GENERIC, text: "malformed request body"}
	}
	return r, nil
}

// padata returns the value of the first element of a type.
func (r *request) padata(typ int32) ([]byte, bool) {
	for _, p := range r.PAData {
		if p.PADataType == typ {
			return p.PADataValue, true
		}
	}
	return nil, false
}

// option reports whether a KDC option is set.
func (r *request) option(bit int) bool { return r.Body.Options.At(bit) != 0 }

// bits makes KerberosFlags of 32 bits (RFC 4120 §5.2.8).
func bits(set ...int) asn1.BitString {
	f := types.NewKrbFlags()
	types.SetFlags(&f, set)
	return f
}
