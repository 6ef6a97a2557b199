package ccache_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	c, err := ccache.Resolve("FILE:" + filepath.Join(t.TempDir(), "cc"))
	require.NoError(t, err)
	return map[string]ccache.Cache{"file": c, "memory": ccache.NewMemory(principal.Name{})}
}

func TestCache(t *testing.T) {
	ctx := t.Context()
	for name, c := range caches(t) {
		t.Run(name, func(t *testing.T) {
			_, err := c.Load(ctx)
			require.ErrorIs(t, err, krberr.FCCNoFile)
			require.ErrorIs(t, err, fs.ErrNotExist)
			_, err = c.Principal(ctx)
			require.ErrorIs(t, err, krberr.FCCNoFile)
			_, err = c.Credentials(ctx)
			require.ErrorIs(t, err, krberr.FCCNoFile)
			_, _, err = c.Config(ctx, "x", nil)
			require.ErrorIs(t, err, krberr.FCCNoFile)
			require.ErrorIs(t, c.Store(ctx, ticket("a", 1700000000)), krberr.FCCNoFile)

			a, b := ticket("a", 1700000000), ticket("b", 1700000100)
			require.NoError(t, c.Init(ctx, alice, a))
			p, err := c.Principal(ctx)
			require.NoError(t, err)
			require.Equal(t, alice, p)
			require.NoError(t, c.Store(ctx, b, ccache.ConfEntry(alice, "fast_avail", &tgs, []byte("yes"))))
			require.NoError(t, c.Store(ctx))
			creds, err := c.Credentials(ctx)
			require.NoError(t, err)
			require.Equal(t, plain([]ccache.Credential{a, b}), plain(creds))
			v, ok, err := c.Config(ctx, "fast_avail", &tgs)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, "yes", string(v))
			_, ok, err = c.Config(ctx, "fast_avail", nil)
			require.NoError(t, err)
			require.False(t, ok)

			// A configuration entry takes the place of the one before it, in one
			// call too.
			require.NoError(t, c.Store(ctx, ccache.ConfEntry(alice, "refresh_time", nil, []byte("1")), ccache.ConfEntry(alice, "refresh_time", nil, []byte("2"))))
			require.NoError(t, c.Store(ctx, ccache.ConfEntry(alice, "refresh_time", nil, []byte("333"))))
			v, _, err = c.Config(ctx, "refresh_time", nil)
			require.NoError(t, err)
			require.Equal(t, "333", string(v))
			all, err := c.Load(ctx)
			require.NoError(t, err)
			require.Len(t, all.Entries, 4)

			// What was read is not the cache.
			all.Entries[0].Flags = 0
			all.SetConfig("refresh_time", nil, []byte("4"))
			again, err := c.Load(ctx)
			require.NoError(t, err)
			require.Equal(t, a.Flags, again.Entries[0].Flags)
			v, _ = again.Config("refresh_time", nil)
			require.Equal(t, "333", string(v))

			bob := principal.New("EXAMPLE.COM", "bob")
			require.NoError(t, c.Init(ctx, bob))
			all, err = c.Load(ctx)
			require.NoError(t, err)
			require.Equal(t, bob, all.Principal)
			require.Empty(t, all.Entries)
		})
	}
}

func TestNewMemory(t *testing.T) {
	m := ccache.NewMemory(alice, ticket("a", 1700000000))
	creds, err := m.Credentials(t.Context())
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
	for name, want := range map[string]string{"FILE:/a:b": "FILE:/a:b", "/a:b": "FILE:/a:b", "cc": "FILE:cc", `C:\cc`: `FILE:C:\cc`} {
		c, err := ccache.Resolve(name)
		require.NoError(t, err)
		require.Equal(t, want, c.Name())
	}
	for _, name := range []string{"MEMORY:x", "DIR:/x", "KCM:", "KEYRING:persistent:0", "API:", "file:/x", "XX:y"} {
		_, err := ccache.Resolve(name)
		require.ErrorIs(t, err, krberr.CCUnknownType, name)
		require.ErrorContains(t, err, "FILE")
	}
	for _, name := range []string{"", "FILE:"} {
		_, err := ccache.Resolve(name)
		require.ErrorIs(t, err, krberr.CCBadName)
	}
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
	require.NoError(t, c.Init(t.Context(), alice, ticket("a", 1700000000)))
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
	require.ErrorIs(t, ccache.NewFile(filepath.Join(dir, "no", "cc")).Init(ctx, alice), krberr.FCCNoFile)
	_, err := ccache.NewFile(dir).Load(ctx)
	require.ErrorIs(t, err, krberr.CCIO)

	require.NoError(t, os.WriteFile(path, golden(t, "v4.txt")[:100], 0o600))
	_, err = c.Load(ctx)
	require.ErrorIs(t, err, krberr.CCFormat)
	require.ErrorContains(t, err, path)
	require.ErrorIs(t, c.Store(ctx, ticket("a", 1700000000)), krberr.CCFormat)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, int64(100), info.Size())

	require.NoError(t, c.Init(ctx, alice))
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
		require.ErrorIs(t, c.Init(ctx, alice, e), krberr.CCFormat, i)
	}
	require.ErrorIs(t, c.Init(ctx, longClient.Client), krberr.CCFormat)
	huge := ticket("a", 1700000000)
	huge.Ticket = make([]byte, 17<<20)
	require.ErrorIs(t, c.Store(ctx, huge), krberr.CCWrite)
	require.ErrorIs(t, c.Init(ctx, alice, huge), krberr.CCWrite)
	creds, err := c.Credentials(ctx)
	require.NoError(t, err)
	require.Empty(t, creds)

	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = c.Load(ended)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.Store(ended, ticket("a", 1700000000)), context.Canceled)
	require.ErrorIs(t, c.Init(ended, alice), context.Canceled)
}

// Readers and writers wait for each other, and no longer than their context.
func TestFileLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cc")
	c := ccache.NewFile(path)
	require.NoError(t, c.Init(t.Context(), alice))
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
	require.NoError(t, c.Init(t.Context(), alice, ticket("a", 1700000000)))
	require.NoError(t, exclusive.Close())
	require.NoError(t, <-done)
	creds, err := c.Credentials(t.Context())
	require.NoError(t, err)
	require.Len(t, creds, 2)
}

func TestConcurrentStore(t *testing.T) {
	ctx := t.Context()
	const writers, each = 8, 20
	for name, c := range caches(t) {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.Init(ctx, alice))
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
						errs <- mine.Store(ctx, ticket(fmt.Sprintf("s%d-%d", w, i), 1700000000), ccache.ConfEntry(alice, "refresh_time", nil, fmt.Append(nil, w, i)))
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
			require.Len(t, seen, writers*each)
			require.Len(t, all.Entries, writers*each+1)
		})
	}
}

// While one side makes the cache anew, the other sees whole caches only.
func TestConcurrentInit(t *testing.T) {
	ctx := t.Context()
	for name, c := range caches(t) {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.Init(ctx, alice, ticket("a", 1700000000)))
			var wg sync.WaitGroup
			errs := make(chan error, 300)
			wg.Go(func() {
				for range 50 {
					errs <- c.Init(ctx, alice, ticket("a", 1700000000))
				}
			})
			for range 2 {
				wg.Go(func() {
					for range 50 {
						creds, err := c.Credentials(ctx)
						if err == nil && len(creds) == 0 {
							err = fmt.Errorf("empty cache")
						}
						errs <- err
						errs <- c.Store(ctx, ticket("b", 1700000000))
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
