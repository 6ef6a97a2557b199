package creds

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Cred is a credential: one element for each of some mechanisms, in order of
// preference, and the registry they come from. It is immutable and safe for
// concurrent use. A nil *Cred stands for the default credential where a context
// is made; its own methods fail with a credentials read error
// (ErrInaccessibleRead|ErrNoCred), those of the zero Cred with
// ErrDefectiveCredential.
//
// However it is printed, logged or encoded, a Cred shows its mechanisms and
// usage and nothing more.
type Cred struct {
	s *state // apart, so that printers which bypass methods find only an address
}

type state struct {
	reg   *mech.Registry
	elems []mech.Cred
	neg   []oid.OID // nil is all
}

// maxNegMechs bounds the list of WithNegMechs.
const maxNegMechs = 64

var (
	errTwoRegistries = errors.New("the credential comes from another registry")
	errNotPresent    = errors.New("the credential has no element of the mechanism")
)

// fail makes the errors of this package.
func fail(op string, major gsserr.Major, cause error) error {
	return gsserr.New(op, major, cause)
}

// state returns what c holds, an error if that is nothing.
func (c *Cred) state(op string) (*state, error) {
	switch {
	case c == nil:
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrNoCred, nil)
	case c.s == nil || len(c.s.elems) == 0:
		return nil, fail(op, gsserr.ErrDefectiveCredential, nil)
	}
	return c.s, nil
}

// New returns a credential of elements that mechanisms of r made. It is for
// those who get an element from a mechanism itself, such as krb5's Login.
//
// Errors are ErrBadMech for a nil r or an element whose mechanism is not in it —
// unless a mechanism in r negotiates others, for which it may be —
// ErrDefectiveCredential for no element or a nil one, and ErrDuplicateElement
// for two of one mechanism.
func New(r *mech.Registry, elems ...mech.Cred) (*Cred, error) {
	const op = "new_cred"
	if r == nil {
		return nil, fail(op, gsserr.ErrBadMech, errNoRegistry)
	}
	if len(elems) == 0 {
		return nil, fail(op, gsserr.ErrDefectiveCredential, nil)
	}
	s := &state{reg: r}
	for _, e := range elems {
		if e == nil {
			return nil, fail(op, gsserr.ErrDefectiveCredential, nil)
		}
		if _, err := r.Lookup(e.Mech()); err != nil && !negotiates(r) || e.Mech().IsZero() {
			return nil, fail(op, gsserr.ErrBadMech, nil)
		}
		if s.find(e.Mech()) >= 0 {
			return nil, fail(op, gsserr.ErrDuplicateElement, nil)
		}
		s.elems = append(s.elems, e)
	}
	return &Cred{s}, nil
}

// negotiates reports whether a mechanism in r negotiates others.
func negotiates(r *mech.Registry) bool {
	return slices.ContainsFunc(r.All(), negotiator)
}

func negotiator(m mech.Mechanism) bool { return m.Info().HasAttr(mech.MAMechNego) }

// find returns the index of the element of mechanism m, -1 if there is none.
func (s *state) find(m oid.OID) int {
	if e, err := s.reg.Lookup(m); err == nil {
		m = e.Info().OID // of an alias, or of the default
	}
	return slices.IndexFunc(s.elems, func(e mech.Cred) bool { return e.Mech() == m })
}

// with returns a credential with other elements.
func (s *state) with(elems []mech.Cred) *Cred {
	return &Cred{&state{reg: s.reg, elems: elems, neg: s.neg}}
}

// Registry returns the registry that every call with c uses; nil if c is nil or
// zero.
func (c *Cred) Registry() *mech.Registry {
	if c == nil || c.s == nil {
		return nil
	}
	return c.s.reg
}

// Mechs returns the mechanisms that c has elements of, in order.
func (c *Cred) Mechs() []oid.OID {
	if c == nil || c.s == nil {
		return nil
	}
	mechs := make([]oid.OID, len(c.s.elems))
	for i, e := range c.s.elems {
		mechs[i] = e.Mech()
	}
	return mechs
}

// Element returns the element of mechanism m, a zero m being the registry's
// default; ok is false if there is none, or none good for u. For UsageBoth the
// element must be good for both.
func (c *Cred) Element(m oid.OID, u mech.Usage) (e mech.Cred, ok bool) {
	if c == nil || c.s == nil {
		return nil, false
	}
	i := c.s.find(m)
	if i < 0 || !covers(c.s.elems[i].Usage(), u) {
		return nil, false
	}
	return c.s.elems[i], true
}

// Elements returns the elements that are good for u, in order: nil if there are
// none, or c is nil or zero.
func (c *Cred) Elements(u mech.Usage) []mech.Cred {
	if c == nil || c.s == nil {
		return nil
	}
	var elems []mech.Cred
	for _, e := range c.s.elems {
		if covers(e.Usage(), u) {
			elems = append(elems, e)
		}
	}
	return elems
}

func covers(have, want mech.Usage) bool { return have == mech.UsageBoth || have == want }

// Map returns the credential with the element of mechanism m replaced by what f
// makes of it. It is how functions of a mechanism's own package work on a
// credential. An absent element is ErrNoCred, a result of another mechanism or
// nil ErrDefectiveCredential.
func (c *Cred) Map(m oid.OID, f func(mech.Cred) (mech.Cred, error)) (*Cred, error) {
	const op = "map_cred"
	s, err := c.state(op)
	if err != nil {
		return nil, err
	}
	i := s.find(m)
	if i < 0 {
		return nil, fail(op, gsserr.ErrNoCred, errNotPresent)
	}
	e, err := f(s.elems[i])
	if err != nil {
		return nil, fail(op, 0, err)
	}
	if e == nil || e.Mech() != s.elems[i].Mech() {
		return nil, fail(op, gsserr.ErrDefectiveCredential, nil)
	}
	elems := slices.Clone(s.elems)
	elems[i] = e
	return s.with(elems), nil
}

// String returns the mechanisms and what the credential is for, such as
// "credential(1.2.840.113554.1.2.2 initiate)".
func (c *Cred) String() string {
	if c == nil || c.s == nil {
		return "credential()"
	}
	words := make([]string, len(c.s.elems))
	for i, e := range c.s.elems {
		words[i] = e.Mech().String() + " " + e.Usage().String()
	}
	return "credential(" + strings.Join(words, ", ") + ")"
}

// Format implements [fmt.Formatter]: every verb prints [Cred.String].
func (c *Cred) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) }

// LogValue implements [slog.LogValuer] with [Cred.String].
func (c *Cred) LogValue() slog.Value { return slog.StringValue(c.String()) }
