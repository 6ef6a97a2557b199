package negotiate_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

// exampleRealm is a realm with alice and a web server.
func exampleRealm() (k *testenv.KDC, alice, web *gssapi.Cred) {
	k = testenv.NewKDC(&testenv.Options{NoListen: true})
	k.AddUser("alice", "correct horse")
	k.AddService("HTTP/127.0.0.1")
	m := k.Mechanism(nil)
	reg, err := gssapi.NewRegistry(m, spnego.New(nil, m))
	if err != nil {
		log.Fatal(err)
	}
	if alice, err = k.UserCred("alice", reg); err != nil {
		log.Fatal(err)
	}
	if web, err = k.ServiceCred("HTTP/127.0.0.1", reg); err != nil {
		log.Fatal(err)
	}
	return k, alice, web
}

// A web server that knows its visitors, and one of them. With a real realm both
// credentials can be left out.
func Example() {
	k, alice, web := exampleRealm()
	defer k.Close()

	auth := &negotiate.Server{Cred: web}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _ := negotiate.PeerFrom(r.Context())
		fmt.Fprintf(w, "hello, %s", peer.Name)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{ConnContext: auth.ConnContext, Handler: auth.Handler(app)}
	go srv.Serve(l)
	defer srv.Close()

	c := &http.Client{Transport: &negotiate.Transport{Cred: alice}}
	resp, err := c.Get("http://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s: %s\n", resp.Status, body)
	// Output: 200 OK: hello, alice@EXAMPLE.TEST
}

// The reason why a request was not authenticated is in the response.
func ExampleFailure() {
	k, _, web := exampleRealm()
	defer k.Close()
	auth := &negotiate.Server{Cred: web}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Handler: auth.Handler(http.NotFoundHandler())}
	go srv.Serve(l)
	defer srv.Close()

	// A user who has not logged in.
	t := &negotiate.Transport{Registry: k.Registry(), Mutual: negotiate.Optional}
	resp, err := (&http.Client{Transport: t}).Get("http://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status, negotiate.Failure(resp) != nil)
	// Output: 401 Unauthorized true
}

// A server that answers only its own realm, and with a page of its own.
func ExampleServer() {
	k, _, web := exampleRealm()
	defer k.Close()
	auth := &negotiate.Server{
		Cred:   web,
		Realms: []string{"EXAMPLE.TEST"},
		OnError: func(w http.ResponseWriter, r *http.Request, err error) {
			status := err.(*negotiate.Error).Status
			http.Error(w, "log in with kinit, and come back", status)
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{ConnContext: auth.ConnContext, Handler: auth.Handler(http.NotFoundHandler())}
	go srv.Serve(l)
	defer srv.Close()

	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s %s: %s", resp.Status, resp.Header.Get("WWW-Authenticate"), body)
	// Output: 401 Unauthorized Negotiate: log in with kinit, and come back
}
