package mechtest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// toyName is a Toy's name: a user, a service on a host, or nobody.
type toyName struct {
	t     *Toy
	kind  byte // the first byte of the exported form
	text  string
	attrs map[string]string
}

var (
	_ mech.AttributedName = (*toyName)(nil)
	_ mech.LocalNamer     = (*toyName)(nil)
)

const (
	kindUser      = 'u'
	kindHost      = 'h'
	kindAnonymous = 'a'
)

func (t *Toy) user(name string) *toyName { return &toyName{t: t, kind: kindUser, text: name} }

// ImportName makes a name. Texts hold no control characters, and those of
// services one @ at most.
func (t *Toy) ImportName(text []byte, typ oid.OID) (mech.Name, error) {
	const op = "import_name"
	switch typ {
	case oid.NTExportName:
		return wrapName(t.exported(op, text))
	case oid.NTCompositeExport:
		return wrapName(t.composite(op, text))
	}
	n := &toyName{t: t, text: string(text)}
	switch typ {
	case oid.OID{}, oid.NTUserName:
		n.kind = kindUser
	case oid.NTHostBased, oid.NTHostBasedX:
		n.kind = kindHost
	case oid.NTAnonymous:
		n.kind, n.text = kindAnonymous, ""
	default:
		return nil, t.fail(op, gsserr.ErrBadNameType, nil)
	}
	if !n.valid() {
		return nil, t.fail(op, gsserr.ErrBadName, errors.New("toy: not a name"))
	}
	return n, nil
}

// wrapName keeps a nil pointer out of the interface.
func wrapName(n *toyName, err error) (mech.Name, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (n *toyName) valid() bool {
	if strings.ContainsFunc(n.text, func(r rune) bool { return r < ' ' }) {
		return false
	}
	switch n.kind {
	case kindUser:
		return n.text != ""
	case kindHost:
		service, host, _ := strings.Cut(n.text, "@")
		return service != "" && !strings.Contains(host, "@")
	case kindAnonymous:
		return n.text == ""
	}
	return false
}

func (t *Toy) exported(op string, b []byte) (*toyName, error) {
	if len(b) == 0 {
		return nil, t.fail(op, gsserr.ErrDefectiveToken, errToyToken)
	}
	n := &toyName{t: t, kind: b[0], text: string(b[1:])}
	if !n.valid() {
		return nil, t.fail(op, gsserr.ErrDefectiveToken, errToyToken)
	}
	return n, nil
}

func (t *Toy) composite(op string, b []byte) (*toyName, error) {
	r := reader{b: b}
	n, err := t.exported(op, r.part())
	if err != nil {
		return nil, err
	}
	attrs := reader{b: r.part(), bad: r.bad}
	for !attrs.bad && len(attrs.b) > 0 {
		k, v := attrs.part(), attrs.part()
		n = n.with(string(k), string(v))
	}
	if !r.done() || !attrs.done() {
		return nil, t.fail(op, gsserr.ErrDefectiveToken, errToyToken)
	}
	return n, nil
}

// Canonicalize writes hosts in lower case.
func (t *Toy) Canonicalize(ctx context.Context, n mech.Name) (mech.Name, error) {
	const op = "canonicalize_name"
	c, ok := n.(*toyName)
	if !ok || c.t != t {
		return nil, t.fail(op, gsserr.ErrDefectiveCredential, errToyForeign)
	}
	if err := ctx.Err(); err != nil {
		return nil, t.fail(op, gsserr.ErrFailure, err)
	}
	if c.kind != kindHost {
		return c, nil
	}
	service, host, found := strings.Cut(c.text, "@")
	if found {
		service += "@" + strings.ToLower(host)
	}
	return &toyName{t: t, kind: kindHost, text: service, attrs: c.attrs}, nil
}

func (n *toyName) Mech() oid.OID { return n.t.o.OID }

func (n *toyName) Display() (string, oid.OID) {
	switch n.kind {
	case kindHost:
		return n.text, oid.NTHostBased
	case kindAnonymous:
		return "nobody", oid.NTAnonymous
	}
	return n.text, oid.NTUserName
}

func (n *toyName) Export() ([]byte, error) { return append([]byte{n.kind}, n.text...), nil }

func (n *toyName) Equal(o mech.Name) bool {
	x, ok := o.(*toyName)
	return ok && x != nil && x.t == n.t && x.kind == n.kind && x.text == n.text
}

func (n *toyName) Attributes() []string { return slices.Sorted(maps.Keys(n.attrs)) }

func (n *toyName) Attribute(name string) (mech.Attribute, error) {
	v, ok := n.attrs[name]
	if !ok {
		return mech.Attribute{}, n.t.fail("get_name_attribute", gsserr.ErrUnavailable, nil)
	}
	return mech.Attribute{Values: [][]byte{[]byte(v)}, Display: []string{v}, Complete: true}, nil
}

func (n *toyName) WithAttribute(name string, a mech.Attribute) (mech.Name, error) {
	return n.with(name, string(bytes.Join(a.Values, []byte(",")))), nil
}

func (n *toyName) with(name, value string) *toyName {
	c := *n
	c.attrs = maps.Clone(n.attrs)
	if c.attrs == nil {
		c.attrs = make(map[string]string)
	}
	c.attrs[name] = value
	return &c
}

func (n *toyName) WithoutAttribute(name string) (mech.Name, error) {
	if _, ok := n.attrs[name]; !ok {
		return nil, n.t.fail("delete_name_attribute", gsserr.ErrUnavailable, nil)
	}
	c := *n
	c.attrs = maps.Clone(n.attrs)
	delete(c.attrs, name)
	return &c, nil
}

func (n *toyName) ExportComposite() ([]byte, error) {
	name, err := n.Export()
	var attrs []byte
	for _, k := range n.Attributes() {
		attrs = appendPart(appendPart(attrs, []byte(k)), []byte(n.attrs[k]))
	}
	return appendPart(appendPart(nil, name), attrs), err
}

func (n *toyName) LocalName(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", n.t.fail("localname", gsserr.ErrFailure, err)
	}
	if n.kind != kindUser {
		return "", n.t.fail("localname", gsserr.ErrUnavailable, nil)
	}
	return n.text, nil
}

func (n *toyName) UserOK(ctx context.Context, user string) error {
	if name, err := n.LocalName(ctx); err != nil || name != user {
		return n.t.fail("userok", gsserr.ErrUnauthorized, err)
	}
	return nil
}
