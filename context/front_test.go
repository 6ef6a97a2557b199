package secctx_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	secctx "github.com/gss-go/gssapi/context"
	"github.com/gss-go/gssapi/creds"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

const readName = gsserr.ErrInaccessibleRead | gsserr.ErrBadName

var (
	toyOID   = mechtest.ToyOID
	otherOID = mechtest.ToyOID.Append(7)
	service  = names.HostBased("imap", "mail")
)

// noCtx is what a careless caller passes. It must not make anything panic.
var noCtx context.Context

func registry(t testing.TB, ms ...mech.Mechanism) *mech.Registry {
	t.Helper()
	r, err := mech.NewRegistry(ms...)
	require.NoError(t, err)
	return r
}

func toyWorld(t testing.TB) *mech.Registry { return registry(t, mechtest.NewToy("secret", nil)) }

func acquire(t testing.TB, r *mech.Registry, n names.Name, u mech.Usage, mechs ...oid.OID) *creds.Cred {
	t.Helper()
	c, err := creds.Acquire(t.Context(), n, u, &creds.Options{Registry: r, Mechs: mechs})
	require.NoError(t, err)
	return c
}

// loop steps both sides until one fails or both are done.
func loop(t testing.TB, i, a *secctx.SecContext) (erri, erra error) {
	t.Helper()
	var token []byte
	for leg := 0; leg < 10; leg++ {
		c, err := i, &erri
		if leg%2 == 1 {
			c, err = a, &erra
		}
		var more bool
		token, more, *err = c.Step(t.Context(), token)
		if *err != nil {
			require.Nil(t, token)
			require.False(t, more)
			return erri, erra
		}
		if !more && len(token) == 0 {
			return nil, nil
		}
	}
	t.Fatal("no end")
	return nil, nil
}

// pair returns both sides, established.
func pair(t testing.TB, io *secctx.InitOptions, ao *secctx.AcceptOptions) (i, a *secctx.SecContext) {
	t.Helper()
	i, err := secctx.Init(service, io)
	require.NoError(t, err)
	a, err = secctx.Accept(ao)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = i.Close(), a.Close() })
	erri, erra := loop(t, i, a)
	require.NoError(t, erri)
	require.NoError(t, erra)
	return i, a
}

func toyPair(t testing.TB) (i, a *secctx.SecContext) {
	r := toyWorld(t)
	return pair(t, &secctx.InitOptions{Registry: r}, &secctx.AcceptOptions{Registry: r})
}

// fake is a mechanism whose contexts do as they are told.
type fake struct {
	info    mech.Info
	context func(initiator bool) mech.Context
	init    *mech.InitRequest
	accept  *mech.AcceptRequest
	err     error
}

func (f *fake) Info() mech.Info { return f.info }

func (f *fake) ImportName(text []byte, _ oid.OID) (mech.Name, error) {
	return fakeName{string(text), f.info.OID}, nil
}

func (f *fake) AcquireCred(context.Context, mech.CredRequest) (mech.Cred, error) {
	return nil, gsserr.New("acquire_cred", gsserr.ErrNoCred, nil)
}

func (f *fake) Initiate(_ mech.Name, r mech.InitRequest) (mech.Context, error) {
	if f.err != nil {
		return nil, f.err
	}
	f.init = &r
	return f.context(true), nil
}

func (f *fake) Accept(r mech.AcceptRequest) (mech.Context, error) {
	if f.err != nil {
		return nil, f.err
	}
	f.accept = &r
	return f.context(false), nil
}

type fakeName struct {
	text string
	mech oid.OID
}

func (n fakeName) Mech() oid.OID              { return n.mech }
func (n fakeName) Display() (string, oid.OID) { return n.text, oid.NTUserName }
func (n fakeName) Export() ([]byte, error)    { return []byte(n.text), nil }
func (n fakeName) Equal(o mech.Name) bool     { return n == o }

// script is a context that returns what it holds. It has nothing optional.
type script struct {
	out    []byte
	more   bool
	err    error
	info   mech.ContextInfo
	in     []byte
	ctx    context.Context
	closed int
}

func (s *script) Step(ctx context.Context, in []byte) ([]byte, bool, error) {
	s.ctx, s.in = ctx, in
	return s.out, s.more, s.err
}

func (s *script) Info() mech.ContextInfo { return s.info }

func (s *script) Close() error {
	s.closed++
	if s.closed > 1 {
		return gsserr.New("close", gsserr.ErrFailure, nil)
	}
	return nil
}

var fakeOID = toyOID.Append(8)

func fakeMech(s mech.Context, attrs ...oid.OID) *fake {
	return &fake{info: mech.Info{OID: fakeOID, Name: "fake", Attrs: attrs}, context: func(bool) mech.Context { return s }}
}

// good is what an initiator's context that went well says.
func good() mech.ContextInfo {
	return mech.ContextInfo{
		Mech: fakeOID, Initiator: true, Established: true, Flags: secctx.DefaultFlags,
		InitiatorName: fakeName{"alice", fakeOID}, AcceptorName: fakeName{"imap", fakeOID}, Enctype: "fake",
		Expires: time.Unix(1_700_000_000, 0),
	}
}

func first(id oid.OID) []byte { return mech.AppendToken(nil, id, []byte("body")) }

func TestInitErrors(t *testing.T) {
	m := mechtest.NewToy("secret", nil)
	r := registry(t, m, mechtest.NewToy("secret", &mechtest.ToyOptions{OID: otherOID}))
	r2 := toyWorld(t)
	cred := acquire(t, r, names.User("alice"), mech.UsageInitiate, toyOID)
	acceptor := acquire(t, r, service, mech.UsageAccept)
	for _, tt := range []struct {
		name   string
		target names.Name
		o      *secctx.InitOptions
		want   gsserr.Major
	}{
		{"no registry", service, nil, gsserr.ErrBadMech},
		{"no target", names.Name{}, &secctx.InitOptions{Registry: r}, readName},
		{"bad target", names.HostBased("", ""), &secctx.InitOptions{Registry: r}, gsserr.ErrBadName},
		{"target of an unknown type", names.Principal("x"), &secctx.InitOptions{Registry: r}, gsserr.ErrBadNameType},
		{"unknown mechanism", service, &secctx.InitOptions{Registry: r, Mech: oid.Krb5}, gsserr.ErrBadMech},
		{"omitted and asked for", service, &secctx.InitOptions{Registry: r, Omit: mech.FlagConf, Flags: mech.FlagConf}, gsserr.ErrFailure},
		{"omitted and required", service, &secctx.InitOptions{Registry: r, Omit: mech.FlagMutual, Require: mech.FlagMutual | mech.FlagConf}, gsserr.ErrFailure},
		{"negative lifetime", service, &secctx.InitOptions{Registry: r, Lifetime: -1}, gsserr.ErrFailure},
		{"two registries", service, &secctx.InitOptions{Cred: cred, Registry: r2}, gsserr.ErrDefectiveCredential},
		{"credential's registry again", service, &secctx.InitOptions{Cred: cred, Registry: r}, 0},
		{"credential's registry", service, &secctx.InitOptions{Cred: cred}, 0},
		{"zero credential", service, &secctx.InitOptions{Cred: &creds.Cred{}, Registry: r}, gsserr.ErrDefectiveCredential},
		{"no element of the mechanism", service, &secctx.InitOptions{Cred: cred, Mech: otherOID}, gsserr.ErrNoCred},
		{"acceptor's credential", service, &secctx.InitOptions{Cred: acceptor}, gsserr.ErrNoCred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := secctx.Init(tt.target, tt.o)
			if tt.want != 0 {
				require.ErrorIs(t, err, tt.want)
				require.Nil(t, c)
				return
			}
			require.NoError(t, err)
		})
	}
	f := fakeMech(nil)
	f.err = gsserr.New("init", gsserr.ErrCredentialsExpired, nil)
	_, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, f)})
	require.ErrorIs(t, err, gsserr.ErrCredentialsExpired)
}

func TestAcceptErrors(t *testing.T) {
	r := toyWorld(t)
	cred := acquire(t, r, service, mech.UsageAccept)
	for _, tt := range []struct {
		name string
		o    *secctx.AcceptOptions
		want gsserr.Major
	}{
		{"no registry", nil, gsserr.ErrBadMech},
		{"two registries", &secctx.AcceptOptions{Cred: cred, Registry: toyWorld(t)}, gsserr.ErrDefectiveCredential},
		{"zero credential", &secctx.AcceptOptions{Cred: &creds.Cred{}, Registry: r}, gsserr.ErrDefectiveCredential},
		{"initiator's credential", &secctx.AcceptOptions{Cred: acquire(t, r, names.User("alice"), mech.UsageInitiate)}, gsserr.ErrNoCred},
		{"credential", &secctx.AcceptOptions{Cred: cred}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := secctx.Accept(tt.o)
			if tt.want != 0 {
				require.ErrorIs(t, err, tt.want)
				require.Nil(t, c)
				return
			}
			require.NoError(t, err)
		})
	}
	f := fakeMech(nil)
	f.err = gsserr.New("accept", gsserr.ErrNoCred, nil)
	a, err := secctx.Accept(&secctx.AcceptOptions{Registry: registry(t, f)})
	require.NoError(t, err)
	_, _, err = a.Step(t.Context(), first(fakeOID))
	require.ErrorIs(t, err, gsserr.ErrNoCred)
}

// Every option reaches the mechanism.
func TestInitRequest(t *testing.T) {
	b := &mech.ChannelBindings{InitiatorType: 1, Initiator: []byte("i"), AcceptorType: 2, Acceptor: []byte("a"), Application: []byte("data")}
	const demanded = mech.FlagMutual | mech.FlagInteg
	for _, tt := range []struct {
		name           string
		o              secctx.InitOptions
		flags, require mech.Flags
	}{
		{"default", secctx.InitOptions{}, secctx.DefaultFlags, demanded},
		{"flags", secctx.InitOptions{Flags: mech.FlagDeleg}, secctx.DefaultFlags | mech.FlagDeleg, demanded},
		{"omit mutual", secctx.InitOptions{Omit: mech.FlagMutual}, secctx.DefaultFlags &^ mech.FlagMutual, mech.FlagInteg},
		{"omit protection", secctx.InitOptions{Omit: mech.FlagConf | mech.FlagInteg}, secctx.DefaultFlags &^ (mech.FlagConf | mech.FlagInteg), mech.FlagMutual},
		{"require", secctx.InitOptions{Require: mech.FlagConf | mech.FlagDCEStyle}, secctx.DefaultFlags, demanded | mech.FlagConf | mech.FlagDCEStyle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := fakeMech(&script{})
			tt.o.Registry = registry(t, mechtest.NewToy("x", nil), f)
			tt.o.Mech, tt.o.Lifetime, tt.o.Bindings = fakeOID, time.Minute, b
			_, err := secctx.Init(service, &tt.o)
			require.NoError(t, err)
			require.Equal(t, tt.flags, f.init.Flags)
			require.Equal(t, tt.require, f.init.Require)
			require.Equal(t, fakeOID, f.init.Mech)
			require.Equal(t, time.Minute, f.init.Lifetime)
			require.Equal(t, b, f.init.Bindings)
			require.NotSame(t, b, f.init.Bindings)
			require.NotSame(t, &b.Application[0], &f.init.Bindings.Application[0], "the caller may use the memory again")
			require.Nil(t, f.init.Creds)
			require.Nil(t, f.init.NegMechs)
		})
	}
	f := fakeMech(&script{})
	_, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, f)})
	require.NoError(t, err)
	require.True(t, f.init.Mech.IsZero())
	require.Nil(t, f.init.Bindings)
}

func TestAcceptRequest(t *testing.T) {
	b := &mech.ChannelBindings{Application: []byte("data")}
	for _, tt := range []struct {
		name string
		o    secctx.AcceptOptions
		want mech.AcceptRequest
	}{
		{"default", secctx.AcceptOptions{}, mech.AcceptRequest{}},
		{"require", secctx.AcceptOptions{Require: mech.FlagConf}, mech.AcceptRequest{Require: mech.FlagConf}},
		{"bindings", secctx.AcceptOptions{Bindings: b}, mech.AcceptRequest{Bindings: b}},
		{"bindings optional", secctx.AcceptOptions{Bindings: b, BindingsOptional: true}, mech.AcceptRequest{Bindings: b, BindingsOptional: true}},
		{"anonymous", secctx.AcceptOptions{AllowAnonymous: true}, mech.AcceptRequest{AllowAnonymous: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := fakeMech(&script{more: true, out: []byte("x")})
			tt.o.Registry = registry(t, f)
			a, err := secctx.Accept(&tt.o)
			require.NoError(t, err)
			_, more, err := a.Step(t.Context(), first(fakeOID))
			require.NoError(t, err)
			require.True(t, more)
			require.Equal(t, tt.want, *f.accept)
			require.NotSame(t, b, f.accept.Bindings)
		})
	}
}

// A negotiating mechanism gets all elements that fit the use, and the list.
func TestNegotiatorsElements(t *testing.T) {
	s := &script{more: true, out: []byte("x")}
	f := fakeMech(s, mech.MAMechNego)
	m, other := mechtest.NewToy("secret", nil), mechtest.NewToy("secret", &mechtest.ToyOptions{OID: otherOID})
	r := registry(t, m, other, f)
	c := acquire(t, r, names.User("alice"), mech.UsageInitiate, toyOID)
	c, err := c.Add(t.Context(), service, mech.UsageAccept, &creds.Options{Mechs: []oid.OID{otherOID}})
	require.NoError(t, err)
	c, err = c.WithNegMechs(toyOID)
	require.NoError(t, err)

	_, err = secctx.Init(service, &secctx.InitOptions{Cred: c, Mech: fakeOID})
	require.NoError(t, err)
	require.Equal(t, c.Elements(mech.UsageInitiate), f.init.Creds)
	require.Len(t, f.init.Creds, 1)
	require.Equal(t, []oid.OID{toyOID}, f.init.NegMechs)

	a, err := secctx.Accept(&secctx.AcceptOptions{Cred: c})
	require.NoError(t, err)
	_, _, err = a.Step(t.Context(), first(fakeOID))
	require.NoError(t, err)
	require.Equal(t, c.Elements(mech.UsageAccept), f.accept.Creds)
	require.Len(t, f.accept.Creds, 1)
	require.Equal(t, []oid.OID{toyOID}, f.accept.NegMechs)

	// Without an element that fits, the default credential is not taken in its
	// place.
	c = acquire(t, r, service, mech.UsageAccept, toyOID)
	_, err = secctx.Init(service, &secctx.InitOptions{Cred: c, Mech: fakeOID})
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	a, err = secctx.Accept(&secctx.AcceptOptions{Cred: c})
	require.NoError(t, err)
	_, _, err = a.Step(t.Context(), first(otherOID))
	require.ErrorIs(t, err, gsserr.ErrNoCred)
}

// The mechanism is chosen by the first token.
func TestFirstToken(t *testing.T) {
	at := func(id oid.OID, attrs ...oid.OID) *fake {
		f := fakeMech(&script{more: true, out: []byte("x")}, attrs...)
		f.info.OID = id
		return f
	}
	krb5, spnego, ntlm := at(oid.Krb5), at(oid.SPNEGO, mech.MAMechNego), at(oid.NTLM)
	krb5.info.Aliases = []oid.OID{oid.Krb5MS}
	old, special := at(fakeOID.Append(1), mech.MADeprecated), at(fakeOID.Append(2), mech.MANotDefaultMech)
	r := registry(t, krb5, spnego, ntlm, old, special)
	few := registry(t, krb5)
	for _, tt := range []struct {
		name  string
		r     *mech.Registry
		token []byte
		want  *fake
		err   gsserr.Major
	}{
		{"framed", r, first(oid.Krb5), krb5, 0},
		{"alias", r, first(oid.Krb5MS), krb5, 0},
		{"another", r, first(oid.SPNEGO), spnego, 0},
		{"empty", r, nil, spnego, 0},
		{"bare AP-REQ", r, []byte{0x6e, 0x03, 0x02, 0x01, 0x05}, krb5, 0},
		{"NTLM", r, []byte("NTLMSSP\x00\x01\x00\x00\x00"), ntlm, 0},
		{"unknown mechanism", r, first(oid.IAKERB), nil, gsserr.ErrBadMech},
		{"deprecated", r, first(old.info.OID), nil, gsserr.ErrNoCred},
		{"not for default", r, first(special.info.OID), nil, gsserr.ErrNoCred},
		{"empty, nothing negotiates", few, nil, nil, gsserr.ErrDefectiveToken},
		{"NTLM, not registered", few, []byte("NTLMSSP\x00"), nil, gsserr.ErrBadMech},
		{"NTLM, cut", r, []byte("NTLMSSP"), nil, gsserr.ErrDefectiveToken},
		{"a part of SPNEGO's", r, first(oid.SPNEGO)[:10], spnego, 0},
		{"a part of SPNEGO's, nothing negotiates", few, first(oid.SPNEGO)[:10], nil, gsserr.ErrBadMech},
		{"a part of SPNEGO's OID", r, first(oid.SPNEGO)[:9], nil, gsserr.ErrDefectiveToken},
		{"a part of another's", r, first(oid.Krb5)[:13], nil, gsserr.ErrDefectiveToken},
		{"garbage", r, []byte("GET / HTTP/1.1"), nil, gsserr.ErrDefectiveToken},
		{"trailing byte", r, append(first(oid.Krb5), 0), nil, gsserr.ErrDefectiveToken},
		{"too long", r, mech.AppendToken(nil, oid.Krb5, make([]byte, mech.MaxToken)), nil, gsserr.ErrDefectiveToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, f := range []*fake{krb5, spnego, ntlm, old, special} {
				f.accept = nil
			}
			a, err := secctx.Accept(&secctx.AcceptOptions{Registry: tt.r})
			require.NoError(t, err)
			require.True(t, a.Info().Mech.IsZero())
			_, _, err = a.Step(t.Context(), tt.token)
			if tt.err != 0 {
				require.ErrorIs(t, err, tt.err)
				if strings.HasPrefix(tt.name, "NTLM, not") {
					require.ErrorContains(t, err, "NTLM")
				}
				_, _, err = a.Step(t.Context(), tt.token)
				require.ErrorIs(t, err, gsserr.ErrNoContext)
				return
			}
			require.NoError(t, err)
			require.NotNil(t, tt.want.accept)
			require.Equal(t, tt.want.info.OID, a.Info().Mech)
		})
	}
	// With a credential for it, a mechanism need not be a default.
	m := mechtest.NewToy("secret", &mechtest.ToyOptions{Attrs: []oid.OID{mech.MANotDefaultMech}})
	r = registry(t, m)
	pair(t, &secctx.InitOptions{Registry: r}, &secctx.AcceptOptions{Cred: acquire(t, r, service, mech.UsageAccept, toyOID)})
}

// iovScript is a script with everything optional.
type iovScript struct {
	script
	calls []string
	fail  error
	info2 mech.MessageInfo
	inner mech.Context
}

func (s *iovScript) call(name string) error {
	s.calls = append(s.calls, name)
	return s.fail
}

func (s *iovScript) WrapIOV([]iov.Buffer, *mech.WrapOptions) error { return s.call("wrap") }
func (s *iovScript) UnwrapIOV([]iov.Buffer) (mech.MessageInfo, error) {
	return s.info2, s.call("unwrap")
}
func (s *iovScript) WrapIOVLength([]iov.Buffer, *mech.WrapOptions) error { return s.call("length") }
func (s *iovScript) GetMICIOV([]iov.Buffer, mech.QOP) error              { return s.call("get") }
func (s *iovScript) VerifyMICIOV([]iov.Buffer) (mech.QOP, error)         { return 0, s.call("verify") }
func (s *iovScript) GetMICIOVLength([]iov.Buffer, mech.QOP) error        { return s.call("get length") }
func (s *iovScript) Selected() mech.Context                              { return s.inner }
func (s *iovScript) Export() ([]byte, error)                             { return []byte("token"), s.call("export") }

// open returns an initiator's context that is established with s.
func open(t *testing.T, s mech.Context) *secctx.SecContext {
	t.Helper()
	c, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(s))})
	require.NoError(t, err)
	_, more, err := c.Step(t.Context(), nil)
	require.NoError(t, err)
	require.False(t, more)
	return c
}

func TestIOV(t *testing.T) {
	b := iov.Message([]byte("data"))
	calls := []struct {
		name string
		f    func(c *secctx.SecContext) error
	}{
		{"wrap", func(c *secctx.SecContext) error { return c.WrapIOV(b, nil) }},
		{"unwrap", func(c *secctx.SecContext) error { _, err := c.UnwrapIOV(b); return err }},
		{"length", func(c *secctx.SecContext) error { return c.WrapIOVLength(b, nil) }},
		{"get", func(c *secctx.SecContext) error { return c.GetMICIOV(b) }},
		{"verify", func(c *secctx.SecContext) error { return c.VerifyMICIOV(b) }},
		{"get length", func(c *secctx.SecContext) error { return c.GetMICIOVLength(b) }},
	}
	s := &iovScript{script: script{info: good()}, info2: mech.MessageInfo{Encrypted: true}}
	c := open(t, s)
	for _, call := range calls {
		s.calls, s.fail = nil, nil
		require.NoError(t, call.f(c))
		require.Equal(t, []string{call.name}, s.calls)
		s.fail = gsserr.ErrBadMIC
		err := call.f(c)
		require.ErrorIs(t, err, gsserr.ErrBadMIC)
		var e *gsserr.Error
		require.ErrorAs(t, err, &e)
		require.NotEmpty(t, e.Op)
	}
	s.fail = gsserr.ErrGapToken
	info, err := c.UnwrapIOV(b)
	require.True(t, gsserr.Informational(err))
	require.True(t, info.Encrypted)
	s.fail = gsserr.ErrBadMIC
	info, err = c.UnwrapIOV(b)
	require.ErrorIs(t, err, gsserr.ErrBadMIC)
	require.Zero(t, info)

	plain := open(t, &script{info: good()})
	fresh, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(s))})
	require.NoError(t, err)
	var none *secctx.SecContext
	for _, call := range calls {
		require.ErrorIs(t, call.f(plain), gsserr.ErrUnavailable)
		require.ErrorIs(t, call.f(fresh), gsserr.ErrNoContext)
		require.ErrorIs(t, call.f(none), gsserr.ErrNoContext)
	}
}

func TestEngine(t *testing.T) {
	core := &script{info: good()}
	middle := &iovScript{script: script{info: good()}, inner: core}
	outer := &iovScript{script: script{info: good(), more: true, out: []byte("x")}, inner: middle}
	c, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(outer))})
	require.NoError(t, err)
	require.Same(t, outer, c.Engine(), "not the chosen one before the end")
	_, _, err = c.Step(t.Context(), nil)
	require.NoError(t, err)
	require.Same(t, outer, c.Engine())
	outer.more = false
	_, _, err = c.Step(t.Context(), nil)
	require.NoError(t, err)
	require.Same(t, core, c.Engine())
	middle.inner = nil
	require.Same(t, middle, c.Engine())
	middle.inner = outer // a circle ends
	require.NotNil(t, c.Engine())
	require.NoError(t, c.Close())
	require.Nil(t, c.Engine())

	var none *secctx.SecContext
	require.Nil(t, none.Engine())
	a, err := secctx.Accept(&secctx.AcceptOptions{Registry: toyWorld(t)})
	require.NoError(t, err)
	require.Nil(t, a.Engine())
}

func TestInfoNegotiated(t *testing.T) {
	s := &script{info: good(), more: true, out: []byte("x")}
	s.info.Mech = toyOID
	c, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(s))})
	require.NoError(t, err)
	i := c.Info()
	require.Equal(t, fakeOID, i.Mech, "until the end the one it was made with")
	require.False(t, i.Negotiated)
	require.False(t, i.Established)
	require.True(t, i.Initiator.IsZero() && i.Acceptor.IsZero() && i.Expires.IsZero(), "what is not established does not count")
	require.True(t, c.Expires().IsZero())
	s.more = false
	_, _, err = c.Step(t.Context(), nil)
	require.NoError(t, err)
	i = c.Info()
	require.Equal(t, toyOID, i.Mech)
	require.True(t, i.Negotiated)
	require.Equal(t, s.info.Expires, i.Expires)
	require.Equal(t, s.info.Expires, c.Expires())
	require.Equal(t, "fake", i.Enctype)
	require.True(t, slices.Equal([]string{"alice", "imap"}, []string{i.Initiator.String(), i.Acceptor.String()}))
}
