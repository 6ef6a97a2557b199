package spnego

import (
	"context"
	"encoding/binary"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Export implements [mech.Exporter]: the chosen mechanism's OID, its length in
// front, and its own export. It is the layout of MIT's library around the part
// that is the mechanism's.
func (n *negotiation) Export() ([]byte, error) {
	e, err := as[mech.Exporter](n, "export_sec_context")
	if err != nil {
		return nil, err
	}
	token, err := e.Export()
	if err != nil {
		return nil, err
	}
	id := n.used.Info().OID.DER()
	out := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(id)+len(token)), uint32(len(id)))
	return append(append(out, id...), token...), nil
}

// imported is a context that was established elsewhere.
type imported struct{ negotiation }

// Step implements [mech.Context]: there is nothing left to say.
func (c *imported) Step(context.Context, []byte) ([]byte, bool, error) {
	return c.run(nil, nil)
}

// ImportContext implements [mech.ContextImporter].
func (m *Mechanism) ImportContext(token []byte) (mech.Context, error) {
	const op = "import_sec_context"
	defective := fail(op, gsserr.ErrDefectiveToken, 0, nil)
	if len(token) < 4 {
		return nil, defective
	}
	size := binary.BigEndian.Uint32(token)
	if token = token[4:]; uint64(size) > uint64(len(token)) {
		return nil, defective
	}
	id, err := oid.FromDER(token[:size])
	if err != nil {
		return nil, defective
	}
	for _, i := range m.inner {
		if i.Info().OID != id {
			continue
		}
		importer, ok := i.(mech.ContextImporter)
		if !ok {
			return nil, fail(op, gsserr.ErrUnavailable, 0, nil)
		}
		inner, err := importer.ImportContext(token[size:])
		if err != nil {
			return nil, err
		}
		info := inner.Info()
		if !info.Established {
			_ = inner.Close() // nobody can go on with it
			return nil, defective
		}
		c := &imported{}
		c.m, c.op, c.initiator, c.state = m, op, info.Initiator, stateEstablished
		c.used, c.inner, c.innerDone, c.open = i, inner, true, inner
		return c, nil
	}
	return nil, fail(op, gsserr.ErrBadMech, 0, nil)
}
