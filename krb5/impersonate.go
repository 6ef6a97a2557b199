package krb5

import (
	"context"
	"errors"
	"fmt"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/kdcclient"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// A proxy credential acts for a user by the authority of a service: its cache
// is the user's, has the service's own tickets and the one that the user, or
// S4U2Self, gave to the service, and names the service under
// [ccache.ConfProxyImpersonator]. MIT's caches are the same.

var (
	_ mech.Impersonator = (*cred)(nil)
	_ mech.Inquirer     = (*cred)(nil)
)

// Impersonate implements [mech.Impersonator] (S4U2Self, MS-SFU): the credential
// of a service becomes one that acts for a user without the user's password. It
// reaches the service itself and, by constrained delegation, the services that
// the KDC lets it act towards.
//
// The user is a principal or an enterprise name. Errors: ErrNoCred if c cannot
// initiate, ErrFailure with GSSBadUsage if it acts for somebody already, or if
// more than initiating is asked for; else that of the KDC.
func (c *cred) Impersonate(ctx context.Context, n mech.Name, r mech.CredRequest) (mech.Cred, error) {
	p, err := c.impersonate(ctx, n, r)
	if err != nil {
		return nil, fail("acquire_cred_impersonate_name", 0, err)
	}
	return p, nil
}

func (c *cred) impersonate(ctx context.Context, n mech.Name, r mech.CredRequest) (*cred, error) {
	own, err := c.m.ownName("", n)
	switch {
	case err != nil:
		return nil, err
	case own == nil:
		return nil, fail("", gsserr.ErrBadName, fmt.Errorf("whom to act for"))
	case c.init == nil:
		return nil, fail("", gsserr.ErrNoCred, krberr.GSSCredUsageMismatch)
	case r.Usage != mech.UsageInitiate:
		return nil, fail("", gsserr.ErrFailure, fmt.Errorf("%w: it is to initiate with", krberr.GSSBadUsage))
	}
	profile, err := c.m.config()
	if err != nil {
		return nil, err
	}
	user, err := own.principal(ctx, profile)
	if err != nil {
		return nil, fail("", gsserr.ErrBadName, err)
	}
	contents, err := c.init.all(ctx)
	if err != nil {
		return nil, fail("", gsserr.ErrNoCred, err)
	}
	if _, ok := impersonator(contents); ok {
		return nil, fail("", gsserr.ErrFailure, fmt.Errorf("%w: it acts for %s already", krberr.GSSBadUsage, contents.Principal))
	}
	tgt := ticketGranting(contents)
	if tgt == nil {
		return nil, fail("", gsserr.ErrNoCred, krberr.GSSTGTMissing)
	}
	o := c.init.options(ctx, contents)
	o.Lifetime = r.Lifetime
	o.Confirm = c.confirm(ctx, profile, tgt.Client)
	evidence, err := c.m.client(profile).ForUser(ctx, tgt, user, o)
	if err != nil {
		return nil, fail("", refusal(err), err)
	}
	return c.m.proxy(contents, evidence), nil
}

// confirm returns how to find out whom a ticket of S4U2Self is for, where the KDC
// does not say so, as Heimdal's do not: by opening it with the keys that the
// service logged in with, or accepts with. It is nil without such keys.
func (c *cred) confirm(ctx context.Context, profile *conf.Config, service principal.Name) func(*ccache.Credential) error {
	s := &apreq.Service{Keys: slices.Clone(c.init.own), Name: service, Exact: true}
	if c.acc != nil {
		if own, err := c.acc.service(ctx, profile); err == nil {
			s.Keys = append(s.Keys, own.Keys...)
		}
	}
	if from := c.init.from; from != nil {
		if keys, err := c.m.keytabs.load(from.keytab); err == nil {
			s.Keys = append(s.Keys, keys...)
		}
	}
	if len(s.Keys) == 0 {
		return nil
	}
	return func(got *ccache.Credential) error {
		client, err := s.Client(got.Ticket)
		if err == nil && !client.Equal(got.Client) {
			err = krberr.KDCRepModified
		}
		if err != nil {
			return fmt.Errorf("the ticket for %s: %w", got.Client, err)
		}
		return nil
	}
}

// refusal is the major status of a KDC's answer to a proxy.
func refusal(err error) gsserr.Major {
	if errors.Is(err, krberr.KDCBadOption) || errors.Is(err, krberr.KDCPolicy) {
		return gsserr.ErrUnauthorized
	}
	return gsserr.ErrNoCred
}

// proxy makes a proxy credential of a service's cache and a user's ticket to
// that service.
func (m *Mechanism) proxy(service *ccache.Contents, evidence *ccache.Credential) *cred {
	by := service.Principal.String()
	entries := append([]ccache.Credential{
		ccache.ConfEntry(evidence.Client, ccache.ConfProxyImpersonator, nil, []byte(by)),
	}, service.Credentials()...)
	entries = append(entries, *evidence)
	contents := &ccache.Contents{Principal: evidence.Client, Entries: entries}
	if offset, ok := service.KDCOffset(); ok {
		contents.SetKDCOffset(offset)
	}
	return &cred{m: m, init: &tickets{m: m, cache: ccache.NewMemory(evidence.Client, entries...), contents: contents}}
}

// accepted makes a proxy credential of the ticket with which a user came, for an
// acceptor that can initiate too. It is nil where that is impossible.
func (c *acceptor) accepted(ctx context.Context, acc *apreq.Accepted, ticket *wire.Ticket) *cred {
	if c.cred.init == nil {
		return nil
	}
	contents, err := c.cred.init.load(ctx)
	if err == nil && ticketGranting(contents) == nil {
		err = krberr.GSSTGTMissing
	}
	if err != nil {
		c.m.c.Logger.DebugContext(ctx, "no credential to act for the initiator", "error", err)
		return nil
	}
	t := acc.Ticket
	return c.m.proxy(contents, &ccache.Credential{
		Client:    t.Client,
		Server:    acc.Server, // the ticket's own word for it is anybody's
		Key:       export(acc.SessionKey),
		AuthTime:  t.AuthTime,
		StartTime: t.StartTime,
		EndTime:   t.EndTime,
		RenewTill: t.RenewTill,
		Flags:     t.Flags,
		Ticket:    slices.Clone(ticket.Raw),
	})
}

// impersonator returns the service that acts for the principal of a cache, and
// whether there is one.
func impersonator(c *ccache.Contents) (principal.Name, bool) {
	v, ok := c.Config(ccache.ConfProxyImpersonator, nil)
	if !ok {
		return principal.Name{}, false
	}
	p, err := principal.Parse(string(v))
	return p, err == nil && p.Realm != ""
}

// evidence returns the user's ticket to the service that acts for the user, nil
// if there is none.
func evidence(c *ccache.Contents) *ccache.Credential {
	by, ok := impersonator(c)
	if !ok {
		return nil
	}
	best := latest(c, c.Principal, by)
	for i := range c.Entries { // a ticket under an alias of the service
		e := &c.Entries[i]
		if best == nil && !e.IsConf() && e.Client.Equal(c.Principal) && len(e.Ticket) > 0 {
			best = e
		}
	}
	return best
}

// act gets a ticket for a service in the name of the principal of a proxy
// credential (S4U2Proxy, MS-SFU).
func (t *tickets) act(ctx context.Context, profile *conf.Config, contents *ccache.Contents, server principal.Name, o *kdcclient.TicketOptions) (*ccache.Credential, error) {
	by, _ := impersonator(contents)
	tgt := latest(contents, by, principal.TGS(by.Realm, by.Realm))
	if tgt == nil {
		return nil, fail("", gsserr.ErrNoCred, krberr.GSSTGTMissing)
	}
	got, err := t.m.client(profile).Proxy(ctx, tgt, evidence(contents), server, o)
	if err != nil {
		return nil, fail("", refusal(err), err)
	}
	return got, nil
}

// Inquire implements [mech.Inquirer] with MIT's one question of credentials: who
// acts for the name that the credential has. A credential of one's own has no
// answer.
func (c *cred) Inquire(aspect oid.OID) ([][]byte, error) {
	const op = "inquire_cred_by_oid"
	if aspect != oid.Krb5CredImpersonator {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	if c.init == nil {
		return nil, nil
	}
	contents, err := c.init.load(context.Background())
	if err != nil {
		return nil, fail(op, gsserr.ErrNoCred, err)
	}
	by, ok := impersonator(contents)
	if !ok {
		return nil, nil
	}
	return [][]byte{[]byte(by.String())}, nil
}
