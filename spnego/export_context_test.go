package spnego

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
)

// toys returns both sides of a context that was negotiated with a toy.
func toys(t *testing.T, flags mech.Flags) (m *Mechanism, i, a mech.Context) {
	t.Helper()
	m = New(nil, mechtest.NewToy("secret", nil))
	n, err := m.ImportName([]byte("imap@host"), oid.NTHostBased)
	require.NoError(t, err)
	i, err = m.Initiate(n, mech.InitRequest{Flags: flags})
	require.NoError(t, err)
	a, err = m.Accept(mech.AcceptRequest{})
	require.NoError(t, err)
	r := run(t, i, a, nil)
	require.NoError(t, r.iErr)
	require.NoError(t, r.aErr)
	return m, i, a
}

const allFlags = mech.FlagMutual | mech.FlagReplay | mech.FlagSequence | mech.FlagConf | mech.FlagInteg

// A context that moves to another process keeps its side.
func TestExportSide(t *testing.T) {
	m, i, a := toys(t, allFlags)
	for _, c := range []mech.Context{i, a} {
		before := c.Info()
		token, err := c.(mech.Exporter).Export()
		require.NoError(t, err)
		id := mechtest.ToyOID.DER()
		require.EqualValues(t, len(id), binary.BigEndian.Uint32(token))
		require.Equal(t, id, token[4:4+len(id)])

		_, err = c.(mech.Protector).Wrap(nil, []byte("m"), nil)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
		_, _, err = c.Step(t.Context(), nil)
		require.ErrorIs(t, err, gsserr.ErrNoContext)

		back, err := m.ImportContext(token)
		require.NoError(t, err)
		after := back.Info()
		require.Equal(t, before.Initiator, after.Initiator)
		require.True(t, after.Established)
		require.Equal(t, before.Flags, after.Flags)
		require.Equal(t, mechtest.ToyOID, after.Mech)
		require.NotNil(t, back.(mech.Negotiator).Selected())
		_, _, err = back.Step(t.Context(), nil)
		require.ErrorIs(t, err, gsserr.ErrNoContext)

		again, err := back.(mech.Exporter).Export()
		require.NoError(t, err)
		require.Equal(t, len(token), len(again))
	}
}

func TestExportedSidesTalk(t *testing.T) {
	m, i, a := toys(t, allFlags)
	move := func(c mech.Context) mech.Protector {
		token, err := c.(mech.Exporter).Export()
		require.NoError(t, err)
		c, err = m.ImportContext(token)
		require.NoError(t, err)
		return c.(mech.Protector)
	}
	x, y := move(i), move(a)
	for _, pair := range [][2]mech.Protector{{x, y}, {y, x}} {
		token, err := pair[0].Wrap(nil, []byte("hello"), nil)
		require.NoError(t, err)
		got, _, err := pair[1].Unwrap(nil, token)
		require.NoError(t, err)
		require.Equal(t, "hello", string(got))
	}
}

// shut is a mechanism whose imported contexts are not established.
type shut struct{ *fake }

func (s *shut) ImportContext([]byte) (mech.Context, error) { return &fakeContext{f: s.fake}, nil }

func TestImportMalformed(t *testing.T) {
	toy := mechtest.NewToy("secret", nil)
	m := New(nil, toy, mechA(2), &shut{mechB(2)})
	with := func(id []byte, rest ...byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(id))), id...), rest...)
	}
	for _, tt := range []struct {
		name  string
		in    []byte
		major gsserr.Major
	}{
		{"empty", nil, gsserr.ErrDefectiveToken},
		{"short", []byte{0, 0, 0}, gsserr.ErrDefectiveToken},
		{"long OID", []byte{0xff, 0xff, 0xff, 0xff, 1}, gsserr.ErrDefectiveToken},
		{"no OID", with(nil), gsserr.ErrDefectiveToken},
		{"bad OID", with([]byte{0x80}), gsserr.ErrDefectiveToken},
		{"unknown", with(oidC.DER()), gsserr.ErrBadMech},
		{"cannot import", with(oidA.DER()), gsserr.ErrUnavailable},
		{"malformed inside", with(mechtest.ToyOID.DER(), 1), gsserr.ErrDefectiveToken},
		{"not established", with(oidB.DER()), gsserr.ErrDefectiveToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := m.ImportContext(tt.in)
			require.ErrorIs(t, err, tt.major)
		})
	}
}

// What the chosen mechanism lacks is unavailable, and what it has passes through.
func TestPassThrough(t *testing.T) {
	_, i, a := toys(t, allFlags)
	n := i.(*initiator)
	require.ErrorIs(t, n.WrapIOV(nil, nil), gsserr.ErrUnavailable)
	_, err := n.UnwrapIOV(nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.ErrorIs(t, n.WrapIOVLength(nil, nil), gsserr.ErrUnavailable)
	require.ErrorIs(t, n.GetMICIOV(nil, 0), gsserr.ErrUnavailable)
	_, err = n.VerifyMICIOV(nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.ErrorIs(t, n.GetMICIOVLength(nil, 0), gsserr.ErrUnavailable)

	require.NoError(t, n.SetOption(mechtest.ToyLabel, []byte("label")))
	got, err := n.Inquire(mechtest.ToyLabel)
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("label")}, got)
	x, err := n.PRF(nil, true, []byte("in"), 20)
	require.NoError(t, err)
	y, err := a.(mech.PRF).PRF(nil, true, []byte("in"), 20)
	require.NoError(t, err)
	require.Equal(t, x, y)
	mic, err := n.GetMIC(nil, []byte("m"), 0)
	require.NoError(t, err)
	_, err = a.(mech.Protector).VerifyMIC([]byte("m"), mic)
	require.NoError(t, err)
	size, err := n.WrapSizeLimit(100, nil)
	require.NoError(t, err)
	require.Positive(t, size)
	end, err := a.(mech.Protector).GetMIC(nil, []byte("delete"), 0)
	require.NoError(t, err)
	require.NoError(t, n.ProcessToken(end))
	_, err = n.Wrap(nil, nil, nil)
	require.ErrorIs(t, err, gsserr.ErrNoContext)
}

// Messages in both directions while the context is exported, described and
// closed: for the race detector.
func TestConcurrentEnd(t *testing.T) {
	for _, end := range []func(c mech.Context){
		func(c mech.Context) { _ = c.Close() },
		func(c mech.Context) { _, _ = c.(mech.Exporter).Export() },
	} {
		_, i, a := toys(t, allFlags)
		done := make(chan struct{})
		for _, c := range []mech.Context{i, a} {
			go func() {
				defer func() { done <- struct{}{} }()
				p := c.(mech.Protector)
				for {
					token, err := p.Wrap(nil, []byte("m"), nil)
					if err != nil {
						return
					}
					_, _, _ = p.Unwrap(nil, token)
					_ = c.(mech.Negotiator).Selected()
				}
			}()
		}
		end(i)
		end(a)
		<-done
		<-done
	}
}
