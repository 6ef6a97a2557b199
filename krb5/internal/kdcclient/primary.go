package kdcclient

import (
	"context"
	"errors"

	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// stale is a refusal by a KDC that may not have the newest password.
type stale struct {
	realm, server string
	err           error
	spake         bool // SPAKE was offered: nothing weaker there either
}

// stale returns what to ask the primary KDC about, nil if err is none of its
// business. An Exchanger that does not name its servers has only one, for all
// that is known: to ask again would cost the user a second attempt.
func (l *login) stale(err error) *stale {
	if err == nil || !l.hasKey() || l.to.prefer == "" || l.primary != nil {
		return nil
	}
	switch {
	case errors.Is(err, krberr.KDCPreauthFailed), errors.Is(err, krberr.KDCKeyExpired), errors.Is(err, krberr.APBadIntegrity):
		return &stale{l.to.realm, l.to.prefer, err, l.spake}
	}
	return nil
}

// again repeats the login at the primary KDC. If that cannot be asked, the first
// answer stands.
func (s *stale) again(ctx context.Context, c *Client, r *LoginRequest) (*Result, error) {
	l, err := c.newLogin(r)
	if err != nil {
		return nil, err
	}
	l.primary, l.spake = s, s.spake
	l.to = l.conversation(l.client.Realm)
	result, err := l.run(ctx)
	if errors.Is(err, krberr.KDCUnreach) || errors.Is(err, krberr.RealmUnknown) {
		return nil, s.err
	}
	return result, err
}

// conversation is the beginning of one with a KDC of the realm.
func (l *login) conversation(realm string) conversation {
	if s := l.primary; s != nil && s.realm == realm {
		return conversation{realm: realm, service: kdcnet.Primary, avoid: s.server}
	}
	return conversation{realm: realm}
}
