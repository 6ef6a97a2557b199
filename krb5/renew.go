package krb5

import (
	"context"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/kdcclient"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// Renew asks the KDC for a ticket in place of a renewable one, with the same
// lifetime from now on (RFC 4120 §2.3). It returns a credential with that ticket
// alone, in memory; c stays as it is. It is the ticket-granting ticket that is
// renewed, or without one the first ticket.
//
// Errors: ErrFailure for a credential that acts for a user, ErrNoCred with [ErrBadOption] if the ticket is not renewable, with
// [ErrAPTktExpired] if it has expired, which is too late.
func (m *Mechanism) Renew(ctx context.Context, c mech.Cred) (mech.Cred, error) {
	return m.replace(ctx, "renew_cred", c, (*kdcclient.Client).Renew)
}

// Validate asks the KDC for a valid ticket in place of a postdated one whose
// time has come (RFC 4120 §2.4). It is otherwise as [Mechanism.Renew].
func (m *Mechanism) Validate(ctx context.Context, c mech.Cred) (mech.Cred, error) {
	return m.replace(ctx, "validate_cred", c, (*kdcclient.Client).Validate)
}

func (m *Mechanism) replace(ctx context.Context, op string, c mech.Cred,
	exchange func(*kdcclient.Client, context.Context, *ccache.Credential, *kdcclient.TicketOptions) (*ccache.Credential, error)) (mech.Cred, error) {
	if c == nil {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrNoCred, nil)
	}
	k, err := m.own(op, []mech.Cred{c}, func(k *cred) bool { return k.init != nil })
	if err != nil {
		return nil, err
	}
	profile, err := m.config()
	if err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	contents, err := k.init.load(ctx)
	if err != nil {
		return nil, fail(op, gsserr.ErrNoCred, err)
	}
	old := ticketGranting(contents)
	if list := contents.Credentials(); old == nil && len(list) > 0 {
		old = &list[0]
	}
	switch {
	case evidence(contents) != nil:
		return nil, fail(op, gsserr.ErrFailure, krberr.GSSBadUsage) // a service's own is not the user's
	case old == nil:
		return nil, fail(op, gsserr.ErrNoCred, krberr.GSSEmptyCCache)
	case !old.EndTime.After(m.kdcTime(contents)):
		return nil, fail(op, gsserr.ErrNoCred, krberr.APTktExpired)
	}
	got, err := exchange(m.client(profile), ctx, old, k.init.options(ctx, contents))
	if err != nil {
		return nil, fail(op, gsserr.ErrNoCred, err)
	}
	return &cred{m: m, init: m.only(contents, got)}, nil
}
