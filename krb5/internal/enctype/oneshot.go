package enctype

import (
	"crypto/hmac"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// keep is how many idle ciphers, and how many idle MACs, a key holds on to.
// A keytab key needs one usage, a session key of an exchange three or four.
const keep = 4

// freeList has the idle ciphers and MACs of a key, the last used at the end.
type freeList struct {
	ciphers []*Cipher
	macs    []*MAC
}

// Encrypt appends the ciphertext of plaintext with a random confounder to dst
// (RFC 3961 §5.3). dst's free space must not overlap plaintext.
func (k *Key) Encrypt(dst, plaintext []byte, usage uint32) ([]byte, error) {
	c, err := k.takeCipher(usage)
	if err != nil {
		return dst, err
	}
	defer k.giveCipher(c)
	return c.Seal(dst, plaintext, nil)
}

// Decrypt verifies ciphertext and appends its plaintext to dst. Every failure
// of the ciphertext, a short one too, is [krberr.APBadIntegrity]; dst is then
// returned as it was, its free space zeroed where it was used. dst's free
// space must not overlap ciphertext.
//
// Type 16 encrypts whole blocks: up to 7 bytes of zeros that follow a Kerberos
// message in DER are taken for padding and left out; after anything else they
// stay.
func (k *Key) Decrypt(dst, ciphertext []byte, usage uint32) ([]byte, error) {
	c, err := k.takeCipher(usage)
	if err != nil {
		return dst, err
	}
	defer k.giveCipher(c)
	out, err := c.Open(dst, ciphertext)
	if err == nil && k.p.padded {
		out = out[:len(dst)+unpad(out[len(dst):])]
	}
	return out, err
}

// Checksum appends the mandatory checksum of the concatenated data to dst.
func (k *Key) Checksum(dst []byte, usage uint32, data ...[]byte) ([]byte, error) {
	m, err := k.takeMAC(usage)
	if err != nil {
		return dst, err
	}
	defer k.giveMAC(m)
	return append(dst, m.f().all(data)...), nil
}

// VerifyChecksum compares sum with the mandatory checksum of the concatenated
// data in constant time. The error of a sum that differs, or has another
// length, is [krberr.APModified].
func (k *Key) VerifyChecksum(sum []byte, usage uint32, data ...[]byte) error {
	m, err := k.takeMAC(usage)
	if err != nil {
		return err
	}
	defer k.giveMAC(m)
	if !hmac.Equal(sum, m.f().all(data)) {
		return krberr.APModified
	}
	return nil
}

// takeCipher returns an idle cipher of the usage, or a new one.
func (k *Key) takeCipher(usage uint32) (*Cipher, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	l := k.s.free.ciphers
	for i := len(l) - 1; i >= 0; i-- {
		if c := l[i]; c.f().usage == usage {
			k.s.free.ciphers = slices.Delete(l, i, i+1)
			return c, nil
		}
	}
	return k.s.newCipher(k.p, usage)
}

// giveCipher takes c back, in the place of the one that is idle longest.
func (k *Key) giveCipher(c *Cipher) {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	if k.s.cleared {
		c.Clear()
		return
	}
	l := k.s.free.ciphers
	if len(l) == keep {
		l = slices.Delete(l, 0, 1)
	}
	k.s.free.ciphers = append(l, c)
}

// takeMAC returns an idle MAC of the usage, or a new one.
func (k *Key) takeMAC(usage uint32) (*MAC, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	l := k.s.free.macs
	for i := len(l) - 1; i >= 0; i-- {
		if m := l[i]; m.f().usage == usage {
			k.s.free.macs = slices.Delete(l, i, i+1)
			return m, nil
		}
	}
	return k.s.newMAC(k.p, usage)
}

// giveMAC takes m back, in the place of the one that is idle longest.
func (k *Key) giveMAC(m *MAC) {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	if k.s.cleared {
		return
	}
	l := k.s.free.macs
	if len(l) == keep {
		l = slices.Delete(l, 0, 1)
	}
	k.s.free.macs = append(l, m)
}
