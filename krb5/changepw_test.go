package krb5_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/testenv"
)

// passwords is a password service beside the embedded KDC. The password of a user
// is a string here, and a key there.
type passwords struct {
	t   *testing.T
	kdc *testenv.KDC
	kt  []byte

	client, password string // of the last request
	result           string
}

func (p *passwords) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	if r.Service != krb5.ServicePassword {
		return p.kdc.Exchange(ctx, r)
	}
	size := int(binary.BigEndian.Uint16(r.Message[4:]))
	ap, err := wire.ParseAPReq(r.Message[6 : 6+size])
	require.NoError(p.t, err)
	open := func(k *enctype.Key, e wire.EncryptedData, usage uint32) []byte {
		plain, err := k.Decrypt(nil, e.Cipher, usage)
		require.NoError(p.t, err)
		return plain
	}
	take := func(e wire.EncryptionKey) *enctype.Key {
		k, err := enctype.NewKey(e.Etype, e.Value)
		require.NoError(p.t, err)
		return k
	}
	entry, err := parseKeytab(p.t, p.kt).Lookup(ap.Ticket.Server, 0, ap.Ticket.Enc.Etype)
	require.NoError(p.t, err)
	service, err := enctype.NewKey(entry.Key.Enctype, entry.Key.Value.Bytes())
	require.NoError(p.t, err)
	ticket, err := wire.ParseEncTicketPart(open(service, ap.Ticket.Enc, 2))
	require.NoError(p.t, err)
	require.NotZero(p.t, ticket.Flags&wire.FlagInitial, "the service wants a login of its own")
	session := take(ticket.Key)
	auth, err := wire.ParseAuthenticator(open(session, ap.Authenticator, 11))
	require.NoError(p.t, err)
	subkey := take(*auth.Subkey)
	priv, err := wire.ParseKRBPriv(r.Message[6+size:])
	require.NoError(p.t, err)
	part, err := wire.ParseEncKrbPrivPart(open(subkey, priv.Enc, 13))
	require.NoError(p.t, err)
	p.client, p.password = ticket.Client.String(), string(part.UserData)

	rep, err := (&apreq.Reply{Time: auth.Time}).Append(nil, session)
	require.NoError(p.t, err)
	cipher, err := subkey.Encrypt(nil, (&wire.EncKrbPrivPart{UserData: []byte(p.result)}).Append(nil), 13)
	require.NoError(p.t, err)
	answer := (&wire.KRBPriv{Enc: wire.EncryptedData{Etype: subkey.Enctype(), Cipher: cipher}}).Append(nil)
	b := binary.BigEndian.AppendUint16(nil, uint16(6+len(rep)+len(answer)))
	b = binary.BigEndian.AppendUint16(append(b, 0, 1), uint16(len(rep)))
	return append(append(b, rep...), answer...), nil
}

func TestChangePassword(t *testing.T) {
	k := newKDC(t, nil)
	p := &passwords{t: t, kdc: k, kt: k.AddService("kadmin/changepw"), result: "\x00\x00"}
	config := inMemory(k)
	config.KDC = p
	m := krb5.New(&config)
	change := func(who, password string) error {
		return m.ChangePassword(ctx, who, secretOf(password), secretOf("new"))
	}
	require.NoError(t, change("alice", password))
	require.Equal(t, "alice@"+realm, p.client)
	require.Equal(t, "new", p.password)

	// The KDC's clock counts here, too.
	k.Skew(3 * 60 * 60 * 1e9)
	require.NoError(t, change("alice", password))
	k.Skew(0)

	p.client = ""
	requireCode(t, change("alice", "wrong"), gsserr.ErrNoCred, krb5.ErrPreauthFailed)
	requireCode(t, change("nobody", password), gsserr.ErrNoCred, krb5.ErrClientUnknown)
	require.ErrorIs(t, change("", password), gsserr.ErrBadName)
	require.ErrorIs(t, m.ChangePassword(ctx, "alice", nil, secretOf("new")), gsserr.ErrFailure)
	require.ErrorIs(t, m.ChangePassword(ctx, "alice", secretOf(password), nil), gsserr.ErrFailure)
	require.Empty(t, p.client, "nobody has asked")

	p.result = "\x00\x04too short"
	err := change("alice", password)
	require.ErrorIs(t, err, gsserr.ErrFailure)
	var refusal *krb5.PasswordRefusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, krb5.PasswordRejected, refusal.Result)
	require.Equal(t, "too short", refusal.Text)

	canceled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, m.ChangePassword(canceled, "alice", secretOf(password), secretOf("new")), context.Canceled)
}
