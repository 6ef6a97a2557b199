package apreq

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

func forwarded(t testing.TB) *ccache.Credential {
	t.Helper()
	ticket := wire.Ticket{
		Server: principal.TGS("EXAMPLE.TEST", "EXAMPLE.TEST"),
		Enc:    wire.EncryptedData{Etype: etype.AES256SHA1, Kvno: 1, Cipher: []byte("sealed")},
	}
	return &ccache.Credential{
		Client:    alice,
		Server:    ticket.Server,
		Key:       ccache.NewKey(etype.AES256SHA2, newKey(t, etype.AES256SHA2).Bytes()),
		AuthTime:  noon.Add(-time.Hour),
		StartTime: noon,
		EndTime:   noon.Add(time.Hour),
		RenewTill: noon.Add(24 * time.Hour),
		Flags:     wire.FlagForwardable | wire.FlagForwarded,
		Addresses: []ccache.Address{{Type: wire.AddrIPv4, Bytes: []byte{192, 0, 2, 1}}},
		Ticket:    ticket.Append(nil),
	}
}

func TestCred(t *testing.T) {
	for _, id := range types {
		t.Run(id.String(), func(t *testing.T) {
			c, session, sub := forwarded(t), newKey(t, id), newKey(t, id)
			msg, err := SealCred(c, session)
			require.NoError(t, err)
			for name, keys := range map[string][]*enctype.Key{
				"only": {session}, "second": {sub, session}, "first": {session, sub}, "with none": {nil, session},
			} {
				got, err := OpenCred(msg, principal.Name{}, keys...)
				require.NoError(t, err, name)
				require.Equal(t, c.Key.Value.Bytes(), got.Key.Value.Bytes())
				require.Equal(t, c.Key.Enctype, got.Key.Enctype)
				for _, pair := range [][2]time.Time{
					{c.AuthTime, got.AuthTime}, {c.StartTime, got.StartTime}, {c.EndTime, got.EndTime}, {c.RenewTill, got.RenewTill},
				} {
					require.True(t, pair[0].Equal(pair[1]))
				}
				require.Equal(t, c.Client, got.Client)
				require.Equal(t, c.Server, got.Server)
				require.Equal(t, c.Flags, got.Flags)
				require.Equal(t, c.Addresses, got.Addresses)
				require.Equal(t, c.Ticket, got.Ticket)
			}
			_, err = OpenCred(msg, alice, sub)
			requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
			_, err = OpenCred(msg, alice)
			requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
		})
	}
}

// A KRB-CRED in the clear, as RFC 6448 has it, and one that names nobody.
func TestCredUnencrypted(t *testing.T) {
	c := forwarded(t)
	part := wire.EncKrbCredPart{TicketInfo: []wire.KrbCredInfo{{
		Key: wire.EncryptionKey{Etype: c.Key.Enctype, Value: c.Key.Value.Bytes()},
	}}}
	msg := wire.KRBCred{Tickets: []wire.Ticket{{Raw: c.Ticket}}, Enc: wire.EncryptedData{Cipher: part.Append(nil)}}
	got, err := OpenCred(msg.Append(nil), alice)
	require.NoError(t, err)
	require.Equal(t, alice, got.Client)
	require.Equal(t, c.Server, got.Server)
	require.Equal(t, c.Key.Value.Bytes(), got.Key.Value.Bytes())

	part.TicketInfo[0].Client = principal.New("", "bob") // without its realm
	msg.Enc.Cipher = part.Append(nil)
	got, err = OpenCred(msg.Append(nil), alice)
	require.NoError(t, err)
	require.Equal(t, principal.New("EXAMPLE.TEST", "bob"), got.Client)
}

func TestCredRefuses(t *testing.T) {
	c, key := forwarded(t), newKey(t, etype.AES256SHA1)
	info := wire.KrbCredInfo{Key: wire.EncryptionKey{Etype: c.Key.Enctype, Value: c.Key.Value.Bytes()}}
	make := func(tickets, infos int) []byte {
		var msg wire.KRBCred
		msg.Tickets = []wire.Ticket{}
		part := wire.EncKrbCredPart{}
		for range tickets {
			msg.Tickets = append(msg.Tickets, wire.Ticket{Raw: c.Ticket})
		}
		for range infos {
			part.TicketInfo = append(part.TicketInfo, info)
		}
		cipher, err := key.Encrypt(nil, part.Append(nil), usageCred)
		require.NoError(t, err)
		msg.Enc = wire.EncryptedData{Etype: key.Enctype(), Cipher: cipher}
		return msg.Append(nil)
	}
	_, err := OpenCred(make(2, 2), alice, key)
	require.NoError(t, err)
	for _, n := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 2}, {2, 1}, {maxTickets + 1, maxTickets + 1}} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			_, err := OpenCred(make(n[0], n[1]), alice, key)
			requireCode(t, err, gsserr.ErrFailure, wire.ErrSyntax)
		})
	}
	ap := wire.APRep{Enc: wire.EncryptedData{Etype: etype.AES256SHA1}}
	_, err = OpenCred(ap.Append(nil), alice, key)
	requireCode(t, err, gsserr.ErrFailure, krberr.APMsgType)

	t.Run("nothing inside", func(t *testing.T) {
		cipher, err := key.Encrypt(nil, []byte("no ASN.1"), usageCred)
		require.NoError(t, err)
		msg := wire.KRBCred{Tickets: []wire.Ticket{{Raw: c.Ticket}}, Enc: wire.EncryptedData{Etype: key.Enctype(), Cipher: cipher}}
		_, err = OpenCred(msg.Append(nil), alice, key)
		requireCode(t, err, gsserr.ErrFailure, wire.ErrSyntax)
	})
}

// Whatever byte changes of a sealed message, its key does not come out of it
// with something else than what was sealed.
func TestCredTampered(t *testing.T) {
	c, key := forwarded(t), newKey(t, etype.AES128SHA2)
	msg, err := SealCred(c, key)
	require.NoError(t, err)
	for i := range msg {
		for _, bit := range []byte{1, 0x80} {
			bad := append([]byte(nil), msg...)
			bad[i] ^= bit
			got, err := OpenCred(bad, alice, key)
			if err != nil {
				continue // what is outside of the encryption may change: ticket, key version
			}
			require.Equal(t, c.Key.Value.Bytes(), got.Key.Value.Bytes())
			require.Equal(t, c.Client, got.Client)
			require.Equal(t, c.EndTime.Unix(), got.EndTime.Unix())
		}
	}
	for n := range msg {
		_, err := OpenCred(msg[:n], alice, key)
		require.Error(t, err)
	}
	_, err = OpenCred(append(msg, 0), alice, key)
	require.Error(t, err)
}

func FuzzOpenCred(f *testing.F) {
	key, err := enctype.NewKey(etype.AES128SHA1, make([]byte, 16))
	require.NoError(f, err)
	c := forwarded(f)
	msg, err := SealCred(c, key)
	require.NoError(f, err)
	f.Add(msg, true)
	part := wire.EncKrbCredPart{TicketInfo: []wire.KrbCredInfo{{Key: wire.EncryptionKey{Etype: 18, Value: make([]byte, 32)}, Client: alice}}}
	f.Add(part.Append(nil), false)
	f.Fuzz(func(t *testing.T, b []byte, whole bool) {
		if !whole { // what is inside, behind the encryption
			b = (&wire.KRBCred{Tickets: []wire.Ticket{{Raw: c.Ticket}}, Enc: wire.EncryptedData{Cipher: b}}).Append(nil)
		}
		got, err := OpenCred(b, alice, key)
		if err != nil {
			require.Nil(t, got)
			return
		}
		require.NotEmpty(t, got.Client.Components)
		require.NotEmpty(t, got.Server.Components)
		sealed, err := SealCred(got, key)
		require.NoError(t, err)
		again, err := OpenCred(sealed, alice, key)
		require.NoError(t, err)
		require.Equal(t, got.Key.Value.Bytes(), again.Key.Value.Bytes())
		require.True(t, got.Client.Equal(again.Client))
		require.True(t, got.EndTime.Equal(again.EndTime))
	})
}

// A client cannot write into the configuration of the cache that its tickets are
// put into.
func TestCredConfiguration(t *testing.T) {
	c, key := forwarded(t), newKey(t, etype.AES256SHA1)
	c.Server = ccache.ConfEntry(alice, ccache.ConfProxyImpersonator, nil, nil).Server
	msg, err := SealCred(c, key)
	require.NoError(t, err)
	_, err = OpenCred(msg, alice, key)
	require.ErrorIs(t, err, wire.ErrSyntax)
}
