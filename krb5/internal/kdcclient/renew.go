package kdcclient

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Renew gets a ticket as old as new (RFC 4120 §2.3): for the same client and
// server, with the lifetime of the first one from now on, until its renew-till
// time. The ticket must not have expired. The error is krberr.KDCBadOption if it
// is not renewable, else as for [Client.Ticket].
func (c *Client) Renew(ctx context.Context, ticket *ccache.Credential, o *TicketOptions) (*ccache.Credential, error) {
	if ticket == nil || ticket.Flags&wire.FlagRenewable == 0 {
		return nil, fmt.Errorf("%w: the ticket is not renewable", krberr.KDCBadOption)
	}
	return c.again(ctx, ticket, wire.OptRenew, o)
}

// Validate gets a ticket that can be used for a postdated one whose time has
// come (RFC 4120 §2.4). Errors are as for [Client.Renew].
func (c *Client) Validate(ctx context.Context, ticket *ccache.Credential, o *TicketOptions) (*ccache.Credential, error) {
	if ticket == nil || ticket.Flags&wire.FlagInvalid == 0 {
		return nil, fmt.Errorf("%w: the ticket is valid already", krberr.KDCBadOption)
	}
	got, err := c.again(ctx, ticket, wire.OptValidate, o)
	if err == nil && got.Flags&wire.FlagInvalid != 0 {
		return nil, modified("it is still not valid")
	}
	return got, err
}

// again shows a ticket to the KDC that issued it and gets another in its place.
func (c *Client) again(ctx context.Context, ticket *ccache.Credential, option uint32, o *TicketOptions) (*ccache.Credential, error) {
	if len(ticket.Ticket) == 0 || len(ticket.Server.Components) == 0 {
		return nil, fmt.Errorf("%w: no ticket", krberr.NoTktSupplied)
	}
	if o == nil {
		o = &TicketOptions{}
	}
	q, err := c.ask(ticket, ticket.Server, option|o.KDCOptions, &TicketOptions{Enctypes: o.Enctypes, Offset: o.Offset, FAST: o.FAST})
	if err != nil {
		return nil, err
	}
	if option == wire.OptRenew {
		q.till = ticket.RenewTill
	}
	got, err := c.tgs(ctx, ticket, q, o.Offset)
	if err != nil {
		return nil, err
	}
	return got.Credential, nil
}
