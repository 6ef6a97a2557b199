package gsserr_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/oid"
)

// Codes and texts of RFC 2744 §3.9.1 as MIT's library has them.
func TestStatuses(t *testing.T) {
	for _, tt := range []struct {
		m    gsserr.Major
		num  uint32
		text string
	}{
		{0, 0, "The routine completed successfully"},
		{gsserr.ErrInaccessibleRead, 1 << 24, "A required input parameter could not be read"},
		{gsserr.ErrInaccessibleWrite, 2 << 24, "A required output parameter could not be written"},
		{gsserr.ErrBadStructure, 3 << 24, "A parameter was malformed"},
		{gsserr.ErrBadMech, 1 << 16, "An unsupported mechanism was requested"},
		{gsserr.ErrBadName, 2 << 16, "An invalid name was supplied"},
		{gsserr.ErrBadNameType, 3 << 16, "A supplied name was of an unsupported type"},
		{gsserr.ErrBadBindings, 4 << 16, "Incorrect channel bindings were supplied"},
		{gsserr.ErrBadStatus, 5 << 16, "An invalid status code was supplied"},
		{gsserr.ErrBadMIC, 6 << 16, "A token had an invalid Message Integrity Check (MIC)"},
		{gsserr.ErrNoCred, 7 << 16, "No credentials were supplied, or the credentials were unavailable or inaccessible"},
		{gsserr.ErrNoContext, 8 << 16, "No context has been established"},
		{gsserr.ErrDefectiveToken, 9 << 16, "Invalid token was supplied"},
		{gsserr.ErrDefectiveCredential, 10 << 16, "Invalid credential was supplied"},
		{gsserr.ErrCredentialsExpired, 11 << 16, "The referenced credential has expired"},
		{gsserr.ErrContextExpired, 12 << 16, "The referenced context has expired"},
		{gsserr.ErrFailure, 13 << 16, "Unspecified GSS failure.  Minor code may provide more information"},
		{gsserr.ErrBadQOP, 14 << 16, "The quality-of-protection (QOP) requested could not be provided"},
		{gsserr.ErrUnauthorized, 15 << 16, "The operation is forbidden by local security policy"},
		{gsserr.ErrUnavailable, 16 << 16, "The operation or option is not available or unsupported"},
		{gsserr.ErrDuplicateElement, 17 << 16, "The requested credential element already exists"},
		{gsserr.ErrNameNotMN, 18 << 16, "The provided name was not mechanism specific (MN)"},
		{gsserr.ErrBadMechAttr, 19 << 16, "An invalid status code was supplied"},
		{gsserr.ContinueNeeded, 1, "The routine must be called again to complete its function"},
		{gsserr.ErrDuplicateToken, 2, "The token was a duplicate of an earlier token"},
		{gsserr.ErrOldToken, 4, "The token's validity period has expired"},
		{gsserr.ErrUnseqToken, 8, "A later token has already been processed"},
		{gsserr.ErrGapToken, 16, "An expected per-message token was not received"},
		{20 << 16, 20 << 16, "An invalid status code was supplied"},
		{9 << 24, 9 << 24, "An invalid status code was supplied"},
		{1 << 9, 1 << 9, "An invalid status code was supplied"},
	} {
		require.Equal(t, tt.num, uint32(tt.m), tt.text)
		require.Equal(t, []string{tt.text}, gsserr.Statuses(tt.m))
		require.NotEmpty(t, tt.m.Error())
		require.Equal(t, tt.m.Error(), tt.m.String())
	}
	all := gsserr.ErrInaccessibleRead | gsserr.ErrBadName | gsserr.ErrUnseqToken | gsserr.ErrDuplicateToken
	require.Equal(t, []string{
		"A required input parameter could not be read", "An invalid name was supplied",
		"The token was a duplicate of an earlier token", "A later token has already been processed",
	}, gsserr.Statuses(all))
	require.Equal(t, "inaccessible input parameter, bad name, duplicate token, unsequenced token", all.Error())
	require.Equal(t, gsserr.ErrInaccessibleRead, all.Calling())
	require.Equal(t, gsserr.ErrBadName, all.Routine())
	require.Equal(t, gsserr.ErrUnseqToken|gsserr.ErrDuplicateToken, all.Supplementary())
	require.Equal(t, "complete", gsserr.Major(0).Error())
	require.Equal(t, "unknown status 0x00140000", gsserr.Major(20<<16).Error())
}

func TestIs(t *testing.T) {
	readName := gsserr.ErrInaccessibleRead | gsserr.ErrBadName
	for _, tt := range []struct {
		err    error
		target gsserr.Major
		want   bool
	}{
		{readName, gsserr.ErrBadName, true},
		{readName, gsserr.ErrInaccessibleRead, true},
		{readName, readName, true},
		{readName, gsserr.ErrBadNameType, false},
		{readName, gsserr.ErrInaccessibleWrite, false},
		{gsserr.ErrBadName, readName, false},
		{gsserr.ErrInaccessibleRead, readName, false},
		// Numbers are fields, not bits: 3 is not 1 and 2.
		{gsserr.ErrBadNameType, gsserr.ErrBadName, false},
		{gsserr.ErrBadStructure, gsserr.ErrInaccessibleRead, false},
		{gsserr.ErrUnseqToken, gsserr.ErrOutOfSequence, true},
		{gsserr.ErrGapToken, gsserr.ErrOutOfSequence, true},
		{gsserr.ErrDuplicateToken, gsserr.ErrOutOfSequence, false},
		{gsserr.ErrDuplicateToken, gsserr.ErrSupplementary, true},
		{gsserr.ErrOldToken, gsserr.ErrSupplementary, true},
		{gsserr.ContinueNeeded, gsserr.ErrSupplementary, false},
		{gsserr.ErrBadMIC, gsserr.ErrSupplementary, false},
		{gsserr.ErrBadMIC, 0, false},
		{gsserr.New("wrap", gsserr.ErrNoContext, nil), gsserr.ErrNoContext, true},
		{fmt.Errorf("outer: %w", gsserr.New("wrap", gsserr.ErrNoContext, nil)), gsserr.ErrNoContext, true},
		{gsserr.New("init", gsserr.ErrFailure, gsserr.New("inner", gsserr.ErrNoCred, nil)), gsserr.ErrNoCred, true},
		{gsserr.New("init", gsserr.ErrFailure, gsserr.ErrNoCred), gsserr.ErrNoCred, true},
	} {
		require.Equal(t, tt.want, errors.Is(tt.err, tt.target), "%v is %v", tt.err, tt.target)
	}
	require.NotErrorIs(t, gsserr.ErrFailure, io.EOF)
	require.True(t, gsserr.Major(0).Is(gsserr.Major(0)))
}

func TestError(t *testing.T) {
	inner := &gsserr.Error{Op: "inner", Major: gsserr.ErrNoCred, Minor: 7, Mech: oid.Krb5, Token: []byte("token"), Err: io.EOF}
	for _, tt := range []struct {
		err  *gsserr.Error
		want string
	}{
		{gsserr.New("wrap", gsserr.ErrNoContext, nil), "gssapi: wrap: no context"},
		{gsserr.New("", gsserr.ErrNoContext, nil), "gssapi: no context"},
		{gsserr.New("wrap", gsserr.ErrNoContext, gsserr.ErrNoContext), "gssapi: wrap: no context"},
		{gsserr.New("wrap", gsserr.ErrFailure, gsserr.ErrNoContext), "gssapi: wrap: failure: no context"},
		{gsserr.New("wrap", gsserr.ErrFailure, io.EOF), "gssapi: wrap: failure: EOF"},
		{gsserr.New("outer", 0, inner), "gssapi: outer: no credentials: EOF"},
		{gsserr.New("outer", gsserr.ErrFailure, inner), "gssapi: outer: failure: inner: no credentials: EOF"},
		{gsserr.New("outer", 0, gsserr.New("inner", gsserr.ErrBadMIC, nil)), "gssapi: outer: integrity check failed"},
		{gsserr.New("outer", 0, nil), "gssapi: outer: failure"},
		{gsserr.New("outer", 0, gsserr.Major(0)), "gssapi: outer: failure: complete"},
	} {
		require.EqualError(t, tt.err, tt.want)
		require.NotZero(t, tt.err.Major, "a Major is never zero")
	}

	outer := gsserr.New("outer", 0, fmt.Errorf("between: %w", inner))
	require.Equal(t, gsserr.ErrNoCred, outer.Major)
	require.Equal(t, uint32(7), outer.Minor)
	require.Equal(t, oid.Krb5, outer.Mech)
	require.Equal(t, []byte("token"), outer.Token)
	require.ErrorIs(t, outer, io.EOF)
	require.Equal(t, []string{
		"No credentials were supplied, or the credentials were unavailable or inaccessible",
		"between: gssapi: inner: no credentials: EOF",
	}, outer.Statuses())
	require.Len(t, gsserr.New("x", gsserr.ErrBadMIC, nil).Statuses(), 1)

	var none *gsserr.Error
	require.EqualError(t, none, "gssapi: failure")
	require.ErrorIs(t, none, gsserr.ErrFailure)
	require.NotErrorIs(t, none, gsserr.ErrNoCred)
	require.Len(t, none.Statuses(), 1)
	require.EqualError(t, gsserr.New("op", gsserr.ErrBadMIC, none), "gssapi: op: integrity check failed: failure")
}

func TestMajorOf(t *testing.T) {
	var none *gsserr.Error
	for _, tt := range []struct {
		err  error
		want gsserr.Major
	}{
		{nil, 0},
		{io.EOF, gsserr.ErrFailure},
		{context.DeadlineExceeded, gsserr.ErrFailure},
		{gsserr.ErrBadMIC, gsserr.ErrBadMIC},
		{fmt.Errorf("x: %w", gsserr.ErrBadMIC), gsserr.ErrBadMIC},
		{gsserr.New("x", gsserr.ErrBadMIC, gsserr.ErrNoCred), gsserr.ErrBadMIC},
		{gsserr.Major(0), gsserr.ErrFailure},
		{none, gsserr.ErrFailure},
	} {
		require.Equal(t, tt.want, gsserr.MajorOf(tt.err), "%v", tt.want)
	}
}

func TestInformational(t *testing.T) {
	var none *gsserr.Error
	dup := gsserr.New("unwrap", gsserr.ErrDuplicateToken, nil)
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{io.EOF, false},
		{none, false},
		{gsserr.Major(0), false},
		{gsserr.ErrGapToken, true},
		{gsserr.ErrGapToken | gsserr.ErrBadMIC, false},
		{gsserr.ErrGapToken | gsserr.ErrInaccessibleRead, false},
		{dup, true},
		{gsserr.New("step", gsserr.ErrFailure, dup), false},
		{fmt.Errorf("wrapped: %w", dup), false}, // itself, not what it wraps
	} {
		require.Equal(t, tt.want, gsserr.Informational(tt.err), "%v", tt.err)
	}
}
