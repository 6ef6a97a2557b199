package kdcclient

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// TicketOptions changes what [Client.Ticket] and the other calls with a
// ticket-granting ticket ask for. nil is the default.
type TicketOptions struct {
	// Lifetime asks for that long; zero, or more than the ticket-granting
	// ticket has left, is as long as that.
	Lifetime time.Duration
	// Enctypes are those of the session key, best first; nil is the Client's
	// or the configuration's.
	Enctypes []etype.ID
	// KDCOptions are added to those that follow from the ticket-granting
	// ticket's flags.
	KDCOptions uint32
	// Offset is the KDC's clock minus ours; see [Result].
	Offset time.Duration
	// FAST is the realm, if any, whose KDC is known to do FAST (RFC 6113).
	// Requests to it are protected, and so must be what it grants.
	FAST string
	// Second is the ticket-granting ticket of the server's, in DER, for a ticket
	// that is encrypted in the session key of that one (user-to-user).
	Second []byte
	// Known returns a ticket-granting ticket of the client for another realm
	// that is at hand already, nil if there is none. Keep is called with each
	// one that was asked for on the way. Both may be nil.
	Known func(server principal.Name) *ccache.Credential
	Keep  func(*ccache.Credential)
	// Confirm is asked whether a ticket of S4U2Self, which no KDC has vouched
	// for, really is for its client. Nil refuses such tickets.
	Confirm func(*ccache.Credential) error
}

// inherited are the ticket flags that a request repeats as options, as MIT
// does: forwardable, proxiable, may-postdate, renewable.
const inherited = wire.FlagForwardable | wire.FlagProxiable | wire.FlagMayPostdate | wire.FlagRenewable

// Ticket runs the TGS exchange (RFC 4120 §3.3) for a ticket to server. If server
// is in another realm than the one that tgt is for, that realm's ticket-granting
// ticket is asked for first, over as many realms as it takes. If its realm is
// empty, the KDC that tgt is for is asked, and its referrals are followed (RFC
// 6806 §8).
//
// A refusal is an *Error. Other errors: krberr.KDCRepModified when a reply does
// not fit the request, krberr.APBadIntegrity when it does not open,
// krberr.KDCUnreach when referrals lead in a circle or nowhere.
func (c *Client) Ticket(ctx context.Context, tgt *ccache.Credential, server principal.Name, o *TicketOptions) (*ccache.Credential, error) {
	if err := usableTGT(tgt); err != nil {
		return nil, err
	}
	if len(server.Components) == 0 {
		return nil, fmt.Errorf("%w: no service", krberr.ParseMalformed)
	}
	if o == nil {
		o = &TicketOptions{}
	}
	home := tgt.Server.Components[1]
	if server.Realm == "" {
		server.Realm = home
	}
	tgt, err := c.TGT(ctx, tgt, server.Realm, o)
	if err != nil {
		return nil, err
	}
	got, err := c.chase(ctx, tgt, o, func(tgt *ccache.Credential, realm string) (*ask, error) {
		q, err := c.ask(tgt, server.WithRealm(realm), wire.OptCanonicalize|o.KDCOptions, o)
		if err == nil && o.Second != nil {
			q.options |= wire.OptEncTktInSKey
			q.tickets = []wire.Ticket{{Raw: o.Second}}
		}
		return q, err
	})
	if err != nil {
		return nil, err
	}
	got.IsSKey, got.SecondTicket = o.Second != nil, slices.Clone(o.Second)
	return got.Credential, nil
}

func usableTGT(tgt *ccache.Credential) error {
	if tgt == nil || !tgt.Server.IsTGS() || len(tgt.Ticket) == 0 {
		return fmt.Errorf("%w: no ticket-granting ticket", krberr.NoTktSupplied)
	}
	return nil
}

// ask returns the usual request for a ticket.
func (c *Client) ask(tgt *ccache.Credential, server principal.Name, options uint32, o *TicketOptions) (*ask, error) {
	etypes, err := c.enctypes(o.Enctypes, "default_tgs_enctypes")
	if err != nil {
		return nil, err
	}
	q := &ask{server: server, options: tgt.Flags&inherited | options, till: tgt.EndTime, etypes: etypes, armored: o.FAST != "" && tgt.Server.IsTGS() && tgt.Server.Components[1] == o.FAST}
	if end := until(c.now(o.Offset), o.Lifetime); o.Lifetime > 0 && end.Before(q.till) {
		q.till = end
	}
	for _, a := range tgt.Addresses {
		q.addrs = append(q.addrs, wire.HostAddress{Type: a.Type, Addr: a.Bytes})
	}
	return q, nil
}
