package krb5

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// Store implements [mech.Storer] (RFC 5588 §4.1): it writes the tickets to the
// cache that the store key "ccache" names, or to the default one. An
// acceptor's keys cannot be stored. A cache that exists is ErrDuplicateElement
// without Overwrite.
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
	file := cmp.Or(r.Store[storeCCache], c.m.c.CCache)
	if file == "" {
		if file, err = ccache.DefaultName(profile, c.m.c.Getenv); err != nil {
			return 0, fail(op, gsserr.ErrFailure, err)
		}
	}
	cc, err := ccache.Resolve(ctx, file, profile)
	if err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	if !r.Overwrite {
		switch p, err := cc.Principal(ctx); {
		case err == nil:
			return 0, fail(op, gsserr.ErrDuplicateElement, fmt.Errorf("%s has tickets of %s", cc.Name(), p))
		case !errors.Is(err, fs.ErrNotExist):
			return 0, fail(op, gsserr.ErrFailure, err)
		}
	}
	if err := cc.Init(ctx, contents); err != nil {
		return 0, fail(op, gsserr.ErrFailure, err)
	}
	return mech.UsageInitiate, nil
}
