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
// copied. Make it with [NewMemory].
type Memory struct {
	loader
	mu       sync.Mutex
	contents *Contents // nil until Init
}

var _ Cache = (*Memory)(nil)

// NewMemory returns a cache with a principal and entries. With the zero
// principal and no entries it is one that Init has yet to make.
func NewMemory(p Principal, entries ...Credential) *Memory {
	m := new(Memory)
	m.loader.load = m.read
	if !p.IsZero() || len(entries) > 0 {
		m.contents = &Contents{Principal: p}
		m.contents.store(entries...)
	}
	return m
}

// Name implements [Cache]. It is "MEMORY:" for every Memory.
func (m *Memory) Name() string { return "MEMORY:" }

func (m *Memory) read(context.Context) (*Contents, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.contents == nil {
		return nil, errNoMemory()
	}
	c := *m.contents
	c.Entries = slices.Clone(c.Entries)
	c.Header = slices.Clone(c.Header)
	return &c, nil
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

// Init implements [Cache].
func (m *Memory) Init(_ context.Context, p Principal, entries ...Credential) error {
	c := &Contents{Principal: p}
	c.store(entries...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contents = c
	return nil
}

func errNoMemory() error {
	return fmt.Errorf("%w: MEMORY: not initialized: %w", krberr.FCCNoFile, fs.ErrNotExist)
}
