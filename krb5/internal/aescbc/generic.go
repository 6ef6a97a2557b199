package aescbc

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// blockMode is what the standard library's CBC modes are, beyond their
// declared type.
type blockMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

// generic is CBC by the standard library. A mode copies the key schedule, so
// each is made once, when it is first needed, and reused.
type generic struct {
	block    cipher.Block
	enc, dec blockMode
	next     [BlockSize]byte // the vector after a decryption
}

func (g *generic) init(key []byte) error {
	b, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	g.block = b
	return nil
}

func (g *generic) encrypt(dst, src []byte, iv *[BlockSize]byte) error {
	if err := g.start(&g.enc, cipher.NewCBCEncrypter, iv); err != nil {
		return err
	}
	g.enc.CryptBlocks(dst, src)
	if n := len(src); n > 0 {
		copy(iv[:], dst[n-BlockSize:n])
	}
	return nil
}

func (g *generic) decrypt(dst, src []byte, iv *[BlockSize]byte) error {
	if err := g.start(&g.dec, cipher.NewCBCDecrypter, iv); err != nil {
		return err
	}
	g.next = *iv
	if n := len(src); n > 0 {
		copy(g.next[:], src[n-BlockSize:]) // before it is overwritten
	}
	g.dec.CryptBlocks(dst, src)
	*iv = g.next
	return nil
}

// start makes a mode, or turns one that is there to iv.
func (g *generic) start(m *blockMode, create func(cipher.Block, []byte) cipher.BlockMode, iv *[BlockSize]byte) error {
	if *m != nil {
		(*m).SetIV(iv[:])
		return nil
	}
	b, ok := create(g.block, iv[:]).(blockMode)
	if !ok {
		return fmt.Errorf("%w: CBC without SetIV", krberr.CryptoInternal)
	}
	*m = b
	return nil
}
