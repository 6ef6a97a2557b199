package krb5

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
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
	// from is where new tickets come from when these run out, nil for nowhere.
	from    *origin
	missing error // why there is no cache yet, nil for the cache's own error
	// own are the client's keys, if it logged in with some that are not in from.
	own []apreq.ServiceKey

	mu       sync.Mutex
	cache    ccache.Cache     // nil: named is not open, or from has yet to make one
	state    fileState        // of the file that contents is from
	contents *ccache.Contents // nil: not read yet
	// When the tickets in contents end, and when to replace them, by our clock.
	ends, due time.Time
	ready     []*ticket // from contents, ready to use
	// cross are ticket-granting tickets for other realms, by server, that were
	// got since contents was read.
	cross map[string]*ccache.Credential
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

// read returns what is in the cache now. A file is read only when its state has
// changed.
func (t *tickets) read(ctx context.Context) (*ccache.Contents, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cache == nil {
		if t.named == "" {
			return nil, fmt.Errorf("%w: %w", t.missing, fs.ErrNotExist)
		}
		profile, err := t.m.config()
		if err != nil {
			return nil, err
		}
		if t.cache, err = ccache.Resolve(ctx, t.named, profile); err != nil {
			return nil, err
		}
	}
	now := t.stat()
	if t.contents != nil && t.current(ctx, now) {
		return t.contents, nil
	}
	c, err := t.cache.Load(ctx)
	if err != nil {
		if t.missing != nil && errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", t.missing, fs.ErrNotExist)
		}
		return nil, err
	}
	t.set(c, now)
	return c, nil
}

// stat returns the state of the cache's file, the zero state if it is none.
func (t *tickets) stat() fileState {
	if kind, path, _ := strings.Cut(t.cache.Name(), ":"); kind == "FILE" || kind == "DIR" {
		return stat(strings.TrimPrefix(path, ":")) // "DIR::path" is one of a collection
	}
	return fileState{}
}

// current reports whether contents is what is in the cache, whose file has the
// state now.
func (t *tickets) current(ctx context.Context, now fileState) bool {
	switch kind, _, _ := strings.Cut(t.cache.Name(), ":"); kind {
	case "FILE", "DIR":
		return now == t.state
	case "MEMORY":
		// Who else writes to it goes by the same principal.
		p, err := t.cache.Principal(ctx)
		return err == nil && p.Equal(t.contents.Principal)
	}
	return false
}

// set makes c the contents.
func (t *tickets) set(c *ccache.Contents, state fileState) {
	t.contents, t.state, t.ready, t.cross = c, state, nil, nil
	if t.ends = expiry(c); !t.ends.IsZero() {
		offset, _ := c.KDCOffset()
		t.ends = t.ends.Add(-offset)
	}
	t.due = dueTime(c, t.ends)
}

// place is the cache, which is there once load has succeeded.
func (t *tickets) place() ccache.Cache {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cache
}

// name is the name of the cache.
func (t *tickets) name() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.cache != nil:
		return t.cache.Name()
	case t.named == "" && t.from != nil && t.from.in != nil:
		return t.from.in.Name()
	}
	return t.named
}

// all returns everything in the cache, read now: the service tickets got since
// load too, which for a cache in memory load does not have.
func (t *tickets) all(ctx context.Context) (*ccache.Contents, error) {
	known, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	c, err := t.place().Load(ctx)
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
// ticket of the client's realm or, without one, with the first ticket; those of
// a proxy credential with the evidence. It is zero for a cache without tickets.
func expiry(c *ccache.Contents) time.Time {
	if e := evidence(c); e != nil {
		return e.EndTime
	}
	if tgt := ticketGranting(c); tgt != nil {
		return tgt.EndTime
	}
	if creds := c.Credentials(); len(creds) > 0 {
		return creds[0].EndTime
	}
	return time.Time{}
}

// ticketGranting returns the latest ticket-granting ticket of the client's
// realm, nil if there is none. An anonymous client's name has no realm with a
// KDC; its cache names the one to start from.
func ticketGranting(c *ccache.Contents) *ccache.Credential {
	realm := c.Principal.Realm
	if start, ok := c.Config(ccache.ConfStartRealm, nil); ok {
		realm = string(start)
	}
	return latest(c, c.Principal, principal.TGS(realm, realm))
}

// latest returns the ticket of a client for a server that lasts longest, nil if
// there is none. Not every ticket in a cache is its principal's: that of a proxy
// credential has the service's too.
func latest(c *ccache.Contents, client, server principal.Name) *ccache.Credential {
	var best *ccache.Credential
	for i := range c.Entries {
		if e := &c.Entries[i]; e.Server.Equal(server) && e.Client.Equal(client) && (best == nil || e.EndTime.After(best.EndTime)) {
			best = e
		}
	}
	return best
}

// wish is what a service ticket should be like.
type wish struct {
	lifetime time.Duration // zero: as long as may be
	enctypes []Enctype     // of the session key, the best first
	limited  bool          // only these are to be asked for, else the KDC client's own list
}

// ticket returns a ticket for the target, from the cache or from the KDC.
func (t *tickets) ticket(ctx context.Context, profile *conf.Config, target *name, o wish) (*ticket, error) {
	server, err := target.principal(ctx, profile)
	if err != nil {
		return nil, fail("", gsserr.ErrBadName, err)
	}
	contents, err := t.load(ctx)
	if err != nil {
		return nil, fail("", gsserr.ErrNoCred, err)
	}
	found, err := t.forServer(ctx, profile, contents, server, o)
	if errors.Is(err, krberr.KDCServerUnknown) {
		if other, ok := target.fallback(ctx, profile, server); ok {
			found, err = t.forServer(ctx, profile, contents, other, o)
		}
	}
	return found, err
}

func (t *tickets) forServer(ctx context.Context, profile *conf.Config, contents *ccache.Contents, server principal.Name, w wish) (*ticket, error) {
	now := t.m.kdcTime(contents)
	if found := t.lookup(contents, server, now, w.enctypes); found != nil {
		return found, nil
	}
	o := t.options(ctx, contents)
	o.Lifetime = w.lifetime
	if w.limited {
		if o.Enctypes = w.enctypes; len(w.enctypes) == 0 {
			return nil, fail("", gsserr.ErrFailure, krberr.ProgEtypeNosupp)
		}
	}
	got, err := t.ask(ctx, profile, contents, server, o)
	if err != nil {
		return nil, err
	}
	t.store(ctx, got)
	return t.prepare(got, contents)
}

// ask gets a ticket from the KDC.
func (t *tickets) ask(ctx context.Context, profile *conf.Config, contents *ccache.Contents, server principal.Name, o *kdcclient.TicketOptions) (*ccache.Credential, error) {
	if evidence(contents) != nil {
		return t.act(ctx, profile, contents, server, o)
	}
	tgt := ticketGranting(contents)
	switch {
	case tgt == nil:
		return nil, fail("", gsserr.ErrNoCred, fmt.Errorf("%w, and no ticket for %s", krberr.GSSTGTMissing, server))
	case !tgt.EndTime.After(t.m.kdcTime(contents)):
		return nil, fail("", gsserr.ErrCredentialsExpired, fmt.Errorf("%w: the ticket-granting ticket", krberr.APTktExpired))
	}
	got, err := t.m.client(profile).Ticket(ctx, tgt, server, o)
	if err != nil {
		return nil, fail("", gsserr.ErrNoCred, err)
	}
	return got, nil
}

// options are what every request to a KDC gets: its clock, and the
// ticket-granting tickets for other realms that are there already, or get there
// on the way.
func (t *tickets) options(ctx context.Context, contents *ccache.Contents) *kdcclient.TicketOptions {
	o := &kdcclient.TicketOptions{}
	o.Offset, _ = contents.KDCOffset()
	o.FAST = knowsFAST(contents)
	o.Known = func(server principal.Name) *ccache.Credential {
		t.mu.Lock()
		defer t.mu.Unlock()
		owner := contents.Principal
		if by, ok := impersonator(contents); ok {
			owner = by
		}
		for _, known := range []*ccache.Credential{t.cross[server.String()], latest(contents, owner, server)} {
			if known != nil && known.Client.Equal(owner) && known.EndTime.After(t.m.kdcTime(contents)) {
				return known
			}
		}
		return nil
	}
	o.Keep = func(c *ccache.Credential) {
		t.store(ctx, c)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.cross == nil || len(t.cross) >= maxReady {
			t.cross = make(map[string]*ccache.Credential)
		}
		t.cross[c.Server.String()] = c
	}
	return o
}

// store adds a ticket to the cache. Without that the ticket is good all the
// same; the next process will ask again.
func (t *tickets) store(ctx context.Context, c *ccache.Credential) {
	cc := t.place()
	if err := cc.Store(ctx, *c); err != nil {
		t.m.c.Logger.DebugContext(ctx, "ticket not stored", "cache", cc.Name(), "server", c.Server.String(), "error", err)
	}
}

// lookup returns a ticket from memory or from the cache's contents, nil if
// there is none that can be used. A server without a realm is one of any realm;
// the client must be the principal of the cache. A ticket for user-to-user is
// used only where no other can be had.
func (t *tickets) lookup(contents *ccache.Contents, server principal.Name, now time.Time, permitted []Enctype) *ticket {
	alone := ticketGranting(contents) == nil
	usable := func(c *ccache.Credential) bool {
		return c.Server.SameName(server) && c.Client.Equal(contents.Principal) && (server.Realm == "" || server.Realm == c.Server.Realm) &&
			c.EndTime.After(now) && (alone || !c.IsSKey) && slices.Contains(permitted, c.Key.Enctype)
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
