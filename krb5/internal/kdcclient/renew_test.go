package kdcclient

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

func changed(c *ccache.Credential, change func(*ccache.Credential)) *ccache.Credential {
	x := *c
	change(&x)
	return &x
}

func TestForward(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	_, err := c.Forward(t.Context(), tgt, "host", 0, nil)
	require.ErrorIs(t, err, krberr.KDCBadOption)
	_, err = c.Forward(t.Context(), nil, "host", 0, nil)
	require.ErrorIs(t, err, krberr.NoTktSupplied)

	tgt = changed(tgt, func(x *ccache.Credential) {
		x.Flags |= wire.FlagForwardable | wire.FlagRenewable | wire.FlagOKAsDelegate
	})
	_, err = c.Forward(t.Context(), tgt, "host", 0, nil)
	require.ErrorIs(t, err, krberr.KDCRepModified, "a ticket that is not forwarded")

	k.part = func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.Flags |= wire.FlagForwarded }
	for _, preferred := range []etype.ID{0, etype.AES128SHA2, etype.RC4} {
		got, err := c.Forward(t.Context(), tgt, "host", preferred, nil)
		require.NoError(t, err)
		require.True(t, got.Server.Equal(tgtOf))
		body := k.last().Body
		require.Equal(t, wire.OptForwardable|wire.OptForwarded|wire.OptRenewable, body.Options)
		require.Equal(t, tgt.EndTime, body.Till)
		require.Empty(t, body.Addrs)
		if preferred == etype.AES128SHA2 {
			require.Equal(t, []etype.ID{preferred}, body.Etypes)
		} else {
			require.Greater(t, len(body.Etypes), 1)
		}
	}

	// The preferred type is only that.
	k.instead = func(_ int, _ *kdcnet.Request, req *wire.KDCReq) ([]byte, error) {
		if len(req.Body.Etypes) == 1 {
			return k.fail(krberr.KDCEtypeNosupp, nil), nil
		}
		return nil, nil
	}
	_, err = c.Forward(t.Context(), tgt, "host", etype.AES128SHA1, nil)
	require.NoError(t, err)

	// A ticket with addresses is forwarded to those of the host.
	bound := changed(tgt, func(x *ccache.Credential) {
		x.Addresses = []ccache.Address{{Type: wire.AddrIPv4, Bytes: []byte{10, 0, 0, 1}}}
	})
	_, err = c.Forward(t.Context(), bound, "127.0.0.1", 0, nil)
	require.NoError(t, err)
	require.Equal(t, []wire.HostAddress{{Type: wire.AddrIPv4, Addr: []byte{127, 0, 0, 1}}}, k.last().Body.Addrs)
	_, err = c.Forward(t.Context(), bound, "", 0, nil)
	require.ErrorIs(t, err, krberr.FwdBadPrincipal)
}

func TestRenew(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	_, err := c.Renew(t.Context(), tgt, nil)
	require.ErrorIs(t, err, krberr.KDCBadOption)
	_, err = c.Renew(t.Context(), nil, nil)
	require.ErrorIs(t, err, krberr.KDCBadOption)

	renewable := changed(tgt, func(x *ccache.Credential) {
		x.Flags |= wire.FlagRenewable
		x.RenewTill = x.EndTime.Add(24 * time.Hour)
	})
	got, err := c.Renew(t.Context(), renewable, nil)
	require.NoError(t, err)
	require.True(t, got.Server.Equal(tgtOf))
	require.True(t, got.Client.Equal(alice))
	require.Equal(t, wire.OptRenew|wire.OptRenewable, k.last().Body.Options)
	require.Equal(t, renewable.RenewTill, k.last().Body.Till)

	// Longer than the renew-till time is not what was asked for.
	k.part = func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.EndTime = renewable.RenewTill.Add(time.Second) }
	_, err = c.Renew(t.Context(), renewable, nil)
	require.ErrorIs(t, err, krberr.KDCRepModified)
	k.part = func(r *wire.KDCRep, p *wire.EncKDCRepPart) { p.Server, r.Ticket.Server = imap, imap }
	_, err = c.Renew(t.Context(), renewable, nil)
	require.ErrorIs(t, err, krberr.KDCRepModified)
	_, err = c.Renew(t.Context(), changed(renewable, func(x *ccache.Credential) { x.Ticket = nil }), nil)
	require.ErrorIs(t, err, krberr.NoTktSupplied)

	// A service ticket is renewed in its own realm.
	k.part = nil
	service := changed(renewable, func(x *ccache.Credential) { x.Server = imap.WithRealm("OTHER.TEST") })
	_, err = c.Renew(t.Context(), service, nil)
	require.NoError(t, err)
	require.Equal(t, "OTHER.TEST", k.seen[len(k.seen)-1].Realm)
}

func TestValidate(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	_, err := c.Validate(t.Context(), tgt, nil)
	require.ErrorIs(t, err, krberr.KDCBadOption)

	postdated := changed(tgt, func(x *ccache.Credential) { x.Flags |= wire.FlagInvalid | wire.FlagPostdated })
	got, err := c.Validate(t.Context(), postdated, nil)
	require.NoError(t, err)
	require.Zero(t, got.Flags&wire.FlagInvalid)
	require.Equal(t, wire.OptValidate, k.last().Body.Options)

	k.part = func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.Flags |= wire.FlagInvalid }
	_, err = c.Validate(t.Context(), postdated, nil)
	require.ErrorIs(t, err, krberr.KDCRepModified)
}
