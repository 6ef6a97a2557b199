package ccache

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// kcmCache is a cache that the daemon keeps.
type kcmCache struct {
	kcm  *kcm
	name string
}

var _ Cache = (*kcmCache)(nil)

// Name implements [Cache].
func (c *kcmCache) Name() string { return "KCM:" + c.name }

// Principal implements [Cache].
func (c *kcmCache) Principal(ctx context.Context) (p Principal, err error) {
	err = c.kcm.on(ctx, func(k *kcmConn) error {
		p, err = k.principal(ctx, c.name)
		return err
	})
	return p, err
}

// Load implements [Cache].
func (c *kcmCache) Load(ctx context.Context) (contents *Contents, err error) {
	err = c.kcm.on(ctx, func(k *kcmConn) error {
		contents, err = k.load(ctx, c.name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return contents, nil
}

func (k *kcmConn) load(ctx context.Context, name string) (*Contents, error) {
	p, err := k.principal(ctx, name)
	if err != nil {
		return nil, err
	}
	c := &Contents{Principal: p}
	// Not every daemon keeps an offset; it is zero where nobody has set one.
	if b, err := k.call(ctx, kcmRequest(kcmGetKDCOffset, name)); err == nil {
		d, err := parseKCMOffset(b)
		if err != nil {
			return nil, err
		}
		if d != 0 {
			c.SetKDCOffset(d)
		}
	}
	b, err := k.call(ctx, kcmRequest(kcmGetCredList, name))
	switch {
	case err == nil:
		defer clear(b)
		c.Entries, err = parseKCMCredList(b)
	case unsupported(err):
		c.Entries, err = k.credsByUUID(ctx, name)
	}
	return c, err
}

// credsByUUID asks for the credentials one by one.
func (k *kcmConn) credsByUUID(ctx context.Context, name string) ([]Credential, error) {
	b, err := k.call(ctx, kcmRequest(kcmCredUUIDs, name))
	if err != nil {
		return nil, err
	}
	ids, err := parseKCMUUIDs(b)
	if err != nil {
		return nil, err
	}
	var list []Credential
	for _, id := range ids {
		b, err := k.call(ctx, append(kcmRequest(kcmCredByUUID, name), id...))
		if errors.Is(err, krberr.CCEnd) || errors.Is(err, krberr.CCNotFound) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		e, err := parseCredential(b)
		clear(b)
		if err != nil {
			return nil, badReply(err)
		}
		list = append(list, e)
	}
	return list, nil
}

// Init implements [Cache].
func (c *kcmCache) Init(ctx context.Context, contents *Contents) error {
	if err := checked(contents); err != nil {
		return err
	}
	return c.kcm.on(ctx, func(k *kcmConn) error { return k.init(ctx, c.name, contents) })
}

// init makes the cache in one step or, with a daemon that cannot, in several.
func (k *kcmConn) init(ctx context.Context, name string, c *Contents) error {
	offset, known := c.KDCOffset()
	seconds := uint32(int32(offset / time.Second))
	r := binary.BigEndian.AppendUint32(kcmRequest(kcmReplace, name), seconds)
	r = appendCredList(appendPrincipal(r, c.Principal), c.Entries)
	defer func() { clear(r) }()
	_, err := k.call(ctx, r)
	if !unsupported(err) {
		return err
	}
	if _, err := k.call(ctx, appendPrincipal(kcmRequest(kcmInitialize, name), c.Principal)); err != nil {
		return err
	}
	if known {
		_, err := k.call(ctx, binary.BigEndian.AppendUint32(kcmRequest(kcmSetKDCOffset, name), seconds))
		if err != nil && !unsupported(err) {
			return err
		}
	}
	return k.store(ctx, name, c.Entries)
}

func (k *kcmConn) store(ctx context.Context, name string, entries []Credential) error {
	for i := range entries {
		b := entries[i].append(kcmRequest(kcmStore, name), version4)
		_, err := k.call(ctx, b)
		clear(b)
		if err != nil {
			return err
		}
	}
	return nil
}

// Store implements [Cache].
func (c *kcmCache) Store(ctx context.Context, entries ...Credential) error {
	if err := checkEntries(entries); err != nil {
		return err
	}
	var added Contents
	added.store(entries...)
	replaces := func(old *Credential) bool { return old.IsConf() && added.has(old.Server) }
	return c.kcm.on(ctx, func(k *kcmConn) error {
		if _, err := k.principal(ctx, c.name); err != nil {
			return err
		}
		if slices.ContainsFunc(added.Entries, func(e Credential) bool { return e.IsConf() }) {
			if err := k.remove(ctx, c.name, replaces); err != nil {
				return err
			}
		}
		return k.store(ctx, c.name, added.Entries)
	})
}

// Remove implements [Cache].
func (c *kcmCache) Remove(ctx context.Context, match func(*Credential) bool) error {
	return c.kcm.on(ctx, func(k *kcmConn) error { return k.remove(ctx, c.name, match) })
}

func (k *kcmConn) remove(ctx context.Context, name string, match func(*Credential) bool) error {
	contents, err := k.load(ctx, name)
	if err != nil {
		return err
	}
	kept := *contents
	kept.Entries = nil
	var out []*Credential
	for i := range contents.Entries {
		if e := &contents.Entries[i]; match(e) {
			out = append(out, e)
		} else {
			kept.Entries = append(kept.Entries, *e)
		}
	}
	for _, e := range out {
		flags := kcmMatchTimesExact
		if e.Key.Enctype != 0 {
			flags |= kcmMatchKeytype
		}
		r := binary.BigEndian.AppendUint32(kcmRequest(kcmRemoveCred, name), flags)
		_, err := k.call(ctx, e.appendPattern(r))
		switch {
		case unsupported(err):
			return k.init(ctx, name, &kept)
		case errors.Is(err, krberr.CCNotFound): // removed meanwhile
		case err != nil:
			return err
		}
	}
	return nil
}

// Destroy implements [Cache].
func (c *kcmCache) Destroy(ctx context.Context) error {
	return c.kcm.on(ctx, func(k *kcmConn) error {
		// Some daemons destroy what is not there without a word.
		if _, err := k.principal(ctx, c.name); errors.Is(err, fs.ErrNotExist) {
			return err
		}
		_, err := k.call(ctx, kcmRequest(kcmDestroy, c.name))
		return err
	})
}
