package krb5_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

func TestNoCIFlags(t *testing.T) {
	w := newWorld(t, nil, nil)
	quiet, err := w.alice.(mech.CredOptioner).WithOption(oid.Krb5NoCIFlags, nil)
	require.NoError(t, err)
	both := mech.FlagConf | mech.FlagInteg
	for _, tc := range []struct {
		name             string
		cred             mech.Cred
		required, wanted mech.Flags
	}{
		{"without the option", w.alice, 0, both},
		{"with it", quiet, 0, 0},
		{"integrity required", quiet, mech.FlagInteg, mech.FlagInteg},
		{"both required", quiet, both, both},
	} {
		t.Run(tc.name, func(t *testing.T) {
			i := w.initiate(t, mech.InitRequest{Creds: []mech.Cred{tc.cred}, Flags: allFlags, Require: tc.required})
			a := w.accept(t, mech.AcceptRequest{})
			establish(t, i, a)
			require.Equal(t, tc.wanted, a.Info().Flags&both)
			require.Equal(t, tc.wanted, i.Info().Flags&both)
			exchange(t, i, a) // the flags are wishes: messages can be protected all the same
		})
	}
	_, err = w.alice.(mech.CredOptioner).WithOption(oid.Krb5NoCIFlags, []byte{1})
	require.ErrorIs(t, err, gsserr.ErrFailure)
	_, err = w.alice.(mech.CredOptioner).WithOption(oid.Krb5CredImpersonator, nil)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
}

func TestWithEnctypes(t *testing.T) {
	w := newWorld(t, &testenv.Options{Enctypes: []int32{18, 17, 20, 19}}, nil)
	with := func(c mech.Cred, types ...krb5.Enctype) mech.Cred {
		t.Helper()
		c, err := w.WithEnctypes(c, types...)
		require.NoError(t, err)
		return c
	}
	talk := func(alice, server mech.Cred) (string, error) {
		i := w.initiate(t, mech.InitRequest{Creds: []mech.Cred{alice}, Flags: allFlags})
		a := w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{server}})
		err := handshake(i, a)
		return i.Info().Enctype, err
	}
	got, err := talk(w.alice, w.server)
	require.NoError(t, err)
	require.Equal(t, krb5.AES256SHA1.String(), got)

	before := w.kdc.Requests()
	got, err = talk(with(w.alice, krb5.AES128SHA1), w.server)
	require.NoError(t, err)
	require.Equal(t, krb5.AES128SHA1.String(), got, "another ticket than the one at hand")
	require.Equal(t, before+1, w.kdc.Requests())

	got, err = talk(with(w.alice, krb5.AES128SHA2, krb5.AES128SHA1), w.server)
	require.NoError(t, err)
	require.Contains(t, []string{krb5.AES128SHA1.String(), krb5.AES128SHA2.String()}, got)

	_, err = talk(w.alice, with(w.server, krb5.AES256SHA2))
	require.ErrorIs(t, err, krberr.NoPermEtype, "an acceptor admits no others")
	got, err = talk(w.alice, with(with(w.server, krb5.AES256SHA2)))
	require.NoError(t, err, "the limit is lifted")
	require.Equal(t, krb5.AES256SHA1.String(), got)

	_, err = w.WithEnctypes(w.alice, 1, 2, 3)
	requireCode(t, err, gsserr.ErrFailure, krberr.ProgEtypeNosupp)
	_, err = w.WithEnctypes(nil, krb5.AES256SHA1)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	_, err = newWorld(t, nil, nil).WithEnctypes(w.alice, krb5.AES256SHA1)
	require.ErrorIs(t, err, gsserr.ErrDefectiveCredential)

	// It takes away and never adds to what the configuration permits.
	v := w.with(t, func(c *krb5.Config) { c.Enctypes = []krb5.Enctype{krb5.AES256SHA1} })
	c, err := v.WithEnctypes(v.alice, krb5.AES128SHA1)
	require.NoError(t, err)
	_, _, err = v.initiate(t, mech.InitRequest{Creds: []mech.Cred{c}}).Step(ctx, nil)
	requireCode(t, err, gsserr.ErrFailure, krberr.ProgEtypeNosupp)
}

func TestFilesCred(t *testing.T) {
	w, file := fileWorld(t, nil, nil)
	kt := tempFile(t, "keytab")
	write(t, kt, string(w.keytab))
	for name, tc := range map[string]struct {
		cache, keytab string
		want          mech.Usage
	}{
		"cache":  {file, "", mech.UsageInitiate},
		"keytab": {"", kt, mech.UsageAccept},
		"both":   {"FILE:" + file, "FILE:" + kt, mech.UsageBoth},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := w.FilesCred(ctx, tc.cache, tc.keytab, nil)
			require.NoError(t, err)
			require.Equal(t, tc.want, c.Usage())
			init, acc := w.alice, w.server
			if c.Usage() != mech.UsageAccept {
				init = c
			}
			if c.Usage() != mech.UsageInitiate {
				acc = c
			}
			establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{init}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{acc}}))
		})
	}
	_, err := w.FilesCred(ctx, "", "", nil)
	requireCode(t, err, gsserr.ErrFailure, krberr.GSSBadUsage)
	_, err = w.FilesCred(ctx, file+"x", "", nil)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrCCNotFound)
	_, err = w.FilesCred(ctx, "API:x", "", nil)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrCCUnknownType)
	_, err = w.FilesCred(ctx, "", kt, importName(t, w, "imap@"+host, oid.NTHostBased))
	requireCode(t, err, gsserr.ErrNoCred, krberr.GSSKeytabNomatch)
	_, err = w.FilesCred(ctx, "", kt+"x", nil)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	_, err = w.FilesCred(ctx, file, "", importName(t, newWorld(t, nil, nil), service, oid.NTHostBased))
	require.ErrorIs(t, err, gsserr.ErrDefectiveCredential)
}

// The default credential of many goroutines at once, while the file changes.
func TestConcurrentDefault(t *testing.T) {
	w, file := fileWorld(t, nil, nil)
	contents := stored(t, login(t, w.Mechanism))
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 10 {
				i, err := w.Initiate(importName(t, w, service, oid.NTHostBased), mech.InitRequest{Flags: onewayFlags})
				if err != nil {
					t.Error(err)
					return
				}
				if _, _, err := i.Step(ctx, nil); err != nil {
					t.Error(err)
				}
				if _, err := w.alice.(mech.Exporter).Export(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 10 {
			if err := ccache.NewFile(file).Init(ctx, contents); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}
