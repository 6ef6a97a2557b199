package secctx_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	secctx "github.com/gss-go/gssapi/context"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
)

func TestMessages(t *testing.T) {
	i, a := toyPair(t)
	dst := []byte("before")
	for _, tt := range []struct {
		name string
		o    *mech.WrapOptions
		conf bool
	}{
		{"nil", nil, true}, {"zero", &mech.WrapOptions{}, true}, {"integrity only", &mech.WrapOptions{IntegrityOnly: true}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token, err := i.Wrap(dst, []byte("message"), tt.o)
			require.NoError(t, err)
			require.Equal(t, "before", string(token[:6]))
			if tt.conf {
				require.NotContains(t, string(token), "message")
			} else {
				require.Contains(t, string(token), "message")
			}
			msg, info, err := a.Unwrap(dst, token[6:])
			require.NoError(t, err)
			require.Equal(t, "beforemessage", string(msg))
			require.Equal(t, tt.conf, info.Encrypted)

			// Again: the message comes with an informational error.
			msg, info, err = a.Unwrap(dst, token[6:])
			require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
			require.True(t, gsserr.Informational(err))
			require.Equal(t, "beforemessage", string(msg))
			require.Equal(t, tt.conf, info.Encrypted)

			token[len(token)-1] ^= 1
			msg, info, err = a.Unwrap(dst, token[6:])
			require.ErrorIs(t, err, gsserr.ErrBadMIC)
			require.Equal(t, "before", string(msg))
			require.Zero(t, info)
		})
	}
	mic, err := a.GetMIC(dst, []byte("message"))
	require.NoError(t, err)
	require.Equal(t, "before", string(mic[:6]))
	mic = mic[6:]
	require.NoError(t, i.VerifyMIC([]byte("message"), mic))
	require.True(t, gsserr.Informational(i.VerifyMIC([]byte("message"), mic)))
	require.ErrorIs(t, i.VerifyMIC([]byte("another"), mic), gsserr.ErrBadMIC)
	require.ErrorIs(t, i.VerifyMIC([]byte("message"), nil), gsserr.ErrDefectiveToken)

	n, err := i.WrapSizeLimit(100, nil)
	require.NoError(t, err)
	token, err := i.Wrap(nil, make([]byte, n), nil)
	require.NoError(t, err)
	require.Len(t, token, 100)
	m, err := i.WrapSizeLimit(100, &mech.WrapOptions{IntegrityOnly: true})
	require.NoError(t, err)
	require.NotEqual(t, n, m)
	for _, size := range []int{-1, 0, 1} {
		n, err := i.WrapSizeLimit(size, nil)
		require.NoError(t, err)
		require.Zero(t, n)
	}

	q := &mech.WrapOptions{QOP: 7}
	out, err := i.Wrap(dst, []byte("message"), q)
	require.ErrorIs(t, err, gsserr.ErrBadQOP)
	require.Equal(t, "before", string(out))
	_, err = i.WrapSizeLimit(100, q)
	require.ErrorIs(t, err, gsserr.ErrBadQOP)
	room := make([]byte, 6, 100)
	out, err = i.GetMIC(room, room[7:20:20])
	require.ErrorIs(t, err, gsserr.ErrFailure, "overlap")
	require.Len(t, out, 6)

	// Without confidentiality nothing is sent in the open by mistake.
	r := toyWorld(t)
	i, _ = pair(t, &secctx.InitOptions{Registry: r, Omit: mech.FlagConf}, &secctx.AcceptOptions{Registry: r})
	out, err = i.Wrap(dst, []byte("message"), nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.Equal(t, "before", string(out))
}

// lying is an engine that returns bytes together with errors.
type lying struct {
	script
	err error
}

func (l *lying) Wrap(dst, _ []byte, _ *mech.WrapOptions) ([]byte, error) {
	return append(dst, "plaintext"...), l.err
}

func (l *lying) Unwrap(dst, _ []byte) ([]byte, mech.MessageInfo, error) {
	return append(dst, "plaintext"...), mech.MessageInfo{Encrypted: true}, l.err
}

func (l *lying) GetMIC(dst, _ []byte, _ mech.QOP) ([]byte, error) {
	return append(dst, "plaintext"...), l.err
}
func (l *lying) VerifyMIC(_, _ []byte) (mech.QOP, error)           { return 0, l.err }
func (l *lying) WrapSizeLimit(int, *mech.WrapOptions) (int, error) { return -5, l.err }
func (l *lying) PRF(dst []byte, _ bool, _ []byte, _ int) ([]byte, error) {
	return append(dst, 1), l.err
}

func TestErrorsReturnNothing(t *testing.T) {
	l := &lying{script: script{info: good()}}
	c := open(t, l)
	l.err = gsserr.ErrBadMIC
	dst := []byte("before")
	out, err := c.Wrap(dst, nil, nil)
	require.ErrorIs(t, err, gsserr.ErrBadMIC)
	require.Equal(t, "before", string(out))
	out, info, err := c.Unwrap(dst, nil)
	require.ErrorIs(t, err, gsserr.ErrBadMIC)
	require.Equal(t, "before", string(out))
	require.Zero(t, info)
	out, err = c.GetMIC(dst, nil)
	require.ErrorIs(t, err, gsserr.ErrBadMIC)
	require.Equal(t, "before", string(out))
	out, err = c.PRF(dst, true, nil, 1)
	require.ErrorIs(t, err, gsserr.ErrBadMIC)
	require.Equal(t, "before", string(out))
	n, err := c.WrapSizeLimit(100, nil)
	require.ErrorIs(t, err, gsserr.ErrBadMIC)
	require.Zero(t, n)
	l.err = nil
	n, err = c.WrapSizeLimit(100, nil)
	require.NoError(t, err)
	require.Zero(t, n, "never negative")
	// A token that is a duplicate and yet not authentic is not informational.
	l.err = gsserr.ErrBadMIC | gsserr.ErrDuplicateToken
	out, _, err = c.Unwrap(dst, nil)
	require.Error(t, err)
	require.Equal(t, "before", string(out))
}

// Every call that needs an established context says so, whatever else is wrong.
func TestNotEstablished(t *testing.T) {
	r := toyWorld(t)
	fresh, err := secctx.Init(service, &secctx.InitOptions{Registry: r})
	require.NoError(t, err)
	busy, err := secctx.Init(service, &secctx.InitOptions{Registry: r})
	require.NoError(t, err)
	_, _, err = busy.Step(t.Context(), nil)
	require.NoError(t, err)
	// PROT_READY makes no difference.
	s := &lying{script: script{info: good(), more: true, out: []byte("x")}}
	s.info.Flags |= mech.FlagProtReady
	ready, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(s))})
	require.NoError(t, err)
	_, _, err = ready.Step(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, ready.Info().Flags.Has(mech.FlagProtReady), "reported")
	acceptor, err := secctx.Accept(&secctx.AcceptOptions{Registry: r})
	require.NoError(t, err)
	closed, _ := toyPair(t)
	require.NoError(t, closed.Close())
	exported, _ := toyPair(t)
	_, err = exported.Export()
	require.NoError(t, err)

	for name, c := range map[string]*secctx.SecContext{
		"fresh": fresh, "busy": busy, "ready": ready, "acceptor": acceptor, "closed": closed, "exported": exported,
		"nil": nil, "zero": {},
	} {
		t.Run(name, func(t *testing.T) {
			dst := []byte("before")
			out, err := c.Wrap(dst, nil, nil)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			require.Equal(t, dst, out)
			out, _, err = c.Unwrap(dst, nil)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			require.Equal(t, dst, out)
			out, err = c.GetMIC(dst, nil)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			require.Equal(t, dst, out)
			require.ErrorIs(t, c.VerifyMIC(nil, nil), gsserr.ErrNoContext)
			_, err = c.WrapSizeLimit(100, nil)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			out, err = c.PRF(dst, true, nil, 10)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			require.Equal(t, dst, out)
			_, err = c.Inquire(mechtest.ToyLabel)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			require.ErrorIs(t, c.ProcessToken(nil), gsserr.ErrNoContext)
			_, err = c.Export()
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			require.True(t, c.Peer().IsZero())
			require.Nil(t, c.Delegated())
			i := c.Info()
			require.True(t, i.Initiator.IsZero() && i.Acceptor.IsZero())
			require.False(t, i.Established)
		})
	}
}

// What a mechanism does not have is unavailable.
func TestUnavailable(t *testing.T) {
	c := open(t, &script{info: good()})
	_, err := c.Wrap(nil, nil, nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	_, _, err = c.Unwrap(nil, nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	_, err = c.GetMIC(nil, nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.ErrorIs(t, c.VerifyMIC(nil, nil), gsserr.ErrUnavailable)
	_, err = c.WrapSizeLimit(1, nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	_, err = c.PRF(nil, true, nil, 1)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	_, err = c.Inquire(mechtest.ToyLabel)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.ErrorIs(t, c.SetOption(mechtest.ToyLabel, nil), gsserr.ErrUnavailable)
	require.ErrorIs(t, c.ProcessToken(nil), gsserr.ErrUnavailable)
	_, err = c.Export()
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.True(t, c.Info().Established, "and the context goes on")
}

func TestOptionsAndInquiries(t *testing.T) {
	r := toyWorld(t)
	i, err := secctx.Init(service, &secctx.InitOptions{Registry: r})
	require.NoError(t, err)
	require.NoError(t, i.SetOption(mechtest.ToyLabel, []byte("early")))
	a, err := secctx.Accept(&secctx.AcceptOptions{Registry: r})
	require.NoError(t, err)
	require.ErrorIs(t, a.SetOption(mechtest.ToyLabel, nil), gsserr.ErrUnavailable, "the mechanism is not known yet")
	erri, erra := loop(t, i, a)
	require.NoError(t, erri)
	require.NoError(t, erra)
	answers, err := i.Inquire(mechtest.ToyLabel)
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("early")}, answers)
	require.NoError(t, a.SetOption(mechtest.ToyLabel, []byte("late")))
	answers, err = a.Inquire(mechtest.ToyLabel)
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("late")}, answers)
	_, err = i.Inquire(oid.Krb5SSPISessionKey)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.ErrorIs(t, i.SetOption(oid.OID{}, nil), gsserr.ErrUnavailable)

	var none *secctx.SecContext
	require.ErrorIs(t, none.SetOption(mechtest.ToyLabel, nil), gsserr.ErrNoContext)
	require.ErrorIs(t, (&secctx.SecContext{}).SetOption(mechtest.ToyLabel, nil), gsserr.ErrNoContext)

	// PRF
	x, err := i.PRF([]byte("before"), true, []byte("in"), 40)
	require.NoError(t, err)
	y, err := a.PRF([]byte("before"), true, []byte("in"), 40)
	require.NoError(t, err)
	require.Equal(t, x, y)
	require.Len(t, x, 46)
	z, err := i.PRF([]byte("before"), false, []byte("in"), 40)
	require.NoError(t, err)
	require.NotEqual(t, x, z, "full reaches the mechanism")
	_, err = i.PRF(nil, true, nil, -1)
	require.ErrorIs(t, err, gsserr.ErrFailure)

	// A token that ends the context.
	require.ErrorIs(t, a.ProcessToken([]byte("x")), gsserr.ErrDefectiveToken)
	require.ErrorIs(t, a.ProcessToken(make([]byte, mech.MaxToken+1)), gsserr.ErrDefectiveToken)
	token, err := i.GetMIC(nil, []byte("delete"))
	require.NoError(t, err)
	require.NoError(t, a.ProcessToken(token))
	_, err = a.Wrap(nil, nil, nil)
	require.ErrorIs(t, err, gsserr.ErrNoContext)

	require.NoError(t, i.Close())
	require.ErrorIs(t, i.SetOption(mechtest.ToyLabel, nil), gsserr.ErrNoContext)
}

func TestAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	i, a := toyPair(t)
	const rounds = 50
	msg, dst := make([]byte, 1024), make([]byte, 0, 4096)
	integ := &mech.WrapOptions{IntegrityOnly: true}
	tokens, mics := make([][]byte, rounds+1), make([][]byte, rounds+1)
	for n := range tokens {
		var err error
		tokens[n], err = i.Wrap(nil, msg, nil)
		require.NoError(t, err)
	}
	for n := range mics {
		var err error
		mics[n], err = i.GetMIC(nil, msg)
		require.NoError(t, err)
	}
	n := 0
	require.Zero(t, testing.AllocsPerRun(rounds, func() { _, _, _ = a.Unwrap(dst, tokens[n]); n++ }), "Unwrap")
	n = 0
	require.Zero(t, testing.AllocsPerRun(rounds, func() { _ = a.VerifyMIC(msg, mics[n]); n++ }), "VerifyMIC")
	require.Zero(t, testing.AllocsPerRun(rounds, func() { _, _ = i.Wrap(dst, msg, nil) }), "Wrap")
	require.Zero(t, testing.AllocsPerRun(rounds, func() { _, _ = i.Wrap(dst, msg, integ) }), "Wrap, integrity only")
	require.Zero(t, testing.AllocsPerRun(rounds, func() { _, _ = i.GetMIC(dst, msg) }), "GetMIC")
	require.Zero(t, testing.AllocsPerRun(rounds, func() { _, _ = i.WrapSizeLimit(1000, nil) }), "WrapSizeLimit")
	require.Zero(t, testing.AllocsPerRun(rounds, func() { _ = i.Peer() }), "Peer")
}

// Everything at once, and then Close.
func TestConcurrent(t *testing.T) {
	i, a := toyPair(t)
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for w := range 8 {
		p, q := i, a
		if w%2 == 1 {
			p, q = a, i
		}
		wg.Go(func() {
			<-begin
			for {
				token, err := p.Wrap(nil, []byte("message"), nil)
				if err == nil {
					_, _, err = q.Unwrap(nil, token)
				}
				if err == nil || gsserr.Informational(err) {
					_ = p.Info()
					_ = p.Peer()
					_, _ = p.Inquire(mechtest.ToyLabel)
					_ = p.SetOption(mechtest.ToyLabel, []byte("x"))
					_, _, _ = p.Step(context.Background(), nil)
					continue
				}
				return
			}
		})
	}
	wg.Go(func() {
		<-begin
		for range 50 {
			_, _ = i.PRF(nil, true, nil, 16)
		}
		_ = i.Close()
		_ = a.Close()
	})
	close(begin)
	wg.Wait()
}

func BenchmarkFront(b *testing.B) {
	i, _ := toyPair(b)
	for _, size := range []int{64, 1024} {
		msg, dst := make([]byte, size), make([]byte, 0, size+256)
		b.Run(fmt.Sprintf("Wrap/toy/conf/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = i.Wrap(dst, msg, nil)
			}
		})
	}
}
