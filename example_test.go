package gssapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

var ctx = context.Background()

// check ends an example that went wrong.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// newRealm starts a realm with alice and an IMAP server. Programs in a real one
// leave out whatever the examples take from it: the default registry reads
// krb5.conf, the default credentials are those of kinit and of the keytab.
func newRealm() *testenv.KDC {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	k.AddUser("alice", "correct horse")
	k.AddService("imap/mail.example.test")
	return k
}

// credentials returns alice's and the IMAP server's.
func credentials(k *testenv.KDC) (alice, imap *gssapi.Cred) {
	alice, err := k.UserCred("alice", nil)
	check(err)
	imap, err = k.ServiceCred("imap/mail.example.test", nil)
	check(err)
	return alice, imap
}

// handshake passes tokens from one side to the other until both are content.
func handshake(initiator, acceptor *gssapi.SecContext) error {
	var token []byte
	for more := true; more; {
		var err error
		if token, more, err = initiator.Step(ctx, token); err != nil {
			return err
		}
		if len(token) == 0 {
			break
		}
		if token, _, err = acceptor.Step(ctx, token); err != nil {
			return err
		}
	}
	return nil
}

// A client and a server over a connection whose protocol sends one token per
// line, in hexadecimal.
func Example() {
	k := newRealm()
	defer k.Close()
	alice, imap := credentials(k)
	here, there := net.Pipe()
	send := func(w io.Writer) func([]byte) error {
		return func(token []byte) error { _, err := fmt.Fprintf(w, "%x\n", token); return err }
	}
	recv := func(r io.Reader) func() ([]byte, error) {
		return func() (token []byte, err error) { _, err = fmt.Fscanf(r, "%x\n", &token); return }
	}

	server := make(chan string)
	go func() {
		s, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: imap})
		check(err)
		defer s.Close()
		check(gssapi.Exchange(ctx, s, send(there), recv(there)))
		token, err := recv(there)()
		check(err)
		msg, info, err := s.Unwrap(nil, token)
		check(err)
		server <- fmt.Sprintf("%s says %q, encrypted: %v", s.Peer(), msg, info.Encrypted)
	}()

	c, err := gssapi.InitContext(gssapi.HostBased("imap", "mail.example.test"), &gssapi.InitOptions{Cred: alice})
	check(err)
	defer c.Close()
	check(gssapi.Exchange(ctx, c, send(here), recv(here)))
	token, err := c.Wrap(nil, []byte("hello"), nil)
	check(err)
	check(send(here)(token))
	fmt.Println(<-server)
	// Output: alice@EXAMPLE.TEST says "hello", encrypted: true
}

// A login with a password, without kinit.
func ExampleAcquireCred() {
	k := newRealm()
	defer k.Close()
	cred, err := gssapi.AcquireCred(ctx, gssapi.Principal("alice"), gssapi.UsageInitiate, &gssapi.CredOptions{
		Password: gssapi.Password([]byte("correct horse")),
		Registry: k.Registry(),
	})
	check(err)
	info, err := cred.Info(ctx)
	check(err)
	fmt.Println(info.Name, info.Usage, cred)
	// Output: alice@EXAMPLE.TEST initiate credential(1.2.840.113554.1.2.2 initiate)
}

// The keys of a keytab, and a name that decides which of them count: the service
// on any host.
func ExampleAcquireCred_keytab() {
	k := newRealm()
	defer k.Close()
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	check(k.WriteFiles(dir))
	cred, err := gssapi.AcquireCred(ctx, gssapi.HostBased("imap", ""), gssapi.UsageAccept, &gssapi.CredOptions{
		Store:    gssapi.Store{"keytab": filepath.Join(dir, "krb5.keytab")},
		Registry: k.Registry(),
	})
	check(err)
	info, err := cred.Info(ctx)
	check(err)
	fmt.Println(info.Name, info.Usage)
	// Output: imap accept
}

// A step at a time, for protocols that carry the tokens in messages of their own.
// A context is established when no more is expected; a token may still have to be
// sent then.
func ExampleInitContext() {
	k := newRealm()
	defer k.Close()
	alice, imap := credentials(k)
	c, err := gssapi.InitContext(gssapi.HostBased("imap", "mail.example.test"), &gssapi.InitOptions{
		Cred:    alice,
		Require: gssapi.FlagConf, // or fail
	})
	check(err)
	defer c.Close()
	s, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: imap})
	check(err)
	defer s.Close()

	token, more, err := c.Step(ctx, nil)
	check(err)
	fmt.Println("client expects an answer:", more)
	token, more, err = s.Step(ctx, token)
	check(err)
	fmt.Println("server expects an answer:", more)
	_, more, err = c.Step(ctx, token)
	check(err)
	fmt.Println("client expects an answer:", more)
	fmt.Println(c.Info().Flags.Has(gssapi.FlagMutual|gssapi.FlagConf), c.Info().Enctype)
	// Output:
	// client expects an answer: true
	// server expects an answer: false
	// client expects an answer: false
	// true aes256-cts-hmac-sha1-96
}

// Whom an acceptor trusts is decided by the name's Key, which has the realm in it.
func ExampleAcceptContext() {
	k := newRealm()
	defer k.Close()
	alice, imap := credentials(k)
	c, err := gssapi.InitContext(gssapi.HostBased("imap", "mail.example.test"), &gssapi.InitOptions{Cred: alice})
	check(err)
	defer c.Close()
	s, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: imap})
	check(err)
	defer s.Close()
	check(handshake(c, s))

	friend, err := gssapi.Principal("alice@EXAMPLE.TEST").Canonicalize(ctx, k.Mechanism(nil))
	check(err)
	friends := make(map[string]bool)
	key, err := friend.Key()
	check(err)
	friends[key] = true

	key, err = s.Peer().Key()
	check(err)
	fmt.Println(s.Peer(), friends[key])
	// Output: alice@EXAMPLE.TEST true
}

// A failure is an error on both sides, because Exchange still sends the token
// that says why.
func ExampleExchange() {
	k := newRealm()
	defer k.Close()
	k.AddService("imap/other.example.test")
	alice, imap := credentials(k)
	toServer, toClient := make(chan []byte, 9), make(chan []byte, 9)
	failed := make(chan error)
	go func() {
		s, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: imap})
		check(err)
		defer s.Close()
		failed <- gssapi.Exchange(ctx, s,
			func(token []byte) error { toClient <- token; return nil },
			func() ([]byte, error) { return <-toServer, nil })
	}()
	// The ticket is for a server whose key this one does not have.
	c, err := gssapi.InitContext(gssapi.HostBased("imap", "other.example.test"), &gssapi.InitOptions{Cred: alice})
	check(err)
	defer c.Close()
	err = gssapi.Exchange(ctx, c,
		func(token []byte) error { toServer <- token; return nil },
		func() ([]byte, error) { return <-toClient, nil })
	fmt.Println("client failed:", err != nil)
	fmt.Println("server failed:", <-failed != nil)
	// Output:
	// client failed: true
	// server failed: true
}

// A registry of one's own: two realms in one process, or a configuration that is
// not the machine's.
func ExampleNewRegistry() {
	m := krb5.New(&krb5.Config{
		ConfigText: "[libdefaults]\ndefault_realm = EXAMPLE.TEST\n[realms]\nEXAMPLE.TEST = {\n kdc = kdc.example.test\n}\n",
		Getenv:     func(string) string { return "" },
	})
	r, err := gssapi.NewRegistry(m, spnego.New(nil, m))
	check(err)
	for _, m := range r.All() {
		fmt.Println(m.Info().Name, m.Info().OID)
	}
	_, err = gssapi.NewRegistry(m, m)
	fmt.Println(errors.Is(err, gssapi.ErrDuplicateElement))
	// Output:
	// krb5 1.2.840.113554.1.2.2
	// spnego 1.3.6.1.5.5.2
	// true
}

// SPNEGO over Kerberos, asked for by the initiator. An acceptor takes either.
func ExampleNewRegistry_negotiate() {
	k := newRealm()
	defer k.Close()
	m := k.Mechanism(nil) // krb5.New(nil) outside of tests
	r, err := gssapi.NewRegistry(m, spnego.New(nil, m))
	check(err)
	alice, err := gssapi.AcquireCred(ctx, gssapi.Principal("alice"), gssapi.UsageInitiate, &gssapi.CredOptions{
		Password: gssapi.Password([]byte("correct horse")),
		Registry: r,
	})
	check(err)
	imap, err := k.ServiceCred("imap/mail.example.test", r)
	check(err)
	c, err := gssapi.InitContext(gssapi.HostBased("imap", "mail.example.test"), &gssapi.InitOptions{Cred: alice, Mech: gssapi.SPNEGO})
	check(err)
	defer c.Close()
	s, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: imap})
	check(err)
	defer s.Close()
	check(handshake(c, s))
	fmt.Println(s.Peer(), s.Info().Negotiated, s.Info().Mech == gssapi.Krb5)
	// Output: alice@EXAMPLE.TEST true true
}

// What the mechanism itself can do: here a login with a Kerberos option that
// AcquireCred does not have.
func ExampleNewCred() {
	k := newRealm()
	defer k.Close()
	m := k.Mechanism(nil) // krb5.New(nil) outside of tests
	r, err := gssapi.NewRegistry(m)
	check(err)
	e, err := m.Login(ctx, "alice", &krb5.LoginOptions{
		Password:    func() []byte { return []byte("correct horse") },
		Forwardable: true,
	})
	check(err)
	cred, err := gssapi.NewCred(r, e)
	check(err)
	info, err := cred.Info(ctx)
	check(err)
	fmt.Println(info.Name)
	// Output: alice@EXAMPLE.TEST
}

// A credential goes on in another process.
func ExampleImportCred() {
	k := newRealm()
	defer k.Close()
	alice, _ := credentials(k)
	token, err := alice.Export() // secrets in the open
	check(err)
	again, err := gssapi.ImportCred(token, k.Registry())
	check(err)
	info, err := again.Info(ctx)
	check(err)
	fmt.Println(info.Name)
	// Output: alice@EXAMPLE.TEST
}

// However it is printed, a password is not shown.
func ExamplePassword() {
	fmt.Printf("%v %s %q\n", gssapi.Password([]byte("correct horse")), gssapi.Password(nil), gssapi.Store{"password": "correct horse"})
	// Output: [redacted] [redacted] store(password="[redacted]")
}

func ExampleDefaultRegistry() {
	for _, m := range gssapi.DefaultRegistry().All() {
		fmt.Println(m.Info().Name)
	}
	// Output:
	// krb5
	// spnego
}
