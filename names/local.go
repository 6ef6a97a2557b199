package names

import (
	"context"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// LocalName returns the user of this host that an MN maps to (gss_localname). A
// mechanism without such a mapping is ErrUnavailable, and a name that is not an
// MN is ErrNameNotMN.
func (n Name) LocalName(ctx context.Context) (string, error) {
	const op = "localname"
	l, err := n.local(op)
	if err != nil {
		return "", err
	}
	if ctx == nil {
		ctx = context.Background()
	}
	user, err := l.LocalName(ctx)
	if err != nil {
		return "", fail(op, 0, err)
	}
	return user, nil
}

// UserOK returns nil if an MN may act as the given user of this host
// (gss_userok), ErrUnauthorized if it may not. Other errors are as for
// [Name.LocalName]; only nil means yes.
func (n Name) UserOK(ctx context.Context, user string) error {
	const op = "userok"
	l, err := n.local(op)
	if err != nil {
		return err
	}
	if ctx == nil {
		ctx = context.Background()
	}
	if err := l.UserOK(ctx, user); err != nil {
		return fail(op, 0, err)
	}
	return nil
}

// local returns the part of n that knows local users.
func (n Name) local(op string) (mech.LocalNamer, error) {
	if n.mn == nil {
		return nil, n.notMN(op)
	}
	l, ok := n.mn.(mech.LocalNamer)
	if !ok {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	return l, nil
}
