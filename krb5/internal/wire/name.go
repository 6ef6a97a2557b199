package wire

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// name writes a PrincipalName.
func (w *builder) name(tag uint8, n *principal.Name) {
	m := w.sequence(tag)
	w.int32(0, n.Type)
	list := w.sequence(1)
	for _, c := range n.Components {
		w.b = appendLength(append(w.b, byte(tagGeneralString)), len(c))
		w.b = append(w.b, c...)
	}
	w.end(list)
	w.end(m)
}

// optionalName writes a PrincipalName unless n has no components.
func (w *builder) optionalName(tag uint8, n *principal.Name) {
	if len(n.Components) > 0 {
		w.name(tag, n)
	}
}

// name reads a PrincipalName (RFC 4120 §5.2.2) into n, which has its realm
// already if the message has it in front.
func (s *seq) name(tag uint8, field string, n *principal.Name) {
	c := s.sequence(tag, field)
	n.Type = c.int32(0, field)
	list := c.value(1, asn1.SEQUENCE, field)
	s.leave(&c, field)
	if s.err == nil && len(n.Realm)+len(list) <= principal.MaxBytes {
		n.Components = components(list)
	}
	if n.Components == nil {
		s.fail(field)
	}
}

// components reads a SEQUENCE OF KerberosString; nil means that it is not one.
// All strings share one copy.
func components(list cryptobyte.String) []string {
	var part cryptobyte.String
	count := 0
	for rest := list; !rest.Empty(); count++ {
		if count == principal.MaxComponents || !rest.ReadASN1(&part, tagGeneralString) {
			return nil
		}
	}
	all, parts := string(list), make([]string, 0, count)
	for rest := list; !rest.Empty(); {
		_ = rest.ReadASN1(&part, tagGeneralString)
		end := len(all) - len(rest)
		parts = append(parts, all[end-len(part):end])
	}
	return parts
}

// optionalRealm reads a realm that may be absent, but not empty.
func (s *seq) optionalRealm(tag uint8, field string) string {
	if !s.has(tag) {
		return ""
	}
	realm := s.str(tag, field)
	if realm == "" {
		s.fail(field)
	}
	return realm
}

// optionalName is name for a field that may be absent, but not empty.
func (s *seq) optionalName(tag uint8, field string, n *principal.Name) {
	if s.has(tag) {
		s.name(tag, field, n)
		s.required(n, field)
	}
}

// required fails if n has no components.
func (s *seq) required(n *principal.Name, field string) {
	if len(n.Components) == 0 {
		s.fail(field)
	}
}
