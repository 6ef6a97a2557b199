package secctx

import (
	"encoding/binary"
	"errors"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var errFrame = errors.New("malformed exported context")

// Export moves an established context into a token, for [Import] in another
// process (RFC 2743 §2.2.8), and closes it. The token holds keys in the open:
// protect it, import it once, and never log it.
//
// Errors are ErrNoContext if the context is not established, and ErrUnavailable
// if the mechanism cannot export; the context then goes on.
func (c *SecContext) Export() ([]byte, error) {
	const op = "export_sec_context"
	if c == nil {
		return nil, noContext(op)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() != stateOpen {
		return nil, noContext(op)
	}
	x, ok := c.engine.(mech.Exporter)
	if !ok {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	// No message may be protected with a number that the token hands on.
	c.state.Store(stateBusy)
	token, err := x.Export()
	if err != nil {
		c.state.Store(stateOpen)
		return nil, fail(op, 0, err)
	}
	_ = c.end() // what it would say is about a context that has left
	id := c.mechanism.Info().OID.DER()
	out := make([]byte, 0, 4+len(id)+len(token))
	out = binary.BigEndian.AppendUint32(out, uint32(len(id)))
	return append(append(out, id...), token...), nil
}

// Import returns the context that [SecContext.Export] wrote (RFC 2743 §2.2.9).
// Its mechanism must be in r, in the same version of this module: the token is
// not for other implementations.
//
// Errors are ErrDefectiveToken for a malformed token, ErrBadMech for a nil r or a
// mechanism that is not in it, ErrUnavailable for one that cannot import, and
// those of the mechanism.
func Import(token []byte, r *mech.Registry) (*SecContext, error) {
	const op = "import_sec_context"
	if r == nil {
		return nil, fail(op, gsserr.ErrBadMech, errNoRegistry)
	}
	if len(token) < 4 || len(token) > mech.MaxToken {
		return nil, fail(op, gsserr.ErrDefectiveToken, errFrame)
	}
	n, rest := binary.BigEndian.Uint32(token), token[4:]
	if uint64(n) > uint64(len(rest)) {
		return nil, fail(op, gsserr.ErrDefectiveToken, errFrame)
	}
	id, err := oid.FromDER(rest[:n])
	if err != nil {
		return nil, fail(op, gsserr.ErrDefectiveToken, errFrame)
	}
	m, err := r.Lookup(id)
	if err != nil {
		return nil, fail(op, gsserr.ErrBadMech, nil)
	}
	x, ok := m.(mech.ContextImporter)
	if !ok {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	engine, err := x.ImportContext(rest[n:])
	if err != nil {
		return nil, fail(op, 0, err)
	}
	c := &SecContext{reg: r, mechanism: m, engine: engine}
	i := engine.Info()
	c.initiator = i.Initiator
	c.target = c.name(i.Target)
	if !i.Established {
		_ = c.end()
		return nil, fail(op, gsserr.ErrDefectiveToken, errFrame)
	}
	if err := c.established(i); err != nil {
		_ = c.end()
		return nil, err
	}
	return c, nil
}
