package ccache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// keyringCache is a keyring whose keys are a principal and tickets. The kernel
// drops each ticket when it ends, and the cache with the last one. There is one
// ticket for a server; a new one takes its place.
type keyringCache struct{ name keyringName }

var _ Cache = (*keyringCache)(nil)

// Name implements [Cache].
func (c *keyringCache) Name() string { return c.name.String() }

// on calls f on a thread to whose keyring the cache is linked, and its
// collection.
func (c *keyringCache) on(ctx context.Context, f func(cache, collection int) error) error {
	return onThread(ctx, func() error {
		ring, err := c.name.ring(false)
		id := 0
		if err == nil {
			if id, err = keySearch(ring, "keyring", c.name.cache, own); err != nil {
				err = keyError(krberr.CCIO, c.Name(), err)
			}
		}
		if errors.Is(err, krberr.FCCNoFile) && c.name.isOld() {
			// Old programs link it to the session alone.
			var e error
			if id, e = keySearch(sessionRing(), "keyring", c.name.cache, own); e == nil {
				ring, err = 0, nil
			}
		}
		if err != nil {
			return err
		}
		return f(id, ring)
	})
}

// Principal implements [Cache].
func (c *keyringCache) Principal(ctx context.Context) (p Principal, err error) {
	err = c.on(ctx, func(cache, _ int) error {
		p, err = c.principal(cache)
		return err
	})
	return p, err
}

func (c *keyringCache) principal(cache int) (Principal, error) {
	id, err := keySearch(cache, "user", keyPrincipal, 0)
	var b []byte
	if err == nil {
		b, err = keyRead(id)
	}
	if err != nil {
		return Principal{}, keyError(krberr.CCIO, c.Name(), err)
	}
	p, err := parsePrincipalData(b)
	if err != nil {
		return Principal{}, fmt.Errorf("%w: %s: principal %w", krberr.CCFormat, c.Name(), err)
	}
	return p, nil
}

// Load implements [Cache].
func (c *keyringCache) Load(ctx context.Context) (contents *Contents, err error) {
	err = c.on(ctx, func(cache, _ int) error {
		contents, err = c.load(cache, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return contents, nil
}

// load reads the cache and calls each, if there is one, with the number of the
// key of each entry.
func (c *keyringCache) load(cache int, each func(id int, e *Credential) error) (*Contents, error) {
	if _, err := c.principal(cache); err != nil {
		return nil, err
	}
	list, err := keyRead(cache)
	if err != nil {
		return nil, keyError(krberr.CCIO, c.Name(), err)
	}
	contents := new(Contents)
	for _, id := range parseSerials(list) {
		kind, name, err := keyDescribe(id)
		if err != nil || kind != "user" && kind != "big_key" {
			continue // removed meanwhile, or not ours
		}
		b, err := keyRead(id)
		if gone(err) || errors.Is(err, unix.EACCES) {
			continue // so is what is no longer in the ring
		}
		if err != nil {
			return nil, keyError(krberr.CCIO, c.Name(), err)
		}
		n := len(contents.Entries)
		err = contents.addKey(name, b)
		clear(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name(), err)
		}
		if each != nil && len(contents.Entries) > n {
			if err := each(id, &contents.Entries[n]); err != nil {
				return nil, keyError(krberr.CCWrite, c.Name(), err)
			}
		}
	}
	return contents, nil
}

// Init implements [Cache]. The cache is made apart and then takes the place of
// the old one in one step.
func (c *keyringCache) Init(ctx context.Context, contents *Contents) error {
	if err := checked(contents); err != nil {
		return err
	}
	return onThread(ctx, func() error {
		ring, err := c.name.ring(true)
		if err != nil {
			return err
		}
		cache, err := unix.AddKey("keyring", c.name.cache, nil, own)
		if err == nil {
			err = c.fill(cache, contents)
		}
		if err == nil {
			err = keyLink(cache, ring)
		}
		if err == nil && c.name.isOld() {
			err = keyLink(cache, sessionRing())
		}
		if err != nil {
			return keyError(krberr.CCWrite, c.Name(), err)
		}
		return nil
	})
}

func (c *keyringCache) fill(cache int, contents *Contents) error {
	if _, err := unix.AddKey("user", keyPrincipal, appendPrincipal(nil, contents.Principal), cache); err != nil {
		return err
	}
	// Old programs would take it for a ticket.
	if !c.name.isOld() {
		for _, f := range contents.Header {
			if f.Tag != tagTimeOffset || len(f.Data) != 8 {
				continue
			}
			if _, err := unix.AddKey("user", keyOffsets, f.Data, cache); err != nil {
				return err
			}
		}
	}
	if err := c.add(cache, contents.Entries); err != nil {
		return err
	}
	return expire(cache, contents.Entries)
}

func (c *keyringCache) add(cache int, entries []Credential) error {
	for i := range entries {
		e := &entries[i]
		b := e.append(nil, version4)
		id, err := addCredentialKey(e.Server.String(), b, cache, c.name.anchor == "legacy")
		clear(b)
		if err != nil {
			return err
		}
		if left := time.Until(e.EndTime); left > 0 {
			if err := keyTimeout(id, int64(left/time.Second)); err != nil {
				return err
			}
		}
	}
	return nil
}

// expire makes the cache end with the last of its tickets.
func expire(cache int, entries []Credential) error {
	var end time.Time
	for i := range entries {
		if entries[i].EndTime.After(end) {
			end = entries[i].EndTime
		}
	}
	if end.IsZero() {
		return nil
	}
	return keyTimeout(cache, int64(time.Until(end)/time.Second))
}

// Store implements [Cache].
func (c *keyringCache) Store(ctx context.Context, entries ...Credential) error {
	if err := checkEntries(entries); err != nil {
		return err
	}
	return c.on(ctx, func(cache, _ int) error {
		if _, err := c.principal(cache); err != nil {
			return err
		}
		if err := c.add(cache, entries); err != nil {
			return keyError(krberr.CCWrite, c.Name(), err)
		}
		all, err := c.load(cache, nil)
		if err == nil {
			if e := expire(cache, all.Entries); e != nil {
				err = keyError(krberr.CCWrite, c.Name(), e)
			}
		}
		return err
	})
}

// Remove implements [Cache].
func (c *keyringCache) Remove(ctx context.Context, match func(*Credential) bool) error {
	return c.on(ctx, func(cache, _ int) error {
		_, err := c.load(cache, func(id int, e *Credential) error {
			if !match(e) {
				return nil
			}
			if err := keyUnlink(id, cache); !gone(err) && !errors.Is(err, unix.ENOENT) {
				return err
			}
			return nil // removed meanwhile
		})
		return err
	})
}

// Destroy implements [Cache].
func (c *keyringCache) Destroy(ctx context.Context) error {
	return c.on(ctx, func(cache, collection int) error {
		err := keyClear(cache)
		if collection != 0 {
			err = errors.Join(err, keyUnlink(cache, collection))
		}
		if c.name.isOld() {
			if e := keyUnlink(cache, sessionRing()); e != nil && !errors.Is(e, unix.ENOENT) {
				err = errors.Join(err, e)
			}
		}
		if err != nil {
			return keyError(krberr.CCWrite, c.Name(), err)
		}
		return nil
	})
}
