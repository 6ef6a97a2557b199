package spnego_test

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

// A registry of one's own, whose SPNEGO negotiates the Kerberos beside it. The
// default registry has both already.
func ExampleNew() {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	k.AddUser("alice", "correct horse")
	k.AddService("HTTP/www.example.test")

	krb5 := k.Mechanism(nil) // krb5.New(nil) outside of tests
	registry, err := mech.NewRegistry(krb5, spnego.New(nil, krb5))
	if err != nil {
		fmt.Println(err)
		return
	}
	user, _ := k.UserCred("alice", registry)
	service, _ := k.ServiceCred("HTTP/www.example.test", registry)
	client, _ := gssapi.InitContext(gssapi.HostBased("HTTP", "www.example.test"), &gssapi.InitOptions{Cred: user, Mech: gssapi.SPNEGO})
	defer client.Close()
	server, _ := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: service})
	defer server.Close()

	ctx := context.Background()
	token, _, _ := client.Step(ctx, nil)
	token, _, _ = server.Step(ctx, token)
	_, _, err = client.Step(ctx, token)
	fmt.Println(err, server.Peer(), server.Info().Negotiated, server.Info().Mech == gssapi.Krb5)
	// Output: <nil> alice@EXAMPLE.TEST true true
}
