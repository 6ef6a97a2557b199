package testenv

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// entry is a principal of the database. It is immutable: a change puts another
// one in its place.
type entry struct {
	name       []string
	user       bool
	okDelegate bool
	sets       []*keySet // newest last, never empty
}

// keySet is the keys of one version number: random ones, or those of a password
// if salt is set. A key is made when it is first asked for, because
// string-to-key is slow on purpose.
type keySet struct {
	kvno       int
	etypes     []int32
	password   string
	salt       string
	iterations uint32

	mu   sync.Mutex
	keys map[int32]types.EncryptionKey
}

// key returns the key of a type, and whether there is one.
func (s *keySet) key(id int32) (types.EncryptionKey, bool) {
	if !s.has(id) {
		return types.EncryptionKey{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if key, ok := s.keys[id]; ok {
		return key, true
	}
	key := randomKey(id)
	if s.salt != "" {
		var err error
		if key, err = passwordKey(id, s.password, s.salt, s2kparams(id, s.iterations)); err != nil {
			return types.EncryptionKey{}, false
		}
	}
	if s.keys == nil {
		s.keys = make(map[int32]types.EncryptionKey)
	}
	s.keys[id] = key
	return key, true
}

// AddUser adds a user with the password, or gives an existing one a new
// password under the next key version number. A name is "alice", "alice/admin"
// or either with "@" and the realm.
func (k *KDC) AddUser(name, password string) {
	k.AddUserSalt(name, password, "")
}

// AddUserSalt is AddUser with a salt other than the default, as a renamed
// principal has one. "" is the default: the realm and the name.
func (k *KDC) AddUserSalt(name, password, salt string) {
	if salt == "" {
		salt = k.realm + strings.Join(k.split(name), "")
	}
	k.add(name, &keySet{etypes: k.enctypes, password: password, salt: salt, iterations: k.opt.Iterations})
}

// AddService adds a service with random keys and returns its keytab. The name
// is "host/server.example.test" or "host@server.example.test". For a service
// that exists it makes new keys under the next key version number; the keytab
// then has the old ones too.
func (k *KDC) AddService(name string) (keytab []byte) {
	return k.AddServiceEnctypes(name, k.enctypes...)
}

// AddServiceEnctypes is AddService with keys of these types alone, strongest
// first. Tickets for the service are encrypted in the first; the session key
// is of the first type in the client's list that the service has. Types that
// Options.Enctypes would drop are dropped here.
func (k *KDC) AddServiceEnctypes(name string, enctypes ...int32) (keytab []byte) {
	known := slices.DeleteFunc(slices.Clone(enctypes), func(id int32) bool { _, ok := profiles[id]; return !ok })
	return k.keytab(k.add(name, &keySet{etypes: known}))
}

// OKAsDelegate sets whether tickets for the service carry the ok-as-delegate
// flag (RFC 4120 §2.8). It does nothing if there is no such service.
func (k *KDC) OKAsDelegate(service string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.db[dbKey(k.split(service))]; e != nil {
		changed := *e
		changed.okDelegate = ok
		k.db[dbKey(e.name)] = &changed
	}
}

// UserKeytab returns a keytab with the user's keys, nil if there is no such
// user or service.
func (k *KDC) UserKeytab(name string) []byte {
	e := k.lookup(k.split(name))
	if e == nil {
		return nil
	}
	return k.keytab(e)
}

// add puts a key set under the name and returns the entry.
func (k *KDC) add(name string, s *keySet) *entry {
	parts := k.split(name)
	k.mu.Lock()
	defer k.mu.Unlock()
	e := &entry{name: parts, user: s.salt != ""}
	if old := k.db[dbKey(parts)]; old != nil {
		e.okDelegate = old.okDelegate
		e.sets = slices.Clone(old.sets)
		s.kvno = old.newest().kvno
	}
	s.kvno++
	e.sets = append(e.sets, s)
	k.db[dbKey(parts)] = e
	return e
}

// lookup returns the entry of a name, nil if there is none.
func (k *KDC) lookup(name []string) *entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.db[dbKey(name)]
}

// entries returns all entries but the KDC's own, in order of their names.
func (k *KDC) entries(user bool) []*entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []*entry
	for _, e := range k.db {
		if e.user == user && e.name[0] != "krbtgt" {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int { return slices.Compare(a.name, b.name) })
	return list
}

func (e *entry) newest() *keySet { return e.sets[len(e.sets)-1] }

// version returns the keys of a version number, the newest for 0, or nil.
func (e *entry) version(kvno int) *keySet {
	if kvno == 0 {
		return e.newest()
	}
	for _, s := range e.sets {
		if s.kvno == kvno {
			return s
		}
	}
	return nil
}

// principal returns the entry's name with the name type of the request.
func (e *entry) principal(typ int32) types.PrincipalName {
	if typ == nametype.KRB_NT_ENTERPRISE {
		typ = nametype.KRB_NT_PRINCIPAL
	}
	return types.PrincipalName{NameType: typ, NameString: e.name}
}

// split takes a name apart: "a/b", "a/b@REALM" or the host-based "a@b".
func (k *KDC) split(name string) []string {
	name = strings.TrimSuffix(name, "@"+k.realm)
	if service, host, ok := strings.Cut(name, "@"); ok && !strings.Contains(service, "/") {
		return []string{service, host}
	}
	return strings.Split(name, "/")
}

// dbKey is the database key of a name.
func dbKey(name []string) string { return fmt.Sprintf("%q", name) }

// server finds the service of a request, nil if there is none.
func (k *KDC) server(r *request) *entry {
	if r.Body.Realm != k.realm {
		return nil
	}
	if e := k.lookup(r.Body.SName.NameString); e != nil || !r.option(flags.Canonicalize) {
		return e
	}
	return k.alias(r.Body.SName.NameString)
}

// client finds the client of a request, by an alias too if canonicalize or an
// enterprise name allows for that. An enterprise name (RFC 6806 §5) of this realm is the user in front
// of the "@".
func (k *KDC) client(name types.PrincipalName, canonicalize bool) *entry {
	parts := name.NameString
	if canonicalize || name.NameType == nametype.KRB_NT_ENTERPRISE {
		if e := k.alias(parts); e != nil {
			return e
		}
	}
	if name.NameType == nametype.KRB_NT_ENTERPRISE && len(parts) == 1 {
		if user, realm, ok := strings.Cut(parts[0], "@"); ok {
			if !strings.EqualFold(realm, k.realm) {
				return nil
			}
			parts = []string{user}
		}
	}
	return k.lookup(parts)
}

// equalName compares names without their types (RFC 4120 §6.2).
func equalName(a, b types.PrincipalName) bool { return slices.Equal(a.NameString, b.NameString) }

// has reports whether the set has a key of a type.
func (s *keySet) has(id int32) bool { return slices.Contains(s.etypes, id) }
