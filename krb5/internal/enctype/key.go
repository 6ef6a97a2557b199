package enctype

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"sync"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/secret"
)

// Key is a protocol key (RFC 3961 §3). It does not change after it was made,
// but for Clear, and is safe for concurrent use. It prints as "[redacted]".
// The zero Key is not usable: its methods return [krberr.BadEnctype].
type Key struct {
	masked
	p *profile
	s *state
}

// state is what a key guards with its lock.
type state struct {
	mu      sync.Mutex
	value   secret.Secret
	cleared bool
	sched   schedule // made when the first key is derived
	free    freeList
}

// NewKey returns a key with a copy of value. The error is [krberr.BadEnctype]
// for a type that [Supported] does not name, [krberr.BadKeySize] for a value
// of another length.
func NewKey(id etype.ID, value []byte) (*Key, error) {
	p, err := usable(id)
	if err != nil {
		return nil, err
	}
	if len(value) != p.keySize {
		return nil, fmt.Errorf("%w: %d bytes for %v", krberr.BadKeySize, len(value), id)
	}
	return &Key{p: p, s: &state{value: secret.New(value)}}, nil
}

// GenerateKey returns a random key.
func GenerateKey(id etype.ID) (*Key, error) {
	p, err := usable(id)
	if err != nil {
		return nil, err
	}
	seed := make([]byte, p.seedSize())
	defer clear(seed)
	if _, err := rand.Read(seed); err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	return p.randomToKey(seed)
}

// seedSize returns the bytes that random-to-key takes.
func (p *profile) seedSize() int {
	if p.seed != 0 {
		return p.seed
	}
	return p.keySize
}

// randomToKey makes a key of seedSize random bytes (RFC 3961 §3).
func (p *profile) randomToKey(seed []byte) (*Key, error) {
	if p.fromRandom == nil {
		return NewKey(p.id, seed)
	}
	value := p.fromRandom(seed)
	defer clear(value)
	return NewKey(p.id, value)
}

// Enctype returns the key's type.
func (k *Key) Enctype() etype.ID {
	if k == nil || k.p == nil {
		return 0
	}
	return k.p.id
}

// Bytes returns a copy of the key's value, nil after Clear.
func (k *Key) Bytes() []byte {
	if k == nil || k.s == nil {
		return nil
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	if k.s.cleared {
		return nil
	}
	return append([]byte(nil), k.s.value.Bytes()...)
}

// Clear overwrites the value and drops what was derived from it; every later
// use of the key is an error. Ciphers and MACs that the caller holds go on
// working. A nil Key is ignored.
func (k *Key) Clear() {
	if k == nil || k.s == nil {
		return
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	k.s.value.Clear()
	for _, c := range k.s.free.ciphers {
		c.Clear()
	}
	k.s.cleared, k.s.sched, k.s.free = true, nil, freeList{}
}

// Equal reports in constant time whether both keys have the same type and
// value. A nil, zero or cleared Key equals none.
func (k *Key) Equal(o *Key) bool {
	if k.Enctype() == 0 || k.Enctype() != o.Enctype() {
		return false
	}
	a, b := k.Bytes(), o.Bytes()
	defer clear(a)
	defer clear(b)
	return len(a) > 0 && subtle.ConstantTimeCompare(a, b) == 1
}

// check is the test before every use.
func (k *Key) check() error {
	if k == nil || k.p == nil {
		return fmt.Errorf("%w: no key", krberr.BadEnctype)
	}
	return k.p.allowed()
}

// schedule returns the prepared key. The caller holds the lock.
func (s *state) schedule(p *profile) (schedule, error) {
	if s.cleared {
		return nil, fmt.Errorf("%w: the key was cleared", krberr.BadKeySize)
	}
	if s.sched == nil {
		sched, err := p.schedule(p, s.value.Bytes())
		if err != nil {
			return nil, err
		}
		s.sched = sched
	}
	return s.sched, nil
}
