package pkinit

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Group is a group for key agreement.
type Group uint8

// The groups. MODP2048 is what every KDC takes (RFC 4556 §3.2.1); the smaller
// one of RFC 4556, with 1024 bits, is not offered.
const (
	MODP2048 Group = iota + 1 // group 14 of RFC 3526
	MODP4096                  // group 16
	P256                      // RFC 5349
	P384
	P521
)

// Groups returns all groups, the preferred one first.
func Groups() []Group { return []Group{MODP2048, P256, P384, P521, MODP4096} }

// MinBits returns the groups to use for a value of pkinit_dh_min_bits, a number
// of bits of a prime or the name of a curve: that one, and those that are as
// strong. The weakest group is 2048 bits, whatever less is asked for.
func MinBits(text string) []Group {
	switch strings.ToUpper(strings.TrimSpace(text)) {
	case "P-256":
		return []Group{P256, P384, P521, MODP4096}
	case "P-384":
		return []Group{P384, P521}
	case "P-521":
		return []Group{P521}
	case "4096":
		return []Group{MODP4096, P384, P521}
	}
	return Groups()
}

// String returns a name for people.
func (g Group) String() string {
	switch g {
	case MODP2048:
		return "MODP group 14"
	case MODP4096:
		return "MODP group 16"
	case P256:
		return "P-256"
	case P384:
		return "P-384"
	case P521:
		return "P-521"
	}
	return fmt.Sprintf("group %d", uint8(g))
}

func (g Group) curve() (ecdh.Curve, asn1.ObjectIdentifier) {
	switch g {
	case P256:
		return ecdh.P256(), oidCurveP256
	case P384:
		return ecdh.P384(), oidCurveP384
	case P521:
		return ecdh.P521(), oidCurveP521
	}
	return nil, nil
}

func (g Group) prime() string {
	if g == MODP4096 {
		return modp4096
	}
	return modp2048
}

// Agreement is one side's key pair. It is used once, and not concurrently.
type Agreement struct {
	Group Group
	ec    *ecdh.PrivateKey
	m     *modulus
	x     []byte
	// Public is what stands in the BIT STRING of a public key: the DER of an
	// INTEGER, or a point.
	Public []byte
}

// NewAgreement makes a key pair.
func NewAgreement(g Group) (*Agreement, error) {
	a := &Agreement{Group: g}
	curve, _ := g.curve()
	var err error
	switch {
	case curve != nil:
		if a.ec, err = curve.GenerateKey(rand.Reader); err != nil {
			return nil, err
		}
		a.Public = a.ec.PublicKey().Bytes()
		return a, nil
	case g != MODP2048 && g != MODP4096:
		return nil, fmt.Errorf("pkinit: unknown %v", g)
	}
	if a.m, err = newModulus(g.prime()); err != nil {
		return nil, err
	}
	if a.x, err = newExponent(); err != nil {
		return nil, err
	}
	two := make([]uint64, len(a.m.p))
	two[0] = 2
	a.Public = integer(a.m.bytes(a.m.exp(two, a.x)))
	return a, nil
}

// Clear overwrites what is secret, as far as it can be reached.
func (a *Agreement) Clear() { clear(a.x) }

// integer is the DER of an INTEGER that is not negative.
func integer(b []byte) []byte {
	for len(b) > 1 && b[0] == 0 && b[1] < 0x80 {
		b = b[1:]
	}
	var out cryptobyte.Builder
	out.AddASN1(cbasn1.INTEGER, func(c *cryptobyte.Builder) {
		if b[0] >= 0x80 {
			c.AddUint8(0)
		}
		c.AddBytes(b)
	})
	der, _ := out.Bytes() // cannot fail
	return der
}

// errPublic is one for all that can be wrong with the peer's key.
var errPublic = errors.New("pkinit: not a public key of the group")

// Shared returns the shared secret, as long as the modulus or as a coordinate of
// the curve. public is as in Public.
func (a *Agreement) Shared(public []byte) ([]byte, error) {
	if a.ec != nil {
		key, err := a.ec.Curve().NewPublicKey(public)
		if err != nil {
			return nil, errPublic
		}
		z, err := a.ec.ECDH(key)
		if err != nil {
			return nil, errPublic
		}
		return z, nil
	}
	var y []byte
	in := cryptobyte.String(public)
	if !in.ReadASN1Integer(&y) || !in.Empty() || len(y) > 8*len(a.m.p) {
		return nil, errPublic
	}
	n := words(y, len(a.m.p))
	if !a.m.valid(n) {
		return nil, errPublic
	}
	return a.m.bytes(a.m.exp(n, a.x)), nil
}

// parameters writes the AlgorithmIdentifier of the group (RFC 3279 §2.3.3, RFC
// 5480 §2.1).
func (g Group) parameters(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if _, curve := g.curve(); curve != nil {
			b.AddASN1ObjectIdentifier(oidECKey)
			b.AddASN1ObjectIdentifier(curve)
			return
		}
		b.AddASN1ObjectIdentifier(oidDH)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			m, err := newModulus(g.prime())
			if err != nil {
				b.SetError(err)
				return
			}
			q := make([]uint64, len(m.p)) // (p-1)/2
			for i := range q {
				q[i] = m.p[i] >> 1
				if i+1 < len(q) {
					q[i] |= m.p[i+1] << 63
				}
			}
			b.AddBytes(integer(m.bytes(m.p)))
			b.AddASN1Int64(2)
			b.AddBytes(integer(m.bytes(q)))
		})
	})
}

// spki writes the SubjectPublicKeyInfo.
func (a *Agreement) spki(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		a.Group.parameters(b)
		b.AddASN1BitString(a.Public)
	})
}

// Acceptable returns those of the groups that a KDC lists in TD-DH-PARAMETERS
// (RFC 4556 §3.1.5), in its order. Others in the list are passed over.
func Acceptable(parameters []byte, groups []Group) ([]Group, error) {
	in := cryptobyte.String(parameters)
	var list cryptobyte.String
	if len(parameters) > MaxMessage || !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, syntax("TD-DH-PARAMETERS")
	}
	var found []Group
	for !list.Empty() {
		var e cryptobyte.String
		if !list.ReadASN1Element(&e, cbasn1.SEQUENCE) {
			return nil, syntax("TD-DH-PARAMETERS")
		}
		for _, g := range groups {
			if g.matches(e) {
				found = append(found, g)
			}
		}
	}
	return found, nil
}

// matches reports whether an AlgorithmIdentifier names the group: the same
// curve, or the same prime and generator, whatever is said of q.
func (g Group) matches(id cryptobyte.String) bool {
	var seq, params cryptobyte.String
	var alg, name asn1.ObjectIdentifier
	if !id.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&alg) {
		return false
	}
	if _, curve := g.curve(); curve != nil {
		return alg.Equal(oidECKey) && seq.ReadASN1ObjectIdentifier(&name) && name.Equal(curve)
	}
	var p []byte
	var generator int64
	if !alg.Equal(oidDH) || !seq.ReadASN1(&params, cbasn1.SEQUENCE) || !params.ReadASN1Integer(&p) ||
		!params.ReadASN1Integer(&generator) || generator != 2 {
		return false
	}
	return strings.EqualFold(g.prime(), fmt.Sprintf("%x", p))
}
