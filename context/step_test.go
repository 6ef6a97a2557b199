package secctx_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	secctx "github.com/gss-go/gssapi/context"
	"github.com/gss-go/gssapi/creds"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

func TestEstablished(t *testing.T) {
	r := toyWorld(t)
	cred := acquire(t, r, names.User("alice"), mech.UsageInitiate)
	for _, tt := range []struct {
		name   string
		o      secctx.InitOptions
		mutual bool
	}{
		{"mutual", secctx.InitOptions{}, true},
		{"one way", secctx.InitOptions{Omit: mech.FlagMutual}, false},
		{"three legs", secctx.InitOptions{Flags: mech.FlagDCEStyle}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Cred = cred
			i, a := pair(t, &tt.o, &secctx.AcceptOptions{Registry: r})
			ii, ai := i.Info(), a.Info()
			require.True(t, ii.IsInitiator && !ai.IsInitiator && ii.Established && ai.Established)
			require.Equal(t, toyOID, ii.Mech)
			require.False(t, ii.Negotiated)
			require.Equal(t, service.String(), ii.Target.String())
			require.True(t, ai.Target.IsZero())
			require.Equal(t, "alice", a.Peer().String())
			require.True(t, a.Peer().Equal(names.User("alice")), "the peer's name knows its mechanism")
			require.Equal(t, "alice", ii.Initiator.String())
			require.Equal(t, "alice", ai.Initiator.String())
			require.Equal(t, "imap@mail", ai.Acceptor.String())
			require.Equal(t, tt.mutual, ii.Flags.Has(mech.FlagMutual))
			if tt.mutual {
				require.Equal(t, "imap@mail", i.Peer().String())
				require.Equal(t, "imap@mail", ii.Acceptor.String())
			} else {
				require.True(t, i.Peer().IsZero(), "nobody authenticated himself")
				require.True(t, ii.Acceptor.IsZero())
			}
			require.NotEmpty(t, ii.Enctype)
			require.WithinDuration(t, time.Now().Add(mechtest.ToyLifetime), i.Expires(), time.Minute)
			require.Equal(t, i.Expires(), ii.Expires)
			require.Nil(t, a.Delegated())

			token, err := i.Wrap(nil, []byte("message"), nil)
			require.NoError(t, err)
			msg, info, err := a.Unwrap(nil, token)
			require.NoError(t, err)
			require.Equal(t, "message", string(msg))
			require.True(t, info.Encrypted)
		})
	}
	i, _ := pair(t, &secctx.InitOptions{Cred: cred, Lifetime: time.Minute}, &secctx.AcceptOptions{Registry: r})
	require.WithinDuration(t, time.Now().Add(time.Minute), i.Expires(), 10*time.Second)
}

// An engine that says it authenticated the acceptor without the flag is not
// believed.
func TestNoPeerWithoutMutual(t *testing.T) {
	s := &script{info: good()}
	s.info.Flags &^= mech.FlagMutual
	c, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(s)), Omit: mech.FlagMutual})
	require.NoError(t, err)
	_, _, err = c.Step(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, c.Peer().IsZero())
	require.True(t, c.Info().Acceptor.IsZero())
}

// The last token does not leave without the required flags, whatever the engine
// thinks.
func TestRequire(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     secctx.InitOptions
		flags mech.Flags
		ok    bool
	}{
		{"all there", secctx.InitOptions{}, secctx.DefaultFlags, true},
		{"conf is not required", secctx.InitOptions{}, secctx.DefaultFlags &^ mech.FlagConf, true},
		{"conf is", secctx.InitOptions{Require: mech.FlagConf}, secctx.DefaultFlags &^ mech.FlagConf, false},
		{"mutual", secctx.InitOptions{}, secctx.DefaultFlags &^ mech.FlagMutual, false},
		{"mutual, omitted", secctx.InitOptions{Omit: mech.FlagMutual}, secctx.DefaultFlags &^ mech.FlagMutual, true},
		{"integ", secctx.InitOptions{}, secctx.DefaultFlags &^ mech.FlagInteg, false},
		{"integ, omitted", secctx.InitOptions{Omit: mech.FlagInteg}, secctx.DefaultFlags &^ mech.FlagInteg, true},
		{"an unknown one", secctx.InitOptions{Require: 1 << 30}, secctx.DefaultFlags, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{out: []byte("last token"), info: good()}
			s.info.Flags = tt.flags
			tt.o.Registry = registry(t, fakeMech(s))
			c, err := secctx.Init(service, &tt.o)
			require.NoError(t, err)
			out, more, err := c.Step(t.Context(), nil)
			require.False(t, more)
			if tt.ok {
				require.NoError(t, err)
				require.Equal(t, "last token", string(out))
				return
			}
			require.ErrorIs(t, err, gsserr.ErrUnavailable)
			require.Nil(t, out)
			require.Equal(t, 1, s.closed)
			require.True(t, c.Peer().IsZero())
			_, _, err = c.Step(t.Context(), nil)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			var e *gsserr.Error
			require.ErrorAs(t, err, &e)
			require.Nil(t, e.Token)
		})
	}
	// The acceptor requires nothing unless told.
	for _, require1 := range []mech.Flags{0, mech.FlagConf} {
		s := &script{out: []byte("x"), info: good()}
		s.info.Flags = 0
		a, err := secctx.Accept(&secctx.AcceptOptions{Registry: registry(t, fakeMech(s)), Require: require1})
		require.NoError(t, err)
		_, _, err = a.Step(t.Context(), first(fakeOID))
		if require1 == 0 {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, gsserr.ErrUnavailable)
		}
	}
}

func TestAnonymous(t *testing.T) {
	anonName, err := mechtest.NewToy("x", nil).ImportName(nil, oid.NTAnonymous)
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		change func(*mech.ContextInfo)
	}{
		{"no name", func(i *mech.ContextInfo) { i.InitiatorName = nil }},
		{"flag", func(i *mech.ContextInfo) { i.Flags |= mech.FlagAnon }},
		{"type", func(i *mech.ContextInfo) { i.InitiatorName = anonName }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, allow := range []bool{false, true} {
				s := &script{info: good()}
				tt.change(&s.info)
				a, err := secctx.Accept(&secctx.AcceptOptions{Registry: registry(t, fakeMech(s)), AllowAnonymous: allow})
				require.NoError(t, err)
				_, _, err = a.Step(t.Context(), first(fakeOID))
				if allow {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, gsserr.ErrUnauthorized)
					require.True(t, a.Peer().IsZero())
				}
			}
		})
	}
	// End to end.
	r := toyWorld(t)
	o := &secctx.InitOptions{Registry: r, Flags: mech.FlagAnon}
	_, a := pair(t, o, &secctx.AcceptOptions{Registry: r, AllowAnonymous: true})
	require.Equal(t, oid.NTAnonymous, a.Peer().Type())
	i, err := secctx.Init(service, o)
	require.NoError(t, err)
	a, err = secctx.Accept(&secctx.AcceptOptions{Registry: r})
	require.NoError(t, err)
	_, erra := loop(t, i, a)
	require.ErrorIs(t, erra, gsserr.ErrUnauthorized)
}

func TestBindings(t *testing.T) {
	r := toyWorld(t)
	one, two := &mech.ChannelBindings{Application: []byte("one")}, &mech.ChannelBindings{Application: []byte("two")}
	for _, tt := range []struct {
		name     string
		i, a     *mech.ChannelBindings
		optional bool
		bound    bool
		want     gsserr.Major
	}{
		{"same", one, one, false, true, 0},
		{"different", one, two, false, false, gsserr.ErrBadBindings},
		{"different, optional", one, two, true, false, gsserr.ErrBadBindings},
		{"none sent", nil, one, false, false, gsserr.ErrBadBindings},
		{"none sent, optional", nil, one, true, false, 0},
		{"none expected", one, nil, false, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i, err := secctx.Init(service, &secctx.InitOptions{Registry: r, Bindings: tt.i})
			require.NoError(t, err)
			a, err := secctx.Accept(&secctx.AcceptOptions{Registry: r, Bindings: tt.a, BindingsOptional: tt.optional})
			require.NoError(t, err)
			_, erra := loop(t, i, a)
			if tt.want != 0 {
				require.ErrorIs(t, erra, tt.want)
				return
			}
			require.NoError(t, erra)
			require.Equal(t, tt.bound, a.Info().Flags.Has(mech.FlagChannelBound))
		})
	}
}

func TestDelegation(t *testing.T) {
	r := toyWorld(t)
	cred := acquire(t, r, names.User("alice"), mech.UsageInitiate)
	i, a := pair(t, &secctx.InitOptions{Cred: cred, Flags: mech.FlagDeleg}, &secctx.AcceptOptions{Registry: r})
	require.Nil(t, i.Delegated())
	d := a.Delegated()
	require.NotNil(t, d)
	require.Same(t, r, d.Registry())
	info, err := d.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, "alice", info.Name.String())
	_, a2 := pair(t, &secctx.InitOptions{Cred: d}, &secctx.AcceptOptions{Registry: r})
	require.Equal(t, "alice", a2.Peer().String())
	require.NoError(t, a.Close())
	require.Nil(t, a.Delegated())

	// A delegated credential of nobody's mechanism ends the context.
	s := &script{info: good()}
	s.info.Delegated = strangeCred{}
	bad, err := secctx.Accept(&secctx.AcceptOptions{Registry: registry(t, fakeMech(s))})
	require.NoError(t, err)
	_, _, err = bad.Step(t.Context(), first(fakeOID))
	require.ErrorIs(t, err, gsserr.ErrBadMech)
	require.Equal(t, 1, s.closed)
}

type strangeCred struct{}

func (strangeCred) Mech() oid.OID     { return otherOID }
func (strangeCred) Usage() mech.Usage { return mech.UsageInitiate }
func (strangeCred) Info(context.Context) (mech.CredInfo, error) {
	return mech.CredInfo{}, nil
}

// Each credential only ever talks to its own world.
func TestRegistriesDoNotMix(t *testing.T) {
	r1, r2 := registry(t, mechtest.NewToy("one", nil)), registry(t, mechtest.NewToy("two", nil))
	c1 := acquire(t, r1, names.User("alice"), mech.UsageInitiate)
	a2, err := secctx.Accept(&secctx.AcceptOptions{Registry: r2})
	require.NoError(t, err)
	i1, err := secctx.Init(service, &secctx.InitOptions{Cred: c1})
	require.NoError(t, err)
	_, erra := loop(t, i1, a2)
	require.ErrorIs(t, erra, gsserr.ErrBadMIC)
	// A name of one world is used in the other by what it says.
	_, a1 := pair(t, &secctx.InitOptions{Cred: c1}, &secctx.AcceptOptions{Registry: r1})
	_, err = secctx.Init(a1.Peer(), &secctx.InitOptions{Registry: r2})
	require.NoError(t, err)
	// An element of one world cannot be taken to the other.
	e, ok := c1.Element(toyOID, mech.UsageInitiate)
	require.True(t, ok)
	stolen, err := creds.New(r2, e)
	require.NoError(t, err)
	_, err = secctx.Init(service, &secctx.InitOptions{Cred: stolen})
	require.ErrorIs(t, err, gsserr.ErrDefectiveCredential)
}

func TestStepErrors(t *testing.T) {
	token := []byte("for the peer")
	for _, tt := range []struct {
		name  string
		s     script
		want  error
		token []byte
	}{
		{"major", script{err: gsserr.ErrBadMIC}, gsserr.ErrBadMIC, nil},
		{"with a token", script{err: &gsserr.Error{Op: "x", Major: gsserr.ErrFailure, Token: token}}, gsserr.ErrFailure, token},
		{"token beside the error", script{err: gsserr.ErrFailure, out: token}, gsserr.ErrFailure, token},
		{"plain", script{err: io.ErrUnexpectedEOF}, io.ErrUnexpectedEOF, nil},
		{"context", script{err: context.DeadlineExceeded}, context.DeadlineExceeded, nil},
		{"informational", script{err: gsserr.New("x", gsserr.ErrDuplicateToken, nil)}, gsserr.ErrFailure, nil},
		{"more beside the error", script{err: gsserr.ErrFailure, more: true}, gsserr.ErrFailure, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &tt.s
			c, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(s))})
			require.NoError(t, err)
			out, more, err := c.Step(t.Context(), nil)
			require.Nil(t, out)
			require.False(t, more)
			require.ErrorIs(t, err, tt.want)
			require.False(t, gsserr.Informational(err))
			require.NotErrorIs(t, err, gsserr.ErrSupplementary)
			var e *gsserr.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.token, e.Token)
			require.Equal(t, 1, s.closed)
			require.NoError(t, c.Close(), "it is closed already")
			require.Equal(t, 1, s.closed)
			_, _, err = c.Step(t.Context(), nil)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
		})
	}
}

func TestStepLimits(t *testing.T) {
	s := &script{info: good(), more: true, out: []byte("x")}
	c, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(s))})
	require.NoError(t, err)
	_, _, err = c.Step(noCtx, nil)
	require.NoError(t, err)
	require.NotNil(t, s.ctx)
	_, _, err = c.Step(t.Context(), make([]byte, mech.MaxToken))
	require.NoError(t, err)
	require.Len(t, s.in, mech.MaxToken)
	s.in = nil
	_, _, err = c.Step(t.Context(), make([]byte, mech.MaxToken+1))
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	require.Nil(t, s.in, "refused unread")
}

func TestStepAfterEnd(t *testing.T) {
	i, a := toyPair(t)
	for _, c := range []*secctx.SecContext{i, a, nil, {}} {
		_, _, err := c.Step(t.Context(), nil)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
	}
	require.Equal(t, "user", a.Peer().String(), "an established context survives that")
	require.NoError(t, i.Close())
	_, _, err := i.Step(t.Context(), nil)
	require.ErrorIs(t, err, gsserr.ErrNoContext)
}

func TestClose(t *testing.T) {
	s := &script{info: good()}
	c := open(t, s)
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	require.Equal(t, 1, s.closed, "idempotent")
	i := c.Info()
	require.True(t, i.IsInitiator)
	require.Equal(t, service.String(), i.Target.String())
	require.False(t, i.Established)
	require.Zero(t, i.Flags)
	require.True(t, i.Mech.IsZero() && i.Initiator.IsZero() && i.Acceptor.IsZero())
	require.True(t, c.Peer().IsZero())
	require.True(t, c.Expires().IsZero())

	failing := &script{info: good(), closed: 1}
	require.ErrorIs(t, open(t, failing).Close(), gsserr.ErrFailure)

	var none *secctx.SecContext
	require.NoError(t, none.Close())
	require.NoError(t, (&secctx.SecContext{}).Close())
	require.Zero(t, none.Info())
	require.Zero(t, (&secctx.SecContext{}).Info())
	require.True(t, none.Peer().IsZero())
	require.Nil(t, none.Delegated())
	require.True(t, none.Expires().IsZero())
	a, err := secctx.Accept(&secctx.AcceptOptions{Registry: toyWorld(t)})
	require.NoError(t, err)
	require.NoError(t, a.Close())
	_, _, err = a.Step(t.Context(), first(toyOID))
	require.ErrorIs(t, err, gsserr.ErrNoContext)
}

// wire is two ends of a connection.
type wire struct{ in, out chan []byte }

func newWire() (a, b wire) {
	x, y := make(chan []byte, 4), make(chan []byte, 4)
	return wire{x, y}, wire{y, x}
}

func (w wire) send(b []byte) error { w.out <- bytes.Clone(b); return nil }

func (w wire) recv() ([]byte, error) {
	select {
	case b := <-w.in:
		return b, nil
	case <-time.After(5 * time.Second):
		return nil, errors.New("nothing comes")
	}
}

func TestExchange(t *testing.T) {
	r := toyWorld(t)
	for _, flags := range []mech.Flags{0, mech.FlagDCEStyle} {
		for _, omit := range []mech.Flags{0, mech.FlagMutual} {
			if flags != 0 && omit != 0 {
				continue
			}
			i, err := secctx.Init(service, &secctx.InitOptions{Registry: r, Flags: flags, Omit: omit})
			require.NoError(t, err)
			a, err := secctx.Accept(&secctx.AcceptOptions{Registry: r})
			require.NoError(t, err)
			wi, wa := newWire()
			var wg sync.WaitGroup
			wg.Go(func() { require.NoError(t, secctx.Exchange(context.Background(), a, wa.send, wa.recv)) })
			require.NoError(t, secctx.Exchange(t.Context(), i, wi.send, wi.recv))
			wg.Wait()
			require.True(t, i.Info().Established && a.Info().Established)
		}
	}
}

func TestExchangeErrors(t *testing.T) {
	r := toyWorld(t)
	initiator := func() *secctx.SecContext {
		i, err := secctx.Init(service, &secctx.InitOptions{Registry: r, Bindings: &mech.ChannelBindings{Application: []byte("x")}})
		require.NoError(t, err)
		return i
	}
	send := func([]byte) error { return nil }
	recv := func() ([]byte, error) { return nil, io.ErrUnexpectedEOF }
	dead := func(c *secctx.SecContext) {
		t.Helper()
		_, _, err := c.Step(t.Context(), nil)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
	}

	i := initiator()
	require.ErrorIs(t, secctx.Exchange(t.Context(), i, send, recv), io.ErrUnexpectedEOF)
	dead(i)
	i = initiator()
	require.ErrorIs(t, secctx.Exchange(t.Context(), i, func([]byte) error { return io.ErrClosedPipe }, recv), io.ErrClosedPipe)
	dead(i)
	require.ErrorIs(t, secctx.Exchange(t.Context(), nil, send, recv), gsserr.ErrNoContext)
	require.ErrorIs(t, secctx.Exchange(t.Context(), initiator(), nil, recv), gsserr.ErrInaccessibleRead)
	require.ErrorIs(t, secctx.Exchange(t.Context(), initiator(), send, nil), gsserr.ErrInaccessibleRead)
	require.ErrorIs(t, secctx.Exchange(noCtx, &secctx.SecContext{}, send, recv), io.ErrUnexpectedEOF)

	// The initiator is told why.
	a, err := secctx.Accept(&secctx.AcceptOptions{Registry: r, Bindings: &mech.ChannelBindings{Application: []byte("y")}})
	require.NoError(t, err)
	wi, wa := newWire()
	var wg sync.WaitGroup
	wg.Go(func() {
		err := secctx.Exchange(context.Background(), a, wa.send, wa.recv)
		require.ErrorIs(t, err, gsserr.ErrBadBindings)
	})
	err = secctx.Exchange(t.Context(), initiator(), wi.send, wi.recv)
	wg.Wait()
	require.ErrorIs(t, err, gsserr.ErrBadBindings, "as the peer says")
	var e *gsserr.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "init_sec_context", e.Op)
	require.NotZero(t, e.Minor)
	dead(a)
}

func TestExchangeContext(t *testing.T) {
	r := toyWorld(t)
	for _, when := range []string{"before", "after the first token", "while receiving"} {
		t.Run(when, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			i, err := secctx.Init(service, &secctx.InitOptions{Registry: r})
			require.NoError(t, err)
			sent, received := 0, 0
			if when == "before" {
				cancel()
			}
			err = secctx.Exchange(ctx, i,
				func([]byte) error {
					if sent++; when == "after the first token" {
						cancel()
					}
					return nil
				},
				func() ([]byte, error) {
					received++
					cancel()
					return []byte("late"), nil
				})
			cancel()
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, map[string][2]int{"before": {0, 0}, "after the first token": {1, 0}, "while receiving": {1, 1}}[when], [2]int{sent, received})
		})
	}
	// A context that ends during the Step keeps its token.
	ctx, cancel := context.WithCancel(t.Context())
	s := &script{info: good(), out: []byte("x")}
	c, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, cancelling{fakeMech(s), cancel})})
	require.NoError(t, err)
	err = secctx.Exchange(ctx, c, func([]byte) error { t.Error("sent"); return nil }, func() ([]byte, error) { return nil, io.EOF })
	require.ErrorIs(t, err, context.Canceled)
}

// cancelling is a mechanism during whose steps the caller gives up.
type cancelling struct {
	*fake
	cancel func()
}

func (c cancelling) Initiate(n mech.Name, r mech.InitRequest) (mech.Context, error) {
	inner, err := c.fake.Initiate(n, r)
	return cancellingContext{inner, c.cancel}, err
}

type cancellingContext struct {
	mech.Context
	cancel func()
}

func (c cancellingContext) Step(ctx context.Context, in []byte) ([]byte, bool, error) {
	c.cancel()
	return c.Context.Step(ctx, in)
}

// FuzzAcceptStep gives any first token to an acceptor, FuzzInitStep any reply to
// an initiator.
func FuzzAcceptStep(f *testing.F) {
	r := toyWorld(f)
	i, err := secctx.Init(service, &secctx.InitOptions{Registry: r})
	require.NoError(f, err)
	token, _, err := i.Step(f.Context(), nil)
	require.NoError(f, err)
	f.Add(token)
	f.Add([]byte("NTLMSSP\x00"))
	f.Add([]byte{0x6e, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := secctx.Accept(&secctx.AcceptOptions{Registry: r})
		if err != nil {
			t.Fatal(err)
		}
		out, more, err := a.Step(context.Background(), b)
		if err != nil && (out != nil || more) {
			t.Errorf("Step(%x) = %x, %v, %v", b, out, more, err)
		}
		if err != nil && !a.Peer().IsZero() {
			t.Errorf("Step(%x) failed, but the peer is %v", b, a.Peer())
		}
	})
}

func FuzzInitStep(f *testing.F) {
	r := toyWorld(f)
	f.Add([]byte{4, 0, 6, 0, 0})
	f.Add(bytes.Repeat([]byte{2}, 53))
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := secctx.Init(service, &secctx.InitOptions{Registry: r})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = i.Step(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		out, more, err := i.Step(context.Background(), b)
		if err == nil || out != nil || more {
			t.Errorf("Step(%x) = %x, %v, %v", b, out, more, err)
		}
	})
}
