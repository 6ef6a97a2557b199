package krb5

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
)

// acquireTickets finds out where an initiator's tickets come from, as MIT does:
// a password; the cache that the store names; or, of the caches that stand under
// the default name, that of the wanted principal. A client keytab fills a cache
// that is empty. Without a name the cache is picked when the target is known.
func (m *Mechanism) acquireTickets(ctx context.Context, profile *conf.Config, n *name, r mech.CredRequest) (*tickets, *choice, error) {
	var want principal.Name
	if n != nil {
		var err error
		if want, err = n.principal(ctx, profile); err != nil {
			return nil, nil, err
		}
		if want.Realm == "" {
			want.Realm = profile.DefaultRealm()
		}
	}
	if r.Password != nil {
		t, err := m.passwordTickets(ctx, profile, n, want, r)
		return t, nil, err
	}
	if _, ok := r.Store[storeVerify]; ok {
		return nil, nil, fail("acquire_cred", gsserr.ErrFailure, fmt.Errorf("%w: verify without a password", krberr.GSSBadUsage))
	}
	if file := r.Store[storeClientKeytab]; file != "" {
		if _, err := keytab.Path(file); err != nil {
			return nil, nil, err
		}
	}
	if file := r.Store[storeCCache]; file != "" {
		cc, err := ccache.Resolve(ctx, file, profile)
		if err != nil {
			return nil, nil, err
		}
		t := &tickets{m: m, cache: cc, from: m.origin(r, want)}
		return t, nil, t.check(ctx, want)
	}
	col, err := m.defaultCaches(profile)
	if err != nil {
		return nil, nil, err
	}
	if n != nil {
		t, err := m.ticketsOf(ctx, col, want, r)
		if err != nil {
			return nil, nil, err
		}
		return t, nil, t.check(ctx, want)
	}
	return m.anyTickets(ctx, col, r)
}

// defaultCaches returns what stands under the default name.
func (m *Mechanism) defaultCaches(profile *conf.Config) (ccache.Collection, error) {
	file := m.c.CCache
	if file == "" {
		var err error
		if file, err = ccache.DefaultName(profile, m.c.Getenv); err != nil {
			return nil, err
		}
	}
	return ccache.OpenCollection(file, profile)
}

// passwordTickets logs in with a password.
func (m *Mechanism) passwordTickets(ctx context.Context, profile *conf.Config, n *name, want principal.Name, r mech.CredRequest) (*tickets, error) {
	if r.Store[storeCCache] != "" || r.Store[storeClientKeytab] != "" {
		return nil, fail("acquire_cred", gsserr.ErrFailure, fmt.Errorf("%w: a password and another source", krberr.GSSBadUsage))
	}
	if n == nil {
		return nil, fail("acquire_cred", gsserr.ErrBadName, errors.New("a password needs a name"))
	}
	t, err := m.login(ctx, profile, want, &LoginOptions{Password: r.Password, Lifetime: r.Lifetime})
	if err != nil {
		return nil, err
	}
	if server, ok := r.Store[storeVerify]; ok {
		if err := m.verifyLogin(ctx, profile, t, server, r.Store[storeKeytab]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// ticketsOf returns the tickets of one principal: the cache among those of the
// collection that is its own, or else one for what its client keytab brings,
// which is the default one if that is free.
func (m *Mechanism) ticketsOf(ctx context.Context, col ccache.Collection, want principal.Name, r mech.CredRequest) (*tickets, error) {
	cc, err := ccache.Match(ctx, col, want)
	if err == nil {
		return m.shared(cc, r, want), nil
	}
	if !errors.Is(err, krberr.CCNotFound) {
		return nil, err
	}
	t := &tickets{m: m, from: m.origin(r, want)}
	single, alone := col.(*ccache.Single)
	if !alone {
		t.from.in, t.missing = col, err
		return t, nil
	}
	if t.cache, err = single.Primary(ctx); err != nil {
		return nil, err
	}
	switch p, err := t.cache.Principal(ctx); {
	case err == nil: // MIT gives up here
		t.missing = fmt.Errorf("%w: %s has tickets of %s, not of %s", krberr.GSSCCacheNomatch, col.Name(), p, want)
		t.cache = new(ccache.Memory)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return t, nil
}

// anyTickets returns the tickets of nobody in particular: those of the primary
// cache, and a choice to be made when the target is known.
func (m *Mechanism) anyTickets(ctx context.Context, col ccache.Collection, r mech.CredRequest) (*tickets, *choice, error) {
	primary, err := col.Primary(ctx)
	if err != nil {
		return nil, nil, err
	}
	t := m.shared(primary, r, principal.Name{})
	pick := &choice{m: m, col: col, r: r}
	err = t.check(ctx, principal.Name{})
	if _, alone := col.(*ccache.Single); err == nil || alone {
		return t, pick, err
	}
	// Without a primary, or with one that is of no use, another may do.
	others, listErr := col.Caches(ctx)
	if listErr != nil {
		return nil, nil, listErr
	}
	for _, cc := range others {
		if cc.Name() != primary.Name() {
			return t, pick, nil
		}
	}
	return nil, nil, err
}

// opened are the default caches that contexts without a credential of their own
// have used, so that they are read once and not for each context.
type opened struct {
	mu   sync.Mutex
	list map[string]*tickets
}

// maxOpened is how many of them are kept.
const maxOpened = 16

// shared returns the tickets in a cache of the default collection. Requests that
// ask for nothing else get the same value.
func (m *Mechanism) shared(cc ccache.Cache, r mech.CredRequest, want principal.Name) *tickets {
	t := &tickets{m: m, cache: cc, from: m.origin(r, want)}
	if r.Lifetime != 0 || t.from.asked {
		return t
	}
	key := cc.Name() + "\x00" + want.String()
	m.opened.mu.Lock()
	defer m.opened.mu.Unlock()
	if have := m.opened.list[key]; have != nil {
		return have
	}
	if m.opened.list == nil || len(m.opened.list) >= maxOpened {
		m.opened.list = make(map[string]*tickets)
	}
	m.opened.list[key] = t
	return t
}

// choice picks a cache of the default collection for a target. What it picked
// stays picked, as with MIT.
type choice struct {
	m   *Mechanism
	col ccache.Collection
	r   mech.CredRequest

	mu     sync.Mutex
	picked map[string]*tickets // by target
}

// chosen returns the credential with the tickets that are meant for the target:
// those of the principal that .k5identity in the folder $HOME names, of one in
// the target's realm, of one whose realm the target's host is in, or else those
// that the credential has anyway.
func (c *cred) chosen(ctx context.Context, profile *conf.Config, target *name) (*cred, error) {
	if c.pick == nil {
		return c, nil
	}
	t, err := c.pick.forTarget(ctx, profile, target, c.init)
	if err != nil {
		return nil, fail("", gsserr.ErrNoCred, err)
	}
	resolved := *c
	resolved.init, resolved.pick = t, nil
	return &resolved, nil
}

func (p *choice) forTarget(ctx context.Context, profile *conf.Config, target *name, primary *tickets) (*tickets, error) {
	key := target.String()
	p.mu.Lock()
	t := p.picked[key]
	p.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t, err := p.pick(ctx, profile, target, primary)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.picked == nil || len(p.picked) >= maxReady {
		p.picked = make(map[string]*tickets)
	}
	p.picked[key] = t
	return t, nil
}

func (p *choice) pick(ctx context.Context, profile *conf.Config, target *name, primary *tickets) (*tickets, error) {
	home := p.m.c.Getenv("HOME")
	if _, alone := p.col.(*ccache.Single); alone && !hasIdentity(home) {
		return primary, nil
	}
	server, err := target.principal(ctx, profile)
	if err != nil {
		return nil, fail("", gsserr.ErrBadName, err)
	}
	cc, client, err := ccache.Select(ctx, p.col, server, &ccache.SelectOptions{Home: home, Config: profile})
	switch {
	case err == nil && cc.Name() == primary.name():
		return primary, nil
	case err == nil:
		return p.m.shared(cc, p.r, principal.Name{}), nil
	case !errors.Is(err, krberr.CCNotFound):
		return nil, err
	case client.IsZero():
		return primary, nil
	}
	return p.m.ticketsOf(ctx, p.col, client, p.r)
}

// hasIdentity reports whether there may be a .k5identity. Without one there is
// nothing to pick from a single cache.
func hasIdentity(home string) bool {
	if home == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(home, ".k5identity"))
	return err == nil
}
