package mech

import (
	"encoding/base32"
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/oid"
)

// Registry is an ordered set of mechanisms; the first is the default. It is
// immutable and safe for concurrent use. The zero value is an empty registry.
type Registry struct {
	mechs []Mechanism
	byOID map[oid.OID]Mechanism
}

// NewRegistry returns a registry of the mechanisms in order of preference. Two
// with one OID are ErrDuplicateElement, nil and one without an OID ErrBadMech.
// An alias gives way to a mechanism that owns the OID, and to an earlier alias.
func NewRegistry(ms ...Mechanism) (*Registry, error) {
	r := &Registry{mechs: slices.Clone(ms), byOID: make(map[oid.OID]Mechanism)}
	for _, m := range ms {
		if m == nil || m.Info().OID.IsZero() {
			return nil, gsserr.New("register_mech", gsserr.ErrBadMech, nil)
		}
		id := m.Info().OID
		if r.byOID[id] != nil {
			return nil, gsserr.New("register_mech", gsserr.ErrDuplicateElement, nil)
		}
		r.byOID[id] = m
	}
	for _, m := range ms {
		for _, id := range m.Info().Aliases {
			if r.byOID[id] == nil {
				r.byOID[id] = m
			}
		}
	}
	return r, nil
}

// Lookup returns the mechanism with the OID, or that has it as an alias. A zero
// OID is the default mechanism. Otherwise it fails with ErrBadMech, as does
// every lookup in a nil or empty Registry.
func (r *Registry) Lookup(o oid.OID) (Mechanism, error) {
	if r != nil {
		if o.IsZero() && len(r.mechs) > 0 {
			return r.mechs[0], nil
		}
		if m := r.byOID[o]; m != nil {
			return m, nil
		}
	}
	return nil, gsserr.New("lookup_mech", gsserr.ErrBadMech, nil)
}

// All returns the mechanisms in order of preference, nil for a nil registry. The
// slice is the caller's.
func (r *Registry) All() []Mechanism {
	if r == nil {
		return nil
	}
	return slices.Clone(r.mechs)
}

// BySASLName returns the mechanism with the SASL name (RFC 5801 §3), given or
// computed, or ErrBadMech.
func (r *Registry) BySASLName(name string) (Mechanism, error) {
	for _, m := range r.All() {
		i := m.Info()
		if name != "" && (SASLName(i) == name || gs2Name(i.OID) == name) {
			return m, nil
		}
	}
	return nil, gsserr.New("inquire_mech_for_saslname", gsserr.ErrBadMech, nil)
}

// SASLName returns the SASL name of a mechanism: its registered one, or that
// which RFC 5801 §3.1 computes from the OID. In FIPS mode a program built with
// Go 1.25 cannot compute it, and it is empty.
func SASLName(i Info) string {
	if i.SASLName != "" {
		return i.SASLName
	}
	return gs2Name(i.OID)
}

// gs2Name computes a SASL name, "" where SHA-1 is not to be had.
func gs2Name(o oid.OID) string {
	sum, ok := sha1Sum(o.AppendDER(nil))
	if !ok {
		return ""
	}
	return "GS2-" + base32.StdEncoding.EncodeToString(sum[:])[:11]
}

// ByAttrs returns the mechanisms that have all attributes of desired, none of
// except, and know all of critical (RFC 5587 §3.4.2). Empty sets do not limit.
func (r *Registry) ByAttrs(desired, except, critical []oid.OID) []oid.OID {
	var found []oid.OID
	for _, m := range r.All() {
		i := m.Info()
		known := i.KnownAttrs
		all := func(want, have []oid.OID) bool {
			return !slices.ContainsFunc(want, func(a oid.OID) bool { return !slices.Contains(have, a) })
		}
		if all(desired, i.Attrs) && all(critical, known) &&
			!slices.ContainsFunc(except, i.HasAttr) {
			found = append(found, i.OID)
		}
	}
	return found
}
