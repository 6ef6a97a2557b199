// Package rcache remembers the authenticators that an acceptor has seen, so
// that each is accepted once (RFC 4120 §3.2.3).
package rcache

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// Cache is a set of authenticators with an expiry each. Implementations must be
// safe for concurrent use.
type Cache interface {
	// Add records the tag of an authenticator until expires, in one atomic
	// step with the question whether it was there: fresh is false for a
	// replay. An error means that the authenticator must be refused.
	Add(ctx context.Context, tag []byte, seen, expires time.Time) (fresh bool, err error)
}

// ErrFull is the error of a cache that holds as many live authenticators as it
// may. To forget one of them instead would let that one be replayed.
var ErrFull = errors.New("replay cache is full")

// DefaultCapacity is how many live authenticators the cache of a process holds.
// Each costs some 50 bytes; with a clock skew of five minutes the limit is
// reached at 3,400 accepted contexts a second.
const DefaultCapacity = 1 << 20

const (
	shards     = 16 // so that acceptors on different cores seldom meet
	sweepEvery = 60 // seconds between two looks for expired entries
	tagSize    = 24 // the longest tag of any enctype
)

// Memory is a Cache in memory, safe for concurrent use.
type Memory struct{ shards [shards]shard }

type shard struct {
	mu    sync.Mutex
	max   int
	swept int64 // when expired entries were last dropped, Unix seconds
	until map[key]int64
}

type key struct {
	n   uint8
	tag [tagSize]byte
}

// NewMemory returns an empty cache for at most capacity live authenticators;
// zero or less is [DefaultCapacity].
func NewMemory(capacity int) *Memory {
	if capacity <= 0 {
		capacity = DefaultCapacity
	}
	c := &Memory{}
	for i := range c.shards {
		c.shards[i].max = (capacity + shards - 1) / shards
		c.shards[i].until = make(map[key]int64)
	}
	return c
}

// Add implements [Cache]. Time counts in whole seconds; an entry lives until
// the second of expires is over.
func (c *Memory) Add(_ context.Context, tag []byte, seen, expires time.Time) (bool, error) {
	k := key{n: uint8(min(len(tag), tagSize+1))}
	if len(tag) <= tagSize {
		copy(k.tag[:], tag)
	} else {
		sum := sha256.Sum256(tag)
		copy(k.tag[:], sum[:])
	}
	now := seen.Unix()
	s := &c.shards[k.tag[0]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if until, ok := s.until[k]; ok && until >= now {
		return false, nil
	}
	full := len(s.until) >= s.max
	if now-s.swept >= sweepEvery || full && now != s.swept {
		s.sweep(now)
		full = len(s.until) >= s.max
	}
	if full {
		return false, ErrFull
	}
	s.until[k] = expires.Unix()
	return true, nil
}

// sweep drops what has expired.
func (s *shard) sweep(now int64) {
	for k, until := range s.until {
		if until < now {
			delete(s.until, k)
		}
	}
	s.swept = now
}

// process is the one memory cache of a process: two acceptors with one key must
// not each accept the same authenticator.
var process = sync.OnceValue(func() *Memory { return NewMemory(DefaultCapacity) })

// Process returns the memory cache that all acceptors of this process share.
func Process() *Memory { return process() }
