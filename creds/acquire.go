package creds

import (
	"context"
	"errors"
	"slices"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

// Options are the optional arguments of [Acquire] and [Cred.Add]. Nil is the
// zero value: whatever the mechanisms find in their default places.
type Options struct {
	// Mechs are the mechanisms to acquire elements of. Nil is, for Acquire,
	// every registered one that is not deprecated and may be a default; for
	// Add, the registry's first one. A mechanism that negotiates others has no
	// credential of its own and stands for all of those that are the default.
	Mechs []oid.OID
	// Lifetime and AcceptLifetime are how long the credential is wanted for
	// initiating and for accepting. Zero is the default, mech.Indefinite
	// without end. They are wishes; see Info for what was granted.
	Lifetime, AcceptLifetime time.Duration
	// Store says where the material is; nil and empty are the default places.
	Store Store
	// Password logs in with a password. It takes a name, and a usage other than
	// UsageAccept.
	Password Secret
	// Impersonator acquires a credential to act for the name, without its
	// password, by the authority of this one (S4U2Self). It takes a name.
	Impersonator *Cred
	// Registry has the mechanisms. It counts only where no credential brings
	// its own, and must be the same if one does.
	Registry *mech.Registry
}

var (
	errNoRegistry   = errors.New("no registry of mechanisms")
	errUsage        = errors.New("the usage is unknown")
	errPassword     = errors.New("the password is empty")
	errTwoPasswords = errors.New("the password is given twice, in Password and in Store")
	errAcceptor     = errors.New("neither a password nor an impersonator is for accepting")
	errTwoSources   = errors.New("a password and an impersonator exclude each other")
	errNoPasswords  = errors.New("the mechanism takes no password")
	errLifetime     = errors.New("a lifetime is negative")
	errNoneLeft     = errors.New("no mechanism to acquire a credential of")
)

// Acquire returns a credential for n, or for whoever is the default if n is the
// zero Name, with an element of each mechanism that had one to give (RFC 2743
// §2.1.1; with the options also gss_acquire_cred_from, _with_password and
// _impersonate_name). It does I/O.
//
// One element is enough for success; without any the error is that of the first
// mechanism. ErrBadMech is a mechanism that is not registered, or no registry;
// ErrFailure a contradiction in the arguments, among them a Store key that no
// mechanism acquired from knows; ErrBadName a password or impersonator without
// a name.
func Acquire(ctx context.Context, n names.Name, u mech.Usage, o *Options) (*Cred, error) {
	const op = "acquire_cred"
	r, err := newRequest(op, nil, n, u, o)
	if err != nil {
		return nil, err
	}
	mechs, err := r.mechs(o != nil && o.Mechs != nil)
	if err != nil {
		return nil, err
	}
	if len(mechs) == 0 {
		return nil, fail(op, gsserr.ErrNoCred, errNoneLeft)
	}
	if err := checkKeys(op, r.store, mechs); err != nil {
		return nil, err
	}
	elems, used, first := r.acquire(ctx, mechs)
	if len(elems) == 0 || ctxErr(ctx) != nil && first != nil {
		return nil, first
	}
	// A key that only a failed mechanism knows was not obeyed.
	if err := checkKeys(op, r.store, used); err != nil {
		if first != nil {
			err = first
		}
		return nil, err
	}
	return &Cred{&state{reg: r.reg, elems: elems}}, nil
}

// Add returns c with elements for n added, one of each mechanism in o.Mechs
// (RFC 2743 §2.1.4; with the options also gss_add_cred_from, _with_password and
// _impersonate_name). Unlike with [Acquire] every one must succeed. A nil c is
// allowed: the result is then a credential of the new elements alone. It does
// I/O.
//
// A mechanism that c has an element of already is ErrDuplicateElement; another
// registry than c's is ErrDefectiveCredential; further errors are as for Acquire.
func (c *Cred) Add(ctx context.Context, n names.Name, u mech.Usage, o *Options) (*Cred, error) {
	const op = "add_cred"
	if c != nil {
		if _, err := c.state(op); err != nil {
			return nil, err
		}
	}
	r, err := newRequest(op, c, n, u, o)
	if err != nil {
		return nil, err
	}
	mechs, err := r.mechs(true)
	if err != nil {
		return nil, err
	}
	old := &state{reg: r.reg}
	if c != nil {
		old = c.s
	}
	for _, m := range mechs {
		if old.find(m.Info().OID) >= 0 {
			return nil, fail(op, gsserr.ErrDuplicateElement, nil)
		}
	}
	if err := checkKeys(op, r.store, mechs); err != nil {
		return nil, err
	}
	elems, _, first := r.acquire(ctx, mechs)
	if first != nil {
		return nil, first
	}
	return old.with(slices.Concat(old.elems, elems)), nil
}

// request is what Acquire and Add were asked for, after checking.
type request struct {
	op    string
	reg   *mech.Registry
	name  names.Name
	oids  []oid.OID
	imp   *Cred
	store Store // the keys as given
	mech.CredRequest
}

// newRequest checks the arguments of a call.
func newRequest(op string, c *Cred, n names.Name, u mech.Usage, o *Options) (*request, error) {
	if o == nil {
		o = new(Options)
	}
	r := &request{op: op, name: n, oids: o.Mechs, imp: o.Impersonator, store: o.Store}
	r.Usage, r.Lifetime, r.AcceptLifetime = u, o.Lifetime, o.AcceptLifetime
	r.Password = o.Password.f

	for _, from := range []*mech.Registry{c.Registry(), o.Impersonator.Registry(), o.Registry} {
		switch {
		case r.reg == nil:
			r.reg = from
		case from != nil && from != r.reg:
			return nil, fail(op, gsserr.ErrDefectiveCredential, errTwoRegistries)
		}
	}
	if pw, ok := o.Store[passwordKey]; ok {
		if r.Password != nil {
			return nil, fail(op, gsserr.ErrFailure, errTwoPasswords)
		}
		r.Password = Password([]byte(pw)).f
	}
	r.Store = o.Store.withoutPassword()
	secret := r.Password != nil || r.imp != nil
	switch {
	case r.reg == nil:
		return nil, fail(op, gsserr.ErrBadMech, errNoRegistry)
	case u > mech.UsageAccept:
		return nil, fail(op, gsserr.ErrFailure, errUsage)
	case o.Lifetime < 0 || o.AcceptLifetime < 0:
		return nil, fail(op, gsserr.ErrFailure, errLifetime)
	case r.Password != nil && r.imp != nil:
		return nil, fail(op, gsserr.ErrFailure, errTwoSources)
	case secret && n.IsZero():
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	case secret && u == mech.UsageAccept:
		return nil, fail(op, gsserr.ErrFailure, errAcceptor)
	case r.Password != nil && len(r.Password()) == 0:
		return nil, fail(op, gsserr.ErrFailure, errPassword)
	}
	if r.imp != nil {
		if _, err := r.imp.state(op); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// mechs returns the mechanisms to ask: those named, or else the default ones.
func (r *request) mechs(named bool) ([]mech.Mechanism, error) {
	if !named {
		return r.defaults(), nil
	}
	oids := r.oids
	if oids == nil {
		oids = []oid.OID{{}} // the registry's first
	}
	var mechs []mech.Mechanism
	add := func(m mech.Mechanism) {
		id := m.Info().OID
		if !slices.ContainsFunc(mechs, func(h mech.Mechanism) bool { return h.Info().OID == id }) {
			mechs = append(mechs, m)
		}
	}
	for _, id := range oids {
		m, err := r.reg.Lookup(id)
		if err != nil {
			return nil, fail(r.op, gsserr.ErrBadMech, nil)
		}
		if !negotiator(m) {
			add(m)
			continue
		}
		for _, d := range r.defaults() {
			add(d)
		}
	}
	return mechs, nil
}

// defaults returns the mechanisms that credentials are acquired of unless some
// are named (RFC 5587 §3.3).
func (r *request) defaults() []mech.Mechanism {
	return slices.DeleteFunc(r.reg.All(), func(m mech.Mechanism) bool {
		i := m.Info()
		return i.HasAttr(mech.MADeprecated) || i.HasAttr(mech.MANotDefaultMech) || i.HasAttr(mech.MAMechNego)
	})
}

// acquire asks each mechanism for an element. It returns those it got, the
// mechanisms they are of, and the first error. It stops early only if ctx ends.
func (r *request) acquire(ctx context.Context, mechs []mech.Mechanism) (elems []mech.Cred, used []mech.Mechanism, first error) {
	if ctx == nil {
		ctx = context.Background()
	}
	for _, m := range mechs {
		e, err := r.element(ctx, m)
		switch {
		case err == nil:
			elems, used = append(elems, e), append(used, m)
			continue
		case first == nil || ctx.Err() != nil:
			first = fail(r.op, 0, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return elems, used, first
}

// element asks one mechanism.
func (r *request) element(ctx context.Context, m mech.Mechanism) (mech.Cred, error) {
	req := r.CredRequest
	if !r.name.IsZero() {
		n, err := r.name.ForMech(m)
		if err != nil {
			return nil, err
		}
		req.Name = n
	}
	if req.Password != nil && !slices.Contains(storeKeys(m), passwordKey) {
		return nil, fail(r.op, gsserr.ErrUnavailable, errNoPasswords)
	}
	if r.imp == nil {
		return made(m.AcquireCred(ctx, req))
	}
	e, ok := r.imp.Element(m.Info().OID, mech.UsageInitiate)
	if !ok {
		return nil, fail(r.op, gsserr.ErrNoCred, errNotPresent)
	}
	i, ok := e.(mech.Impersonator)
	if !ok {
		return nil, fail(r.op, gsserr.ErrUnavailable, nil)
	}
	return made(i.Impersonate(ctx, req.Name, req))
}

// made turns a mechanism's nothing into an error.
func made(e mech.Cred, err error) (mech.Cred, error) {
	if e == nil && err == nil {
		err = gsserr.ErrNoCred
	}
	return e, err
}

func ctxErr(ctx context.Context) error {
	if ctx == nil {
		return nil
	}
	return ctx.Err()
}
