// Package spake is the key exchange of SPAKE preauthentication (RFC 9588): the
// groups, the transcript and the keys that come out of it. Messages are in
// package wire.
//
// Two values of w, one for each side, agree on a key if they are the same, and
// who listens or takes part learns nothing about w but whether one guess was
// right.
package spake

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
)

// Group is the number of a group (RFC 9588 §12.2).
type Group int32

// The groups of RFC 9588.
const (
	Edwards25519 Group = 1
	P256         Group = 2
	P384         Group = 3
	P521         Group = 4
)

// Groups returns all groups, the preferred one first.
func Groups() []Group { return []Group{Edwards25519, P256, P384, P521} }

// Parse returns the group with a name of spake_preauth_groups, in any case.
func Parse(name string) (Group, bool) {
	for _, g := range Groups() {
		if equalFold(name, g.String()) {
			return g, true
		}
	}
	return 0, false
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if 'A' <= x && x <= 'Z' {
			x += 'a' - 'A'
		}
		if 'A' <= y && y <= 'Z' {
			y += 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}

// String returns the name of the group, as krb5.conf has it.
func (g Group) String() string {
	switch g {
	case Edwards25519:
		return "edwards25519"
	case P256:
		return "P-256"
	case P384:
		return "P-384"
	case P521:
		return "P-521"
	}
	return fmt.Sprintf("group %d", int32(g))
}

// ErrGroup says that a group is not one of RFC 9588.
var ErrGroup = errors.New("spake: unknown group")

// errPublic is one for all that can be wrong with the peer's key.
var errPublic = errors.New("spake: not a public key of the group")

// curve is what a group does. Scalars and elements are of its sizes.
type curve interface {
	// secretSize is the size of w in bytes.
	secretSize() int
	hash() hash.Hash
	// generate returns a secret and x·G + w·B, where B is M for the KDC and N
	// for the client.
	generate(kdc bool, w []byte) (secret, public []byte, err error)
	// public is generate for a secret that is known.
	public(kdc bool, w, secret []byte) ([]byte, error)
	// result returns x·(peer − w·B), where B is that of the peer.
	result(kdc bool, w, secret, peer []byte) ([]byte, error)
}

func (g Group) curve() (curve, error) {
	switch g {
	case Edwards25519:
		return edwards{}, nil
	case P256:
		return p256, nil
	case P384:
		return p384, nil
	case P521:
		return p521, nil
	}
	return nil, ErrGroup
}

// W returns the secret that both sides have: it comes from the client's
// long-term key (RFC 9588 §4, "Deriving w").
func W(g Group, key *enctype.Key) ([]byte, error) {
	c, err := g.curve()
	if err != nil {
		return nil, err
	}
	pepper := binary.BigEndian.AppendUint32([]byte("SPAKEsecret"), uint32(g))
	w := enctype.PRFPlus(key, nil, pepper, c.secretSize())
	if w == nil {
		return nil, errors.New("spake: the key cannot be used")
	}
	return w, nil
}

// Side is one of the two that take part. Its methods are not safe for
// concurrent use.
type Side struct {
	g      Group
	c      curve
	kdc    bool
	w      []byte
	secret []byte
	// Public is the public key to send.
	Public []byte
}

// New makes a key pair for the KDC's side or the client's.
func New(g Group, kdc bool, w []byte) (*Side, error) {
	c, err := g.curve()
	if err != nil {
		return nil, err
	}
	s := &Side{g: g, c: c, kdc: kdc, w: w}
	if s.secret, s.Public, err = c.generate(kdc, w); err != nil {
		return nil, err
	}
	return s, nil
}

// Result returns the shared element K. It is an error if the peer's public key
// is not one of the group, or chosen so that K is no secret.
func (s *Side) Result(peer []byte) ([]byte, error) { return s.c.result(s.kdc, s.w, s.secret, peer) }

// Clear overwrites what the side keeps secret; w is the caller's.
func (s *Side) Clear() { clear(s.secret) }

// Transcript is the hash over what was said (RFC 9588 §7).
func Transcript(g Group, support, challenge, clientPublic []byte) ([]byte, error) {
	c, err := g.curve()
	if err != nil {
		return nil, err
	}
	h := c.hash()
	sum := make([]byte, h.Size())
	for _, parts := range [][][]byte{{support, challenge}, {clientPublic}} {
		h.Reset()
		h.Write(sum)
		for _, p := range parts {
			h.Write(p)
		}
		sum = h.Sum(nil)
	}
	return sum, nil
}

// Keys derives the keys K'[n] (RFC 9588 §7).
type Keys struct {
	Group Group
	// Initial is the client's long-term key.
	Initial *enctype.Key
	// W and K are secret, Transcript is the hash, Body the DER of the request's
	// KDC-REQ-BODY.
	W, K, Transcript, Body []byte
}

// Key returns K'[n]: 0 is the reply key, 1 encrypts the client's factor.
func (k *Keys) Key(n uint32) (*enctype.Key, error) {
	c, err := k.Group.curve()
	if err != nil {
		return nil, err
	}
	id := k.Initial.Enctype()
	size := enctype.SeedSize(id)
	var seed []byte
	for block := byte(1); len(seed) < size; block++ {
		h := c.hash()
		h.Write([]byte("SPAKEkey"))
		var head [8]byte
		binary.BigEndian.PutUint32(head[:], uint32(k.Group))
		binary.BigEndian.PutUint32(head[4:], uint32(id))
		h.Write(head[:])
		for _, p := range [][]byte{k.W, k.K, k.Transcript, k.Body} {
			h.Write(p)
		}
		h.Write(binary.BigEndian.AppendUint32(nil, n))
		h.Write([]byte{block})
		seed = h.Sum(seed)
	}
	defer clear(seed)
	derived, err := enctype.RandomToKey(id, seed[:size])
	if err != nil {
		return nil, err
	}
	defer derived.Clear()
	return enctype.CF2(k.Initial, derived, "SPAKE", "keyderiv")
}

func newSHA256() hash.Hash { return sha256.New() }
func newSHA384() hash.Hash { return sha512.New384() }
func newSHA512() hash.Hash { return sha512.New() }
