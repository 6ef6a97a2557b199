package enctype

import (
	"crypto/hmac"
	"fmt"

	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// ConfounderSize is the length in bytes of the confounder of a [Message].
const ConfounderSize = block

// Message is a message in pieces, protected where it lies. What is encrypted is
// the confounder, then the Data buffers in their order, then the tail. The MAC
// is over the same and, where they stand between them, the SignOnly buffers.
// Other buffers count for nothing.
//
// No two pieces may share memory, but SignOnly ones among themselves.
type Message struct {
	Confounder []byte // ConfounderSize bytes
	Buffers    []iov.Buffer
	Tail       []byte // 16 bytes at least
	MAC        []byte // Overhead less ConfounderSize bytes
}

// inPlaceEngine is an engine that protects messages where they lie.
type inPlaceEngine interface {
	engine
	// sealInPlace makes confounder and MAC.
	sealInPlace(m Message) error
	// openInPlace has cleared confounder, data and tail when it reports false.
	openInPlace(m Message) bool
}

// inPlace returns the engine for m.
func (x *sealer) inPlace(m *Message) (inPlaceEngine, error) {
	if err := x.p.allowed(); err != nil {
		return nil, err
	}
	e, ok := x.e.(inPlaceEngine)
	if !ok {
		return nil, fmt.Errorf("%w: %v in place", krberr.BadEnctype, x.p.id)
	}
	if len(m.Confounder) != block || len(m.Tail) < block || len(m.MAC) != x.p.overhead-block {
		return nil, fmt.Errorf("%w: message in pieces", krberr.BadMsize)
	}
	return e, nil
}

// SealInPlace encrypts m, with a random confounder. It is [Cipher.Seal] of the
// pieces but for SignOnly ones, which have no place there. The error is
// [krberr.BadEnctype] for a type that cannot, or is not allowed any more (FIPS),
// and [krberr.BadMsize] for a confounder, tail or MAC of the wrong length.
// After an error the data is as it was, or partly encrypted.
func (c *Cipher) SealInPlace(m Message) error {
	e, err := c.f().inPlace(&m)
	if err != nil {
		return err
	}
	return e.sealInPlace(m)
}

// OpenInPlace verifies and decrypts m. Every failure of the message is
// [krberr.APBadIntegrity]; confounder, data and tail are then zero. Other errors
// are those of [Cipher.SealInPlace].
func (c *Cipher) OpenInPlace(m Message) error {
	e, err := c.f().inPlace(&m)
	if err != nil {
		return err
	}
	if !e.openInPlace(m) {
		return krberr.APBadIntegrity
	}
	return nil
}

// piece returns the pieces of m in their order, from 0, and whether a piece is
// encrypted. The last is the tail; there are none after it.
func (m *Message) piece(i int) (p []byte, sealed bool) {
	switch {
	case i == 0:
		return m.Confounder, true
	case i > len(m.Buffers):
		return m.Tail, true
	}
	switch b := &m.Buffers[i-1]; b.Type {
	case iov.Data:
		return b.Bytes, true
	case iov.SignOnly:
		return b.Bytes, false
	}
	return nil, true
}

// size returns how many bytes are encrypted, and whether that is all.
func (m *Message) size() (n int, all bool) {
	n, all = len(m.Confounder)+len(m.Tail), true
	for i := range m.Buffers {
		switch b := &m.Buffers[i]; b.Type {
		case iov.Data:
			n += len(b.Bytes)
		case iov.SignOnly:
			all = all && len(b.Bytes) == 0
		}
	}
	return n, all
}

// wipe clears what is, or was, encrypted.
func (m *Message) wipe() {
	clear(m.Confounder)
	clear(m.Tail)
	for i := range m.Buffers {
		if b := &m.Buffers[i]; b.Type == iov.Data {
			clear(b.Bytes)
		}
	}
}

// cursor is a place in a message.
type cursor struct {
	piece, off int
	pos        int // bytes before it that are encrypted
}

// next returns the bytes at c that lie together and are encrypted, n of them at
// most. There is one at least: callers know where the message ends.
func (c *cursor) next(m *Message, n int) []byte {
	for {
		p, sealed := m.piece(c.piece)
		if sealed && c.off < len(p) {
			return p[c.off:][:min(n, len(p)-c.off)]
		}
		c.piece, c.off = c.piece+1, 0
	}
}

// skip moves c over n bytes that next returned.
func (c *cursor) skip(n int) { c.off, c.pos = c.off+n, c.pos+n }

// read fills b from the message and moves c over it.
func (c *cursor) read(m *Message, b []byte) {
	for len(b) > 0 {
		n := copy(b, c.next(m, len(b)))
		c.skip(n)
		b = b[n:]
	}
}

// write is the inverse of read.
func (c *cursor) write(m *Message, b []byte) {
	for len(b) > 0 {
		n := copy(c.next(m, len(b)), b)
		c.skip(n)
		b = b[n:]
	}
}

// SumBuffers appends the checksum of the Data and SignOnly buffers in their
// order and of b to dst. b may lie on the caller's stack. It returns nil when
// the type is not allowed any more (FIPS).
func (m *MAC) SumBuffers(dst []byte, buffers []iov.Buffer, b []byte) []byte {
	s := m.f().buffers(buffers, b)
	if s == nil {
		return nil
	}
	return append(dst, s...)
}

// VerifyBuffers reports in constant time whether sum is that checksum.
func (m *MAC) VerifyBuffers(sum []byte, buffers []iov.Buffer, b []byte) bool {
	s := m.f().buffers(buffers, b)
	return s != nil && hmac.Equal(sum, s)
}

// buffers is compute for messages in pieces.
func (x *checksum) buffers(buffers []iov.Buffer, b []byte) []byte {
	if x.p.allowed() != nil {
		return nil
	}
	x.h.Reset()
	for i := range buffers {
		if p := &buffers[i]; p.Type == iov.Data || p.Type == iov.SignOnly {
			x.h.Write(p.Bytes)
		}
	}
	for len(b) > 0 {
		n := copy(x.buf[:], b)
		x.h.Write(x.buf[:n])
		b = b[n:]
	}
	return x.end()
}
