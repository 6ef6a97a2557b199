package krb5_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// oldTypes are those whose contexts have the tokens of RFC 1964, with their
// SGN_ALG and SEAL_ALG, the type of an exported key and the strength for SASL.
var oldTypes = []struct {
	id         krb5.Enctype
	sign, seal int
	exported   krb5.Enctype
	ssf        byte
}{
	{krb5.RC4, 0x11, 0x10, 23, 64},
	{krb5.DES3SHA1, 4, 2, 6, 112},
}

// oldWorld is a realm that has one of the types alone, and allows it.
func oldWorld(t testing.TB, id krb5.Enctype) *world {
	t.Helper()
	if !enctype.Supported(id) {
		t.Skip("the process enforces FIPS 140-3")
	}
	return newWorld(t, &testenv.Options{Enctypes: []int32{int32(id)}}, nil)
}

func eachOld(t *testing.T, f func(t *testing.T, w *world, n int, flags mech.Flags)) {
	for n, old := range oldTypes {
		for _, flags := range styles {
			t.Run(caseName(old.id, flags), func(t *testing.T) { f(t, oldWorld(t, old.id), n, flags) })
		}
	}
}

// wrapped checks that a context has tokens of RFC 1964 with a frame.
func wrapped(t testing.TB, c mech.Context, m oid.OID) {
	t.Helper()
	token, err := c.(mech.Protector).Wrap(nil, []byte("x"), nil)
	require.NoError(t, err)
	got, inner, err := mech.ParseToken(token)
	require.NoError(t, err)
	require.Equal(t, m, got)
	require.Equal(t, []byte{2, 1}, inner[:2])
}

func TestOldContexts(t *testing.T) {
	eachOld(t, func(t *testing.T, w *world, n int, flags mech.Flags) {
		i, a := w.flags(t, flags)
		establish(t, i, a)
		exchange(t, i, a)
		for _, c := range []mech.Context{i, a} {
			wrapped(t, c, oid.Krb5)
			require.Equal(t, oldTypes[n].id.String(), c.Info().Enctype)
			ssf, err := c.(mech.Inquirer).Inquire(oid.Krb5SASLSSF)
			require.NoError(t, err)
			require.Equal(t, [][]byte{{0, 0, 0, oldTypes[n].ssf}}, ssf)
		}
		// Only in DCE style the acceptor's key is one of its own.
		for _, c := range []mech.Context{i, a} {
			full, err := c.(mech.PRF).PRF(nil, true, []byte("in"), 30)
			require.NoError(t, err)
			part, err := c.(mech.PRF).PRF(nil, false, []byte("in"), 30)
			require.NoError(t, err)
			require.Equal(t, flags.Has(mech.FlagDCEStyle), !bytes.Equal(full, part))
		}
	})
}

// The frame has the OID that the initiator has chosen.
func TestOldContextsMechOID(t *testing.T) {
	for _, old := range oldTypes {
		w := oldWorld(t, old.id)
		for _, m := range []oid.OID{oid.Krb5, oid.Krb5MS, oid.Krb5Old} {
			i, a := w.initiate(t, mech.InitRequest{Flags: allFlags, Mech: m}), w.accept(t, mech.AcceptRequest{})
			establish(t, i, a)
			exchange(t, i, a)
			wrapped(t, i, m)
			wrapped(t, a, m)
			for k, c := range []mech.Context{i, a} {
				moved, _ := move(t, w.Mechanism, c)
				wrapped(t, moved, m)
				if k == 1 {
					_, err := w.ImportContext(nil)
					require.Error(t, err)
				}
			}
		}
	}
}

func TestOldContextsExport(t *testing.T) {
	eachOld(t, func(t *testing.T, w *world, _ int, flags mech.Flags) {
		i, a := w.flags(t, flags)
		establish(t, i, a)
		exchange(t, i, a)
		late, err := i.(mech.Protector).Wrap(nil, []byte("late"), nil)
		require.NoError(t, err)
		seen, err := i.(mech.Protector).Wrap(nil, []byte("seen"), nil)
		require.NoError(t, err)
		_, _, err = a.(mech.Protector).Unwrap(nil, seen)
		require.ErrorIs(t, err, gsserr.ErrGapToken)

		wantI, wantA := i.Info(), a.Info()
		i2, _ := move(t, w.Mechanism, i)
		a2, token := move(t, w.Mechanism, a)
		requireDead(t, i)
		requireDead(t, a)
		require.Equal(t, wantI.Enctype, i2.Info().Enctype)
		require.Equal(t, wantA.Flags, a2.Info().Flags)
		_, _, err = a2.(mech.Protector).Unwrap(nil, seen)
		require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
		_, _, err = a2.(mech.Protector).Unwrap(nil, late)
		require.ErrorIs(t, err, gsserr.ErrUnseqToken)
		exchange(t, i2, a2)
		for n := range token {
			if _, err := w.ImportContext(token[:n]); err == nil {
				t.Fatalf("imported %d of %d bytes", n, len(token))
			}
		}
	})
}

func TestOldContextsLucid(t *testing.T) {
	eachOld(t, func(t *testing.T, w *world, n int, flags mech.Flags) {
		i, a := w.flags(t, flags)
		establish(t, i, a)
		exchange(t, i, a)
		key, err := krb5.SessionKey(engine{i})
		require.NoError(t, err)
		require.Equal(t, oldTypes[n].id, key.Enctype)
		var l [2]*krb5.LucidV1
		for k, c := range []mech.Context{i, a} {
			l[k], err = krb5.ExportLucid(engine{c})
			require.NoError(t, err)
			require.Zero(t, l[k].Protocol)
			require.Equal(t, oldTypes[n].sign, l[k].SignAlg)
			require.Equal(t, oldTypes[n].seal, l[k].SealAlg)
			require.Equal(t, oldTypes[n].exported, l[k].Key.Enctype)
			require.Equal(t, key.Value.Bytes(), l[k].Key.Value.Bytes())
			require.False(t, l[k].HaveAcceptorSubkey)
			require.Nil(t, l[k].AcceptorSubkey.Value.Bytes())
			requireDead(t, c)
		}
		require.Equal(t, l[0].SendSeq, l[1].RecvSeq+2)
	})
	// With RFC 4121 nothing of that is set.
	w := newWorld(t, nil, nil)
	i, a := w.flags(t, allFlags)
	establish(t, i, a)
	l, err := krb5.ExportLucid(engine{i})
	require.NoError(t, err)
	require.Equal(t, 1, l.Protocol)
	require.Zero(t, l.SignAlg|l.SealAlg)
}

// A token that is not one to end a context does not.
func TestOldContextsProcessToken(t *testing.T) {
	for _, old := range oldTypes {
		w := oldWorld(t, old.id)
		i, a := w.flags(t, allFlags)
		require.ErrorIs(t, a.(mech.TokenProcessor).ProcessToken(nil), gsserr.ErrNoContext)
		establish(t, i, a)
		mic, err := i.(mech.Protector).GetMIC(nil, nil, 0)
		require.NoError(t, err)
		for _, token := range [][]byte{nil, mic, []byte("\x01\x02")} {
			require.ErrorIs(t, a.(mech.TokenProcessor).ProcessToken(token), gsserr.ErrDefectiveToken)
		}
		_, err = a.(mech.Protector).VerifyMIC(nil, mic)
		require.NoError(t, err)
		exchange(t, i, a)
		forged := bytes.Clone(mic)
		_, inner, err := mech.ParseToken(forged)
		require.NoError(t, err)
		inner[1] = 2
		inner[0] = 1
		require.ErrorIs(t, a.(mech.TokenProcessor).ProcessToken(forged), gsserr.ErrBadMIC)
		exchange(t, i, a)
	}
}

// Naming a type in a list, or in the program, does not allow it.
func TestOldTypesNotAllowed(t *testing.T) {
	for _, old := range oldTypes {
		w := oldWorld(t, old.id)
		token := w.token(t, allFlags)
		switches := map[krb5.Enctype]string{krb5.RC4: "allow_rc4", krb5.DES3SHA1: "allow_des3"}
		own := switches[old.id]
		require.Contains(t, w.config.ConfigText, own+" = true")
		delete(switches, old.id)
		for name, line := range map[string]string{
			"nothing": "", "said no": own + " = false", "other": "allow_weak_crypto = true",
			"another": switches[krb5.RC4] + switches[krb5.DES3SHA1] + " = true", "program": "",
		} {
			t.Run(old.id.String()+"/"+name, func(t *testing.T) {
				config := w.config
				config.ConfigText = strings.NewReplacer(
					own+" = true", line,
					"permitted_enctypes = ", "permitted_enctypes = aes256-cts ",
				).Replace(config.ConfigText)
				if name == "program" {
					config.Enctypes = []krb5.Enctype{old.id, krb5.AES256SHA1}
				}
				m := krb5.New(&config)
				_, err := m.Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return []byte(password) }})
				require.Error(t, err)
				// A keytab that has no other keys is none.
				_, err = m.KeytabCred(ctx, nil, parseKeytab(t, w.keytab))
				require.ErrorIs(t, err, gsserr.ErrNoCred)
				// One that has does not open such tickets.
				more := testenv.NewKDC(&testenv.Options{NoListen: true, Enctypes: []int32{18}})
				defer more.Close()
				kt := parseKeytab(t, w.keytab)
				for _, e := range parseKeytab(t, more.AddService("host/"+host)).Entries() {
					kt.Add(e)
				}
				c, err := m.KeytabCred(ctx, nil, kt)
				require.NoError(t, err)
				a, err := m.Accept(mech.AcceptRequest{Creds: []mech.Cred{c}})
				require.NoError(t, err)
				_, _, err = a.Step(ctx, token)
				require.ErrorContains(t, err, "not permitted")
			})
		}
	}
}

// What is allowed comes in MIT's order.
func TestOldTypesOrder(t *testing.T) {
	if !enctype.Supported(krb5.RC4) {
		t.Skip("the process enforces FIPS 140-3")
	}
	for text, want := range map[string][]krb5.Enctype{
		"":                                    {18, 17, 20, 19, 25, 26},
		"allow_rc4 = true":                    {18, 17, 20, 19, 23, 25, 26},
		"allow_des3 = yes":                    {18, 17, 20, 19, 16, 25, 26},
		"allow_rc4 = true\nallow_des3 = true": {18, 17, 20, 19, 16, 23, 25, 26},
		"allow_rc4 = true\npermitted_enctypes = rc4 aes256-cts":               {23, 18},
		"permitted_enctypes = rc4 aes256-cts des3":                            {18},
		"allow_rc4 = true\npermitted_enctypes = DEFAULT -rc4":                 {18, 17, 20, 19, 25, 26},
		"allow_weak_crypto = true\npermitted_enctypes = arcfour-hmac-exp aes": {18, 17, 20, 19},
	} {
		m := krb5.New(&krb5.Config{ConfigText: "[libdefaults]\n" + text + "\n"})
		got, err := krb5.Permitted(m)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
}

// replyTo is an AP-REP with the acceptor's subkey of the caller's choice, in
// answer to the first token of a context.
func replyTo(t *testing.T, w *world, token []byte, subkey *enctype.Key) []byte {
	t.Helper()
	_, _, body, err := apreq.Unframe(token)
	require.NoError(t, err)
	req, err := wire.ParseAPReq(body)
	require.NoError(t, err)
	s := apreq.Service{}
	for _, e := range parseKeytab(t, w.keytab).Entries() {
		k, err := enctype.NewKey(e.Key.Enctype, e.Key.Value.Bytes())
		require.NoError(t, err)
		s.Keys = append(s.Keys, apreq.ServiceKey{Principal: e.Principal, Kvno: e.Kvno, Key: k})
	}
	acc, _, err := (&apreq.Acceptor{
		Service: s, Now: time.Now(), Skew: time.Hour, Replay: krb5.NewReplayCache(0), Enctypes: enctype.All(),
	}).Accept(ctx, req)
	require.NoError(t, err)
	msg, err := (&apreq.Reply{Time: acc.Auth.Time, Subkey: subkey, Seq: 7}).Append(nil, acc.SessionKey)
	require.NoError(t, err)
	return apreq.Frame(oid.Krb5, apreq.TokAPRep, msg)
}

// An acceptor cannot lead its initiator to a key of a type that is not allowed.
func TestAcceptorSubkeyNotPermitted(t *testing.T) {
	if !enctype.Supported(krb5.RC4) {
		t.Skip("the process enforces FIPS 140-3")
	}
	w := newWorld(t, nil, nil)
	for id, ok := range map[krb5.Enctype]bool{krb5.RC4: false, krb5.DES3SHA1: false, krb5.AES128SHA2: true, krb5.Camellia256: false} {
		v := w
		if id == krb5.Camellia256 {
			v = w.with(t, func(c *krb5.Config) { c.Enctypes = []krb5.Enctype{krb5.AES256SHA1, krb5.AES128SHA1} })
		}
		subkey, err := enctype.GenerateKey(id)
		require.NoError(t, err)
		i := v.initiate(t, mech.InitRequest{Flags: allFlags})
		token, _, err := i.Step(ctx, nil)
		require.NoError(t, err)
		_, _, err = i.Step(ctx, replyTo(t, v, token, subkey))
		if ok {
			require.NoError(t, err)
			require.Equal(t, id.String(), i.Info().Enctype)
			continue
		}
		require.ErrorContains(t, err, "not permitted", id)
		requireDead(t, i)
	}
}

// In a context that stays with its old type the acceptor's subkey means nothing.
func TestOldContextsIgnoreSubkey(t *testing.T) {
	for _, old := range oldTypes {
		w := oldWorld(t, old.id)
		other, err := enctype.GenerateKey(old.id)
		require.NoError(t, err)
		for _, subkey := range []*enctype.Key{nil, other} {
			i := w.initiate(t, mech.InitRequest{Flags: allFlags})
			token, _, err := i.Step(ctx, nil)
			require.NoError(t, err)
			_, _, err = i.Step(ctx, replyTo(t, w, token, subkey))
			require.NoError(t, err)
			key, err := krb5.SessionKey(engine{i})
			require.NoError(t, err)
			require.False(t, bytes.Equal(other.Bytes(), key.Value.Bytes()))
			wrapped(t, i, oid.Krb5)
		}
	}
}
