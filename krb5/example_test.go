package krb5_test

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/testenv"
)

// A mechanism with a configuration of its own, which reads neither files nor the
// environment; here the KDC is one in memory, for which KDC is left out in a
// program.
func ExampleNew() {
	ctx := context.Background()
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	k.AddUser("alice", "correct horse")

	m := krb5.New(&krb5.Config{
		ConfigText: k.Config(),
		Getenv:     func(string) string { return "" },
		KDC:        k,
	})
	r, err := mech.NewRegistry(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	login, err := m.Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return []byte("correct horse") }})
	if err != nil {
		fmt.Println(err)
		return
	}
	cred, err := gssapi.NewCred(r, login)
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := cred.Info(ctx)
	fmt.Println(info.Name, err)
	// Output: alice@EXAMPLE.TEST <nil>
}

// A code has the number of RFC 4120 and MIT's symbol.
func ExampleCode() {
	n, ok := krb5.ErrAPSkew.RFC()
	fmt.Println(n, ok, krb5.ErrAPSkew.Name())
	// Output: 37 true KRB_AP_ERR_SKEW
}

// What the ticket of an established context says.
func ExampleAuthTime() {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	client, server, err := testenv.Pair(k, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	defer server.Close()
	login, err := krb5.AuthTime(server)
	fmt.Println(!login.IsZero(), err)
	// Output: true <nil>
}
