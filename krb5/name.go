package krb5

import (
	"context"
	"fmt"
	"os/user"
	"strings"

	"golang.org/x/crypto/cryptobyte"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// kind is what a name was imported as.
type kind uint8

const (
	kindPrincipal kind = iota // a principal, possibly without its realm
	kindHost                  // service@host, not yet a principal
	kindUID                   // digits, not yet a principal
)

// name is a Kerberos name. A principal without realm and a service on a host
// become whole principals when they are canonicalized or used, as that needs
// the configuration and perhaps DNS.
type name struct {
	m             *Mechanism
	kind          kind
	p             principal.Name // kindPrincipal
	service, host string         // kindHost; an empty host is the local or any host
	uid           string         // kindUID
	attrs         *attributes    // what a KDC vouches for; nil for nothing
}

var _ mech.Name = (*name)(nil)

// ImportName implements [mech.Mechanism]. It takes host-based services, users,
// principals, enterprise names, numeric users, the anonymous name and exported
// names, plain or composite.
func (m *Mechanism) ImportName(text []byte, typ oid.OID) (mech.Name, error) {
	n, err := m.importName(string(text), typ)
	if err != nil {
		return nil, fail("import_name", 0, err)
	}
	return n, nil
}

func (m *Mechanism) importName(text string, typ oid.OID) (*name, error) {
	n := &name{m: m}
	var err error
	switch typ {
	case oid.OID{}, oid.NTUserName, oid.NTKrb5Principal:
		n.p, err = principal.Parse(text)
	case oid.NTKrb5Enterprise:
		n.p, err = principal.ParseEnterprise(text)
	case oid.NTHostBased, oid.NTHostBasedX:
		n.kind = kindHost
		n.service, n.host, _ = strings.Cut(text, "@")
		if n.service == "" || len(text) > principal.MaxBytes || strings.IndexByte(text, 0) >= 0 {
			err = krberr.GSSBadServiceName
		}
	case oid.NTMachineUID, oid.NTStringUID:
		n.kind = kindUID
		n.uid, err = parseUID(text, typ)
	case oid.NTAnonymous:
		n.p = principal.Anonymous
	case oid.NTExportName:
		if n.p, err = principal.Parse(text); err == nil && n.p.Realm == "" {
			err = fmt.Errorf("%w: exported without a realm", krberr.ParseMalformed)
		}
	case oid.NTCompositeExport:
		if text, err = fromComposite(text); err == nil {
			return m.importName(text, oid.NTExportName)
		}
	default:
		return nil, fail("import_name", gsserr.ErrBadNameType, nil)
	}
	if err != nil {
		return nil, fail("import_name", gsserr.ErrBadName, err)
	}
	return n, nil
}

// parseUID returns the digits of a user ID, which NTMachineUID has as the
// host's uid_t in memory: 32 bits, little-endian on every platform that has
// user IDs and Go runs on but one.
func parseUID(text string, typ oid.OID) (string, error) {
	if typ == oid.NTMachineUID {
		if len(text) != 4 {
			return "", krberr.GSSBadStringUID
		}
		id := uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24
		return fmt.Sprint(id), nil
	}
	if text == "" || len(text) > 10 || strings.Trim(text, "0123456789") != "" {
		return "", krberr.GSSBadStringUID
	}
	return text, nil
}

// fromComposite takes the name out of a composite one: a length and the name,
// a length and the attributes (RFC 6680 §7.3). Attributes are left out, as
// nobody vouches for them here.
func fromComposite(text string) (string, error) {
	in := cryptobyte.String(text)
	var parts [2]cryptobyte.String
	for i := range parts {
		var n uint32
		if !in.ReadUint32(&n) || uint64(n) > uint64(len(in)) || !in.ReadBytes((*[]byte)(&parts[i]), int(n)) {
			return "", fmt.Errorf("%w: composite name", krberr.ParseMalformed)
		}
	}
	if !in.Empty() {
		return "", fmt.Errorf("%w: composite name", krberr.ParseMalformed)
	}
	return string(parts[0]), nil
}

// Mech implements [mech.Name]: names are exported under the one OID.
func (n *name) Mech() oid.OID { return oid.Krb5 }

// Display implements [mech.Name].
func (n *name) Display() (string, oid.OID) {
	switch {
	case n.kind == kindHost && n.host == "":
		return n.service, oid.NTHostBased
	case n.kind == kindHost:
		return n.service + "@" + n.host, oid.NTHostBased
	case n.kind == kindUID:
		return n.uid, oid.NTStringUID
	case n.p.Equal(principal.Anonymous):
		return n.p.String(), oid.NTAnonymous
	case n.p.Type == principal.TypeEnterprise:
		return n.p.String(), oid.NTKrb5Enterprise
	}
	return n.p.String(), oid.NTKrb5Principal
}

// String returns the text of Display.
func (n *name) String() string {
	text, _ := n.Display()
	return text
}

// Export implements [mech.Name]. Only a whole principal can be exported.
func (n *name) Export() ([]byte, error) {
	if n.kind != kindPrincipal || n.p.Realm == "" {
		return nil, fail("export_name", gsserr.ErrNameNotMN, fmt.Errorf("%q has no realm yet: canonicalize it", n))
	}
	return []byte(n.p.String()), nil
}

// Equal implements [mech.Name]. Principals are compared with their realms and
// without their types (RFC 4120 §6.2). No name equals the anonymous one, not
// even itself (RFC 2743 §2.4.2).
func (n *name) Equal(other mech.Name) bool {
	o, ok := other.(*name)
	if !ok || n.kind != o.kind {
		return false
	}
	switch n.kind {
	case kindHost:
		return n.service == o.service && strings.EqualFold(n.host, o.host)
	case kindUID:
		return n.uid == o.uid
	}
	return n.p.Equal(o.p) && !n.p.IsAnonymous()
}

// wrap returns the name of a principal.
func (m *Mechanism) wrap(p principal.Name) *name { return &name{m: m, p: p} }

// ownName returns n if this mechanism value made it. Nil stays nil.
func (m *Mechanism) ownName(op string, n mech.Name) (*name, error) {
	if n == nil {
		return nil, nil
	}
	k, ok := n.(*name)
	if !ok {
		return nil, fail(op, gsserr.ErrBadName, fmt.Errorf("not a Kerberos name"))
	}
	if k.m != m {
		return nil, fail(op, gsserr.ErrDefectiveCredential, fmt.Errorf("the name belongs to another mechanism value"))
	}
	return k, nil
}

// Canonicalize implements [mech.Canonicalizer]: it makes a whole principal.
func (m *Mechanism) Canonicalize(ctx context.Context, n mech.Name) (mech.Name, error) {
	const op = "canonicalize_name"
	k, err := m.ownName(op, n)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	}
	c, err := m.config()
	if err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	p, err := k.principal(ctx, c)
	if err != nil {
		return nil, fail(op, gsserr.ErrBadName, err)
	}
	if p.Realm == "" { // a service whose realm only the KDC knows
		if p.Realm = c.DefaultRealm(); p.Realm == "" {
			return nil, fail(op, gsserr.ErrBadName, krberr.ConfigNoDefRealm)
		}
	}
	return m.wrap(p), nil
}

// principal returns the principal that the name stands for. A service's realm
// is "" if the configuration does not know it.
func (n *name) principal(ctx context.Context, c *conf.Config) (principal.Name, error) {
	p := n.p
	switch n.kind {
	case kindHost:
		host, err := n.canonicalHost(ctx, c)
		if err != nil {
			return principal.Name{}, err
		}
		return n.serviceOn(ctx, host, c), nil
	case kindUID:
		u, err := user.LookupId(n.uid)
		if err != nil {
			return principal.Name{}, fmt.Errorf("%w: %s", krberr.GSSNoUser, n.uid)
		}
		p = principal.New("", u.Username)
	}
	if p.Realm == "" {
		if p.Realm = c.DefaultRealm(); p.Realm == "" {
			return principal.Name{}, krberr.ConfigNoDefRealm
		}
	}
	return p, nil
}

// pattern sets the name under which an acceptor accepts: any key of a service,
// on one host or on any; otherwise one principal.
func (n *name) pattern(ctx context.Context, c *conf.Config, s *apreq.Service) error {
	if n == nil {
		return nil
	}
	if n.kind == kindHost {
		s.Name = principal.Name{Type: principal.TypeSrvHst, Components: []string{n.service, hostname(n.host)}}
		return nil
	}
	p, err := n.principal(ctx, c)
	if err != nil {
		return err
	}
	s.Name, s.Exact = p, true
	return nil
}
