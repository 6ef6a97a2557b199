package cfx

import (
	"fmt"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// maxRotated is the size in bytes above which the space for turning a token
// back is not kept for the next one.
const maxRotated = 64 << 10

// Unwrap appends the message of a Wrap token to dst (RFC 4121 §4.2.4).
func (c *Context) Unwrap(dst, token []byte) ([]byte, mech.MessageInfo, error) {
	const op = "unwrap"
	var info mech.MessageInfo
	if overlaps(dst, token) {
		return dst, info, fail(op, gsserr.ErrFailure, errOverlap)
	}
	r := &c.recv
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return dst, info, fail(op, gsserr.ErrNoContext, errClosed)
	}
	var h header
	body, err := h.parseToken(token, tokenWrap)
	if err != nil {
		return dst, info, fail(op, gsserr.ErrDefectiveToken, err)
	}
	s, err := c.suiteFor(h)
	if err != nil {
		return dst, info, fail(op, gsserr.ErrBadMIC, err)
	}
	sealed := h.flags&flagSealed != 0
	turn := int(h.rrc)
	if c.dce && sealed && turn != 0 {
		turn += int(h.ec) // see WrapIOV
	}
	body = r.rotate(body, turn)
	var out []byte
	var major gsserr.Major
	if sealed {
		out, major, err = r.open(s, dst, body, &h)
	} else {
		out, major, err = r.check(s, dst, body, h)
	}
	if cap(r.rotated) > maxRotated {
		r.dropRotated()
	}
	if err != nil {
		return dst, info, fail(op, major, err)
	}
	info.Encrypted = sealed
	return out, info, c.sequence(op, h.seq)
}

// open appends the message of a sealed token. The ciphertext holds the message,
// EC bytes and a copy of the header.
func (r *receiver) open(s *suite, dst, body []byte, h *header) ([]byte, gsserr.Major, error) {
	e, err := s.sealing()
	if err != nil {
		return nil, gsserr.ErrFailure, err
	}
	room := max(len(body)-e.Overhead(), 0)
	buf := slices.Grow(dst, room)
	out, err := e.Open(buf, body)
	if err != nil {
		// Whatever it was, it is told in the same words.
		clear(buf[len(dst) : len(dst)+room])
		return nil, gsserr.ErrBadMIC, krberr.APBadIntegrity
	}
	plain := out[len(dst):]
	n, err := messageLen(plain, h)
	if err != nil {
		clear(plain)
		return nil, gsserr.ErrDefectiveToken, err
	}
	return out[:len(dst)+n], 0, nil
}

// messageLen checks the end of a decrypted token and returns how much of it is
// message. The copy of the header is what vouches for the header in front; the
// rotation count alone may differ. EC bytes are not looked at.
func messageLen(plain []byte, h *header) (int, error) {
	at := len(plain) - headerLen
	if at < 0 {
		return 0, fmt.Errorf("%w: no header inside", krberr.GSSTokTrunc)
	}
	if !h.isCopy((*[headerLen]byte)(plain[at:])) {
		return 0, fmt.Errorf("%w: not the header inside", krberr.GSSBadTokHeader)
	}
	if at < int(h.ec) {
		return 0, fmt.Errorf("%w: extra count", krberr.GSSBadLength)
	}
	return at - int(h.ec), nil
}

// check appends the message of a token that is not sealed.
func (r *receiver) check(s *suite, dst, body []byte, h header) ([]byte, gsserr.Major, error) {
	m, err := s.wrapping()
	if err != nil {
		return nil, gsserr.ErrFailure, err
	}
	if int(h.ec) != m.Size() {
		return nil, gsserr.ErrDefectiveToken, fmt.Errorf("%w: extra count", krberr.GSSBadLength)
	}
	n := len(body) - m.Size()
	if n < 0 {
		return nil, gsserr.ErrDefectiveToken, krberr.GSSTokTrunc
	}
	h.ec, h.rrc = 0, 0
	h.put(&r.header)
	if !m.Verify(body[n:], body[:n], r.header[:]) {
		return nil, gsserr.ErrBadMIC, krberr.APBadIntegrity
	}
	return append(dst, body[:n]...), 0, nil
}

// rotate returns body turned left by n bytes (RFC 4121 §4.2.5), which undoes
// the sender's turn to the right. If there is something to turn it is a copy.
func (r *receiver) rotate(body []byte, n int) []byte {
	if len(body) == 0 || n%len(body) == 0 {
		return body
	}
	n %= len(body)
	r.rotated = slices.Grow(r.rotated[:0], len(body))
	r.rotated = append(append(r.rotated, body[n:]...), body[:n]...)
	return r.rotated
}

// dropRotated gives up the scratch space, which may hold a message that was not
// sealed.
func (r *receiver) dropRotated() {
	clear(r.rotated[:cap(r.rotated)])
	r.rotated = nil
}
