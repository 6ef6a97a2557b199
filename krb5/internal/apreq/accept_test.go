package apreq

import (
	"context"
	"errors"
	"fmt"
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

func TestAccept(t *testing.T) {
	for _, id := range types {
		for _, subkey := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/subkey=%t", id, subkey), func(t *testing.T) {
				s := newScene(t, id)
				var sub []byte
				if subkey {
					sub = s.auth.Subkey.Value
				} else {
					s.auth.Subkey = nil
				}
				acc := s.accepted(t)
				require.Equal(t, alice, acc.Client())
				require.Equal(t, service, acc.Server)
				require.Equal(t, OptMutualRequired, acc.Options)
				require.True(t, acc.SessionKey.Equal(s.session))
				require.EqualValues(t, 0x12345678, acc.Auth.Seq)
				require.Equal(t, s.auth.Time, acc.Auth.Time.UTC())
				require.Nil(t, acc.Ticket.Key.Value, "the session key must not stay in the ticket")
				if subkey {
					require.Equal(t, sub, acc.Subkey.Bytes())
					require.Nil(t, acc.Auth.Subkey.Value)
					require.Same(t, acc.Subkey, acc.Key())
				} else {
					require.Nil(t, acc.Subkey)
					require.Same(t, acc.SessionKey, acc.Key())
				}
				terms, err := acc.Terms(nil, false)
				require.NoError(t, err)
				require.Equal(t, &Terms{Flags: mech.FlagMutual | mech.FlagConf | mech.FlagInteg}, terms)
			})
		}
	}
}

// Each way in which a request can be wrong has its code, and its code for the
// peer, which before the authenticator was verified does not tell a forger how
// far it got.
func TestAcceptRefuses(t *testing.T) {
	const id = etype.AES256SHA1
	other := principal.New("EXAMPLE.TEST", "ftp", "server.example.test")
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, s *scene)
		code   krberr.Code
		report krberr.Code
	}{
		{"wrong key", func(t *testing.T, s *scene) { s.sealed = newKey(t, id) }, krberr.APBadIntegrity, krberr.APBadIntegrity},
		{"no keys", func(_ *testing.T, s *scene) { s.acceptor.Service.Keys = nil }, krberr.APNoKey, krberr.APNoKey},
		{"no key that accepts", func(_ *testing.T, s *scene) {
			s.acceptor.Service.Name = principal.New("", "ftp", "")
		}, krberr.APNoKey, krberr.APNoKey},
		{"no key of the type", func(t *testing.T, s *scene) {
			s.acceptor.Service.Keys[0].Key = newKey(t, etype.AES128SHA2)
		}, krberr.APNoKey, krberr.APNoKey},
		{"ticket for another service", func(t *testing.T, s *scene) {
			s.ticket.Server, s.sealed = other, newKey(t, id)
		}, krberr.APNotUs, krberr.APNotUs},
		{"another version", func(t *testing.T, s *scene) {
			s.ticket.Enc.Kvno, s.sealed = 4, newKey(t, id)
		}, krberr.APBadKeyVer, krberr.APBadKeyVer},
		{"another version of one exact name", func(_ *testing.T, s *scene) {
			s.ticket.Enc.Kvno = 4 // and the right key
			s.acceptor.Service.Name, s.acceptor.Service.Exact = service, true
		}, krberr.APBadKeyVer, krberr.APBadKeyVer},
		{"user to user", func(_ *testing.T, s *scene) { s.options |= OptUseSessionKey }, krberr.APMethod, krberr.APMethod},
		{"authenticator under another key", func(t *testing.T, s *scene) { s.signed = newKey(t, id) }, krberr.APBadIntegrity, krberr.APBadIntegrity},
		{"authenticator under another type", func(t *testing.T, s *scene) {
			s.signed = newKey(t, etype.AES128SHA1)
		}, krberr.APBadIntegrity, krberr.APBadIntegrity},
		{"another client", func(_ *testing.T, s *scene) {
			s.auth.Client = principal.New("EXAMPLE.TEST", "mallory")
		}, krberr.APBadMatch, krberr.APBadIntegrity},
		{"another realm of the client", func(_ *testing.T, s *scene) {
			s.auth.Client = alice.WithRealm("OTHER.TEST")
		}, krberr.APBadMatch, krberr.APBadIntegrity},
		{"components joined", func(_ *testing.T, s *scene) {
			s.part.Client, s.auth.Client = principal.New("EXAMPLE.TEST", "a", "b"), principal.New("EXAMPLE.TEST", "a/b")
		}, krberr.APBadMatch, krberr.APBadIntegrity},
		{"session key of an unknown type", func(_ *testing.T, s *scene) { s.part.Key.Etype = 99 }, krberr.BadEnctype, krberr.APBadIntegrity},
		{"session key of a wrong size", func(_ *testing.T, s *scene) {
			s.part.Key.Value = s.part.Key.Value[:16]
		}, krberr.BadKeySize, krberr.APBadIntegrity},
		{"subkey of an unknown type", func(_ *testing.T, s *scene) { s.auth.Subkey.Etype = 99 }, krberr.BadEnctype, krberr.APBadIntegrity},
		{"subkey of a wrong size", func(_ *testing.T, s *scene) { s.auth.Subkey.Value = nil }, krberr.BadKeySize, krberr.APBadIntegrity},
		{"expired", func(_ *testing.T, s *scene) {
			s.part.EndTime = noon.Add(-skew - time.Second)
		}, krberr.APTktExpired, krberr.APTktExpired},
		{"not yet valid", func(_ *testing.T, s *scene) {
			s.part.StartTime = noon.Add(skew + time.Second)
		}, krberr.APTktNYV, krberr.APTktNYV},
		{"not yet valid by authtime", func(_ *testing.T, s *scene) {
			s.part.StartTime, s.part.AuthTime = time.Time{}, noon.Add(skew+time.Second)
		}, krberr.APTktNYV, krberr.APTktNYV},
		{"invalid", func(_ *testing.T, s *scene) { s.part.Flags |= flagInvalid }, krberr.APTktInvalid, krberr.APTktInvalid},
		{"clock late", func(_ *testing.T, s *scene) {
			s.auth.Time = noon.Add(-skew - time.Microsecond)
		}, krberr.APSkew, krberr.APSkew},
		{"clock early", func(_ *testing.T, s *scene) {
			s.auth.Time = noon.Add(skew + time.Microsecond)
		}, krberr.APSkew, krberr.APSkew},
		{"session key not permitted", func(t *testing.T, s *scene) {
			s.session = newKey(t, etype.AES128SHA1)
			s.part.Key = wire.EncryptionKey{Etype: etype.AES128SHA1, Value: s.session.Bytes()}
			s.acceptor.Enctypes = []etype.ID{id}
		}, krberr.NoPermEtype, krberr.NoPermEtype},
		{"subkey not permitted", func(t *testing.T, s *scene) {
			s.auth.Subkey = &wire.EncryptionKey{Etype: etype.AES128SHA1, Value: make([]byte, 16)}
			s.acceptor.Enctypes = []etype.ID{id}
		}, krberr.NoPermEtype, krberr.NoPermEtype},
		{"ticket's type not permitted", func(t *testing.T, s *scene) {
			s.key = newKey(t, etype.AES128SHA1)
			s.ticket.Enc.Etype = etype.AES128SHA1
			s.acceptor.Service.Keys[0].Key = s.key
			s.acceptor.Enctypes = []etype.ID{id}
		}, krberr.NoPermEtype, krberr.NoPermEtype},
		{"nothing permitted", func(_ *testing.T, s *scene) { s.acceptor.Enctypes = nil }, krberr.NoPermEtype, krberr.NoPermEtype},
		{"transited, nobody to ask", func(_ *testing.T, s *scene) { s.part.Transited = []byte("OTHER.TEST") }, krberr.APIllCrTkt, krberr.APIllCrTkt},
		{"transited, refused", func(_ *testing.T, s *scene) {
			s.part.Transited = []byte("EVIL.TEST")
			s.acceptor.Transited = func(client, server string, realms []byte) error {
				return CheckTransited(client, server, realms, nil)
			}
		}, krberr.APIllCrTkt, krberr.APIllCrTkt},
		{"transited, of an unknown type", func(_ *testing.T, s *scene) {
			s.part.TransitedType, s.part.Transited = 2, []byte("TEST")
			s.acceptor.Transited = func(string, string, []byte) error { return nil }
		}, krberr.APIllCrTkt, krberr.APIllCrTkt},
		{"replay cache broken", func(_ *testing.T, s *scene) { s.acceptor.Replay = replay{err: errors.New("disk")} }, krberr.RCIO, krberr.RCIO},
		{"replay cache broken and fresh", func(_ *testing.T, s *scene) {
			s.acceptor.Replay = replay{true, errors.New("disk")}
		}, krberr.RCIO, krberr.RCIO},
		{"replay", func(_ *testing.T, s *scene) { s.acceptor.Replay = replay{} }, krberr.APRepeat, krberr.APRepeat},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScene(t, id)
			tc.change(t, s)
			acc, report, err := s.accept(t)
			require.Nil(t, acc)
			requireCode(t, err, gsserr.ErrFailure, tc.code)
			require.Equal(t, tc.report, report)
		})
	}
}

// replay is a replay cache that always answers the same.
type replay struct {
	fresh bool
	err   error
}

func (r replay) Add(context.Context, []byte, time.Time, time.Time) (bool, error) {
	return r.fresh, r.err
}

// What is just inside a limit is accepted.
func TestAcceptEdges(t *testing.T) {
	for name, change := range map[string]func(s *scene){
		"expired within the skew":   func(s *scene) { s.part.EndTime = noon.Add(-skew) },
		"starts within the skew":    func(s *scene) { s.part.StartTime = noon.Add(skew) },
		"authtime within the skew":  func(s *scene) { s.part.StartTime, s.part.AuthTime = time.Time{}, noon.Add(skew) },
		"starttime before authtime": func(s *scene) { s.part.AuthTime = noon.Add(time.Hour) },
		"clock late":                func(s *scene) { s.auth.Time = noon.Add(-skew) },
		"clock early":               func(s *scene) { s.auth.Time = noon.Add(skew) },
		"no key version":            func(s *scene) { s.ticket.Enc.Kvno = 0 },
		"version of eight bits":     func(s *scene) { s.ticket.Enc.Kvno = 0x103 },
		"no kvno in the keytab":     func(s *scene) { s.acceptor.Service.Keys[0].Kvno = 0 },
		"transited and checked": func(s *scene) {
			s.part.Flags, s.part.Transited = flagTransitChecked, []byte("OTHER.TEST")
		},
		"transited and allowed": func(s *scene) {
			s.part.Transited = []byte("OTHER.TEST")
			s.acceptor.Transited = func(client, server string, realms []byte) error {
				return CheckTransited(client, server, realms, []string{"OTHER.TEST"})
			}
		},
		"no sequence number": func(s *scene) { s.auth.Seq, s.auth.HasSeq = 0, false },
		"unknown authorization data": func(s *scene) {
			s.auth.AuthzData = []wire.AuthzDatum{{Type: 4711, Data: []byte{1}}, {Type: adIfRelevant, Data: []byte("no DER")}}
			s.part.AuthzData = []wire.AuthzDatum{{Type: 4711, Data: []byte{1}}}
		},
		"addresses": func(s *scene) { s.part.Addrs = []wire.HostAddress{{Type: 2, Addr: []byte{192, 0, 2, 1}}} },
	} {
		for _, exact := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/exact=%t", name, exact), func(t *testing.T) {
				s := newScene(t, etype.AES256SHA2)
				if exact {
					s.acceptor.Service.Name, s.acceptor.Service.Exact = service, true
				}
				change(s)
				s.accepted(t)
			})
		}
	}
}

func TestAcceptReplay(t *testing.T) {
	s := newScene(t, etype.AES128SHA1)
	req := s.request(t)
	_, _, err := s.acceptor.Accept(ctx, req)
	require.NoError(t, err)
	_, report, err := s.acceptor.Accept(ctx, req)
	requireCode(t, err, gsserr.ErrFailure, krberr.APRepeat)
	require.Equal(t, krberr.APRepeat, report)

	// The same authenticator with another ticket around it, one for the same
	// session key: still the same.
	again := s.request(t)
	again.Authenticator = req.Authenticator
	_, _, err = s.acceptor.Accept(ctx, again)
	requireCode(t, err, gsserr.ErrFailure, krberr.APRepeat)

	// A second authenticator of the same moment is another one.
	s.accepted(t)
}

// recorder is a replay cache that remembers what it was asked.
type recorder struct {
	tags    [][]byte
	expires []time.Time
}

func (r *recorder) Add(_ context.Context, tag []byte, _, expires time.Time) (bool, error) {
	r.tags = append(r.tags, append([]byte(nil), tag...))
	r.expires = append(r.expires, expires)
	return true, nil
}

// The replay cache gets the tag that MIT's has, the MAC at the end of the
// authenticator, and keeps it for as long as the authenticator is good; it gets
// nothing of a request that is refused for another reason.
func TestAcceptReplayEntry(t *testing.T) {
	for _, id := range types {
		r := &recorder{}
		s := newScene(t, id)
		s.acceptor.Replay = r
		s.auth.Time = noon.Add(time.Minute)
		req := s.request(t)
		_, _, err := s.acceptor.Accept(ctx, req)
		require.NoError(t, err)
		s.auth.Time = noon.Add(-time.Minute)
		s.accepted(t)
		s.auth.Time = noon.Add(time.Hour)
		_, _, err = s.accept(t)
		require.Error(t, err)
		s.auth.Time, s.part.Flags = noon, flagInvalid
		_, _, err = s.accept(t)
		require.Error(t, err)

		require.Len(t, r.tags, 2)
		ct := req.Authenticator.Cipher
		require.Equal(t, ct[len(ct)-enctype.ChecksumSize(id):], r.tags[0])
		require.Equal(t, []time.Time{noon.Add(time.Minute + skew), noon.Add(skew)}, r.expires)
	}
}

func TestAcceptReplayFull(t *testing.T) {
	s := newScene(t, etype.AES128SHA1)
	s.acceptor.Replay = rcache.NewMemory(1)
	var refused int
	for range 64 {
		if _, _, err := s.accept(t); err != nil {
			requireCode(t, err, gsserr.ErrFailure, krberr.RCIO)
			require.ErrorIs(t, err, rcache.ErrFull)
			refused++
		}
	}
	require.NotZero(t, refused)
}

// A ticket that does not say what it must is not one of the KDC's.
func TestAcceptGarbageInside(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	seal := func(k *enctype.Key, plain []byte, usage uint32) []byte {
		ct, err := k.Encrypt(nil, plain, usage)
		require.NoError(t, err)
		return ct
	}
	for _, plain := range [][]byte{nil, {0x63}, []byte("garbage"), s.auth.Append(nil), append(s.part.Append(nil), 0)} {
		req := s.request(t)
		req.Ticket.Enc.Cipher = seal(s.key, plain, usageTicket)
		_, report, err := s.acceptor.Accept(ctx, req)
		requireCode(t, err, gsserr.ErrFailure, krberr.APModified)
		require.Equal(t, krberr.APBadIntegrity, report)
	}
	for _, plain := range [][]byte{nil, {0x62}, []byte("garbage"), s.part.Append(nil), append(s.auth.Append(nil), 0)} {
		req := s.request(t)
		req.Authenticator.Cipher = seal(s.session, plain, usageAPReqAuth)
		_, report, err := s.acceptor.Accept(ctx, req)
		requireCode(t, err, gsserr.ErrFailure, krberr.APModified)
		require.Equal(t, krberr.APBadIntegrity, report)
	}
	// Each part only where it belongs.
	req := s.request(t)
	req.Ticket.Enc.Cipher = seal(s.key, s.part.Append(nil), usageAPReqAuth)
	_, _, err := s.acceptor.Accept(ctx, req)
	requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
	req = s.request(t)
	req.Authenticator.Cipher = seal(s.session, s.auth.Append(nil), usageTicket)
	_, _, err = s.acceptor.Accept(ctx, req)
	requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
	for n := range 40 {
		req = s.request(t)
		req.Authenticator.Cipher = req.Authenticator.Cipher[:n]
		_, _, err = s.acceptor.Accept(ctx, req)
		requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
		req = s.request(t)
		req.Ticket.Enc.Cipher = req.Ticket.Enc.Cipher[:n]
		_, _, err = s.acceptor.Accept(ctx, req)
		requireCode(t, err, gsserr.ErrFailure, krberr.APBadIntegrity)
	}
}

// No error says anything that was encrypted.
func TestAcceptErrorsAreBlind(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	s.auth.Client = principal.New("EXAMPLE.TEST", "hidden-client")
	_, _, err := s.accept(t)
	require.NotContains(t, err.Error(), "hidden")
	require.NotContains(t, err.Error(), "alice")
}
