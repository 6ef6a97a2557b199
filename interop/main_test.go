package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

const realmName = "INTEROP.TEST"

// enctypes are those that each test is run with. The short name is that of a
// user and of a service whose only keys are of it; with "-2" it is that of
// another such service.
var enctypes = []struct {
	short, long string
	id          krb5.Enctype
}{
	{"aes128-sha1", mitkdc.AES128SHA1, 17},
	{"aes256-sha1", mitkdc.AES256SHA1, 18},
	{"aes128-sha2", mitkdc.AES128SHA2, 19},
	{"aes256-sha2", mitkdc.AES256SHA2, 20},
}

// One KDC and one build of the programs serve all tests.
var (
	realm    *mitkdc.Realm
	programs struct{ peer, client, server string }
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	for _, p := range []string{"kinit", "klist", "kvno", "gss-client", "gss-server"} {
		if _, err := mitkdc.Find(p); err != nil {
			return 1, err
		}
	}
	if programs.peer, err = mitkdc.Build(dir, "c/gsspeer.c"); err != nil {
		return 1, err
	}
	for name, out := range map[string]*string{"gss-client": &programs.client, "gss-server": &programs.server} {
		*out = filepath.Join(dir, "go-"+name)
		cmd := exec.Command("go", "build", "-o", *out, "github.com/gss-go/gssapi/examples/"+name)
		if msg, err := cmd.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("%v: %w\n%s", cmd, err, msg)
		}
	}
	kdc := filepath.Join(dir, "kdc")
	if err := os.Mkdir(kdc, 0o700); err != nil {
		return 1, err
	}
	if realm, err = mitkdc.Start(kdc, realmName, principals()); err != nil {
		return 1, err
	}
	defer realm.Close()
	for _, e := range enctypes {
		if _, err := realm.WriteConfig(e.short+".conf", e.long); err != nil {
			return 1, err
		}
	}
	return m.Run(), nil
}

func password(user string) string { return "password-of-" + user }

func principals() []mitkdc.Principal {
	ps := []mitkdc.Principal{
		{Name: "alice", Password: password("alice")},
		{Name: "nopreauth", Password: password("nopreauth"), NoPreauth: true},
		{Name: "host/localhost", Keytab: "services.keytab", NoPreauth: true},
		{Name: "rotated/localhost"},
	}
	for _, e := range enctypes {
		only := []string{e.long}
		ps = append(ps,
			mitkdc.Principal{Name: e.short, Password: password(e.short), Keytab: "users.keytab", Enctypes: only},
			mitkdc.Principal{Name: e.short + "/localhost", Keytab: "services.keytab", Enctypes: only, NoPreauth: true},
			mitkdc.Principal{Name: e.short + "-2/localhost", Keytab: "services.keytab", Enctypes: only})
	}
	return ps
}

// engine returns a registry with our Kerberos engine in the realm of MIT's KDC.
// Files are those of the realm's directory; the environment is not looked at.
func engine(t *testing.T, conf, ccache string) (*mech.Registry, *krb5.Mechanism) {
	t.Helper()
	m := krb5.New(&krb5.Config{
		ConfigPath: realm.File(conf),
		CCache:     "FILE:" + ccache,
		Keytab:     "FILE:" + realm.File("services.keytab"),
		Getenv:     func(string) string { return "" },
	})
	r, err := mech.NewRegistry(m)
	require.NoError(t, err)
	return r, m
}

// kinit logs a user in with MIT's kinit and returns the name of the cache file.
func kinit(t *testing.T, conf, user string) string {
	t.Helper()
	cc := filepath.Join(t.TempDir(), "ccache")
	_, err := realm.RunEnv(environ(conf, cc), password(user)+"\n", "kinit", user)
	require.NoError(t, err)
	return cc
}

// environ is what leads an MIT program to a configuration and a cache.
func environ(conf, ccache string) []string {
	return []string{
		"KRB5_CONFIG=" + realm.File(conf),
		"KRB5CCNAME=FILE:" + ccache,
		"KRB5_KTNAME=FILE:" + realm.File("services.keytab"),
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// acceptor returns our credential for a service, from the realm's keytab.
func acceptor(t *testing.T, r *mech.Registry, service string) *gssapi.Cred {
	t.Helper()
	c, err := gssapi.AcquireCred(testContext(t), gssapi.HostBased(service, "localhost"), gssapi.UsageAccept,
		&gssapi.CredOptions{Registry: r})
	require.NoError(t, err)
	return c
}
