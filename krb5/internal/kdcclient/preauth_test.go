package kdcclient_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcclient"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/testenv"
)

const (
	realm  = "EXAMPLE.TEST"
	secret = "correct horse battery staple"
)

// world is a KDC and a client of it, with someone in between who sees every
// message and may change it.
type world struct {
	*kdcclient.Client
	kdc *testenv.KDC

	mu       sync.Mutex
	requests []*wire.KDCReq
	replies  [][]byte
	// change, if not nil, sees the nth answer (from 1) and returns another one.
	change func(n int, reply []byte) []byte
	// instead, if not nil, answers itself where it returns something.
	instead func(n int) []byte
	// ask, if not nil, does the same with requests.
	ask func(n int, request []byte) []byte
}

func newWorld(t testing.TB, o *testenv.Options, libdefaults string) *world {
	t.Helper()
	o.NoListen = true
	w := &world{kdc: testenv.NewKDC(o)}
	t.Cleanup(w.kdc.Close)
	w.kdc.AddUser("alice", secret)
	w.kdc.AddUser("bob", secret)
	w.kdc.AddService("host/server.example.test")
	cfg, err := conf.Parse(w.kdc.Config() + "\n[libdefaults]\n" + libdefaults + "\n")
	require.NoError(t, err)
	w.Client = &kdcclient.Client{Config: cfg, Exchanger: w, Logger: slog.New(slog.DiscardHandler)}
	return w
}

func (w *world) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	req, err := wire.ParseKDCReq(r.Message)
	if err != nil {
		return nil, err
	}
	w.requests = append(w.requests, req)
	if w.instead != nil {
		if reply := w.instead(len(w.requests)); reply != nil {
			return reply, nil
		}
	}
	message := *r
	message.TCP = true
	if w.ask != nil {
		message.Message = w.ask(len(w.requests), slices.Clone(r.Message))
	}
	reply, err := w.kdc.Exchange(ctx, &message)
	if err != nil {
		return nil, err
	}
	if w.change != nil {
		reply = w.change(len(w.requests), slices.Clone(reply))
	}
	w.replies = append(w.replies, reply)
	return reply, nil
}

func (w *world) reset() { w.requests, w.replies, w.change, w.ask, w.instead = nil, nil, nil, nil, nil }

func (w *world) last() *wire.KDCReq { return w.requests[len(w.requests)-1] }

func has(list []wire.PAData, typ int32) bool {
	return slices.ContainsFunc(list, func(pa wire.PAData) bool { return pa.Type == typ })
}

func as(user, pw string) *kdcclient.LoginRequest {
	return &kdcclient.LoginRequest{Client: principal.New(realm, user), Password: func() []byte { return []byte(pw) }}
}

// withKeys is as with the user's keys, which are at hand: a password takes time.
func (w *world) withKeys(t testing.TB, user string) *kdcclient.LoginRequest {
	t.Helper()
	kt, err := keytab.Parse(w.kdc.UserKeytab(user))
	require.NoError(t, err)
	r := &kdcclient.LoginRequest{Client: principal.New(realm, user)}
	for _, e := range kt.Entries() {
		r.KeyTypes = append(r.KeyTypes, e.Key.Enctype)
	}
	r.Key = func(id etype.ID, kvno uint32) (*enctype.Key, error) {
		e, err := kt.Lookup(r.Client, kvno, id)
		if err != nil {
			return nil, err
		}
		return enctype.NewKey(id, e.Key.Value.Bytes())
	}
	return r
}

func anonymously(w *world) *kdcclient.LoginRequest {
	return &kdcclient.LoginRequest{Client: principal.Anonymous.WithRealm(realm), PKINIT: &kdcclient.PKINIT{Anchors: w.kdc.Anchors()}}
}

func (w *world) login(t testing.TB, r *kdcclient.LoginRequest) *kdcclient.Result {
	t.Helper()
	got, err := w.Login(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "krbtgt/"+realm+"@"+realm, got.Server.String())
	// What was got is good for more.
	_, err = w.Ticket(t.Context(), got.Credential, principal.New(realm, "host", "server.example.test"), &kdcclient.TicketOptions{Offset: got.Offset})
	require.NoError(t, err)
	return got
}

// all is a KDC that knows everything.
func all() *testenv.Options {
	return &testenv.Options{FAST: true, PKINIT: true, SPAKE: []string{"edwards25519", "P-256", "P-384", "P-521"}}
}

func TestSPAKE(t *testing.T) {
	for _, group := range []string{"edwards25519", "P-256", "P-384", "P-521"} {
		for _, id := range []etype.ID{etype.AES128SHA1, etype.AES256SHA1, etype.AES128SHA2, etype.AES256SHA2} {
			t.Run(fmt.Sprintf("%s/%v", group, id), func(t *testing.T) {
				w := newWorld(t, &testenv.Options{SPAKE: []string{group}, Enctypes: []int32{int32(id)}}, "")
				got := w.login(t, as("alice", secret))
				require.Equal(t, wire.PASPAKE, got.Mechanism)
				require.False(t, has(w.requests[2].PAData, wire.PAEncTimestamp))
				require.True(t, has(w.requests[2].PAData, wire.PAFXCookie))
				require.False(t, got.FAST)
				require.Len(t, w.requests, 4)

				w.reset()
				_, err := w.Login(t.Context(), as("alice", "wrong"))
				require.ErrorIs(t, err, krberr.KDCPreauthFailed)
				require.Len(t, w.requests, 3) // no second attempt
			})
		}
	}
}

func TestSPAKEGroups(t *testing.T) {
	w := newWorld(t, all(), " spake_preauth_groups = P-384, p-256,unknown P-384")
	w.login(t, as("alice", secret))
	for _, pa := range w.requests[1].PAData {
		if pa.Type == wire.PASPAKE {
			msg, err := wire.ParsePASPAKE(pa.Value)
			require.NoError(t, err)
			require.Equal(t, []int32{3, 2}, msg.Support)
		}
	}
	w = newWorld(t, all(), " spake_preauth_groups = unknown")
	_, err := w.Login(t.Context(), as("alice", secret))
	require.ErrorIs(t, err, krberr.PreauthFailed)
	w = newWorld(t, &testenv.Options{SPAKE: []string{"P-256"}}, " spake_preauth_groups = P-384")
	_, err = w.Login(t.Context(), as("alice", secret))
	require.ErrorIs(t, err, krberr.KDCPreauthFailed)
}

// hint is the METHOD-DATA of the first answer, changed.
func hint(t *testing.T, reply []byte, change func([]wire.PAData) []wire.PAData) []byte {
	e, err := wire.ParseKRBError(reply)
	require.NoError(t, err)
	list, err := wire.ParseMethodData(e.Data)
	require.NoError(t, err)
	e.Data = wire.AppendMethodData(nil, change(list))
	return e.Append(nil)
}

func without(typ int32) func([]wire.PAData) []wire.PAData {
	return func(list []wire.PAData) []wire.PAData {
		return slices.DeleteFunc(list, func(pa wire.PAData) bool { return pa.Type == typ })
	}
}

// A challenge that was not asked for, or is none, ends the login.
func TestSPAKEChallengeRefused(t *testing.T) {
	for name, make := range map[string]func(*wire.SPAKEChallenge) []byte{
		"another group": func(c *wire.SPAKEChallenge) []byte {
			c.Group = 7
			return (&wire.PASPAKEMessage{Challenge: c}).Append(nil)
		},
		"no such point": func(c *wire.SPAKEChallenge) []byte {
			c.Public[0] = 9
			return (&wire.PASPAKEMessage{Challenge: c}).Append(nil)
		},
		"a second factor": func(c *wire.SPAKEChallenge) []byte {
			c.Factors = []wire.SPAKEFactor{{Type: 2}}
			return (&wire.PASPAKEMessage{Challenge: c}).Append(nil)
		},
		"no factor": func(c *wire.SPAKEChallenge) []byte {
			c.Factors = nil
			return (&wire.PASPAKEMessage{Challenge: c}).Append(nil)
		},
		"a support": func(*wire.SPAKEChallenge) []byte { return (&wire.PASPAKEMessage{Support: []int32{2}}).Append(nil) },
		"encdata": func(*wire.SPAKEChallenge) []byte {
			return (&wire.PASPAKEMessage{EncData: &wire.EncryptedData{}}).Append(nil)
		},
		"nothing at all": func(*wire.SPAKEChallenge) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, &testenv.Options{SPAKE: []string{"P-256"}}, "")
			w.change = func(n int, reply []byte) []byte {
				if n != 2 {
					return reply
				}
				return hint(t, reply, func(list []wire.PAData) []wire.PAData {
					for i, pa := range list {
						if pa.Type == wire.PASPAKE {
							msg, err := wire.ParsePASPAKE(pa.Value)
							require.NoError(t, err)
							list[i].Value = make(msg.Challenge)
						}
					}
					return list
				})
			}
			_, err := w.Login(t.Context(), as("alice", secret))
			require.Error(t, err)
			require.NotZero(t, krberr.Of(err))
			require.Len(t, w.requests, 2)
		})
	}
}

// The KDC offers SPAKE and, after the login has begun, only a timestamp: what
// could be guessed at is not sent any more. Nor is it if the configuration says
// so, whatever the KDC offers.
func TestNoDowngrade(t *testing.T) {
	w := newWorld(t, &testenv.Options{SPAKE: []string{"P-256"}}, "")
	w.change = func(n int, reply []byte) []byte {
		switch n {
		case 2:
			return (&wire.KRBError{STime: time.Now(), Code: 90, Server: principal.TGS(realm, realm)}).Append(nil)
		case 3:
			return hint(t, reply, without(wire.PASPAKE))
		}
		return reply
	}
	_, err := w.Login(t.Context(), as("alice", secret))
	require.ErrorIs(t, err, krberr.PreauthFailed)
	for _, r := range w.requests {
		require.False(t, has(r.PAData, wire.PAEncTimestamp))
	}
	w = newWorld(t, &testenv.Options{}, "[realms]\n "+realm+" = {\n disable_encrypted_timestamp = true\n }")
	_, err = w.Login(t.Context(), as("alice", secret))
	require.ErrorIs(t, err, krberr.PreauthFailed)
	require.Len(t, w.requests, 1)
}

func TestFAST(t *testing.T) {
	for _, id := range []etype.ID{etype.AES128SHA1, etype.AES256SHA1, etype.AES128SHA2, etype.AES256SHA2} {
		t.Run(fmt.Sprint(id), func(t *testing.T) {
			o := all()
			o.Enctypes = []int32{int32(id)}
			w := newWorld(t, o, "")
			armor := w.login(t, as("bob", secret))
			require.True(t, armor.FAST)
			w.reset()
			r := as("alice", secret)
			r.Armor = armor.Credential
			got := w.login(t, r)
			require.True(t, got.FAST)
			require.Equal(t, wire.PAEncChallenge, got.Mechanism)
			require.Equal(t, "alice@"+realm, got.Client.String())
			for _, req := range w.requests[:2] {
				require.Len(t, req.PAData, 1)
				require.Equal(t, wire.PAFXFast, req.PAData[0].Type)
				require.Equal(t, []string{"alice"}, req.Body.Client.Components)
			}

			w.reset()
			r.HideClient = true
			got = w.login(t, r)
			require.Equal(t, "alice@"+realm, got.Client.String())
			for _, req := range w.requests[:2] {
				require.Equal(t, principal.Anonymous.Components, req.Body.Client.Components)
			}
			rep, err := wire.ParseKDCRep(w.replies[1])
			require.NoError(t, err)
			require.Equal(t, principal.Anonymous.Components, rep.Client.Components)

			w.reset()
			wrong := as("alice", "wrong")
			wrong.Armor = armor.Credential
			_, err = w.Login(t.Context(), wrong)
			require.ErrorIs(t, err, krberr.KDCPreauthFailed)
			require.Len(t, w.requests, 2)
		})
	}
}

// Whose ticket is the armor does not matter: a host's, nobody's.
func TestFASTArmor(t *testing.T) {
	w := newWorld(t, all(), "")
	anonymous := w.login(t, anonymously(w))
	r := as("alice", secret)
	r.Armor = anonymous.Credential
	got := w.login(t, r)
	require.Equal(t, "alice@"+realm, got.Client.String())

	other := testenv.NewKDC(&testenv.Options{Realm: "OTHER.TEST", NoListen: true, FAST: true})
	defer other.Close()
	r.Armor = anonymous.Credential
	w.kdc = other
	_, err := w.Login(t.Context(), r)
	require.Error(t, err)
}

// With armor nothing else will do.
func TestFASTRequired(t *testing.T) {
	w := newWorld(t, all(), "")
	armor := w.login(t, as("bob", secret)).Credential
	r := as("alice", secret)
	r.Armor = armor
	plain := newWorld(t, &testenv.Options{}, "")
	w.kdc = plain.kdc // does not know it
	w.reset()
	_, err := w.Login(t.Context(), r)
	require.ErrorIs(t, err, krberr.FASTRequired)
	require.Len(t, w.requests, 1)

	// A KDC that wants no preauthentication, the same.
	w.kdc = newWorld(t, &testenv.Options{NoPreauth: true}, "").kdc
	_, err = w.Login(t.Context(), r)
	require.ErrorIs(t, err, krberr.FASTRequired)
}

// Someone in between strips the protection from errors and replies, or makes up
// errors: none leads to an unprotected proof.
func TestFASTStripped(t *testing.T) {
	w := newWorld(t, all(), "")
	armor := w.login(t, as("bob", secret)).Credential
	strip := map[string]func(n int, reply []byte) []byte{
		"the first error": func(n int, reply []byte) []byte {
			return hint(t, reply, func([]wire.PAData) []wire.PAData { return []wire.PAData{{Type: wire.PAEncTimestamp}} })
		},
		"the reply": func(n int, reply []byte) []byte {
			if n == 1 {
				return reply
			}
			rep, err := wire.ParseKDCRep(reply)
			require.NoError(t, err)
			rep.PAData = nil
			return rep.Append(nil)
		},
	}
	for _, code := range []int32{25, 90, 91, 68} {
		strip[fmt.Sprint("error ", code)] = func(n int, reply []byte) []byte {
			e := wire.KRBError{STime: time.Now(), Code: code, Client: principal.New("EVIL.TEST", "alice"), Server: principal.TGS(realm, realm),
				Data: wire.AppendMethodData(nil, []wire.PAData{{Type: wire.PAEncTimestamp}, {Type: wire.PASPAKE}})}
			return e.Append(nil)
		}
	}
	for name, change := range strip {
		t.Run(name, func(t *testing.T) {
			w.reset()
			w.change = change
			r := as("alice", secret)
			r.Armor, r.Canonicalize = armor, true
			_, err := w.Login(t.Context(), r)
			require.ErrorIs(t, err, krberr.FASTRequired)
			for _, req := range w.requests {
				require.True(t, has(req.PAData, wire.PAFXFast))
			}
		})
	}
}

// tamper runs a login again and again, each time with one bit of one answer
// changed: never is it a success with another outcome than the honest one.
func tamper(t *testing.T, w *world, r *kdcclient.LoginRequest, answer, step int, outside func(sent, got *wire.KDCRep) bool) {
	t.Helper()
	w.reset()
	honest, err := w.Login(t.Context(), r)
	require.NoError(t, err)
	size := len(w.replies[answer-1])
	for i := 0; i < size; i += step {
		w.reset()
		var sent []byte
		w.change = func(n int, reply []byte) []byte {
			if n == answer && i < len(reply) {
				sent = slices.Clone(reply)
				reply[i] ^= 1 << (i % 8)
			}
			return reply
		}
		got, err := w.Login(t.Context(), r)
		if err == nil {
			require.Equal(t, honest.Client.String(), got.Client.String(), "byte %d", i)
			require.Equal(t, honest.Server.String(), got.Server.String(), "byte %d", i)
			if sent == nil {
				continue // this one was shorter
			}
			before, err := wire.ParseKDCRep(sent)
			require.NoError(t, err)
			after, err := wire.ParseKDCRep(w.replies[answer-1])
			require.NoError(t, err)
			require.True(t, outside(before, after), "byte %d of %d changed something that counts", i, size)
			continue
		}
		require.NotZero(t, krberr.Of(err), "byte %d: %v", i, err)
	}
}

// Under armor every bit of the reply counts but a few outside it, which are not
// used.
func TestFASTTampered(t *testing.T) {
	w := newWorld(t, all(), "")
	r := w.withKeys(t, "alice")
	r.Armor = w.login(t, as("bob", secret)).Credential
	tamper(t, w, r, 2, 1, func(_, rep *wire.KDCRep) bool {
		return rep.Client.String() != "alice@"+realm || rep.Enc.Kvno != 1 || rep.Client.Type != 1
	})
	// And of the error before it.
	w.reset()
	_, err := w.Login(t.Context(), r)
	require.NoError(t, err)
	for i := range len(w.replies[0]) {
		w.reset()
		w.change = func(n int, reply []byte) []byte {
			if n == 1 && i < len(reply) {
				reply[i] ^= 1 << (i % 8)
			}
			return reply
		}
		if _, err := w.Login(t.Context(), r); err != nil {
			require.NotZero(t, krberr.Of(err), "byte %d: %v", i, err)
		}
		for _, req := range w.requests {
			require.True(t, has(req.PAData, wire.PAFXFast))
		}
	}
}

// Around armor Heimdal leaves the client's name empty; without armor that is
// nobody's ticket.
func TestEmptyClient(t *testing.T) {
	w := newWorld(t, all(), "")
	armor := w.login(t, as("bob", secret)).Credential
	empty := func(_ int, reply []byte) []byte {
		rep, err := wire.ParseKDCRep(reply)
		if err != nil {
			return reply
		}
		rep.Client.Components = nil
		return rep.Append(nil)
	}
	r := as("alice", secret)
	r.Canonicalize = true
	for _, armored := range []bool{true, false} {
		w.reset()
		w.change = empty
		if armored {
			r.Armor = armor
		} else {
			r.Armor = nil
		}
		got, err := w.Login(t.Context(), r)
		if armored {
			require.NoError(t, err)
			require.Equal(t, "alice@"+realm, got.Client.String())
		} else {
			require.ErrorIs(t, err, krberr.KDCRepModified)
		}
	}
}

// The request too: the KDC sees it.
func TestFASTRequestTampered(t *testing.T) {
	w := newWorld(t, all(), "")
	r := w.withKeys(t, "alice")
	r.Armor = w.login(t, as("bob", secret)).Credential
	w.reset()
	_, err := w.Login(t.Context(), r)
	require.NoError(t, err)
	body := w.requests[1].Body.Raw
	for i := 0; i < len(body); i += 3 {
		w.reset()
		w.ask = func(n int, request []byte) []byte {
			if n == 2 {
				request[len(request)-1-i] ^= 2
			}
			return request
		}
		_, err := w.Login(t.Context(), r)
		require.Error(t, err, "byte %d from the end", i)
	}
}

func TestTGSFAST(t *testing.T) {
	w := newWorld(t, all(), "")
	tgt := w.login(t, as("alice", secret)).Credential
	host := principal.New(realm, "host", "server.example.test")
	for _, tt := range []struct {
		realm string
		want  bool
	}{{realm, true}, {"", false}, {"OTHER.TEST", false}} {
		w.reset()
		_, err := w.Ticket(t.Context(), tgt, host, &kdcclient.TicketOptions{FAST: tt.realm})
		require.NoError(t, err)
		require.Equal(t, tt.want, has(w.last().PAData, wire.PAFXFast))
	}
	o := &kdcclient.TicketOptions{FAST: realm}
	w.reset()
	_, err := w.Ticket(t.Context(), tgt, principal.New(realm, "nobody", "here"), o)
	var refused *kdcclient.Error
	require.ErrorAs(t, err, &refused)
	require.ErrorIs(t, err, krberr.KDCServerUnknown)

	// Every bit of the reply counts, but for what stands outside.
	w.reset()
	_, err = w.Ticket(t.Context(), tgt, host, o)
	require.NoError(t, err)
	for i := range len(w.replies[0]) {
		w.reset()
		changed := false
		w.change = func(_ int, reply []byte) []byte {
			if changed = i < len(reply); changed { // the lengths of numbers differ
				reply[i] ^= 1 << (i % 8)
			}
			return reply
		}
		got, err := w.Ticket(t.Context(), tgt, host, o)
		if err != nil {
			require.NotZero(t, krberr.Of(err), "byte %d: %v", i, err)
			continue
		}
		if !changed {
			continue
		}
		require.Equal(t, "alice@"+realm, got.Client.String())
		rep, err := wire.ParseKDCRep(w.replies[0])
		require.NoError(t, err)
		require.True(t, rep.Client.String() != "alice@"+realm || rep.Client.Type != 1 || rep.Enc.Kvno != 0, "byte %d", i)
	}
	w.reset()
	w.change = func(_ int, reply []byte) []byte {
		rep, err := wire.ParseKDCRep(reply)
		require.NoError(t, err)
		rep.PAData = nil
		return rep.Append(nil)
	}
	_, err = w.Ticket(t.Context(), tgt, host, o)
	require.ErrorIs(t, err, krberr.FASTRequired)
}

func TestPKINIT(t *testing.T) {
	for _, tt := range []struct {
		name, libdefaults, only string
		requests                int
	}{
		{"default", "", "", 2},
		{"P-256", " pkinit_dh_min_bits = P-256", "", 2},
		{"P-384", " pkinit_dh_min_bits = P-384", "", 2},
		{"P-521", " pkinit_dh_min_bits = P-521", "", 2},
		{"4096", " pkinit_dh_min_bits = 4096", "", 2},
		{"the KDC wants another group", "", "P-256", 3},
	} {
		for _, fast := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/fast=%v", tt.name, fast), func(t *testing.T) {
				o := all()
				o.PKINITGroup, o.Freshness = tt.only, true
				w := newWorld(t, o, tt.libdefaults)
				cert, key, err := w.kdc.Certificate("alice", time.Hour)
				require.NoError(t, err)
				r := &kdcclient.LoginRequest{Client: principal.New(realm, "alice"), PKINIT: &kdcclient.PKINIT{
					Certificates: []*x509.Certificate{cert}, Signer: key, Anchors: w.kdc.Anchors(),
				}}
				if fast {
					r.Armor = w.login(t, as("bob", secret)).Credential
					w.reset()
				}
				got := w.login(t, r)
				require.Equal(t, wire.PAPKASReq, got.Mechanism)
				require.Equal(t, "alice@"+realm, got.Client.String())
				require.Len(t, w.requests, tt.requests+1)
			})
		}
	}
}

func TestPKINITRefused(t *testing.T) {
	w := newWorld(t, all(), "")
	cert, key, err := w.kdc.Certificate("alice", time.Hour)
	require.NoError(t, err)
	old, oldKey, err := w.kdc.Certificate("alice", -time.Hour)
	require.NoError(t, err)
	bobs, bobsKey, err := w.kdc.Certificate("bob", time.Hour)
	require.NoError(t, err)
	elsewhere := newWorld(t, all(), "")
	theirs, theirKey, err := elsewhere.kdc.Certificate("alice", time.Hour)
	require.NoError(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	for _, tt := range []struct {
		name    string
		cert    *x509.Certificate
		key     crypto.Signer
		anchors *x509.CertPool
		want    krberr.Code
		sent    int
	}{
		{"an expired certificate", old, oldKey, w.kdc.Anchors(), krberr.KDCClientNotTrusted, 2},
		{"somebody else's certificate", bobs, bobsKey, w.kdc.Anchors(), krberr.KDCClientNameMismatch, 2},
		{"an unknown authority's certificate", theirs, theirKey, w.kdc.Anchors(), krberr.KDCClientNotTrusted, 2},
		{"the KDC's authority is unknown", cert, key, elsewhere.kdc.Anchors(), krberr.KDCKDCNotTrusted, 2},
		{"no authority at all", cert, key, nil, krberr.KDCKDCNotTrusted, 2},
		{"another key", cert, bobsKey, w.kdc.Anchors(), krberr.PreauthFailed, 1},
		{"no certificate", nil, key, w.kdc.Anchors(), krberr.PreauthFailed, 1},
		{"a small curve", cert, p224, w.kdc.Anchors(), krberr.PreauthFailed, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.reset()
			r := &kdcclient.LoginRequest{Client: principal.New(realm, "alice"), PKINIT: &kdcclient.PKINIT{Signer: tt.key, Anchors: tt.anchors}}
			if tt.cert != nil {
				r.PKINIT.Certificates = []*x509.Certificate{tt.cert}
			}
			_, err := w.Login(t.Context(), r)
			require.ErrorIs(t, err, tt.want)
			require.Len(t, w.requests, tt.sent)
		})
	}

	// The KDC's certificate has run out, by the client's clock.
	w.reset()
	w.Now = func() time.Time { return time.Now().AddDate(11, 0, 0) }
	w.kdc.Skew(11 * 365 * 24 * time.Hour)
	_, err = w.Login(t.Context(), anonymously(w))
	require.ErrorIs(t, err, krberr.KDCKDCNotTrusted)
}

// A KDC that gives a ticket without being asked for proof has given none itself.
func TestPKINITWithoutProof(t *testing.T) {
	o := all()
	o.NoPreauth = true
	w := newWorld(t, o, "")
	cert, key, err := w.kdc.Certificate("alice", time.Hour)
	require.NoError(t, err)
	_, err = w.Login(t.Context(), &kdcclient.LoginRequest{Client: principal.New(realm, "alice"), PKINIT: &kdcclient.PKINIT{
		Certificates: []*x509.Certificate{cert}, Signer: key, Anchors: w.kdc.Anchors(),
	}})
	require.ErrorIs(t, err, krberr.PreauthFailed)
}

func TestAnonymous(t *testing.T) {
	w := newWorld(t, all(), "")
	got := w.login(t, anonymously(w))
	require.True(t, got.Client.Equal(principal.Anonymous))
	require.NotZero(t, got.Flags&wire.OptRequestAnonymous)

	// The session key is of two: without PA-PKINIT-KX it could be anyone's.
	w.reset()
	w.change = func(n int, reply []byte) []byte {
		if n == 1 {
			return reply
		}
		rep, err := wire.ParseKDCRep(reply)
		require.NoError(t, err)
		rep.PAData = without(wire.PAPKInitKX)(rep.PAData)
		return rep.Append(nil)
	}
	_, err := w.Login(t.Context(), anonymously(w))
	require.ErrorIs(t, err, krberr.KDCRepModified)
}

func TestPKINITTampered(t *testing.T) {
	w := newWorld(t, all(), " pkinit_dh_min_bits = P-256")
	// Without armor the ticket itself, and advice on keys, are not protected.
	outside := func(before, after *wire.KDCRep) bool {
		for _, typ := range []int32{wire.PAPKASRep, wire.PAPKInitKX} {
			i := slices.IndexFunc(before.PAData, func(pa wire.PAData) bool { return pa.Type == typ })
			j := slices.IndexFunc(after.PAData, func(pa wire.PAData) bool { return pa.Type == typ })
			if i != j || i < 0 || string(before.PAData[i].Value) != string(after.PAData[j].Value) {
				return false
			}
		}
		return string(before.Enc.Cipher) == string(after.Enc.Cipher)
	}
	tamper(t, w, anonymously(w), 2, 13, outside)
}

// The anchors and what else the configuration says.
func TestPKINITConfiguration(t *testing.T) {
	w := newWorld(t, all(), "")
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.WriteFile(ca, w.kdc.AnchorsPEM(), 0o600))
	empty := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("nothing"), 0o600))
	for _, tt := range []struct {
		name, text string
		want       krberr.Code
	}{
		{"file", "[libdefaults]\n pkinit_anchors = FILE:" + ca, 0},
		{"path", "[libdefaults]\n pkinit_anchors = " + ca, 0},
		{"for the realm", "[realms]\n " + realm + " = {\n pkinit_anchors = FILE:" + ca + "\n }", 0},
		{"for the realm, in libdefaults", "[libdefaults]\n " + realm + " = {\n pkinit_anchors = FILE:" + ca + "\n }", 0},
		{"none", "", krberr.KDCKDCNotTrusted},
		{"missing", "[libdefaults]\n pkinit_anchors = FILE:" + dir + "/missing", krberr.PreauthFailed},
		{"empty", "[libdefaults]\n pkinit_anchors = FILE:" + empty, krberr.PreauthFailed},
		{"unknown kind", "[libdefaults]\n pkinit_anchors = PKCS11:" + ca, krberr.PreauthFailed},
		{"no revocation list", "[libdefaults]\n pkinit_anchors = FILE:" + ca + "\n pkinit_revoke = FILE:" + ca, krberr.PreauthFailed},
		{"revocation checks", "[libdefaults]\n pkinit_anchors = FILE:" + ca + "\n pkinit_require_crl_checking = true", krberr.KDCRevokedCert},
		{"revocation checks for the realm", "[libdefaults]\n pkinit_anchors = FILE:" + ca + "\n[realms]\n " + realm + " = {\n pkinit_require_crl_checking = yes\n }", krberr.KDCRevokedCert},
		{"no revocation checks", "[libdefaults]\n pkinit_anchors = FILE:" + ca + "\n pkinit_require_crl_checking = false", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			w.Config, err = conf.Parse(tt.text)
			require.NoError(t, err)
			r := anonymously(w)
			r.PKINIT.Anchors = nil
			_, err = w.Login(t.Context(), r)
			if tt.want == 0 {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.want)
			}
		})
	}
}

func TestOTP(t *testing.T) {
	w := newWorld(t, all(), "")
	armor := w.login(t, as("bob", secret)).Credential
	w.kdc.SetOTP("alice", "", "123456", "654321")
	asked := 0
	answer := func(value, pin string) kdcclient.Prompt {
		return func(_ context.Context, q *kdcclient.OTPChallenge) (*kdcclient.OTPAnswer, error) {
			asked++
			require.Equal(t, realm, q.Service)
			require.Len(t, q.Tokens, 1)
			require.Equal(t, "testenv", q.Tokens[0].Vendor)
			require.Equal(t, 6, q.Tokens[0].Length)
			require.Equal(t, pin != "", q.Tokens[0].PIN)
			a := &kdcclient.OTPAnswer{Value: []byte(value)}
			if pin != "" {
				a.PIN = []byte(pin)
			}
			return a, nil
		}
	}
	ask := func(p kdcclient.Prompt) *kdcclient.LoginRequest {
		return &kdcclient.LoginRequest{Client: principal.New(realm, "alice"), Armor: armor, Prompt: p}
	}
	got := w.login(t, ask(answer("654321", "")))
	require.Equal(t, wire.PAOTPChallenge, got.Mechanism)
	_, err := w.Login(t.Context(), ask(answer("654321", ""))) // used up
	require.ErrorIs(t, err, krberr.KDCPreauthFailed)
	require.Equal(t, 2, asked)

	// The password comes first, but this KDC does not take it.
	r := as("alice", secret)
	r.Armor, r.Prompt = armor, answer("123456", "")
	w.login(t, r)
	w.kdc.SetOTP("alice", "99", "111111")
	w.login(t, ask(answer("111111", "99")))
	w.kdc.SetOTP("alice", "")
	asked = 0
	w.login(t, r)
	require.Zero(t, asked)

	// No answer, a wrong one.
	w.kdc.SetOTP("alice", "", "222222")
	mine := errors.New("the user has gone")
	for _, p := range []kdcclient.Prompt{
		func(context.Context, *kdcclient.OTPChallenge) (*kdcclient.OTPAnswer, error) { return nil, mine },
		func(context.Context, *kdcclient.OTPChallenge) (*kdcclient.OTPAnswer, error) { return nil, nil },
		func(context.Context, *kdcclient.OTPChallenge) (*kdcclient.OTPAnswer, error) {
			return &kdcclient.OTPAnswer{}, nil
		},
		func(context.Context, *kdcclient.OTPChallenge) (*kdcclient.OTPAnswer, error) {
			return &kdcclient.OTPAnswer{Token: 1, Value: []byte("222222")}, nil
		},
		func(context.Context, *kdcclient.OTPChallenge) (*kdcclient.OTPAnswer, error) {
			return &kdcclient.OTPAnswer{Token: -1, Value: []byte("222222")}, nil
		},
	} {
		w.reset()
		_, err := w.Login(t.Context(), ask(p))
		require.ErrorIs(t, err, krberr.PreauthFailed)
		require.Len(t, w.requests, 1)
	}
	_, err = w.Login(t.Context(), ask(func(context.Context, *kdcclient.OTPChallenge) (*kdcclient.OTPAnswer, error) { return nil, mine }))
	require.ErrorIs(t, err, mine)

	// Not without armor.
	r = ask(answer("222222", ""))
	r.Armor = nil
	_, err = w.Login(t.Context(), r)
	require.ErrorIs(t, err, krberr.PreauthNoKey)
}

// One proof, and not two.
func TestLoginSources(t *testing.T) {
	w := newWorld(t, all(), "")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	r := as("alice", secret)
	r.PKINIT = &kdcclient.PKINIT{Signer: key}
	_, err = w.Login(t.Context(), r)
	require.ErrorIs(t, err, krberr.PreauthNoKey)
	_, err = w.Login(t.Context(), &kdcclient.LoginRequest{Client: principal.New(realm, "alice")})
	require.ErrorIs(t, err, krberr.PreauthNoKey)
	require.Empty(t, w.requests)
}

// Clocks that differ are no obstacle under armor either.
func TestFASTSkew(t *testing.T) {
	w := newWorld(t, all(), "")
	w.kdc.Skew(3 * time.Hour)
	armor := w.login(t, as("bob", secret))
	require.InDelta(t, 3*time.Hour.Seconds(), armor.Offset.Seconds(), 60)
	r := as("alice", secret)
	r.Armor, r.ArmorOffset = armor.Credential, armor.Offset
	got := w.login(t, r)
	require.InDelta(t, 3*time.Hour.Seconds(), got.Offset.Seconds(), 60)
	r.ArmorOffset = 0 // not known: the KDC says so
	w.login(t, r)
}

// fuzzReply puts arbitrary bytes in place of the answers after the first ones.
func fuzzReply(f *testing.F, w *world, r *kdcclient.LoginRequest, answer int) {
	_, err := w.Login(f.Context(), r)
	require.NoError(f, err)
	for _, reply := range w.replies {
		f.Add(reply)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w.reset()
		w.instead = func(n int) []byte {
			if n < answer {
				return nil
			}
			return append([]byte{}, data...)
		}
		if got, err := w.Login(t.Context(), r); err == nil {
			t.Fatalf("%x made a login for %v", data, got.Client)
		} else if krberr.Of(err) == 0 {
			t.Fatalf("no code in %v", err)
		}
	})
}

func FuzzSPAKEReply(f *testing.F) {
	w := newWorld(f, &testenv.Options{SPAKE: []string{"P-256"}}, "")
	fuzzReply(f, w, w.withKeys(f, "alice"), 2)
}

func FuzzFASTReply(f *testing.F) {
	w := newWorld(f, all(), "")
	got, err := w.Login(f.Context(), as("bob", secret))
	require.NoError(f, err)
	w.reset()
	r := w.withKeys(f, "alice")
	r.Armor = got.Credential
	fuzzReply(f, w, r, 1)
}

func FuzzPKINITReply(f *testing.F) {
	w := newWorld(f, all(), " pkinit_dh_min_bits = P-256")
	fuzzReply(f, w, anonymously(w), 2)
}
