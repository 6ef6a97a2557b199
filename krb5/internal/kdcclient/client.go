// Package kdcclient is the client's side of the AS and TGS exchanges (RFC 4120
// §3.1, §3.3).
package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Client asks KDCs for tickets. It has no state of its own: it is safe for
// concurrent use as long as its fields do not change, and nothing goes on after
// a call has returned.
type Client struct {
	// Config is the configuration, never nil.
	Config *conf.Config
	// Exchanger carries the messages, never nil.
	Exchanger kdcnet.Exchanger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Enctypes are those to ask for, best first. nil takes the configuration's
	// default_tkt_enctypes, default_tgs_enctypes and permitted_enctypes.
	Enctypes []etype.ID
	// Logger gets one line per message at debug level, never nil.
	Logger *slog.Logger
}

// maxReply is the largest reply that is looked at.
const maxReply = 4 << 20

// conversation is what is known of the KDC from one message to the next.
type conversation struct {
	realm   string
	service kdcnet.Service
	tcp     bool
	prefer  string
	avoid   string
}

// exchange sends a request and returns the reply, which is not a KRB-ERROR:
// that is returned as an *Error. An answer too big for UDP is asked for again
// over TCP (RFC 4120 §7.2.1).
func (c *Client) exchange(ctx context.Context, to *conversation, kind string, request []byte) ([]byte, error) {
	for {
		reply, err := c.Exchanger.Exchange(ctx, &kdcnet.Request{
			Realm:    to.realm,
			Service:  to.service,
			Message:  request,
			TCP:      to.tcp,
			Prefer:   to.prefer,
			Avoid:    to.avoid,
			Answered: func(server string) { to.prefer = server },
			Config:   c.Config,
		})
		if err == nil && len(reply) > maxReply {
			err = fmt.Errorf("%w: a reply of %d bytes", krberr.KRBFieldTooLong, len(reply))
		}
		if err == nil {
			err = parseError(reply)
		}
		result := "reply"
		if err != nil {
			result = err.Error()
		}
		c.Logger.DebugContext(ctx, "krb5: KDC exchange", "realm", to.realm, "request", kind, "tcp", to.tcp, "result", result)

		var refused *Error
		if errors.As(err, &refused) && refused.Code == krberr.KRBResponseTooBig && !to.tcp {
			to.tcp = true
			continue
		}
		if err != nil {
			return nil, err
		}
		return reply, nil
	}
}

// now is the KDC's time as far as it is known, in the microseconds that the
// protocol can carry.
func (c *Client) now(offset time.Duration) time.Time {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	return now().Add(offset).UTC().Truncate(time.Microsecond)
}

// maxTime is the last second that credential caches can hold.
var maxTime = time.Unix(math.MaxUint32, 0)

// until returns the time a lifetime ends, in whole seconds.
func until(now time.Time, lifetime time.Duration) time.Time {
	t := now.Add(lifetime).UTC().Truncate(time.Second)
	if t.After(maxTime) {
		return maxTime.UTC()
	}
	return t
}

// enctypes returns the types to ask for: list, or the Client's, or those of the
// configuration under key; and of these the ones that can be used.
func (c *Client) enctypes(list []etype.ID, key string) ([]etype.ID, error) {
	if list == nil {
		list = c.Enctypes
	}
	if list == nil {
		list = c.Config.Enctypes(key, c.Config.Enctypes("permitted_enctypes", enctype.All()))
	}
	list = slices.DeleteFunc(slices.Clone(list), func(id etype.ID) bool { return !enctype.Supported(id) || !c.Config.Allowed(id) })
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no usable encryption type is allowed", krberr.ConfigEtypeNosupp)
	}
	return list, nil
}

// sessionKey returns the key of a ticket, whose type must be allowed: a cache may
// have tickets from other times.
func (c *Client) sessionKey(t *ccache.Credential) (*enctype.Key, error) {
	if !c.Config.Allowed(t.Key.Enctype) {
		return nil, fmt.Errorf("%w: %s", krberr.NoPermEtype, t.Key.Enctype)
	}
	return enctype.NewKey(t.Key.Enctype, t.Key.Value.Bytes())
}

// flag reads a boolean of libdefaults, which may stand in a sub-block named for
// the realm.
func (c *Client) flag(realm, name string, def bool) bool {
	return c.Config.Bool(c.Config.Bool(def, "libdefaults", name), "libdefaults", realm, name)
}

// duration is flag for a length of time.
func (c *Client) duration(realm, name string, def time.Duration) time.Duration {
	return c.Config.Duration(c.Config.Duration(def, "libdefaults", name), "libdefaults", realm, name)
}
