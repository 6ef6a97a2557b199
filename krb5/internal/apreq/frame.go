package apreq

import (
	"encoding/binary"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Token identifiers (RFC 4121 §4.1).
const (
	TokAPReq uint16 = 0x0100
	TokAPRep uint16 = 0x0200
	TokError uint16 = 0x0300
)

// Frame puts the frame of RFC 2743 §3.1 with the mechanism m and a token
// identifier around a message.
func Frame(m oid.OID, id uint16, msg []byte) []byte {
	return mech.AppendToken(nil, m, []byte{byte(id >> 8), byte(id)}, msg)
}

// Unframe takes the frame off a token. Frames of another mechanism than
// Kerberos, under any of its three OIDs, are refused.
func Unframe(token []byte) (m oid.OID, id uint16, msg []byte, err error) {
	m, body, err := mech.ParseToken(token)
	if err != nil {
		return m, 0, nil, fail(gsserr.ErrDefectiveToken, fmt.Errorf("%w", krberr.GSSBadTokHeader))
	}
	if m != oid.Krb5 && m != oid.Krb5MS && m != oid.Krb5Old {
		return m, 0, nil, fail(gsserr.ErrDefectiveToken, fmt.Errorf("%w: %s", krberr.GSSWrongMech, m))
	}
	if len(body) < 2 {
		return m, 0, nil, fail(gsserr.ErrDefectiveToken, krberr.GSSTokTrunc)
	}
	return m, binary.BigEndian.Uint16(body), body[2:], nil
}

// IsRequest reports whether a token is a bare AP-REQ, without a frame: the
// first byte is the tag of RFC 4120 §5.5.1.
func IsRequest(token []byte) bool { return len(token) > 0 && token[0] == 0x6e }

// IsReply reports whether a token is a bare AP-REP.
func IsReply(token []byte) bool { return len(token) > 0 && token[0] == 0x6f }
