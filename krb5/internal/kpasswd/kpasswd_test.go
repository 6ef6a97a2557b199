package kpasswd

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

var (
	start = time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.UTC)
	alice = principal.New("R", "alice")
)

// service is a password service that lies where a test tells it to.
type service struct {
	t       testing.TB
	session *enctype.Key
	seen    *kdcnet.Request
	got     string // the new password
	auth    *wire.Authenticator

	result  []byte
	theirs  bool // the reply is under a subkey of the service
	time    time.Duration
	version uint16
	change  func(ap, priv []byte) []byte
}

func newService(t testing.TB, id etype.ID) (*service, *ccache.Credential) {
	t.Helper()
	key, err := enctype.GenerateKey(id)
	require.NoError(t, err)
	ticket := wire.Ticket{Server: principal.New("R", "kadmin", "changepw"), Enc: wire.EncryptedData{Etype: id, Cipher: make([]byte, 100)}}
	return &service{t: t, session: key, result: []byte{0, 0}, version: versionChange}, &ccache.Credential{
		Client: alice, Server: ticket.Server, Ticket: ticket.Append(nil),
		Key: secret.Key{Enctype: id, Value: secret.New(key.Bytes())},
	}
}

func (s *service) Exchange(_ context.Context, r *kdcnet.Request) ([]byte, error) {
	s.seen = r
	b := r.Message
	require.Equal(s.t, len(b), int(binary.BigEndian.Uint16(b)))
	require.EqualValues(s.t, 1, binary.BigEndian.Uint16(b[2:]))
	size := int(binary.BigEndian.Uint16(b[4:]))
	ap, err := wire.ParseAPReq(b[6 : 6+size])
	require.NoError(s.t, err)
	require.Equal(s.t, wire.APMutualRequired, ap.Options)
	plain, err := s.session.Decrypt(nil, ap.Authenticator.Cipher, 11)
	require.NoError(s.t, err)
	s.auth, err = wire.ParseAuthenticator(plain)
	require.NoError(s.t, err)
	subkey, err := enctype.NewKey(s.auth.Subkey.Etype, s.auth.Subkey.Value)
	require.NoError(s.t, err)
	priv, err := wire.ParseKRBPriv(b[6+size:])
	require.NoError(s.t, err)
	plain, err = subkey.Decrypt(nil, priv.Enc.Cipher, 13)
	require.NoError(s.t, err)
	part, err := wire.ParseEncKrbPrivPart(plain)
	require.NoError(s.t, err)
	require.True(s.t, part.HasSeq)
	require.Equal(s.t, s.auth.Seq, part.Seq, "bound to the authenticator")
	require.NotNil(s.t, part.SAddress)
	s.got = string(part.UserData)

	rep := apreq.Reply{Time: s.auth.Time.Add(s.time), Seq: 7}
	key := subkey
	if s.theirs {
		key, err = enctype.GenerateKey(subkey.Enctype())
		require.NoError(s.t, err)
		rep.Subkey = key
	}
	answer, err := rep.Append(nil, s.session)
	require.NoError(s.t, err)
	plain = (&wire.EncKrbPrivPart{UserData: s.result, Seq: 7, HasSeq: true, SAddress: &wire.HostAddress{Type: 2, Addr: make([]byte, 4)}}).Append(nil)
	cipher, err := key.Encrypt(nil, plain, 13)
	require.NoError(s.t, err)
	sealed := (&wire.KRBPriv{Enc: wire.EncryptedData{Etype: key.Enctype(), Cipher: cipher}}).Append(nil)
	if s.change != nil {
		return s.change(answer, sealed), nil
	}
	return frame(s.version, answer, sealed)
}

func (s *service) change1(ticket *ccache.Credential, password string, offset time.Duration) error {
	cfg, err := conf.Parse("")
	require.NoError(s.t, err)
	c := &Client{Config: cfg, Exchanger: s, Now: func() time.Time { return start }}
	return c.Change(s.t.Context(), ticket, []byte(password), offset)
}

func TestChange(t *testing.T) {
	for _, id := range enctype.Default() {
		for _, theirs := range []bool{false, true} {
			s, ticket := newService(t, id)
			s.theirs = theirs
			require.NoError(t, s.change1(ticket, "p\u00e4ss", time.Hour))
			require.Equal(t, "p\u00e4ss", s.got)
			require.Equal(t, kdcnet.Password, s.seen.Service)
			require.Equal(t, "R", s.seen.Realm)
			require.Equal(t, alice, s.auth.Client)
			require.Equal(t, start.Add(time.Hour).Truncate(time.Microsecond), s.auth.Time)
		}
	}
	s, ticket := newService(t, etype.AES256SHA1)
	s.version = versionSet
	require.NoError(t, s.change1(ticket, "", 0))
	require.ErrorIs(t, s.change1(ticket, strings.Repeat("x", MaxPassword+1), 0), krberr.KRBFieldTooLong)
	ticket.Ticket = make([]byte, 0xffff)
	require.ErrorIs(t, s.change1(ticket, "x", 0), krberr.KRBFieldTooLong)
}

func TestRefusal(t *testing.T) {
	domain := "\x00\x00\x00\x00\x00\x08\x00\x00\x00\x18\x00\x00\x00\x01\x00\x00\x24\x5b\x0c\x12\x00\x00\x00\x00\x01\x92\x54\xd3\x80\x00"
	for _, tt := range []struct{ data, want string }{
		{"\x00\x04too short", `password service: password rejected: "too short"`},
		{"\x00\x04", "password service: password rejected"},
		{"\x00\x01", "password service: malformed request"},
		{"\x00\x02\x00", "password service: server error"},
		{"\x00\x03", "password service: authentication failed"},
		{"\x00\x05", "password service: access denied"},
		{"\x00\x06", "password service: protocol version not supported"},
		{"\x00\x07", "password service: a ticket of an initial login is needed"},
		{"\x01\x00not \xff text", "password service: result 256"},
		{"\x00\x04line\nbreak", `password service: password rejected: "line\nbreak"`},
		{"\x00\x04" + domain, `password service: password rejected: "it needs at least 8 characters; it must not be one of the last 24 passwords; it needs three of upper case, lower case, digits and signs, and must not contain the name; a password can be changed after`},
	} {
		s, ticket := newService(t, etype.AES256SHA2)
		s.result = []byte(tt.data)
		err := s.change1(ticket, "x", 0)
		var r *Refusal
		require.ErrorAs(t, err, &r)
		require.True(t, r.Authentic)
		require.True(t, strings.HasPrefix(err.Error(), tt.want), "%v", err)
	}
}

func krbError(code int32, data string) []byte {
	return (&wire.KRBError{STime: start, Code: code, Server: principal.New("R", "kadmin", "changepw"), Data: []byte(data)}).Append(nil)
}

// Errors are not authentic: a success in one is none.
func TestError(t *testing.T) {
	for name, change := range map[string]func(ap, priv []byte) []byte{
		"bare":   func(_, _ []byte) []byte { return krbError(60, "\x00\x00") },
		"framed": func(_, _ []byte) []byte { b, _ := frame(versionChange, nil, krbError(60, "\x00\x00")); return b },
	} {
		s, ticket := newService(t, etype.AES256SHA1)
		s.change = change
		err := s.change1(ticket, "x", 0)
		require.ErrorIs(t, err, krberr.KRBGeneric, name)
		var r *Refusal
		require.ErrorAs(t, err, &r, name)
		require.False(t, r.Authentic)
	}
	s, ticket := newService(t, etype.AES256SHA1)
	s.change = func(_, _ []byte) []byte { return krbError(37, "") }
	require.ErrorIs(t, s.change1(ticket, "x", 0), krberr.APSkew)
}

// What does not come from the service, for this request, is no success.
func TestForged(t *testing.T) {
	s, ticket := newService(t, etype.AES256SHA1)
	s.time = time.Microsecond
	require.ErrorIs(t, s.change1(ticket, "x", 0), krberr.MutualFailed)

	reframe := func(ap, priv []byte) []byte { b, _ := frame(versionChange, ap, priv); return b }
	for name, change := range map[string]func(ap, priv []byte) []byte{
		"nothing":         func(_, _ []byte) []byte { return nil },
		"no KRB-PRIV":     func(ap, _ []byte) []byte { return reframe(ap, nil) },
		"no AP-REP":       func(_, priv []byte) []byte { return reframe(nil, priv) },
		"trailing":        func(ap, priv []byte) []byte { return append(reframe(ap, priv), 0) },
		"truncated":       func(ap, priv []byte) []byte { return reframe(ap, priv)[:50] },
		"version":         func(ap, priv []byte) []byte { b := reframe(ap, priv); b[3] = 2; return b },
		"AP-REP too long": func(ap, priv []byte) []byte { b := reframe(ap, priv); b[4] = 0xff; return b },
	} {
		s, ticket := newService(t, etype.AES256SHA1)
		s.change = change
		require.Error(t, s.change1(ticket, "x", 0), name)
	}
	// Every byte counts.
	s, ticket = newService(t, etype.AES256SHA1)
	var size int
	s.change = func(ap, priv []byte) []byte { b := reframe(ap, priv); size = len(b); return b }
	require.NoError(t, s.change1(ticket, "x", 0))
	for i := range size {
		s.change = func(ap, priv []byte) []byte { b := reframe(ap, priv); b[i] ^= 0x20; return b }
		require.Error(t, s.change1(ticket, "x", 0), "byte %d of %d", i, size)
	}
	var r *Refusal
	require.False(t, errors.As(s.change1(ticket, "x", 0), &r))
}

func FuzzReply(f *testing.F) {
	s, ticket := newService(f, etype.AES256SHA1)
	s.change = func(ap, priv []byte) []byte {
		b, _ := frame(versionChange, ap, priv)
		f.Add(b)
		f.Add(krbError(60, "\x00\x04no"))
		return b
	}
	require.NoError(f, s.change1(ticket, "x", 0))
	x, err := newExchange(ticket, start)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		if x.reply(b) == nil {
			t.Fatal("a reply without keys is accepted")
		}
		if err := result(b, true); err != nil && len(err.Error()) > 10*maxText {
			t.Fatal("a text without an end")
		}
	})
}
