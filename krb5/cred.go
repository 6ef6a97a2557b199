package krb5

import (
	"cmp"
	"context"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// cred is a credential element. It is immutable; what it reads again when a
// file changes is guarded by locks further down.
type cred struct {
	m    *Mechanism
	init *tickets // nil: cannot initiate
	pick *choice  // nil: init is right for every target
	acc  *keys    // nil: cannot accept
	credOptions
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
	storeVerify       = "verify"        // service whose key in the keytab proves the KDC, "" for any host's
)

// StoreKeys implements [mech.StoreKeyer].
func (m *Mechanism) StoreKeys() []string {
	return []string{storeCCache, storeClientKeytab, storeKeytab, storeRCache, storePassword, storeVerify}
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
		if c.init, c.pick, err = m.acquireTickets(ctx, profile, n, r); err != nil {
			return nil, fail("acquire_cred", gsserr.ErrNoCred, err)
		}
	}
	if c.init == nil && c.acc == nil {
		return nil, fail("acquire_cred", gsserr.ErrFailure, krberr.GSSBadUsage)
	}
	return c, nil
}
