package krb5_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// forge makes a one-way AP-REQ for the service with a ticket that a KDC with
// these words could have issued, and an authenticator with the client's own.
func (w *world) forge(t testing.TB, change func(*wire.EncTicketPart), claims []wire.AuthzDatum) []byte {
	t.Helper()
	entry := parseKeytab(t, w.keytab).Entries()[0]
	key, err := enctype.NewKey(entry.Key.Enctype, entry.Key.Value.Bytes())
	require.NoError(t, err)
	session, err := enctype.GenerateKey(key.Enctype())
	require.NoError(t, err)
	now := time.Now().Truncate(time.Microsecond)
	part := wire.EncTicketPart{
		Key:           wire.EncryptionKey{Etype: session.Enctype(), Value: session.Bytes()},
		Client:        principal.New(realm, "alice"),
		TransitedType: wire.TransitedX500,
		AuthTime:      now.Add(-time.Hour), EndTime: now.Add(time.Hour),
	}
	change(&part)
	ct, err := key.Encrypt(nil, part.Append(nil), 2)
	require.NoError(t, err)
	sum, err := (&apreq.Checksum{Flags: onewayFlags}).Append(nil)
	require.NoError(t, err)
	auth := wire.Authenticator{
		Client: part.Client, Time: now, AuthzData: claims,
		Checksum: &wire.Checksum{Type: apreq.ChecksumType, Sum: sum},
	}
	signed, err := session.Encrypt(nil, auth.Append(nil), 11)
	require.NoError(t, err)
	req := wire.APReq{
		Ticket: wire.Ticket{
			Server: principal.Name(entry.Principal),
			Enc:    wire.EncryptedData{Etype: key.Enctype(), Kvno: entry.Kvno, Cipher: ct},
		},
		Authenticator: wire.EncryptedData{Etype: session.Enctype(), Cipher: signed},
	}
	return apreq.Frame(oid.Krb5, apreq.TokAPReq, req.Append(nil))
}

// What only a KDC may say is believed from the ticket alone: any client could
// write it into its authenticator.
func TestAuthzDataTrust(t *testing.T) {
	const own = 4711 // a type that means something to applications only
	w := newWorld(t, nil, nil)
	relevant := func(ad ...wire.AuthzDatum) wire.AuthzDatum {
		return wire.AuthzDatum{Type: wire.ADIfRelevant, Data: wire.AppendAuthzData(nil, ad)}
	}
	var ticket, claims []wire.AuthzDatum
	guarded := []int32{wire.ADKDCIssued, wire.ADCAMMAC, wire.ADAuthIndicator, wire.ADWin2KPAC, wire.ADSignTicket}
	for _, typ := range append(guarded, own) {
		ticket = append(ticket, relevant(wire.AuthzDatum{Type: typ, Data: []byte("KDC")}))
		claims = append(claims, wire.AuthzDatum{Type: typ, Data: []byte("client")}, relevant(wire.AuthzDatum{Type: typ, Data: []byte("client")}))
	}
	for _, fromKDC := range []bool{true, false} {
		a := w.accept(t, mech.AcceptRequest{})
		_, _, err := a.Step(ctx, w.forge(t, func(p *wire.EncTicketPart) {
			if fromKDC {
				p.AuthzData = ticket
			}
		}, claims))
		require.NoError(t, err, "authorization data never fails an authentication")
		var want [][]byte
		if fromKDC {
			want = [][]byte{[]byte("KDC")}
		}
		for _, typ := range guarded {
			got, err := krb5.AuthzData(engine{a}, typ)
			require.NoError(t, err)
			require.Equal(t, want, got, "type %d", typ)
		}
		got, err := krb5.AuthzData(engine{a}, own)
		require.NoError(t, err)
		require.Equal(t, append(want, []byte("client"), []byte("client")), got)
	}
}

// Realms that a ticket has passed through are checked against capaths, or the
// hierarchy, unless the KDC has done so.
func TestTransited(t *testing.T) {
	w := newWorld(t, nil, nil)
	hub := w.with(t, func(c *krb5.Config) {
		c.ConfigText += "\n[capaths]\n\tFAR.AWAY = {\n\t\t" + realm + " = HUB.NET\n\t\t" + realm + " = HUB2.NET\n\t}\n\tDIRECT.NET = {\n\t\t" + realm + " = .\n\t}\n"
	})
	for _, tc := range []struct {
		name, client, realms string
		checked              bool
		plain, capaths       bool
	}{
		{"nothing", "FAR.AWAY", "", false, true, true},
		{"hub", "FAR.AWAY", "HUB.NET", false, false, true},
		{"two hubs", "FAR.AWAY", "HUB.NET,HUB2.NET", false, false, true},
		{"hub, checked", "FAR.AWAY", "HUB.NET", true, true, true},
		{"elsewhere", "FAR.AWAY", "EVIL.NET", false, false, false},
		{"hierarchy", "A.B.TEST", "B.TEST,TEST", false, true, true},
		{"direct", "DIRECT.NET", "HUB.NET", false, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for v, ok := range map[*world]bool{w: tc.plain, hub: tc.capaths} {
				token := v.forge(t, func(p *wire.EncTicketPart) {
					p.Client.Realm, p.Transited = tc.client, []byte(tc.realms)
					if tc.checked {
						p.Flags |= wire.FlagTransitedPolicyChecked
					}
				}, nil)
				a := v.accept(t, mech.AcceptRequest{})
				_, _, err := a.Step(ctx, token)
				if !ok {
					require.ErrorContains(t, err, "KRB_AP_ERR_ILL_CR_TKT")
					continue
				}
				require.NoError(t, err)
				requireName(t, "alice@"+tc.client, a.Info().InitiatorName)
			}
		})
	}
}
