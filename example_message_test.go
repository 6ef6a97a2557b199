package gssapi_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/testenv"
)

// newPair returns two established sides and what ends them.
func newPair() (client, server *gssapi.SecContext, end func()) {
	k := newRealm()
	client, server, err := testenv.Pair(k, &testenv.PairOptions{Client: "alice", Service: "imap@mail.example.test"})
	check(err)
	return client, server, func() {
		check(client.Close())
		check(server.Close())
		k.Close()
	}
}

// Messages are encrypted unless the options say otherwise.
func ExampleSecContext_Wrap() {
	client, server, end := newPair()
	defer end()
	for _, o := range []*gssapi.WrapOptions{nil, {IntegrityOnly: true}} {
		token, err := client.Wrap(nil, []byte("hello"), o)
		check(err)
		msg, info, err := server.Unwrap(nil, token)
		check(err)
		fmt.Printf("%s, encrypted: %v\n", msg, info.Encrypted)
	}
	// Output:
	// hello, encrypted: true
	// hello, encrypted: false
}

// A message that was seen before comes with an error that says so. To treat every
// error as fatal is safe; a protocol on datagrams may want to know more.
func ExampleInformational() {
	client, server, end := newPair()
	defer end()
	token, err := client.Wrap(nil, []byte("hello"), nil)
	check(err)
	for range 2 {
		msg, _, err := server.Unwrap(nil, token)
		fmt.Printf("%s, %v: %v\n", msg, gssapi.Informational(err), errors.Is(err, gssapi.ErrDuplicateToken))
	}
	// Output:
	// hello, false: false
	// hello, true: true
}

// A signature beside the message.
func ExampleSecContext_GetMIC() {
	client, server, end := newPair()
	defer end()
	mic, err := client.GetMIC(nil, []byte("hello"))
	check(err)
	fmt.Println(server.VerifyMIC([]byte("hello"), mic))
	fmt.Println(errors.Is(server.VerifyMIC([]byte("hullo"), mic), gssapi.ErrBadMIC))
	// Output:
	// <nil>
	// true
}

// In place, in pieces: the message is encrypted where it is.
func ExampleSecContext_WrapIOV() {
	client, server, end := newPair()
	defer end()
	pieces := iov.Message([]byte("hello, "), []byte("world"))
	check(client.WrapIOV(pieces, nil))
	msg, _, err := server.Unwrap(nil, iov.Join(nil, pieces))
	check(err)
	fmt.Printf("%s\n", msg)
	// Output: hello, world
}

// A header that both sides know is authenticated along with the message and not
// sent.
func ExampleSecContext_WrapAEAD() {
	client, server, end := newPair()
	defer end()
	token, err := client.WrapAEAD(nil, []byte("hello"), []byte("header"), nil)
	check(err)
	msg, _, err := server.UnwrapAEAD(nil, token, []byte("header"))
	check(err)
	fmt.Printf("%s\n", msg)
	// Output: hello
}

// Bindings to the certificate of a TLS server: a token that somebody relays to
// another server is of no use there.
func ExampleTLSServerEndPoint() {
	k := newRealm()
	defer k.Close()
	alice, imap := credentials(k)
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	other := httptest.NewTLSServer(nil)
	defer other.Close()
	foreign := *web.Certificate()
	foreign.Raw = append([]byte{0}, foreign.Raw...)

	for _, seen := range []*x509.Certificate{web.Certificate(), &foreign} {
		mine, err := gssapi.TLSServerEndPoint(seen)
		check(err)
		theirs, err := gssapi.TLSServerEndPoint(web.Certificate())
		check(err)
		c, err := gssapi.InitContext(gssapi.HostBased("imap", "mail.example.test"), &gssapi.InitOptions{Cred: alice, Bindings: mine})
		check(err)
		s, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: imap, Bindings: theirs})
		check(err)
		err = handshake(c, s)
		fmt.Println(s.Info().Flags.Has(gssapi.FlagChannelBound), errors.Is(err, gssapi.ErrBadBindings))
		check(c.Close())
		check(s.Close())
	}
	// Output:
	// true false
	// false true
}

// Bindings to one connection, from its state on either side.
func ExampleTLSExporter() {
	web := httptest.NewTLSServer(http.NotFoundHandler())
	defer web.Close()
	resp, err := web.Client().Get(web.URL)
	check(err)
	defer resp.Body.Close()
	b, err := gssapi.TLSExporter(resp.TLS)
	check(err)
	fmt.Printf("%.13s %d\n", b.Application, len(b.Application))
	// Output: tls-exporter: 45
}

// A context goes on in another process. This one ends: no number is used twice.
func ExampleImportContext() {
	k := newRealm()
	defer k.Close()
	client, server, err := testenv.Pair(k, nil)
	check(err)
	defer client.Close()
	token, err := server.Export() // keys in the open
	check(err)
	moved, err := gssapi.ImportContext(token, k.Registry())
	check(err)
	defer moved.Close()

	sealed, err := client.Wrap(nil, []byte("hello"), nil)
	check(err)
	msg, _, err := moved.Unwrap(nil, sealed)
	check(err)
	_, _, err = server.Unwrap(nil, sealed)
	fmt.Printf("%s %v\n", msg, errors.Is(err, gssapi.ErrNoContext))
	// Output: hello true
}

// One error has the status of the GSS-API and the code of Kerberos.
func ExampleError() {
	k := newRealm()
	defer k.Close()
	_, err := gssapi.AcquireCred(ctx, gssapi.Principal("alice"), gssapi.UsageInitiate, &gssapi.CredOptions{
		Password: gssapi.Password([]byte("wrong")),
		Registry: k.Registry(),
	})
	fmt.Println(errors.Is(err, gssapi.ErrNoCred), errors.Is(err, krb5.ErrPreauthFailed), errors.Is(err, krb5.ErrClientRevoked))
	var e *gssapi.Error
	if errors.As(err, &e) {
		fmt.Println(e.Op, e.Major, e.Mech == gssapi.Krb5)
	}
	var code krb5.Code
	if errors.As(err, &code) {
		n, _ := code.RFC()
		fmt.Println(code.Name(), n)
	}
	// Output:
	// true true false
	// acquire_cred no credentials true
	// KDC_ERR_PREAUTH_FAILED 24
}

// The sentences of gss_display_status.
func ExampleStatuses() {
	for _, s := range gssapi.Statuses(gssapi.ErrNoCred) {
		fmt.Println(s)
	}
	// Output: No credentials were supplied, or the credentials were unavailable or inaccessible
}
