// Package principal holds the Kerberos principal name and its text form.
package principal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Name types (RFC 4120 §6.2, RFC 6111, RFC 6806). They are hints and never
// take part in comparisons.
const (
	TypeUnknown    int32 = 0
	TypePrincipal  int32 = 1  // a user or a service
	TypeSrvInst    int32 = 2  // service and instance: krbtgt
	TypeSrvHst     int32 = 3  // service and host
	TypeEnterprise int32 = 10 // user@domain as a single component
	TypeWellKnown  int32 = 11
)

// Limits on what a name may be, from text or from the wire.
const (
	MaxComponents = 64
	MaxBytes      = 64 << 10 // all components and the realm together
)

// Name is a principal name with its realm. It is a value; treat Components as
// read-only. The zero Name is no name.
type Name struct {
	Type       int32
	Realm      string
	Components []string
}

// Anonymous is the well-known anonymous principal (RFC 8062 §3).
var Anonymous = Name{TypeWellKnown, "WELLKNOWN:ANONYMOUS", []string{"WELLKNOWN", "ANONYMOUS"}}

// New returns a principal name of type TypePrincipal.
func New(realm string, components ...string) Name {
	return Name{TypePrincipal, realm, components}
}

// TGS returns the ticket-granting service for target as known in realm.
func TGS(realm, target string) Name {
	return Name{TypeSrvInst, realm, []string{"krbtgt", target}}
}

// Parse reads the text form of a name (RFC 1964 §2.1.1): components separated
// by "/", then "@" and the realm; "\" quotes the next character, and \n, \t, \b
// and \0 are what they are in C. Without a realm, Realm is empty.
func Parse(text string) (Name, error) {
	n := Name{Type: TypePrincipal}
	if len(text) > MaxBytes {
		return Name{}, fmt.Errorf("%w: too long", krberr.ParseMalformed)
	}
	var part strings.Builder
	inRealm := false
	end := func() error {
		if inRealm {
			n.Realm = part.String()
		} else {
			n.Components = append(n.Components, part.String())
			if len(n.Components) > MaxComponents {
				return fmt.Errorf("%w: too many components", krberr.ParseMalformed)
			}
		}
		part.Reset()
		return nil
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\':
			i++
			if i == len(text) {
				return Name{}, fmt.Errorf("%w: it ends in a backslash", krberr.ParseMalformed)
			}
			part.WriteByte(unquote(text[i]))
		case c == '/' && !inRealm:
			if err := end(); err != nil {
				return Name{}, err
			}
		case c == '@':
			if inRealm {
				return Name{}, fmt.Errorf("%w: two realms", krberr.ParseMalformed)
			}
			if err := end(); err != nil {
				return Name{}, err
			}
			inRealm = true
		case c == 0:
			return Name{}, fmt.Errorf("%w: NUL", krberr.ParseMalformed)
		default:
			part.WriteByte(c)
		}
	}
	if err := end(); err != nil {
		return Name{}, err
	}
	if len(n.Components) == 1 && n.Components[0] == "" {
		return Name{}, fmt.Errorf("%w: no name", krberr.ParseMalformed)
	}
	if n.IsTGS() {
		n.Type = TypeSrvInst
	}
	return n, nil
}

// ParseEnterprise reads an enterprise name (RFC 6806 §5): one component that
// may contain "@", and a realm after a second one.
func ParseEnterprise(text string) (Name, error) {
	user, realm := text, ""
	if first := strings.IndexByte(text, '@'); first >= 0 {
		if second := strings.IndexByte(text[first+1:], '@'); second >= 0 {
			user, realm = text[:first+1+second], text[first+1+second+1:]
		}
	}
	if user == "" || len(text) > MaxBytes || strings.ContainsAny(realm, "@") || strings.IndexByte(text, 0) >= 0 {
		return Name{}, fmt.Errorf("%w: not an enterprise name", krberr.ParseMalformed)
	}
	return Name{TypeEnterprise, realm, []string{user}}, nil
}

func unquote(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case '0':
		return 0
	}
	return c
}

func quote(b *strings.Builder, s string, inRealm bool) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case 0:
			b.WriteString(`\0`)
		case '/':
			if !inRealm {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		case '\\', '@':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
}

// String returns the text form with the realm, quoted so that Parse reads it
// back. A name without realm has no "@".
func (n Name) String() string {
	var b strings.Builder
	n.unparse(&b)
	if n.Realm != "" {
		b.WriteByte('@')
		quote(&b, n.Realm, true)
	}
	return b.String()
}

// Short returns the text form without the realm.
func (n Name) Short() string {
	var b strings.Builder
	n.unparse(&b)
	return b.String()
}

func (n Name) unparse(b *strings.Builder) {
	for i, c := range n.Components {
		if i > 0 {
			b.WriteByte('/')
		}
		quote(b, c, false)
	}
}

// IsZero reports whether n is no name.
func (n Name) IsZero() bool { return len(n.Components) == 0 && n.Realm == "" }

// IsTGS reports whether n is a ticket-granting service.
func (n Name) IsTGS() bool { return len(n.Components) == 2 && n.Components[0] == "krbtgt" }

// IsAnonymous reports whether n is the anonymous principal of any realm (RFC
// 8062 §3).
func (n Name) IsAnonymous() bool {
	return slices.Equal(n.Components, Anonymous.Components)
}

// Equal reports whether both are the same principal. Realms are compared, name
// types are not (RFC 4120 §6.2).
func (n Name) Equal(o Name) bool {
	return n.Realm == o.Realm && slices.Equal(n.Components, o.Components)
}

// SameName is Equal without the realm.
func (n Name) SameName(o Name) bool { return slices.Equal(n.Components, o.Components) }

// Salt returns the default salt of string-to-key: the realm and the components
// without separators (RFC 4120 §4).
func (n Name) Salt() string { return n.Realm + strings.Join(n.Components, "") }

// WithRealm returns n in another realm.
func (n Name) WithRealm(realm string) Name {
	n.Realm = realm
	return n
}
