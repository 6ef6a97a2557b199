package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

func TestTicket(t *testing.T) {
	for _, id := range allTypes {
		for _, session := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/session key=%v", id, session), func(t *testing.T) {
				k := newKDC(t)
				k.useSession = session
				c := newClient(t, k, "")
				c.Enctypes = []etype.ID{id}
				tgt := getTGT(t, c)
				got, err := c.Ticket(t.Context(), tgt, imap.WithRealm(""), nil)
				require.NoError(t, err)
				part := k.parts[len(k.parts)-1]
				require.Equal(t, part.Key.Value, got.Key.Value.Bytes())
				require.Equal(t, id, got.Key.Enctype)
				require.True(t, got.Client.Equal(alice))
				require.True(t, got.Server.Equal(imap))
				require.Equal(t, tgt.EndTime, got.EndTime)
				require.NotEmpty(t, got.Ticket)

				req := k.last()
				require.True(t, req.Body.Client.IsZero(), "RFC 4120 has the cname in an AS-REQ only")
				_, auth, err := k.apReq(req)
				require.NoError(t, err)
				require.NotNil(t, auth.Subkey)
				require.NotEqual(t, tgt.Key.Value.Bytes(), auth.Subkey.Value)
				require.Equal(t, start.Truncate(time.Microsecond), auth.Time)
			})
		}
	}
}

func TestTicketOptions(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	with := func(change func(*ccache.Credential)) *ccache.Credential {
		x := *tgt
		change(&x)
		return &x
	}
	for _, tt := range []struct {
		name    string
		c       *Client
		tgt     *ccache.Credential
		o       *TicketOptions
		options uint32
		till    time.Time
		etypes  []etype.ID
	}{
		{"nil", c, tgt, nil, wire.OptCanonicalize, tgt.EndTime, enctype.Default()},
		{"lifetime", c, tgt, &TicketOptions{Lifetime: time.Hour}, wire.OptCanonicalize, until(start, time.Hour), enctype.Default()},
		{"lifetime beyond the TGT's", c, tgt, &TicketOptions{Lifetime: 100 * time.Hour}, wire.OptCanonicalize, tgt.EndTime, enctype.Default()},
		{"lifetime by the KDC's clock", c, tgt, &TicketOptions{Lifetime: time.Hour, Offset: time.Minute}, wire.OptCanonicalize, until(start, 61*time.Minute), enctype.Default()},
		{"enctypes", c, tgt, &TicketOptions{Enctypes: []etype.ID{20, 99, 17}}, wire.OptCanonicalize, tgt.EndTime, []etype.ID{20, 17}},
		{"enctypes by configuration", newClient(t, k, " default_tgs_enctypes = aes128-sha2\n default_tkt_enctypes = aes256-cts"), tgt, nil, wire.OptCanonicalize, tgt.EndTime, []etype.ID{19}},
		{"options", c, tgt, &TicketOptions{KDCOptions: wire.OptProxiable}, wire.OptCanonicalize | wire.OptProxiable, tgt.EndTime, enctype.Default()},
		{"inherited options", c, with(func(x *ccache.Credential) { x.Flags = 1<<32 - 1 }), nil, 0x54810000, tgt.EndTime, enctype.Default()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.c.Ticket(t.Context(), tt.tgt, imap, tt.o)
			require.NoError(t, err)
			body := k.last().Body
			require.Equal(t, tt.options, body.Options)
			require.Equal(t, tt.till, body.Till)
			require.Equal(t, tt.etypes, body.Etypes)
			require.Empty(t, body.Addrs)
		})
	}
	t.Run("addresses", func(t *testing.T) {
		_, err := c.Ticket(t.Context(), with(func(x *ccache.Credential) {
			x.Addresses = []ccache.Address{{Type: wire.AddrIPv4, Bytes: []byte{10, 0, 0, 1}}}
		}), imap, nil)
		require.NoError(t, err)
		require.Equal(t, []wire.HostAddress{{Type: wire.AddrIPv4, Addr: []byte{10, 0, 0, 1}}}, k.last().Body.Addrs)
	})
}

// TestCrossRealm: the client keeps its own realm in the authenticator when
// another realm's KDC is asked.
func TestCrossRealm(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	k.requests, k.seen = nil, nil
	server := principal.New("OTHER.EXAMPLE", "http", "www.other.example")
	got, err := c.Ticket(t.Context(), tgt, server, &TicketOptions{Lifetime: time.Hour})
	require.NoError(t, err)
	require.True(t, got.Server.Equal(server))
	require.True(t, got.Client.Equal(alice))
	require.Len(t, k.requests, 2)
	require.Equal(t, []string{"EXAMPLE.COM", "OTHER.EXAMPLE"}, []string{k.seen[0].Realm, k.seen[1].Realm})
	require.True(t, k.requests[0].Body.Server.Equal(principal.TGS("EXAMPLE.COM", "OTHER.EXAMPLE")))
	require.Equal(t, tgt.EndTime, k.requests[0].Body.Till)
	require.True(t, k.requests[1].Body.Server.Equal(server))
	for _, req := range k.requests {
		_, auth, err := k.apReq(req)
		require.NoError(t, err)
		require.Equal(t, "EXAMPLE.COM", auth.Client.Realm)
	}

	k.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) {
		return k.fail(krberr.KDCServerUnknown, nil), nil
	}
	_, err = c.Ticket(t.Context(), tgt, server, nil)
	require.ErrorIs(t, err, krberr.KDCServerUnknown)
	require.ErrorContains(t, err, `realm "OTHER.EXAMPLE"`)
}

func TestTicketErrors(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	for _, tt := range []struct {
		name   string
		tgt    *ccache.Credential
		server principal.Name
		is     krberr.Code
	}{
		{"nil", nil, imap, krberr.NoTktSupplied},
		{"empty", &ccache.Credential{}, imap, krberr.NoTktSupplied},
		{"not a TGT", &ccache.Credential{Server: imap, Ticket: tgt.Ticket, Key: tgt.Key}, imap, krberr.NoTktSupplied},
		{"no ticket", &ccache.Credential{Server: tgt.Server, Key: tgt.Key}, imap, krberr.NoTktSupplied},
		{"no session key", &ccache.Credential{Server: tgt.Server, Ticket: tgt.Ticket}, imap, krberr.BadEnctype},
		{"no service", tgt, principal.Name{}, krberr.ParseMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Ticket(t.Context(), tt.tgt, tt.server, nil)
			require.ErrorIs(t, err, tt.is)
		})
	}
	for _, code := range []krberr.Code{krberr.KDCServerUnknown, krberr.KDCWrongRealm, krberr.APTktExpired, krberr.KDCPreauthRequired} {
		t.Run(code.Name(), func(t *testing.T) {
			n := len(k.requests)
			k.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) { return k.fail(code, nil), nil }
			_, err := c.Ticket(t.Context(), tgt, imap, nil)
			require.ErrorIs(t, err, code)
			require.Len(t, k.requests, n+1)
		})
	}
	t.Run("network", func(t *testing.T) {
		broken := errors.New("broken")
		k.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) { return nil, broken }
		_, err := c.Ticket(t.Context(), tgt, imap, nil)
		require.ErrorIs(t, err, broken)
		_, err = c.Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, broken)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Ticket(ctx, tgt, imap, nil)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("response too big", func(t *testing.T) {
		k.instead = func(_ int, r *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
			if !r.TCP {
				return k.fail(krberr.KRBResponseTooBig, nil), nil
			}
			return nil, nil
		}
		_, err := c.Ticket(t.Context(), tgt, imap, nil)
		require.NoError(t, err)
	})
}
