package interop

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/mech"
)

// place is where caches are: the name of a collection, and the configuration
// that leads to it.
type place struct {
	collection string
	conf       string // file of the realm's directory
}

func (p place) environ() []string {
	return []string{"KRB5_CONFIG=" + realm.File(p.conf), "KRB5CCNAME=" + p.collection}
}

// run runs one of MIT's programs on the collection.
func (p place) run(t *testing.T, input, program string, args ...string) string {
	t.Helper()
	out, err := realm.RunEnv(p.environ(), input, program, args...)
	require.NoError(t, err)
	return out
}

func (p place) open(t *testing.T) ccache.Collection {
	t.Helper()
	c, err := conf.Load(realm.File(p.conf))
	require.NoError(t, err)
	col, err := ccache.OpenCollection(p.collection, c)
	require.NoError(t, err)
	return col
}

// engine returns our engine with the collection as its default.
func (p place) engine(t *testing.T) *mech.Registry {
	t.Helper()
	m := krb5.New(&krb5.Config{
		ConfigPath: realm.File(p.conf),
		CCache:     p.collection,
		Keytab:     "FILE:" + realm.File("services.keytab"),
		Getenv:     func(string) string { return "" },
	})
	r, err := mech.NewRegistry(m)
	require.NoError(t, err)
	return r
}

// places returns each type of collection, empty.
func places(t *testing.T) map[string]place {
	m := map[string]place{
		"dir":          {"DIR:" + filepath.Join(t.TempDir(), "caches"), "krb5.conf"},
		"kcm, heimdal": {"KCM:", startHeimdalKCM(t)},
		"kcm, sssd":    {"KCM:", startSSSDKCM(t)},
	}
	for _, anchor := range []string{"session", "user", "persistent", "legacy"} {
		name := "interop_" + rand.Text()[:8]
		if anchor == "persistent" {
			name = fmt.Sprint(os.Geteuid()) // there is one
		}
		p := place{"KEYRING:" + anchor + ":" + name, "krb5.conf"}
		// Where the system forbids keyrings it does so to MIT too, and then there
		// is nothing to compare.
		if out, err := realm.RunEnv(p.environ(), password("alice")+"\n", "kinit", "alice"); err != nil {
			t.Logf("%s: not tested, since MIT's kinit fails: %s", p.collection, out)
			continue
		}
		p.run(t, "", "kdestroy", "-A", "-q")
		t.Cleanup(func() { _, _ = realm.RunEnv(p.environ(), "", "kdestroy", "-A", "-q") }) // nothing may be left
		m["keyring, "+anchor] = p
	}
	return m
}

// clients returns whose caches there are, the primary's first.
func clients(t *testing.T, col ccache.Collection) []string {
	t.Helper()
	list, err := col.Caches(t.Context())
	require.NoError(t, err)
	out := []string{}
	for _, c := range list {
		p, err := c.Principal(t.Context())
		require.NoError(t, err)
		out = append(out, p.String())
	}
	return out
}

// services returns whose tickets are in a cache.
func services(t *testing.T, c ccache.Cache) []string {
	t.Helper()
	creds, err := ccache.Credentials(t.Context(), c)
	require.NoError(t, err)
	var out []string
	for _, e := range creds {
		out = append(out, e.Server.String())
	}
	return out
}

// match returns the cache of a user.
func match(t *testing.T, col ccache.Collection, user string) ccache.Cache {
	t.Helper()
	p, err := ccache.ParsePrincipal(user + "@" + realmName)
	require.NoError(t, err)
	c, err := ccache.Match(t.Context(), col, p)
	require.NoError(t, err)
	return c
}

// tgt logs a user in with our client and returns what a cache then has.
func tgt(t *testing.T, user string) *ccache.Contents {
	t.Helper()
	r, m := engine(t, "krb5.conf", "/nonexistent/ccache")
	elem, err := m.Login(testContext(t), user, withPassword(user))
	require.NoError(t, err)
	file, _ := keep(t, credential(t, r, elem))
	c, err := ccache.NewFile(file).Load(t.Context())
	require.NoError(t, err)
	return c
}

// What MIT's programs put into a collection is read, used, changed and destroyed
// by us.
func TestTheirCaches(t *testing.T) {
	for name, p := range places(t) {
		t.Run(name, func(t *testing.T) {
			ctx := testContext(t)
			col := p.open(t)
			require.Empty(t, clients(t, col))
			p.run(t, password("alice")+"\n", "kinit", "alice")
			p.run(t, "", "kvno", "host/localhost")
			require.Equal(t, []string{"alice@" + realmName}, clients(t, col))
			mine := match(t, col, "alice")
			require.ElementsMatch(t, []string{"krbtgt/" + realmName + "@" + realmName, "host/localhost@" + realmName}, services(t, mine))
			contents, err := mine.Load(ctx)
			require.NoError(t, err)
			_, ok := contents.Config(ccache.ConfPAType, &contents.Credentials()[0].Server)
			require.True(t, ok || strings.Contains(p.run(t, "", "klist", "-C"), "pa_type"))

			// The engine takes the primary, and adds what MIT's programs find.
			r := p.engine(t)
			c, err := gssapi.AcquireCred(ctx, gssapi.Name{}, gssapi.UsageInitiate, &gssapi.CredOptions{Registry: r})
			require.NoError(t, err)
			talk(t, r, c, "alice", "aes256-sha2")
			require.Contains(t, p.run(t, "", "klist"), "aes256-sha2/localhost@"+realmName)

			// A second cache, and both ways to choose.
			p.run(t, password("nopreauth")+"\n", "kinit", "nopreauth")
			require.ElementsMatch(t, []string{"nopreauth@" + realmName, "alice@" + realmName}, clients(t, col))
			p.run(t, "", "kswitch", "-p", "nopreauth")
			require.Equal(t, "nopreauth@"+realmName, clients(t, col)[0])
			require.NoError(t, col.Switch(ctx, mine))
			require.Contains(t, p.run(t, "", "klist"), "Default principal: alice@"+realmName)
			p.run(t, "", "kswitch", "-p", "nopreauth")
			primary, err := col.Primary(ctx)
			require.NoError(t, err)
			require.Equal(t, match(t, col, "nopreauth").Name(), primary.Name())

			// What we take out is gone for them.
			require.NoError(t, mine.Remove(ctx, func(e *ccache.Credential) bool { return e.Server.Components[0] == "host" }))
			klist := p.run(t, "", "klist", "-A")
			require.NotContains(t, klist, "host/localhost")
			require.Contains(t, klist, "aes256-sha2/localhost@"+realmName)
			require.NoError(t, mine.Destroy(ctx))
			require.NotContains(t, p.run(t, "", "klist", "-A"), "alice@")
			p.run(t, "", "kdestroy", "-A")
			require.Empty(t, clients(t, col))
		})
	}
}

// What we put into a collection is read, used, changed and destroyed by MIT's
// programs.
func TestOurCaches(t *testing.T) {
	alice, other := tgt(t, "alice"), tgt(t, "nopreauth")
	for name, p := range places(t) {
		t.Run(name, func(t *testing.T) {
			ctx := testContext(t)
			col := p.open(t)
			first, err := col.Primary(ctx)
			require.NoError(t, err)
			withOffset := *alice
			withOffset.SetKDCOffset(0)
			require.NoError(t, first.Init(ctx, &withOffset))
			require.NoError(t, ccache.SetConfig(ctx, first, "fast_avail", &alice.Credentials()[0].Server, []byte("yes")))
			second, err := col.New(ctx, other)
			require.NoError(t, err)
			// A KCM daemon that nobody told takes whichever it likes.
			require.NoError(t, col.Switch(ctx, first))
			klist := p.run(t, "", "klist", "-A", "-C")
			require.Contains(t, klist, "Default principal: alice@"+realmName)
			require.Contains(t, klist, "Default principal: nopreauth@"+realmName)
			require.Contains(t, klist, "config: fast_avail(krbtgt/"+realmName+"@"+realmName+") = yes")
			require.Contains(t, p.run(t, "", "klist", "-l"), second.Name())

			p.run(t, "", "kvno", "host/localhost") // with alice's ticket
			require.Contains(t, services(t, first), "host/localhost@"+realmName)
			p.run(t, "", "kswitch", "-c", second.Name())
			p.run(t, "", "kvno", "aes128-sha1/localhost")
			require.Contains(t, services(t, second), "aes128-sha1/localhost@"+realmName)
			primary, err := col.Primary(ctx)
			require.NoError(t, err)
			require.Equal(t, second.Name(), primary.Name())

			// Their renewal of our cache, and ours of theirs.
			p.run(t, password("nopreauth")+"\n", "kinit", "nopreauth")
			require.Equal(t, []string{"krbtgt/" + realmName + "@" + realmName}, services(t, second))
			require.NoError(t, second.Init(ctx, other))
			p.run(t, "", "kvno", "host/localhost")

			p.run(t, "", "kdestroy", "-p", "nopreauth")
			require.Equal(t, []string{"alice@" + realmName}, clients(t, col))
			p.run(t, "", "kdestroy", "-A")
			require.Empty(t, clients(t, col))
			_, err = first.Load(ctx)
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
}

// Everyone writes to one file at once, and nothing is lost.
func TestFileTogether(t *testing.T) {
	file := kinit(t, "krb5.conf", "alice")
	c := ccache.NewFile(file)
	all, err := c.Load(t.Context())
	require.NoError(t, err)
	e := all.Credentials()[0]
	done := make(chan error, 1)
	go func() {
		for i := range 200 {
			e := e
			e.Server.Components = []string{"ours", fmt.Sprint(i)}
			if err := c.Store(context.Background(), e); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	theirs := []string{"host", "aes128-sha1", "aes256-sha1", "aes128-sha2", "aes256-sha2"}
	for _, s := range theirs {
		_, err := realm.RunEnv(environ("krb5.conf", file), "", "kvno", s+"/localhost")
		require.NoError(t, err)
	}
	require.NoError(t, <-done)
	got := services(t, c)
	for _, s := range theirs {
		require.Contains(t, got, s+"/localhost@"+realmName)
	}
	require.Len(t, got, 1+200+len(theirs))
	klist, err := realm.RunEnv(environ("krb5.conf", file), "", "klist")
	require.NoError(t, err)
	require.Equal(t, 200, strings.Count(klist, "ours/"))
}

// A half of an entry that a killed program left at the end is overlooked by MIT
// as it is by us, and after our repair both read on.
func TestFileTorn(t *testing.T) {
	file := kinit(t, "krb5.conf", "alice")
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	all, err := ccache.ParseFile(whole)
	require.NoError(t, err)
	e := all.Credentials()[0]
	half := (&ccache.Contents{Principal: all.Principal, Entries: []ccache.Credential{e}}).Append(nil)
	head := len((&ccache.Contents{Principal: all.Principal}).Append(nil))
	require.NoError(t, os.WriteFile(file, append(bytes.Clone(whole), half[head:head+40]...), 0o600))
	c := ccache.NewFile(file)
	require.Len(t, services(t, c), 1)
	e.Server.Components = []string{"after", "it"}
	require.NoError(t, c.Store(t.Context(), e))
	klist, err := realm.RunEnv(environ("krb5.conf", file), "", "klist")
	require.NoError(t, err)
	require.Contains(t, klist, "after/it@"+realmName)
}

// The cache for a server is the one that MIT's client takes.
func TestSelect(t *testing.T) {
	p := place{"DIR:" + filepath.Join(t.TempDir(), "caches"), "krb5.conf"}
	for _, user := range []string{"alice", "nopreauth", "aes256-sha1"} {
		p.run(t, password(user)+"\n", "kinit", user)
	}
	col := p.open(t)
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, ".k5identity"), []byte("# comment\nnopreauth@"+realmName+" service=host host=local*\naes256-sha1 service=aes[0-9]*\n"), 0o600))
	c, err := conf.Load(realm.File("krb5.conf"))
	require.NoError(t, err)
	for service, want := range map[string]string{"host": "nopreauth", "aes128-sha2": "aes256-sha1"} {
		for _, primary := range []string{"alice", "nopreauth", "aes256-sha1"} {
			p.run(t, "", "kswitch", "-p", primary)
			server, err := ccache.ParsePrincipal(service + "/localhost@" + realmName)
			require.NoError(t, err)
			server.Type = 3 // a host's
			cc, client, err := ccache.Select(testContext(t), col, server, &ccache.SelectOptions{Home: home, Config: c})
			require.NoError(t, err)
			require.Equal(t, want+"@"+realmName, client.String())
			require.Contains(t, services(t, cc), "krbtgt/"+realmName+"@"+realmName)

			listener := startServer(t, "gss-server", "krb5.conf", service)
			_, err = realm.RunEnv(append(p.environ(), "HOME="+home), "", "gss-client", "-port", listener.port, "localhost", service+"@localhost", "hello")
			require.NoError(t, err)
			// Its ticket tells whose cache it took.
			require.Contains(t, services(t, cc), service+"/localhost@"+realmName)
			require.NoError(t, cc.Remove(t.Context(), func(e *ccache.Credential) bool { return e.Server.Components[0] == service }))
		}
	}
}

// startHeimdalKCM runs Heimdal's daemon and returns a configuration with its
// socket. The daemon's path is built in: it gets a /run of its own.
func startHeimdalKCM(t *testing.T) string {
	t.Helper()
	return startKCM(t, "heimdal", "heimdal-kcm", "/usr/sbin/kcm")
}

// startSSSDKCM does it for SSSD's, which keeps tickets in a database, and its
// configuration too.
func startSSSDKCM(t *testing.T) string {
	t.Helper()
	return startKCM(t, "sssd", "sssd-kcm", "/usr/libexec/sssd/sssd_kcm --logger=stderr", "/etc/sssd", "/var/lib/sss/db", "/var/lib/sss/secrets", "/var/log/sssd")
}

func startKCM(t *testing.T, name, debian, program string, mounts ...string) string {
	t.Helper()
	path, _, _ := strings.Cut(program, " ")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v (Debian: apt-get install %s)", err, debian)
	}
	dir, err := os.MkdirTemp("", "kcm") // names of sockets are short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	run := filepath.Join(dir, "run")
	script := "mount --bind " + run + " /run"
	require.NoError(t, os.Mkdir(run, 0o755))
	for i, m := range mounts {
		d := filepath.Join(dir, fmt.Sprint(i))
		require.NoError(t, os.Mkdir(d, 0o700))
		script += " && mount --bind " + d + " " + m
	}
	// The processes replace one another, so that the last one is ours to kill.
	cmd := exec.Command("timeout", "--foreground", "-k", "1", "300", "unshare", "-m", "sh", "-c", script+" && exec "+program)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()
	})
	socket := filepath.Join(run, ".heim_org.h5l.kcm-socket")
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("%s does not start: %s", program, &out)
		}
		time.Sleep(10 * time.Millisecond)
	}
	text, err := os.ReadFile(realm.File("krb5.conf"))
	require.NoError(t, err)
	file := "kcm-" + name + ".conf"
	with := strings.Replace(string(text), "[libdefaults]", "[libdefaults]\n    kcm_socket = "+socket, 1)
	require.NoError(t, os.WriteFile(realm.File(file), []byte(with), 0o600))
	return file
}
