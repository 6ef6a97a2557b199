package enctype

import (
	"crypto/hmac"
	"crypto/rand"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
	"github.com/gss-go/gssapi/krb5/internal/etype"
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
	d := s.(*derived)
	own := func(kind byte, size int) []byte { return append([]byte(nil), d.derive(usage, kind, size)...) }
	return own(kindChecksum, k.p.macKey), own(kindEncryption, k.p.keySize), own(kindIntegrity, k.p.macKey), nil
}

// SetConfounder makes the confounders of c known.
func (c *Cipher) SetConfounder(conf []byte) {
	c.f().e.(*cts).random = confounders{read: func(b []byte) (int, error) {
		n := 0
		for n < len(b) {
			n += copy(b[n:], conf)
		}
		return n, nil
	}}
}

// FailRandom makes c's source of confounders fail.
func (c *Cipher) FailRandom(err error) {
	c.f().e.(*cts).random = confounders{read: func([]byte) (int, error) { return 0, err }}
}

// DuringSeal makes the next Encrypt of the usage call f in its middle.
func (k *Key) DuringSeal(usage uint32, f func()) error {
	c, err := k.takeCipher(usage)
	if err != nil {
		return err
	}
	c.f().e.(*cts).random = confounders{read: func(b []byte) (int, error) { f(); return len(b), nil }}
	k.giveCipher(c)
	return nil
}

// SetTurn makes Seal give n bytes to the cipher and to the hash in turn.
func (c *Cipher) SetTurn(n int) { c.f().e.(*cts).turn = n }

// RawCTS returns a cipher with the encryption key ke itself.
func RawCTS(ke []byte) (*Cipher, error) {
	p := find(etype.AES128SHA2)
	b, err := aescbc.New(ke)
	if err != nil {
		return nil, err
	}
	x := &sealer{p: p, e: &cts{p: p, aes: b, h: hmac.New(p.hash, ke), turn: chunk, random: confounders{read: rand.Read}}}
	return &Cipher{f: func() *sealer { return x }}, nil
}

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
	Stride = stride
)
