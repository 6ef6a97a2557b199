package wire

import (
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// ErrSyntax says that a message is not what its ASN.1 definition allows. The
// error that wraps it names the field. It is a [krberr.Code], so that it has a
// minor status.
const ErrSyntax = krberr.ASN1ParseError

// MaxMessage is the size in bytes above which no message is parsed.
const MaxMessage = 4 << 20

// version is pvno, tkt-vno and authenticator-vno.
const version = 5

// MsgType is the number of a message: its msg-type and its APPLICATION tag (RFC
// 4120 §5.10).
type MsgType uint8

// Message types (RFC 4120 §7.5.7).
const (
	MsgASReq  MsgType = 10
	MsgASRep  MsgType = 11
	MsgTGSReq MsgType = 12
	MsgTGSRep MsgType = 13
	MsgAPReq  MsgType = 14
	MsgAPRep  MsgType = 15
	MsgSafe   MsgType = 20
	MsgPriv   MsgType = 21
	MsgCred   MsgType = 22
	MsgError  MsgType = 30
)

// APPLICATION tags of what is no message by itself (RFC 4120 §5.10).
const (
	tagTicket         uint8 = 1
	tagAuthenticator  uint8 = 2
	tagEncTicketPart  uint8 = 3
	tagEncASRepPart   uint8 = 25
	tagEncTGSRepPart  uint8 = 26
	tagEncAPRepPart   uint8 = 27
	tagEncKrbPrivPart uint8 = 28
	tagEncKrbCredPart uint8 = 29
)

// TypeOf returns the message type that b starts with, and whether it is one. It
// looks at the first byte only.
func TypeOf(b []byte) (MsgType, bool) {
	if len(b) == 0 || b[0]&0xe0 != classApplication {
		return 0, false
	}
	t := MsgType(b[0] & 0x1f)
	return t, t.name() != ""
}

func (t MsgType) name() string {
	switch t {
	case MsgASReq:
		return "AS-REQ"
	case MsgASRep:
		return "AS-REP"
	case MsgTGSReq:
		return "TGS-REQ"
	case MsgTGSRep:
		return "TGS-REP"
	case MsgAPReq:
		return "AP-REQ"
	case MsgAPRep:
		return "AP-REP"
	case MsgSafe:
		return "KRB-SAFE"
	case MsgPriv:
		return "KRB-PRIV"
	case MsgCred:
		return "KRB-CRED"
	case MsgError:
		return "KRB-ERROR"
	}
	return ""
}

// String returns the RFC's name of the message, or "message N".
func (t MsgType) String() string {
	if s := t.name(); s != "" {
		return s
	}
	return fmt.Sprintf("message %d", uint8(t))
}
