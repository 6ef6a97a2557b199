package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// TicketOptions changes what [Client.Ticket] asks for. nil is the default.
type TicketOptions struct {
	// Lifetime asks for that long; zero, or more than the ticket-granting
	// ticket has left, is as long as that.
	Lifetime time.Duration
	// Enctypes are those of the session key, best first; nil is the Client's
	// or the configuration's.
	Enctypes []etype.ID
	// KDCOptions are added to those that follow from the ticket-granting
	// ticket's flags. With wire.OptCanonicalize the KDC may answer with another
	// name of the service.
	KDCOptions uint32
	// Offset is the KDC's clock minus ours; see [Result].
	Offset time.Duration
}

// inherited are the ticket flags that a request repeats as options, as MIT
// does: forwardable, proxiable, may-postdate, renewable.
const inherited = wire.FlagForwardable | wire.FlagProxiable | wire.FlagMayPostdate | wire.FlagRenewable

// Ticket runs the TGS exchange (RFC 4120 §3.3) for a ticket to server, whose
// empty realm means the one that tgt is for. If server is in another realm, that
// realm's ticket-granting ticket is asked for first, which is enough where two
// realms trust each other directly.
//
// A refusal is an *Error. Other errors: krberr.KDCRepModified when the reply
// does not fit the request, krberr.APBadIntegrity when it does not open,
// krberr.KDCWrongRealm when the KDC refers to a realm that was not asked for.
func (c *Client) Ticket(ctx context.Context, tgt *ccache.Credential, server principal.Name, o *TicketOptions) (*ccache.Credential, error) {
	if tgt == nil || !tgt.Server.IsTGS() || len(tgt.Ticket) == 0 {
		return nil, fmt.Errorf("%w: no ticket-granting ticket", krberr.NoTktSupplied)
	}
	if len(server.Components) == 0 {
		return nil, fmt.Errorf("%w: no service", krberr.ParseMalformed)
	}
	if o == nil {
		o = &TicketOptions{}
	}
	realm := tgt.Server.Components[1]
	if server.Realm == "" {
		server.Realm = realm
	}
	if server.Realm != realm {
		next, err := c.tgs(ctx, tgt, principal.TGS(realm, server.Realm), &TicketOptions{Offset: o.Offset})
		if err != nil {
			return nil, fmt.Errorf("ticket-granting ticket for realm %s: %w", quote(server.Realm), err)
		}
		tgt = next
	}
	return c.tgs(ctx, tgt, server, o)
}

// tgs is one exchange with the KDC that tgt is for.
func (c *Client) tgs(ctx context.Context, tgt *ccache.Credential, server principal.Name, o *TicketOptions) (*ccache.Credential, error) {
	session, err := enctype.NewKey(tgt.Key.Enctype, tgt.Key.Value.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: session key of the ticket-granting ticket", err)
	}
	defer session.Clear()
	etypes, err := c.enctypes(o.Enctypes, "default_tgs_enctypes")
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.KDCUnreach, err)
	}
	now := c.now(o.Offset)
	till := tgt.EndTime
	if end := until(now, o.Lifetime); o.Lifetime > 0 && end.Before(till) {
		till = end
	}
	x := &tgsExchange{
		tgt:     tgt,
		session: session,
		server:  server,
		now:     now,
		body: wire.KDCReqBody{
			Options: tgt.Flags&inherited | o.KDCOptions,
			Realm:   server.Realm,
			Server:  server,
			Till:    till,
			Nonce:   newNonce(),
			Etypes:  etypes,
		},
	}
	for _, a := range tgt.Addresses {
		x.body.Addrs = append(x.body.Addrs, wire.HostAddress{Type: a.Type, Addr: a.Bytes})
	}
	request, err := x.request()
	if err != nil {
		return nil, err
	}
	defer x.subkey.Clear()
	reply, err := c.exchange(ctx, &conversation{realm: server.Realm}, "TGS-REQ", request)
	var refused *Error
	if errors.As(err, &refused) && refused.Code == krberr.KDCWrongRealm && refused.Client.Realm != "" {
		return nil, fmt.Errorf("%w: the KDC refers to realm %s", err, quote(refused.Client.Realm))
	}
	if err != nil {
		return nil, err
	}
	return x.finish(reply)
}
