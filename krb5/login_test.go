package krb5_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

func secretOf(s string) func() []byte { return func() []byte { return []byte(s) } }

// stored writes a credential to a file and returns what is in it.
func stored(t testing.TB, c mech.Cred) *ccache.Contents {
	t.Helper()
	file := tempFile(t, "cc")
	_, err := c.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	contents, err := ccache.NewFile(file).Load(ctx)
	require.NoError(t, err)
	return contents
}

func TestLogin(t *testing.T) {
	w := newWorld(t, nil, nil)
	kt := parseKeytab(t, w.kdc.UserKeytab("alice"))
	for name, o := range map[string]*krb5.LoginOptions{
		"password": {Password: secretOf(password)}, "keytab": {Keytab: kt},
	} {
		for _, who := range []string{"alice", "alice@" + realm} {
			cred, err := w.Login(ctx, who, o)
			require.NoError(t, err, name)
			require.Equal(t, mech.UsageInitiate, cred.Usage())
			require.Equal(t, oid.Krb5, cred.Mech())
			info, err := cred.Info(ctx)
			require.NoError(t, err)
			requireName(t, "alice@"+realm, info.Name)
			require.WithinDuration(t, time.Now().Add(10*time.Hour), info.InitiateExpires, time.Minute)
			establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
		}
	}
}

// The password stays the caller's, and as it was.
func TestLoginPasswordUntouched(t *testing.T) {
	w := newWorld(t, nil, nil)
	pw := []byte(password)
	_, err := w.Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return pw }})
	require.NoError(t, err)
	require.Equal(t, password, string(pw))
}

func TestLoginRefused(t *testing.T) {
	n := &counter{}
	w := newWorld(t, nil, func(c *krb5.Config) { n.Exchanger, c.KDC = c.KDC, n })
	other := parseKeytab(t, w.keytab)
	good := &krb5.LoginOptions{Password: secretOf(password)}
	for _, tc := range []struct {
		name  string
		who   string
		o     *krb5.LoginOptions
		major gsserr.Major
		code  krb5.Code
		sent  int // at most
	}{
		{"wrong password", "alice", &krb5.LoginOptions{Password: secretOf("wrong")}, gsserr.ErrNoCred, krb5.ErrPreauthFailed, 2},
		{"unknown client", "mallory", good, gsserr.ErrNoCred, krb5.ErrClientUnknown, 1},
		{"another realm", "alice@OTHER.TEST", good, gsserr.ErrNoCred, 0, 1},
		{"no options", "alice", nil, gsserr.ErrFailure, 0, 0},
		{"neither password nor keytab", "alice", &krb5.LoginOptions{}, gsserr.ErrFailure, 0, 0},
		{"both", "alice", &krb5.LoginOptions{Password: secretOf(password), Keytab: other}, gsserr.ErrFailure, 0, 0},
		{"keytab without the client", "alice", &krb5.LoginOptions{Keytab: other}, gsserr.ErrNoCred, krb5.ErrKeytabNotFound, 1},
		{"malformed name", "a@b@c", good, gsserr.ErrBadName, krberr.ParseMalformed, 0},
		{"malformed service", "alice", &krb5.LoginOptions{Password: secretOf(password), Service: "a@b@c"}, gsserr.ErrBadName, krberr.ParseMalformed, 0},
		{"unknown service", "alice", &krb5.LoginOptions{Password: secretOf(password), Service: "no/where"}, gsserr.ErrNoCred, krb5.ErrServerUnknown, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := n.count()
			cred, err := w.Login(ctx, tc.who, tc.o)
			require.Nil(t, cred)
			if tc.code != 0 || tc.major == gsserr.ErrFailure {
				requireCode(t, err, tc.major, tc.code)
			}
			require.ErrorIs(t, err, tc.major)
			require.LessOrEqual(t, n.count()-before, tc.sent, "a wrong password must not lock an account")
			require.NotContains(t, err.Error(), password)
		})
	}
	w.kdc.FailNext(18)
	_, err := w.Login(ctx, "alice", good)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrClientRevoked)
	w.kdc.FailNext(23)
	_, err = w.Login(ctx, "alice", good)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrKeyExpired)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = w.Login(cancelled, "alice", good)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrKDCUnreach)
	require.ErrorIs(t, err, context.Canceled)
}

// Without preauthentication a wrong password shows when the reply does not
// open; it is the same error.
func TestLoginWithoutPreauth(t *testing.T) {
	w := newWorld(t, &testenv.Options{NoPreauth: true}, nil)
	_, err := w.Login(ctx, "alice", &krb5.LoginOptions{Password: secretOf("wrong")})
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	require.True(t, strings.Contains(err.Error(), "KRB_AP_ERR_BAD_INTEGRITY") || strings.Contains(err.Error(), "PREAUTH"), err)
}

// Each option changes what the KDC is asked for.
func TestLoginOptions(t *testing.T) {
	w := newWorld(t, nil, nil)
	tgt := func(o krb5.LoginOptions) ccache.Credential {
		o.Password = secretOf(password)
		cred, err := w.Login(ctx, "alice", &o)
		require.NoError(t, err)
		return stored(t, cred).Credentials()[0]
	}
	plain := tgt(krb5.LoginOptions{})
	require.Zero(t, plain.Flags&(wire.FlagForwardable|wire.FlagProxiable))
	require.Equal(t, "krbtgt/"+realm+"@"+realm, plain.Server.String())
	short := tgt(krb5.LoginOptions{Lifetime: time.Hour})
	require.WithinDuration(t, time.Now().Add(time.Hour), short.EndTime, time.Minute)
	require.Zero(t, short.Flags&wire.FlagRenewable)
	long := tgt(krb5.LoginOptions{Lifetime: mech.Indefinite})
	require.WithinDuration(t, time.Now().Add(10*time.Hour), long.EndTime, time.Minute)
	renewable := tgt(krb5.LoginOptions{Lifetime: time.Hour, Renewable: 2 * time.Hour})
	require.NotZero(t, renewable.Flags&wire.FlagRenewable)
	require.WithinDuration(t, time.Now().Add(2*time.Hour), renewable.RenewTill, time.Minute)
	require.NotZero(t, tgt(krb5.LoginOptions{Forwardable: true}).Flags&wire.FlagForwardable)
	require.NotZero(t, tgt(krb5.LoginOptions{Proxiable: true}).Flags&wire.FlagProxiable)
	direct := tgt(krb5.LoginOptions{Service: "host/" + host})
	require.Equal(t, "host/"+host+"@"+realm, direct.Server.String())
}

// A credential that has nothing but one service ticket reaches that service.
func TestServiceTicketOnly(t *testing.T) {
	w := newWorld(t, nil, nil)
	w.kdc.AddService("ftp/" + host)
	cred, err := w.Login(ctx, "alice", &krb5.LoginOptions{Password: secretOf(password), Service: "host/" + host})
	require.NoError(t, err)
	info, err := cred.Info(ctx)
	require.NoError(t, err)
	require.False(t, info.InitiateExpires.IsZero())
	before := w.kdc.Requests()
	for range 2 {
		establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	}
	require.Equal(t, before, w.kdc.Requests())
	i, err := w.Initiate(importName(t, w, "ftp@"+host, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{cred}})
	require.NoError(t, err)
	_, _, err = i.Step(ctx, nil)
	requireCode(t, err, gsserr.ErrNoCred, krberr.GSSTGTMissing)
	require.Equal(t, before, w.kdc.Requests())

	// From a file the same.
	contents := stored(t, cred)
	v := w.with(t, func(c *krb5.Config) { c.CCache = tempFile(t, "cc") })
	require.NoError(t, ccache.NewFile(v.config.CCache).Init(ctx, contents))
	i, err = v.Initiate(v.target(t), mech.InitRequest{Flags: allFlags})
	require.NoError(t, err)
	establish(t, i, v.accept(t, mech.AcceptRequest{}))
}

// The clock of the KDC is what counts: a client that is off logs in, and its
// contexts are good, if the configuration says so (kdc_timesync, the default).
func TestKDCOffset(t *testing.T) {
	for _, skew := range []time.Duration{2 * time.Hour, -2 * time.Hour, 20 * time.Hour, -20 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) { testKDCOffset(t, skew) })
	}
}

func testKDCOffset(t *testing.T, skew time.Duration) {
	k := newKDC(t, nil)
	w := &world{kdc: k, keytab: k.AddService("host/" + host), config: inMemory(k)}
	k.Skew(skew)
	w.Mechanism = krb5.New(&w.config)
	cred, err := w.Login(ctx, "alice", &krb5.LoginOptions{Password: secretOf(password)})
	require.NoError(t, err)
	_, err = cred.Info(ctx)
	require.NoError(t, err)
	right := w.config
	right.Time = func() time.Time { return time.Now().Add(skew) }
	acceptor := krb5.New(&right)
	server := w.serverCred(t, acceptor)
	file := tempFile(t, "cc") // the offset is stored too
	_, err = cred.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	fromFile, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	for _, c := range []mech.Cred{cred, fromFile} {
		i := w.initiate(t, mech.InitRequest{Creds: []mech.Cred{c}, Flags: allFlags})
		a, err := acceptor.Accept(mech.AcceptRequest{Creds: []mech.Cred{server}})
		require.NoError(t, err)
		establish(t, i, a)
	}
}

// A credential and a Config never show a secret.
func TestNothingPrintsSecrets(t *testing.T) {
	w := newWorld(t, nil, nil)
	file := tempFile(t, "keytab")
	write(t, file, string(w.keytab))
	w = w.with(t, func(c *krb5.Config) { c.Keytab = file })
	establish(t, w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	acc, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageAccept})
	require.NoError(t, err)
	_, _, err = w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{acc}}).Step(ctx, w.token(t, allFlags))
	require.NoError(t, err)

	var known [][]byte
	for _, e := range parseKeytab(t, w.keytab).Entries() {
		known = append(known, e.Key.Value.Bytes())
	}
	contents := stored(t, w.alice)
	require.Len(t, contents.Credentials(), 2)
	for _, c := range contents.Credentials() {
		known = append(known, c.Key.Value.Bytes())
	}
	known = append(known, []byte(password))

	i, a := w.flags(t, allFlags)
	establish(t, i, a)
	dce := w.accept(t, mech.AcceptRequest{})
	_, _, err = dce.Step(ctx, w.token(t, allFlags|mech.FlagDCEStyle))
	require.NoError(t, err)
	waiting := w.initiate(t, mech.InitRequest{Flags: allFlags})
	_, _, err = waiting.Step(ctx, nil)
	require.NoError(t, err)

	options := krb5.LoginOptions{Password: secretOf(password), Keytab: parseKeytab(t, w.keytab)}
	info, err := w.alice.Info(ctx)
	require.NoError(t, err)
	for _, v := range []any{
		w.config, &w.config, options, &options, w.Mechanism, w.alice, w.server, acc, i, a, dce, waiting,
		i.Info(), a.Info(), info, w.target(t), contents, mech.CredRequest{Password: secretOf(password)},
	} {
		requireHidden(t, v, known)
	}
}

func requireHidden(t testing.TB, v any, known [][]byte) {
	t.Helper()
	for _, text := range printed(v) {
		for _, k := range known {
			for _, form := range forms(k) {
				require.False(t, bytes.Contains(text, form), "%T shows %q", v, form)
			}
		}
	}
}
