package enctype

import (
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// engine is the encryption function of RFC 3961 §3 under one usage. It is used
// by one goroutine at a time.
type engine interface {
	// seal appends the ciphertext of a confounder, a and b.
	seal(dst, a, b []byte) ([]byte, error)
	// open appends the plaintext without the confounder. After a failure it
	// has cleared what it wrote and reports false.
	open(dst, ciphertext []byte) ([]byte, bool)
	// clear overwrites what it can reach of the keys and of the last message.
	// seal and open fail afterwards.
	clear()
}

// Cipher encrypts and decrypts under one key and one usage. It is not safe for
// concurrent use; after its first Seal and its first Open it does not
// allocate when dst has room. It prints as "[redacted]".
type Cipher struct {
	masked
	f func() *sealer
}

// sealer is what a Cipher has. It is behind a function, because fmt follows a
// pointer in an unexported field under some verbs, and here are plaintexts.
type sealer struct {
	p     *profile
	usage uint32
	e     engine
	buf   [64]byte
}

// Cipher derives the keys of the usage: Ke and Ki of RFC 3961 §5.3.
func (k *Key) Cipher(usage uint32) (*Cipher, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	return k.s.newCipher(k.p, usage)
}

// newCipher derives a cipher. The caller holds the lock.
func (s *state) newCipher(p *profile, usage uint32) (*Cipher, error) {
	sched, err := s.schedule(p)
	if err != nil {
		return nil, err
	}
	e, err := sched.engine(usage)
	if err != nil {
		return nil, err
	}
	x := &sealer{p: p, usage: usage, e: e}
	return &Cipher{f: func() *sealer { return x }}, nil
}

// Seal appends the encryption of a random confounder, a and b to dst. a is
// encrypted from where it lies to its place in dst; b is copied first, may lie
// on the caller's stack and is meant for a trailer of a few bytes. dst's free space must not overlap a,
// unless a lies exactly where its ciphertext goes: 16 bytes after the end of
// dst for the AES types. The error is [krberr.BadEnctype] when the type is
// not allowed any more (FIPS).
func (c *Cipher) Seal(dst, a, b []byte) ([]byte, error) {
	x := c.f()
	if err := x.p.allowed(); err != nil {
		return dst, err
	}
	// What goes to an interface method moves to the heap. The copy spares the
	// caller that for a trailer on its stack.
	return x.e.seal(dst, a, append(x.buf[:0], b...))
}

// Open verifies ciphertext and appends its plaintext, without the confounder,
// to dst. Every failure of the ciphertext is [krberr.APBadIntegrity]; dst is
// then returned as it was and the space behind it that was used is zero. dst's
// free space must not overlap ciphertext, unless it lies exactly 16 bytes into
// it, for the AES types: then the plaintext takes the place of its ciphertext.
func (c *Cipher) Open(dst, ciphertext []byte) ([]byte, error) {
	x := c.f()
	if err := x.p.allowed(); err != nil {
		return dst, err
	}
	out, ok := x.e.open(dst, ciphertext)
	if !ok {
		return dst, krberr.APBadIntegrity
	}
	return out, nil
}

// Clear overwrites the key schedule and what the last message has left in c's
// buffers; state inside the standard library is out of reach. Seal and Open
// fail afterwards.
func (c *Cipher) Clear() {
	x := c.f()
	x.e.clear()
	clear(x.buf[:])
}

// Overhead returns the bytes that Seal adds to a and b.
func (c *Cipher) Overhead() int { return c.f().p.overhead }
