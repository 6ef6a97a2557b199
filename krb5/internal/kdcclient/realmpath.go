package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

func tgsOf(realm string) principal.Name { return principal.TGS(realm, realm) }

// TGT returns a ticket-granting ticket for a realm, got with one for another:
// from that realm directly if it can be had, or else over the realms between
// the two (RFC 4120 §1.2): those that the configuration names in [capaths], or
// those of the hierarchy. A KDC that answers with another realm than the one
// asked for knows the way better, and is followed.
func (c *Client) TGT(ctx context.Context, tgt *ccache.Credential, realm string, o *TicketOptions) (*ccache.Credential, error) {
	if err := usableTGT(tgt); err != nil {
		return nil, err
	}
	if o == nil {
		o = &TicketOptions{}
	}
	at := tgt.Server.Components[1]
	seen := []string{at}
	for at != realm {
		got, err := c.step(ctx, tgt, realmPath(c.Config, at, realm), o)
		if err != nil {
			return nil, fmt.Errorf("ticket-granting ticket for realm %s: %w", quote(realm), err)
		}
		if got.Server.Realm != at {
			return nil, modified("realm %s refers with a ticket of realm %s", quote(at), quote(got.Server.Realm))
		}
		tgt, at = got, got.Server.Components[1]
		if err := follow(&seen, at); err != nil {
			return nil, fmt.Errorf("ticket-granting ticket for realm %s: %w", quote(realm), err)
		}
	}
	return tgt, nil
}

// step gets a ticket-granting ticket for the last realm of a path, or for the
// last one before it that the KDC of the first has a key in common with.
func (c *Client) step(ctx context.Context, tgt *ccache.Credential, path []string, o *TicketOptions) (*ccache.Credential, error) {
	var first error
	for _, realm := range slices.Backward(path[1:]) {
		server := principal.TGS(path[0], realm)
		if o.Known != nil {
			if known := o.Known(server); known != nil {
				return known, nil
			}
		}
		q, err := c.ask(tgt, server, 0, &TicketOptions{Offset: o.Offset, FAST: o.FAST})
		if err != nil {
			return nil, err
		}
		got, err := c.tgs(ctx, tgt, q, o.Offset)
		if err == nil {
			if o.Keep != nil {
				o.Keep(got.Credential)
			}
			return got.Credential, nil
		}
		if first == nil {
			first = err
		}
		if refused := (*Error)(nil); !errors.As(err, &refused) {
			return nil, err
		}
	}
	return nil, first
}

// realmPath returns the realms to go through from one realm to another, both
// included.
func realmPath(cfg *conf.Config, from, to string) []string {
	between := cfg.All("capaths", from, to)
	switch {
	case len(between) == 0:
		between, _ = principal.Between(from, to)
	case slices.Contains(between, "."): // directly
		between = nil
	}
	between = between[:min(len(between), maxReferrals)]
	return slices.Concat([]string{from}, between, []string{to})
}
