package testenv_test

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/testenv"
)

// Two sides of a security context for a test of messages, without sockets.
func Example() {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	k.AddUser("alice", "correct horse")

	client, server, err := testenv.Pair(k, &testenv.PairOptions{Client: "alice", Service: "imap@mail.example.test"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	defer server.Close()

	token, _ := client.Wrap(nil, []byte("hello"), nil) // encrypted
	msg, _, _ := server.Unwrap(nil, token)
	fmt.Printf("%s says %s\n", server.Peer(), msg)
	// Output: alice@EXAMPLE.TEST says hello
}

// A front end that acts for its users towards a back end: constrained delegation.
func ExampleKDC_AllowDelegation() {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	k.AddUser("alice", "correct horse")
	k.AddService("HTTP@www.example.test")
	k.AddService("sql@db.example.test")
	k.AllowDelegation("HTTP@www.example.test", "sql@db.example.test")
	k.ProtocolTransition("HTTP@www.example.test", true)

	ctx := context.Background()
	table, _ := keytab.Parse(k.UserKeytab("HTTP@www.example.test"))
	m := k.Mechanism(nil)
	front, err := m.Login(ctx, "HTTP/www.example.test", &krb5.LoginOptions{Keytab: table, Forwardable: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, _ := mech.NewRegistry(m)
	by, _ := gssapi.NewCred(r, front)
	alice, err := gssapi.AcquireCred(ctx, gssapi.User("alice"), gssapi.UsageInitiate, &gssapi.CredOptions{Impersonator: by})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, server, err := testenv.Pair(k, &testenv.PairOptions{
		Service: "sql@db.example.test", Registry: r, Init: gssapi.InitOptions{Cred: alice},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	defer server.Close()
	fmt.Println("the back end sees", server.Peer())
	// Output: the back end sees alice@EXAMPLE.TEST
}
