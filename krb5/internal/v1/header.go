package v1

import (
	"encoding/binary"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Token identifiers (RFC 1964 §1.2).
const (
	tokenMIC    uint16 = 0x0101 // §1.2.1
	tokenWrap   uint16 = 0x0201 // §1.2.2
	tokenDelete uint16 = 0x0102 // §1.2.3
)

// Sizes in bytes.
const (
	prefixLen     = 8 // token, algorithms and filler: what the checksum covers
	numberLen     = 8 // SND_SEQ, the sequence number and the direction
	confounderLen = 8
)

// noSeal in the place of SEAL_ALG says that a token is not sealed. The filler
// looks the same.
const noSeal uint16 = 0xffff

// putPrefix writes the first bytes of a token.
func putPrefix(b []byte, token, signAlg, sealAlg uint16) {
	binary.BigEndian.PutUint16(b[0:], token)
	binary.LittleEndian.PutUint16(b[2:], signAlg)
	binary.LittleEndian.PutUint16(b[4:], sealAlg)
	binary.BigEndian.PutUint16(b[6:], 0xffff)
}

// parts are a token taken apart; its fields are parts of the token.
type parts struct {
	prefix, number, sum []byte
	sealed              bool
	body                []byte // what follows the checksum, up to the end of the frame
	outside             []byte // what follows the frame, in DCE style only
}

// parse takes a token of the type want apart: frame, then header, which must
// have the algorithms of a.
func parse(token, id []byte, want uint16, a *algorithms) (p parts, err error) {
	b, n, err := parseFrame(token, id)
	if err != nil {
		return parts{}, err
	}
	p.outside = b[n:]
	if p.body, err = p.header(b[:n], want, a); err != nil {
		return parts{}, err
	}
	return p, nil
}

// header takes the header off b and returns what follows it.
func (p *parts) header(b []byte, want uint16, a *algorithms) ([]byte, error) {
	if len(b) < prefixLen+numberLen+a.sumLen {
		return nil, krberr.GSSTokTrunc
	}
	if binary.BigEndian.Uint16(b) != want {
		return nil, krberr.GSSWrongTokID
	}
	if binary.LittleEndian.Uint16(b[2:]) != a.sign {
		return nil, krberr.GSSBadSignType
	}
	seal := binary.LittleEndian.Uint16(b[4:])
	p.sealed = seal != noSeal
	if p.sealed && (want != tokenWrap || seal != a.seal) || binary.BigEndian.Uint16(b[6:]) != 0xffff {
		return nil, fmt.Errorf("%w: sealing algorithm or filler", krberr.GSSBadTokHeader)
	}
	p.prefix, b = b[:prefixLen], b[prefixLen:]
	p.number, b = b[:numberLen], b[numberLen:]
	p.sum, b = b[:a.sumLen], b[a.sumLen:]
	return b, nil
}
