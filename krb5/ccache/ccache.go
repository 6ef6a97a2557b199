// Package ccache reads and writes credential caches: the tickets of one
// principal, kept for programs to use.
//
// [Resolve] opens a cache by name, [NewMemory] makes one inside the program.
// [OpenCollection] opens the caches of a user that stand together under one
// name, and [Select] picks the one to use for a server.
//
// The types of caches are
//   - FILE:path, or a path alone: a file;
//   - DIR:path, a directory of such files, and DIR::path/tktNAME, one of them;
//   - KCM:, the caches that a daemon keeps for the user, and KCM:name, one of
//     them, over its Unix socket;
//   - KEYRING:anchor:collection in the Linux kernel, and
//     KEYRING:anchor:collection:name, one of them. Anchors are session, user,
//     persistent, whose collection is a user's number, and legacy, which may be
//     left out.
//
// [ParseFile] and [Contents.Append] are the FILE format by itself.
package ccache

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Cache is a credential cache. Implementations are safe for concurrent use, and
// ctx ends waiting for other processes. Where there is no such cache yet, the
// error of every method but Init is krberr FCCNoFile, which is an
// [io/fs.ErrNotExist] too; it is krberr FCCPerm where the system forbids the
// access.
type Cache interface {
	// Name returns the name for Resolve, with the type in front.
	Name() string
	// Principal returns whose cache it is.
	Principal(ctx context.Context) (Principal, error)
	// Load reads everything.
	Load(ctx context.Context) (*Contents, error)
	// Init makes the cache, in place of what there was.
	Init(ctx context.Context, c *Contents) error
	// Store adds entries to a cache that exists. A configuration entry, made by
	// ConfEntry, replaces the one before it.
	Store(ctx context.Context, entries ...Credential) error
	// Remove takes out the entries for which match returns true, configuration
	// entries among them. That there is none is no error.
	Remove(ctx context.Context, match func(*Credential) bool) error
	// Destroy removes the cache.
	Destroy(ctx context.Context) error
}

// Resolve returns the cache with the name. The name of a collection stands for
// the primary cache at this time. It does not look whether there is a cache. A
// nil c is an empty configuration.
//
// The error is krberr CCUnknownType for a type that is not among those of the
// package comment, CCBadName for a malformed name, and what
// [Collection.Primary] says.
func Resolve(ctx context.Context, name string, c *conf.Config) (Cache, error) {
	col, err := OpenCollection(name, c)
	if err != nil {
		return nil, err
	}
	return col.Primary(ctx)
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

// Credentials returns the entries of the cache that are tickets. Errors are
// those of Load.
func Credentials(ctx context.Context, cc Cache) ([]Credential, error) {
	c, err := cc.Load(ctx)
	if err != nil {
		return nil, err
	}
	return c.Credentials(), nil
}

// SetConfig sets the value of a configuration entry of the cache; nil removes
// it. A nil p sets it for the whole cache, else it is for that principal.
func SetConfig(ctx context.Context, cc Cache, key string, p *Principal, value []byte) error {
	client, err := cc.Principal(ctx)
	if err != nil {
		return err
	}
	e := ConfEntry(client, key, p, value)
	if value != nil {
		return cc.Store(ctx, e)
	}
	return cc.Remove(ctx, func(c *Credential) bool { return c.Server.Equal(e.Server) })
}

// open returns what the name stands for.
func open(name string, c *conf.Config) (Collection, error) {
	kind, rest := fileio.Split(name)
	switch kind {
	case "FILE", "DIR", "KEYRING":
		if rest == "" {
			return nil, fmt.Errorf("%w: no name after %q", krberr.CCBadName, kind)
		}
	}
	switch kind {
	case "FILE":
		return NewSingle(NewFile(rest)), nil
	case "DIR":
		return openDir(rest)
	case "KCM":
		return openKCM(rest, c)
	case "KEYRING":
		return openKeyring(rest)
	case "MEMORY":
		return nil, fmt.Errorf("%w: MEMORY caches have no names here; make one with ccache.NewMemory and hand it over as a value", krberr.CCUnknownType)
	case "API":
		return nil, fmt.Errorf("%w: API, the caches of macOS, cannot be reached without its libraries; use FILE or DIR", krberr.CCUnknownType)
	case "MSLSA":
		return nil, fmt.Errorf("%w: MSLSA, the caches of Windows, do not hand out keys; use FILE or DIR", krberr.CCUnknownType)
	}
	return nil, fmt.Errorf("%w: %q; there are %s", krberr.CCUnknownType, kind, supported)
}
