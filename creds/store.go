package creds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Store says where credentials are, by MIT's keys: "ccache", "keytab",
// "client_keytab", "rcache", "password" and "verify" for Kerberos. A key that no
// mechanism knows is refused. However a Store is printed, logged or encoded, the
// password is not shown. It must not be changed while a call uses it.
type Store map[string]string

// passwordKey is the one key whose value is a secret.
const passwordKey = "password"

// String returns the entries in the order of their keys, without the password.
func (s Store) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(s)) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s=%q", k, s.public()[k])
	}
	return "store(" + b.String() + ")"
}

// public returns a copy of s that anyone may see.
func (s Store) public() map[string]string {
	p := maps.Clone(map[string]string(s))
	if _, ok := p[passwordKey]; ok {
		p[passwordKey] = redacted
	}
	return p
}

// withoutPassword returns a copy of s without its password, nil if nothing is
// left.
func (s Store) withoutPassword() map[string]string {
	p := maps.Clone(map[string]string(s))
	delete(p, passwordKey)
	if len(p) == 0 {
		return nil
	}
	return p
}

// Format implements [fmt.Formatter]: every verb prints [Store.String].
func (s Store) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalJSON implements [json.Marshaler] without the password.
func (s Store) MarshalJSON() ([]byte, error) { return json.Marshal(s.public()) }

// LogValue implements [slog.LogValuer] without the password.
func (s Store) LogValue() slog.Value { return slog.StringValue(s.String()) }

// storeKeys returns the keys that the mechanism knows.
func storeKeys(m mech.Mechanism) []string {
	if k, ok := m.(mech.StoreKeyer); ok {
		return k.StoreKeys()
	}
	return nil
}

// checkKeys refuses the first key of s, in their order, that no mechanism knows.
func checkKeys(op string, s Store, mechs []mech.Mechanism) error {
	for _, k := range slices.Sorted(maps.Keys(s)) {
		known := func(m mech.Mechanism) bool { return slices.Contains(storeKeys(m), k) }
		if !slices.ContainsFunc(mechs, known) {
			return fail(op, gsserr.ErrFailure, fmt.Errorf("unknown credential store key %q", k))
		}
	}
	return nil
}

// StoreOptions are the optional arguments of [Cred.StoreInto]. Nil is the zero
// value: every element, into the default place, which must be free.
type StoreOptions struct {
	// Usage is the part to store. Nobody stores more than the initiator's.
	Usage mech.Usage
	// Mech is the mechanism whose element to store; zero is every one.
	Mech oid.OID
	// Store names the place; nil is the default. A Store without any key is an
	// error, as it names nothing.
	Store Store
	// Overwrite replaces what is there already.
	Overwrite bool
	// Default makes the stored credential the default one, where the place
	// holds several.
	Default bool
}

// StoreResult says what [Cred.StoreInto] stored.
type StoreResult struct {
	Mechs []oid.OID
	Usage mech.Usage
}

var (
	errEmptyStore    = errors.New("the store has no keys")
	errStorePassword = errors.New("a password cannot be stored")
)

// StoreInto keeps the credential for later, and for other programs (RFC 5588;
// gss_store_cred_into). It does I/O. One stored element is enough for success,
// and the result says which were.
//
// Errors are ErrNoCred if there is no element of o.Mech, ErrUnavailable if no
// mechanism can store, ErrDuplicateElement if the place is taken and Overwrite
// is not set, ErrFailure for a contradiction in the arguments, among them a key
// that no stored mechanism knows, and those of the first mechanism that failed.
func (c *Cred) StoreInto(ctx context.Context, o *StoreOptions) (StoreResult, error) {
	const op = "store_cred"
	s, err := c.state(op)
	if err != nil {
		return StoreResult{}, err
	}
	if o == nil {
		o = new(StoreOptions)
	}
	elems := s.elems
	if !o.Mech.IsZero() {
		i := s.find(o.Mech)
		if i < 0 {
			return StoreResult{}, fail(op, gsserr.ErrNoCred, errNotPresent)
		}
		elems = elems[i : i+1]
	}
	_, password := o.Store[passwordKey]
	switch {
	case o.Usage > mech.UsageAccept:
		return StoreResult{}, fail(op, gsserr.ErrFailure, errUsage)
	case o.Store != nil && len(o.Store) == 0:
		return StoreResult{}, fail(op, gsserr.ErrFailure, errEmptyStore)
	case password:
		return StoreResult{}, fail(op, gsserr.ErrFailure, errStorePassword)
	}
	elems, mechs := s.storers(elems)
	if len(elems) == 0 {
		return StoreResult{}, fail(op, gsserr.ErrUnavailable, nil)
	}
	if err := checkKeys(op, o.Store, mechs); err != nil {
		return StoreResult{}, err
	}
	if ctx == nil {
		ctx = context.Background()
	}
	var done StoreResult
	var first error
	for _, e := range elems {
		r := mech.StoreRequest{Usage: o.Usage, Store: maps.Clone(o.Store), Overwrite: o.Overwrite, Default: o.Default}
		u, err := e.(mech.Storer).Store(ctx, r)
		if err != nil {
			if first == nil {
				first = fail(op, 0, err)
			}
			continue
		}
		if len(done.Mechs) == 0 {
			done.Usage = u
		}
		done.Mechs = append(done.Mechs, e.Mech())
	}
	if len(done.Mechs) == 0 {
		return StoreResult{}, first
	}
	return done, nil
}

// storers returns those of the elements that can be stored, and the mechanisms
// they are of.
func (s *state) storers(elems []mech.Cred) (can []mech.Cred, mechs []mech.Mechanism) {
	for _, e := range elems {
		if _, ok := e.(mech.Storer); !ok {
			continue
		}
		can = append(can, e)
		if m, err := s.reg.Lookup(e.Mech()); err == nil {
			mechs = append(mechs, m)
		}
	}
	return can, mechs
}
