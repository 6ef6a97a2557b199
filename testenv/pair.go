package testenv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

// PairOptions configures Pair. The zero PairOptions is one context of the
// default kind: mutual, encrypted, in sequence.
type PairOptions struct {
	// Client is the initiator, "" is "initiator", and Service the acceptor as
	// "service@host", "" is "acceptor" on a host of the realm's domain. Whoever
	// the KDC does not know yet is added.
	Client, Service string
	// Enctype, if not zero, is the only encryption type of the service's key,
	// the session key and the subkeys. It takes a Service that is new to the KDC,
	// or was added with keys of this type alone, and a nil Registry.
	Enctype krb5.Enctype
	// Registry has the mechanisms, its Kerberos one made by [KDC.Mechanism]; nil
	// is [KDC.Registry].
	Registry *mech.Registry
	// Init and Accept are the options of the two sides. A Cred that is missing
	// is the client's, or the service's.
	Init   gssapi.InitOptions
	Accept gssapi.AcceptOptions
}

// maxLegs is more than any mechanism needs.
const maxLegs = 20

var errLegs = errors.New("testenv: the handshake does not come to an end")

// Pair returns both sides of an established context. The login, the tickets and
// the handshake all happen in memory. The caller closes both contexts. Nil
// options are the zero PairOptions.
func Pair(k *KDC, o *PairOptions) (initiator, acceptor *gssapi.SecContext, err error) {
	var opt PairOptions
	if o != nil {
		opt = *o
	}
	if err := k.prepare(&opt); err != nil {
		return nil, nil, err
	}
	service, host, _ := strings.Cut(opt.Service, "@")
	if initiator, err = gssapi.InitContext(gssapi.HostBased(service, host), &opt.Init); err != nil {
		return nil, nil, err
	}
	if acceptor, err = gssapi.AcceptContext(&opt.Accept); err != nil {
		_ = initiator.Close()
		return nil, nil, err
	}
	if err := establish(context.Background(), initiator, acceptor); err != nil {
		_ = initiator.Close()
		_ = acceptor.Close()
		return nil, nil, err
	}
	return initiator, acceptor, nil
}

// prepare fills in what the options leave out.
func (k *KDC) prepare(o *PairOptions) (err error) {
	enctypes := k.enctypes
	if o.Enctype != 0 {
		enctypes = []int32{int32(o.Enctype)}
		set(&o.Service, fmt.Sprintf("acceptor@enctype%d.%s", o.Enctype, strings.ToLower(k.realm)))
	}
	set(&o.Service, "acceptor@server."+strings.ToLower(k.realm))
	set(&o.Client, "initiator")
	k.addMissing(o.Client, func() { k.AddUser(o.Client, rand.Text()) })
	k.addMissing(o.Service, func() { k.AddServiceEnctypes(o.Service, enctypes...) })

	r := o.Registry
	if r == nil && o.Enctype != 0 {
		if r, err = mech.NewRegistry(k.Mechanism(&krb5.Config{Enctypes: []krb5.Enctype{o.Enctype}})); err != nil {
			return err
		}
	}
	if o.Init.Cred == nil {
		if o.Init.Cred, err = k.UserCred(o.Client, r); err != nil {
			return err
		}
	}
	if o.Accept.Cred == nil {
		o.Accept.Cred, err = k.ServiceCred(o.Service, r)
	}
	return err
}

// addMissing adds a principal that is not in the database.
func (k *KDC) addMissing(name string, add func()) {
	k.pairing.Lock() // two Pairs must not both add it: the first's keys would be old
	defer k.pairing.Unlock()
	if k.lookup(k.split(name)) == nil {
		add()
	}
}

// establish steps both sides until neither expects a token.
func establish(ctx context.Context, initiator, acceptor *gssapi.SecContext) error {
	var token []byte
	for range maxLegs {
		out, more, err := initiator.Step(ctx, token)
		if err != nil {
			return fmt.Errorf("testenv: the initiator: %w", err)
		}
		if len(out) == 0 && !more {
			return nil
		}
		if token, more, err = acceptor.Step(ctx, out); err != nil {
			return fmt.Errorf("testenv: the acceptor: %w", err)
		}
		if len(token) == 0 && !more {
			return nil
		}
	}
	return errLegs
}
