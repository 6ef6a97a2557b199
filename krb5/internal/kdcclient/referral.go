package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// maxReferrals is how many referrals are followed, for a client and for a
// service (MIT's KRB5_REFERRAL_MAXHOPS).
const maxReferrals = 10

// chase asks for a service, and asks the next realm's KDC wherever one answers
// with a ticket-granting ticket for another realm (RFC 6806 §8). next returns
// the request to the KDC that the given ticket-granting ticket is for.
func (c *Client) chase(ctx context.Context, tgt *ccache.Credential, o *TicketOptions, next func(tgt *ccache.Credential, realm string) (*ask, error)) (*granted, error) {
	realm := tgt.Server.Components[1]
	seen := []string{realm}
	for {
		q, err := next(tgt, realm)
		if err != nil {
			return nil, err
		}
		got, err := c.tgs(ctx, tgt, q, o.Offset)
		switch {
		case err != nil:
			return nil, err
		case got.Server.Equal(q.server):
			return got, nil
		case !got.Server.IsTGS():
			// Another name of the service. Its clients know it by the one that
			// was asked for, so that one is asked for by itself; some KDCs know
			// it only as the other.
			q.options &^= wire.OptCanonicalize
			named, err := c.tgs(ctx, tgt, q, o.Offset)
			if refused := (*Error)(nil); errors.As(err, &refused) {
				return got, nil
			}
			return named, err
		}
		if got.Server.Realm != realm {
			return nil, modified("realm %s refers with a ticket of realm %s", quote(realm), quote(got.Server.Realm))
		}
		realm = got.Server.Components[1]
		if err := follow(&seen, realm); err != nil {
			return nil, err
		}
		if o.Keep != nil && got.Client.Equal(tgt.Client) {
			o.Keep(got.Credential)
		}
		tgt = got.Credential
	}
}

// follow adds a realm to those that were asked, unless it is among them or they
// are too many.
func follow(seen *[]string, realm string) error {
	if slices.Contains(*seen, realm) {
		return fmt.Errorf("%w: the referrals lead back to realm %s", krberr.KDCUnreach, quote(realm))
	}
	if len(*seen) > maxReferrals {
		return fmt.Errorf("%w: more than %d referrals, the last one to realm %s", krberr.KDCUnreach, maxReferrals, quote(realm))
	}
	*seen = append(*seen, realm)
	return nil
}

// refer goes on with the client in another realm, as a KDC_ERR_WRONG_REALM tells
// (RFC 6806 §7). Nothing protects that error; what it can do at most is make the
// login fail in the realm that it names, or in the reply's checks.
func (l *login) refer(e *Error) error {
	realm := e.Client.Realm
	if realm == "" || l.options&wire.OptCanonicalize == 0 {
		return fmt.Errorf("%w: the client is known in realm %s", e, quote(realm))
	}
	if !l.server.IsTGS() {
		return fmt.Errorf("%w: only a ticket-granting ticket can be got from realm %s", e, quote(realm))
	}
	if l.seen == nil {
		l.seen = []string{l.client.Realm}
	}
	if err := follow(&l.seen, realm); err != nil {
		return errors.Join(err, e)
	}
	l.client.Realm = realm
	l.server = tgsOf(realm)
	l.to = l.conversation(realm)
	l.mech, l.offered = nil, nil
	l.restarted, l.synced, l.offset = false, false, 0
	l.method = keyInfo{salt: l.client.Salt()}
	return nil
}
