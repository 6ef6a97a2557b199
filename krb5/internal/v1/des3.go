package v1

import "github.com/gss-go/gssapi/krb5/internal/des3"

// tripleDES is CBC under the context's key itself: numbers start from the
// checksum, messages from zero.
type tripleDES struct {
	c  *des3.Cipher
	iv [des3.BlockSize]byte
}

func newDES3(key []byte) (*tripleDES, error) {
	c, err := des3.New(key)
	if err != nil {
		return nil, err
	}
	return &tripleDES{c: c}, nil
}

// number implements cryption.
func (t *tripleDES) number(b *[numberLen]byte, sum []byte, decrypt bool) error {
	copy(t.iv[:], sum)
	if decrypt {
		return t.c.DecryptCBC(b[:], b[:], &t.iv)
	}
	return t.c.EncryptCBC(b[:], b[:], &t.iv)
}

// start implements cryption.
func (t *tripleDES) start(uint32) { t.iv = [des3.BlockSize]byte{} }

// encrypt implements cryption.
func (t *tripleDES) encrypt(dst, src []byte) error { return t.c.EncryptCBC(dst, src, &t.iv) }

// decrypt implements cryption.
func (t *tripleDES) decrypt(dst, src []byte) error { return t.c.DecryptCBC(dst, src, &t.iv) }

// clear implements cryption.
func (t *tripleDES) clear() { t.c.Clear() }
