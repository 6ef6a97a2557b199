package krb5

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// cred is a credential element. It is immutable; what it reads again when a
// file changes is guarded by locks further down.
type cred struct {
	m    *Mechanism
	init *tickets // nil: cannot initiate
	acc  *keys    // nil: cannot accept
}

var (
	_ mech.Cred       = (*cred)(nil)
	_ mech.Storer     = (*cred)(nil)
	_ mech.StoreKeyer = (*Mechanism)(nil)
)

// Keys of a credential store, those of MIT's extension.
const (
	storeCCache       = "ccache"        // cache to initiate with, or to store into
	storeClientKeytab = "client_keytab" // keys to log in with
	storeKeytab       = "keytab"        // keys to accept with
	storeRCache       = "rcache"        // replay cache to accept with
	storePassword     = "password"      // password to log in with
)

// StoreKeys implements [mech.StoreKeyer].
func (m *Mechanism) StoreKeys() []string {
	return []string{storeCCache, storeClientKeytab, storeKeytab, storeRCache, storePassword}
}

// Mech implements [mech.Cred].
func (c *cred) Mech() oid.OID { return oid.Krb5 }

// Usage implements [mech.Cred].
func (c *cred) Usage() mech.Usage {
	switch {
	case c.acc == nil:
		return mech.UsageInitiate
	case c.init == nil:
		return mech.UsageAccept
	}
	return mech.UsageBoth
}

// String names the credential's sources.
func (c *cred) String() string {
	s := "krb5 credential"
	if c.init != nil {
		s += " from " + c.init.name()
	}
	if c.acc != nil {
		s += " with keys from " + c.acc.source
	}
	return s
}

// Info implements [mech.Cred]. Keys have no end; tickets end with the
// ticket-granting ticket or, without one, with the first ticket.
func (c *cred) Info(ctx context.Context) (mech.CredInfo, error) {
	const op = "inquire_cred"
	i := mech.CredInfo{Usage: c.Usage()}
	if c.init == nil {
		if c.acc.name != nil {
			i.Name = c.acc.name
		}
		return i, nil
	}
	contents, err := c.init.load(ctx)
	if err != nil {
		return i, fail(op, gsserr.ErrNoCred, err)
	}
	i.Name = c.m.wrap(contents.Principal)
	i.InitiateExpires = expiry(contents)
	if !i.InitiateExpires.After(c.m.kdcTime(contents)) {
		return i, fail(op, gsserr.ErrCredentialsExpired, krberr.APTktExpired)
	}
	return i, nil
}

// acquire makes a credential from a request.
func (m *Mechanism) acquire(ctx context.Context, r mech.CredRequest) (*cred, error) {
	n, err := m.ownName("acquire_cred", r.Name)
	if err != nil {
		return nil, err
	}
	if r.Password != nil && !r.Usage.Initiates() {
		return nil, fail("acquire_cred", gsserr.ErrFailure, fmt.Errorf("%w: a password to accept with", krberr.GSSBadUsage))
	}
	profile, err := m.config()
	if err != nil {
		return nil, err
	}
	c := &cred{m: m}
	if r.Usage.Accepts() {
		source := cmp.Or(r.Store[storeKeytab], m.c.Keytab)
		if source == "" {
			if source, err = keytab.DefaultName(profile, m.c.Getenv); err != nil {
				return nil, fail("acquire_cred", gsserr.ErrNoCred, err)
			}
		}
		c.acc = &keys{m: m, name: n, source: source, rcache: r.Store[storeRCache]}
		if _, err := m.replay(profile, c.acc.rcache); err != nil {
			return nil, fail("acquire_cred", gsserr.ErrFailure, err)
		}
		if _, err := c.acc.service(ctx, profile); err != nil {
			return nil, err
		}
	}
	if r.Usage.Initiates() {
		if c.init, err = m.acquireTickets(ctx, profile, n, r); err != nil {
			return nil, fail("acquire_cred", gsserr.ErrNoCred, err)
		}
	}
	if c.init == nil && c.acc == nil {
		return nil, fail("acquire_cred", gsserr.ErrFailure, krberr.GSSBadUsage)
	}
	return c, nil
}

// acquireTickets finds out where an initiator's tickets come from: a password,
// a cache, or the keys of a client keytab when the cache has nothing to offer.
func (m *Mechanism) acquireTickets(ctx context.Context, profile *conf.Config, n *name, r mech.CredRequest) (*tickets, error) {
	var want principal.Name
	if n != nil {
		var err error
		if want, err = n.principal(ctx, profile); err != nil {
			return nil, err
		}
		if want.Realm == "" {
			want.Realm = profile.DefaultRealm()
		}
	}
	if r.Password != nil {
		if r.Store[storeCCache] != "" || r.Store[storeClientKeytab] != "" {
			return nil, fail("acquire_cred", gsserr.ErrFailure, fmt.Errorf("%w: a password and another source", krberr.GSSBadUsage))
		}
		if n == nil {
			return nil, fail("acquire_cred", gsserr.ErrBadName, fmt.Errorf("a password needs a name"))
		}
		return m.login(ctx, profile, want, &LoginOptions{Password: r.Password, Lifetime: r.Lifetime})
	}
	t, cacheErr := m.openCache(ctx, profile, want, r)
	if cacheErr == nil {
		return t, nil
	}
	kt, err := m.clientKeytab(profile, r)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && r.Store[storeClientKeytab] == "" {
			return nil, cacheErr // having no client keytab is the normal case
		}
		return nil, err
	}
	if n == nil {
		if len(kt.Entries()) == 0 {
			return nil, krberr.KTNotFound
		}
		want = kt.Entries()[0].Principal
	}
	return m.login(ctx, profile, want, &LoginOptions{Keytab: kt, Lifetime: r.Lifetime})
}

// openCache opens the credential cache that the request or the configuration
// names. It must hold tickets of the wanted principal that have not expired.
func (m *Mechanism) openCache(ctx context.Context, profile *conf.Config, want principal.Name, r mech.CredRequest) (*tickets, error) {
	file := cmp.Or(r.Store[storeCCache], m.c.CCache)
	if file == "" {
		var err error
		if file, err = ccache.DefaultName(profile, m.c.Getenv); err != nil {
			return nil, err
		}
	}
	cc, err := ccache.Resolve(ctx, file, profile)
	if err != nil {
		return nil, err
	}
	t := &tickets{m: m, cache: cc}
	contents, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	switch end := expiry(contents); {
	case !want.IsZero() && !contents.Principal.Equal(want):
		return nil, fmt.Errorf("%w: %s has tickets of %s, not of %s", krberr.GSSCCacheNomatch, cc.Name(), contents.Principal, want)
	case end.IsZero():
		return nil, fmt.Errorf("%w: %s", krberr.GSSEmptyCCache, cc.Name())
	case !end.After(m.kdcTime(contents)):
		return nil, fail("acquire_cred", gsserr.ErrCredentialsExpired, fmt.Errorf("%w: %s", krberr.APTktExpired, cc.Name()))
	}
	return t, nil
}

func (m *Mechanism) clientKeytab(profile *conf.Config, r mech.CredRequest) (*keytab.Keytab, error) {
	file := cmp.Or(r.Store[storeClientKeytab], m.c.ClientKeytab)
	if file == "" {
		var err error
		if file, err = keytab.DefaultClientName(profile, m.c.Getenv); err != nil {
			return nil, err
		}
	}
	return keytab.Load(file)
}
