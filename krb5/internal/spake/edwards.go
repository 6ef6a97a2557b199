package spake

import (
	"crypto/rand"
	"crypto/subtle"
	"hash"

	"filippo.io/edwards25519"
)

// edwards is the group edwards25519 (RFC 9588 §12.2). Its order is eight times a
// prime. Secrets are multiples of eight, so that nothing of the small part of
// the group shows in a result: what is kept here as the secret is an eighth.
type edwards struct{}

const edwardsSize = 32

// The elements M and N of RFC 9588 §12.2.
var (
	edwardsM = [edwardsSize]byte{
		0xd0, 0x48, 0x03, 0x2c, 0x6e, 0xa0, 0xb6, 0xd6, 0x97, 0xdd, 0xc2, 0xe8, 0x6b, 0xda, 0x85, 0xa3,
		0x3a, 0xda, 0xc9, 0x20, 0xf1, 0xbf, 0x18, 0xe1, 0xb0, 0xc6, 0xd1, 0x66, 0xa5, 0xce, 0xcd, 0xaf,
	}
	edwardsN = [edwardsSize]byte{
		0xd3, 0xbf, 0xb5, 0x18, 0xf4, 0x4f, 0x34, 0x30, 0xf2, 0x9d, 0x0c, 0x92, 0xaf, 0x50, 0x38, 0x65,
		0xa1, 0xed, 0x32, 0x81, 0xdc, 0x69, 0xb3, 0x5d, 0xd8, 0x68, 0xba, 0x85, 0xf8, 0x86, 0xc4, 0xab,
	}
)

func (edwards) secretSize() int { return edwardsSize }
func (edwards) hash() hash.Hash { return newSHA256() }

// mask returns w·M for the KDC, w·N for the client.
func (edwards) mask(kdc bool, w []byte) (*edwards25519.Point, error) {
	b := edwardsN
	if kdc {
		b = edwardsM
	}
	p, err := new(edwards25519.Point).SetBytes(b[:])
	if err != nil {
		return nil, err
	}
	s, err := edwardsScalar(w)
	if err != nil {
		return nil, err
	}
	return p.ScalarMult(s, p), nil
}

// edwardsScalar reads 256 bits, of which w may have every one.
func edwardsScalar(b []byte) (*edwards25519.Scalar, error) {
	var wide [64]byte
	defer clear(wide[:])
	copy(wide[:edwardsSize], b)
	return new(edwards25519.Scalar).SetUniformBytes(wide[:])
}

func (e edwards) generate(kdc bool, w []byte) (secret, public []byte, err error) {
	var wide [64]byte
	defer clear(wide[:])
	if _, err := rand.Read(wide[:]); err != nil {
		return nil, nil, err
	}
	s, err := new(edwards25519.Scalar).SetUniformBytes(wide[:])
	if err != nil {
		return nil, nil, err
	}
	secret = s.Bytes()
	public, err = e.public(kdc, w, secret)
	return secret, public, err
}

func (e edwards) public(kdc bool, w, secret []byte) ([]byte, error) {
	s, err := edwardsScalar(secret)
	if err != nil {
		return nil, err
	}
	m, err := e.mask(kdc, w)
	if err != nil {
		return nil, err
	}
	p := new(edwards25519.Point).ScalarBaseMult(s)
	p.MultByCofactor(p)
	return p.Add(p, m).Bytes(), nil
}

func (e edwards) result(kdc bool, w, secret, peer []byte) ([]byte, error) {
	if len(peer) != edwardsSize {
		return nil, errPublic
	}
	p, err := new(edwards25519.Point).SetBytes(peer)
	if err != nil || subtle.ConstantTimeCompare(p.Bytes(), peer) == 0 { // RFC 8032 §5.1.3
		return nil, errPublic
	}
	m, err := e.mask(!kdc, w)
	if err != nil {
		return nil, err
	}
	s, err := edwardsScalar(secret)
	if err != nil {
		return nil, err
	}
	p.Subtract(p, m)
	p.MultByCofactor(p)
	p.ScalarMult(s, p)
	if p.Equal(edwards25519.NewIdentityPoint()) == 1 {
		return nil, errPublic
	}
	return p.Bytes(), nil
}
