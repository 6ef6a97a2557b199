package ccache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Collection is the caches of a user that stand together under one name. One of
// them is the primary, which the name alone stands for. Implementations are safe
// for concurrent use.
type Collection interface {
	// Name returns the name for OpenCollection, with the type in front.
	Name() string
	// Caches returns the caches that exist, the primary first. Someone may
	// destroy one before it is read, and one may turn out to be malformed.
	Caches(ctx context.Context) ([]Cache, error)
	// Primary returns the primary cache, which need not exist. The value stays
	// that cache when someone switches to another.
	Primary(ctx context.Context) (Cache, error)
	// Switch makes a cache of the collection its primary.
	Switch(ctx context.Context, c Cache) error
	// New makes a cache with a name that no other has.
	New(ctx context.Context, c *Contents) (Cache, error)
}

// OpenCollection returns the collection with the name: "DIR:path", "KCM:" or
// "KEYRING:anchor:name". The name of one cache is a [Single]. It does not look
// whether anything is there. A nil c is an empty configuration, from which the
// path of the KCM daemon's socket is taken. The errors are those of [Resolve].
func OpenCollection(name string, c *conf.Config) (Collection, error) { return open(name, c) }

// DefaultCollection is [OpenCollection] with [DefaultName].
func DefaultCollection(c *conf.Config, getenv func(string) string) (Collection, error) {
	name, err := DefaultName(c, getenv)
	if err != nil {
		return nil, err
	}
	return open(name, c)
}

// Match returns the cache of the collection that is the client's, the primary
// before others. Caches that cannot be read are passed over. The error is krberr
// CCNotFound if there is none.
func Match(ctx context.Context, col Collection, client Principal) (Cache, error) {
	found, _, err := find(ctx, col, client.Equal)
	if err == nil && found == nil {
		err = fmt.Errorf("%w: no tickets of %s in %s", krberr.CCNotFound, client, col.Name())
	}
	return found, err
}

// find returns the first cache whose principal is wanted, nil if there is none.
func find(ctx context.Context, col Collection, wanted func(Principal) bool) (Cache, Principal, error) {
	list, err := col.Caches(ctx)
	if err != nil {
		return nil, Principal{}, err
	}
	for _, c := range list {
		p, err := c.Principal(ctx)
		if ctx.Err() != nil {
			return nil, Principal{}, context.Cause(ctx)
		}
		if err == nil && wanted(p) {
			return c, p, nil
		}
	}
	return nil, Principal{}, nil
}

// Single is a collection of one cache, which has no room for others. Make it
// with [NewSingle].
type Single struct{ cache Cache }

var _ Collection = (*Single)(nil)

// NewSingle returns a collection of one cache.
func NewSingle(c Cache) *Single { return &Single{c} }

// Name implements [Collection]: the name of the cache.
func (s *Single) Name() string { return s.cache.Name() }

// Caches implements [Collection].
func (s *Single) Caches(ctx context.Context) ([]Cache, error) {
	if _, err := s.cache.Principal(ctx); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return []Cache{s.cache}, nil
}

// Primary implements [Collection].
func (s *Single) Primary(context.Context) (Cache, error) { return s.cache, nil }

// Switch implements [Collection]. The error is krberr CCNoSupp for any cache but
// the one that it has.
func (s *Single) Switch(_ context.Context, c Cache) error {
	if c.Name() == s.cache.Name() {
		return nil
	}
	return fmt.Errorf("%w: %s is one cache and no collection", krberr.CCNoSupp, s.Name())
}

// New implements [Collection]. The error is krberr CCNoSupp.
func (s *Single) New(context.Context, *Contents) (Cache, error) {
	return nil, fmt.Errorf("%w: %s is one cache and no collection", krberr.CCNoSupp, s.Name())
}

// primaryFirst sorts the names of a collection's caches and puts the primary, if
// it is among them, at the front.
func primaryFirst(names []string, primary string) []string {
	slices.Sort(names)
	names = slices.Compact(names)
	if i := slices.Index(names, primary); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, primary)
	}
	return names
}

// checked reports whether every entry could be read again.
func checked(c *Contents) error {
	if err := checkName(c.Principal); err != nil {
		return err
	}
	return checkEntries(c.Entries)
}

func checkEntries(entries []Credential) error {
	for i := range entries {
		if err := check(&entries[i]); err != nil {
			return err
		}
	}
	return nil
}
