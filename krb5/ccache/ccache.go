// Package ccache reads and writes credential caches: the tickets of one
// principal, kept for programs to use.
//
// [Resolve] opens a cache by name, [NewMemory] makes one inside the program.
// [ParseFile] and [Contents.Append] are the FILE format by itself.
package ccache

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Cache is a credential cache. Implementations are safe for concurrent use, and
// ctx ends waiting for other processes. The error is krberr FCCNoFile if there is
// no such cache yet; it is an [fs.ErrNotExist] too.
type Cache interface {
	// Name returns the name for Resolve, with the type in front.
	Name() string
	// Load reads everything in one step.
	Load(ctx context.Context) (*Contents, error)
	// Principal, Credentials and Config are Load and the method of Contents.
	Principal(ctx context.Context) (Principal, error)
	Credentials(ctx context.Context) ([]Credential, error)
	Config(ctx context.Context, key string, p *Principal) ([]byte, bool, error)
	// Store adds entries to a cache that exists. A configuration entry, made by
	// ConfEntry, replaces the one before it.
	Store(ctx context.Context, entries ...Credential) error
	// Init makes the cache, in place of what there was.
	Init(ctx context.Context, p Principal, entries ...Credential) error
}

// Resolve returns the cache with the name: "FILE:path", or a path alone. It does
// not look whether there is one. The error is krberr CCUnknownType for other
// types, CCBadName for an empty name.
func Resolve(name string) (Cache, error) {
	kind, rest := fileio.Split(name)
	if kind != "FILE" {
		return nil, fmt.Errorf("%w: %q; the supported type is FILE", krberr.CCUnknownType, kind)
	}
	if rest == "" {
		return nil, fmt.Errorf("%w: no path", krberr.CCBadName)
	}
	return NewFile(rest), nil
}

// DefaultName returns the name of the user's cache: KRB5CCNAME, else
// default_ccache_name of libdefaults, else "FILE:/tmp/krb5cc_%{uid}". Parameters
// such as %{uid} are expanded in the configuration's value alone; see
// [conf.Expand] for the errors. A nil c is an empty configuration, a nil getenv
// an empty environment.
func DefaultName(c *conf.Config, getenv func(string) string) (string, error) {
	if getenv != nil {
		if v := getenv("KRB5CCNAME"); v != "" {
			return v, nil
		}
	}
	name, ok := c.Get("libdefaults", "default_ccache_name")
	if !ok {
		name = defaultPath
	}
	return conf.Expand(name, getenv)
}

// loader gives a cache the methods of Cache that are Load in other words.
type loader struct {
	load func(ctx context.Context) (*Contents, error)
}

// Load implements [Cache].
func (l loader) Load(ctx context.Context) (*Contents, error) {
	if l.load == nil {
		return nil, fmt.Errorf("%w: %w", krberr.FCCNoFile, fs.ErrNotExist)
	}
	return l.load(ctx)
}

// Principal implements [Cache].
func (l loader) Principal(ctx context.Context) (Principal, error) {
	c, err := l.Load(ctx)
	if err != nil {
		return Principal{}, err
	}
	return c.Principal, nil
}

// Credentials implements [Cache].
func (l loader) Credentials(ctx context.Context) ([]Credential, error) {
	c, err := l.Load(ctx)
	if err != nil {
		return nil, err
	}
	return c.Credentials(), nil
}

// Config implements [Cache].
func (l loader) Config(ctx context.Context, key string, p *Principal) ([]byte, bool, error) {
	c, err := l.Load(ctx)
	if err != nil {
		return nil, false, err
	}
	v, ok := c.Config(key, p)
	return v, ok, nil
}
