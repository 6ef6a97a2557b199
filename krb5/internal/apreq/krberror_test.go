package apreq

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/oid"
)

// An error token says the code, who says it and when, and nothing else.
func TestErrorToken(t *testing.T) {
	now := noon.Add(5 * time.Microsecond)
	for _, tc := range []struct {
		report krberr.Code
		code   int32
	}{
		{krberr.APSkew, 37}, {krberr.APBadIntegrity, 31}, {krberr.KRBGeneric, 60},
		{krberr.APTktInvalid, 60}, {krberr.NoPermEtype, 60}, {krberr.RCIO, 60}, {krberr.GSSBadLength, 60}, {0, 60},
	} {
		token := ErrorToken(oid.Krb5MS, tc.report, service, now)
		m, id, msg, err := Unframe(token)
		require.NoError(t, err)
		require.Equal(t, oid.Krb5MS, m)
		require.Equal(t, TokError, id)
		e, err := wire.ParseKRBError(msg)
		require.NoError(t, err)
		e.STime = e.STime.UTC()
		server := service
		server.Type = e.Server.Type
		require.Equal(t, &wire.KRBError{STime: now, Code: tc.code, Server: server}, e, "no text, no client, no client's time, no data")

		err = OpenError(msg)
		requireCode(t, err, gsserr.ErrFailure, krberr.FromRFC(tc.code))
	}
}

func TestErrorTokenWithoutServer(t *testing.T) {
	_, _, msg, err := Unframe(ErrorToken(oid.Krb5, krberr.APSkew, principal.Name{}, noon))
	require.NoError(t, err)
	require.ErrorIs(t, OpenError(msg), krberr.APSkew)
}

// What a peer writes is shown on one line, without what moves the cursor, and
// not much of it.
func TestOpenErrorText(t *testing.T) {
	for _, text := range []string{
		"clock skew", "two\nlines\r\n", "\x1b[2J\x07bell", "\xff\xfe not UTF-8", strings.Repeat("long ", 1000),
		strings.Repeat("é", 150), "\u202eright to left\u2028", "quote\"d", "",
	} {
		msg := (&wire.KRBError{STime: noon, Code: 37, Server: service, Text: text}).Append(nil)
		err := OpenError(msg)
		requireCode(t, err, gsserr.ErrFailure, krberr.APSkew)
		require.Less(t, len(err.Error()), 400)
		for _, r := range err.Error() {
			require.True(t, r >= ' ' && r != 0x7f && r != 0x202e && r != 0x2028 && r != 0xfffd, "%q", err.Error())
		}
		require.Equal(t, text != "", strings.Contains(err.Error(), `("`))
	}
}

func TestOpenErrorMalformed(t *testing.T) {
	msg := (&wire.KRBError{STime: noon, Code: 37, Server: service}).Append(nil)
	for n := range msg {
		require.ErrorIs(t, OpenError(msg[:n]), gsserr.ErrDefectiveToken)
	}
	require.ErrorIs(t, OpenError(append(msg, 0)), gsserr.ErrDefectiveToken)
	for _, code := range []int32{0, -1, 128, 1 << 30, -1 << 31} {
		err := OpenError((&wire.KRBError{STime: noon, Code: code, Server: service}).Append(nil))
		requireCode(t, err, gsserr.ErrFailure, krberr.KRBGeneric)
	}
}
