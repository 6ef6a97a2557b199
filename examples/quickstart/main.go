// Quickstart shows the whole of it in one process: a KDC, a user who logs in
// with a password, a service with a keytab, and between the two a TCP
// connection over which they authenticate each other and send encrypted
// messages.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"text/tabwriter"
	"time"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/testenv"
)

const (
	user     = "alice"
	password = "correct horse battery staple"
	service  = "demo"
	host     = "server.example.test"
)

func main() {
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	// A realm of our own. With a real one there is nothing to set up: the
	// default registry reads krb5.conf.
	kdc := testenv.NewKDC(nil)
	defer kdc.Close()
	kdc.AddUser(user, password)
	kdc.AddService(service + "/" + host)
	fmt.Printf("KDC for the realm %s on %s\n\n", kdc.Realm(), kdc.Addr())

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	served := make(chan error, 1)
	go func() { served <- serve(ctx, kdc, ln) }()

	if err := dial(ctx, kdc, ln.Addr().String()); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if err := <-served; err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// dial is the client: it logs in, connects, and says hello.
func dial(ctx context.Context, kdc *testenv.KDC, addr string) error {
	cred, err := gssapi.AcquireCred(ctx, gssapi.Principal(user), gssapi.UsageInitiate, &gssapi.CredOptions{
		Password: gssapi.Password([]byte(password)),
		Registry: kdc.Registry(),
	})
	if err != nil {
		return err
	}
	info, err := cred.Info(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("client: logged in as %s, tickets for %s\n", info.Name, left(info.InitiateExpires))

	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	c, err := gssapi.InitContext(gssapi.HostBased(service, host), &gssapi.InitOptions{Cred: cred})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := gssapi.Exchange(ctx, c, sender("client", conn), receiver(conn)); err != nil {
		return err
	}
	report("client", c)

	if err := say("client", conn, c, "hello, is anybody there?"); err != nil {
		return err
	}
	return hear("client", conn, c)
}

// serve is the server: it accepts one connection and answers one message.
func serve(ctx context.Context, kdc *testenv.KDC, ln net.Listener) error {
	// With a keytab in a file: gssapi.AcquireCred(ctx, gssapi.HostBased(service, ""),
	// gssapi.UsageAccept, &gssapi.CredOptions{Store: gssapi.Store{"keytab": path}}).
	cred, err := kdc.ServiceCred(service+"/"+host, nil)
	if err != nil {
		return err
	}
	conn, err := ln.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	s, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: cred})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := gssapi.Exchange(ctx, s, sender("server", conn), receiver(conn)); err != nil {
		return err
	}
	report("server", s)

	if err := hear("server", conn, s); err != nil {
		return err
	}
	return say("server", conn, s, fmt.Sprintf("hello %s, I am %s", s.Peer(), s.Info().Acceptor))
}

// say sends a message that only the peer can read.
func say(who string, conn net.Conn, c *gssapi.SecContext, msg string) error {
	token, err := c.Wrap(nil, []byte(msg), nil)
	if err != nil {
		return err
	}
	fmt.Printf("%s: sends  %q, %d bytes sealed in %d\n", who, msg, len(msg), len(token))
	return send(conn, token)
}

// hear receives one and shows it.
func hear(who string, conn net.Conn, c *gssapi.SecContext) error {
	token, err := receive(conn)
	if err != nil {
		return err
	}
	msg, info, err := c.Unwrap(nil, token)
	if err != nil {
		return err
	}
	fmt.Printf("%s: reads  %q, encrypted: %t\n", who, msg, info.Encrypted)
	return nil
}

// report prints what the two sides agreed on.
func report(who string, c *gssapi.SecContext) {
	i := c.Info()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintf(w, "\n%s: context established\n", who)
	fmt.Fprintf(w, "  initiator\t%s\n", i.Initiator)
	fmt.Fprintf(w, "  acceptor\t%s\n", i.Acceptor)
	fmt.Fprintf(w, "  mechanism\t%s\n", i.Mech)
	fmt.Fprintf(w, "  flags\t%s\n", i.Flags)
	fmt.Fprintf(w, "  enctype\t%s\n", i.Enctype)
	fmt.Fprintf(w, "  lifetime\t%s\n\n", left(i.Expires))
	w.Flush()
}

func left(end time.Time) time.Duration { return time.Until(end).Round(time.Minute) }

// A token on the wire is four bytes of length and the token. How tokens travel
// is each protocol's own business; this is the simplest way.

func sender(who string, conn net.Conn) func([]byte) error {
	return func(token []byte) error {
		fmt.Printf("%s: context token of %d bytes\n", who, len(token))
		return send(conn, token)
	}
}

func receiver(conn net.Conn) func() ([]byte, error) {
	return func() ([]byte, error) { return receive(conn) }
}

func send(w io.Writer, token []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(token))), token...))
	return err
}

func receive(r io.Reader) ([]byte, error) {
	var n [4]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(n[:])
	if size > 1<<20 {
		return nil, fmt.Errorf("a token of %d bytes", size)
	}
	token := make([]byte, size)
	_, err := io.ReadFull(r, token)
	return token, err
}
