package krb5_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// errorToken returns the token for the peer in an error, nil if there is none.
func errorToken(t testing.TB, err error) []byte {
	t.Helper()
	var e *gsserr.Error
	require.ErrorAs(t, err, &e)
	return e.Token
}

// A token is accepted once in a process, by whichever Mechanism value.
func TestReplay(t *testing.T) {
	w := newWorld(t, nil, func(c *krb5.Config) { c.Replay = nil })
	second := w.with(t, func(*krb5.Config) {})
	for _, flags := range styles {
		t.Run(label(flags), func(t *testing.T) {
			token := w.token(t, flags)
			_, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, token)
			require.NoError(t, err)
			for _, v := range []*world{w, second} {
				a := v.accept(t, mech.AcceptRequest{})
				out, _, err := a.Step(ctx, token)
				require.Empty(t, out)
				requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPRepeat)
				require.Equal(t, flags.Has(mech.FlagMutual), errorToken(t, err) != nil)
				requireDead(t, a)
			}
		})
	}
	// A cache of one's own is the way out, and is used.
	apart := w.with(t, func(c *krb5.Config) { c.Replay = krb5.NewReplayCache(0) })
	token := w.token(t, allFlags)
	_, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, token)
	require.NoError(t, err)
	_, _, err = apart.accept(t, mech.AcceptRequest{}).Step(ctx, token)
	require.NoError(t, err)
	_, _, err = apart.accept(t, mech.AcceptRequest{}).Step(ctx, token)
	requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPRepeat)
}

type brokenReplay struct{}

func (brokenReplay) Add(context.Context, []byte, time.Time, time.Time) (bool, error) {
	return true, errors.New("disk full")
}

// Without a replay cache that works nobody is let in.
func TestReplayCacheBroken(t *testing.T) {
	w := newWorld(t, nil, func(c *krb5.Config) { c.Replay = brokenReplay{} })
	i, a := w.flags(t, allFlags)
	err := handshake(i, a)
	require.ErrorContains(t, err, "disk full")
	requireCode(t, err, gsserr.ErrFailure, krberr.RCIO)
	requireDead(t, a)
}

// The acceptor's clock is its Config's, and so is the skew that it tolerates.
func TestClockSkew(t *testing.T) {
	for _, tc := range []struct {
		name   string
		ahead  time.Duration // of the initiator
		config time.Duration
		text   string
		ok     bool
	}{
		{"none", 0, 0, "", true},
		{"four minutes", 4 * time.Minute, 0, "", true},
		{"four minutes late", -4 * time.Minute, 0, "", true},
		{"six minutes", 6 * time.Minute, 0, "", false},
		{"six minutes late", -6 * time.Minute, 0, "", false},
		{"one minute of 30 seconds", time.Minute, 30 * time.Second, "", false},
		{"six minutes of ten", 6 * time.Minute, 10 * time.Minute, "", true},
		{"six minutes of ten, configured", 6 * time.Minute, 0, "[libdefaults]\nclockskew = 600\n", true},
		{"two minutes of one, configured", 2 * time.Minute, 0, "[libdefaults]\nclockskew = 60\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClock() // of the initiator
			w := newWorld(t, &testenv.Options{ClockSkew: 24 * time.Hour}, func(o *krb5.Config) { o.Time = c.now })
			w.token(t, allFlags) // the ticket is an hour old
			c.add(time.Hour)
			far := w.with(t, func(o *krb5.Config) {
				o.ClockSkew, o.ConfigText = tc.config, tc.text+o.ConfigText
				o.Time = func() time.Time { return c.now().Add(-tc.ahead) }
			})
			i := w.initiate(t, mech.InitRequest{Flags: allFlags})
			a := far.accept(t, mech.AcceptRequest{})
			err := handshake(i, a)
			if tc.ok {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPSkew)
			_, _, err = i.Step(ctx, errorToken(t, err))
			requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPSkew)
		})
	}
}

// Channel bindings: both sides, one side, none.
func TestBindings(t *testing.T) {
	w := newWorld(t, nil, nil)
	one := &mech.ChannelBindings{Application: []byte("tls-exporter:1")}
	two := &mech.ChannelBindings{Application: []byte("tls-exporter:2")}
	empty := &mech.ChannelBindings{}
	for _, tc := range []struct {
		name       string
		init, acc  *mech.ChannelBindings
		optional   bool
		aware      bool
		ok, marked bool
	}{
		{"none", nil, nil, false, false, true, false},
		{"same", one, one, false, false, true, true},
		{"same, optional", one, one, true, false, true, true},
		{"same, without content", empty, empty, false, false, true, true},
		{"different", one, two, false, false, false, false},
		{"different, optional", one, two, true, false, false, false},
		{"initiator alone", one, nil, false, false, true, false},
		{"acceptor alone", nil, one, false, false, false, false},
		{"acceptor alone, optional", nil, one, true, false, true, false},
		{"acceptor alone, optional, initiator knows better", nil, one, true, true, false, false},
		{"empty is not none", empty, one, true, false, false, false},
	} {
		for _, flags := range styles {
			t.Run(tc.name+"/"+label(flags), func(t *testing.T) {
				if tc.aware {
					flags |= mech.FlagChannelBound
				}
				i := w.initiate(t, mech.InitRequest{Flags: flags, Bindings: tc.init})
				a := w.accept(t, mech.AcceptRequest{Bindings: tc.acc, BindingsOptional: tc.optional})
				err := handshake(i, a)
				if !tc.ok {
					requireCode(t, err, gsserr.ErrBadBindings, krb5.ErrAPBadMatch)
					requireDead(t, a)
					return
				}
				require.NoError(t, err)
				require.Equal(t, tc.marked, a.Info().Flags.Has(mech.FlagChannelBound))
				exchange(t, i, a)
			})
		}
	}
	i := w.initiate(t, mech.InitRequest{Flags: allFlags, Bindings: one})
	establish(t, i, w.accept(t, mech.AcceptRequest{Bindings: one, Require: mech.FlagChannelBound}))
	err := handshake(w.initiate(t, mech.InitRequest{Flags: allFlags, Bindings: one}), w.accept(t, mech.AcceptRequest{Require: mech.FlagChannelBound}))
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
}

// client_aware_channel_bindings makes every initiator say that it knows.
func TestBindingsAwareConfig(t *testing.T) {
	w := newWorld(t, nil, func(c *krb5.Config) {
		c.ConfigText = "[libdefaults]\nclient_aware_channel_bindings = true\n" + c.ConfigText
	})
	err := handshake(w.initiate(t, mech.InitRequest{Flags: allFlags}),
		w.accept(t, mech.AcceptRequest{Bindings: &mech.ChannelBindings{}, BindingsOptional: true}))
	requireCode(t, err, gsserr.ErrBadBindings, krb5.ErrAPBadMatch)
}

// Anonymous initiators are let in only where that is said.
func TestAnonymous(t *testing.T) {
	w := newWorld(t, nil, nil)
	w.kdc.AddUser("WELLKNOWN/ANONYMOUS", password)
	cred, err := w.Login(ctx, "WELLKNOWN/ANONYMOUS", &krb5.LoginOptions{Password: func() []byte { return []byte(password) }})
	require.NoError(t, err)
	for _, flags := range styles {
		i := w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: flags})
		a := w.accept(t, mech.AcceptRequest{})
		err := handshake(i, a)
		requireCode(t, err, gsserr.ErrUnauthorized, 0)
		requireDead(t, a)
		require.False(t, a.Info().Established)

		i = w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: flags})
		a = w.accept(t, mech.AcceptRequest{AllowAnonymous: true})
		establish(t, i, a)
		require.True(t, a.Info().Flags.Has(mech.FlagAnon))
	}
	i, a := w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{AllowAnonymous: true, Require: mech.FlagAnon})
	require.ErrorIs(t, handshake(i, a), gsserr.ErrUnavailable)
}

// Every token in every state that it is not for.
func TestWrongState(t *testing.T) {
	w := newWorld(t, nil, nil)
	// A whole exchange in each style, as a source of tokens.
	tokens := map[string][]byte{"nil": nil, "empty": {}, "garbage": []byte("garbage"), "tag alone": {0x60}}
	for _, flags := range []mech.Flags{allFlags, allFlags | mech.FlagDCEStyle} {
		i, a := w.flags(t, flags)
		req, _, err := i.Step(ctx, nil)
		require.NoError(t, err)
		rep, _, err := a.Step(ctx, req)
		require.NoError(t, err)
		third, _, err := i.Step(ctx, rep)
		require.NoError(t, err)
		tokens["request, "+label(flags)] = req
		tokens["reply, "+label(flags)] = rep
		if len(third) > 0 {
			tokens["third leg"] = third
			_, _, err = a.Step(ctx, third)
			require.NoError(t, err)
		}
		tokens["message"], err = i.(mech.Protector).Wrap(nil, []byte("x"), nil)
		require.NoError(t, err)
	}
	replayed := w.token(t, allFlags)
	_, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, replayed)
	require.NoError(t, err)
	_, _, err = w.accept(t, mech.AcceptRequest{}).Step(ctx, replayed)
	tokens["error"] = errorToken(t, err)
	require.NotEmpty(t, tokens["error"])
	tokens["another mechanism"] = mech.AppendToken(nil, oid.SPNEGO, []byte{1, 0})
	tokens["another identifier"] = mech.AppendToken(nil, oid.Krb5, []byte{5, 1})
	tokens["request without a body"] = mech.AppendToken(nil, oid.Krb5, []byte{1, 0})

	states := map[string]func(t *testing.T) mech.Context{
		"new initiator": func(t *testing.T) mech.Context { return w.initiate(t, mech.InitRequest{Flags: allFlags}) },
		"waiting initiator": func(t *testing.T) mech.Context {
			c := w.initiate(t, mech.InitRequest{Flags: allFlags})
			_, _, err := c.Step(ctx, nil)
			require.NoError(t, err)
			return c
		},
		"waiting DCE initiator": func(t *testing.T) mech.Context {
			c := w.initiate(t, mech.InitRequest{Flags: allFlags | mech.FlagDCEStyle})
			_, _, err := c.Step(ctx, nil)
			require.NoError(t, err)
			return c
		},
		"new acceptor": func(t *testing.T) mech.Context { return w.accept(t, mech.AcceptRequest{}) },
		"waiting DCE acceptor": func(t *testing.T) mech.Context {
			c := w.accept(t, mech.AcceptRequest{})
			_, more, err := c.Step(ctx, w.token(t, allFlags|mech.FlagDCEStyle))
			require.NoError(t, err)
			require.True(t, more)
			return c
		},
	}
	for state, enter := range states {
		for name, token := range tokens {
			t.Run(state+"/"+name, func(t *testing.T) {
				c := enter(t)
				if state == "new initiator" && len(token) == 0 {
					t.Skip("that is how it starts")
				}
				out, more, err := c.Step(ctx, token)
				require.Error(t, err, "each of these tokens was seen before, or is for another state")
				require.Empty(t, out)
				require.False(t, more)
				var e *gsserr.Error
				require.ErrorAs(t, err, &e)
				require.NotZero(t, e.Major)
				requireDead(t, c)
			})
		}
	}
	for _, c := range []mech.Context{states["new initiator"](t), states["new acceptor"](t)} {
		i, a := w.flags(t, allFlags)
		establish(t, i, a)
		_ = c.Close()
		requireDead(t, c)
		for _, done := range []mech.Context{i, a} {
			_, _, err := done.Step(ctx, tokens["request, mutual"])
			require.ErrorIs(t, err, gsserr.ErrNoContext)
		}
		exchange(t, i, a) // and that did not hurt
	}
}

// What one side sent does not come back as the other's.
func TestReflection(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, flags := range styles {
		i, a := w.flags(t, flags)
		establish(t, i, a)
		for _, c := range []mech.Context{i, a} {
			p := c.(mech.Protector)
			token, err := p.Wrap(nil, []byte("x"), nil)
			require.NoError(t, err)
			_, _, err = p.Unwrap(nil, token)
			require.ErrorIs(t, err, gsserr.ErrBadMIC)
			mic, err := p.GetMIC(nil, []byte("x"), 0)
			require.NoError(t, err)
			_, err = p.VerifyMIC([]byte("x"), mic)
			require.ErrorIs(t, err, gsserr.ErrBadMIC)
		}
	}
	// An initiator's own request, and another context's reply.
	i := w.initiate(t, mech.InitRequest{Flags: allFlags})
	token, _, err := i.Step(ctx, nil)
	require.NoError(t, err)
	_, _, err = i.Step(ctx, token)
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	i = w.initiate(t, mech.InitRequest{Flags: allFlags})
	_, _, err = i.Step(ctx, nil)
	require.NoError(t, err)
	reply, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, w.token(t, allFlags))
	require.NoError(t, err)
	_, _, err = i.Step(ctx, reply)
	requireCode(t, err, gsserr.ErrFailure, krb5.ErrMutualFailed)
	requireDead(t, i)
}

// In DCE style the initiator's AP-REP must repeat the acceptor's number: the
// acceptor's own reply sent back does, and is no proof.
func TestDCEThirdLeg(t *testing.T) {
	w := newWorld(t, nil, nil)
	a := w.accept(t, mech.AcceptRequest{})
	reply, more, err := a.Step(ctx, w.token(t, allFlags|mech.FlagDCEStyle))
	require.NoError(t, err)
	require.True(t, more)
	_, _, err = a.Step(ctx, reply)
	requireCode(t, err, gsserr.ErrFailure, krb5.ErrMutualFailed)
	requireDead(t, a)
}

// Frame and DCE style must agree with each other.
func TestDCEFrame(t *testing.T) {
	w := newWorld(t, nil, nil)
	bare := w.token(t, allFlags|mech.FlagDCEStyle)
	_, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, mech.AppendToken(nil, oid.Krb5, append([]byte{1, 0}, bare...)))
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	framed := w.token(t, allFlags)
	_, body, err := mech.ParseToken(framed)
	require.NoError(t, err)
	_, _, err = w.accept(t, mech.AcceptRequest{}).Step(ctx, body[2:])
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
}

// What the acceptor's answer is when it cannot let someone in: an error token
// if one was asked for, never with more than the code.
func TestRefusals(t *testing.T) {
	w := newWorld(t, nil, nil)
	w.kdc.AddService("ftp/" + host)
	other, err := w.KeytabCred(ctx, nil, parseKeytab(t, w.kdc.UserKeytab("ftp/"+host)))
	require.NoError(t, err)
	forged := testenv.NewKDC(&testenv.Options{NoListen: true})
	t.Cleanup(forged.Close)
	wrongKey, err := w.KeytabCred(ctx, nil, parseKeytab(t, forged.AddService("host/"+host)))
	require.NoError(t, err)
	for _, tc := range []struct {
		name string
		cred mech.Cred
		code krb5.Code
	}{
		{"another service", other, krb5.ErrAPNotUs},
		{"another key", wrongKey, krb5.ErrAPBadIntegrity},
	} {
		for _, flags := range styles {
			t.Run(tc.name+"/"+label(flags), func(t *testing.T) {
				i := w.initiate(t, mech.InitRequest{Flags: flags})
				a := w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{tc.cred}})
				token, _, err := i.Step(ctx, nil)
				require.NoError(t, err)
				_, _, err = a.Step(ctx, token)
				requireCode(t, err, gsserr.ErrFailure, tc.code)
				requireDead(t, a)
				answer := errorToken(t, err)
				if !flags.Has(mech.FlagMutual) {
					require.Nil(t, answer)
					return
				}
				_, _, err = i.Step(ctx, answer)
				requireCode(t, err, gsserr.ErrFailure, tc.code)
				requireDead(t, i)
			})
		}
	}
}

// The encryption types of the configuration, of tickets as of keys.
func TestEnctypesOfConfig(t *testing.T) {
	w := newWorld(t, nil, nil)
	only := func(id krb5.Enctype) *world {
		v := *w
		v.keytab = w.kdc.AddServiceEnctypes(fmt.Sprintf("type%d/%s", id, host), int32(id))
		return &v
	}
	one := only(krb5.AES128SHA2).with(t, func(c *krb5.Config) { c.Enctypes = []krb5.Enctype{krb5.AES128SHA2} })
	two := only(krb5.AES256SHA2).with(t, func(c *krb5.Config) {
		c.ConfigText = "[libdefaults]\npermitted_enctypes = aes256-cts-hmac-sha384-192\n" + c.ConfigText
	})
	step := func(i, a *world, service string) (mech.Context, error) {
		c, err := i.Initiate(importName(t, i, service+"@"+host, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{i.alice}, Flags: allFlags})
		require.NoError(t, err)
		return c, handshake(c, a.accept(t, mech.AcceptRequest{}))
	}
	c, err := step(one, one, "type19")
	require.NoError(t, err)
	require.Equal(t, krb5.AES128SHA2.String(), c.Info().Enctype)
	c, err = step(two, two, "type20")
	require.NoError(t, err)
	require.Equal(t, krb5.AES256SHA2.String(), c.Info().Enctype)
	_, err = step(w, two, "type20")
	require.NoError(t, err)
	// The acceptor has the key, and may not use it.
	two.keytab = w.keytab
	two.server = two.serverCred(t, two.Mechanism)
	_, err = step(w, two, "host")
	requireCode(t, err, gsserr.ErrFailure, krberr.NoPermEtype)
	// The KDC has no session key that the client may use.
	_, err = step(one, w, "type20")
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrEtypeNosupp)

	none := w.config
	none.Enctypes = []krb5.Enctype{23, 99}
	_, err = krb5.New(&none).Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return []byte(password) }})
	require.ErrorIs(t, err, gsserr.ErrNoCred)
}

// Each byte of a request counts; what an acceptor lets pass does not depend on
// the byte that was changed. (Which bytes are not protected is apreq's test.)
func TestTamperedToken(t *testing.T) {
	w := newWorld(t, nil, nil)
	token := w.token(t, allFlags)
	for n := range token {
		_, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, token[:n])
		require.Error(t, err, "%d bytes", n)
	}
	_, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, append(bytes.Clone(token), 0))
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)

	i := w.initiate(t, mech.InitRequest{Flags: allFlags})
	req, _, err := i.Step(ctx, nil)
	require.NoError(t, err)
	reply, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, req)
	require.NoError(t, err)
	// A context dies of the first bad reply, so each flip takes a new one.
	for at := 0; at < len(reply); at += 7 {
		i := w.initiate(t, mech.InitRequest{Flags: allFlags})
		req, _, err := i.Step(ctx, nil)
		require.NoError(t, err)
		reply, _, err := w.accept(t, mech.AcceptRequest{}).Step(ctx, req)
		require.NoError(t, err)
		if at >= len(reply) {
			break
		}
		reply[at] ^= 0x40
		_, _, err = i.Step(ctx, reply)
		require.Error(t, err, "byte %d", at)
		requireDead(t, i)
	}
}

// The context that a request is cancelled with ends the step.
func TestCancelled(t *testing.T) {
	w := newWorld(t, nil, nil)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	i := w.initiate(t, mech.InitRequest{Flags: allFlags})
	_, _, err := i.Step(cancelled, nil)
	require.ErrorIs(t, err, context.Canceled)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrKDCUnreach)
	requireDead(t, i)
}

func TestTargets(t *testing.T) {
	w := newWorld(t, nil, nil)
	_, err := w.Initiate(nil, mech.InitRequest{})
	require.ErrorIs(t, err, gsserr.ErrInaccessibleRead|gsserr.ErrBadName)
	for code, want := range map[string]error{"host@nowhere." + host: krb5.ErrServerUnknown} {
		c, err := w.Initiate(importName(t, w, code, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{w.alice}})
		require.NoError(t, err)
		_, _, err = c.Step(ctx, nil)
		require.ErrorIs(t, err, want)
		require.ErrorIs(t, err, gsserr.ErrNoCred)
		require.Contains(t, fmt.Sprint(err), "Server not found")
	}
}
