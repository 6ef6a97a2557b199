package interop

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
)

// legacy are the encryption types that few realms have.
var legacy = []struct{ short, long string }{
	{"rc4", mitkdc.RC4},
	{"des3", mitkdc.DES3},
	{"camellia128", mitkdc.Camellia128},
	{"camellia256", mitkdc.Camellia256},
}

const (
	errNoPermEtype krb5.Code = -1765328384 + 236
	errInvalidUTF8 krb5.Code = -1765328384 + 251
)

// unusual are passwords that a careless conversion to UTF-16 spoils.
var unusual = map[string]string{
	"umlauts": "p\u00e4ssw\u00f6rd",
	"han":     "\u5bc6\u7801",
	"clef":    "\U0001d11eclef\U0001f511", // surrogates
}

// withLegacyRealm puts a realm that has all encryption types in the place of the
// usual one until the test has ended.
func withLegacyRealm(t *testing.T) {
	t.Helper()
	all := append(mitkdc.Enctypes(), mitkdc.RC4, mitkdc.DES3, mitkdc.Camellia128, mitkdc.Camellia256)
	ps := []mitkdc.Principal{{Name: "alice", Password: password("alice")}}
	for _, e := range legacy {
		only := []string{e.long}
		ps = append(ps,
			mitkdc.Principal{Name: e.short, Password: password(e.short), Keytab: "users.keytab", Enctypes: only},
			mitkdc.Principal{Name: e.short + "/localhost", Keytab: "services.keytab", Enctypes: only})
	}
	for user, text := range unusual {
		ps = append(ps, mitkdc.Principal{Name: user, Password: text, Enctypes: []string{mitkdc.RC4}})
	}
	r, err := mitkdc.StartWith(t.TempDir(), realmName, ps, &mitkdc.Options{Enctypes: all})
	require.NoError(t, err)
	usual := realm
	realm = r
	t.Cleanup(func() {
		realm = usual
		r.Close()
	})
	for _, e := range legacy {
		_, err := r.WriteConfig(e.short+".conf", e.long)
		require.NoError(t, err)
	}
}

func eachLegacyRole(t *testing.T, f func(t *testing.T, a *attempt)) {
	withLegacyRealm(t)
	for _, e := range legacy {
		for _, role := range []string{"initiate", "accept"} {
			t.Run(e.short+"/"+role, func(t *testing.T) {
				f(t, &attempt{enctype: e.short, initiate: role == "initiate"})
			})
		}
	}
}

func (a *attempt) old() bool { return a.enctype == "rc4" || a.enctype == "des3" }

func TestLegacyContexts(t *testing.T) {
	eachLegacyRole(t, func(t *testing.T, a *attempt) {
		for _, tt := range []struct {
			name        string
			omit, flags gssapi.Flags
		}{
			{"mutual", 0, 0},
			{"one way", gssapi.FlagMutual, 0},
			{"DCE style", 0, gssapi.FlagDCEStyle},
		} {
			t.Run(tt.name, func(t *testing.T) {
				b := *a
				b.omit, b.flags = tt.omit, tt.flags
				p := b.establish(t)
				for _, e := range legacy {
					if e.short == a.enctype {
						require.Equal(t, e.long, p.ours.Info().Enctype)
					}
				}
				p.exchange(t)
			})
		}
	})
}

func TestLegacyTokens(t *testing.T) {
	eachLegacyRole(t, func(t *testing.T, a *attempt) {
		a.tokens(t, rand.New(rand.NewPCG(1964, 4757)))
	})
}

// flip returns a copy of the token with one bit changed that counts.
func (a *attempt) flip(rnd *rand.Rand, k kind, token []byte) []byte {
	if !a.old() {
		return flip(rnd, k, token)
	}
	// Behind the frame, which ends with the mechanism.
	at := bytes.Index(token, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2}) + 9
	for {
		b := bytes.Clone(token)
		bit := rnd.IntN(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
		if number := bit/8 - at - 8; a.enctype == "rc4" && k != sealed && number >= 0 && number < 4 {
			continue // the number, which RFC 4757 protects with a stream cipher alone
		}
		return b
	}
}

func TestLegacyOrder(t *testing.T) {
	eachLegacyRole(t, func(t *testing.T, a *attempt) {
		p := a.establish(t)
		text := []byte("text")
		for _, k := range []kind{sealed, signed, mic} {
			var ours, theirs [5][]byte
			for i := range ours {
				ours[i], theirs[i] = p.make(t, k, text), p.theirs(k, text)
			}
			for _, step := range []struct {
				token int
				want  error
			}{
				{0, nil}, {0, gssapi.ErrDuplicateToken}, {3, gssapi.ErrGapToken}, {1, gssapi.ErrUnseqToken}, {4, nil},
			} {
				_, err := p.give(t, k, text, ours[step.token])
				require.ErrorIs(t, err, step.want, "the peer on our token %d", step.token)
				_, err = p.take(t, k, text, theirs[step.token])
				require.ErrorIs(t, err, step.want, "we on the peer's token %d", step.token)
			}
		}
	})
}

// Both sides compute the same limit, and draw the same bytes.
func TestLegacyLimitsAndPRF(t *testing.T) {
	eachLegacyRole(t, func(t *testing.T, a *attempt) {
		p := a.establish(t)
		for _, encrypt := range []bool{true, false} {
			o := &gssapi.WrapOptions{IntegrityOnly: !encrypt}
			for _, size := range []int{0, 20, 60, 61, 100, 127, 128, 256, 300, 1000, 4096, 65536} {
				got, err := p.ours.WrapSizeLimit(size, o)
				require.NoError(t, err)
				require.Equal(t, p.peer.sizeLimit(encrypt, size), got, "encrypt %v, size %d", encrypt, size)
			}
		}
		for _, full := range []bool{false, true} {
			for _, n := range []int{1, 16, 20, 100} {
				got, err := p.ours.PRF(nil, full, []byte("seed"), n)
				require.NoError(t, err)
				require.Equal(t, p.peer.prf(full, []byte("seed"), n), got, "full %v, %d bytes", full, n)
			}
		}
	})
}

// RFC 4537 leads from a ticket of an old type to a subkey of a new one, and to
// the tokens of RFC 4121.
func TestLegacyUpgrade(t *testing.T) {
	eachLegacyRole(t, func(t *testing.T, a *attempt) {
		_, err := realm.WriteConfig("upgrade.conf", mitkdc.AES256SHA2, mitkdc.RC4, mitkdc.DES3, mitkdc.Camellia128, mitkdc.Camellia256)
		require.NoError(t, err)
		a.conf = "upgrade.conf"
		p := a.establish(t)
		require.Equal(t, mitkdc.AES256SHA2, p.ours.Info().Enctype)
		p.exchange(t)
	})
}

// Our client logs in and gets service tickets, with a password and with a
// keytab, where no other type is permitted.
func TestLegacyLogin(t *testing.T) {
	withLegacyRealm(t)
	kt, err := keytab.Load("FILE:" + realm.File("users.keytab"))
	require.NoError(t, err)
	for _, e := range legacy {
		for name, o := range map[string]*krb5.LoginOptions{"password": withPassword(e.short), "keytab": {Keytab: kt}} {
			t.Run(e.short+"/"+name, func(t *testing.T) {
				r, m := engine(t, e.short+".conf", "/nonexistent/ccache")
				elem, err := m.Login(testContext(t), e.short, o)
				require.NoError(t, err)
				c := credential(t, r, elem)
				inquire(t, c, e.short)
				talk(t, r, c, e.short, e.short)
			})
		}
	}
}

// A ticket that our client has put into a cache is good for MIT's.
func TestLegacyCache(t *testing.T) {
	withLegacyRealm(t)
	for _, e := range legacy {
		t.Run(e.short, func(t *testing.T) {
			r, m := engine(t, e.short+".conf", "/nonexistent/ccache")
			elem, err := m.Login(testContext(t), "alice", withPassword("alice"))
			require.NoError(t, err)
			file, klist := keep(t, credential(t, r, elem))
			require.Contains(t, klist, e.long)
			_, err = realm.RunEnv(environ(e.short+".conf", file), "", "kvno", e.short+"/localhost")
			require.NoError(t, err)
		})
	}
}

// Passwords beyond ASCII make the keys of RC4 that MIT makes.
func TestLegacyPasswords(t *testing.T) {
	withLegacyRealm(t)
	for user, text := range unusual {
		t.Run(user, func(t *testing.T) {
			cc := filepath.Join(t.TempDir(), "ccache")
			_, err := realm.RunEnv(environ("rc4.conf", cc), text+"\n", "kinit", user)
			require.NoError(t, err)
			_, m := engine(t, "rc4.conf", "/nonexistent/ccache")
			login := func(text string) error {
				_, err := m.Login(testContext(t), user, &krb5.LoginOptions{Password: func() []byte { return []byte(text) }})
				return err
			}
			require.NoError(t, login(text))
			require.ErrorIs(t, login(text+"x"), krb5.ErrPreauthFailed)
			require.ErrorIs(t, login(text+"\xff"), errInvalidUTF8)
		})
	}
}

// Without allow_rc4 and allow_des3 the two types do not exist, whatever the lists
// say: not for a login, not for the tickets of a cache, not for an acceptor.
func TestLegacyNotAllowed(t *testing.T) {
	withLegacyRealm(t)
	for _, e := range legacy[:2] {
		t.Run(e.short, func(t *testing.T) {
			text, err := os.ReadFile(realm.File(e.short + ".conf"))
			require.NoError(t, err)
			strict := "strict-" + e.short + ".conf"
			rest := strings.NewReplacer("allow_rc4 = true", "allow_weak_crypto = true", "allow_des3 = true", "allow_weak_crypto = true").Replace(string(text))
			require.NotEqual(t, string(text), rest)
			require.NoError(t, os.WriteFile(realm.File(strict), []byte(rest), 0o600))

			cc := kinit(t, e.short+".conf", "alice") // MIT does not mind
			r, m := engine(t, strict, cc)
			_, err = m.Login(testContext(t), e.short, withPassword(e.short))
			require.Error(t, err)

			i, err := gssapi.InitContext(gssapi.HostBased(e.short, "localhost"), &gssapi.InitOptions{Registry: r})
			require.NoError(t, err)
			_, _, err = i.Step(testContext(t), nil)
			require.Error(t, err)

			_, err = gssapi.AcquireCred(testContext(t), gssapi.HostBased(e.short, "localhost"), gssapi.UsageAccept, &gssapi.CredOptions{Registry: r})
			require.ErrorIs(t, err, gssapi.ErrNoCred)

			// An acceptor whose other keys are good does not open such tickets.
			p := startPeer(t, environ(e.short+".conf", cc), "initiate", "service="+e.short+"@localhost")
			a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, "camellia256")})
			require.NoError(t, err)
			defer a.Close()
			err = gssapi.Exchange(testContext(t), a, p.send, p.recv)
			require.ErrorIs(t, err, errNoPermEtype)
		})
	}
}
