package krb5_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// keytabWorld is a world whose default credential comes from a client keytab of
// bob's and goes into a file that is not there yet. The clock stands.
func keytabWorld(t testing.TB) (w *world, c *clock, file string) {
	t.Helper()
	c = newClock()
	file = tempFile(t, "cc")
	w = newWorld(t, &testenv.Options{Now: c.now}, func(o *krb5.Config) {
		o.Time, o.CCache = c.now, "FILE:"+file
		o.ClientKeytab = tempFile(t, "client.keytab")
	})
	w.kdc.AddUser("bob", password)
	write(t, w.config.ClientKeytab, string(w.kdc.UserKeytab("bob")))
	return w, c, file
}

// who makes a context with the default credential, or c, and says whose it was.
func (w *world) who(t testing.TB, creds ...mech.Cred) string {
	t.Helper()
	i, err := w.Initiate(w.target(t), mech.InitRequest{Creds: creds, Flags: allFlags})
	require.NoError(t, err)
	a := w.accept(t, mech.AcceptRequest{})
	establish(t, i, a)
	name, _ := a.Info().InitiatorName.Display()
	return name
}

// Tickets from a client keytab go into the default cache, say when to replace
// them, and are replaced halfway through their life: once, for all who use them.
func TestClientKeytabRefresh(t *testing.T) {
	w, c, file := keytabWorld(t)
	cred, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.NoError(t, err)
	require.Equal(t, "bob@"+realm, w.who(t, cred))
	contents, err := ccache.NewFile(file).Load(ctx)
	require.NoError(t, err)
	v, ok := contents.Config(ccache.ConfRefreshTime, nil)
	require.True(t, ok)
	at, err := strconv.ParseInt(string(v), 10, 64)
	require.NoError(t, err)
	require.InDelta(t, c.now().Add(5*time.Hour).Unix(), at, 2)

	before := w.kdc.Requests()
	require.Equal(t, "bob@"+realm, w.who(t), "the default credential has the same cache")
	c.add(4 * time.Hour)
	require.Equal(t, "bob@"+realm, w.who(t, cred))
	require.Equal(t, before, w.kdc.Requests(), "not yet")

	c.add(61 * time.Minute)
	old, err := cred.Info(ctx) // looks, and so replaces
	require.NoError(t, err)
	require.InDelta(t, c.now().Add(10*time.Hour).Unix(), old.InitiateExpires.Unix(), 2)
	replaced := w.kdc.Requests()
	require.Greater(t, replaced, before)
	_, err = cred.Info(ctx)
	require.NoError(t, err)
	require.Equal(t, replaced, w.kdc.Requests(), "once")
	require.Equal(t, "bob@"+realm, w.who(t, cred))

	c.add(20 * time.Hour) // nobody looked for long
	require.Equal(t, "bob@"+realm, w.who(t, cred))
	require.Equal(t, "bob@"+realm, w.who(t))
}

// A KDC that is away does no harm while the tickets last, and is not asked for
// each context.
func TestClientKeytabKDCAway(t *testing.T) {
	w, c, _ := keytabWorld(t)
	gate := &closable{Exchanger: w.kdc}
	v := w.with(t, func(o *krb5.Config) { o.KDC = gate })
	cred, err := v.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.NoError(t, err)
	v.who(t, cred)
	gate.close(true)
	c.add(6 * time.Hour)
	for range 3 {
		v.who(t, cred)
	}
	require.Equal(t, 1, gate.refused(), "one attempt in half a minute")
	c.add(31 * time.Second)
	v.who(t, cred)
	require.Equal(t, 2, gate.refused())
	c.add(10 * time.Hour)
	_, err = cred.Info(ctx)
	require.ErrorIs(t, err, gsserr.ErrCredentialsExpired)
	gate.close(false)
	_, err = cred.Info(ctx)
	require.NoError(t, err, "as soon as it is back")
}

// closable is a KDC that can go away.
type closable struct {
	krb5.Exchanger
	mu     sync.Mutex
	closed bool
	n      int
}

func (c *closable) close(closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = closed
}

func (c *closable) refused() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *closable) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.n++
		return nil, fmt.Errorf("%w: closed", krberr.KDCUnreach)
	}
	return c.Exchanger.Exchange(ctx, r)
}

// Tickets that came from elsewhere are replaced only when they are about to end.
func TestClientKeytabForKinit(t *testing.T) {
	w, c, file := keytabWorld(t)
	bob, err := w.Login(ctx, "bob", &krb5.LoginOptions{Password: secretOf(password)})
	require.NoError(t, err)
	_, err = bob.(mech.Storer).Store(ctx, mech.StoreRequest{})
	require.NoError(t, err)
	info := func() time.Time {
		cred, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
		require.NoError(t, err)
		i, err := cred.Info(ctx)
		require.NoError(t, err)
		return i.InitiateExpires
	}
	end := info()
	c.add(end.Sub(c.now()) - 31*time.Second)
	require.Equal(t, end, info())
	c.add(2 * time.Second)
	require.True(t, info().After(end.Add(time.Hour)))
	_, err = os.Stat(file)
	require.NoError(t, err)

	// Nobody's tickets but those of the keytab's principal.
	alice := login(t, w.Mechanism)
	_, err = alice.(mech.Storer).Store(ctx, mech.StoreRequest{Overwrite: true})
	require.NoError(t, err)
	c.add(20 * time.Hour)
	_, err = w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.ErrorIs(t, err, gsserr.ErrCredentialsExpired)
}

// One login for all who wait for it, and its tickets for all of them. Whoever is
// overtaken between two steps is so seldom, hence the repetitions.
func TestClientKeytabConcurrent(t *testing.T) {
	w, c, _ := keytabWorld(t)
	cred, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.NoError(t, err)
	for _, d := range slices.Repeat([]time.Duration{0, 6 * time.Hour, 20 * time.Hour}, 15) {
		c.add(d)
		before := w.kdc.Requests()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 5 {
					if _, err := cred.Info(ctx); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.LessOrEqual(t, w.kdc.Requests()-before, 2, "one login")
	}
	c.add(20 * time.Hour)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = cred.Info(ended)
	require.Error(t, err)
}

// A folder that cannot be written keeps nobody from using the tickets.
func TestClientKeytabNoPlace(t *testing.T) {
	w, c, _ := keytabWorld(t)
	v := w.with(t, func(o *krb5.Config) { o.CCache = "FILE:/nonexistent/dir/cc" })
	require.Equal(t, "bob@"+realm, v.who(t))
	before := v.kdc.Requests()
	require.Equal(t, "bob@"+realm, v.who(t))
	require.Equal(t, before, v.kdc.Requests(), "the tickets are kept in memory")
	c.add(12 * time.Hour)
	require.Equal(t, "bob@"+realm, v.who(t))
}

// dirWorld is a world whose default is a directory with caches of alice, the
// primary, and bob.
func dirWorld(t testing.TB) (w *world, dir, home string) {
	t.Helper()
	dir, home = tempFile(t, "ccdir"), t.TempDir()
	w = newWorld(t, nil, func(o *krb5.Config) {
		o.CCache = "DIR:" + dir
		o.Getenv = func(k string) string {
			if k == "HOME" {
				return home
			}
			return ""
		}
	})
	for i, user := range []string{"alice", "bob"} {
		w.kdc.AddUser(user, password)
		c, err := w.Login(ctx, user, &krb5.LoginOptions{Password: secretOf(password)})
		require.NoError(t, err)
		_, err = c.(mech.Storer).Store(ctx, mech.StoreRequest{Default: i == 0})
		require.NoError(t, err)
	}
	return w, dir, home
}

func TestCollection(t *testing.T) {
	w, dir, home := dirWorld(t)
	bob := importName(t, w, "bob", oid.NTUserName)
	require.Equal(t, "alice@"+realm, w.who(t), "the primary, which is in the target's realm")

	named, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate, Name: bob})
	require.NoError(t, err)
	require.Equal(t, "bob@"+realm, w.who(t, named))
	_, err = w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate, Name: importName(t, w, "carol", oid.NTUserName)})
	requireCode(t, err, gsserr.ErrNoCred, krberr.CCNotFound)

	any, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.NoError(t, err)
	write(t, filepath.Join(home, ".k5identity"), "bob@"+realm+" host="+host+"\n")
	require.Equal(t, "bob@"+realm, w.who(t, any), "picked for the target")
	require.Equal(t, "bob@"+realm, w.who(t))
	info, err := any.Info(ctx)
	require.NoError(t, err)
	requireName(t, "alice@"+realm, info.Name)
	require.NoError(t, os.Remove(filepath.Join(home, ".k5identity")))
	require.Equal(t, "bob@"+realm, w.who(t, any), "what was picked stays")
	require.Equal(t, "alice@"+realm, w.who(t))

	write(t, filepath.Join(home, ".k5identity"), "carol@"+realm+" host="+host+"\n")
	i, err := w.Initiate(w.target(t), mech.InitRequest{})
	require.NoError(t, err)
	_, _, err = i.Step(ctx, nil)
	requireCode(t, err, gsserr.ErrNoCred, krberr.CCNotFound)
	require.NoError(t, os.Remove(filepath.Join(home, ".k5identity")))

	// Without a primary there is a choice still.
	write(t, filepath.Join(dir, "primary"), "tktnone\n")
	any, err = w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.NoError(t, err)
	require.NotEmpty(t, w.who(t, any), "one of the two, as both are in the realm")
	_, err = any.Info(ctx)
	require.ErrorIs(t, err, gsserr.ErrNoCred)
}

// .k5identity counts for a single file too.
func TestIdentityOfFile(t *testing.T) {
	home := t.TempDir()
	w, _ := fileWorld(t, nil, func(o *krb5.Config) {
		o.Getenv = func(k string) string {
			if k == "HOME" {
				return home
			}
			return ""
		}
	})
	require.Equal(t, "alice@"+realm, w.who(t))
	write(t, filepath.Join(home, ".k5identity"), "bob@"+realm+" service=host\n")
	i, err := w.Initiate(w.target(t), mech.InitRequest{})
	require.NoError(t, err)
	_, _, err = i.Step(ctx, nil)
	require.ErrorIs(t, err, gsserr.ErrNoCred, "alice's tickets are not bob's")
}

// A client keytab in a collection makes a cache of its own there.
func TestClientKeytabInCollection(t *testing.T) {
	w, dir, _ := dirWorld(t)
	w.kdc.AddUser("carol", password)
	kt := tempFile(t, "client.keytab")
	write(t, kt, string(w.kdc.UserKeytab("carol")))
	c, err := w.AcquireCred(ctx, mech.CredRequest{
		Usage: mech.UsageInitiate, Name: importName(t, w, "carol", oid.NTUserName), Store: map[string]string{"client_keytab": kt},
	})
	require.NoError(t, err)
	require.Equal(t, "carol@"+realm, w.who(t, c))
	col, err := ccache.OpenCollection("DIR:"+dir, nil)
	require.NoError(t, err)
	list, err := col.Caches(ctx)
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, "alice@"+realm, w.who(t), "the primary stays")
}

func TestStoreIntoCollection(t *testing.T) {
	w, dir, _ := dirWorld(t)
	bob, err := w.Login(ctx, "bob", &krb5.LoginOptions{Password: secretOf(password)})
	require.NoError(t, err)
	put := func(overwrite, def bool, into string) error {
		r := mech.StoreRequest{Overwrite: overwrite, Default: def}
		if into != "" {
			r.Store = map[string]string{"ccache": into}
		}
		_, err := bob.(mech.Storer).Store(ctx, r)
		return err
	}
	require.ErrorIs(t, put(false, true, ""), gsserr.ErrDuplicateElement)
	require.NoError(t, put(true, false, ""))
	require.Equal(t, "alice@"+realm, w.who(t))
	require.NoError(t, put(true, true, "DIR:"+dir))
	require.Equal(t, "bob@"+realm, w.who(t))
	col, err := ccache.OpenCollection("DIR:"+dir, nil)
	require.NoError(t, err)
	list, err := col.Caches(ctx)
	require.NoError(t, err)
	require.Len(t, list, 2, "overwritten and not added")

	one := "DIR::" + dir + "/tktextra"
	require.NoError(t, put(false, false, one))
	require.ErrorIs(t, put(false, false, one), gsserr.ErrDuplicateElement)
	fresh := tempFile(t, "fresh")
	require.NoError(t, put(false, true, "DIR:"+fresh))
	b, err := os.ReadFile(filepath.Join(fresh, "primary"))
	require.NoError(t, err)
	require.NotEmpty(t, b)
}

// A cache without a ticket-granting ticket is good for what it has.
func TestServiceTicketInFile(t *testing.T) {
	w := newWorld(t, nil, nil)
	c, err := w.Login(ctx, "alice", &krb5.LoginOptions{Password: secretOf(password), Service: "host/" + host})
	require.NoError(t, err)
	file := tempFile(t, "cc")
	_, err = c.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	before := w.kdc.Requests()
	c, err = w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	require.Equal(t, "alice@"+realm, w.who(t, c))
	require.Equal(t, before, w.kdc.Requests())
	i, err := w.Initiate(importName(t, w, "imap@"+host, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{c}})
	require.NoError(t, err)
	_, _, err = i.Step(ctx, nil)
	requireCode(t, err, gsserr.ErrNoCred, krberr.GSSTGTMissing)
}

func TestVerify(t *testing.T) {
	w := newWorld(t, nil, nil)
	dir := t.TempDir()
	hostKeys, otherKeys := filepath.Join(dir, "host"), filepath.Join(dir, "other")
	write(t, hostKeys, string(w.keytab))
	write(t, otherKeys, string(newKDC(t, nil).AddService("host/"+host))) // the same name, of an impostor's realm
	alice := importName(t, w, "alice", oid.NTUserName)
	for _, tc := range []struct {
		name, verify, keytab string
		ok                   bool
	}{
		{"any host", "", hostKeys, true},
		{"this host", "host/" + host, hostKeys, true},
		{"with its realm", "host/" + host + "@" + realm, hostKeys, true},
		{"another service", "imap/" + host, hostKeys, false},
		{"another key", "", otherKeys, false},
		{"another key, by name", "host/" + host, otherKeys, false},
		{"no keytab", "", dir + "/none", false},
		{"no name", "a@b@c", hostKeys, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := w.AcquireCred(ctx, mech.CredRequest{
				Usage: mech.UsageInitiate, Name: alice, Password: secretOf(password),
				Store: map[string]string{"verify": tc.verify, "keytab": tc.keytab},
			})
			if !tc.ok {
				require.Error(t, err)
				require.Nil(t, c)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "alice@"+realm, w.who(t, c))
		})
	}
	_, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate, Name: alice, Store: map[string]string{"verify": ""}})
	requireCode(t, err, gsserr.ErrFailure, krberr.GSSBadUsage)
	require.Contains(t, w.StoreKeys(), "verify")
}

// The template variables of default_ccache_name.
func TestDefaultNameTemplate(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, nil, nil)
	v := w.with(t, func(o *krb5.Config) {
		o.CCache = ""
		o.Getenv = func(k string) string {
			if k == "TMPDIR" {
				return dir
			}
			return ""
		}
		o.ConfigText = "[libdefaults]\ndefault_ccache_name = FILE:%{TEMP}/cc_%{uid}%{null}\n" + o.ConfigText
	})
	_, err := v.alice.(mech.Storer).Store(ctx, mech.StoreRequest{})
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join(dir, fmt.Sprintf("cc_%d", os.Getuid())))
	require.NoError(t, err)
	require.Equal(t, "alice@"+realm, v.who(t))
	bad := w.config
	bad.CCache, bad.ConfigText = "", "[libdefaults]\ndefault_ccache_name = FILE:%{nonsense}\n"+bad.ConfigText
	_, err = krb5.New(&bad).AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
	require.True(t, errors.Is(err, gsserr.ErrNoCred) && errors.Is(err, krberr.ConfigBadFormat), "%v", err)
}
