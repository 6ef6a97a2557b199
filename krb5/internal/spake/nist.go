package spake

import (
	"crypto/ecdh"
	"crypto/rand"
	"hash"

	"filippo.io/nistec"
)

// point is a point of package nistec: all of its curves have the same methods.
type point[T any] interface {
	Set(T) T
	SetBytes([]byte) (T, error)
	Add(T, T) T
	ScalarMult(T, []byte) (T, error)
	ScalarBaseMult([]byte) (T, error)
	BytesCompressed() []byte
}

// nist is one of the groups P-256, P-384 and P-521 (RFC 9588 §12.2). Elements
// are compressed points.
type nist[T point[T]] struct {
	curve    ecdh.Curve
	newPoint func() T
	newHash  func() hash.Hash
	size     int // bytes of a scalar
	m, n     string
}

var (
	p256 = &nist[*nistec.P256Point]{
		ecdh.P256(), nistec.NewP256Point, newSHA256, 32,
		"\x02\x88\x6e\x2f\x97\xac\xe4\x6e\x55\xba\x9d\xd7\x24\x25\x79\xf2\x99\x3b\x64\xe1\x6e\xf3\xdc\xab\x95\xaf\xd4\x97\x33\x3d\x8f\xa1\x2f",
		"\x03\xd8\xbb\xd6\xc6\x39\xc6\x29\x37\xb0\x4d\x99\x7f\x38\xc3\x77\x07\x19\xc6\x29\xd7\x01\x4d\x49\xa2\x4b\x4f\x98\xba\xa1\x29\x2b\x49",
	}
	p384 = &nist[*nistec.P384Point]{
		ecdh.P384(), nistec.NewP384Point, newSHA384, 48,
		"\x03\x0f\xf0\x89\x5a\xe5\xeb\xf6\x18\x70\x80\xa8\x2d\x82\xb4\x2e\x27\x65\xe3\xb2\xf8\x74\x9c\x7e\x05\xeb\xa3\x66\x43\x4b\x36\x3d\x3d\xc3\x6f\x15\x31\x47\x39\x07\x4d\x2e\xb8\x61\x3f\xce\xec\x28\x53",
		"\x02\xc7\x2c\xf2\xe3\x90\x85\x3a\x1c\x1c\x4a\xd8\x16\xa6\x2f\xd1\x58\x24\xf5\x60\x78\x91\x8f\x43\xf9\x22\xca\x21\x51\x8f\x9c\x54\x3b\xb2\x52\xc5\x49\x02\x14\xcf\x9a\xa3\xf0\xba\xab\x4b\x66\x5c\x10",
	}
	p521 = &nist[*nistec.P521Point]{
		ecdh.P521(), nistec.NewP521Point, newSHA512, 66,
		"\x02\x00\x3f\x06\xf3\x81\x31\xb2\xba\x26\x00\x79\x1e\x82\x48\x8e\x8d\x20\xab\x88\x9a\xf7\x53\xa4\x18\x06\xc5\xdb\x18\xd3\x7d\x85\x60\x8c\xfa\xe0\x6b\x82\xe4\xa7\x2c\xd7\x44\xc7\x19\x19\x35\x62\xa6\x53\xea\x1f\x11\x9e\xef\x93\x56\x90\x7e\xdc\x9b\x56\x97\x99\x62\xd7\xaa",
		"\x02\x00\xc7\x92\x4b\x9e\xc0\x17\xf3\x09\x45\x62\x89\x43\x36\xa5\x3c\x50\x16\x7b\xa8\xc5\x96\x38\x76\x88\x05\x42\xbc\x66\x9e\x49\x4b\x25\x32\xd7\x6c\x5b\x53\xdf\xb3\x49\xfd\xf6\x91\x54\xb9\xe0\x04\x8c\x58\xa4\x2e\x8e\xd0\x4c\xef\x05\x2a\x3b\xc3\x49\xd9\x55\x75\xcd\x25",
	}
)

func (c *nist[T]) secretSize() int { return c.size }
func (c *nist[T]) hash() hash.Hash { return c.newHash() }

// mask returns w times M for the KDC, N for the client, or their negatives:
// those have the other sign in the first byte.
func (c *nist[T]) mask(kdc, negative bool, w []byte) (T, error) {
	b := []byte(c.n)
	if kdc {
		b = []byte(c.m)
	}
	if negative {
		b[0] ^= 1
	}
	p, err := c.newPoint().SetBytes(b)
	if err != nil {
		return p, err
	}
	return c.newPoint().ScalarMult(p, w)
}

func (c *nist[T]) generate(kdc bool, w []byte) (secret, public []byte, err error) {
	key, err := c.curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	secret = key.Bytes()
	public, err = c.public(kdc, w, secret)
	return secret, public, err
}

func (c *nist[T]) public(kdc bool, w, secret []byte) ([]byte, error) {
	m, err := c.mask(kdc, false, w)
	if err != nil {
		return nil, err
	}
	p, err := c.newPoint().ScalarBaseMult(secret)
	if err != nil {
		return nil, err
	}
	return p.Add(p, m).BytesCompressed(), nil
}

func (c *nist[T]) result(kdc bool, w, secret, peer []byte) ([]byte, error) {
	if len(peer) != 1+c.size {
		return nil, errPublic
	}
	p, err := c.newPoint().SetBytes(peer)
	if err != nil {
		return nil, errPublic
	}
	m, err := c.mask(!kdc, true, w)
	if err != nil {
		return nil, err
	}
	p.Add(p, m)
	if p, err = c.newPoint().ScalarMult(p, secret); err != nil {
		return nil, err
	}
	k := p.BytesCompressed()
	if len(k) != 1+c.size { // the point at infinity
		return nil, errPublic
	}
	return k, nil
}
