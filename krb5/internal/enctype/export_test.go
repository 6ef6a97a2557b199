package enctype

import (
	"crypto/rand"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/hmacsha"
)

// NFold is nfold.
func NFold(in []byte, size int) []byte { return nfold(in, size) }

// FoldUsage is foldUsage.
func FoldUsage(usage uint32, kind byte) []byte {
	var out [16]byte
	foldUsage(&out, usage, kind)
	return out[:]
}

// StringToKeyCount makes a key with a number of iterations that the exported
// function refuses.
func StringToKeyCount(id etype.ID, password, salt string, count uint32) (*Key, error) {
	p, err := usable(id)
	if err != nil {
		return nil, err
	}
	return p.stringToKey([]byte(password), salt, count)
}

// Derived returns Kc, Ke and Ki of a key.
func Derived(k *Key, usage uint32) (kc, ke, ki []byte, err error) {
	s, err := k.s.schedule(k.p)
	if err != nil {
		return nil, nil, nil, err
	}
	d := s.(deriver)
	own := func(kind byte, size int) []byte { return append([]byte(nil), d.derive(usage, kind, size)...) }
	n := k.p.macKey
	if n == 0 {
		n = k.p.keySize
	}
	return own(kindChecksum, n), own(kindEncryption, k.p.keySize), own(kindIntegrity, n), nil
}

// DeriveDES3 is DK of RFC 3961 with Triple-DES.
func DeriveDES3(k *Key, constant []byte) ([]byte, error) {
	s, err := k.s.schedule(k.p)
	if err != nil {
		return nil, err
	}
	return s.(*des3Schedule).derive(constant)
}

// source returns where c's confounders come from.
func (c *Cipher) source() *confounders {
	switch e := c.f().e.(type) {
	case *cts:
		return &e.random
	case *camelliaEngine:
		return &e.random
	case *des3Engine:
		return &e.random
	case *rc4Engine:
		return &e.random
	}
	return nil
}

// SetConfounder makes the confounders of c known.
func (c *Cipher) SetConfounder(conf []byte) {
	*c.source() = confounders{read: func(b []byte) (int, error) {
		n := 0
		for n < len(b) {
			n += copy(b[n:], conf)
		}
		return n, nil
	}}
}

// FailRandom makes c's source of confounders fail.
func (c *Cipher) FailRandom(err error) {
	*c.source() = confounders{read: func([]byte) (int, error) { return 0, err }}
}

// DuringSeal makes the next Encrypt of the usage call f in its middle.
func (k *Key) DuringSeal(usage uint32, f func()) error {
	c, err := k.takeCipher(usage)
	if err != nil {
		return err
	}
	*c.source() = confounders{read: func(b []byte) (int, error) { f(); return len(b), nil }}
	k.giveCipher(c)
	return nil
}

// SetTurns makes Seal and Open give so many bytes to the cipher and to the hash in
// turn.
func (c *Cipher) SetTurns(seal, open int) { c.f().e.(*cts).turns = turns{seal, open} }

// Tag returns the HMAC of msg under the integrity key of c, nil if it is neither of AES
// nor of Triple-DES.
func (c *Cipher) Tag(msg []byte) []byte {
	var m *hmacsha.MAC
	switch e := c.f().e.(type) {
	case *cts:
		m = e.h
	case *des3Engine:
		m = e.h
	default:
		return nil
	}
	m.Reset()
	_, _ = m.Write(msg) // never fails
	return m.Sum(nil)
}

// RawCTS returns a cipher with the encryption key ke itself.
func RawCTS(ke []byte) (*Cipher, error) {
	p := find(etype.AES128SHA2)
	b, err := aescbc.New(ke)
	if err != nil {
		return nil, err
	}
	x := &sealer{p: p, e: &cts{p: p, aes: b, h: hmacsha.New(p.hash, ke), turns: turns{chunk, chunk}, random: confounders{read: rand.Read}}}
	return &Cipher{f: func() *sealer { return x }}, nil
}

// Unpad is unpad.
func Unpad(b []byte) int { return unpad(b) }

// Idle returns how many ciphers and MACs k keeps.
func (k *Key) Idle() (ciphers, macs int) {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	return len(k.s.free.ciphers), len(k.s.free.macs)
}

// Enforced is enforced.
func Enforced() bool { return enforced() }

// The sizes at which Seal and Open change their way of working.
const (
	Short  = short
	Chunk  = chunk
	Stride = 128
)
