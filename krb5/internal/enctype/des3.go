package enctype

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/des3"
	"github.com/gss-go/gssapi/krb5/internal/hmacsha"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// des3Schedule is a key of RFC 3961 §6.3, des3-cbc-hmac-sha1-kd.
type des3Schedule struct {
	p *profile
	c *des3.Cipher
}

func newDES3(p *profile, key []byte) (schedule, error) {
	c, err := des3.New(key)
	if err != nil {
		return nil, err
	}
	return &des3Schedule{p: p, c: c}, nil
}

// des3Key is random-to-key.
func des3Key(seed []byte) []byte {
	k := des3.RandomToKey(seed)
	return k[:]
}

// derive is DK of RFC 3961 §5.1: the constant, folded to a block, is encrypted
// again and again, and 21 bytes of that make a key.
func (s *des3Schedule) derive(constant []byte) ([]byte, error) {
	var out [des3.KeySize]byte
	prev := nfold(constant, des3.BlockSize)
	for i := 0; i < len(out); i += des3.BlockSize {
		if err := s.c.EncryptCBC(out[i:], prev, new([des3.BlockSize]byte)); err != nil {
			return nil, err
		}
		prev = out[i : i+des3.BlockSize]
	}
	defer clear(out[:])
	return des3Key(out[:des3.SeedSize]), nil
}

// usageKey derives Kc, Ke or Ki.
func (s *des3Schedule) usageKey(usage uint32, kind byte) ([]byte, error) {
	return s.derive(append(binary.BigEndian.AppendUint32(nil, usage), kind))
}

// engine implements schedule.
func (s *des3Schedule) engine(usage uint32) (engine, error) {
	ke, err := s.usageKey(usage, kindEncryption)
	if err != nil {
		return nil, err
	}
	defer clear(ke)
	c, err := des3.New(ke)
	if err != nil {
		return nil, err
	}
	ki, err := s.usageKey(usage, kindIntegrity)
	if err != nil {
		return nil, err
	}
	defer clear(ki)
	return &des3Engine{c: c, h: hmacsha.New(crypto.SHA1, ki), random: confounders{read: rand.Read}}, nil
}

// mac implements schedule.
func (s *des3Schedule) mac(usage uint32) (hash.Hash, error) {
	kc, err := s.usageKey(usage, kindChecksum)
	if err != nil {
		return nil, err
	}
	defer clear(kc)
	return hmacsha.New(crypto.SHA1, kc), nil
}

// prf implements schedule (RFC 3961 §5.3): the whole blocks of the SHA-1 of the
// input, encrypted under DK(key, "prf").
func (s *des3Schedule) prf(dst, in []byte) ([]byte, error) {
	key, err := s.derive([]byte("prf"))
	if err != nil {
		return nil, err
	}
	defer clear(key)
	c, err := des3.New(key)
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum(in)
	out := sum[:s.p.prfLen]
	if err := c.EncryptCBC(out, out, new([des3.BlockSize]byte)); err != nil {
		return nil, err
	}
	return append(dst, out...), nil
}

// des3Engine is the encryption function of RFC 3961 §5.3 with CBC: the message
// is filled up with zeros to whole blocks, and they are still there when it is
// opened.
type des3Engine struct {
	c      *des3.Cipher
	h      *hmacsha.MAC
	random confounders
	iv     [des3.BlockSize]byte
	conf   [block]byte
	sum    [sha1.Size]byte
}

// seal implements engine.
func (e *des3Engine) seal(dst, a, b []byte) ([]byte, error) {
	if err := e.random.next(&e.conf); err != nil {
		return dst, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	used := des3.BlockSize + len(a) + len(b)
	size := (used + des3.BlockSize - 1) &^ (des3.BlockSize - 1)
	all := slices.Grow(dst, size+sha1.Size)[:len(dst)+size+sha1.Size]
	out := all[len(dst):]
	copy(out[des3.BlockSize+copy(out[des3.BlockSize:], a):], b)
	copy(out, e.conf[:des3.BlockSize])
	clear(out[used:])
	clear(e.conf[:])
	e.h.Reset()
	e.h.Write(out[:size])
	e.iv = [des3.BlockSize]byte{}
	if err := e.c.EncryptCBC(out, out[:size], &e.iv); err != nil {
		clear(out)
		return dst, err
	}
	copy(out[size:], e.h.Sum(e.sum[:0]))
	return all, nil
}

// open implements engine.
func (e *des3Engine) open(dst, ciphertext []byte) ([]byte, bool) {
	size := len(ciphertext) - sha1.Size
	if size < des3.BlockSize || size%des3.BlockSize != 0 {
		return dst, false
	}
	body, sum := ciphertext[:size], ciphertext[size:]
	all := slices.Grow(dst, size-des3.BlockSize)[:len(dst)+size-des3.BlockSize]
	out := all[len(dst):]
	e.iv = [des3.BlockSize]byte{}
	err := e.c.DecryptCBC(e.conf[:], body[:des3.BlockSize], &e.iv)
	if err == nil {
		err = e.c.DecryptCBC(out, body[des3.BlockSize:], &e.iv)
	}
	e.h.Reset()
	e.h.Write(e.conf[:des3.BlockSize])
	e.h.Write(out)
	clear(e.conf[:])
	if err != nil || !hmac.Equal(e.h.Sum(e.sum[:0]), sum) {
		clear(out)
		return dst, false
	}
	return all, true
}

// clear implements engine.
func (e *des3Engine) clear() {
	e.c.Clear()
	e.h.Clear()
	clear(e.conf[:])
	e.random.clear()
}

// foldedKey is string-to-key of RFC 3961 §6.3.1.
func foldedKey(p *profile, password []byte, salt string, _ uint32) ([]byte, error) {
	text := append(append(make([]byte, 0, len(password)+len(salt)), password...), salt...)
	defer clear(text)
	seed := nfold(text, des3.SeedSize)
	defer clear(seed)
	key := des3Key(seed)
	defer clear(key)
	s := &des3Schedule{p: p}
	var err error
	if s.c, err = des3.New(key); err != nil {
		return nil, err
	}
	return s.derive([]byte("kerberos"))
}

// unpad returns how much of a plaintext is message. A Kerberos message is a DER
// value, [APPLICATION n] or SEQUENCE, and says how long it is: what follows is
// padding if it is less than a block of zeros. A plaintext that is anything else
// is taken whole.
func unpad(b []byte) int {
	if len(b) < 2 || b[0] != 0x30 && b[0]&0xe0 != 0x60 {
		return len(b)
	}
	n, at := int(b[1]), 2
	if n >= 0x80 {
		at += n & 0x7f
		if at > 5 || at > len(b) {
			return len(b)
		}
		n = 0
		for _, x := range b[2:at] {
			n = n<<8 | int(x)
		}
	}
	end := at + n
	if end > len(b) || len(b)-end >= des3.BlockSize {
		return len(b)
	}
	for _, x := range b[end:] {
		if x != 0 {
			return len(b)
		}
	}
	return end
}
