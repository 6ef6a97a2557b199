package creds

import (
	"context"
	"errors"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

// Info describes a credential (RFC 2743 §2.1.3) or one element of it (§2.1.5).
type Info struct {
	// Name is whose credential it is, an MN; zero for an acceptor's that takes
	// any name of its own.
	Name  names.Name
	Usage mech.Usage
	// InitiateExpires and AcceptExpires are when the credential ends for each
	// use: the first of its elements to do so. Zero is never, or that it is not
	// for that use.
	InitiateExpires, AcceptExpires time.Time
	// Mechs are the mechanisms the credential has elements of.
	Mechs []oid.OID
}

// Expires returns the earlier of the two ends, zero if there is none.
func (i Info) Expires() time.Time { return earlier(i.InitiateExpires, i.AcceptExpires) }

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Info describes the credential (RFC 2743 §2.1.3): name and usage are those of
// the first element, the ends the earliest of all. It does I/O.
//
// If the first element has expired the values come together with
// ErrCredentialsExpired. If another cannot be looked up it does not count.
func (c *Cred) Info(ctx context.Context) (Info, error) {
	const op = "inquire_cred"
	s, err := c.state(op)
	if err != nil {
		return Info{}, err
	}
	info, first := s.info(ctx, op, s.elems[0])
	if first != nil && !errors.Is(first, gsserr.ErrCredentialsExpired) {
		return Info{}, first
	}
	info.Mechs = c.Mechs()
	for _, e := range s.elems[1:] {
		i, err := s.info(ctx, op, e)
		if err == nil || errors.Is(err, gsserr.ErrCredentialsExpired) {
			info.InitiateExpires = earlier(info.InitiateExpires, i.InitiateExpires)
			info.AcceptExpires = earlier(info.AcceptExpires, i.AcceptExpires)
		}
	}
	return info, first
}

// InfoByMech describes the element of mechanism m (RFC 2743 §2.1.5), a zero m
// being the registry's default. An absent one is ErrNoCred. It does I/O. If the
// element has expired the values come together with ErrCredentialsExpired.
func (c *Cred) InfoByMech(ctx context.Context, m oid.OID) (Info, error) {
	const op = "inquire_cred_by_mech"
	s, err := c.state(op)
	if err != nil {
		return Info{}, err
	}
	i := s.find(m)
	if i < 0 {
		return Info{}, fail(op, gsserr.ErrNoCred, errNotPresent)
	}
	return s.info(ctx, op, s.elems[i])
}

// info describes one element.
func (s *state) info(ctx context.Context, op string, e mech.Cred) (Info, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	i, err := e.Info(ctx)
	if err != nil {
		err = fail(op, 0, err)
		if !errors.Is(err, gsserr.ErrCredentialsExpired) {
			return Info{}, err
		}
	}
	info := Info{Usage: i.Usage, Mechs: []oid.OID{e.Mech()}}
	if i.Name != nil {
		m, _ := s.reg.Lookup(i.Name.Mech())
		info.Name = names.FromMech(i.Name, m)
	}
	if i.Usage.Initiates() {
		info.InitiateExpires = i.InitiateExpires
	}
	if i.Usage.Accepts() {
		info.AcceptExpires = i.AcceptExpires
	}
	return info, err
}
