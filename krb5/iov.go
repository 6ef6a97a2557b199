package krb5

import (
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
)

var (
	_ mech.IOVProtector = (*secContext)(nil)
	_ mech.IOVSigner    = (*secContext)(nil)
)

// WrapIOV implements [mech.IOVProtector].
func (c *secContext) WrapIOV(b []iov.Buffer, o *mech.WrapOptions) error {
	p, err := c.protector("wrap_iov")
	if err != nil {
		return err
	}
	return p.WrapIOV(b, o)
}

// UnwrapIOV implements [mech.IOVProtector].
func (c *secContext) UnwrapIOV(b []iov.Buffer) (mech.MessageInfo, error) {
	p, err := c.protector("unwrap_iov")
	if err != nil {
		return mech.MessageInfo{}, err
	}
	return p.UnwrapIOV(b)
}

// WrapIOVLength implements [mech.IOVProtector].
func (c *secContext) WrapIOVLength(b []iov.Buffer, o *mech.WrapOptions) error {
	p, err := c.protector("wrap_iov_length")
	if err != nil {
		return err
	}
	return p.WrapIOVLength(b, o)
}

// GetMICIOV implements [mech.IOVSigner].
func (c *secContext) GetMICIOV(b []iov.Buffer, q mech.QOP) error {
	p, err := c.protector("get_mic_iov")
	if err != nil {
		return err
	}
	return p.GetMICIOV(b, q)
}

// VerifyMICIOV implements [mech.IOVSigner].
func (c *secContext) VerifyMICIOV(b []iov.Buffer) (mech.QOP, error) {
	p, err := c.protector("verify_mic_iov")
	if err != nil {
		return 0, err
	}
	return p.VerifyMICIOV(b)
}

// GetMICIOVLength implements [mech.IOVSigner].
func (c *secContext) GetMICIOVLength(b []iov.Buffer, q mech.QOP) error {
	p, err := c.protector("get_mic_iov_length")
	if err != nil {
		return err
	}
	return p.GetMICIOVLength(b, q)
}
