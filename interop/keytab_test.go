package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
)

// klistKeys is what MIT's klist says of a keytab.
func klistKeys(t *testing.T, file string) string {
	t.Helper()
	out, err := realm.Run("", "klist", "-k", "-e", "-t", "-K", "FILE:"+file)
	require.NoError(t, err)
	return out
}

// line is how klist shows an entry, without its time.
func line(e keytab.Entry) string {
	return fmt.Sprintf("%s (%s)  (0x%x)", e.Principal, e.Key.Enctype, e.Key.Value.Bytes())
}

func ktutil(t *testing.T, commands ...string) {
	t.Helper()
	out, err := realm.Run(strings.Join(append(commands, "quit", ""), "\n"), "ktutil")
	require.NoError(t, err)
	require.NotRegexp(t, "(?i)error|while|unknown", out)
}

func service(t *testing.T, text string) keytab.Principal {
	t.Helper()
	p, err := keytab.ParsePrincipal(text + "@" + realmName)
	require.NoError(t, err)
	return p
}

// Keytabs that we write, add to and remove from are read, added to and removed
// from by MIT's programs.
func TestOurKeytab(t *testing.T) {
	ctx := testContext(t)
	file := filepath.Join(t.TempDir(), "keytab")
	at := time.Unix(1700000000, 0)
	var entries []keytab.Entry
	for i, kvno := range []uint32{1, 255, 256, 300, 1 << 24} {
		size := 16 + 16*(i%2)
		key := make([]byte, size)
		for j := range key {
			key[j] = byte(i + j)
		}
		entries = append(entries, keytab.Entry{Principal: service(t, fmt.Sprintf(`HTTP/w\/%d.example.com`, i)), Kvno: kvno, Timestamp: at, Key: keytab.NewKey(krb5.Enctype(17+i%2), key)})
	}
	require.NoError(t, keytab.AddTo(ctx, "FILE:"+file, entries[:2]...))
	require.NoError(t, keytab.AddTo(ctx, "WRFILE:"+file, entries[2:]...))
	check := func() {
		t.Helper()
		klist := klistKeys(t, file)
		for _, e := range entries {
			require.Contains(t, klist, line(e))
			require.Regexp(t, fmt.Sprintf(`(?m)^ *%d .*w\\/`, e.Kvno), klist)
		}
		require.Equal(t, len(entries), strings.Count(klist, "(0x"))
	}
	check()

	// MIT reads all of it and writes it to a file that we read.
	copied := filepath.Join(t.TempDir(), "copied")
	ktutil(t, "rkt "+file, "wkt "+copied)
	got, err := keytab.Load(copied)
	require.NoError(t, err)
	require.Equal(t, len(entries), len(got.Entries()))
	for i, e := range got.Entries() {
		require.Equal(t, line(entries[i]), line(e))
		require.Equal(t, entries[i].Kvno, e.Kvno)
		require.False(t, e.Timestamp.IsZero())
	}
	require.Equal(t, entries[4].Kvno, got.Newest(entries[4].Principal)[0].Kvno)

	// Holes.
	n, err := keytab.RemoveFrom(ctx, file, func(e *keytab.Entry) bool { return e.Kvno == 255 || e.Kvno == 300 })
	require.NoError(t, err)
	require.Equal(t, 2, n)
	entries = []keytab.Entry{entries[0], entries[2], entries[4]}
	check()
	added, err := realm.Run("", "kadmin.local", "-q", "ktadd -norandkey -k FILE:"+file+" host/localhost")
	require.NoError(t, err)
	require.Contains(t, added, "added to keytab")
	k, err := keytab.Load(file)
	require.NoError(t, err)
	hosts := k.Newest(service(t, "host/localhost"))
	require.NotEmpty(t, hosts)
	entries = append(entries, hosts...)
	require.Contains(t, klistKeys(t, file), line(hosts[0]))
	removed, err := realm.Run("", "kadmin.local", "-q", "ktremove -k FILE:"+file+" host/localhost all")
	require.NoError(t, err)
	require.Contains(t, removed, "removed from keytab")
	k, err = keytab.Load(file)
	require.NoError(t, err)
	require.Empty(t, k.Newest(service(t, "host/localhost")))
	require.Len(t, k.Principals(), 3)
	entries = entries[:3]
	require.NoError(t, keytab.AddTo(ctx, file, hosts...))
	require.Contains(t, klistKeys(t, file), line(hosts[0]))

	// A key that we copied is one to log in with.
	users, err := keytab.Load(realm.File("users.keytab"))
	require.NoError(t, err)
	mine := users.Newest(service(t, "aes256-sha2"))
	require.NoError(t, keytab.AddTo(ctx, file, mine...))
	_, err = realm.Run("", "kinit", "-k", "-t", "FILE:"+file, "-c", "FILE:"+filepath.Join(t.TempDir(), "cc"), "aes256-sha2")
	require.NoError(t, err)
}

// Keytabs that ktutil and kadmin write are read by us, and a key made from a
// password logs in.
func TestTheirKeytab(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keytab")
	ktutil(t,
		"addent -password -p alice@"+realmName+" -k 7 -e aes256-cts-hmac-sha1-96", password("alice"),
		"addent -password -p alice@"+realmName+" -k 1000 -e aes128-cts-hmac-sha256-128", password("alice"),
		"addent -password -p HTTP/x@"+realmName+" -k 2 -e aes128-cts-hmac-sha1-96 -s salt", "password",
		"addent -password -p HTTP/alias@"+realmName+" -k 2 -e aes128-cts-hmac-sha1-96 -s salt", "password",
		"wkt "+file)
	k, err := keytab.Load(file)
	require.NoError(t, err)
	require.Len(t, k.Entries(), 4)
	e, err := k.Lookup(service(t, "alice"), 1000, 19)
	require.NoError(t, err)
	require.Equal(t, uint32(1000), e.Kvno)
	e, err = k.Lookup(service(t, "HTTP/x"), 0, 0)
	require.NoError(t, err)
	require.Equal(t, uint32(2), e.Kvno)
	require.Equal(t, []keytab.Principal{service(t, "HTTP/alias")}, k.Aliases(service(t, "HTTP/x")))
	klist := klistKeys(t, file)
	for _, e := range k.Entries() {
		require.Contains(t, klist, line(e))
	}
	_, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	_, err = m.Login(testContext(t), "alice", &krb5.LoginOptions{Keytab: k})
	require.NoError(t, err)

	n, err := keytab.RemoveFrom(testContext(t), file, func(e *keytab.Entry) bool { return e.Kvno == 2 })
	require.NoError(t, err)
	require.Equal(t, 2, n)
	klist = klistKeys(t, file)
	require.NotContains(t, klist, "HTTP/")
	require.Equal(t, 2, strings.Count(klist, "alice@"))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(b), "HTTP")
}
