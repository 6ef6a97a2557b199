package krb5_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

func TestStore(t *testing.T) {
	w := newWorld(t, nil, nil)
	file := tempFile(t, "cc")
	into := func(name string, overwrite bool) error {
		u, err := w.alice.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": name}, Overwrite: overwrite})
		if err == nil {
			require.Equal(t, mech.UsageInitiate, u)
		}
		return err
	}
	require.NoError(t, into("FILE:"+file, false))
	i, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, i.Mode().Perm())
	requireCode(t, into(file, false), gsserr.ErrDuplicateElement, 0)
	require.NoError(t, into(file, true))

	// What was got since is stored too.
	establish(t, w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	require.NoError(t, into(file, true))
	list, err := ccache.Credentials(ctx, ccache.NewFile(file))
	require.NoError(t, err)
	require.Len(t, list, 2)

	// Another principal's tickets are not in the way only with Overwrite.
	w.kdc.AddUser("bob", password)
	bob, err := w.Login(ctx, "bob", &krb5.LoginOptions{Password: secretOf(password)})
	require.NoError(t, err)
	_, err = bob.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}})
	requireCode(t, err, gsserr.ErrDuplicateElement, 0)
	_, err = bob.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}, Overwrite: true})
	require.NoError(t, err)
	p, err := ccache.NewFile(file).Principal(ctx)
	require.NoError(t, err)
	require.Equal(t, "bob@"+realm, p.String())

	// Garbage is not overwritten unasked.
	write(t, file, "garbage")
	require.ErrorIs(t, into(file, false), gsserr.ErrFailure)
	require.NoError(t, into(file, true))
	require.ErrorIs(t, into(filepath.Join(file, "below", "a file"), true), gsserr.ErrFailure)
	requireCode(t, into("API:x", true), gsserr.ErrFailure, krb5.ErrCCUnknownType)

	_, err = w.alice.(mech.Storer).Store(ctx, mech.StoreRequest{Usage: mech.UsageAccept})
	requireCode(t, err, gsserr.ErrFailure, krberr.GSSStoreAcceptor)
	_, err = w.server.(mech.Storer).Store(ctx, mech.StoreRequest{})
	requireCode(t, err, gsserr.ErrFailure, krberr.GSSStoreAcceptor)
}

// Without a store key it is the default cache.
func TestStoreDefault(t *testing.T) {
	w := newWorld(t, nil, nil)
	dir := t.TempDir()
	for name, change := range map[string]func(*krb5.Config, string){
		"Config":      func(c *krb5.Config, f string) { c.CCache = f },
		"environment": func(c *krb5.Config, f string) { c.Getenv = func(string) string { return f } },
		"file": func(c *krb5.Config, f string) {
			c.ConfigText = "[libdefaults]\ndefault_ccache_name = " + f + "\n" + c.ConfigText
		},
	} {
		f := filepath.Join(dir, name)
		v := w.with(t, func(c *krb5.Config) { c.CCache = ""; change(c, f) })
		_, err := v.alice.(mech.Storer).Store(ctx, mech.StoreRequest{Usage: mech.UsageBoth})
		require.NoError(t, err)
		_, err = ccache.NewFile(f).Principal(ctx)
		require.NoError(t, err, name)
		cred, err := v.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
		require.NoError(t, err)
		establish(t, v.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}), v.accept(t, mech.AcceptRequest{}))
	}
}
