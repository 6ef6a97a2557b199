package keytab_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/keytab"
)

// item is an entry of a principal whose key follows from the kvno and the seed.
func item(t testing.TB, name string, kvno uint32, id keytab.Enctype, seed byte) keytab.Entry {
	t.Helper()
	p, err := keytab.ParsePrincipal(name)
	require.NoError(t, err)
	key := make([]byte, 16)
	key[0], key[1] = seed, byte(kvno)
	return keytab.Entry{Principal: p, Kvno: kvno, Timestamp: time.Unix(1700000000, 0).UTC(), Key: keytab.NewKey(id, key)}
}

func all(*keytab.Entry) bool { return true }

func texts(entries []keytab.Entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s %d %d %x %v", e.Principal, e.Kvno, e.Key.Enctype, e.Key.Value.Bytes(), e.Timestamp.Unix()))
	}
	return out
}

func load(t *testing.T, path string) []keytab.Entry {
	t.Helper()
	k, err := keytab.Load(path)
	require.NoError(t, err)
	return k.Entries()
}

func TestAddTo(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "keytab")
	a, b, c := item(t, "a@R", 1, 17, 1), item(t, "b@R", 300, 18, 2), item(t, "c/d@R", 255, 17, 3)
	require.NoError(t, keytab.AddTo(ctx, path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	if os.PathSeparator == '/' {
		require.Equal(t, fs.FileMode(0o600), info.Mode())
	}
	require.Empty(t, load(t, path))
	require.NoError(t, keytab.AddTo(ctx, "FILE:"+path, a, b))
	require.NoError(t, keytab.AddTo(ctx, "WRFILE:"+path, c))
	require.Equal(t, texts([]keytab.Entry{a, b, c}), texts(load(t, path)))

	n, err := keytab.RemoveFrom(ctx, path, func(e *keytab.Entry) bool { return e.Kvno == 300 })
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, texts([]keytab.Entry{a, c}), texts(load(t, path)))
	n, err = keytab.RemoveFrom(ctx, path, func(e *keytab.Entry) bool { return e.Kvno == 300 })
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, keytab.AddTo(ctx, path, b))
	require.Equal(t, texts([]keytab.Entry{a, c, b}), texts(load(t, path)))

	// What is removed is not in the file.
	n, err = keytab.RemoveFrom(ctx, path, all)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(raw), string(a.Key.Value.Bytes()[:2])+"\x00\x00")
	require.NotContains(t, string(raw), "R")

	// Behind a length of 0 is nothing, also where something is.
	require.NoError(t, os.WriteFile(path, []byte{5, 2, 0, 0, 0, 0, 1, 2, 3}, 0o600))
	require.NoError(t, keytab.AddTo(ctx, path, a))
	require.Equal(t, texts([]keytab.Entry{a}), texts(load(t, path)))
	// A file that someone has just made.
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, keytab.AddTo(ctx, path, a))
	require.Equal(t, texts([]keytab.Entry{a}), texts(load(t, path)))
}

func TestUpdateErrors(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	path := filepath.Join(dir, "keytab")
	a := item(t, "a@R", 1, 17, 1)
	_, err := keytab.RemoveFrom(ctx, path, all)
	require.ErrorIs(t, err, krberr.KTNotFound)
	require.ErrorIs(t, err, fs.ErrNotExist)
	for _, name := range []string{"MEMORY:x", "XX:y"} {
		require.ErrorIs(t, keytab.AddTo(ctx, name, a), krberr.KTUnknownType)
		_, err = keytab.RemoveFrom(ctx, name, all)
		require.ErrorIs(t, err, krberr.KTUnknownType)
	}
	bad := a
	bad.Key.Enctype = 1 << 16
	require.ErrorIs(t, keytab.AddTo(ctx, path, a, bad), krberr.KTFormat)
	require.NoFileExists(t, path)
	require.ErrorIs(t, keytab.AddTo(ctx, filepath.Join(dir, "no", "keytab"), a), krberr.KTNoWrite)
	require.ErrorIs(t, keytab.AddTo(ctx, dir, a), krberr.KTNoWrite)
	for text, code := range map[string]krberr.Code{
		"\x05\x02\x00": krberr.KTFormat, "\x05\x02\x00\x00\x00\x09x": krberr.KTFormat, "\x05\x03": krberr.KeytabBadVNO,
		"\x05": krberr.KTFormat, "\x05\x01": krberr.KTNoWrite,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.ErrorIs(t, keytab.AddTo(ctx, path, a), code, "%q", text)
		_, err = keytab.RemoveFrom(ctx, path, all)
		require.ErrorIs(t, err, code, "%q", text)
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(b))
	}
	require.NoError(t, os.Remove(path))
	require.NoError(t, keytab.AddTo(ctx, path, a))
	held, err := fileio.Open(ctx, path, true)
	require.NoError(t, err)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err = keytab.AddTo(short, path, a); err != nil { // where there are locks
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.NoError(t, held.Close())
}

// A record that somebody was killed in the middle of counts for nothing, at
// whatever byte it was.
func TestAddToKilled(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "keytab")
	a, b := item(t, "a@R", 1, 17, 1), item(t, "b@R", 2, 18, 2)
	require.NoError(t, keytab.AddTo(ctx, path, a))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, keytab.AddTo(ctx, path, b))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	// First the record goes to the file without its length.
	torn := append([]byte(nil), after...)
	binary.BigEndian.PutUint32(torn[len(before):], 0)
	for cut := len(before) + 4; cut <= len(torn); cut++ {
		require.NoError(t, os.WriteFile(path, torn[:cut], 0o600))
		require.Equal(t, texts([]keytab.Entry{a}), texts(load(t, path)))
		require.NoError(t, keytab.AddTo(ctx, path, b))
		require.Equal(t, texts([]keytab.Entry{a, b}), texts(load(t, path)))
	}
}

func TestUpdateConcurrent(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "keytab")
	const writers, each = 4, 20
	errs := make(chan error, 3*writers*each)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				errs <- keytab.AddTo(ctx, path, item(t, fmt.Sprintf("w%d@R", w), uint32(i+1), 17, byte(w)))
				if i%2 == 1 {
					n, err := keytab.RemoveFrom(ctx, path, func(e *keytab.Entry) bool {
						return e.Principal.Components[0] == fmt.Sprintf("w%d", w) && e.Kvno == uint32(i)
					})
					if err == nil && n != 1 {
						err = fmt.Errorf("%d removed", n)
					}
					errs <- err
				}
				_, err := keytab.Load(path)
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, load(t, path), writers*each/2)
}

func TestLists(t *testing.T) {
	var k keytab.Keytab
	require.Empty(t, k.Principals())
	require.Zero(t, k.Remove(all))
	for _, e := range []keytab.Entry{
		item(t, "host/a@R", 1, 17, 1), item(t, "host/a@R", 2, 17, 1), item(t, "host/a@R", 2, 18, 1), item(t, "host/b@R", 9, 17, 2),
		item(t, "HTTP/a@R", 2, 17, 1), item(t, "HTTP/a@R", 2, 18, 1), item(t, "nfs/a@R", 2, 17, 3), item(t, "dns/a@R", 1, 18, 1),
	} {
		require.NoError(t, k.Add(e))
	}
	name := func(list []keytab.Principal) []string {
		out := []string{}
		for _, p := range list {
			out = append(out, p.String())
		}
		return out
	}
	p := func(text string) keytab.Principal {
		p, err := keytab.ParsePrincipal(text)
		require.NoError(t, err)
		return p
	}
	require.Equal(t, []string{"host/a@R", "host/b@R", "HTTP/a@R", "nfs/a@R", "dns/a@R"}, name(k.Principals()))
	require.Equal(t, []string{"HTTP/a@R"}, name(k.Aliases(p("host/a@R"))))
	require.Equal(t, []string{"host/a@R"}, name(k.Aliases(p("HTTP/a@R"))))
	require.Empty(t, k.Aliases(p("nfs/a@R")))
	require.Empty(t, k.Aliases(p("none@R")))
	require.Equal(t, texts(k.Entries()[1:3]), texts(k.Newest(p("host/a@R"))))
	require.Empty(t, k.Newest(p("host/a@OTHER")))

	// A kvno that has wrapped around is newer, as in Lookup.
	var w keytab.Keytab
	old, wrapped := item(t, "x@R", 255, 17, 1), item(t, "x@R", 3, 17, 1)
	wrapped.Timestamp = old.Timestamp.Add(time.Hour)
	require.NoError(t, w.Add(old))
	require.NoError(t, w.Add(wrapped))
	require.Equal(t, texts([]keytab.Entry{wrapped}), texts(w.Newest(p("x@R"))))

	before := k.Entries()
	require.Equal(t, 3, k.Remove(func(e *keytab.Entry) bool {
		return e.Principal.Components[0] == "host" && e.Principal.Components[1] == "a"
	}))
	require.Len(t, k.Entries(), 5)
	require.Len(t, before, 8)
	require.NotEmpty(t, before[0].Principal.Components) // what was handed out stays
}

func BenchmarkLookup1000(b *testing.B) {
	var k keytab.Keytab
	for i := range 1000 {
		require.NoError(b, k.Add(item(b, fmt.Sprintf("host/%d@R", i), 1, 18, byte(i))))
	}
	p := k.Entries()[999].Principal
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Lookup(p, 1, 18); err != nil {
			b.Fatal(err)
		}
	}
}
