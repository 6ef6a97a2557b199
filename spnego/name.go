package spnego

import (
	"errors"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// name is a name as each inner mechanism reads it.
type name struct {
	m     *Mechanism
	text  string
	typ   oid.OID
	inner []innerName // in the order of m.inner
}

// innerName is what one mechanism made of a name: one of the two is nil.
type innerName struct {
	name mech.Name
	err  error
}

var _ mech.Name = (*name)(nil)

// ImportName implements [mech.Mechanism]. A name is good if one inner mechanism
// at least can read it; otherwise the error is that of the first.
func (m *Mechanism) ImportName(text []byte, typ oid.OID) (mech.Name, error) {
	const op = "import_name"
	if typ == oid.NTExportName || typ == oid.NTCompositeExport || len(m.inner) == 0 {
		return nil, fail(op, gsserr.ErrBadNameType, 0, nil)
	}
	n := &name{m: m, text: string(text), typ: typ, inner: make([]innerName, len(m.inner))}
	good := false
	for k, i := range m.inner {
		in := &n.inner[k]
		in.name, in.err = i.ImportName(text, typ)
		good = good || in.err == nil
	}
	if !good {
		return nil, fail(op, 0, 0, n.inner[0].err)
	}
	return n, nil
}

// own returns a name as one of ours.
func (m *Mechanism) own(op string, n mech.Name) (*name, error) {
	o, ok := n.(*name)
	switch {
	case !ok:
		return nil, fail(op, gsserr.ErrBadName, 0, errors.New("the name is of another mechanism"))
	case o.m != m:
		return nil, fail(op, gsserr.ErrDefectiveCredential, 0, errors.New("the name belongs to another mechanism value"))
	}
	return o, nil
}

// of returns the name in the form of an inner mechanism.
func (n *name) of(m mech.Mechanism) (mech.Name, error) {
	id := m.Info().OID
	for k, i := range n.m.inner {
		if i.Info().OID == id {
			return n.inner[k].name, n.inner[k].err
		}
	}
	return nil, fail("import_name", gsserr.ErrBadMech, 0, nil)
}

// Mech implements [mech.Name].
func (n *name) Mech() oid.OID { return oid.SPNEGO }

// Display implements [mech.Name].
func (n *name) Display() (string, oid.OID) { return n.text, n.typ }

// Export implements [mech.Name]: only names of the inner mechanisms can be
// exported.
func (n *name) Export() ([]byte, error) {
	return nil, fail("export_name", gsserr.ErrUnavailable, 0, nil)
}

// Equal implements [mech.Name]: text and type are compared as they were given.
func (n *name) Equal(other mech.Name) bool {
	o, ok := other.(*name)
	return ok && o != nil && n.m == o.m && n.text == o.text && n.typ == o.typ
}
