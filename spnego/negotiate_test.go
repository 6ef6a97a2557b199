package spnego

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var demanding = Config{RequireMechListMIC: true}

func sideOf(mechs ...*fake) side { return side{mechs: mechs} }

// Whole exchanges, token by token.
func TestExchange(t *testing.T) {
	wants := func(f *fake) *fake { f.wants = []byte{1, 0, 0, 0}; return f }
	no := func(f *fake) *fake { f.noInteg = true; return f }
	for _, tt := range []struct {
		name string
		i, a side
		want []string
	}{
		{"one leg", sideOf(mechA(1)), sideOf(mechA(1)), []string{"init [A] token", "accept-completed A"}},
		{"two legs", sideOf(mechA(2)), sideOf(mechA(2)), []string{"init [A] token", "accept-completed A token"}},
		{"three legs", sideOf(mechA(3)), sideOf(mechA(3)), []string{
			"init [A] token", "accept-incomplete A token", "accept-incomplete token", "accept-completed"}},
		{"four legs", sideOf(mechA(4)), sideOf(mechA(4)), []string{
			"init [A] token", "accept-incomplete A token", "accept-incomplete token", "accept-completed token"}},

		{"first of two", sideOf(mechA(2), mechB(2)), sideOf(mechB(2), mechA(2)), []string{"init [A B] token", "accept-completed A token"}},
		{"second, one leg", sideOf(mechA(2), mechB(1)), sideOf(mechB(1)), []string{
			"init [A B] token", "request-mic B", "accept-incomplete token mic", "accept-completed mic"}},
		{"second, two legs", sideOf(mechA(2), mechB(2)), sideOf(mechB(2)), []string{
			"init [A B] token", "request-mic B", "accept-incomplete token", "accept-incomplete token mic", "accept-completed mic"}},
		{"second, three legs", sideOf(mechA(2), mechB(3)), sideOf(mechB(3)), []string{
			"init [A B] token", "request-mic B", "accept-incomplete token", "accept-incomplete token",
			"accept-incomplete token mic", "accept-completed mic"}},
		{"second after one that is complete", sideOf(mechA(1), mechB(2)), sideOf(mechB(2)), []string{
			"init [A B] token", "request-mic B", "accept-incomplete token", "accept-incomplete token mic", "accept-completed mic"}},

		{"acceptor requires, one leg", sideOf(mechA(1)), side{c: demanding, mechs: []*fake{mechA(1)}}, []string{
			"init [A] token", "request-mic A mic", "accept-completed mic"}},
		{"acceptor requires, two legs", sideOf(mechA(2)), side{c: demanding, mechs: []*fake{mechA(2)}}, []string{
			"init [A] token", "accept-incomplete A token mic", "accept-completed mic"}},
		{"acceptor requires, three legs", sideOf(mechA(3)), side{c: demanding, mechs: []*fake{mechA(3)}}, []string{
			"init [A] token", "accept-incomplete A token", "accept-incomplete token", "accept-incomplete mic", "accept-completed mic"}},
		{"initiator requires, one leg", side{c: demanding, mechs: []*fake{mechA(1)}}, sideOf(mechA(1)), []string{
			"init [A] token mic", "accept-completed A mic"}},
		{"initiator requires, three legs", side{c: demanding, mechs: []*fake{mechA(3)}}, sideOf(mechA(3)), []string{
			"init [A] token", "accept-incomplete A token", "accept-incomplete token mic", "accept-completed mic"}},
		{"both require, two legs", side{c: demanding, mechs: []*fake{mechA(2)}}, side{c: demanding, mechs: []*fake{mechA(2)}}, []string{
			"init [A] token", "accept-incomplete A token mic", "accept-completed mic"}},

		{"mechanism wants, one leg", sideOf(wants(mechA(1))), sideOf(wants(mechA(1))), []string{"init [A] token mic", "accept-completed A mic"}},
		{"mechanism wants, three legs", sideOf(wants(mechA(3))), sideOf(wants(mechA(3))), []string{
			"init [A] token", "accept-incomplete A token", "accept-incomplete token mic", "accept-completed mic"}},
		{"acceptor's mechanism wants, three legs", sideOf(mechA(3)), sideOf(wants(mechA(3))), []string{
			"init [A] token", "accept-incomplete A token", "accept-incomplete token", "accept-incomplete mic", "accept-completed mic"}},

		{"second, nothing to protect with", sideOf(mechA(2), no(mechB(2))), sideOf(no(mechB(2))), []string{
			"init [A B] token", "request-mic B", "accept-incomplete token", "accept-completed token"}},
		{"mechanism wants, nothing to protect with", sideOf(wants(no(mechA(2)))), sideOf(wants(no(mechA(2)))), []string{
			"init [A] token", "accept-completed A token"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i, a := tt.i.initiate(t), tt.a.accept(t)
			r := run(t, i, a, nil)
			require.NoError(t, r.iErr)
			require.NoError(t, r.aErr)
			require.Equal(t, tt.want, texts(r.tokens))
			for _, c := range []mech.Context{i, a} {
				info := c.Info()
				require.True(t, info.Established)
				require.True(t, info.Flags.Has(mech.FlagTrans))
				require.Equal(t, i.used.Info().OID, info.Mech)
				_, _, err := c.Step(t.Context(), nil)
				require.ErrorIs(t, err, gsserr.ErrNoContext)
				require.NotNil(t, c.(mech.Negotiator).Selected())
			}
			require.True(t, i.Info().Initiator)
			require.False(t, a.Info().Initiator)
		})
	}
}

// What the mechanisms say of a context does not show before the end.
func TestInfoBeforeTheEnd(t *testing.T) {
	i, a := sideOf(mechA(1)).initiate(t), side{c: demanding, mechs: []*fake{mechA(1)}}.accept(t)
	check := func() {
		t.Helper()
		for _, c := range []mech.Context{i, a} {
			info := c.Info()
			require.Equal(t, oid.SPNEGO, info.Mech)
			require.False(t, info.Established)
			require.Zero(t, info.Flags&(mech.FlagProtReady|mech.FlagTrans))
			require.Nil(t, c.(mech.Negotiator).Selected())
			_, err := c.(mech.Protector).Wrap(nil, []byte("m"), nil)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			_, err = c.(mech.Exporter).Export()
			require.ErrorIs(t, err, gsserr.ErrNoContext)
		}
		require.Equal(t, i.target, i.Info().Target)
	}
	check()
	out, more, err := i.Step(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, more)
	check()
	_, more, err = a.Step(t.Context(), out)
	require.NoError(t, err)
	require.True(t, more)
	check()
	require.Equal(t, mech.FlagInteg, i.Info().Flags)
}

// The first mechanism that can be started is the first that is offered.
func TestFallback(t *testing.T) {
	boom := errors.New("boom")
	for _, tt := range []struct {
		name   string
		breaks func(f *fake, err error)
	}{
		{"name", func(f *fake, err error) { f.noName = err }},
		{"Initiate", func(f *fake, err error) { f.noInitiate = err }},
		{"Step", func(f *fake, err error) { f.noStep = err }},
		{"no token", func(f *fake, _ error) { f.legs = 0 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := mechA(2)
			tt.breaks(bad, boom)
			i, a := sideOf(bad, mechB(2), &fake{id: oidC, legs: 2}).initiate(t), sideOf(mechA(2), mechB(2)).accept(t)
			r := run(t, i, a, nil)
			require.NoError(t, r.iErr)
			require.NoError(t, r.aErr)
			require.Equal(t, []string{"init [B C] token", "accept-completed B token"}, texts(r.tokens))
		})
	}
	t.Run("none can", func(t *testing.T) {
		a, b := mechA(2), mechB(2)
		a.noStep, b.noStep = a.fail(gsserr.ErrNoCred), b.fail(gsserr.ErrUnauthorized)
		i := sideOf(a, b).initiate(t)
		out, more, err := i.Step(t.Context(), nil)
		require.Nil(t, out)
		require.False(t, more)
		require.ErrorIs(t, err, gsserr.ErrNoCred, "the error is that of the first")
		var e *gsserr.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "init_sec_context", e.Op)
		require.Equal(t, oidA, e.Mech)
		require.EqualValues(t, fakeMinor, e.Minor)
		require.Nil(t, e.Token)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		i := sideOf(mechA(2), mechB(2)).initiate(t)
		_, _, err := i.Step(ctx, nil)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("second cannot be started", func(t *testing.T) {
		b := mechB(2)
		b.noInitiate = boom
		i, a := sideOf(mechA(2), b).initiate(t), sideOf(mechB(2)).accept(t)
		r := run(t, i, a, nil)
		require.ErrorIs(t, r.iErr, boom)
		require.Equal(t, "reject", text(tokenOf(r.iErr)))
	})
}

func tokenOf(err error) []byte {
	var e *gsserr.Error
	if !errors.As(err, &e) {
		return nil
	}
	return e.Token
}

// An acceptor passes over what it cannot start.
func TestAcceptorWithoutCredentials(t *testing.T) {
	none, refusing := mechA(2), mechA(2)
	none.noCred = true
	refusing.noAccept = refusing.fail(gsserr.ErrUnauthorized)
	for _, bad := range []*fake{none, refusing} {
		i, a := sideOf(mechA(2), mechB(2)).initiate(t), sideOf(bad, mechB(2)).accept(t)
		r := run(t, i, a, nil)
		require.NoError(t, r.iErr)
		require.NoError(t, r.aErr)
		require.Equal(t, "request-mic B", text(r.tokens[1]))

		i, a = sideOf(mechA(2), mechB(2)).initiate(t), sideOf(bad).accept(t)
		r = run(t, i, a, nil)
		require.Error(t, r.aErr)
		require.Equal(t, oidA, mechOf(r.aErr), "the reason is the mechanism's")
		require.Equal(t, "reject", text(tokenOf(r.aErr)))
	}
	t.Run("hint", func(t *testing.T) {
		out, more, err := sideOf(none, mechB(2)).accept(t).Step(t.Context(), nil)
		require.NoError(t, err)
		require.True(t, more)
		require.Equal(t, "init [B] hints", text(out))
		_, _, err = sideOf(none).accept(t).Step(t.Context(), nil)
		require.ErrorIs(t, err, gsserr.ErrNoCred)
	})
}

func mechOf(err error) oid.OID {
	var e *gsserr.Error
	if !errors.As(err, &e) {
		return oid.OID{}
	}
	return e.Mech
}

// Which mechanisms take part.
func TestCandidates(t *testing.T) {
	hidden := &fake{id: oidC, legs: 2, attrs: []oid.OID{mech.MANotDefaultMech}}
	for _, tt := range []struct {
		name  string
		s     side
		want  string
		major gsserr.Major
		minor uint32
	}{
		{"all", side{mechs: []*fake{mechA(2), mechB(2)}}, "init [A B] token", 0, 0},
		{"credential for one", side{mechs: []*fake{mechA(2), mechB(2)}, creds: []oid.OID{oidB}}, "init [B] token", 0, 0},
		{"credential for both", side{mechs: []*fake{mechA(2), mechB(2)}, creds: []oid.OID{oidB, oidA}}, "init [A B] token", 0, 0},
		{"list", side{mechs: []*fake{mechA(2), mechB(2)}, neg: []oid.OID{oidB, oidC, oidA, oidB}}, "init [B A] token", 0, 0},
		{"list and credential", side{mechs: []*fake{mechA(2), mechB(2)}, creds: []oid.OID{oidA}, neg: []oid.OID{oidB, oidA}}, "init [A] token", 0, 0},
		{"empty list", side{mechs: []*fake{mechA(2)}, neg: []oid.OID{}}, "", gsserr.ErrFailure, minorNoMechs},
		{"nothing in the list", side{mechs: []*fake{mechA(2)}, neg: []oid.OID{oidB}}, "", gsserr.ErrFailure, minorNoMechs},
		{"list without credential", side{mechs: []*fake{mechA(2), mechB(2)}, creds: []oid.OID{oidA}, neg: []oid.OID{oidB}}, "", gsserr.ErrFailure, minorNoMechs},
		{"credential of another", side{mechs: []*fake{mechA(2)}, creds: []oid.OID{oidC}}, "", gsserr.ErrNoCred, minorNoCreds},
		{"none by default", side{mechs: []*fake{hidden}}, "", gsserr.ErrFailure, minorNoMechs},
		{"not by default", side{mechs: []*fake{hidden, mechA(2)}}, "init [A] token", 0, 0},
		{"asked for", side{mechs: []*fake{hidden, mechA(2)}, neg: []oid.OID{oidC}}, "init [C] token", 0, 0},
		{"with a credential", side{mechs: []*fake{hidden, mechA(2)}, creds: []oid.OID{oidC}}, "init [C] token", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.s.mechanism()
			n, err := m.ImportName([]byte("host@server"), oid.NTHostBased)
			require.NoError(t, err)
			c, err := m.Initiate(n, mech.InitRequest{Creds: tt.s.elements(), NegMechs: tt.s.neg})
			_, errA := m.Accept(mech.AcceptRequest{Creds: tt.s.elements(), NegMechs: tt.s.neg})
			if tt.major != 0 {
				for _, err := range []error{err, errA} {
					require.ErrorIs(t, err, tt.major)
					require.Equal(t, tt.minor, err.(*gsserr.Error).Minor)
					require.NotEmpty(t, m.StatusText(tt.minor))
				}
				return
			}
			require.NoError(t, err)
			require.NoError(t, errA)
			out, _, err := c.Step(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, tt.want, text(out))
		})
	}
	t.Run("usage", func(t *testing.T) {
		m := sideOf(mechA(2)).mechanism()
		_, err := m.Accept(mech.AcceptRequest{Creds: []mech.Cred{&fakeCred{oidA, mech.UsageInitiate}}})
		require.ErrorIs(t, err, gsserr.ErrNoCred)
	})
}

// New leaves out what cannot be negotiated.
func TestNew(t *testing.T) {
	a := mechA(2)
	m := New(nil, nil, New(nil, a), a, mechA(1), mechB(2))
	require.Equal(t, []mech.Mechanism{a, m.inner[1]}, m.inner)
	require.Equal(t, oidB, m.inner[1].Info().OID)
	require.Equal(t, oid.SPNEGO, m.Info().OID)
	require.Equal(t, []oid.OID{oid.NTHostBased}, m.Info().NameTypes)
	_, err := New(nil).ImportName([]byte("x"), oid.NTHostBased)
	require.ErrorIs(t, err, gsserr.ErrBadNameType)
	_, err = New(nil).Accept(mech.AcceptRequest{})
	require.ErrorIs(t, err, gsserr.ErrFailure)
}

func TestNames(t *testing.T) {
	m, other := sideOf(mechA(2)).mechanism(), sideOf(mechA(2)).mechanism()
	n, err := m.ImportName([]byte("host@server"), oid.NTHostBased)
	require.NoError(t, err)
	same, err := m.ImportName([]byte("host@server"), oid.NTHostBased)
	require.NoError(t, err)
	foreign, err := other.ImportName([]byte("host@server"), oid.NTHostBased)
	require.NoError(t, err)
	require.True(t, n.Equal(same))
	require.False(t, n.Equal(foreign))
	require.False(t, n.Equal(nil))
	require.False(t, n.Equal((*name)(nil)))
	require.Equal(t, oid.SPNEGO, n.Mech())
	text, typ := n.Display()
	require.Equal(t, "host@server", text)
	require.Equal(t, oid.NTHostBased, typ)
	_, err = n.Export()
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	for _, typ := range []oid.OID{oid.NTExportName, oid.NTCompositeExport} {
		_, err = m.ImportName([]byte("x"), typ)
		require.ErrorIs(t, err, gsserr.ErrBadNameType)
	}

	_, err = m.Initiate(nil, mech.InitRequest{})
	require.ErrorIs(t, err, gsserr.ErrInaccessibleRead|gsserr.ErrBadName)
	_, err = m.Initiate(&fakeName{}, mech.InitRequest{})
	require.ErrorIs(t, err, gsserr.ErrBadName)
	_, err = m.Initiate(foreign, mech.InitRequest{})
	require.ErrorIs(t, err, gsserr.ErrDefectiveCredential)
	_, err = m.AcquireCred(t.Context(), mech.CredRequest{Name: foreign})
	require.ErrorIs(t, err, gsserr.ErrDefectiveCredential)
	_, err = m.AcquireCred(t.Context(), mech.CredRequest{Name: n})
	require.ErrorIs(t, err, gsserr.ErrUnavailable)

	bad := mechA(2)
	bad.noName = bad.fail(gsserr.ErrBadName)
	_, err = sideOf(bad).mechanism().ImportName([]byte("x"), oid.NTHostBased)
	require.ErrorIs(t, err, gsserr.ErrBadName)
	require.Equal(t, oidA, mechOf(err))
}

// An initiator that has nothing to say is told what there is.
func TestHint(t *testing.T) {
	a := sideOf(mechA(2), mechB(2)).accept(t)
	hint, more, err := a.Step(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, more)
	require.Equal(t, "init [A B] hints", text(hint))

	i := sideOf(&fake{id: oidC, legs: 2}, mechB(2)).initiate(t)
	token, more, err := i.Step(t.Context(), hint)
	require.NoError(t, err)
	require.True(t, more)
	// Nothing protects a hint: it does not change what is offered.
	require.Equal(t, "init [C B] token", text(token))
	for range 3 {
		if token, _, err = a.Step(t.Context(), token); len(token) == 0 || err != nil {
			break
		}
		if token, _, err = i.Step(t.Context(), token); len(token) == 0 || err != nil {
			break
		}
	}
	require.NoError(t, err)
	require.True(t, a.Info().Established && i.Info().Established)

	t.Run("nothing in common", func(t *testing.T) {
		i := sideOf(&fake{id: oidC, legs: 2}).initiate(t)
		_, _, err := i.Step(t.Context(), hint)
		require.ErrorIs(t, err, gsserr.ErrBadMech)
		require.Nil(t, tokenOf(err))
		require.ErrorContains(t, err, oidA.String())
	})
	t.Run("not a hint", func(t *testing.T) {
		i := sideOf(mechA(2)).initiate(t)
		_, _, err := i.Step(t.Context(), []byte("hello"))
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	})
	t.Run("only once", func(t *testing.T) {
		a := sideOf(mechA(2)).accept(t)
		_, _, err := a.Step(t.Context(), nil)
		require.NoError(t, err)
		_, _, err = a.Step(t.Context(), nil)
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	})
	t.Run("Microsoft's OID", func(t *testing.T) {
		k := &fake{id: oid.Krb5, aliases: []oid.OID{oid.Krb5MS, oid.Krb5Old}, legs: 2}
		hint := (&negTokenInit{mechTypesDER: encodeMechTypes([]oid.OID{oid.Krb5MS}), negHints: encodeHints()}).marshal()
		out, _, err := sideOf(k).initiate(t).Step(t.Context(), hint)
		require.NoError(t, err)
		require.Equal(t, "init [krb5] token", text(out))
	})
}

// What an acceptor answers to lists (RFC 4178, MS-SPNG; compared with MIT's).
func TestLists(t *testing.T) {
	krb5 := &fake{id: oid.Krb5, aliases: []oid.OID{oid.Krb5MS, oid.Krb5Old}, legs: 2}
	unknown := oid.NTLM
	for _, tt := range []struct {
		name string
		list []oid.OID
		want string
		err  string
	}{
		{"Kerberos", []oid.OID{oid.Krb5}, "accept-completed krb5 token", ""},
		{"Microsoft's", []oid.OID{oid.Krb5MS}, "accept-completed ms-krb5 token", ""},
		{"Microsoft's first", []oid.OID{oid.Krb5MS, oid.Krb5, unknown}, "accept-completed ms-krb5 token", ""},
		{"Microsoft's second", []oid.OID{oid.Krb5, oid.Krb5MS}, "accept-completed krb5 token", ""},
		{"unknown first", []oid.OID{unknown, oid.Krb5}, "request-mic krb5", ""},
		{"NegoEx first", []oid.OID{oid.NegoEx, oid.Krb5MS}, "request-mic ms-krb5", ""},
		{"twice", []oid.OID{oid.Krb5, oid.Krb5}, "accept-completed krb5 token", ""},
		{"the drafts'", []oid.OID{oid.Krb5Old}, "", "Kerberos (1.3.5.1.5.2)"},
		{"the drafts' first", []oid.OID{oid.Krb5Old, oid.Krb5}, "request-mic krb5", ""},
		{"unknown", []oid.OID{oidC}, "", oidC.String()},
		{"NTLM", []oid.OID{oid.NTLM, oid.NegoEx}, "", "NTLM, NegoEx"},
		{"none", nil, "", "nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := (&negTokenInit{mechTypesDER: encodeMechTypes(tt.list), mechToken: krb5.token(1)}).marshal()
			a := sideOf(krb5).accept(t)
			out, _, err := a.Step(t.Context(), in)
			if tt.err == "" {
				require.NoError(t, err)
				require.Equal(t, tt.want, text(out))
				return
			}
			require.ErrorIs(t, err, gsserr.ErrBadMech)
			require.ErrorContains(t, err, tt.err)
			require.Equal(t, minorRejected, err.(*gsserr.Error).Minor)
			require.Equal(t, oid.SPNEGO, mechOf(err))
			require.Equal(t, goldenReject, tokenOf(err))
		})
	}
	t.Run("no token", func(t *testing.T) {
		for _, token := range [][]byte{nil, {}} {
			in := (&negTokenInit{mechTypesDER: encodeMechTypes([]oid.OID{oid.Krb5}), mechToken: token}).marshal()
			out, more, err := sideOf(krb5).accept(t).Step(t.Context(), in)
			require.NoError(t, err)
			require.True(t, more)
			require.Equal(t, "accept-incomplete krb5", text(out))
		}
	})
	t.Run("64 mechanisms", func(t *testing.T) {
		list := make([]oid.OID, maxMechs)
		for i := range list {
			list[i] = oidC.Append(uint64(i))
		}
		list[maxMechs-1] = oid.Krb5
		out, _, err := sideOf(krb5).accept(t).Step(t.Context(), (&negTokenInit{mechTypesDER: encodeMechTypes(list)}).marshal())
		require.NoError(t, err)
		require.Equal(t, "request-mic krb5", text(out))
		list = append(list, oid.Krb5)
		_, _, err = sideOf(krb5).accept(t).Step(t.Context(), (&negTokenInit{mechTypesDER: encodeMechTypes(list)}).marshal())
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
		list[maxMechs-1] = oidC
		_, _, err = sideOf(krb5).accept(t).Step(t.Context(), (&negTokenInit{mechTypesDER: encodeMechTypes(list[:maxMechs])}).marshal())
		require.ErrorContains(t, err, "others")
	})
	t.Run("raw NTLM after a hint", func(t *testing.T) {
		a := sideOf(krb5).accept(t)
		_, _, err := a.Step(t.Context(), nil)
		require.NoError(t, err)
		_, _, err = a.Step(t.Context(), []byte("NTLMSSP\x00\x01\x00\x00\x00"))
		require.ErrorIs(t, err, gsserr.ErrBadMech)
		require.ErrorContains(t, err, "NTLM")
	})
}

// An initiator takes any of Kerberos's OIDs for the one it sent.
func TestChoiceByAnotherName(t *testing.T) {
	krb5 := &fake{id: oid.Krb5, aliases: []oid.OID{oid.Krb5MS, oid.Krb5Old}, legs: 2}
	for _, o := range []oid.OID{{}, oid.Krb5, oid.Krb5MS, oid.Krb5Old} {
		i := sideOf(krb5, mechA(2)).initiate(t)
		_, _, err := i.Step(t.Context(), nil)
		require.NoError(t, err)
		in := negTokenResp{negState: acceptCompleted, supportedMech: o, responseToken: krb5.token(2)}
		out, more, err := i.Step(t.Context(), in.marshal())
		require.NoError(t, err)
		require.False(t, more)
		require.Nil(t, out)
	}
}

// An error of the mechanism reaches the peer and is the peer's error.
func TestErrorTokens(t *testing.T) {
	flip := func(at int) func(int, []byte) []byte {
		return func(leg int, token []byte) []byte {
			if leg == at {
				token[len(token)-1] ^= 1 // the end of the mechanism's token
			}
			return token
		}
	}
	for _, tt := range []struct {
		name      string
		legs, at  int
		initiator bool // is who finds out
	}{
		{"first", 2, 0, false}, {"second", 2, 1, true}, {"third", 4, 2, false}, {"fourth", 4, 3, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i, a := sideOf(mechA(tt.legs)).initiate(t), sideOf(mechA(tt.legs)).accept(t)
			r := run(t, i, a, flip(tt.at))
			err, other, op := r.aErr, mech.Context(i), "accept_sec_context"
			if tt.initiator {
				err, other, op = r.iErr, a, "init_sec_context"
			}
			require.ErrorIs(t, err, gsserr.ErrBadMIC)
			e := err.(*gsserr.Error)
			require.Equal(t, op, e.Op)
			require.Equal(t, oidA, e.Mech)
			require.EqualValues(t, fakeMinor, e.Minor)
			want := "reject token"
			if tt.at == 0 {
				want = "reject A token"
			}
			require.Equal(t, want, text(e.Token))

			_, _, err = other.Step(t.Context(), e.Token)
			switch {
			case other.Info().Mech != oid.SPNEGO || tt.legs == 2 && tt.initiator || tt.at == 3:
				require.ErrorIs(t, err, gsserr.ErrNoContext) // it was done
			case tt.initiator:
				require.ErrorIs(t, err, gsserr.ErrFailure)
			default:
				require.ErrorIs(t, err, gsserr.ErrUnauthorized, "what the mechanism reads in the token")
				require.Equal(t, oidA, mechOf(err))
				require.Nil(t, tokenOf(err))
			}
		})
	}
}

// Rejects, with a token and without.
func TestReject(t *testing.T) {
	for _, tt := range []struct {
		name  string
		legs  int
		later bool // after the first reply
		token []byte
		major gsserr.Major
		minor uint32
	}{
		{"first reply", 2, false, nil, gsserr.ErrBadMech, minorRejected},
		{"first reply, one leg", 1, false, nil, gsserr.ErrBadMech, minorRejected},
		{"first reply, empty token", 2, false, []byte{}, gsserr.ErrBadMech, minorRejected},
		{"first reply, error token", 2, false, fakeError, gsserr.ErrUnauthorized, fakeMinor},
		{"first reply, good token", 2, false, mechA(2).token(2), gsserr.ErrDefectiveToken, 0},
		{"later", 4, true, nil, gsserr.ErrFailure, minorRejected},
		{"later, error token", 4, true, fakeError, gsserr.ErrUnauthorized, fakeMinor},
		{"later, good token", 4, true, mechA(4).token(4), gsserr.ErrDefectiveToken, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := sideOf(mechA(tt.legs)).initiate(t)
			_, _, err := i.Step(t.Context(), nil)
			require.NoError(t, err)
			if tt.later {
				in := negTokenResp{negState: acceptIncomplete, supportedMech: oidA, responseToken: mechA(4).token(2)}
				_, _, err = i.Step(t.Context(), in.marshal())
				require.NoError(t, err)
			}
			_, _, err = i.Step(t.Context(), (&negTokenResp{negState: reject, responseToken: tt.token}).marshal())
			require.ErrorIs(t, err, tt.major)
			require.Equal(t, tt.minor, err.(*gsserr.Error).Minor)
			require.Nil(t, tokenOf(err), "the acceptor is gone")
			_, _, err = i.Step(t.Context(), nil)
			require.ErrorIs(t, err, gsserr.ErrNoContext)
		})
	}
}

func TestOptions(t *testing.T) {
	i, a := sideOf(mechA(2)).initiate(t), sideOf(mechA(2)).accept(t)
	require.ErrorIs(t, i.SetOption(oidC, nil), gsserr.ErrUnavailable, "there is no mechanism yet")
	out, _, err := i.Step(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, i.SetOption(oidC, []byte("early")))
	require.Equal(t, "early", string(i.inner.(*fakeContext).set))
	out, _, err = a.Step(t.Context(), out)
	require.NoError(t, err)
	_, _, err = i.Step(t.Context(), out)
	require.NoError(t, err)
	require.NoError(t, i.SetOption(oidC, []byte("late")))
	require.Equal(t, "late", string(i.inner.(*fakeContext).set))
	require.NoError(t, i.Close())
	require.NoError(t, i.Close())
	require.ErrorIs(t, i.SetOption(oidC, nil), gsserr.ErrNoContext)
}
