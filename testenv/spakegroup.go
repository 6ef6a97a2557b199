package testenv

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"math/big"
	"slices"
	"strings"
)

// spakeGroup is a group of RFC 9588 §12.2, in plain big numbers: slow, open to
// whoever measures its time, and independent of the client that it is to test.
type spakeGroup struct {
	id   int32
	name string
	size int // of a scalar in bytes
	hash func() hash.Hash
	m, n string
	c    *plainCurve
}

// spakeGroups reads the names of Options.SPAKE; unknown ones are dropped.
func spakeGroups(names []string) []*spakeGroup {
	all := []*spakeGroup{
		{1, "edwards25519", 32, sha256.New,
			"d048032c6ea0b6d697ddc2e86bda85a33adac920f1bf18e1b0c6d166a5cecdaf",
			"d3bfb518f44f3430f29d0c92af503865a1ed3281dc69b35dd868ba85f886c4ab", edwards25519()},
		{2, "P-256", 32, sha256.New,
			"02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f",
			"03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49", weierstrass(elliptic.P256())},
		{3, "P-384", 48, sha512.New384,
			"030ff0895ae5ebf6187080a82d82b42e2765e3b2f8749c7e05eba366434b363d3dc36f15314739074d2eb8613fceec2853",
			"02c72cf2e390853a1c1c4ad816a62fd15824f56078918f43f922ca21518f9c543bb252c5490214cf9aa3f0baab4b665c10", weierstrass(elliptic.P384())},
		{4, "P-521", 66, sha512.New,
			"02003f06f38131b2ba2600791e82488e8d20ab889af753a41806c5db18d37d85608cfae06b82e4a72cd744c719193562a653ea1f119eef9356907edc9b56979962d7aa",
			"0200c7924b9ec017f3094562894336a53c50167ba8c5963876880542bc669e494b2532d76c5b53dfb349fdf69154b9e0048c58a42e8ed04cef052a3bc349d95575cd25", weierstrass(elliptic.P521())},
	}
	var list []*spakeGroup
	for _, name := range names {
		for _, g := range all {
			if strings.EqualFold(g.name, name) {
				list = append(list, g)
			}
		}
	}
	return list
}

// plainPoint is a point; a nil x is the point at infinity.
type plainPoint struct{ x, y *big.Int }

// plainCurve is an elliptic curve: y² = x³ - 3x + b or, if d is set, -x² + y² = 1
// + dx²y².
type plainCurve struct {
	p, order, b, d *big.Int
	g              plainPoint
	size           int
}

func weierstrass(c elliptic.Curve) *plainCurve {
	q := c.Params()
	return &plainCurve{p: q.P, order: q.N, b: q.B, g: plainPoint{q.Gx, q.Gy}, size: (q.BitSize + 7) / 8}
}

func edwards25519() *plainCurve {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	order, _ := new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mul(d, big.NewInt(-121665)).Mod(d, p)
	c := &plainCurve{p: p, order: order, d: d, size: 32}
	base := make([]byte, 32)
	for i := range base {
		base[i] = 0x66
	}
	base[0] = 0x58 // y = 4/5
	c.g, _ = c.decode(base)
	return c
}

func (c *plainCurve) mod(x *big.Int) *big.Int { return x.Mod(x, c.p) }

func (c *plainCurve) mulMod(factors ...*big.Int) *big.Int {
	x := big.NewInt(1)
	for _, f := range factors {
		c.mod(x.Mul(x, f))
	}
	return x
}

func (c *plainCurve) zero() plainPoint {
	if c.d != nil {
		return plainPoint{new(big.Int), big.NewInt(1)}
	}
	return plainPoint{}
}

func (c *plainCurve) neg(a plainPoint) plainPoint {
	switch {
	case a.x == nil:
		return a
	case c.d != nil:
		return plainPoint{c.mod(new(big.Int).Neg(a.x)), a.y}
	}
	return plainPoint{a.x, c.mod(new(big.Int).Neg(a.y))}
}

func (c *plainCurve) add(a, b plainPoint) plainPoint {
	if c.d != nil {
		t := c.mulMod(c.d, a.x, b.x, a.y, b.y)
		one := big.NewInt(1)
		inv := func(x *big.Int) *big.Int { return x.ModInverse(c.mod(x), c.p) }
		x := new(big.Int).Add(c.mulMod(a.x, b.y), c.mulMod(a.y, b.x))
		y := new(big.Int).Add(c.mulMod(a.y, b.y), c.mulMod(a.x, b.x))
		return plainPoint{
			c.mulMod(x, inv(new(big.Int).Add(one, t))),
			c.mulMod(y, inv(new(big.Int).Sub(one, t))),
		}
	}
	if a.x == nil {
		return b
	}
	if b.x == nil {
		return a
	}
	var slope *big.Int
	if a.x.Cmp(b.x) == 0 {
		if a.y.Cmp(b.y) != 0 || a.y.Sign() == 0 {
			return plainPoint{}
		}
		num := new(big.Int).Sub(c.mulMod(big.NewInt(3), a.x, a.x), big.NewInt(3))
		slope = c.mulMod(num, new(big.Int).ModInverse(c.mod(new(big.Int).Lsh(a.y, 1)), c.p))
	} else {
		slope = c.mulMod(new(big.Int).Sub(b.y, a.y), new(big.Int).ModInverse(c.mod(new(big.Int).Sub(b.x, a.x)), c.p))
	}
	x := c.mulMod(slope, slope)
	c.mod(x.Sub(x, a.x).Sub(x, b.x))
	y := c.mulMod(slope, new(big.Int).Sub(a.x, x))
	return plainPoint{x, c.mod(y.Sub(y, a.y))}
}

func (c *plainCurve) mul(k *big.Int, a plainPoint) plainPoint {
	r := c.zero()
	for i := k.BitLen() - 1; i >= 0; i-- {
		if r = c.add(r, r); k.Bit(i) == 1 {
			r = c.add(r, a)
		}
	}
	return r
}

// scalar reads a scalar in the group's byte order.
func (c *plainCurve) scalar(b []byte) *big.Int {
	if c.d != nil {
		b = slices.Clone(b)
		slices.Reverse(b)
	}
	return new(big.Int).SetBytes(b)
}

func (c *plainCurve) encode(a plainPoint) []byte {
	if c.d != nil {
		b := a.y.FillBytes(make([]byte, c.size))
		b[0] |= byte(a.x.Bit(0) << 7)
		slices.Reverse(b)
		return b
	}
	return append([]byte{2 | byte(a.y.Bit(0))}, a.x.FillBytes(make([]byte, c.size))...)
}

func (c *plainCurve) decode(b []byte) (plainPoint, bool) {
	var sign uint
	var a plainPoint
	var square *big.Int
	if c.d != nil {
		if len(b) != c.size {
			return a, false
		}
		b = slices.Clone(b)
		slices.Reverse(b)
		sign = uint(b[0] >> 7)
		b[0] &= 0x7f
		a.y = new(big.Int).SetBytes(b)
		yy := c.mulMod(a.y, a.y)
		den := new(big.Int).ModInverse(c.mod(new(big.Int).Add(c.mulMod(c.d, yy), big.NewInt(1))), c.p)
		square = c.mulMod(new(big.Int).Sub(yy, big.NewInt(1)), den)
	} else {
		if len(b) != 1+c.size || b[0]&^1 != 2 {
			return a, false
		}
		sign = uint(b[0] & 1)
		a.x = new(big.Int).SetBytes(b[1:])
		square = c.mulMod(a.x, a.x, a.x)
		c.mod(square.Sub(square, c.mulMod(big.NewInt(3), a.x)).Add(square, c.b))
	}
	root := new(big.Int).ModSqrt(square, c.p)
	if root == nil {
		return a, false
	}
	if root.Bit(0) != sign {
		c.mod(root.Neg(root))
	}
	if c.d != nil {
		a.x = root
	} else {
		a.y = root
	}
	return a, true
}

// constant is M or N.
func (g *spakeGroup) constant(text string) plainPoint {
	b, _ := hex.DecodeString(text)
	a, _ := g.c.decode(b)
	return a
}

// challenge returns the KDC's secret and public key.
func (g *spakeGroup) challenge(w []byte) (x *big.Int, public []byte, err error) {
	if x, err = rand.Int(rand.Reader, g.c.order); err != nil {
		return nil, nil, err
	}
	if g.c.d != nil {
		x.Lsh(x, 3) // the order of the whole group is eight times that
	}
	a := g.c.add(g.c.mul(x, g.c.g), g.c.mul(g.c.scalar(w), g.constant(g.m)))
	return x, g.c.encode(a), nil
}

// result returns the shared element.
func (g *spakeGroup) result(w []byte, x *big.Int, client []byte) ([]byte, bool) {
	a, ok := g.c.decode(client)
	if !ok {
		return nil, false
	}
	k := g.c.mul(x, g.c.add(a, g.c.neg(g.c.mul(g.c.scalar(w), g.constant(g.n)))))
	if k.x == nil {
		return nil, false
	}
	return g.c.encode(k), true
}
