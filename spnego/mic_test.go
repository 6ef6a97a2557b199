package spnego

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// The list is signed as it was sent, tag and length included.
func TestMICInput(t *testing.T) {
	b := mechB(1)
	i, a := sideOf(mechA(2), b).initiate(t), sideOf(mechB(1)).accept(t)
	r := run(t, i, a, nil)
	require.NoError(t, r.aErr)
	sent, err := parseInit(r.tokens[0])
	require.NoError(t, err)
	require.EqualValues(t, 0x30, sent.mechTypesDER[0])
	got, err := parseResp(r.tokens[2])
	require.NoError(t, err)
	require.Equal(t, b.mac([]byte("initiator"), sent.mechTypesDER), got.mechListMIC)
	got, err = parseResp(r.tokens[3])
	require.NoError(t, err)
	require.Equal(t, b.mac([]byte("acceptor"), sent.mechTypesDER), got.mechListMIC)
}

// edit changes the token of one leg.
func edit(at int, f func(i *negTokenInit, r *negTokenResp)) func(int, []byte) []byte {
	return func(leg int, token []byte) []byte {
		if leg != at {
			return token
		}
		if i, err := parseInit(token); err == nil {
			f(i, nil)
			return i.marshal()
		}
		r := must(parseResp(token))
		f(nil, r)
		return r.marshal()
	}
}

// chain applies several changes.
func chain(fs ...func(int, []byte) []byte) func(int, []byte) []byte {
	return func(leg int, token []byte) []byte {
		for _, f := range fs {
			token = f(leg, token)
		}
		return token
	}
}

// Someone in the middle who wants another mechanism than the two would choose
// gets no context.
func TestDowngrade(t *testing.T) {
	cut := func(list ...oid.OID) func(*negTokenInit, *negTokenResp) {
		return func(i *negTokenInit, _ *negTokenResp) { i.mechTypesDER = encodeMechTypes(list) }
	}
	noMIC := func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = nil }
	state := func(s negState) func(*negTokenInit, *negTokenResp) {
		return func(_ *negTokenInit, r *negTokenResp) { r.negState = s }
	}
	for _, tt := range []struct {
		name   string
		legs   int
		change func(int, []byte) []byte
	}{
		{"list cut", 2, edit(0, cut(oidB))},
		{"list cut, token of another", 2, edit(0, func(i *negTokenInit, _ *negTokenResp) {
			i.mechTypesDER, i.mechToken = encodeMechTypes([]oid.OID{oidB}), nil
		})},
		{"list cut, one leg", 1, edit(0, func(i *negTokenInit, _ *negTokenResp) {
			i.mechTypesDER, i.mechToken = encodeMechTypes([]oid.OID{oidB}), nil
		})},
		{"list turned", 2, chain(edit(0, func(i *negTokenInit, _ *negTokenResp) {
			i.mechTypesDER, i.mechToken = encodeMechTypes([]oid.OID{oidB, oidA}), nil
		}))},
		{"unknown in front", 2, chain(edit(0, cut(oidC, oidB)), edit(1, state(acceptIncomplete)))},
		{"unknown in front, mic stripped", 2, chain(edit(0, cut(oidC, oidB)), edit(3, noMIC))},
		{"unknown in front, mic stripped, completed", 2, chain(edit(0, cut(oidC, oidB)), edit(3, noMIC), edit(3, state(acceptCompleted)))},
		{"list cut, mic stripped", 1, chain(edit(0, func(i *negTokenInit, _ *negTokenResp) {
			i.mechTypesDER, i.mechToken = encodeMechTypes([]oid.OID{oidB}), nil
		}), edit(2, noMIC))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := sideOf(mechA(tt.legs), mechB(tt.legs)).initiate(t)
			a := sideOf(mechA(tt.legs), mechB(tt.legs)).accept(t)
			r := run(t, i, a, tt.change)
			require.True(t, r.iErr != nil || r.aErr != nil)
			require.False(t, i.Info().Established, "the initiator falls for it")
		})
	}
}

// Where a mechListMIC is missing or wrong, nobody goes on.
func TestMICMissing(t *testing.T) {
	other := sideOf(mechA(2), mechB(2))
	for _, tt := range []struct {
		name   string
		i, a   side
		change func(int, []byte) []byte
		byUs   bool // the initiator finds out
		major  gsserr.Major
	}{
		{"acceptor's", other, sideOf(mechB(2)), edit(3, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = nil }), true, gsserr.ErrDefectiveToken},
		{"acceptor's, wrong", other, sideOf(mechB(2)), edit(3, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC[0]++ }), true, gsserr.ErrBadMIC},
		{"acceptor's, long", other, sideOf(mechB(2)), edit(3, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = append(r.mechListMIC, 0) }), true, gsserr.ErrBadMIC},
		{"initiator's", other, sideOf(mechB(2)), edit(4, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = nil }), false, gsserr.ErrDefectiveToken},
		{"initiator's, wrong", other, sideOf(mechB(2)), edit(4, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC[0]++ }), false, gsserr.ErrBadMIC},
		{"initiator's, with the last token", sideOf(mechA(2), mechB(1)), sideOf(mechB(1)), edit(2, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = nil }), false, gsserr.ErrDefectiveToken},
		{"acceptor's, demanded", side{c: demanding, mechs: []*fake{mechA(2)}}, sideOf(mechA(2)), nil, true, gsserr.ErrDefectiveToken},
		{"acceptor's, demanded, one leg", side{c: demanding, mechs: []*fake{mechA(1)}}, sideOf(mechA(1)),
			edit(1, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = nil }), true, gsserr.ErrDefectiveToken},
		{"initiator's, demanded", sideOf(mechA(2)), side{c: demanding, mechs: []*fake{mechA(2)}},
			edit(2, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = nil }), false, gsserr.ErrDefectiveToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i, a := tt.i.initiate(t), tt.a.accept(t)
			r := run(t, i, a, tt.change)
			err := r.aErr
			if tt.byUs {
				err = r.iErr
			}
			require.ErrorIs(t, err, tt.major)
			require.Equal(t, "reject", text(tokenOf(err)))
			if tt.byUs {
				require.False(t, i.Info().Established)
			} else {
				require.False(t, a.Info().Established)
			}
		})
	}
}

func TestMICImpossible(t *testing.T) {
	no := mechA(2)
	no.noInteg = true
	r := run(t, sideOf(no).initiate(t), side{c: demanding, mechs: []*fake{no}}.accept(t), nil)
	require.ErrorIs(t, r.aErr, gsserr.ErrUnavailable)
	r = run(t, side{c: demanding, mechs: []*fake{no}}.initiate(t), sideOf(no).accept(t), nil)
	require.ErrorIs(t, r.iErr, gsserr.ErrUnavailable)
	one := mechA(1)
	one.noInteg = true
	_, _, err := side{c: demanding, mechs: []*fake{one}}.initiate(t).Step(t.Context(), nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable, "before a token leaves")
}

func TestSecondMIC(t *testing.T) {
	// A peer that sends its MIC before our last token of the mechanism, and again.
	i := sideOf(mechA(3)).initiate(t)
	_, _, err := i.Step(t.Context(), nil)
	require.NoError(t, err)
	mic := mechA(3).mac([]byte("acceptor"), i.mechTypes)
	out, more, err := i.Step(t.Context(), respToken(acceptIncomplete, oidA, mechA(3).token(2), mic))
	require.NoError(t, err)
	require.True(t, more)
	require.Equal(t, "accept-incomplete token mic", text(out))
	_, _, err = i.Step(t.Context(), respToken(acceptCompleted, oid.OID{}, nil, mic))
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	require.ErrorContains(t, err, "second mechListMIC")
}

// A MIC that the mechanism knows to be a replay is none.
func TestMICOutOfSequence(t *testing.T) {
	i := sideOf(mechA(2)).initiate(t)
	_, _, err := i.Step(t.Context(), nil)
	require.NoError(t, err)
	i.inner.(*fakeContext).broken = gsserr.ErrDuplicateToken
	_, _, err = i.Step(t.Context(), respToken(acceptIncomplete, oidA, mechA(2).token(2), mechA(2).mac([]byte("acceptor"), i.mechTypes)))
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	require.False(t, gsserr.Informational(err))
}

func TestMechanismWants(t *testing.T) {
	for _, tt := range []struct {
		answer []byte
		want   bool
	}{{nil, false}, {[]byte{}, false}, {[]byte{0, 0, 0, 0}, false}, {[]byte{1, 0, 0, 0}, true}, {[]byte{0, 0, 0, 1}, true}, {[]byte{1}, true}} {
		f := mechA(1)
		f.wants = tt.answer
		out, _, err := sideOf(f).initiate(t).Step(t.Context(), nil)
		require.NoError(t, err)
		got, err := parseInit(out)
		require.NoError(t, err)
		require.Equal(t, tt.want, got.mechListMIC != nil, "%x", tt.answer)
	}
}

// NTLM's key streams start again after the negotiation.
func TestResetCrypto(t *testing.T) {
	var si, sa []byte
	fi, fa := mechA(2), mechA(2)
	fi.resets, fa.resets = &si, &sa
	r := run(t, sideOf(fi).initiate(t), side{c: demanding, mechs: []*fake{fa}}.accept(t), nil)
	require.NoError(t, r.aErr)
	require.Equal(t, []byte{1, 0}, si, "verified, then signed")
	require.Equal(t, []byte{0, 1}, sa)
}

// The tokens of Windows 2000, with the mechanism's token where the MIC belongs.
func TestTokenInPlaceOfMIC(t *testing.T) {
	i, a := sideOf(mechA(2)).initiate(t), sideOf(mechA(2)).accept(t)
	r := run(t, i, a, edit(1, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = bytes.Clone(r.responseToken) }))
	require.NoError(t, r.iErr)
	require.True(t, i.Info().Established)

	i, a = sideOf(mechA(2), mechB(2)).initiate(t), sideOf(mechB(2)).accept(t)
	r = run(t, i, a, edit(3, func(_ *negTokenInit, r *negTokenResp) { r.mechListMIC = bytes.Clone(r.responseToken) }))
	require.ErrorIs(t, r.iErr, gsserr.ErrDefectiveToken, "it is no MIC where one is needed")
}

var _ mech.Protector = (*fakeContext)(nil)
