package testenv

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
)

// UserCred logs a user in with the password that the KDC knows and returns the
// credential, to initiate with. The registry is one whose Kerberos mechanism
// talks to this KDC; nil is [KDC.Registry].
func (k *KDC) UserCred(name string, r *mech.Registry) (*gssapi.Cred, error) {
	e := k.lookup(k.split(name))
	if e == nil || !e.user {
		return nil, fmt.Errorf("testenv: there is no user %s", name)
	}
	if r == nil {
		r = k.Registry()
	}
	return gssapi.AcquireCred(context.Background(), gssapi.Principal(name), gssapi.UsageInitiate, &gssapi.CredOptions{
		Mechs:    []gssapi.OID{gssapi.Krb5},
		Password: gssapi.Password([]byte(e.newest().password)),
		Registry: r,
	})
}

// ServiceCred returns a credential to accept with, as a service has one from
// its keytab. The keys are those of now. The registry is one whose Kerberos
// mechanism is a *krb5.Mechanism; nil is [KDC.Registry].
func (k *KDC) ServiceCred(name string, r *mech.Registry) (*gssapi.Cred, error) {
	e := k.lookup(k.split(name))
	if e == nil {
		return nil, fmt.Errorf("testenv: there is no service %s", name)
	}
	if r == nil {
		r = k.Registry()
	}
	m, err := r.Lookup(gssapi.Krb5)
	if err != nil {
		return nil, err
	}
	engine, ok := m.(*krb5.Mechanism)
	if !ok {
		return nil, fmt.Errorf("testenv: %T is not the Kerberos mechanism", m)
	}
	table, err := keytab.Parse(k.keytab(e))
	if err != nil {
		return nil, fmt.Errorf("testenv: %w", err)
	}
	elem, err := engine.KeytabCred(context.Background(), nil, table)
	if err != nil {
		return nil, err
	}
	return gssapi.NewCred(r, elem)
}
