package krb5

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// Store implements [mech.Storer] (RFC 5588 §4.1): it writes the tickets to the
// cache that the store key "ccache" names, or to the default one. If that is the
// name of a collection, they go to the principal's own cache there or to a new
// one, and Default makes it the primary. An acceptor's keys cannot be stored. A
// cache that exists is ErrDuplicateElement without Overwrite, whoever's it is
// and whether or not its tickets have expired.
func (c *cred) Store(ctx context.Context, r mech.StoreRequest) (mech.Usage, error) {
	const op = "store_cred"
	if r.Usage == mech.UsageAccept || c.init == nil {
		return 0, fail(op, gsserr.ErrFailure, krberr.GSSStoreAcceptor)
	}
	contents, err := c.init.all(ctx)
	if err != nil {
		return 0, fail(op, gsserr.ErrNoCred, err)
	}
	if !expiry(contents).After(c.m.kdcTime(contents)) {
		return 0, fail(op, gsserr.ErrCredentialsExpired, krberr.APTktExpired)
	}
	profile, err := c.m.config()
	if err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	col, err := c.m.storeInto(profile, r.Store[storeCCache])
	if err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	cc, err := place(ctx, col, contents, r.Overwrite)
	if err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	if _, alone := col.(*ccache.Single); r.Default && !alone {
		if err := col.Switch(ctx, cc); err != nil {
			return 0, fail(op, gsserr.ErrFailure, err)
		}
	}
	return mech.UsageInitiate, nil
}

// storeInto returns the caches among which one is to be stored: those of the
// name in the store, else the default ones.
func (m *Mechanism) storeInto(profile *conf.Config, name string) (ccache.Collection, error) {
	if name != "" {
		return ccache.OpenCollection(name, profile)
	}
	return m.defaultCaches(profile)
}

// place writes a cache: in place of the principal's own in a collection, or as a
// new one; else where the name says.
func place(ctx context.Context, col ccache.Collection, contents *ccache.Contents, overwrite bool) (ccache.Cache, error) {
	single, alone := col.(*ccache.Single)
	if alone {
		cc, err := single.Primary(ctx)
		if err != nil {
			return nil, err
		}
		if !overwrite {
			switch p, err := cc.Principal(ctx); {
			case err == nil:
				return nil, taken(cc, p)
			case !errors.Is(err, fs.ErrNotExist):
				return nil, err
			}
		}
		return cc, cc.Init(ctx, contents)
	}
	cc, err := ccache.Match(ctx, col, contents.Principal)
	switch {
	case errors.Is(err, krberr.CCNotFound):
		return col.New(ctx, contents)
	case err != nil:
		return nil, err
	case !overwrite:
		return nil, taken(cc, contents.Principal)
	}
	return cc, cc.Init(ctx, contents)
}

func taken(cc ccache.Cache, p ccache.Principal) error {
	return fail("", gsserr.ErrDuplicateElement, fmt.Errorf("%s has tickets of %s", cc.Name(), p))
}
