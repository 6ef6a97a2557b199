package krb5

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
)

// origin is where an initiator's tickets come from when there are none yet, or
// when they run out: a client keytab.
type origin struct {
	keytab   string         // its name, "" if there can be none
	asked    bool           // the caller named it: without it nothing goes
	client   principal.Name // zero: that of the cache, else the first in the keytab
	lifetime time.Duration
	in       ccache.Collection // where to make a cache, if there is none yet
	busy     chan struct{}     // has room for one login at a time
}

// soon is how long before their end tickets are replaced, and how long nobody
// else tries while one does.
const soon = 30 * time.Second

func (m *Mechanism) origin(r mech.CredRequest, client principal.Name) *origin {
	o := &origin{client: client, lifetime: r.Lifetime, busy: make(chan struct{}, 1)}
	o.keytab, o.asked = r.Store[storeClientKeytab], r.Store[storeClientKeytab] != ""
	o.keytab = cmp.Or(o.keytab, m.c.ClientKeytab)
	return o
}

// open reads the keytab and says whose tickets to get with it.
func (o *origin) open(m *Mechanism, of principal.Name) (*keytab.Keytab, principal.Name, error) {
	file := o.keytab
	if file == "" {
		profile, err := m.config()
		if err != nil {
			return nil, of, err
		}
		if file, err = keytab.DefaultClientName(profile, m.c.Getenv); err != nil {
			return nil, of, err
		}
	}
	kt, err := keytab.Load(file)
	if err != nil {
		return nil, of, err
	}
	switch entries := kt.Entries(); {
	case !o.client.IsZero():
		of = o.client
	case !of.IsZero():
	case len(entries) == 0:
		return nil, of, krberr.KTNotFound
	default:
		of = entries[0].Principal
	}
	_, err = kt.Lookup(of, 0, 0)
	return kt, of, err
}

// load returns what is in the cache now, after getting new tickets from a client
// keytab if it is time for that: halfway through the life of tickets that came
// from one, or with little left of any others. Tickets that are good still are
// used while another goroutine gets new ones, and when getting them fails.
func (t *tickets) load(ctx context.Context) (*ccache.Contents, error) {
	c, err := t.read(ctx)
	if t.from == nil || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	good, due := false, true
	if err == nil {
		// Somebody may have replaced what was read.
		if c, good, due = t.life(); good && !due {
			return c, nil
		}
	}
	select {
	case t.from.busy <- struct{}{}:
	default:
		if good {
			return c, nil
		}
		select {
		case t.from.busy <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	defer func() { <-t.from.busy }()
	if _, err := t.read(ctx); err == nil {
		if c, good, due := t.life(); good && !due {
			return c, nil // somebody else did it meanwhile
		}
	}
	fresh, err2 := t.refresh(ctx, c)
	switch {
	case err2 == nil:
		return fresh, nil
	case c != nil:
		t.m.c.Logger.DebugContext(ctx, "tickets not replaced", "cache", t.name(), "error", err2)
		return c, nil
	case errors.Is(err2, fs.ErrNotExist) && !t.from.asked:
		return nil, err // having no client keytab is the normal case
	}
	return nil, err2
}

// life returns the tickets read last and says whether they are good, and due to be
// replaced.
func (t *tickets) life() (c *ccache.Contents, good, due bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.m.c.Time()
	return t.contents, t.contents != nil && t.ends.After(now), !t.due.After(now)
}

// refresh gets new tickets in place of the old, which may be nil.
func (t *tickets) refresh(ctx context.Context, old *ccache.Contents) (*ccache.Contents, error) {
	m := t.m
	var whose principal.Name
	if old != nil {
		whose = old.Principal
		if _, ok := impersonator(old); ok || !t.from.client.IsZero() && !t.from.client.Equal(whose) {
			return nil, fmt.Errorf("%w: the cache is of %s", krberr.GSSCCacheNomatch, whose)
		}
	}
	kt, client, err := t.from.open(m, whose)
	if err != nil {
		return nil, err
	}
	if old != nil {
		t.holdOff(ctx, old)
	}
	profile, err := m.config()
	if err != nil {
		return nil, err
	}
	got, err := m.login(ctx, profile, client, &LoginOptions{Keytab: kt, Lifetime: t.from.lifetime})
	if err != nil {
		return nil, err
	}
	c := got.contents
	c.SetConfig(ccache.ConfRefreshTime, nil, strconv.AppendInt(nil, halfway(&c.Entries[0]).Unix(), 10))
	t.keep(ctx, c)
	return c, nil
}

// holdOff makes other calls, and other processes, leave the refreshing to this
// one for a while.
func (t *tickets) holdOff(ctx context.Context, c *ccache.Contents) {
	at := t.m.c.Time().Add(soon)
	if _, ok := c.Config(ccache.ConfRefreshTime, nil); ok {
		if err := ccache.SetConfig(ctx, t.place(), ccache.ConfRefreshTime, nil, strconv.AppendInt(nil, at.Unix(), 10)); err != nil {
			// Then they may do it too, which harms nobody.
			t.m.c.Logger.DebugContext(ctx, "refresh not announced", "cache", t.name(), "error", err)
		}
	}
	t.mu.Lock()
	t.due = at
	t.mu.Unlock()
}

// keep puts new contents into the cache. One that cannot be written is no reason
// not to use the tickets.
func (t *tickets) keep(ctx context.Context, c *ccache.Contents) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	switch {
	case t.cache != nil:
		err = t.cache.Init(ctx, c)
	case t.from.in != nil:
		t.cache, err = t.from.in.New(ctx, c)
	}
	if err != nil {
		t.m.c.Logger.DebugContext(ctx, "tickets not stored", "error", err)
	}
	if t.cache == nil || err != nil {
		t.cache = ccache.NewMemory(c.Principal, c.Entries...)
	}
	t.set(c, t.stat())
}

// halfway is the middle of a ticket's life.
func halfway(c *ccache.Credential) time.Time {
	start := c.StartTime
	if start.IsZero() {
		start = c.AuthTime
	}
	return start.Add(c.EndTime.Sub(start) / 2)
}

// dueTime returns when the tickets of a cache, which end at that time, should be
// replaced.
func dueTime(c *ccache.Contents, ends time.Time) time.Time {
	due := ends.Add(-soon)
	if v, ok := c.Config(ccache.ConfRefreshTime, nil); ok {
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil && 0 < n && n <= math.MaxUint32 && time.Unix(n, 0).Before(due) {
			due = time.Unix(n, 0)
		}
	}
	return due
}

// check demands tickets of the wanted principal that have not expired; the zero
// one is anybody's.
func (t *tickets) check(ctx context.Context, want principal.Name) error {
	c, err := t.load(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	ends := t.ends
	t.mu.Unlock()
	switch {
	case !want.IsZero() && !c.Principal.Equal(want):
		return fmt.Errorf("%w: %s has tickets of %s, not of %s", krberr.GSSCCacheNomatch, t.name(), c.Principal, want)
	case ends.IsZero():
		return fmt.Errorf("%w: %s", krberr.GSSEmptyCCache, t.name())
	case !ends.After(t.m.c.Time()):
		return fail("acquire_cred", gsserr.ErrCredentialsExpired, fmt.Errorf("%w: %s", krberr.APTktExpired, t.name()))
	}
	return nil
}
