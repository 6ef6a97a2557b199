package kdcclient

import (
	"context"
	"fmt"
	"slices"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Proxy gets a ticket to a service in the name of a user, by the evidence of a
// ticket that the user, or S4U2Self, has given to the owner of tgt (S4U2Proxy,
// MS-SFU §3.1.5.2). The KDC of tgt is asked, whatever the server's realm; a
// service in another realm is reached if that realm lets the service act for
// users (resource-based constrained delegation).
//
// Errors are as for [Client.Ticket]: krberr.KDCBadOption is the KDC's way to say
// that it is not allowed, krberr.KDCPadataTypeNosupp that it knows only its own
// realm.
func (c *Client) Proxy(ctx context.Context, tgt, evidence *ccache.Credential, server principal.Name, o *TicketOptions) (*ccache.Credential, error) {
	if err := usableTGT(tgt); err != nil {
		return nil, err
	}
	if evidence == nil || len(evidence.Ticket) == 0 {
		return nil, fmt.Errorf("%w: no evidence ticket", krberr.NoTktSupplied)
	}
	if len(server.Components) == 0 {
		return nil, fmt.Errorf("%w: no service", krberr.ParseMalformed)
	}
	if o == nil {
		o = &TicketOptions{}
	}
	realm := tgt.Server.Components[1]
	seen := []string{realm}
	own, second := tgt, evidence.Ticket
	for {
		q, err := c.ask(own, server.WithRealm(realm), wire.OptCNameInAddlTkt|wire.OptCanonicalize|o.KDCOptions, o)
		if err != nil {
			return nil, err
		}
		q.tickets = []wire.Ticket{{Raw: second}}
		q.padata = func(*tgsExchange) ([]wire.PAData, error) {
			return []wire.PAData{{Type: wire.PAPACOptions, Value: wire.AppendPACOptions(nil, wire.PACOptionRBCD)}}, nil
		}
		q.client = func(_ *tgsExchange, rep *wire.KDCRep, part *wire.EncKDCRepPart) error {
			if rep.Client.Equal(evidence.Client) || part.Server.IsTGS() && rep.Client.Equal(own.Client) {
				return nil
			}
			return modified("it is for client %s", quote(rep.Client.String()))
		}
		got, err := c.tgs(ctx, own, q, o.Offset)
		switch {
		case err != nil:
			return nil, err
		case got.Server.Equal(q.server):
			return got.Credential, nil
		case !got.Server.IsTGS() || got.Server.Realm != realm:
			return nil, modified("it is for server %s", quote(got.Server.String()))
		case !confirmsRBCD(got.part.PAData):
			return nil, fmt.Errorf("%w: realm %s cannot delegate to another", krberr.KDCPadataTypeNosupp, quote(realm))
		}
		realm = got.Server.Components[1]
		if err := follow(&seen, realm); err != nil {
			return nil, err
		}
		// The referral is about the user; to ask over there takes a ticket of
		// one's own besides.
		if own, err = c.TGT(ctx, tgt, realm, o); err != nil {
			return nil, err
		}
		second = slices.Clone(got.Ticket)
	}
}

// confirmsRBCD reports whether the KDC has understood what may come next.
func confirmsRBCD(encrypted []wire.PAData) bool {
	pa, ok := find(encrypted, wire.PAPACOptions)
	if !ok {
		return false
	}
	options, err := wire.ParsePACOptions(pa.Value)
	return err == nil && options&wire.PACOptionRBCD != 0
}
