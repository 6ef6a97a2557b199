package krb5_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// fileWorld is a world whose default credential is a FILE cache of alice's.
func fileWorld(t testing.TB, o *testenv.Options, change func(*krb5.Config)) (*world, string) {
	t.Helper()
	w := newWorld(t, o, change)
	file := tempFile(t, "cc")
	_, err := w.alice.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	w.config.CCache = "FILE:" + file
	w.Mechanism = krb5.New(&w.config)
	w.server = w.serverCred(t, w.Mechanism)
	w.alice, err = w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.NoError(t, err)
	return w, file
}

// A ticket that was got is put into the cache, where other programs find it.
func TestFileCacheStoresBack(t *testing.T) {
	w, file := fileWorld(t, nil, nil)
	cc := ccache.NewFile(file)
	before, err := ccache.Credentials(ctx, cc)
	require.NoError(t, err)
	require.Len(t, before, 1)
	for range 3 {
		i, a := w.flags(t, allFlags)
		establish(t, i, a)
	}
	after, err := ccache.Credentials(ctx, cc)
	require.NoError(t, err)
	require.Len(t, after, 2)
	require.Equal(t, "host/"+host+"@"+realm, after[1].Server.String())
	requests := w.kdc.Requests()

	other := krb5.New(&w.config) // another program
	i, err := other.Initiate(importName(t, other, service, oid.NTHostBased), mech.InitRequest{Flags: allFlags})
	require.NoError(t, err)
	establish(t, i, w.accept(t, mech.AcceptRequest{}))
	require.Equal(t, requests, w.kdc.Requests())
}

// A cache that cannot be written is no reason not to use the ticket.
func TestFileCacheReadOnly(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	w, file := fileWorld(t, nil, nil)
	require.NoError(t, os.Chmod(file, 0o400))
	i, a := w.flags(t, allFlags)
	establish(t, i, a)
}

// Another process puts other tickets into the file: the credential follows.
func TestFileCacheReplaced(t *testing.T) {
	w, file := fileWorld(t, nil, nil)
	w.kdc.AddUser("bobby", password)
	establish(t, w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	other := krb5.New(&w.config)
	bob, err := other.Login(ctx, "bobby", &krb5.LoginOptions{Password: secretOf(password)})
	require.NoError(t, err)
	_, err = bob.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}, Overwrite: true})
	require.NoError(t, err)
	info, err := w.alice.Info(ctx)
	require.NoError(t, err)
	requireName(t, "bobby@"+realm, info.Name)
	i, a := w.flags(t, allFlags)
	establish(t, i, a)
	requireName(t, "bobby@"+realm, a.Info().InitiatorName)
	requireName(t, "bobby@"+realm, i.Info().InitiatorName)

	require.NoError(t, os.Remove(file))
	_, err = w.alice.Info(ctx)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrCCNotFound)
	_, _, err = w.initiate(t, mech.InitRequest{}).Step(ctx, nil)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrCCNotFound)
	write(t, file, "garbage")
	_, err = w.alice.Info(ctx)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
}

// Tickets that have run out.
func TestExpired(t *testing.T) {
	c := newClock()
	w, _ := fileWorld(t, &testenv.Options{Now: c.now}, func(o *krb5.Config) { o.Time = c.now })
	i, a := w.flags(t, allFlags)
	establish(t, i, a)
	c.add(11 * time.Hour)
	info, err := w.alice.Info(ctx)
	requireCode(t, err, gsserr.ErrCredentialsExpired, krb5.ErrAPTktExpired)
	requireName(t, "alice@"+realm, info.Name)
	require.False(t, info.InitiateExpires.IsZero())
	before := w.kdc.Requests()
	_, _, err = w.initiate(t, mech.InitRequest{}).Step(ctx, nil)
	requireCode(t, err, gsserr.ErrCredentialsExpired, krb5.ErrAPTktExpired)
	_, err = w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	requireCode(t, err, gsserr.ErrCredentialsExpired, krb5.ErrAPTktExpired)
	require.Equal(t, before, w.kdc.Requests())
	_, err = w.alice.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": tempFile(t, "x")}})
	requireCode(t, err, gsserr.ErrCredentialsExpired, krb5.ErrAPTktExpired)
	exchange(t, i, a) // a context outlives its ticket, as in MIT
}

// A service ticket that has run out is replaced while there is a ticket to do
// it with.
func TestServiceTicketExpired(t *testing.T) {
	c := newClock()
	w := newWorld(t, &testenv.Options{Now: c.now}, func(o *krb5.Config) { o.Time = c.now })
	i, a := w.initiate(t, mech.InitRequest{Flags: allFlags, Lifetime: time.Hour}), w.accept(t, mech.AcceptRequest{})
	establish(t, i, a)
	before := w.kdc.Requests()
	c.add(2 * time.Hour)
	establish(t, w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	require.Equal(t, before+1, w.kdc.Requests())
}

// An expired ticket that an initiator presents all the same.
func TestExpiredAtAcceptor(t *testing.T) {
	c := newClock()
	w := newWorld(t, nil, nil)
	token := w.token(t, allFlags)
	v := w.with(t, func(o *krb5.Config) { o.ClockSkew, o.Time = time.Minute, c.now })
	c.add(11 * time.Hour)
	_, _, err := v.accept(t, mech.AcceptRequest{}).Step(ctx, token)
	requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPTktExpired)
	c.add(-22 * time.Hour)
	_, _, err = v.accept(t, mech.AcceptRequest{}).Step(ctx, token)
	requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPTktNYV)
}

// Where an initiator's credential comes from, and what does not go together.
func TestAcquire(t *testing.T) {
	w, file := fileWorld(t, nil, nil)
	w.kdc.AddUser("bob", "hunter2")
	dir := t.TempDir()
	bobKeys := filepath.Join(dir, "bob.keytab")
	write(t, bobKeys, string(w.kdc.UserKeytab("bob")))
	hostKeys := filepath.Join(dir, "host.keytab")
	write(t, hostKeys, string(w.keytab))
	empty := filepath.Join(dir, "empty")
	write(t, empty, "\x05\x02")
	alice, bob := importName(t, w, "alice", oid.NTUserName), importName(t, w, "bob@"+realm, oid.NTKrb5Principal)
	type store = map[string]string
	for _, tc := range []struct {
		name  string
		r     mech.CredRequest
		who   string
		major gsserr.Major
		code  krb5.Code
	}{
		{"cache", mech.CredRequest{}, "alice", 0, 0},
		{"cache of that name", mech.CredRequest{Name: alice}, "alice", 0, 0},
		{"cache by a store key", mech.CredRequest{Store: store{"ccache": file}}, "alice", 0, 0},
		{"cache of another name", mech.CredRequest{Name: bob}, "", gsserr.ErrNoCred, krberr.GSSCCacheNomatch},
		{"no such cache", mech.CredRequest{Store: store{"ccache": dir + "/none"}}, "", gsserr.ErrNoCred, krb5.ErrCCNotFound},
		{"cache of another type", mech.CredRequest{Store: store{"ccache": "API:x"}}, "", gsserr.ErrNoCred, krb5.ErrCCUnknownType},
		{"password", mech.CredRequest{Name: bob, Password: secretOf("hunter2")}, "bob", 0, 0},
		{"wrong password", mech.CredRequest{Name: bob, Password: secretOf("hunter3")}, "", gsserr.ErrNoCred, krb5.ErrPreauthFailed},
		{"password without a name", mech.CredRequest{Password: secretOf("hunter2")}, "", gsserr.ErrBadName, 0},
		{"password and cache", mech.CredRequest{Name: bob, Password: secretOf("hunter2"), Store: store{"ccache": file}}, "", gsserr.ErrFailure, krberr.GSSBadUsage},
		{"password and client keytab", mech.CredRequest{Name: bob, Password: secretOf("hunter2"), Store: store{"client_keytab": bobKeys}}, "", gsserr.ErrFailure, krberr.GSSBadUsage},
		{"password to accept with", mech.CredRequest{Name: bob, Password: secretOf("hunter2"), Usage: mech.UsageAccept}, "", gsserr.ErrFailure, krberr.GSSBadUsage},
		{"client keytab", mech.CredRequest{Name: bob, Store: store{"client_keytab": bobKeys, "ccache": dir + "/filled"}}, "bob", 0, 0},
		{"the cache that it filled", mech.CredRequest{Store: store{"client_keytab": dir + "/none", "ccache": dir + "/filled"}}, "bob", 0, 0},
		{"client keytab, its first name", mech.CredRequest{Store: store{"client_keytab": bobKeys, "ccache": dir + "/filled too"}}, "bob", 0, 0},
		{"client keytab, beside a cache of another", mech.CredRequest{Name: bob, Store: store{"client_keytab": bobKeys}}, "bob", 0, 0},
		{"client keytab without the name", mech.CredRequest{Name: bob, Store: store{"client_keytab": hostKeys}}, "", gsserr.ErrNoCred, krb5.ErrKeytabNotFound},
		{"client keytab, empty", mech.CredRequest{Store: store{"client_keytab": empty, "ccache": dir + "/none"}}, "", gsserr.ErrNoCred, krb5.ErrKeytabNotFound},
		{"no such client keytab", mech.CredRequest{Store: store{"client_keytab": dir + "/none", "ccache": dir + "/none"}}, "", gsserr.ErrNoCred, krb5.ErrKeytabNotFound},
		{"client keytab of another type", mech.CredRequest{Store: store{"client_keytab": "MEMORY:x", "ccache": dir + "/none"}}, "", gsserr.ErrNoCred, krberr.KTUnknownType},
		{"no such usage", mech.CredRequest{Usage: 9}, "", gsserr.ErrFailure, krberr.GSSBadUsage},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.r.Usage == mech.UsageBoth {
				tc.r.Usage = mech.UsageInitiate
			}
			cred, err := w.AcquireCred(ctx, tc.r)
			if tc.major != 0 {
				require.Nil(t, cred)
				requireCode(t, err, tc.major, tc.code)
				return
			}
			require.NoError(t, err)
			info, err := cred.Info(ctx)
			require.NoError(t, err)
			requireName(t, tc.who+"@"+realm, info.Name)
			require.Equal(t, mech.UsageInitiate, info.Usage)
			a := w.accept(t, mech.AcceptRequest{})
			establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}), a)
			requireName(t, tc.who+"@"+realm, a.Info().InitiatorName)
		})
	}

	short, err := w.AcquireCred(ctx, mech.CredRequest{Name: bob, Password: secretOf("hunter2"), Usage: mech.UsageInitiate, Lifetime: time.Hour})
	require.NoError(t, err)
	info, err := short.Info(ctx)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(time.Hour), info.InitiateExpires, time.Minute)

	both, err := w.AcquireCred(ctx, mech.CredRequest{Store: store{"keytab": hostKeys}})
	require.NoError(t, err)
	require.Equal(t, mech.UsageBoth, both.Usage())
	establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{both}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{both}}))
	_, err = w.AcquireCred(ctx, mech.CredRequest{Store: store{"keytab": "MEMORY:x"}, Usage: mech.UsageAccept})
	requireCode(t, err, gsserr.ErrNoCred, krberr.KTUnknownType)
	require.Subset(t, w.StoreKeys(), []string{"ccache", "client_keytab", "keytab", "password"})
}

func TestNilArguments(t *testing.T) {
	w := newWorld(t, nil, nil)
	_, err := w.KeytabCred(ctx, nil, nil)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrKeytabNotFound)
	_, err = w.CacheCred(ctx, nil)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	_, err = w.CacheCred(ctx, ccache.NewMemory(ccache.Principal{}))
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrCCNotFound)
}

// A program's own cache is read and written.
func TestCacheCred(t *testing.T) {
	w := newWorld(t, nil, nil)
	contents := stored(t, w.alice)
	cc := ccache.NewMemory(contents.Principal, contents.Entries...)
	cred, err := w.CacheCred(ctx, cc)
	require.NoError(t, err)
	establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	list, err := ccache.Credentials(ctx, cc)
	require.NoError(t, err)
	require.Len(t, list, 2)
}

// Many goroutines with one credential: one or a few requests, no race.
func TestConcurrentUse(t *testing.T) {
	w, _ := fileWorld(t, nil, nil)
	target := w.target(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				i, err := w.Initiate(target, mech.InitRequest{Creds: []mech.Cred{w.alice}, Flags: allFlags})
				if err != nil {
					t.Error(err)
					return
				}
				a, err := w.Accept(mech.AcceptRequest{Creds: []mech.Cred{w.server}})
				if err != nil {
					t.Error(err)
					return
				}
				if err := handshake(i, a); err != nil {
					t.Error(err)
					return
				}
				_, _ = w.alice.Info(ctx)
				_, _ = i.Close(), a.Close()
			}
		})
	}
	wg.Wait()
}
