package kdcclient

import (
	"bytes"
	"context"
	"strings"
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

// lies are authentic replies that do not fit the request. The fake KDC has the
// right keys, so only the checks stand between them and the caller.
var lies = []struct {
	name   string
	change func(*wire.KDCRep, *wire.EncKDCRepPart)
	is     krberr.Code
	asOnly bool
}{
	{"wrong nonce", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.Nonce++ }, krberr.KDCRepModified, false},
	{"nonce 0", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.Nonce = 0 }, krberr.KDCRepModified, false},
	{"another client", func(r *wire.KDCRep, _ *wire.EncKDCRepPart) { r.Client = principal.New("EXAMPLE.COM", "bob") }, krberr.KDCRepModified, false},
	{"client of another realm", func(r *wire.KDCRep, _ *wire.EncKDCRepPart) { r.Client.Realm = "OTHER" }, krberr.KDCRepModified, false},
	{"another server", func(r *wire.KDCRep, p *wire.EncKDCRepPart) {
		p.Server = principal.New("EXAMPLE.COM", "x")
		r.Ticket.Server = p.Server
	}, krberr.KDCRepModified, false},
	{"server of another realm", func(r *wire.KDCRep, p *wire.EncKDCRepPart) {
		p.Server.Realm = "OTHER"
		r.Ticket.Server = p.Server
	}, krberr.KDCRepModified, false},
	{"another server in the encrypted part", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.Server = principal.New("EXAMPLE.COM", "x") }, krberr.KDCRepModified, false},
	{"another server in the ticket", func(r *wire.KDCRep, _ *wire.EncKDCRepPart) {
		r.Ticket.Server = principal.New("EXAMPLE.COM", "x")
	}, krberr.KDCRepModified, false},
	{"a very long name", func(r *wire.KDCRep, _ *wire.EncKDCRepPart) {
		r.Client = principal.New("EXAMPLE.COM", strings.Repeat("\n", 60000))
	}, krberr.KDCRepModified, false},
	{"a longer life", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.EndTime = p.EndTime.Add(time.Second) }, krberr.KDCRepModified, false},
	{"renewable for longer than the life", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) {
		p.Flags |= wire.FlagRenewable
		p.RenewTill = p.EndTime.Add(time.Second)
	}, krberr.KDCRepModified, true},
	{"session key of a type not asked for", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) {
		p.Key = wire.EncryptionKey{Etype: 23, Value: make([]byte, 16)}
	}, krberr.WrongEtype, false},
	{"session key too short", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.Key.Value = p.Key.Value[1:] }, krberr.BadKeySize, false},
	{"empty session key", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.Key.Value = nil }, krberr.BadKeySize, false},
	{"encryption not asked for", func(r *wire.KDCRep, _ *wire.EncKDCRepPart) { r.Enc.Etype = 23 }, krberr.WrongEtype, false},
	{"message type", func(r *wire.KDCRep, _ *wire.EncKDCRepPart) { r.Type ^= wire.MsgASRep ^ wire.MsgTGSRep }, krberr.APMsgType, false},
	{"no checksum of the request", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.PAData = nil }, krberr.KDCRepModified, true},
	{"checksum type", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) {
		c, _ := wire.ParseChecksum(p.PAData[0].Value)
		c.Type = 7
		p.PAData[0].Value = c.Append(nil)
	}, krberr.KDCRepModified, true},
	{"checksum cut", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) {
		c, _ := wire.ParseChecksum(p.PAData[0].Value)
		c.Sum = c.Sum[:0]
		p.PAData[0].Value = c.Append(nil)
	}, krberr.KDCRepModified, true},
	{"checksum garbage", func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.PAData[0].Value = []byte{1, 2, 3} }, krberr.KDCRepModified, true},
}

func TestLies(t *testing.T) {
	for _, tt := range lies {
		t.Run("AS/"+tt.name, func(t *testing.T) {
			k := newKDC(t)
			k.part = tt.change
			_, err := newClient(t, k, "").Login(t.Context(), byKey(allTypes...))
			require.ErrorIs(t, err, tt.is)
			require.Less(t, len(err.Error()), 1000)
			require.NotContains(t, err.Error(), "\n")
			require.Len(t, k.requests, 2)
		})
		if tt.asOnly {
			continue
		}
		t.Run("TGS/"+tt.name, func(t *testing.T) {
			k := newKDC(t)
			c := newClient(t, k, "")
			tgt := getTGT(t, c)
			k.part = tt.change
			_, err := c.Ticket(t.Context(), tgt, imap, nil)
			require.ErrorIs(t, err, tt.is)
		})
	}
	t.Run("renewable for longer than asked for", func(t *testing.T) {
		k := newKDC(t)
		k.part = func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.RenewTill = p.RenewTill.Add(time.Second) }
		_, err := newClient(t, k, " renew_lifetime = 7d").Login(t.Context(), byKey(allTypes...))
		require.ErrorIs(t, err, krberr.KDCRepModified)
	})
}

func getTGT(t testing.TB, c *Client) *ccache.Credential {
	t.Helper()
	got, err := c.Login(t.Context(), byKey(allTypes...))
	require.NoError(t, err)
	return got.Credential
}

// TestEncPARep: the checksum shows when the request was changed on its way; a
// KDC that does not know it is fine.
func TestEncPARep(t *testing.T) {
	k := newKDC(t)
	k.preauth = false
	weaken := exchangeFunc(func(r *kdcnet.Request) []byte {
		req, err := wire.ParseKDCReq(r.Message)
		require.NoError(t, err)
		req.Body.Raw = nil
		req.Body.Etypes = []etype.ID{etype.AES128SHA1}
		changed := *r
		changed.Message = req.Append(nil)
		reply, err := k.Exchange(t.Context(), &changed)
		require.NoError(t, err)
		return reply
	})
	_, err := newClient(t, weaken, "").Login(t.Context(), byPassword(password))
	require.ErrorIs(t, err, krberr.KDCRepModified)
	require.ErrorIs(t, err, krberr.APModified)

	k.encPA = false
	_, err = newClient(t, k, "").Login(t.Context(), byPassword(password))
	require.NoError(t, err)
}

// TestCanonical: other names are taken when they were asked for.
func TestCanonical(t *testing.T) {
	alias := func(r *wire.KDCRep, p *wire.EncKDCRepPart) {
		r.Client = principal.New("CORP.EXAMPLE", "alice.a")
		p.Server = principal.TGS("CORP.EXAMPLE", "CORP.EXAMPLE")
		r.Ticket.Server = p.Server
	}
	k := newKDC(t)
	k.part = alias
	r := byKey(allTypes...)
	_, err := newClient(t, k, "").Login(t.Context(), r)
	require.ErrorIs(t, err, krberr.KDCRepModified)
	r.Canonicalize = true
	got, err := newClient(t, k, "").Login(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "alice.a@CORP.EXAMPLE", got.Client.String())
	require.Equal(t, "krbtgt/CORP.EXAMPLE@CORP.EXAMPLE", got.Server.String())

	// Even then a login for the TGS yields nothing else.
	k.part = func(r *wire.KDCRep, p *wire.EncKDCRepPart) {
		p.Server = imap
		r.Ticket.Server = imap
	}
	_, err = newClient(t, k, "").Login(t.Context(), r)
	require.ErrorIs(t, err, krberr.KDCRepModified)
}

// TestEncTGSRepPartInASRep: RFC 4120 §5.4.2 allows tag 26 there.
func TestEncTGSRepPartInASRep(t *testing.T) {
	k := newKDC(t)
	k.part = func(_ *wire.KDCRep, p *wire.EncKDCRepPart) { p.Type ^= wire.MsgASRep ^ wire.MsgTGSRep }
	_, err := newClient(t, k, "").Login(t.Context(), byKey(allTypes...))
	require.NoError(t, err)
}

// TestTamper flips and drops bytes of authentic replies. What is accepted all
// the same must be what the KDC meant, but for the bytes of the ticket, which
// only its server can check.
func TestTamper(t *testing.T) {
	for _, kind := range []string{"AS", "TGS"} {
		t.Run(kind, func(t *testing.T) {
			k := newKDC(t)
			c := newClient(t, k, "")
			tgt := getTGT(t, c)
			run := func(change func([]byte) []byte) (*ccache.Credential, error) {
				k.raw = change
				if kind == "TGS" {
					return c.Ticket(t.Context(), tgt, imap, nil)
				}
				got, err := c.Login(t.Context(), byKey(etype.AES256SHA1))
				if err != nil {
					return nil, err
				}
				return got.Credential, nil
			}
			_, err := run(bytes.Clone)
			require.NoError(t, err)
			size := len(k.replies[len(k.replies)-1])
			for i := 0; i < size; i++ {
				got, err := run(func(b []byte) []byte {
					b = bytes.Clone(b)
					b[min(i, len(b)-1)] ^= 1 << (i % 8)
					return b
				})
				if err != nil {
					continue
				}
				part := k.parts[len(k.parts)-1]
				require.Equal(t, part.Key.Value, got.Key.Value.Bytes(), "byte %d", i)
				require.True(t, got.Client.Equal(alice), "byte %d", i)
				require.True(t, got.Server.Equal(part.Server), "byte %d", i)
			}
			for i := 0; i < size; i += 3 {
				_, err := run(func(b []byte) []byte { return b[:min(i, len(b)-1)] })
				require.Error(t, err, "cut at %d", i)
			}
			_, err = run(func(b []byte) []byte { return append(b, 0) })
			require.ErrorIs(t, err, krberr.KDCRepModified)
			_, err = run(func(b []byte) []byte { return make([]byte, maxReply+1) })
			require.ErrorIs(t, err, krberr.KRBFieldTooLong)
			_, err = run(func(b []byte) []byte { return nil })
			require.Error(t, err)
		})
	}
}

func TestReplay(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	old := k.replies[len(k.replies)-1]
	k.raw = func([]byte) []byte { return old }
	_, err := c.Login(t.Context(), byKey(allTypes...))
	require.ErrorIs(t, err, krberr.KDCRepModified)

	k.raw, k.useSession = nil, true // so that the key alone does not tell
	_, err = c.Ticket(t.Context(), tgt, imap, nil)
	require.NoError(t, err)
	oldTGS := k.replies[len(k.replies)-1]
	k.raw = func([]byte) []byte { return oldTGS }
	_, err = c.Ticket(t.Context(), tgt, imap, nil)
	require.ErrorIs(t, err, krberr.KDCRepModified)
	k.raw = func([]byte) []byte { return old }
	_, err = c.Ticket(t.Context(), tgt, imap, nil)
	require.ErrorIs(t, err, krberr.APMsgType)
}

func TestWrongKey(t *testing.T) {
	k := newKDC(t)
	r := byKey(etype.AES256SHA1)
	r.Key = func(id etype.ID, _ uint32) (*enctype.Key, error) { return stringToKey(id, "wrong", "key"), nil }
	_, err := newClient(t, k, "").Login(t.Context(), r)
	require.ErrorIs(t, err, krberr.KDCPreauthFailed)
	require.Equal(t, 1, k.proofs)
	k.preauth = false
	_, err = newClient(t, k, "").Login(t.Context(), r)
	require.ErrorIs(t, err, krberr.APBadIntegrity)
}

// exchangeFunc is an Exchanger without a network.
type exchangeFunc func(*kdcnet.Request) []byte

func (f exchangeFunc) Exchange(_ context.Context, r *kdcnet.Request) ([]byte, error) {
	return f(r), nil
}
