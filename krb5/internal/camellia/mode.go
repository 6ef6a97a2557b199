package camellia

import (
	"encoding/binary"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// EncryptCBC encrypts src, which is a number of whole blocks, to the beginning
// of dst. It starts from iv and leaves there what the next call needs to go on
// with the same message. dst and src may be the same memory or memory apart;
// they must not overlap otherwise.
//
// An error means that nothing was done: [krberr.BadMsize] if src is not whole
// blocks or dst is shorter, [krberr.BadKeySize] after Clear and for a zero
// Cipher.
func (c *Cipher) EncryptCBC(dst, src []byte, iv *[BlockSize]byte) error {
	if err := c.check(dst, src); err != nil {
		return err
	}
	l, r := binary.BigEndian.Uint64(iv[:]), binary.BigEndian.Uint64(iv[8:])
	for len(src) > 0 {
		l, r = c.k.encrypt(l^binary.BigEndian.Uint64(src), r^binary.BigEndian.Uint64(src[8:]))
		binary.BigEndian.PutUint64(dst, l)
		binary.BigEndian.PutUint64(dst[8:], r)
		dst, src = dst[BlockSize:], src[BlockSize:]
	}
	binary.BigEndian.PutUint64(iv[:], l)
	binary.BigEndian.PutUint64(iv[8:], r)
	return nil
}

// DecryptCBC is the reverse of EncryptCBC.
func (c *Cipher) DecryptCBC(dst, src []byte, iv *[BlockSize]byte) error {
	if err := c.check(dst, src); err != nil {
		return err
	}
	pl, pr := binary.BigEndian.Uint64(iv[:]), binary.BigEndian.Uint64(iv[8:])
	for len(src) > 0 {
		cl, cr := binary.BigEndian.Uint64(src), binary.BigEndian.Uint64(src[8:])
		l, r := c.k.decrypt(cl, cr)
		binary.BigEndian.PutUint64(dst, l^pl)
		binary.BigEndian.PutUint64(dst[8:], r^pr)
		pl, pr = cl, cr
		dst, src = dst[BlockSize:], src[BlockSize:]
	}
	binary.BigEndian.PutUint64(iv[:], pl)
	binary.BigEndian.PutUint64(iv[8:], pr)
	return nil
}

func (c *Cipher) check(dst, src []byte) error {
	if len(src)%BlockSize != 0 || len(dst) < len(src) {
		return fmt.Errorf("%w: %d bytes of Camellia blocks to %d", krberr.BadMsize, len(src), len(dst))
	}
	if c.k.rounds == 0 {
		return fmt.Errorf("%w: no Camellia key", krberr.BadKeySize)
	}
	return nil
}
