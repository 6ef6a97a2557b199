package krb5

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/kdcclient"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// tickets are what an initiator has: a credential cache, and what was read from
// it. It is safe for concurrent use and holds its lock over no exchange.
type tickets struct {
	m     *Mechanism
	named string // what to open as cache when it is first used, "" if it is open

	mu       sync.Mutex
	cache    ccache.Cache
	state    fileState        // of the file that contents is from
	contents *ccache.Contents // nil: not read yet
	ready    []*ticket        // from contents, ready to use
}

// ticket is a service ticket with its key at hand.
type ticket struct {
	ccache.Credential
	key    *enctype.Key
	offset time.Duration // the KDC's clock minus ours
}

// maxReady is how many tickets of one credential are kept ready. Beyond it the
// oldest is made ready again when it is needed.
const maxReady = 256

// load returns what is in the cache now. A file is read only when its state
// has changed.
func (t *tickets) load(ctx context.Context) (*ccache.Contents, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cache == nil {
		profile, err := t.m.config()
		if err != nil {
			return nil, err
		}
		if t.cache, err = ccache.Resolve(ctx, t.named, profile); err != nil {
			return nil, err
		}
	}
	var now fileState
	switch kind, path, _ := strings.Cut(t.cache.Name(), ":"); kind {
	case "FILE", "DIR":
		now = stat(strings.TrimPrefix(path, ":")) // "DIR::path" is one of a collection
		if t.contents != nil && now == t.state {
			return t.contents, nil
		}
	case "MEMORY":
		// Who else writes to it goes by the same principal.
		if t.contents != nil {
			if p, err := t.cache.Principal(ctx); err == nil && p.Equal(t.contents.Principal) {
				return t.contents, nil
			}
		}
	}
	c, err := t.cache.Load(ctx)
	if err != nil {
		return nil, err
	}
	t.contents, t.state, t.ready = c, now, nil
	return c, nil
}

// name is the name of the cache.
func (t *tickets) name() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cache == nil {
		return t.named
	}
	return t.cache.Name()
}

// all returns everything in the cache, read now: the service tickets got since
// load too, which for a cache in memory load does not have.
func (t *tickets) all(ctx context.Context) (*ccache.Contents, error) {
	known, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	c, err := t.cache.Load(ctx)
	if err != nil {
		return nil, err
	}
	if offset, ok := known.KDCOffset(); ok {
		c.SetKDCOffset(offset)
	}
	return c, nil
}

// kdcTime returns the time that the times in tickets are compared with: the
// KDC's, as far as the cache knows it.
func (m *Mechanism) kdcTime(c *ccache.Contents) time.Time {
	offset, _ := c.KDCOffset()
	return m.c.Time().Add(offset)
}

// expiry returns when the tickets of a cache end: with the ticket-granting
// ticket of the client's realm or, without one, with the first ticket. It is
// zero for a cache without tickets.
func expiry(c *ccache.Contents) time.Time {
	if tgt := ticketGranting(c); tgt != nil {
		return tgt.EndTime
	}
	if creds := c.Credentials(); len(creds) > 0 {
		return creds[0].EndTime
	}
	return time.Time{}
}

// ticketGranting returns the latest ticket-granting ticket of the client's
// realm, nil if there is none.
func ticketGranting(c *ccache.Contents) *ccache.Credential {
	server := principal.TGS(c.Principal.Realm, c.Principal.Realm)
	var best *ccache.Credential
	for i := range c.Entries {
		if e := &c.Entries[i]; e.Server.Equal(server) && (best == nil || e.EndTime.After(best.EndTime)) {
			best = e
		}
	}
	return best
}

// ticket returns a ticket for the target, from the cache or from the KDC.
func (t *tickets) ticket(ctx context.Context, profile *conf.Config, target *name, lifetime time.Duration) (*ticket, error) {
	server, err := target.principal(ctx, profile)
	if err != nil {
		return nil, fail("", gsserr.ErrBadName, err)
	}
	contents, err := t.load(ctx)
	if err != nil {
		return nil, fail("", gsserr.ErrNoCred, err)
	}
	found, err := t.forServer(ctx, profile, contents, server, lifetime)
	if errors.Is(err, krberr.KDCServerUnknown) {
		if other, ok := target.fallback(ctx, profile, server); ok {
			found, err = t.forServer(ctx, profile, contents, other, lifetime)
		}
	}
	return found, err
}

func (t *tickets) forServer(ctx context.Context, profile *conf.Config, contents *ccache.Contents, server principal.Name, lifetime time.Duration) (*ticket, error) {
	now := t.m.kdcTime(contents)
	if found := t.lookup(contents, server, now, t.m.enctypes(profile)); found != nil {
		return found, nil
	}
	tgt := ticketGranting(contents)
	switch {
	case tgt == nil:
		return nil, fail("", gsserr.ErrNoCred, fmt.Errorf("%w, and no ticket for %s", krberr.GSSTGTMissing, server))
	case !tgt.EndTime.After(now):
		return nil, fail("", gsserr.ErrCredentialsExpired, fmt.Errorf("%w: the ticket-granting ticket", krberr.APTktExpired))
	}
	offset, _ := contents.KDCOffset()
	got, err := t.m.client(profile).Ticket(ctx, tgt, server, &kdcclient.TicketOptions{Lifetime: lifetime, Offset: offset})
	if err != nil {
		return nil, fail("", gsserr.ErrNoCred, err)
	}
	if err := t.cache.Store(ctx, *got); err != nil {
		// The ticket is good all the same; the next process will ask again.
		t.m.c.Logger.DebugContext(ctx, "ticket not stored", "cache", t.cache.Name(), "server", server.String(), "error", err)
	}
	return t.prepare(got, contents)
}

// lookup returns a ticket from memory or from the cache's contents, nil if
// there is none that can be used. A server without a realm is one of any realm.
func (t *tickets) lookup(contents *ccache.Contents, server principal.Name, now time.Time, permitted []Enctype) *ticket {
	usable := func(c *ccache.Credential) bool {
		return c.Server.SameName(server) && (server.Realm == "" || server.Realm == c.Server.Realm) &&
			c.EndTime.After(now) && !c.IsSKey && slices.Contains(permitted, c.Key.Enctype)
	}
	t.mu.Lock()
	for _, r := range t.ready {
		if usable(&r.Credential) {
			t.mu.Unlock()
			return r
		}
	}
	t.mu.Unlock()
	for i := range contents.Entries {
		if e := &contents.Entries[i]; usable(e) {
			if r, err := t.prepare(e, contents); err == nil {
				return r
			}
		}
	}
	return nil
}

// prepare makes a ticket ready to use and keeps it, unless the cache was read
// again meanwhile.
func (t *tickets) prepare(c *ccache.Credential, from *ccache.Contents) (*ticket, error) {
	key, err := enctype.NewKey(c.Key.Enctype, c.Key.Value.Bytes())
	if err != nil {
		return nil, fail("", gsserr.ErrNoCred, fmt.Errorf("session key: %w", err))
	}
	offset, _ := from.KDCOffset()
	r := &ticket{*c, key, offset}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.contents == from {
		if len(t.ready) == maxReady {
			t.ready = slices.Delete(t.ready, 0, 1)
		}
		t.ready = append(t.ready, r)
	}
	return r, nil
}
