package kdcclient

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

var allTypes = []etype.ID{etype.AES128SHA1, etype.AES256SHA1, etype.AES128SHA2, etype.AES256SHA2}

func TestLogin(t *testing.T) {
	for _, id := range allTypes {
		for _, how := range []string{"password", "key"} {
			for _, preauth := range []bool{true, false} {
				t.Run(fmt.Sprintf("%v/%s/preauth=%v", id, how, preauth), func(t *testing.T) {
					k := newKDC(t)
					k.preauth = preauth
					k.part = func(_ *wire.KDCRep, p *wire.EncKDCRepPart) {
						p.KeyExpiration = start.Truncate(time.Second).AddDate(0, 1, 0)
					}
					c := newClient(t, k, "")
					c.Enctypes = []etype.ID{id}
					r := byPassword(password)
					if how == "key" {
						r = byKey(id)
					}
					got, err := c.Login(t.Context(), r)
					require.NoError(t, err)
					part := k.parts[0]
					require.True(t, got.Client.Equal(alice))
					require.True(t, got.Server.Equal(tgtOf))
					require.Equal(t, part.Key.Etype, got.Key.Enctype)
					require.Equal(t, part.Key.Value, got.Key.Value.Bytes())
					require.Equal(t, part.Flags, got.Flags)
					require.Equal(t, start.Truncate(time.Second), got.AuthTime)
					require.Equal(t, start.Truncate(time.Second).Add(24*time.Hour), got.EndTime)
					require.True(t, got.RenewTill.IsZero())
					ticket, err := wire.ParseTicket(got.Ticket)
					require.NoError(t, err)
					_, err = k.tgsKey.Decrypt(nil, ticket.Enc.Cipher, 2)
					require.NoError(t, err)
					require.Zero(t, got.Offset)
					require.Equal(t, part.KeyExpiration, got.KeyExpires)
					if preauth {
						require.Len(t, k.requests, 2)
						require.Equal(t, 1, k.proofs)
						cookie, ok := find(k.last().PAData, wire.PAFXCookie)
						require.True(t, ok)
						require.Equal(t, "cookie", string(cookie.Value))
						require.NotEqual(t, k.requests[0].Body.Nonce, k.requests[1].Body.Nonce)
						require.Equal(t, "kdc.example.com:88", k.seen[1].Prefer)
					} else {
						require.Len(t, k.requests, 1)
					}
					for _, req := range k.requests {
						_, ok := find(req.PAData, wire.PAReqEncPARep)
						require.True(t, ok)
					}
				})
			}
		}
	}
}

// TestLoginWishes: each option shows in the request, and its absence too.
func TestLoginWishes(t *testing.T) {
	const base = wire.OptRenewableOK
	day := start.Truncate(time.Second).Add(24 * time.Hour)
	enterprise := principal.Name{Type: principal.TypeEnterprise, Realm: "EXAMPLE.COM", Components: []string{"alice@corp.example"}}
	service := principal.New("", "kadmin", "changepw")
	for _, tt := range []struct {
		name, libdefaults string
		change            func(*LoginRequest)
		options           uint32
		till, rtime       time.Time
		server            principal.Name
	}{
		{"default", "", nil, base, day, time.Time{}, tgtOf},
		{"forwardable", "", func(r *LoginRequest) { r.Forwardable = true }, base | wire.OptForwardable, day, time.Time{}, tgtOf},
		{"forwardable by configuration", " forwardable = yes", nil, base | wire.OptForwardable, day, time.Time{}, tgtOf},
		{"forwardable for the realm", " forwardable = no\n EXAMPLE.COM = {\n  forwardable = yes\n }", nil, base | wire.OptForwardable, day, time.Time{}, tgtOf},
		{"proxiable", "", func(r *LoginRequest) { r.Proxiable = true }, base | wire.OptProxiable, day, time.Time{}, tgtOf},
		{"proxiable by configuration", " proxiable = true", nil, base | wire.OptProxiable, day, time.Time{}, tgtOf},
		{"canonicalize", "", func(r *LoginRequest) { r.Canonicalize = true }, base | wire.OptCanonicalize, day, time.Time{}, tgtOf},
		{"canonicalize by configuration", " canonicalize = true", nil, base | wire.OptCanonicalize, day, time.Time{}, tgtOf},
		{"enterprise", "", func(r *LoginRequest) { r.Client = enterprise }, base | wire.OptCanonicalize, day, time.Time{}, tgtOf},
		{"lifetime", "", func(r *LoginRequest) { r.Lifetime = time.Hour }, base, day.Add(-23 * time.Hour), time.Time{}, tgtOf},
		{"lifetime by configuration", " ticket_lifetime = 2h", nil, base, day.Add(-22 * time.Hour), time.Time{}, tgtOf},
		{"for ever", "", func(r *LoginRequest) { r.Lifetime = 1<<63 - 1 }, base, maxTime.UTC(), time.Time{}, tgtOf},
		{"renewable", "", func(r *LoginRequest) { r.Renewable = 48 * time.Hour }, wire.OptRenewable, day, day.Add(24 * time.Hour), tgtOf},
		{"renewable by configuration", " renew_lifetime = 7d", nil, wire.OptRenewable, day, day.Add(6 * 24 * time.Hour), tgtOf},
		{"renewable for less than the lifetime", "", func(r *LoginRequest) { r.Renewable = time.Hour }, wire.OptRenewable, day, day, tgtOf},
		{"service", "", func(r *LoginRequest) { r.Service = service }, base, day, time.Time{}, service.WithRealm("EXAMPLE.COM")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKDC(t)
			k.preauth = false
			r := byKey(allTypes...)
			if tt.change != nil {
				tt.change(r)
			}
			got, err := newClient(t, k, tt.libdefaults).Login(t.Context(), r)
			require.NoError(t, err)
			body := k.last().Body
			require.Equal(t, tt.options, body.Options)
			require.Equal(t, tt.till, body.Till)
			require.Equal(t, tt.rtime, body.RTime)
			require.True(t, tt.server.Equal(body.Server))
			require.Empty(t, body.Addrs)
			require.Equal(t, tt.rtime, got.RenewTill)
			require.True(t, got.Server.Equal(tt.server))
		})
	}
	t.Run("addresses", func(t *testing.T) {
		k := newKDC(t)
		_, err := newClient(t, k, " noaddresses = false").Login(t.Context(), byKey(allTypes...))
		require.NoError(t, err)
		require.Equal(t, len(localAddresses()), len(k.last().Body.Addrs))
	})
}

func TestLoginEnctypes(t *testing.T) {
	t.Run("default", func(t *testing.T) {
		k := newKDC(t)
		_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
		require.NoError(t, err)
		require.Equal(t, enctype.Default(), k.last().Body.Etypes)
	})
	t.Run("configured", func(t *testing.T) {
		k := newKDC(t)
		_, err := newClient(t, k, " default_tkt_enctypes = rc4-hmac aes128-sha2 aes128-cts").Login(t.Context(), byPassword(password))
		require.NoError(t, err)
		require.Equal(t, []etype.ID{etype.AES128SHA2, etype.AES128SHA1}, k.last().Body.Etypes)
	})
	t.Run("none left", func(t *testing.T) {
		k := newKDC(t)
		_, err := newClient(t, k, " permitted_enctypes = rc4-hmac").Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, krberr.ConfigEtypeNosupp)
		require.Empty(t, k.requests)
	})
	t.Run("our order, not the KDC's", func(t *testing.T) {
		k := newKDC(t)
		slices.Reverse(k.etypes)
		_, err := newClient(t, k, " permitted_enctypes = aes256-cts aes128-sha2").Login(t.Context(), byPassword(password))
		require.NoError(t, err)
		require.Equal(t, etype.AES256SHA1, proofType(t, k.last()))
	})
	t.Run("what the keytab has, first", func(t *testing.T) {
		k := newKDC(t)
		_, err := newClient(t, k, "").Login(t.Context(), byKey(etype.AES128SHA2))
		require.NoError(t, err)
		require.Equal(t, []etype.ID{19, 18, 17, 20, 25, 26}, k.last().Body.Etypes)
		require.Equal(t, etype.AES128SHA2, proofType(t, k.last()))
	})
	t.Run("nothing in common with the keytab", func(t *testing.T) {
		k := newKDC(t)
		k.etypes = []etype.ID{etype.AES256SHA1}
		_, err := newClient(t, k, "").Login(t.Context(), byKey(etype.AES128SHA2))
		require.ErrorIs(t, err, krberr.KTNotFound)
	})
	t.Run("not supported by the KDC", func(t *testing.T) {
		k := newKDC(t)
		k.etypes = []etype.ID{etype.RC4}
		_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, krberr.KDCEtypeNosupp)
		require.Len(t, k.requests, 1)
	})
}

func proofType(t *testing.T, req *wire.KDCReq) etype.ID {
	t.Helper()
	pa, ok := find(req.PAData, wire.PAEncTimestamp)
	require.True(t, ok)
	enc, err := wire.ParseEncryptedData(pa.Value)
	require.NoError(t, err)
	return enc.Etype
}

func TestWrongPassword(t *testing.T) {
	k := newKDC(t)
	_, err := newClient(t, k, "").Login(t.Context(), byPassword("wrong"))
	require.ErrorIs(t, err, krberr.KDCPreauthFailed)
	require.Equal(t, 1, k.proofs)
	require.Len(t, k.requests, 2)

	k = newKDC(t)
	k.preauth = false
	_, err = newClient(t, k, "").Login(t.Context(), byPassword("wrong"))
	require.ErrorIs(t, err, krberr.APBadIntegrity)
	require.Len(t, k.requests, 1)
}

func TestKvno(t *testing.T) {
	for _, tt := range []struct {
		name string
		have []uint32
		asks []uint32
	}{
		{"the reply's", []uint32{0, 7}, []uint32{0, 7}},
		{"newest instead", []uint32{0}, []uint32{0, 7, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKDC(t)
			k.kvno = 7
			r := byKey(etype.AES256SHA1)
			var asked []uint32
			key := r.Key
			r.Key = func(id etype.ID, kvno uint32) (*enctype.Key, error) {
				asked = append(asked, kvno)
				if !slices.Contains(tt.have, kvno) {
					return nil, krberr.KTKvnoNotFound
				}
				return key(id, kvno)
			}
			_, err := newClient(t, k, "").Login(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, tt.asks, asked)
		})
	}
	t.Run("another type", func(t *testing.T) {
		r := byKey(etype.AES256SHA1)
		r.Key = func(etype.ID, uint32) (*enctype.Key, error) { return stringToKey(etype.AES128SHA1, password, ""), nil }
		_, err := newClient(t, newKDC(t), "").Login(t.Context(), r)
		require.ErrorIs(t, err, krberr.BadEnctype)
		r.Key = func(etype.ID, uint32) (*enctype.Key, error) { return nil, nil }
		_, err = newClient(t, newKDC(t), "").Login(t.Context(), r)
		require.ErrorIs(t, err, krberr.BadEnctype)
	})
}

func TestSkew(t *testing.T) {
	for _, skew := range []time.Duration{time.Hour, -time.Hour, 48 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			k := newKDC(t)
			k.skew = skew
			c := newClient(t, k, "")
			got, err := c.Login(t.Context(), byPassword(password))
			require.NoError(t, err)
			require.Equal(t, 2, k.proofs)
			require.Len(t, k.requests, 3)
			require.InDelta(t, skew.Seconds(), got.Offset.Seconds(), 1)
			require.Equal(t, start.Add(skew+24*time.Hour).Truncate(time.Second), k.last().Body.Till)

			_, err = c.Ticket(t.Context(), got.Credential, imap, nil)
			require.ErrorIs(t, err, krberr.APSkew)
			_, err = c.Ticket(t.Context(), got.Credential, imap, &TicketOptions{Offset: got.Offset})
			require.NoError(t, err)
		})
	}
	t.Run("never valid", func(t *testing.T) {
		k := newKDC(t)
		k.skew = 48 * time.Hour
		k.instead = func(_ int, _ *kdcnet.Request, req *wire.KDCReq) ([]byte, error) {
			if req.Body.Till.Before(k.now()) {
				return k.fail(krberr.KDCNeverValid, nil), nil
			}
			return nil, nil
		}
		got, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
		require.NoError(t, err)
		require.Equal(t, 1, k.proofs)
		require.InDelta(t, 48*3600, got.Offset.Seconds(), 1)
	})
	t.Run("switched off", func(t *testing.T) {
		k := newKDC(t)
		k.skew = time.Hour
		_, err := newClient(t, k, " kdc_timesync = 0").Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, krberr.APSkew)
		require.Equal(t, 1, k.proofs)
		k.preauth = false
		_, err = newClient(t, k, " kdc_timesync = 0").Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, krberr.KDCRepSkew)
		got, err := newClient(t, k, " kdc_timesync = 0\n clockskew = 7200").Login(t.Context(), byPassword(password))
		require.NoError(t, err)
		require.Zero(t, got.Offset)
	})
	t.Run("once", func(t *testing.T) {
		k := newKDC(t)
		k.instead = func(n int, _ *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
			k.skew += time.Hour
			return k.fail(krberr.APSkew, nil), nil
		}
		_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, krberr.APSkew)
		require.Len(t, k.requests, 2)
	})
	t.Run("no skew at all", func(t *testing.T) {
		k := newKDC(t)
		k.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) { return k.fail(krberr.APSkew, nil), nil }
		_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, krberr.APSkew)
		require.Len(t, k.requests, 1)
	})
}

func TestResponseTooBig(t *testing.T) {
	k := newKDC(t)
	k.instead = func(_ int, r *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
		if !r.TCP {
			return k.fail(krberr.KRBResponseTooBig, nil), nil
		}
		return nil, nil
	}
	_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
	require.NoError(t, err)
	require.Equal(t, 1, k.proofs)
	require.Len(t, k.requests, 3) // UDP, TCP, TCP

	k.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) {
		return k.fail(krberr.KRBResponseTooBig, nil), nil
	}
	_, err = newClient(t, k, "").Login(t.Context(), byPassword(password))
	require.ErrorIs(t, err, krberr.KRBResponseTooBig)
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name     string
		code     krberr.Code
		change   func(*wire.KRBError)
		is       krberr.Code
		text     string
		requests int
	}{
		{"client unknown", krberr.KDCClientUnknown, func(e *wire.KRBError) { e.Text = "CLIENT_NOT_FOUND\x00" }, krberr.KDCClientUnknown, `the KDC says "CLIENT_NOT_FOUND")`, 1},
		{"unprintable", krberr.KDCPolicy, func(e *wire.KRBError) { e.Text = "a\x1b[31m\nb\xff" }, krberr.KDCPolicy, `"a\x1b[31m\nb\xff"`, 1},
		{"long", krberr.KDCPolicy, func(e *wire.KRBError) { e.Text = strings.Repeat("x", 5000) }, krberr.KDCPolicy, strings.Repeat("x", 200) + `..."`, 1},
		{"key expired", krberr.KDCKeyExpired, nil, krberr.KDCKeyExpired, "", 1},
		{"wrong realm", krberr.KDCWrongRealm, func(e *wire.KRBError) { e.Client = principal.New("CORP.EXAMPLE", "a") }, krberr.KDCWrongRealm, `realm "CORP.EXAMPLE"`, 1},
		{"wrong realm, no hint", krberr.KDCWrongRealm, nil, krberr.KDCWrongRealm, "", 1},
		{"preauthentication needed for ever", krberr.KDCPreauthRequired, func(e *wire.KRBError) {
			e.Data = wire.AppendMethodData(nil, []wire.PAData{{Type: wire.PAEncTimestamp}})
		}, krberr.PreauthFailed, "encrypted timestamp was not enough", 2},
		{"preauthentication always too old", krberr.KDCPreauthExpired, nil, krberr.KDCPreauthExpired, "", 2},
		{"more preauthentication", krberr.KDCMorePreauth, nil, krberr.KDCMorePreauth, "", 1},
		{"mechanisms unknown here", krberr.KDCPreauthRequired, func(e *wire.KRBError) {
			e.Data = wire.AppendMethodData(nil, []wire.PAData{{Type: 136}, {Type: 16}})
		}, krberr.PreauthFailed, "padata types 136 16", 1},
		{"METHOD-DATA empty", krberr.KDCPreauthRequired, nil, krberr.KDCRepModified, "METHOD-DATA", 1},
		{"METHOD-DATA garbage", krberr.KDCPreauthRequired, func(e *wire.KRBError) { e.Data = []byte{0x30, 0x80} }, krberr.KDCRepModified, "METHOD-DATA", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKDC(t)
			k.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) { return k.fail(tt.code, tt.change), nil }
			_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
			require.ErrorIs(t, err, tt.is)
			require.ErrorContains(t, err, tt.text)
			require.NotContains(t, err.Error(), "\n")
			require.Less(t, len(err.Error()), 600)
			require.Len(t, k.requests, tt.requests)
			if tt.is == tt.code {
				var refused *Error
				require.ErrorAs(t, err, &refused)
				require.Equal(t, k.now(), refused.Time)
			}
		})
	}
	t.Run("a cookie too old, once", func(t *testing.T) {
		k := newKDC(t)
		k.instead = func(n int, _ *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
			if n == 2 {
				return k.fail(krberr.KDCPreauthExpired, nil), nil
			}
			return nil, nil
		}
		_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
		require.NoError(t, err)
		require.Len(t, k.requests, 4)
	})
}

// TestUnauthenticatedError: no error but PREAUTH_REQUIRED changes how the
// client's key is made, not even one with the same e-data.
func TestUnauthenticatedError(t *testing.T) {
	salt := "another salt"
	for _, code := range []krberr.Code{krberr.APSkew, krberr.KDCPreauthExpired, krberr.KRBResponseTooBig} {
		t.Run(code.Name(), func(t *testing.T) {
			k := newKDC(t)
			k.preauth = false
			k.instead = func(n int, _ *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
				if n > 1 {
					return nil, nil
				}
				return k.fail(code, func(e *wire.KRBError) {
					e.STime = start.Add(10 * time.Minute)
					e.Client = principal.New("OTHER", "mallory")
					e.Data = wire.AppendMethodData(nil, []wire.PAData{
						{Type: wire.PAEncTimestamp},
						{Type: wire.PAETypeInfo2, Value: wire.AppendETypeInfo2(nil, []wire.ETypeInfo2Entry{{Etype: etype.AES128SHA1, Salt: &salt}})},
					})
				}), nil
			}
			_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
			require.NoError(t, err)
			_, ok := find(k.last().PAData, wire.PAEncTimestamp)
			require.False(t, ok)
			require.Equal(t, enctype.Default(), k.last().Body.Etypes)
			require.True(t, k.last().Body.Client.SameName(alice))
		})
	}
}

func TestBadLoginRequests(t *testing.T) {
	pw := func() []byte { return []byte(password) }
	key := byKey(etype.AES256SHA1).Key
	for _, tt := range []struct {
		name string
		r    LoginRequest
		is   krberr.Code
	}{
		{"no client", LoginRequest{Password: pw}, krberr.ParseMalformed},
		{"no realm", LoginRequest{Client: principal.New("", "alice"), Password: pw}, krberr.ParseMalformed},
		{"no secret", LoginRequest{Client: alice}, krberr.PreauthNoKey},
		{"two secrets", LoginRequest{Client: alice, Password: pw, Key: key}, krberr.PreauthNoKey},
		{"another realm's service", LoginRequest{Client: alice, Service: principal.TGS("OTHER", "OTHER"), Password: pw}, krberr.ParseMalformed},
		{"no keys", LoginRequest{Client: alice, Key: key}, krberr.KTNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newClient(t, newKDC(t), "").Login(t.Context(), &tt.r)
			require.ErrorIs(t, err, tt.is)
		})
	}
}

func TestLoginCancel(t *testing.T) {
	before := runtime.NumGoroutine()
	for n := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		k := newKDC(t)
		k.instead = func(i int, _ *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
			if i == n {
				cancel()
				return nil, ctx.Err()
			}
			return nil, nil
		}
		if n == 0 {
			cancel()
		}
		_, err := newClient(t, k, "").Login(ctx, byPassword(password))
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, k.requests, n)
		cancel()
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// TestSecrets: neither log nor error has the password or a key in it.
func TestSecrets(t *testing.T) {
	var log bytes.Buffer
	k := newKDC(t)
	c := newClient(t, k, "")
	c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	got, err := c.Login(t.Context(), byPassword(password))
	require.NoError(t, err)
	_, err = c.Ticket(t.Context(), got.Credential, imap, nil)
	require.NoError(t, err)
	_, err = c.Login(t.Context(), byPassword("not the password"))
	require.Error(t, err)
	text := log.String() + err.Error() + fmt.Sprintf("%+v %#v %d", got.Key, got.Key, got.Key)
	for _, secret := range []string{password, "not the password", "staple"} {
		require.NotContains(t, text, secret)
	}
	for _, key := range []*enctype.Key{k.key(etype.AES256SHA1), stringToKey(etype.AES256SHA1, "not the password", k.salt)} {
		require.NotContains(t, text, string(key.Bytes()))
		require.NotContains(t, text, fmt.Sprintf("%x", key.Bytes()))
	}
	require.Contains(t, log.String(), "EXAMPLE.COM")
	require.Contains(t, log.String(), "AS-REQ")
	require.Contains(t, log.String(), "TGS-REQ")
	require.Contains(t, log.String(), "KDC_ERR_PREAUTH_FAILED")
}

func TestConcurrent(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	var wg sync.WaitGroup
	errs := make(chan error, 16)
	for range 16 {
		wg.Go(func() {
			got, err := c.Login(t.Context(), byKey(allTypes...))
			if err == nil {
				_, err = c.Ticket(t.Context(), got.Credential, imap, nil)
			}
			errs <- err
		})
	}
	wg.Wait()
	for range 16 {
		require.NoError(t, <-errs)
	}
}
