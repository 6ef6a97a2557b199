package enctype

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/gss-go/gssapi/krb5/internal/hmacsha"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// The last byte of a derivation constant, RFC 3961 §5.3.
const (
	kindChecksum   byte = 0x99 // Kc
	kindEncryption byte = 0xAA // Ke
	kindIntegrity  byte = 0x55 // Ki
)

// deriver is the key derivation function of a type under one protocol key, and
// the pseudo-random function, which is made of it. What derive and label return
// is overwritten by the next call.
type deriver interface {
	derive(usage uint32, kind byte, size int) []byte
	label(constant string, size int) []byte
	prf(dst, in []byte) ([]byte, error)
}

// derived is the schedule of a type whose keys come from a deriver.
type derived struct {
	deriver
	p *profile
}

func newDerived(p *profile, key []byte) (schedule, error) {
	d, err := p.kdf(p, key)
	if err != nil {
		return nil, err
	}
	return &derived{d, p}, nil
}

// engine implements schedule.
func (d *derived) engine(usage uint32) (engine, error) { return newCTS(d.p, d, usage) }

// mac implements schedule with the HMAC of the checksum key Kc.
func (d *derived) mac(usage uint32) (hash.Hash, error) {
	kc := d.derive(usage, kindChecksum, d.p.macKey)
	defer clear(kc)
	return hmacsha.New(d.p.hash, kc), nil
}

// dk is a key of RFC 3961's simplified profile with AES: its derivation
// function is DK, made of encryptions under the protocol key itself.
type dk struct {
	p     *profile
	block cipher.Block
	fold  [16]byte
	out   [32]byte
}

func newDK(p *profile, key []byte) (deriver, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	return &dk{p: p, block: b}, nil
}

// derive returns the key of a usage in d's own space.
func (d *dk) derive(usage uint32, kind byte, size int) []byte {
	foldUsage(&d.fold, usage, kind)
	return d.chain(size)
}

// label returns the key of a constant in d's own space.
func (d *dk) label(constant string, size int) []byte {
	copy(d.fold[:], nfold([]byte(constant), len(d.fold)))
	return d.chain(size)
}

// chain is DR of RFC 3961 §5.1: the constant is encrypted again and again.
func (d *dk) chain(size int) []byte {
	prev := d.fold[:]
	for i := 0; i < size; i += aes.BlockSize {
		d.block.Encrypt(d.out[i:], prev)
		prev = d.out[i : i+aes.BlockSize]
	}
	return d.out[:size]
}

// kdf is a key of RFC 8009 §3: its derivation function is the KDF in counter
// mode of SP 800-108 with HMAC, one block long.
type kdf struct {
	p   *profile
	h   *hmacsha.MAC
	in  [16]byte
	out [64]byte
}

func newKDF(p *profile, key []byte) (deriver, error) {
	return &kdf{p: p, h: hmacsha.New(p.hash, key)}, nil
}

// derive returns the key of a usage in d's own space.
func (d *kdf) derive(usage uint32, kind byte, size int) []byte {
	b := binary.BigEndian.AppendUint32(d.in[:0], usage)
	return d.run(append(b, kind), nil, size)
}

// label returns the key of a constant in d's own space.
func (d *kdf) label(constant string, size int) []byte {
	return d.run(append(d.in[:0], constant...), nil, size)
}

// run is KDF-HMAC-SHA2(key, label, [context,] 8*size) of RFC 8009 §3.
func (d *kdf) run(label, context []byte, size int) []byte {
	d.h.Reset()
	// One write for what fits: 00000001 | label | 00 | context | bits.
	b := append(d.out[:0], 0, 0, 0, 1)
	b = append(b, label...)
	b = append(b, 0)
	if len(context) > 0 {
		d.h.Write(b)
		d.h.Write(context)
		b = d.out[:0]
	}
	b = binary.BigEndian.AppendUint32(b, uint32(8*size))
	d.h.Write(b)
	return d.h.Sum(d.out[:0])[:size]
}
