package krb5

import (
	"context"
	"fmt"
	"slices"
	"sync"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/keytab"
)

// keys are what an acceptor has: a keytab and the name under which it accepts.
type keys struct {
	m      *Mechanism
	name   *name // nil: any key will do
	source string
	fixed  []apreq.ServiceKey // instead of reading source
	rcache string             // name of the replay cache, "" for the mechanism's
	// userToUser says that fixed is the session key of a ticket-granting ticket.
	userToUser bool
}

// service returns the keys as they are now. It fails with ErrNoCred if there
// is none under which the acceptor could accept.
func (k *keys) service(ctx context.Context, profile *conf.Config) (*apreq.Service, error) {
	s := &apreq.Service{Keys: k.fixed}
	if s.Keys == nil {
		var err error
		if s.Keys, err = k.m.keytabs.load(k.source); err != nil {
			return nil, fail("", gsserr.ErrNoCred, err)
		}
	}
	forbidden := func(e apreq.ServiceKey) bool { return !profile.Allowed(e.Key.Enctype()) }
	if slices.ContainsFunc(s.Keys, forbidden) {
		s.Keys = slices.DeleteFunc(slices.Clone(s.Keys), forbidden)
	}
	if err := k.name.pattern(ctx, profile, s); err != nil {
		return nil, fail("", gsserr.ErrBadName, err)
	}
	if !slices.ContainsFunc(s.Keys, func(e apreq.ServiceKey) bool { return s.Matches(e.Principal) }) {
		return nil, fail("", gsserr.ErrNoCred, fmt.Errorf("%w: %s", krberr.GSSKeytabNomatch, k.source))
	}
	return s, nil
}

// keytabs keeps the keytabs that a mechanism has read, with everything that was
// derived from their keys.
type keytabs struct {
	mu   sync.Mutex
	read map[string]*readKeytab
}

type readKeytab struct {
	state fileState
	keys  []apreq.ServiceKey
}

// maxKeytabs is how many keytabs are kept. A process that goes through more of
// them reads them each time.
const maxKeytabs = 64

// load returns the keys of a keytab, which is read only when its state has
// changed.
func (ks *keytabs) load(source string) ([]apreq.ServiceKey, error) {
	path, err := keytab.Path(source)
	if err != nil {
		return nil, err
	}
	now := stat(path)
	ks.mu.Lock()
	defer ks.mu.Unlock()
	if r := ks.read[path]; r != nil && r.state == now && now != (fileState{}) {
		return r.keys, nil
	}
	kt, err := keytab.Load(source)
	if err != nil {
		delete(ks.read, path)
		return nil, err
	}
	if ks.read == nil || len(ks.read) >= maxKeytabs {
		ks.read = make(map[string]*readKeytab)
	}
	r := &readKeytab{state: now, keys: serviceKeys(kt)}
	ks.read[path] = r
	return r.keys, nil
}

// serviceKeys returns the entries of a keytab that can be used: those whose
// encryption type the library has.
func serviceKeys(kt *keytab.Keytab) []apreq.ServiceKey {
	list := []apreq.ServiceKey{}
	for _, e := range kt.Entries() {
		if k, err := enctype.NewKey(e.Key.Enctype, e.Key.Value.Bytes()); err == nil {
			list = append(list, apreq.ServiceKey{Principal: e.Principal, Kvno: e.Kvno, Key: k})
		}
	}
	return list
}
