package spnego

import (
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
	if n.open == nil {
		return none, fail(op, gsserr.ErrNoContext, 0, nil)
	}
	t, ok := n.open.(T)
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
	_ mech.Context        = (*imported)(nil)
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

// SetOption implements [mech.OptionSetter]. An option is for the mechanism in
// use, and is lost if the acceptor then chooses another one.
func (n *negotiation) SetOption(aspect oid.OID, value []byte) error {
	const op = "set_sec_context_option"
	if n.state == stateDead {
		return fail(op, gsserr.ErrNoContext, 0, nil)
	}
	s, ok := n.inner.(mech.OptionSetter)
	if !ok {
		return fail(op, gsserr.ErrUnavailable, 0, nil)
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
