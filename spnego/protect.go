package spnego

import (
	"encoding/binary"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Once the negotiation is over, every call is the chosen mechanism's. Before,
// it is ErrNoContext even if that mechanism could answer already: the choice
// may still turn out to be someone else's.

// as returns the chosen context as the interface that a call needs.
func as[T any](n *negotiation, op string) (T, error) {
	var none T
	if n.state != stateEstablished {
		return none, fail(op, gsserr.ErrNoContext, 0, nil)
	}
	t, ok := n.inner.(T)
	if !ok {
		return none, fail(op, gsserr.ErrUnavailable, 0, nil)
	}
	return t, nil
}

var (
	_ mech.Protector      = (*negotiation)(nil)
	_ mech.IOVProtector   = (*negotiation)(nil)
	_ mech.IOVSigner      = (*negotiation)(nil)
	_ mech.PRF            = (*negotiation)(nil)
	_ mech.Inquirer       = (*negotiation)(nil)
	_ mech.OptionSetter   = (*negotiation)(nil)
	_ mech.TokenProcessor = (*negotiation)(nil)
	_ mech.Exporter       = (*negotiation)(nil)
	_ mech.Negotiator     = (*negotiation)(nil)
	_ mech.Context        = (*initiator)(nil)
	_ mech.Context        = (*acceptor)(nil)
)

// Wrap implements [mech.Protector].
func (n *negotiation) Wrap(dst, msg []byte, o *mech.WrapOptions) ([]byte, error) {
	p, err := as[mech.Protector](n, "wrap")
	if err != nil {
		return dst, err
	}
	return p.Wrap(dst, msg, o)
}

// Unwrap implements [mech.Protector].
func (n *negotiation) Unwrap(dst, token []byte) ([]byte, mech.MessageInfo, error) {
	p, err := as[mech.Protector](n, "unwrap")
	if err != nil {
		return dst, mech.MessageInfo{}, err
	}
	return p.Unwrap(dst, token)
}

// GetMIC implements [mech.Protector].
func (n *negotiation) GetMIC(dst, msg []byte, q mech.QOP) ([]byte, error) {
	p, err := as[mech.Protector](n, "get_mic")
	if err != nil {
		return dst, err
	}
	return p.GetMIC(dst, msg, q)
}

// VerifyMIC implements [mech.Protector].
func (n *negotiation) VerifyMIC(msg, mic []byte) (mech.QOP, error) {
	p, err := as[mech.Protector](n, "verify_mic")
	if err != nil {
		return 0, err
	}
	return p.VerifyMIC(msg, mic)
}

// WrapSizeLimit implements [mech.Protector].
func (n *negotiation) WrapSizeLimit(size int, o *mech.WrapOptions) (int, error) {
	p, err := as[mech.Protector](n, "wrap_size_limit")
	if err != nil {
		return 0, err
	}
	return p.WrapSizeLimit(size, o)
}

// WrapIOV implements [mech.IOVProtector].
func (n *negotiation) WrapIOV(b []iov.Buffer, o *mech.WrapOptions) error {
	p, err := as[mech.IOVProtector](n, "wrap_iov")
	if err != nil {
		return err
	}
	return p.WrapIOV(b, o)
}

// UnwrapIOV implements [mech.IOVProtector].
func (n *negotiation) UnwrapIOV(b []iov.Buffer) (mech.MessageInfo, error) {
	p, err := as[mech.IOVProtector](n, "unwrap_iov")
	if err != nil {
		return mech.MessageInfo{}, err
	}
	return p.UnwrapIOV(b)
}

// WrapIOVLength implements [mech.IOVProtector].
func (n *negotiation) WrapIOVLength(b []iov.Buffer, o *mech.WrapOptions) error {
	p, err := as[mech.IOVProtector](n, "wrap_iov_length")
	if err != nil {
		return err
	}
	return p.WrapIOVLength(b, o)
}

// GetMICIOV implements [mech.IOVSigner].
func (n *negotiation) GetMICIOV(b []iov.Buffer, q mech.QOP) error {
	p, err := as[mech.IOVSigner](n, "get_mic_iov")
	if err != nil {
		return err
	}
	return p.GetMICIOV(b, q)
}

// VerifyMICIOV implements [mech.IOVSigner].
func (n *negotiation) VerifyMICIOV(b []iov.Buffer) (mech.QOP, error) {
	p, err := as[mech.IOVSigner](n, "verify_mic_iov")
	if err != nil {
		return 0, err
	}
	return p.VerifyMICIOV(b)
}

// GetMICIOVLength implements [mech.IOVSigner].
func (n *negotiation) GetMICIOVLength(b []iov.Buffer, q mech.QOP) error {
	p, err := as[mech.IOVSigner](n, "get_mic_iov_length")
	if err != nil {
		return err
	}
	return p.GetMICIOVLength(b, q)
}

// PRF implements [mech.PRF].
func (n *negotiation) PRF(dst []byte, full bool, in []byte, size int) ([]byte, error) {
	p, err := as[mech.PRF](n, "pseudo_random")
	if err != nil {
		return dst, err
	}
	return p.PRF(dst, full, in, size)
}

// Inquire implements [mech.Inquirer].
func (n *negotiation) Inquire(aspect oid.OID) ([][]byte, error) {
	q, err := as[mech.Inquirer](n, "inquire_sec_context_by_oid")
	if err != nil {
		return nil, err
	}
	return q.Inquire(aspect)
}

// SetOption implements [mech.OptionSetter].
func (n *negotiation) SetOption(aspect oid.OID, value []byte) error {
	s, err := as[mech.OptionSetter](n, "set_sec_context_option")
	if err != nil {
		return err
	}
	return s.SetOption(aspect, value)
}

// ProcessToken implements [mech.TokenProcessor].
func (n *negotiation) ProcessToken(token []byte) error {
	p, err := as[mech.TokenProcessor](n, "process_context_token")
	if err != nil {
		return err
	}
	return p.ProcessToken(token)
}

// Export implements [mech.Exporter]: the chosen mechanism's OID and its own
// export, each with a length in front.
func (n *negotiation) Export() ([]byte, error) {
	const op = "export_sec_context"
	e, err := as[mech.Exporter](n, op)
	if err != nil {
		return nil, err
	}
	id := n.inner.Info().Mech.DER()
	token, err := e.Export()
	if err != nil {
		return nil, err
	}
	n.state = stateDead
	out := binary.BigEndian.AppendUint32(nil, uint32(len(id)))
	return append(append(out, id...), token...), nil
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
		c := &acceptor{}
		c.m, c.op, c.inner, c.innerDone, c.state = m, op, inner, true, stateEstablished
		return c, nil
	}
	return nil, fail(op, gsserr.ErrBadMech, 0, nil)
}
