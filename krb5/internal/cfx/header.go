package cfx

import (
	"encoding/binary"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Token identifiers (RFC 4121 §4.2.6).
const (
	tokenMIC  uint16 = 0x0404 // §4.2.6.1
	tokenWrap uint16 = 0x0504 // §4.2.6.2
)

// Flags (RFC 4121 §4.2.2). The other bits are 0 when sent and ignored when
// received; the checksum covers them all.
const (
	flagSentByAcceptor byte = 0x01
	flagSealed         byte = 0x02
	flagAcceptorSubkey byte = 0x04
)

const (
	headerLen = 16
	filler    = 0xff
	micFiller = 0xffff // in the place of EC and RRC in a MIC token

	tagFrame = 0x60 // of RFC 2743 §3.1; the tokens themselves begin with 04 or 05
)

// header is the first 16 bytes of a token.
type header struct {
	token uint16
	flags byte
	// ec is the extra count: the bytes between message and header copy in a
	// sealed token, else the length of the checksum. rrc is the right rotation
	// count (§4.2.5).
	ec, rrc uint16
	seq     uint64
}

// put writes the header to b.
func (h header) put(b *[headerLen]byte) {
	binary.BigEndian.PutUint16(b[0:], h.token)
	b[2] = h.flags
	b[3] = filler
	binary.BigEndian.PutUint16(b[4:], h.ec)
	binary.BigEndian.PutUint16(b[6:], h.rrc)
	binary.BigEndian.PutUint64(b[8:], h.seq)
}

// isCopy reports whether b is the header but for the rotation count.
func (h *header) isCopy(b *[headerLen]byte) bool {
	first := uint64(h.token)<<48 | uint64(h.flags)<<40 | filler<<32 | uint64(h.ec)<<16
	return binary.BigEndian.Uint64(b[0:])&^0xffff == first && binary.BigEndian.Uint64(b[8:]) == h.seq
}

// parse takes the header off b, which must be that of a token of the type want. The
// body is a part of b. After an error h is as it was.
func (h *header) parse(b []byte, want uint16) (body []byte, err error) {
	if len(b) < headerLen {
		return nil, krberr.GSSTokTrunc
	}
	first := binary.BigEndian.Uint64(b)
	got := header{
		token: uint16(first >> 48),
		flags: byte(first >> 40),
		ec:    uint16(first >> 16),
		rrc:   uint16(first),
		seq:   binary.BigEndian.Uint64(b[8:]),
	}
	mic := want == tokenMIC
	switch {
	case got.token != want:
		return nil, krberr.GSSWrongTokID
	case b[3] != filler, mic && (got.ec != micFiller || got.rrc != micFiller):
		return nil, fmt.Errorf("%w: filler", krberr.GSSBadTokHeader)
	case mic && got.flags&flagSealed != 0: // §4.2.2 forbids it
		return nil, fmt.Errorf("%w: sealed flag of a MIC token", krberr.GSSBadTokHeader)
	}
	*h = got
	return b[headerLen:], nil
}

// parseToken takes the header off a received token, as parse does. RFC 4121 §4.2 has
// the tokens bare, but a frame with the OID of Kerberos is taken off first.
func (h *header) parseToken(b []byte, want uint16) (body []byte, err error) {
	if len(b) > 0 && b[0] == tagFrame {
		m, inner, err := mech.ParseToken(b)
		if err != nil {
			return nil, fmt.Errorf("%w: frame", krberr.GSSBadTokHeader)
		}
		if m != oid.Krb5 {
			return nil, krberr.GSSWrongMech
		}
		b = inner
	}
	return h.parse(b, want)
}
