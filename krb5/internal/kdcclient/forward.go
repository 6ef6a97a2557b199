package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Forward gets a ticket-granting ticket to hand on to a host (RFC 4120 §2.6):
// one for the realm that tgt is for, forwarded and forwardable again. preferred,
// if not zero, is the type of session key that the host is known to have. A tgt
// with addresses is forwarded to those of the host; without, to anywhere.
//
// The error is krberr.KDCBadOption if tgt is not forwardable, else as for
// [Client.Ticket].
func (c *Client) Forward(ctx context.Context, tgt *ccache.Credential, host string, preferred etype.ID, o *TicketOptions) (*ccache.Credential, error) {
	if err := usableTGT(tgt); err != nil {
		return nil, err
	}
	if tgt.Flags&wire.FlagForwardable == 0 {
		return nil, fmt.Errorf("%w: the ticket-granting ticket is not forwardable", krberr.KDCBadOption)
	}
	if o == nil {
		o = &TicketOptions{}
	}
	q, err := c.ask(tgt, tgsOf(tgt.Server.Components[1]), wire.OptForwarded|o.KDCOptions, o)
	if err != nil {
		return nil, err
	}
	if q.addrs != nil {
		if q.addrs, err = hostAddresses(ctx, host); err != nil {
			return nil, err
		}
	}
	first := *q
	if slices.Contains(q.etypes, preferred) {
		first.etypes = []etype.ID{preferred}
	}
	got, err := c.tgs(ctx, tgt, &first, o.Offset)
	if refused := (*Error)(nil); errors.As(err, &refused) && len(first.etypes) < len(q.etypes) {
		got, err = c.tgs(ctx, tgt, q, o.Offset)
	}
	if err != nil {
		return nil, err
	}
	if got.Flags&wire.FlagForwarded == 0 {
		return nil, modified("it is not forwarded")
	}
	return got.Credential, nil
}

// hostAddresses are the addresses that a ticket for a host is to be limited to.
func hostAddresses(ctx context.Context, host string) ([]wire.HostAddress, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("%w: the addresses of %s: %w", krberr.FwdBadPrincipal, quote(host), err)
	}
	var addrs []wire.HostAddress
	for _, ip := range ips {
		addrs = append(addrs, hostAddress(ip.Unmap()))
	}
	return addrs, nil
}
