package gssapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/testenv"
)

// These are the programs of docs/migrating-gokrb5.md.

// realmFiles starts a realm whose krb5.conf and keytabs are in a directory.
func realmFiles(service string) (k *testenv.KDC, dir string, end func()) {
	k = testenv.NewKDC(nil)
	k.AddUser("alice", "correct horse")
	k.AddService(service)
	dir, err := os.MkdirTemp("", "example")
	check(err)
	check(k.WriteFiles(dir))
	return k, dir, func() {
		k.Close()
		check(os.RemoveAll(dir))
	}
}

// A login with a password, or with a keytab, under a krb5.conf of one's own.
func Example_migrateLogin() {
	_, dir, end := realmFiles("HTTP/www.example.test")
	defer end()

	m := krb5.New(&krb5.Config{ConfigPath: filepath.Join(dir, "krb5.conf")})
	registry, err := gssapi.NewRegistry(m)
	check(err)
	user, err := gssapi.AcquireCred(ctx, gssapi.Principal("alice"), gssapi.UsageInitiate, &gssapi.CredOptions{
		Password: gssapi.Password([]byte("correct horse")),
		Registry: registry,
	})
	check(err)
	info, err := user.Info(ctx)
	check(err)
	fmt.Println(info.Name)

	kt, err := keytab.Load(filepath.Join(dir, "client.keytab"))
	check(err)
	e, err := m.Login(ctx, "alice", &krb5.LoginOptions{Keytab: kt})
	check(err)
	user, err = gssapi.NewCred(registry, e)
	check(err)
	info, err = user.Info(ctx)
	check(err)
	fmt.Println(info.Name)
	// Output:
	// alice@EXAMPLE.TEST
	// alice@EXAMPLE.TEST
}

// An HTTP server and a client that negotiate.
func Example_migrateHTTP() {
	_, dir, end := realmFiles("HTTP/127.0.0.1")
	defer end()
	registry, err := gssapi.NewRegistry(krb5.New(&krb5.Config{ConfigPath: filepath.Join(dir, "krb5.conf")}))
	check(err)

	service, err := gssapi.AcquireCred(ctx, gssapi.HostBased("HTTP", ""), gssapi.UsageAccept, &gssapi.CredOptions{
		Store:    gssapi.Store{"keytab": filepath.Join(dir, "krb5.keytab")},
		Registry: registry,
	})
	check(err)
	auth := &negotiate.Server{Cred: service}
	srv := httptest.NewUnstartedServer(auth.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _ := negotiate.PeerFrom(r.Context())
		fmt.Fprintf(w, "hello, %s", peer.Name)
	})))
	srv.Config.ConnContext = auth.ConnContext
	srv.Start()
	defer srv.Close()

	user, err := gssapi.AcquireCred(ctx, gssapi.Principal("alice"), gssapi.UsageInitiate, &gssapi.CredOptions{
		Password: gssapi.Password([]byte("correct horse")),
		Registry: registry,
	})
	check(err)
	client := &http.Client{Transport: &negotiate.Transport{Cred: user}}
	resp, err := client.Get(srv.URL)
	check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	check(err)
	fmt.Printf("%s\n", body)
	// Output: hello, alice@EXAMPLE.TEST
}

// krb5.conf, a keytab and a credential cache, read and written.
func Example_migrateFiles() {
	k, dir, end := realmFiles("HTTP/www.example.test")
	defer end()

	c, err := conf.Load(filepath.Join(dir, "krb5.conf"))
	check(err)
	fmt.Println(c.DefaultRealm())

	kt, err := keytab.Load(filepath.Join(dir, "krb5.keytab"))
	check(err)
	fmt.Println(kt.Entries()[0].Principal, kt.Entries()[0].Key)

	user, err := k.UserCred("alice", nil)
	check(err)
	file := filepath.Join(dir, "krb5cc")
	_, err = user.StoreInto(ctx, &gssapi.StoreOptions{Store: gssapi.Store{"ccache": "FILE:" + file}})
	check(err)
	cc, err := ccache.Resolve(ctx, "FILE:"+file, c)
	check(err)
	tickets, err := ccache.Credentials(ctx, cc)
	check(err)
	fmt.Println(tickets[0].Client, tickets[0].Server)
	// Output:
	// EXAMPLE.TEST
	// HTTP/www.example.test@EXAMPLE.TEST {aes256-cts-hmac-sha1-96 [redacted]}
	// alice@EXAMPLE.TEST krbtgt/EXAMPLE.TEST@EXAMPLE.TEST
}
