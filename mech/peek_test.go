package mech_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func TestPeekToken(t *testing.T) {
	for _, n := range []int{0, 1, 0x75, 0x76, 0x77, 0x78, 0xf8, 0x100, 0xfff8, 0x10000, mech.MaxToken - 14} {
		whole := mech.AppendToken(nil, oid.SPNEGO, make([]byte, n))
		id := len(whole) - n // where the OID ends
		for _, k := range []int{0, 1, 2, 3, 4, 5, id - 1, id, id + 1, len(whole) - 1, len(whole)} {
			if k > len(whole) {
				continue
			}
			m, size, err := mech.PeekToken(whole[:k])
			if k < id || len(whole) > mech.MaxToken {
				require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "%d of %d", k, n)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, oid.SPNEGO, m)
			require.Equal(t, len(whole), size)
		}
	}
	for name, b := range map[string][]byte{
		"other tag":         {0x61, 8, 6, 6, 0x2b, 6, 1, 5, 5, 2},
		"indefinite":        {0x60, 0x80, 6, 6, 0x2b, 6, 1, 5, 5, 2},
		"long length":       {0x60, 0x81, 8, 6, 6, 0x2b, 6, 1, 5, 5, 2},
		"leading zero":      {0x60, 0x82, 0, 0x90, 6, 6, 0x2b, 6, 1, 5, 5, 2},
		"four bytes":        {0x60, 0x84, 1, 0, 0, 0, 6, 6, 0x2b, 6, 1, 5, 5, 2},
		"too long":          {0x60, 0x83, 0x10, 0, 0, 6, 6, 0x2b, 6, 1, 5, 5, 2},
		"OID too long":      {0x60, 7, 6, 6, 0x2b, 6, 1, 5, 5, 2},
		"malformed OID":     {0x60, 0x20, 6, 1, 0x80},
		"not an OID":        {0x60, 0x20, 4, 1, 0},
		"empty, and no OID": {0x60, 0},
	} {
		_, _, err := mech.PeekToken(b)
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken, name)
	}
}

// A whole token is peeked at as it is parsed.
func FuzzPeekToken(f *testing.F) {
	f.Add(mech.AppendToken(nil, oid.SPNEGO, []byte("body")))
	f.Add([]byte{0x60, 0x82, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, size, err := mech.PeekToken(b)
		n, _, parseErr := mech.ParseToken(b)
		switch {
		case parseErr == nil:
			require.NoError(t, err)
			require.Equal(t, n, m)
			require.Equal(t, len(b), size)
		case err == nil:
			require.NotEqual(t, len(b), size)
		}
	})
}
