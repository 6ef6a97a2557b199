package gssapi

import (
	"sync"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/spnego"
)

// defaultRegistry is made on first use. It cannot fail, because it reads
// nothing: configuration and environment are looked at when a mechanism is
// used.
var defaultRegistry = sync.OnceValue(func() *Registry {
	k := krb5.New(nil)
	r, _ := mech.NewRegistry(k, spnego.New(nil, k)) // two mechanisms with an OID each
	return r
})

// DefaultRegistry returns the registry that is meant by a nil one: Kerberos 5
// with the machine's configuration, and SPNEGO to negotiate it. It is always
// the same value.
func DefaultRegistry() *Registry { return defaultRegistry() }

// NewRegistry returns a registry of mechanisms in order of preference, for
// programs that configure them. Two with one OID are ErrDuplicateElement.
func NewRegistry(ms ...mech.Mechanism) (*Registry, error) { return mech.NewRegistry(ms...) }

func orDefault(r *Registry) *Registry {
	if r == nil {
		return DefaultRegistry()
	}
	return r
}
