package cfx

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func TestMIC(t *testing.T) {
	everySetup(t, func(t *testing.T, s setup) {
		i, a := s.pair(t)
		for _, dir := range []struct{ from, to *Context }{{i, a}, {a, i}} {
			for _, n := range []int{0, 1, 15, 16, 17, 4095, 65536} {
				msg := message(n)
				mic, err := dir.from.GetMIC([]byte("before"), msg, 0)
				require.NoError(t, err)
				require.Equal(t, "before", string(mic[:6]))
				require.Len(t, mic, 6+overhead[true][s.id])
				q, err := dir.to.VerifyMIC(msg, mic[6:])
				require.NoError(t, err)
				require.Zero(t, q)
			}
		}
	})
}

func TestVerifyMICTamper(t *testing.T) {
	everySetup(t, func(t *testing.T, s setup) {
		i, a := s.pair(t)
		msg := message(50)
		mic, err := i.GetMIC(nil, msg, 0)
		require.NoError(t, err)
		refuse := func(msg, mic []byte) {
			t.Helper()
			_, err := a.VerifyMIC(msg, mic)
			require.Error(t, err)
			requireForgery(t, err)
		}
		for at := range mic {
			for _, x := range []byte{1, 2, 4, 0x80, 0xff} {
				bad := bytes.Clone(mic)
				bad[at] ^= x
				refuse(msg, bad)
			}
			refuse(msg, mic[:at])
			refuse(msg, append(bytes.Clone(mic[:at]), mic[at+1:]...))
		}
		refuse(msg, append(bytes.Clone(mic), 0))
		for at := range msg {
			bad := bytes.Clone(msg)
			bad[at] ^= 1
			refuse(bad, mic)
			refuse(msg[:at], mic)
		}
		refuse(append(bytes.Clone(msg), 0), mic)

		// The header is a part of what is summed, but not of the message.
		refuse(append(bytes.Clone(msg), mic[:16]...), mic)

		_, err = a.VerifyMIC(msg, mic)
		require.NoError(t, err, "forged tokens have not moved the window")
	})
}

func TestVerifyMICMalformed(t *testing.T) {
	i, a := setup{id: aes128}.pair(t)
	msg := []byte("message")
	mic, err := i.GetMIC(nil, msg, 0)
	require.NoError(t, err)
	wrap, err := i.Wrap(nil, msg, integOnly)
	require.NoError(t, err)
	edit := func(at int, b byte) []byte {
		c := bytes.Clone(mic)
		c[at] = b
		return c
	}
	for _, tt := range []struct {
		name  string
		mic   []byte
		major gsserr.Major
		minor krberr.Code
	}{
		{"nil", nil, gsserr.ErrDefectiveToken, krberr.GSSTokTrunc},
		{"short header", mic[:15], gsserr.ErrDefectiveToken, krberr.GSSTokTrunc},
		{"no checksum", mic[:16], gsserr.ErrDefectiveToken, krberr.GSSBadLength},
		{"short checksum", mic[:27], gsserr.ErrDefectiveToken, krberr.GSSBadLength},
		{"long checksum", append(bytes.Clone(mic), 0), gsserr.ErrDefectiveToken, krberr.GSSBadLength},
		{"wrap token", wrap, gsserr.ErrDefectiveToken, krberr.GSSWrongTokID},
		{"filler 3", edit(3, 0), gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader},
		{"filler 4", edit(4, 0), gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader},
		{"filler 7", edit(7, 0), gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader},
		{"sealed", edit(2, 2), gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader},
		{"direction", edit(2, 1), gsserr.ErrBadMIC, krberr.GSSBadDirection},
		{"checksum", edit(20, mic[20]^1), gsserr.ErrBadMIC, krberr.APBadIntegrity},
		{"frame of another mechanism", mech.AppendToken(nil, oid.SPNEGO, mic), gsserr.ErrDefectiveToken, krberr.GSSWrongMech},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := a.VerifyMIC(msg, tt.mic)
			requireError(t, err, "verify_mic", tt.major, tt.minor)
		})
	}
}

// TestUsagesDiffer checks that the checksum of a MIC token cannot serve in a
// Wrap token.
func TestUsagesDiffer(t *testing.T) {
	id := aes256
	a := setup{id: id}.side(t, false)
	f := forge{testKey(t, id, 1), 25, header{token: tokenWrap, ec: uint16(enctype.ChecksumSize(id)), seq: 1}}
	requireError(t, requireRefused(t, a, f.wrap(t, []byte("message"))), "unwrap", gsserr.ErrBadMIC, krberr.APBadIntegrity)
	f.usage = 24
	_, _, err := a.Unwrap(nil, f.wrap(t, []byte("message")))
	require.NoError(t, err)
}
