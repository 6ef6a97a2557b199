package ccache

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// SelectOptions are what [Select] knows besides the caches.
type SelectOptions struct {
	// Home is the user's home directory, where the file .k5identity is looked
	// for; without it there is no such file.
	Home string
	// Config has the realm of names that have none; nil is an empty one.
	Config *conf.Config
}

// Select picks the cache of a collection for a server, as MIT does: the one of
// the client that .k5identity names for it, else the first whose client is in
// the server's realm, else the one whose client's realm is the longest that the
// server's host name ends in. It returns the cache and its client.
//
// The error is krberr CCNotFound if nothing was picked, and then the client is
// zero and the primary cache is the one to use, or if there are no tickets of
// the client that .k5identity names, which is returned. A nil o has no home
// directory and no configuration. Caches that cannot be read are passed over.
func Select(ctx context.Context, col Collection, server Principal, o *SelectOptions) (Cache, Principal, error) {
	if o == nil {
		o = new(SelectOptions)
	}
	host := ""
	if server.Type == principal.TypeSrvHst && len(server.Components) >= 2 {
		host = server.Components[1]
	}
	if server.Realm == "" && len(server.Components) == 2 && host != "" {
		server.Realm = fallbackRealm(host, o.Config)
	}
	client, ok, err := identity(o.Home, server, o.Config.DefaultRealm())
	if err != nil {
		return nil, Principal{}, err
	}
	if ok {
		c, err := Match(ctx, col, client)
		if err != nil && !errors.Is(err, krberr.CCNotFound) {
			return nil, Principal{}, err
		}
		return c, client, err
	}
	if server.Realm != "" {
		c, p, err := find(ctx, col, func(p Principal) bool { return p.Realm == server.Realm })
		if c != nil || err != nil {
			return c, p, err
		}
	}
	for domain := strings.ToUpper(host); domain != ""; {
		c, p, err := find(ctx, col, func(p Principal) bool { return p.Realm == domain })
		if c != nil || err != nil {
			return c, p, err
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return nil, Principal{}, fmt.Errorf("%w: no cache of %s is meant for %s", krberr.CCNotFound, col.Name(), server)
}

// fallbackRealm is the realm that a host is taken to be in when nobody says: its
// domain in capitals, or the default realm.
func fallbackRealm(host string, c *conf.Config) string {
	_, err := netip.ParseAddr(host)
	if _, domain, ok := strings.Cut(host, "."); ok && err != nil {
		return strings.ToUpper(domain)
	}
	return c.DefaultRealm()
}
