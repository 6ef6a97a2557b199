package krb5

import (
	"cmp"
	"context"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/kdcclient"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/rcache"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/krb5/keytab"
)

// verifyLogin makes sure that the KDC which let somebody in by a password is the
// real one, and not an accomplice who answers with keys of the password's
// choosing: it issues a ticket for a service whose key is in the keytab. The
// service is a principal, or "" for any host's in the keytab. A keytab that
// cannot be used is an error, never a reason to believe the KDC.
func (m *Mechanism) verifyLogin(ctx context.Context, profile *conf.Config, t *tickets, service, source string) error {
	if source = cmp.Or(source, m.c.Keytab); source == "" {
		var err error
		if source, err = keytab.DefaultName(profile, m.c.Getenv); err != nil {
			return err
		}
	}
	keys, err := m.keytabs.load(source)
	if err != nil {
		return err
	}
	var servers []principal.Name
	if service != "" {
		s, err := principal.Parse(service)
		if err != nil {
			return fail("", gsserr.ErrFailure, err)
		}
		if s.Realm == "" {
			s.Realm = profile.DefaultRealm()
		}
		servers = append(servers, s)
	} else {
		servers = hosts(keys)
	}
	err = fmt.Errorf("%w: no host's key in %s", krberr.KTNotFound, source)
	for _, s := range servers {
		if err = m.verifyWith(ctx, profile, t, s, keys); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the KDC is not verified: %w", err)
}

// hosts returns the host principals of a keytab, each once.
func hosts(keys []apreq.ServiceKey) []principal.Name {
	var list []principal.Name
	seen := make(map[string]bool)
	for i := range keys {
		p := keys[i].Principal
		if len(p.Components) == 2 && p.Components[0] == "host" && !seen[p.String()] {
			seen[p.String()] = true
			list = append(list, p)
		}
	}
	return list
}

// verifyWith gets a ticket for the service and opens it with its key.
func (m *Mechanism) verifyWith(ctx context.Context, profile *conf.Config, t *tickets, server principal.Name, keys []apreq.ServiceKey) error {
	contents, err := t.load(ctx)
	if err != nil {
		return err
	}
	tgt := ticketGranting(contents)
	if tgt == nil {
		return krberr.GSSTGTMissing
	}
	offset, _ := contents.KDCOffset()
	got, err := m.client(profile).Ticket(ctx, tgt, server, &kdcclient.TicketOptions{Offset: offset})
	if err != nil {
		return err
	}
	defer got.Key.Value.Clear()
	key, err := enctype.NewKey(got.Key.Enctype, got.Key.Value.Bytes())
	if err != nil {
		return err
	}
	now := m.kdcTime(contents)
	msg, err := (&apreq.Request{
		Ticket:     got.Ticket,
		SessionKey: key,
		Client:     got.Client,
		Time:       now,
		Subkey:     key,
		Checksum:   &apreq.Checksum{},
	}).Append(nil)
	if err != nil {
		return err
	}
	req, err := wire.ParseAPReq(msg)
	if err != nil {
		return err
	}
	_, _, err = (&apreq.Acceptor{
		Service:  apreq.Service{Keys: keys, Name: server, Exact: true},
		Now:      now,
		Skew:     m.skew(profile),
		Replay:   rcache.None{},
		Enctypes: m.enctypes(profile),
	}).Accept(ctx, req)
	return err
}
