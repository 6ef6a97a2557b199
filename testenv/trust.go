package testenv

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gss-go/gssapi/krb5"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// Trust makes two realms trust each other: each issues ticket-granting tickets
// for the other, and refers clients to it (RFC 6806) who ask with canonicalize
// for a service or user that it does not know and the other one does. Trust is
// transitive: a realm refers to whichever neighbor is on the way. Both KDCs then
// answer for all realms in their reach through Exchange, and list their ports
// in Config.
//
// Make a Mechanism after the last call of Trust: it keeps the configuration of
// the moment.
func (k *KDC) Trust(other *KDC) {
	if k == other || k.realm == other.realm {
		return
	}
	for _, pair := range [][2]*KDC{{k, other}, {other, k}} {
		issuer, target := pair[0], pair[1]
		// Only types that both have: either must be able to read the ticket.
		common := slices.DeleteFunc(slices.Clone(issuer.enctypes), func(id int32) bool { return !slices.Contains(target.enctypes, id) })
		e := issuer.add("krbtgt/"+target.realm, &keySet{etypes: common})
		target.mu.Lock()
		if target.incoming == nil {
			target.incoming = make(map[string]*entry)
		}
		target.incoming[issuer.realm] = e
		target.mu.Unlock()
		issuer.mu.Lock()
		issuer.trusted = append(slices.DeleteFunc(issuer.trusted, func(t *KDC) bool { return t.realm == target.realm }), target)
		issuer.mu.Unlock()
	}
}

// Alias lets a user or service be asked for by another name, if the client sets
// canonicalize. An alias with an "@" is an enterprise name (RFC 6806 §5) too.
func (k *KDC) Alias(alias, name string) {
	parts := k.split(name)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.aliases == nil {
		k.aliases = make(map[string][]string)
	}
	k.aliases[dbKey(k.split(alias))] = parts
	k.aliases[dbKey([]string{alias})] = parts
}

// alias returns the entry that an alias stands for, nil if there is none.
func (k *KDC) alias(name []string) *entry {
	k.mu.Lock()
	real := k.aliases[dbKey(name)]
	k.mu.Unlock()
	if real == nil {
		return nil
	}
	return k.lookup(real)
}

// neighbors returns the realms that this one trusts.
func (k *KDC) neighbors() []*KDC {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.trusted)
}

// toward returns the neighbor that is on the shortest way to a realm for which
// found says yes, and that realm; nil if there is none.
func (k *KDC) toward(found func(*KDC) bool) (next, end *KDC) {
	first := map[*KDC]*KDC{k: nil} // by which neighbor each realm is reached
	queue := []*KDC{k}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at != k && found(at) {
			return first[at], at
		}
		for _, n := range at.neighbors() {
			if _, seen := first[n]; seen {
				continue
			}
			if first[n] = first[at]; at == k {
				first[n] = n
			}
			queue = append(queue, n)
		}
	}
	return nil, nil
}

// reachable returns the KDCs of all realms that trust leads to.
func (k *KDC) reachable() []*KDC {
	var list []*KDC
	_, _ = k.toward(func(o *KDC) bool {
		list = append(list, o)
		return false
	})
	return list
}

// realmIs is for toward.
func realmIs(realm string) func(*KDC) bool {
	return func(o *KDC) bool { return o.realm == realm }
}

// refer returns the ticket-granting service that a client is referred to with a
// server that this realm does not have, nil if there is none: the one for the
// realm that it asked for, or for the realm that knows the service.
func (k *KDC) refer(r *request) *entry {
	name := r.Body.SName.NameString
	if r.Body.Realm != k.realm {
		return nil
	}
	var next *KDC
	switch {
	case r.Body.SName.NameType == nametype.KRB_NT_ENTERPRISE && len(name) == 1: // of a service elsewhere that asks
		_, realm, _ := strings.Cut(name[0], "@")
		next, _ = k.toward(realmIs(realm))
	case len(name) == 2 && name[0] == "krbtgt":
		next, _ = k.toward(realmIs(name[1]))
	case r.option(flags.Canonicalize):
		next, _ = k.toward(func(o *KDC) bool { return o.lookup(name) != nil || o.alias(name) != nil })
	}
	if next == nil {
		return nil
	}
	return k.lookup([]string{"krbtgt", next.realm})
}

// referClient is the error for a client that another realm has (RFC 6806 §7).
func (k *KDC) referClient(r *request) error {
	unknown := &failure{code: errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN}
	if !r.option(flags.Canonicalize) && r.Body.CName.NameType != nametype.KRB_NT_ENTERPRISE {
		return unknown
	}
	_, end := k.toward(func(o *KDC) bool { return o.client(r.Body.CName, true) != nil })
	if end == nil {
		return unknown
	}
	return &failure{code: errorcode.KDC_ERR_WRONG_REALM, crealm: end.realm}
}

// isTrusted returns the key of a ticket-granting ticket that a trusted realm has
// issued, and whether it is one.
func (k *KDC) isTrusted(t *messages.Ticket) (*entry, bool) {
	if t.Realm == k.realm || !equalName(t.SName, k.tgs()) {
		return nil, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.incoming[t.Realm]
	return e, ok
}

// transit adds the realm that a ticket came from to those that it has passed
// through (RFC 4120 §3.3.3.2).
func transit(t messages.TransitedEncoding, client, via string) messages.TransitedEncoding {
	if via == client || slices.Contains(strings.Split(string(t.Contents), ","), via) {
		return t
	}
	list := string(t.Contents)
	if list != "" {
		list += ","
	}
	return messages.TransitedEncoding{TRType: 1, Contents: []byte(list + via)}
}

// reach returns the KDC of a realm that this one can reach, nil if there is
// none.
func (k *KDC) reach(realm string) *KDC {
	if realm == k.realm {
		return k
	}
	_, end := k.toward(realmIs(realm))
	return end
}

// forward carries a message to another realm's KDC.
func (k *KDC) forward(ctx context.Context, r *krb5.Request) ([]byte, error) {
	o := k.reach(r.Realm)
	if o == nil {
		return nil, fmt.Errorf("testenv: no KDC of realm %s, this is %s", r.Realm, k.realm)
	}
	return o.Exchange(ctx, r)
}
