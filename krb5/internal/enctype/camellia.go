package enctype

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/camellia"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// feedback is a key of RFC 6803 §3: its derivation function is the KDF in
// feedback mode of SP 800-108 with CMAC.
type feedback struct {
	p   *profile
	m   *camellia.CMAC
	in  [8]byte
	out [32]byte
}

func newFeedback(p *profile, key []byte) (deriver, error) {
	m, err := camellia.NewCMAC(key)
	if err != nil {
		return nil, err
	}
	return &feedback{p: p, m: m}, nil
}

// derive returns the key of a usage in d's own space.
func (d *feedback) derive(usage uint32, kind byte, size int) []byte {
	b := binary.BigEndian.AppendUint32(d.in[:0], usage)
	return d.run(append(b, kind), size)
}

// label returns the key of a constant in d's own space.
func (d *feedback) label(constant string, size int) []byte { return d.run([]byte(constant), size) }

// run is KDF-FEEDBACK-CMAC(key, label, 8*size): each output goes into the next
// one, a block of zeros into the first.
func (d *feedback) run(label []byte, size int) []byte {
	var prev [camellia.BlockSize]byte
	for i := 0; i < size; i += camellia.BlockSize {
		d.m.Reset()
		_, _ = d.m.Write(prev[:]) // never fails
		_, _ = d.m.Write(binary.BigEndian.AppendUint32(nil, uint32(i/camellia.BlockSize+1)))
		_, _ = d.m.Write(label)
		_, _ = d.m.Write(binary.BigEndian.AppendUint32([]byte{0}, uint32(8*size)))
		d.m.Sum(prev[:0])
		copy(d.out[i:], prev[:])
	}
	d.m.Reset()
	return d.out[:size]
}

// prf implements deriver (RFC 6803 §6).
func (d *feedback) prf(dst, in []byte) ([]byte, error) {
	kp := d.label("prf", d.p.keySize)
	m, err := camellia.NewCMAC(kp)
	clear(kp)
	if err != nil {
		return nil, err
	}
	defer m.Clear()
	_, _ = m.Write(in) // never fails
	return m.Sum(dst), nil
}

// camelliaSchedule is a key of RFC 6803.
type camelliaSchedule struct {
	deriver
	p *profile
}

func newCamellia(p *profile, key []byte) (schedule, error) {
	d, err := newFeedback(p, key)
	if err != nil {
		return nil, err
	}
	return &camelliaSchedule{d, p}, nil
}

// mac implements schedule.
func (s *camelliaSchedule) mac(usage uint32) (hash.Hash, error) {
	kc := s.derive(usage, kindChecksum, s.p.keySize)
	defer clear(kc)
	return camellia.NewCMAC(kc)
}

// engine implements schedule.
func (s *camelliaSchedule) engine(usage uint32) (engine, error) {
	ke := s.derive(usage, kindEncryption, s.p.keySize)
	c, err := camellia.New(ke)
	if err != nil {
		return nil, err
	}
	ki := s.derive(usage, kindIntegrity, s.p.keySize)
	defer clear(ki)
	m, err := camellia.NewCMAC(ki)
	if err != nil {
		return nil, err
	}
	return &camelliaEngine{c: c, m: m, random: confounders{read: rand.Read}}, nil
}

// camelliaEngine is the encryption function of RFC 6803 §4: CBC with ciphertext
// stealing, CBC-CS3 as in RFC 3962, and a CMAC of the plaintext.
type camelliaEngine struct {
	c      *camellia.Cipher
	m      *camellia.CMAC
	random confounders
	iv     [block]byte
	conf   [block]byte
	last   [2 * block]byte
	pieces *pieces // as in cts
}

// seal implements engine. The plaintext is put in its place and encrypted there.
func (e *camelliaEngine) seal(dst, a, b []byte) ([]byte, error) {
	if err := e.random.next(&e.conf); err != nil {
		return dst, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	size := block + len(a) + len(b)
	all := slices.Grow(dst, size+block)[:len(dst)+size+block]
	out := all[len(dst):]
	copy(out[block+copy(out[block:], a):], b)
	copy(out, e.conf[:])
	e.m.Reset()
	_, _ = e.m.Write(out[:size]) // never fails
	e.m.Sum(out[size:size])
	e.iv = [block]byte{}
	if err := e.encrypt(out[:size]); err != nil {
		clear(out)
		return dst, err
	}
	e.stop()
	return all, nil
}

// encrypt is CBC-CS3 in place: the last block is filled up with zeros, the two
// last are swapped, and what was filled is cut off.
func (e *camelliaEngine) encrypt(b []byte) error {
	from := (len(b) - 1) &^ (block - 1) // where the last block starts
	if err := e.c.EncryptCBC(b, b[:from], &e.iv); err != nil {
		return err
	}
	final := e.last[:block]
	clear(final[copy(final, b[from:]):])
	if err := e.c.EncryptCBC(final, final, &e.iv); err != nil {
		return err
	}
	if from == 0 { // a confounder alone is plain CBC
		copy(b, final)
		return nil
	}
	copy(b[from:], b[from-block:from])
	copy(b[from-block:], final)
	return nil
}

// open implements engine.
func (e *camelliaEngine) open(dst, ciphertext []byte) ([]byte, bool) {
	size := len(ciphertext) - block
	if size < block {
		return dst, false
	}
	all := slices.Grow(dst, size-block)[:len(dst)+size-block]
	out := all[len(dst):]
	err := e.decrypt(out, ciphertext[:size])
	e.m.Reset()
	_, _ = e.m.Write(e.conf[:]) // never fails
	_, _ = e.m.Write(out)
	ok := err == nil && hmac.Equal(e.m.Sum(e.last[:0]), ciphertext[size:])
	e.stop()
	if !ok {
		clear(out)
		return dst, false
	}
	return all, true
}

// decrypt writes the first block of the plaintext of c to e.conf and the rest
// to out.
func (e *camelliaEngine) decrypt(out, c []byte) error {
	e.iv = [block]byte{}
	if len(c) == block {
		return e.c.DecryptCBC(e.conf[:], c, &e.iv)
	}
	from := (len(c)-1)&^(block-1) - block // where the last two blocks start
	fill := copy(e.last[:], c[from:]) - block
	if from > 0 {
		if err := e.c.DecryptCBC(e.conf[:], c[:block], &e.iv); err != nil {
			return err
		}
		if err := e.c.DecryptCBC(out, c[block:from], &e.iv); err != nil {
			return err
		}
	}
	// The first of the two is the encryption of the last plaintext, filled up
	// with zeros, and so tells the bytes that were cut off the second.
	final, stolen := e.last[:block], e.last[block:]
	var zero [block]byte
	if err := e.c.DecryptCBC(final, final, &zero); err != nil {
		return err
	}
	for i := range fill {
		final[i] ^= stolen[i]
	}
	copy(stolen[fill:], final[fill:])
	if err := e.c.DecryptCBC(stolen, stolen, &e.iv); err != nil {
		return err
	}
	if from == 0 {
		copy(e.conf[:], stolen)
	} else {
		copy(out[from-block:], stolen)
	}
	copy(out[from:], final[:fill])
	return nil
}

// stop forgets what a message leaves behind.
func (e *camelliaEngine) stop() {
	clear(e.conf[:])
	clear(e.last[:])
	e.m.Reset()
}

// clear implements engine.
func (e *camelliaEngine) clear() {
	e.stop()
	e.c.Clear()
	e.m.Clear()
	e.random.clear()
	e.pieces.clear()
}
