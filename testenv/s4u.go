package testenv

import (
	"crypto/hmac"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto/rfc4757"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Padata, key usages and numbers of MS-SFU and MS-KILE that gokrb5 has not.
const (
	paForUser    = 129
	paS4UX509    = 130
	paPACOptions = 167

	usageForUser     = 17
	usageS4URequest  = 26
	usageS4UReply    = 27
	useReplyKeyUsage = 2 // option bits
	resourceBased    = 3

	cksumHMACMD5 = -138
	// adActsFor marks a ticket-granting ticket for another realm with the user
	// that it is about, which real KDCs put into a PAC. Negative types are for
	// local use (RFC 4120 §5.2.6).
	adActsFor = -0x5346
)

// policy is whom a service may act for, and towards whom.
type policy struct {
	transition bool     // S4U2Self yields tickets for S4U2Proxy
	to         []string // services in this realm, by database key
	from       []string // services as "name@REALM" that may act towards this one
	sensitive  bool     // nobody may act for this user
}

// AllowDelegation lets a service act for its users towards others of the realm
// (S4U2Proxy, MS-SFU): constrained delegation as the administrator of the first
// service sets it. It replaces what an earlier call for the service has set; no
// to at all takes it back. The users' tickets must be forwardable; those got by
// impersonation are with [KDC.ProtocolTransition].
func (k *KDC) AllowDelegation(from string, to ...string) {
	k.setPolicy(from, func(p *policy) {
		p.to = nil
		for _, name := range to {
			p.to = append(p.to, dbKey(k.split(name)))
		}
	})
}

// AllowDelegationFrom is resource-based constrained delegation: the services in
// from, which may be of trusted realms ("HTTP/www.other.test@OTHER.TEST"), may
// act towards the service for their users. It replaces what was set before.
func (k *KDC) AllowDelegationFrom(to string, from ...string) {
	k.setPolicy(to, func(p *policy) {
		p.from = nil
		for _, name := range from {
			realm := k.realm
			if i := strings.LastIndexByte(name, '@'); i >= 0 && strings.Contains(name, "/") {
				name, realm = name[:i], name[i+1:]
			}
			p.from = append(p.from, fullName(realm, k.split(name)))
		}
	})
}

// ProtocolTransition sets whether a ticket that the service gets to itself in
// the name of a user (S4U2Self) can be used for [KDC.AllowDelegation]. MIT calls
// it ok_to_auth_as_delegate, Windows "use any authentication protocol".
func (k *KDC) ProtocolTransition(service string, ok bool) {
	k.setPolicy(service, func(p *policy) { p.transition = ok })
}

// Sensitive sets whether the user must not be acted for by anybody: tickets in
// the user's name are then never forwardable, and nobody may act on one.
func (k *KDC) Sensitive(user string, yes bool) {
	k.setPolicy(user, func(p *policy) { p.sensitive = yes })
}

func (k *KDC) setPolicy(name string, change func(*policy)) {
	key := dbKey(k.split(name))
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.policies == nil {
		k.policies = make(map[string]policy)
	}
	p := k.policies[key]
	change(&p)
	k.policies[key] = p
}

func (k *KDC) policy(name []string) policy {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.policies[dbKey(name)]
}

func fullName(realm string, name []string) string { return strings.Join(name, "/") + "@" + realm }

// s4u is what a TGS exchange in somebody else's name comes to.
type s4u struct {
	base      messages.EncTicketPart // the ticket that the new one derives from
	confirm   func(actsFor) error    // adds to reply who the user turned out to be
	reply     types.PADataSequence
	encrypted types.PADataSequence
}

type forUser struct {
	UserName    types.PrincipalName `asn1:"explicit,tag:0"`
	UserRealm   string              `asn1:"generalstring,explicit,tag:1"`
	Checksum    types.Checksum      `asn1:"explicit,tag:2"`
	AuthPackage string              `asn1:"generalstring,explicit,tag:3"`
}

type s4uUserID struct {
	Nonce   int64               `asn1:"explicit,tag:0"`
	CName   types.PrincipalName `asn1:"explicit,optional,tag:1"`
	CRealm  string              `asn1:"generalstring,explicit,tag:2"`
	Cert    []byte              `asn1:"explicit,optional,tag:3"`
	Options asn1.BitString      `asn1:"explicit,optional,tag:4"`
}

type s4uX509User struct {
	UserID   asn1.RawValue  `asn1:"explicit,tag:0"`
	Checksum types.Checksum `asn1:"explicit,tag:1"`
}

type pacOptions struct {
	Flags asn1.BitString `asn1:"explicit,tag:0"`
}

type actsFor struct {
	Realm string              `asn1:"generalstring,explicit,tag:0"`
	Name  types.PrincipalName `asn1:"explicit,tag:1"`
}

// self handles S4U2Self (MS-SFU §3.2.5.1): nil if the request is none.
func (k *KDC) self(r *request, tgt *messages.EncTicketPart, auth *types.Authenticator, server *entry, referral bool) (*s4u, error) {
	user, s, err := k.whom(r, tgt, auth)
	if user == nil || err != nil {
		return nil, err
	}
	s.base = *tgt
	marked := actedFor(tgt)
	if user.Realm == k.realm {
		e := k.client(user.Name, true)
		if e == nil {
			return nil, &failure{code: errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN}
		}
		user.Name = e.principal(user.Name.NameType)
	} else if marked == nil || marked.Realm != user.Realm || !equalName(marked.Name, user.Name) && len(user.Name.NameString) != 1 {
		return nil, &failure{code: errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN} // whose realm has not said so
	} else {
		user = marked
	}
	if err := s.confirm(*user); err != nil {
		return nil, err
	}
	if referral {
		s.base.AuthorizationData = k.mark(*user)
		return s, nil
	}
	if tgt.CRealm != k.realm || !slices.Equal(tgt.CName.NameString, server.name) {
		return nil, &failure{code: errorcode.KDC_ERR_BADOPTION, text: "S4U2Self is for oneself"}
	}
	s.base.CRealm, s.base.CName, s.base.AuthorizationData = user.Realm, user.Name, nil
	if !k.policy(server.name).transition || user.Realm == k.realm && k.policy(user.Name.NameString).sensitive {
		types.UnsetFlag(&s.base.Flags, flags.Forwardable)
	}
	return s, nil
}

// whom returns the user of an S4U2Self request, nil if there is none, and the
// answer to the padata.
func (k *KDC) whom(r *request, tgt *messages.EncTicketPart, auth *types.Authenticator) (*actsFor, *s4u, error) {
	bad := &failure{code: errorcode.KRB_AP_ERR_MODIFIED}
	if value, ok := r.padata(paS4UX509); ok {
		var x s4uX509User
		if rest, err := asn1.Unmarshal(value, &x); err != nil || len(rest) > 0 {
			return nil, nil, bad
		}
		key := tgt.Key
		if len(auth.SubKey.KeyValue) > 0 {
			key = auth.SubKey
		}
		var id s4uUserID
		if rest, err := asn1.Unmarshal(x.UserID.Bytes, &id); err != nil || len(rest) > 0 ||
			!verify(key, usageS4URequest, x.UserID.Bytes, x.Checksum) || id.Nonce != r.Body.Nonce {
			return nil, nil, bad
		}
		if len(id.CName.NameString) == 0 {
			return nil, nil, &failure{code: errorcode.KDC_ERR_PADATA_TYPE_NOSUPP, text: "users are known by name alone"}
		}
		usage := uint32(usageS4URequest)
		if id.Options.At(useReplyKeyUsage) != 0 {
			usage = usageS4UReply
		}
		s := &s4u{}
		s.confirm = func(user actsFor) error {
			answer := id
			answer.CRealm, answer.CName = user.Realm, user.Name
			b, err := asn1.Marshal(answer)
			if err != nil {
				return err
			}
			x.UserID = asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: b}
			if x.Checksum, err = checksum(key, usage, b); err != nil {
				return err
			}
			b, err = asn1.Marshal(x)
			s.reply = types.PADataSequence{{PADataType: paS4UX509, PADataValue: b}}
			return err
		}
		return &actsFor{id.CRealm, id.CName}, s, nil
	}
	value, ok := r.padata(paForUser)
	if !ok {
		return nil, nil, nil
	}
	var f forUser
	if rest, err := asn1.Unmarshal(value, &f); err != nil || len(rest) > 0 || f.AuthPackage != "Kerberos" {
		return nil, nil, bad
	}
	data := binary.LittleEndian.AppendUint32(nil, uint32(f.UserName.NameType))
	data = append(data, strings.Join(f.UserName.NameString, "")+f.UserRealm+f.AuthPackage...)
	sum, err := rfc4757.Checksum(tgt.Key.KeyValue, usageForUser, data)
	if err != nil || f.Checksum.CksumType != cksumHMACMD5 || !hmac.Equal(sum, f.Checksum.Checksum) {
		return nil, nil, bad
	}
	return &actsFor{f.UserRealm, f.UserName}, &s4u{confirm: func(actsFor) error { return nil }}, nil
}

// mark is the authorization data of a ticket-granting ticket that is about a
// user.
func (k *KDC) mark(user actsFor) types.AuthorizationData {
	b, err := asn1.Marshal(user)
	if err != nil {
		return nil
	}
	return types.AuthorizationData{{ADType: adActsFor, ADData: b}}
}

// actedFor returns the user that a ticket-granting ticket is about, nil if it is
// its client.
func actedFor(tgt *messages.EncTicketPart) *actsFor {
	for _, ad := range tgt.AuthorizationData {
		user := new(actsFor)
		if ad.ADType != adActsFor {
			continue
		}
		if rest, err := asn1.Unmarshal(ad.ADData, user); err == nil && len(rest) == 0 {
			return user
		}
	}
	return nil
}

// proxy handles S4U2Proxy (MS-SFU §3.2.5.2).
func (k *KDC) proxy(r *request, tgt *messages.EncTicketPart, server *entry, referral bool, now time.Time) (*s4u, error) {
	refused := &failure{code: errorcode.KDC_ERR_BADOPTION}
	evidence, issuer, err := k.additional(r)
	if err != nil {
		return nil, err
	}
	if !now.Before(evidence.EndTime) {
		return nil, &failure{code: errorcode.KRB_AP_ERR_TKT_EXPIRED}
	}
	asked := r.resourceBased()
	own := tgt.CRealm == k.realm
	if own && !slices.Equal(issuer.name, tgt.CName.NameString) || !own && issuer.name[0] != "krbtgt" {
		return nil, refused // it was given to somebody else
	}
	from := fullName(tgt.CRealm, tgt.CName.NameString)
	classic := own && slices.Contains(k.policy(tgt.CName.NameString).to, dbKey(server.name)) &&
		evidence.Flags.At(flags.Forwardable) != 0
	based := asked && slices.Contains(k.policy(server.name).from, from)
	user := actsFor{evidence.CRealm, evidence.CName}
	if marked := actedFor(evidence); marked != nil {
		user = *marked
	}
	sensitive := user.Realm == k.realm && k.policy(user.Name.NameString).sensitive
	if sensitive || !(classic || based || referral && asked) {
		return nil, refused
	}
	s := &s4u{base: *tgt}
	if referral { // it stays the service's, and is about the user
		s.base.AuthorizationData = k.mark(user)
	} else {
		s.base.CRealm, s.base.CName, s.base.AuthorizationData = user.Realm, user.Name, nil
	}
	s.base.AuthTime = evidence.AuthTime
	s.base.EndTime = earliest(tgt.EndTime, evidence.EndTime)
	if evidence.Flags.At(flags.Forwardable) == 0 && !based {
		types.UnsetFlag(&s.base.Flags, flags.Forwardable)
	}
	if asked {
		b, err := asn1.Marshal(pacOptions{bits(resourceBased)})
		if err != nil {
			return nil, err
		}
		s.encrypted = types.PADataSequence{{PADataType: paPACOptions, PADataValue: b}}
	}
	return s, nil
}

// resourceBased reports whether the client knows of resource-based delegation.
func (r *request) resourceBased() bool {
	value, ok := r.padata(paPACOptions)
	var o pacOptions
	if !ok {
		return false
	}
	rest, err := asn1.Unmarshal(value, &o)
	return err == nil && len(rest) == 0 && o.Flags.At(resourceBased) != 0
}

// additional opens the first additional ticket and returns whose key it is
// encrypted in.
func (k *KDC) additional(r *request) (*messages.EncTicketPart, *entry, error) {
	malformed := &failure{code: errorcode.KDC_ERR_BADOPTION, text: "no additional ticket"}
	var list, first asn1.RawValue
	if rest, err := asn1.Unmarshal(r.Body.Tickets.Bytes, &list); err != nil || len(rest) > 0 {
		return nil, nil, malformed
	}
	if _, err := asn1.Unmarshal(list.Bytes, &first); err != nil {
		return nil, nil, malformed
	}
	var t messages.Ticket
	if err := t.Unmarshal(first.FullBytes); err != nil {
		return nil, nil, malformed
	}
	issuer, trusted := k.isTrusted(&t)
	if !trusted {
		if issuer = k.lookup(t.SName.NameString); t.Realm != k.realm || issuer == nil {
			return nil, nil, &failure{code: errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN}
		}
	}
	part, err := openWith(issuer, &t)
	return part, issuer, err
}
