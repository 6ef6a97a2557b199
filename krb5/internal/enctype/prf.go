package enctype

import (
	"crypto/aes"
	"crypto/sha1"
	"crypto/subtle"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// PRF appends the pseudo-random function of in to dst (RFC 3961 §3): 32 bytes
// for type 19, 48 for 20, 20 for 23, and 16 for the others. It returns nil when the
// key cannot be used: it was cleared, or is not allowed any more (FIPS).
func (k *Key) PRF(dst, in []byte) []byte {
	out, err := k.prf(dst, in)
	if err != nil {
		return nil
	}
	return out
}

func (k *Key) prf(dst, in []byte) ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	sched, err := k.s.schedule(k.p)
	if err != nil {
		return nil, err
	}
	return sched.prf(dst, in)
}

// prf implements deriver: AES under DK(key, "prf") of the first block of the
// SHA-1 of the input (RFC 3961 §5.3, RFC 3962 §6).
func (d *dk) prf(dst, in []byte) ([]byte, error) {
	key := d.label("prf", d.p.keySize)
	b, err := aes.NewCipher(key)
	clear(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	sum := sha1.Sum(in)
	b.Encrypt(d.out[:], sum[:block])
	return append(dst, d.out[:d.p.prfLen]...), nil
}

// prf implements deriver: the derivation function with the input as context
// (RFC 8009 §5).
func (d *kdf) prf(dst, in []byte) ([]byte, error) {
	return append(dst, d.run(append(d.in[:0], "prf"...), in, d.p.prfLen)...), nil
}

// PRFPlus appends n bytes of PRF+(k, pepper) to dst (RFC 6113 §5.1). Its
// counter is one byte: n goes up to 255 outputs of the PRF. It returns nil when
// n is beyond that, or the key cannot be used.
func PRFPlus(k *Key, dst, pepper []byte, n int) []byte {
	out, err := prfPlus(k, dst, pepper, n)
	if err != nil {
		return nil
	}
	return out
}

func prfPlus(k *Key, dst, pepper []byte, n int) ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	if n < 0 || n > 255*k.p.prfLen {
		return nil, fmt.Errorf("%w: PRF+ of %d bytes", krberr.BadMsize, n)
	}
	end := len(dst) + n
	in := append([]byte{0}, pepper...)
	for len(dst) < end {
		in[0]++
		var err error
		if dst, err = k.prf(dst, in); err != nil {
			return nil, err
		}
	}
	return dst[:end], nil
}

// CF2 is KRB-FX-CF2 (RFC 6113 §5.1): it combines two keys, of one type or of
// two, to a key of k1's type.
func CF2(k1, k2 *Key, pepper1, pepper2 string) (*Key, error) {
	if err := k1.check(); err != nil {
		return nil, err
	}
	a, err := prfPlus(k1, nil, []byte(pepper1), k1.p.seedSize())
	if err != nil {
		return nil, err
	}
	defer clear(a[:cap(a)])
	b, err := prfPlus(k2, nil, []byte(pepper2), k1.p.seedSize())
	if err != nil {
		return nil, err
	}
	defer clear(b[:cap(b)])
	subtle.XORBytes(a, a, b)
	return k1.p.randomToKey(a)
}
