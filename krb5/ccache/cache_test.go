package ccache_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// caches are the implementations, each without a cache in it.
func caches(t *testing.T) map[string]ccache.Cache {
	t.Helper()
	m := map[string]ccache.Cache{
		"file":                resolve(t, "FILE:"+filepath.Join(t.TempDir(), "cc")),
		"memory":              ccache.NewMemory(principal.Name{}),
		"dir":                 resolve(t, "DIR:"+filepath.Join(t.TempDir(), "dir")),
		"kcm":                 primary(t, kcmCollection(t, everything)),
		"kcm, few operations": primary(t, kcmCollection(t, few)),
		"kcm, fewest":         primary(t, kcmCollection(t, fewest)),
	}
	for name, col := range keyrings(t) {
		m["keyring "+name] = primary(t, col)
	}
	return m
}

func resolve(t *testing.T, name string) ccache.Cache {
	t.Helper()
	c, err := ccache.Resolve(t.Context(), name, nil)
	require.NoError(t, err)
	return c
}

func primary(t *testing.T, col ccache.Collection) ccache.Cache {
	t.Helper()
	c, err := col.Primary(t.Context())
	require.NoError(t, err)
	return c
}

func contents(p principal.Name, entries ...ccache.Credential) *ccache.Contents {
	return &ccache.Contents{Principal: p, Entries: entries}
}

// inOrder sorts entries: not every cache keeps the order.
func inOrder(entries []ccache.Credential) []string {
	list := plain(entries)
	slices.Sort(list)
	return list
}

// soon is a time at which the kernel still keeps what we store.
func soon() int64 { return time.Now().Unix() }

func TestCache(t *testing.T) {
	ctx := t.Context()
	for name, c := range caches(t) {
		t.Run(name, func(t *testing.T) {
			missing := func() {
				t.Helper()
				_, err := c.Load(ctx)
				require.ErrorIs(t, err, krberr.FCCNoFile)
				require.ErrorIs(t, err, fs.ErrNotExist)
				_, err = c.Principal(ctx)
				require.ErrorIs(t, err, krberr.FCCNoFile)
				_, err = ccache.Credentials(ctx, c)
				require.ErrorIs(t, err, krberr.FCCNoFile)
				for _, err := range []error{
					c.Store(ctx, ticket("a", soon())), c.Destroy(ctx), ccache.SetConfig(ctx, c, "x", nil, []byte("y")),
					c.Remove(ctx, func(*ccache.Credential) bool { return true }),
				} {
					require.ErrorIs(t, err, krberr.FCCNoFile)
					require.ErrorIs(t, err, fs.ErrNotExist)
				}
			}
			missing()

			a, b := ticket("a", soon()), ticket("b", soon()+100)
			first := contents(alice, a)
			first.SetKDCOffset(-7 * time.Second)
			require.NoError(t, c.Init(ctx, first))
			p, err := c.Principal(ctx)
			require.NoError(t, err)
			require.Equal(t, alice.String(), p.String())
			require.NoError(t, c.Store(ctx, b, ccache.ConfEntry(alice, "fast_avail", &tgs, []byte("yes"))))
			require.NoError(t, c.Store(ctx))
			creds, err := ccache.Credentials(ctx, c)
			require.NoError(t, err)
			require.Equal(t, inOrder([]ccache.Credential{a, b}), inOrder(creds))
			all, err := c.Load(ctx)
			require.NoError(t, err)
			offset, ok := all.KDCOffset()
			if !strings.HasPrefix(name, "keyring legacy") && name != "kcm, fewest" {
				require.True(t, ok)
				require.Equal(t, -7*time.Second, offset)
			}
			v, ok := all.Config("fast_avail", &tgs)
			require.True(t, ok)
			require.Equal(t, "yes", string(v))
			_, ok = all.Config("fast_avail", nil)
			require.False(t, ok)

			// A configuration entry takes the place of the one before it, in one
			// call too.
			require.NoError(t, c.Store(ctx, ccache.ConfEntry(alice, "refresh_time", nil, []byte("1")), ccache.ConfEntry(alice, "refresh_time", nil, []byte("2"))))
			require.NoError(t, ccache.SetConfig(ctx, c, "refresh_time", nil, []byte("333")))
			all, err = c.Load(ctx)
			require.NoError(t, err)
			require.Len(t, all.Entries, 4)
			v, _ = all.Config("refresh_time", nil)
			require.Equal(t, "333", string(v))

			// What was read is not the cache.
			at := slices.IndexFunc(all.Entries, func(e ccache.Credential) bool { return e.Server.Equal(a.Server) })
			all.Entries[at].Flags = 0
			all.SetConfig("refresh_time", nil, []byte("4"))
			again, err := c.Load(ctx)
			require.NoError(t, err)
			require.Equal(t, a.Flags, again.Entries[at].Flags)
			v, _ = again.Config("refresh_time", nil)
			require.Equal(t, "333", string(v))

			require.NoError(t, ccache.SetConfig(ctx, c, "refresh_time", nil, nil))
			require.NoError(t, c.Remove(ctx, func(e *ccache.Credential) bool { return e.Server.Equal(a.Server) }))
			require.NoError(t, c.Remove(ctx, func(*ccache.Credential) bool { return false }))
			all, err = c.Load(ctx)
			require.NoError(t, err)
			require.Len(t, all.Entries, 2)
			require.Equal(t, plain([]ccache.Credential{b}), plain(all.Credentials()))
			_, ok = all.Config("refresh_time", nil)
			require.False(t, ok)

			bob := principal.New("EXAMPLE.COM", "bob")
			require.NoError(t, c.Init(ctx, contents(bob)))
			all, err = c.Load(ctx)
			require.NoError(t, err)
			require.Equal(t, bob, all.Principal)
			require.Empty(t, all.Entries)
			_, ok = all.KDCOffset()
			require.False(t, ok)

			require.NoError(t, c.Destroy(ctx))
			missing()
			require.NoError(t, c.Init(ctx, contents(alice)))

			ended, cancel := context.WithCancel(ctx)
			cancel()
			if name == "memory" {
				return // which nobody waits for
			}
			_, err = c.Load(ended)
			require.ErrorIs(t, err, context.Canceled)
			for _, err := range []error{c.Store(ended, a), c.Init(ended, contents(alice)), c.Destroy(ended), c.Remove(ended, func(*ccache.Credential) bool { return true })} {
				require.ErrorIs(t, err, context.Canceled)
			}
		})
	}
}

func TestNewMemory(t *testing.T) {
	m := ccache.NewMemory(alice, ticket("a", 1700000000))
	creds, err := ccache.Credentials(t.Context(), m)
	require.NoError(t, err)
	require.Len(t, creds, 1)
	require.Equal(t, "MEMORY:", m.Name())
	// The zero values are no panics.
	_, err = new(ccache.Memory).Principal(t.Context())
	require.ErrorIs(t, err, krberr.FCCNoFile)
	_, err = new(ccache.File).Load(t.Context())
	require.ErrorIs(t, err, krberr.FCCNoFile)
	require.ErrorIs(t, new(ccache.File).Store(t.Context()), krberr.FCCNoFile)
}

func TestResolve(t *testing.T) {
	for name, want := range map[string]string{
		"FILE:/a:b": "FILE:/a:b", "/a:b": "FILE:/a:b", "cc": "FILE:cc", `C:\cc`: `FILE:C:\cc`,
		"DIR::/none/tktx": "DIR::" + filepath.FromSlash("/none/tktx"), "DIR:/none": "DIR::" + filepath.FromSlash("/none/tkt"),
		"KCM:0:1": "KCM:0:1",
	} {
		require.Equal(t, want, resolve(t, name).Name())
	}
	for name, hint := range map[string]string{
		"MEMORY:x": "NewMemory", "MEMORY:": "NewMemory", "API:": "use FILE or DIR", "MSLSA:": "use FILE or DIR",
		"file:/x": "FILE, DIR", "XX:y": "KCM",
	} {
		_, err := ccache.Resolve(t.Context(), name, nil)
		require.ErrorIs(t, err, krberr.CCUnknownType, name)
		require.ErrorContains(t, err, hint)
	}
	for _, name := range []string{
		"", "FILE:", "DIR:", "KEYRING:", "DIR::x", "DIR::tkt", "DIR::/a/x", "KCM:a\x00", "KEYRING:a\x00",
		"KEYRING:session:a:", "KEYRING:other:a", "KEYRING:persistent:me", "KEYRING:persistent:-1", "KEYRING:persistent:4294967296",
	} {
		_, err := ccache.Resolve(t.Context(), name, nil)
		require.ErrorIs(t, err, krberr.CCBadName, name)
	}
	for _, name := range []string{"KEYRING:process:x", "KEYRING:thread:x:y"} {
		_, err := ccache.Resolve(t.Context(), name, nil)
		require.ErrorIs(t, err, krberr.CCNoSupp, name)
		require.ErrorContains(t, err, "NewMemory")
	}
	c, err := conf.Parse("[libdefaults]\nkcm_socket = -\n")
	require.NoError(t, err)
	_, err = ccache.Resolve(t.Context(), "KCM:", c)
	require.ErrorIs(t, err, krberr.CCIO)
	require.ErrorContains(t, err, "kcm_socket")
	c, err = conf.Parse("[libdefaults]\nkcm_socket = " + filepath.ToSlash(filepath.Join(t.TempDir(), "none")) + "\n")
	require.NoError(t, err)
	_, err = ccache.Resolve(t.Context(), "KCM:", c)
	require.ErrorIs(t, err, krberr.CCIO)
	require.ErrorContains(t, err, "no KCM daemon")
	_, err = resolve(t, "FILE:"+filepath.Join(t.TempDir(), "cc")).Load(t.Context())
	require.ErrorIs(t, err, krberr.FCCNoFile)
}

func TestDefaultName(t *testing.T) {
	c, err := conf.Parse("[libdefaults]\ndefault_ccache_name = FILE:/run/%{null}cc\n")
	require.NoError(t, err)
	wrong, err := conf.Parse("[libdefaults]\ndefault_ccache_name = DIR:%{LIBDIR}\n")
	require.NoError(t, err)
	env := func(k string) string { return map[string]string{"KRB5CCNAME": "/env/%{uid}"}[k] }
	tests := []struct {
		c      *conf.Config
		getenv func(string) string
		want   string
	}{
		{c, env, "/env/%{uid}"},
		{c, nil, "FILE:/run/cc"},
		{c, func(string) string { return "" }, "FILE:/run/cc"},
	}
	if os.PathSeparator == '/' {
		tests = append(tests, tests[0])
		tests[3].c, tests[3].getenv, tests[3].want = nil, nil, fmt.Sprintf("FILE:/tmp/krb5cc_%d", os.Getuid())
	}
	for _, tt := range tests {
		got, err := ccache.DefaultName(tt.c, tt.getenv)
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
	_, err = ccache.DefaultName(wrong, nil)
	require.ErrorIs(t, err, krberr.ConfigBadFormat)
}

func TestFileMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cc")
	require.NoError(t, os.WriteFile(path, []byte("someone else's"), 0o644))
	c := ccache.NewFile(path)
	require.NoError(t, c.Init(t.Context(), contents(alice, ticket("a", 1700000000))))
	info, err := os.Stat(path)
	require.NoError(t, err)
	if os.PathSeparator == '/' {
		require.Equal(t, fs.FileMode(0o600), info.Mode())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// A store adds bytes and leaves those before alone, except for the entry that
// it replaces, whose length stays.
func TestFileStoreAppends(t *testing.T) {
	for _, name := range []string{"v4.txt", "v3.txt"} {
		path := filepath.Join(t.TempDir(), "cc")
		before := golden(t, name)
		require.NoError(t, os.WriteFile(path, before, 0o600))
		c := ccache.NewFile(path)
		require.NoError(t, c.Store(t.Context(), ticket("new", 1700000000)))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, before, b[:len(before)])

		require.NoError(t, c.Store(t.Context(), ccache.ConfEntry(alice, "refresh_time", nil, []byte("9"))))
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		changed := 0
		for i := range before {
			if before[i] != now[i] {
				changed++
			}
		}
		// X-CACHECONF: and X-RMED-CONF: differ in 5 letters, authtime has 4.
		require.Equal(t, 5+4, changed)
		all, err := c.Load(t.Context())
		require.NoError(t, err)
		require.Len(t, all.Entries, 5)
		require.Equal(t, plain([]ccache.Credential{ticket("new", 1700000000)}), plain(all.Credentials()[2:]))
		v, _ := all.Config("refresh_time", nil)
		require.Equal(t, "9", string(v))
	}
}

func TestFileErrors(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	path := filepath.Join(dir, "cc")
	c := ccache.NewFile(path)
	require.ErrorIs(t, ccache.NewFile(filepath.Join(dir, "no", "cc")).Init(ctx, contents(alice)), krberr.FCCNoFile)
	_, err := ccache.NewFile(dir).Load(ctx)
	require.ErrorIs(t, err, krberr.CCIO)

	bad := golden(t, "v4.txt")
	copy(bad[100:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	require.NoError(t, os.WriteFile(path, bad, 0o600))
	_, err = c.Load(ctx)
	require.ErrorIs(t, err, krberr.CCFormat)
	require.ErrorContains(t, err, path)
	require.ErrorIs(t, c.Store(ctx, ticket("a", 1700000000)), krberr.CCFormat)
	require.ErrorIs(t, c.Remove(ctx, func(*ccache.Credential) bool { return true }), krberr.CCFormat)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, int64(len(bad)), info.Size())
	require.NoError(t, c.Destroy(ctx)) // whatever it is
	require.ErrorIs(t, ccache.NewFile(dir).Destroy(ctx), krberr.FCCPerm)

	require.NoError(t, c.Init(ctx, contents(alice)))
	noEnd, badType, badAddr, badAuthz := ticket("a", 1700000000), ticket("a", 1700000000), ticket("a", 1700000000), ticket("a", 1700000000)
	noEnd.EndTime = time.Time{}
	badType.Key.Enctype = 1 << 16
	badAddr.Addresses[0].Type = 1 << 16
	badAuthz.AuthzData[0].Type = -1 << 16
	longClient, longServer := ticket("a", 1700000000), ticket("a", 1700000000)
	longClient.Client.Realm = strings.Repeat("x", 1<<16)
	longServer.Server.Components = make([]string, 65)
	for i, e := range []ccache.Credential{noEnd, badType, badAddr, badAuthz, longClient, longServer} {
		require.ErrorIs(t, c.Store(ctx, e), krberr.CCFormat, i)
		require.ErrorIs(t, c.Init(ctx, contents(alice, e)), krberr.CCFormat, i)
	}
	require.ErrorIs(t, c.Init(ctx, contents(longClient.Client)), krberr.CCFormat)
	huge := ticket("a", 1700000000)
	huge.Ticket = make([]byte, 17<<20)
	require.ErrorIs(t, c.Store(ctx, huge), krberr.CCWrite)
	require.ErrorIs(t, c.Init(ctx, contents(alice, huge)), krberr.CCWrite)
	creds, err := ccache.Credentials(ctx, c)
	require.NoError(t, err)
	require.Empty(t, creds)

	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = c.Load(ended)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.Store(ended, ticket("a", 1700000000)), context.Canceled)
	require.ErrorIs(t, c.Init(ended, contents(alice)), context.Canceled)
}

// Readers and writers wait for each other, and no longer than their context.
func TestFileLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cc")
	c := ccache.NewFile(path)
	require.NoError(t, c.Init(t.Context(), contents(alice)))
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	shared, err := fileio.Open(t.Context(), path, false)
	require.NoError(t, err)
	_, err = c.Load(short())
	require.NoError(t, err)
	err = c.Store(short(), ticket("a", 1700000000))
	if err == nil {
		require.NoError(t, shared.Close())
		t.Skip("no file locks here")
	}
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, shared.Close())

	exclusive, err := fileio.Open(t.Context(), path, true)
	require.NoError(t, err)
	_, err = c.Load(short())
	require.ErrorIs(t, err, context.DeadlineExceeded)

	// Whoever waits for a file that is replaced gets the new one.
	done := make(chan error, 1)
	go func() { done <- c.Store(t.Context(), ticket("b", 1700000000)) }()
	time.Sleep(10 * time.Millisecond)
	require.NoError(t, c.Init(t.Context(), contents(alice, ticket("a", 1700000000))))
	require.NoError(t, exclusive.Close())
	require.NoError(t, <-done)
	creds, err := ccache.Credentials(t.Context(), c)
	require.NoError(t, err)
	require.Len(t, creds, 2)
}

func TestConcurrentStore(t *testing.T) {
	ctx := t.Context()
	for name, c := range caches(t) {
		t.Run(name, func(t *testing.T) {
			writers, each := 8, 20
			if strings.HasPrefix(name, "keyring") {
				writers, each = 4, 4 // a user may have 200 keys and 20,000 bytes
				defer func() { require.NoError(t, c.Destroy(ctx)) }()
			}
			if strings.HasPrefix(name, "kcm,") {
				t.Skip("takes several steps")
			}
			require.NoError(t, c.Init(ctx, contents(alice)))
			path := strings.TrimPrefix(c.Name(), "FILE:")
			errs := make(chan error, 2*writers*each)
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					// Half of them as another program would, with a value of
					// their own.
					mine := c
					if _, ok := c.(*ccache.File); ok && w%2 == 0 {
						mine = ccache.NewFile(path)
					}
					for i := range each {
						errs <- mine.Store(ctx, ticket(fmt.Sprintf("s%d-%d", w, i), soon()), ccache.ConfEntry(alice, "refresh_time", nil, fmt.Append(nil, w, i)))
						_, err := mine.Load(ctx)
						errs <- err
					}
				})
			}
			wg.Wait()
			close(errs)
			for err := range errs {
				require.NoError(t, err)
			}
			all, err := c.Load(ctx)
			require.NoError(t, err)
			seen := map[string]bool{}
			for _, e := range all.Credentials() {
				seen[e.Server.String()] = true
			}
			require.Equal(t, writers*each, len(seen))
			if name != "kcm" { // where an entry is replaced in two steps
				require.Equal(t, writers*each+1, len(all.Entries))
			}
		})
	}
}

// While one side makes the cache anew, the other sees whole caches only.
func TestConcurrentInit(t *testing.T) {
	ctx := t.Context()
	for name, c := range caches(t) {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "kcm,") {
				t.Skip("takes several steps")
			}
			require.NoError(t, c.Init(ctx, contents(alice, ticket("a", soon()))))
			times := 50
			if strings.HasPrefix(name, "keyring") {
				times = 5
				defer func() { require.NoError(t, c.Destroy(ctx)) }()
			}
			var wg sync.WaitGroup
			errs := make(chan error, 300)
			wg.Go(func() {
				for range times {
					errs <- c.Init(ctx, contents(alice, ticket("a", soon())))
				}
			})
			for range 2 {
				wg.Go(func() {
					for range times {
						creds, err := ccache.Credentials(ctx, c)
						if err == nil && len(creds) == 0 {
							err = fmt.Errorf("empty cache")
						}
						errs <- err
						errs <- c.Store(ctx, ticket("b", soon()))
					}
				})
			}
			wg.Wait()
			close(errs)
			for err := range errs {
				require.NoError(t, err)
			}
		})
	}
}

func TestConfEntry(t *testing.T) {
	value := []byte("v")
	e := ccache.ConfEntry(alice, "k", nil, value)
	value[0] = 'x'
	require.Equal(t, "v", string(e.Ticket))
	require.True(t, e.IsConf())
	require.Equal(t, "krb5_ccache_conf_data/k@X-CACHECONF:", e.Server.String())
	for _, server := range []principal.Name{
		principal.New("X-CACHECONF:", "krb5_ccache_conf_data"),
		principal.New("X-CACHECONF:", "other", "k"),
		principal.New("X-CACHECONF", "krb5_ccache_conf_data", "k"),
		tgs,
	} {
		c := ccache.Credential{Server: server}
		require.False(t, c.IsConf(), server.String())
	}
}

func BenchmarkLoad1000(b *testing.B) {
	c := contents(alice)
	for i := range 1000 {
		e := ticket(fmt.Sprint("svc", i), 1700000000)
		e.Ticket = make([]byte, 1200)
		c.Entries = append(c.Entries, e)
	}
	f := ccache.NewFile(filepath.Join(b.TempDir(), "cc"))
	require.NoError(b, f.Init(b.Context(), c))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
