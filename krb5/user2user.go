package krb5

import (
	"context"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// User-to-user authentication (RFC 4120 §3.7): the acceptor has no long-term key
// at hand, but is logged in. It shows its ticket-granting ticket to the
// initiator, who gets a ticket that is encrypted in the session key of that one.
// How it is shown is for the application; nothing about it is secret.

// UserToUserAcceptor returns a credential with which the user of c, who is logged
// in, accepts contexts of initiators that were shown the ticket-granting ticket
// tgt, in DER: see [Mechanism.UserToUser]. It accepts no others, and ends with
// that ticket.
func (m *Mechanism) UserToUserAcceptor(ctx context.Context, c mech.Cred) (acceptor mech.Cred, tgt []byte, err error) {
	const op = "acquire_cred"
	_, contents, err := m.loggedIn(ctx, op, c)
	if err != nil {
		return nil, nil, err
	}
	t := ticketGranting(contents)
	key, err := enctype.NewKey(t.Key.Enctype, t.Key.Value.Bytes())
	if err != nil {
		return nil, nil, fail(op, gsserr.ErrNoCred, err)
	}
	k := &keys{m: m, source: "a session", userToUser: true, fixed: []apreq.ServiceKey{{Principal: contents.Principal, Key: key}}}
	return &cred{m: m, acc: k}, slices.Clone(t.Ticket), nil
}

// UserToUser returns a credential of the user of c to initiate contexts with
// peer, a principal, who has shown the ticket-granting ticket tgt. It is good for
// that peer alone.
//
// The errors are those of a ticket request: a KDC that does not find the peer in
// the ticket says KDC_ERR_SERVER_NOMATCH.
func (m *Mechanism) UserToUser(ctx context.Context, c mech.Cred, peer string, tgt []byte) (mech.Cred, error) {
	const op = "acquire_cred"
	k, contents, err := m.loggedIn(ctx, op, c)
	if err != nil {
		return nil, err
	}
	profile, err := m.config()
	if err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	n, err := m.importName(peer, oid.NTKrb5Principal)
	if err != nil {
		return nil, fail(op, 0, err)
	}
	server, err := n.principal(ctx, profile)
	if err != nil {
		return nil, fail(op, gsserr.ErrBadName, err)
	}
	o := k.init.options(ctx, contents)
	o.Second = tgt
	got, err := m.client(profile).Ticket(ctx, ticketGranting(contents), server, o)
	if err != nil {
		return nil, fail(op, gsserr.ErrNoCred, err)
	}
	return &cred{m: m, init: m.only(contents, got)}, nil
}

// loggedIn returns a credential of this mechanism value whose ticket-granting
// ticket is the user's own and has not expired.
func (m *Mechanism) loggedIn(ctx context.Context, op string, c mech.Cred) (*cred, *ccache.Contents, error) {
	if c == nil {
		return nil, nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrNoCred, nil)
	}
	k, err := m.own(op, []mech.Cred{c}, func(k *cred) bool { return k.init != nil })
	if err != nil {
		return nil, nil, err
	}
	contents, err := k.init.load(ctx)
	if err != nil {
		return nil, nil, fail(op, gsserr.ErrNoCred, err)
	}
	switch tgt := ticketGranting(contents); {
	case tgt == nil:
		return nil, nil, fail(op, gsserr.ErrNoCred, krberr.GSSTGTMissing)
	case !tgt.EndTime.After(m.kdcTime(contents)):
		return nil, nil, fail(op, gsserr.ErrCredentialsExpired, krberr.APTktExpired)
	}
	return k, contents, nil
}

// only returns tickets that are one ticket of the owner of a cache.
func (m *Mechanism) only(from *ccache.Contents, c *ccache.Credential) *tickets {
	contents := &ccache.Contents{Principal: from.Principal, Entries: []ccache.Credential{*c}}
	if offset, ok := from.KDCOffset(); ok {
		contents.SetKDCOffset(offset)
	}
	return &tickets{m: m, cache: ccache.NewMemory(contents.Principal, contents.Entries...), contents: contents}
}
