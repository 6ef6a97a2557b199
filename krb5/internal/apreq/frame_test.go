package apreq

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func TestFrame(t *testing.T) {
	for _, tc := range []struct {
		m    oid.OID
		id   uint16
		want string
	}{
		{oid.Krb5, TokAPReq, "601006092a864886f71201020201006d7367"},
		{oid.Krb5, TokAPRep, "601006092a864886f71201020202006d7367"},
		{oid.Krb5MS, TokError, "601006092a864882f71201020203006d7367"},
		{oid.Krb5Old, TokAPReq, "600c06052b0501050201006d7367"},
	} {
		b := Frame(tc.m, tc.id, []byte("msg"))
		require.Equal(t, tc.want, hex.EncodeToString(b))
		m, id, msg, err := Unframe(b)
		require.NoError(t, err)
		require.Equal(t, tc.m, m)
		require.Equal(t, tc.id, id)
		require.Equal(t, "msg", string(msg))
	}
	// Every length of length.
	for _, n := range []int{0, 113, 114, 115, 116, 241, 242, 243, 244, 65520, 65521, 65522, 65523, 65536} {
		_, _, msg, err := Unframe(Frame(oid.Krb5, TokAPReq, make([]byte, n)))
		require.NoError(t, err)
		require.Len(t, msg, n)
	}
}

func TestUnframeRefuses(t *testing.T) {
	good := Frame(oid.Krb5, TokAPReq, []byte("msg"))
	for n := range good {
		_, _, _, err := Unframe(good[:n])
		requireCode(t, err, gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader)
	}
	for name, tc := range map[string]struct {
		token string
		code  krberr.Code
	}{
		"another mechanism":     {"600a06062b0601050502" + "0100", krberr.GSSWrongMech},
		"IAKERB":                {"600a06062b0601050205" + "0100", krberr.GSSWrongMech},
		"no token identifier":   {"600b06092a864886f712010202", krberr.GSSTokTrunc},
		"half an identifier":    {"600c06092a864886f71201020201", krberr.GSSTokTrunc},
		"a byte after the end":  {"601006092a864886f71201020201006d736700", krberr.GSSBadTokHeader},
		"length not minimal":    {"61811006092a864886f71201020201006d7367", krberr.GSSBadTokHeader},
		"long form of a length": {"60811006092a864886f71201020201006d7367", krberr.GSSBadTokHeader},
		"indefinite length":     {"608006092a864886f71201020201006d73670000", krberr.GSSBadTokHeader},
		"bare AP-REQ":           {"6e00", krberr.GSSBadTokHeader},
		"NTLM":                  {"4e544c4d53535000", krberr.GSSBadTokHeader},
	} {
		_, _, _, err := Unframe(unhex(t, tc.token))
		require.Error(t, err, name)
		requireCode(t, err, gsserr.ErrDefectiveToken, tc.code)
	}
	_, _, _, err := Unframe(make([]byte, mech.MaxToken+1))
	requireCode(t, err, gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader)
}

func TestIsBare(t *testing.T) {
	s := newScene(t, types[0])
	req := s.request(t).Append(nil)
	require.True(t, IsRequest(req))
	require.False(t, IsReply(req))
	rep, err := (&Reply{Time: noon}).Append(nil, s.session)
	require.NoError(t, err)
	require.True(t, IsReply(rep))
	require.False(t, IsRequest(rep))
	for _, b := range [][]byte{nil, {}, Frame(oid.Krb5, TokAPReq, req)} {
		require.False(t, IsRequest(b))
		require.False(t, IsReply(b))
	}
}

func FuzzUnframe(f *testing.F) {
	f.Add(Frame(oid.Krb5, TokAPReq, []byte("msg")))
	f.Add(Frame(oid.Krb5MS, TokAPRep, make([]byte, 300)))
	f.Add([]byte{0x60, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, id, msg, err := Unframe(b)
		if err != nil {
			require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
			return
		}
		require.Equal(t, b, Frame(m, id, msg))
	})
}
