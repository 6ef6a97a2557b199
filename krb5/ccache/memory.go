package ccache

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Memory is a cache inside the program. It has no name that Resolve knows: who
// is to use it needs the value. It is safe for concurrent use and must not be
// copied. The zero Memory is one that Init has yet to make.
type Memory struct {
	mu       sync.Mutex
	contents *Contents // nil until Init
}

var _ Cache = (*Memory)(nil)

// NewMemory returns a cache with a principal and entries. With the zero
// principal and no entries it is one that Init has yet to make.
func NewMemory(p Principal, entries ...Credential) *Memory {
	m := new(Memory)
	if !p.IsZero() || len(entries) > 0 {
		m.contents = &Contents{Principal: p}
		m.contents.store(entries...)
	}
	return m
}

// Name implements [Cache]. It is "MEMORY:" for every Memory.
func (m *Memory) Name() string { return "MEMORY:" }

// Principal implements [Cache].
func (m *Memory) Principal(context.Context) (Principal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.contents == nil {
		return Principal{}, errNoMemory()
	}
	return m.contents.Principal, nil
}

// Load implements [Cache].
func (m *Memory) Load(context.Context) (*Contents, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.contents == nil {
		return nil, errNoMemory()
	}
	return m.contents.clone(), nil
}

// Init implements [Cache].
func (m *Memory) Init(_ context.Context, c *Contents) error {
	c = c.clone()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contents = c
	return nil
}

// Store implements [Cache].
func (m *Memory) Store(_ context.Context, entries ...Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.contents == nil {
		return errNoMemory()
	}
	m.contents.store(entries...)
	return nil
}

// Remove implements [Cache].
func (m *Memory) Remove(_ context.Context, match func(*Credential) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.contents == nil {
		return errNoMemory()
	}
	m.contents.Entries = slices.DeleteFunc(slices.Clone(m.contents.Entries), func(e Credential) bool { return match(&e) })
	return nil
}

// Destroy implements [Cache].
func (m *Memory) Destroy(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.contents == nil {
		return errNoMemory()
	}
	m.contents = nil
	return nil
}

func errNoMemory() error {
	return fmt.Errorf("%w: MEMORY: not initialized: %w", krberr.FCCNoFile, fs.ErrNotExist)
}
