package apreq

import (
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// ServiceKey is a long-term key of a service.
type ServiceKey struct {
	Principal principal.Name
	Kvno      uint32
	Key       *enctype.Key
}

// Service is an acceptor's keys and the name under which it accepts.
type Service struct {
	Keys []ServiceKey
	// Name limits the keys; in its two components and its realm, "" matches
	// everything. The zero Name is any key.
	Name principal.Name
	// Exact says that Name is one whole principal: only its keys of the
	// ticket's version are tried.
	Exact bool
}

// Matches reports whether a key's principal is one under which s accepts.
func (s *Service) Matches(p principal.Name) bool {
	n := s.Name
	switch {
	case n.IsZero():
		return true
	case s.Exact:
		return n.Equal(p)
	case n.Realm != "" && n.Realm != p.Realm:
		return false
	case len(n.Components) != 2 || len(p.Components) != 2:
		return n.SameName(p)
	}
	return (n.Components[0] == "" || n.Components[0] == p.Components[0]) &&
		(n.Components[1] == "" || n.Components[1] == p.Components[1])
}

// maxTried is how many bytes of ciphertext are decrypted in search of the key,
// with one key after the other: tickets of 64 KiB, which nobody has, with 512
// keys. Anyone can send a ticket of 1 MiB that no key opens.
const maxTried = 32 << 20

// Client returns whom a ticket to the service, in DER, is for. The service's key
// tells, whatever was said on the way.
func (s *Service) Client(ticket []byte) (principal.Name, error) {
	t, err := wire.ParseTicket(ticket)
	if err != nil {
		return principal.Name{}, err
	}
	_, plain, err := s.open(t)
	if err != nil {
		return principal.Name{}, err
	}
	defer clear(plain)
	part, err := wire.ParseEncTicketPart(plain)
	if err != nil {
		return principal.Name{}, err
	}
	return part.Client, nil
}

// open finds the key that decrypts the ticket. The name in the ticket is in the
// clear and decides nothing but where to begin: every key under which the service
// accepts is tried, so that aliases work. For one exact name the key version must
// agree.
func (s *Service) open(t *wire.Ticket) (*ServiceKey, []byte, error) {
	// In a large keytab one key has the ticket's name and version.
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.likely(t) && s.Matches(k.Principal) {
			if plain, err := k.Key.Decrypt(nil, t.Enc.Cipher, usageTicket); err == nil {
				return k, plain, nil
			}
		}
	}
	var (
		matched  bool // a key under which we accept
		named    bool // … whose principal the ticket names
		typed    bool // … of the ticket's encryption type
		versions bool // … and version
		tried    int  // bytes
	)
	for i := range s.Keys {
		k := &s.Keys[i]
		if !s.Matches(k.Principal) {
			continue
		}
		matched = true
		sameName := k.Principal.SameName(t.Server)
		named = named || sameName
		if k.Key.Enctype() != t.Enc.Etype {
			continue
		}
		typed = typed || sameName
		sameVersion := t.Enc.Kvno == 0 || k.Kvno == 0 || k.Kvno == t.Enc.Kvno || k.Kvno == t.Enc.Kvno&0xff
		versions = versions || sameName && sameVersion
		if s.Exact && !sameVersion || k.likely(t) {
			continue
		}
		if tried += len(t.Enc.Cipher); tried > maxTried {
			continue
		}
		plain, err := k.Key.Decrypt(nil, t.Enc.Cipher, usageTicket)
		if err == nil {
			return k, plain, nil
		}
	}
	switch {
	case !matched:
		return nil, nil, fmt.Errorf("%w: no key for the service", krberr.APNoKey)
	case !named:
		return nil, nil, fmt.Errorf("%w: it is for %s", krberr.APNotUs, t.Server)
	case !typed:
		return nil, nil, fmt.Errorf("%w: no %s key for %s", krberr.APNoKey, t.Enc.Etype, t.Server)
	case !versions:
		return nil, nil, fmt.Errorf("%w: version %d of %s", krberr.APBadKeyVer, t.Enc.Kvno, t.Server)
	}
	return nil, nil, fmt.Errorf("ticket: %w", krberr.APBadIntegrity)
}

// likely reports whether the ticket says that it is under this key.
func (k *ServiceKey) likely(t *wire.Ticket) bool {
	return k.Key.Enctype() == t.Enc.Etype && k.Kvno == t.Enc.Kvno && k.Principal.SameName(t.Server)
}
