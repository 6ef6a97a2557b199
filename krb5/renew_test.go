package krb5_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/testenv"
)

func TestRenew(t *testing.T) {
	c := newClock()
	w := newWorld(t, &testenv.Options{Now: c.now}, func(o *krb5.Config) { o.Time = c.now })
	cred, err := w.Login(ctx, "alice", &krb5.LoginOptions{Password: secret, Lifetime: time.Hour, Renewable: 3 * time.Hour})
	require.NoError(t, err)
	first, err := cred.Info(ctx)
	require.NoError(t, err)
	for range 2 {
		c.add(50 * time.Minute)
		renewed, err := w.Renew(ctx, cred)
		require.NoError(t, err)
		info, err := renewed.Info(ctx)
		require.NoError(t, err)
		require.True(t, info.Name.Equal(first.Name))
		require.WithinDuration(t, c.now().Add(time.Hour), info.InitiateExpires, 2*time.Second)
		was, err := cred.Info(ctx)
		require.NoError(t, err)
		require.True(t, was.InitiateExpires.Before(info.InitiateExpires), "the old one stays as it is")
		establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{renewed}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
		cred = renewed
	}
	// Not beyond the renew-till time.
	c.add(50 * time.Minute)
	cred, err = w.Renew(ctx, cred)
	require.NoError(t, err)
	info, err := cred.Info(ctx)
	require.NoError(t, err)
	require.WithinDuration(t, first.InitiateExpires.Add(2*time.Hour), info.InitiateExpires, 2*time.Second)

	c.add(2 * time.Hour)
	_, err = w.Renew(ctx, cred)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrAPTktExpired)
}

func TestRenewRefuses(t *testing.T) {
	w := newWorld(t, nil, nil)
	short, err := w.Login(ctx, "alice", &krb5.LoginOptions{Password: secret, Lifetime: time.Hour})
	require.NoError(t, err)
	_, err = w.Renew(ctx, short)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrBadOption)
	_, err = w.Validate(ctx, w.alice)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrBadOption)
	_, err = w.Renew(ctx, nil)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	_, err = w.Renew(ctx, w.server)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	other := newWorld(t, nil, nil)
	_, err = w.Renew(ctx, other.alice)
	require.ErrorIs(t, err, gsserr.ErrDefectiveCredential)
}
