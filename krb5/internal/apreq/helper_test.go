package apreq

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/rcache"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
)

var (
	ctx     = context.Background()
	noon    = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	skew    = 5 * time.Minute
	alice   = principal.New("EXAMPLE.TEST", "alice")
	service = principal.New("EXAMPLE.TEST", "host", "server.example.test")
	types   = []etype.ID{etype.AES128SHA1, etype.AES256SHA1, etype.AES128SHA2, etype.AES256SHA2}
)

// scene is an AP-REQ in the making and the acceptor that it is for. A test
// changes a part and has it sent.
type scene struct {
	key      *enctype.Key // the service's
	session  *enctype.Key
	ticket   wire.Ticket // without Enc.Cipher
	part     wire.EncTicketPart
	auth     wire.Authenticator
	options  uint32
	acceptor *Acceptor
	// sealed, if not nil, is the key that seals the ticket instead of key, and
	// signed the one that seals the authenticator instead of session.
	sealed, signed *enctype.Key
}

func newKey(t testing.TB, id etype.ID) *enctype.Key {
	t.Helper()
	k, err := enctype.GenerateKey(id)
	require.NoError(t, err)
	return k
}

// newScene is a request that is good in every way: of alice to the service,
// with a subkey and a checksum that asks for mutual authentication.
func newScene(t testing.TB, id etype.ID) *scene {
	t.Helper()
	s := &scene{key: newKey(t, id), session: newKey(t, id), options: OptMutualRequired}
	s.ticket = wire.Ticket{Server: service, Enc: wire.EncryptedData{Etype: id, Kvno: 3}}
	s.part = wire.EncTicketPart{
		Key:           wire.EncryptionKey{Etype: id, Value: s.session.Bytes()},
		Client:        alice,
		TransitedType: wire.TransitedX500,
		AuthTime:      noon.Add(-time.Hour),
		StartTime:     noon.Add(-time.Minute),
		EndTime:       noon.Add(time.Hour),
	}
	sub := newKey(t, id)
	s.auth = wire.Authenticator{
		Client: alice,
		Time:   noon.Add(123456 * time.Microsecond),
		Subkey: &wire.EncryptionKey{Etype: id, Value: sub.Bytes()},
		Seq:    0x12345678,
		HasSeq: true,
	}
	s.checksum(t, &Checksum{Flags: mech.FlagMutual | mech.FlagConf | mech.FlagInteg})
	s.acceptor = &Acceptor{
		Service:  Service{Keys: []ServiceKey{{service, 3, s.key}}},
		Now:      noon,
		Skew:     skew,
		Replay:   rcache.NewMemory(0),
		Enctypes: types,
	}
	return s
}

func (s *scene) checksum(t testing.TB, c *Checksum) {
	t.Helper()
	sum, err := c.Append(nil)
	require.NoError(t, err)
	s.auth.Checksum = &wire.Checksum{Type: ChecksumType, Sum: sum}
}

// request seals the parts.
func (s *scene) request(t testing.TB) *wire.APReq {
	t.Helper()
	sealed, signed := s.sealed, s.signed
	if sealed == nil {
		sealed = s.key
	}
	if signed == nil {
		signed = s.session
	}
	ticket := s.ticket
	var err error
	ticket.Enc.Cipher, err = sealed.Encrypt(nil, s.part.Append(nil), usageTicket)
	require.NoError(t, err)
	auth, err := signed.Encrypt(nil, s.auth.Append(nil), usageAPReqAuth)
	require.NoError(t, err)
	return &wire.APReq{
		Options:       s.options,
		Ticket:        ticket,
		Authenticator: wire.EncryptedData{Etype: signed.Enctype(), Cipher: auth},
	}
}

// accept sends the request over the wire.
func (s *scene) accept(t testing.TB) (*Accepted, krberr.Code, error) {
	t.Helper()
	req, err := wire.ParseAPReq(s.request(t).Append(nil))
	require.NoError(t, err)
	return s.acceptor.Accept(ctx, req)
}

func (s *scene) accepted(t testing.TB) *Accepted {
	t.Helper()
	acc, report, err := s.accept(t)
	require.NoError(t, err)
	require.Zero(t, report)
	return acc
}

// requireCode demands an error of this package with a code and a major status.
func requireCode(t testing.TB, err error, major gsserr.Major, code krberr.Code) {
	t.Helper()
	var e *gsserr.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, major, e.Major, "%v", err)
	require.Equal(t, code.Minor(), e.Minor, "%v", err)
	require.ErrorIs(t, err, code)
}
