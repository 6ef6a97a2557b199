package creds

import (
	"errors"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var errNegMechs = errors.New("a list of mechanisms to negotiate has between 1 and 64 of them")

// WithNegMechs returns the credential with a limit on what a negotiating
// mechanism may choose from: these mechanisms, the preferred one first
// (RFC 4178 appendix C.1, gss_set_neg_mechs). Those that c has no element of are
// passed over when it negotiates. An empty list is ErrFailure, not "all"; a
// registry in which nothing negotiates is ErrUnavailable.
func (c *Cred) WithNegMechs(mechs ...oid.OID) (*Cred, error) {
	const op = "set_neg_mechs"
	s, err := c.state(op)
	if err != nil {
		return nil, err
	}
	switch {
	case len(mechs) == 0 || len(mechs) > maxNegMechs || slices.Contains(mechs, oid.OID{}):
		return nil, fail(op, gsserr.ErrFailure, errNegMechs)
	case !negotiates(s.reg):
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	return &Cred{&state{reg: s.reg, elems: s.elems, neg: slices.Clone(mechs)}}, nil
}

// NegMechs returns what WithNegMechs set (gss_get_neg_mechs), nil for no limit.
func (c *Cred) NegMechs() []oid.OID {
	if c == nil || c.s == nil {
		return nil
	}
	return slices.Clone(c.s.neg)
}

// WithOption returns the credential with an option set in every element that
// knows it (gss_set_cred_option). If none does, it is ErrUnavailable.
func (c *Cred) WithOption(aspect oid.OID, value []byte) (*Cred, error) {
	const op = "set_cred_option"
	s, err := c.state(op)
	if err != nil {
		return nil, err
	}
	elems, known := slices.Clone(s.elems), false
	for i, e := range elems {
		set, ok := e.(mech.CredOptioner)
		if !ok {
			continue
		}
		changed, err := set.WithOption(aspect, value)
		switch {
		case errors.Is(err, gsserr.ErrUnavailable):
		case err != nil:
			return nil, fail(op, 0, err)
		case changed == nil || changed.Mech() != e.Mech():
			return nil, fail(op, gsserr.ErrDefectiveCredential, nil)
		default:
			elems[i], known = changed, true
		}
	}
	if !known {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	return s.with(elems), nil
}

// Inquire asks every element the question that an OID names (GFD.24 §2.3.4,
// gss_inquire_cred_by_oid) and returns all answers, of which there may be none.
// If no element knows the question, it is ErrUnavailable.
func (c *Cred) Inquire(aspect oid.OID) ([][]byte, error) {
	const op = "inquire_cred_by_oid"
	s, err := c.state(op)
	if err != nil {
		return nil, err
	}
	var answers [][]byte
	known := false
	for _, e := range s.elems {
		q, ok := e.(mech.Inquirer)
		if !ok {
			continue
		}
		a, err := q.Inquire(aspect)
		switch {
		case errors.Is(err, gsserr.ErrUnavailable):
		case err != nil:
			return nil, fail(op, 0, err)
		default:
			answers, known = append(answers, a...), true
		}
	}
	if !known {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	return answers, nil
}
