package spnego

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func TestTokenSize(t *testing.T) {
	for _, tt := range []struct {
		in   string
		size int
		ok   bool
	}{
		{"", 0, false}, {"60", 0, true}, {"a1", 0, true}, {"a0", 0, false}, {"4e", 0, false}, {"6e", 0, false},
		{"60 00", 2, true}, {"60 7f", 129, true}, {"a1 05 30", 7, true},
		{"60 80", 0, false}, {"60 81", 0, true}, {"60 81 7f", 0, false}, {"60 81 80", 131, true},
		{"60 82", 0, true}, {"60 82 00", 0, false}, {"60 82 01", 0, true}, {"60 82 00 80", 0, false}, {"60 82 01 00", 260, true},
		{"60 83 0f ff fb", 1 << 20, true}, {"60 83 0f ff fc", 0, false}, {"60 83 00", 0, false},
		{"60 84", 0, false}, {"60 84 00 00 01 00", 0, false}, {"60 ff", 0, false},
	} {
		size, ok := tokenSize(unhex(tt.in))
		require.Equal(t, tt.size, size, tt.in)
		require.Equal(t, tt.ok, ok, tt.in)
	}
}

// feed gives a context a token in pieces and returns what the last one yields.
func feed(t *testing.T, c mech.Context, token []byte, sizes ...int) ([]byte, bool, error) {
	t.Helper()
	for _, n := range sizes {
		piece := bytes.Clone(token[:n])
		out, more, err := c.Step(t.Context(), piece)
		require.NoError(t, err)
		require.Nil(t, out)
		require.True(t, more)
		clear(piece) // it is the caller's again
		token = token[n:]
	}
	return c.Step(t.Context(), token)
}

func TestFragments(t *testing.T) {
	i := sideOf(mechA(2)).initiate(t)
	first, _, err := i.Step(t.Context(), nil)
	require.NoError(t, err)
	for n := 1; n < len(first); n++ {
		a := sideOf(mechA(2)).accept(t)
		reply, more, err := feed(t, a, first, n)
		require.NoError(t, err)
		require.False(t, more)
		i := sideOf(mechA(2)).initiate(t)
		_, _, err = i.Step(t.Context(), nil)
		require.NoError(t, err)
		_, more, err = feed(t, i, reply, min(n, len(reply)-1))
		require.NoError(t, err)
		require.False(t, more)
	}
	t.Run("byte by byte", func(t *testing.T) {
		ones := bytes.Repeat([]byte{1}, len(first)-1)
		sizes := make([]int, len(ones))
		for k := range ones {
			sizes[k] = 1
		}
		_, more, err := feed(t, sideOf(mechA(2)).accept(t), first, sizes...)
		require.NoError(t, err)
		require.False(t, more)
	})
	t.Run("framed reply", func(t *testing.T) {
		reply := mech.AppendToken(nil, oid.SPNEGO, respToken(acceptCompleted, oidA, mechA(2).token(2), nil))
		i := sideOf(mechA(2)).initiate(t)
		_, _, err := i.Step(t.Context(), nil)
		require.NoError(t, err)
		_, more, err := feed(t, i, reply, 3, 10)
		require.NoError(t, err)
		require.False(t, more)
	})
	t.Run("hint", func(t *testing.T) {
		out, _, err := feed(t, sideOf(mechA(2)).initiate(t), must(parseInit(goldenHint)).marshal(), 5)
		require.ErrorIs(t, err, gsserr.ErrBadMech)
		require.Nil(t, out)
	})
	big := initToken([]oid.OID{oidA}, make([]byte, mech.MaxToken), nil)
	for _, tt := range []struct {
		name   string
		pieces [][]byte
	}{
		{"empty", [][]byte{first[:4], nil}},
		{"more than the whole", [][]byte{first[:4], append(bytes.Clone(first[4:]), 0)}},
		{"two tokens", [][]byte{first[:4], append(bytes.Clone(first[4:]), first...)}},
		{"not minimal", [][]byte{{0x60, 0x82}, {0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}},
		{"endless", [][]byte{{0x60, 0x84}}},
		{"too long", [][]byte{big[:2], big[2:100]}},
		{"too long together", [][]byte{{0x60, 0x83, 0x0f, 0xff, 0xfb}, make([]byte, mech.MaxToken)}},
		{"not ours", [][]byte{{0x61, 0x05}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := sideOf(mechA(2)).accept(t)
			var err error
			for k, p := range tt.pieces {
				var out []byte
				out, _, err = a.Step(t.Context(), p)
				require.Nil(t, out)
				if k < len(tt.pieces)-1 {
					require.NoError(t, err)
				}
			}
			require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
			require.Equal(t, goldenReject, tokenOf(err))
			require.Empty(t, a.fragments.buf)
		})
	}
}

// A peer that never comes to an end meets one of ours: in fragments, and in
// tokens of a mechanism without end.
func TestBounded(t *testing.T) {
	a := sideOf(mechA(2)).accept(t)
	_, _, err := a.Step(t.Context(), []byte{0x60, 0x83, 0x0f, 0xff, 0xfb})
	for n := 1; err == nil; n++ {
		require.LessOrEqual(t, n, maxSteps)
		_, _, err = a.Step(t.Context(), []byte{0})
	}
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)

	i, a := sideOf(mechA(1<<30)).initiate(t), sideOf(mechA(1<<30)).accept(t)
	var token []byte
	for n := 0; err == nil || n == 0; n++ {
		require.LessOrEqual(t, n, 2*maxSteps)
		var c mech.Context = i
		if n%2 == 1 {
			c = a
		}
		token, _, err = c.Step(t.Context(), token)
	}
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
}
