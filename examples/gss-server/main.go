// Command gss-server accepts security contexts and answers messages. It speaks
// the protocol of MIT's sample program of the same name, and can be used with
// its gss-client or with the one beside this folder.
//
//	gss-server [-port 4444] [-verbose] [-once] [-keytab FILE] SERVICE@HOST
//
// For each message that a client sends it returns the MIC of what it understood.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/examples/internal/sample"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gss-server: ")
	port := flag.Int("port", 4444, "TCP `port` to listen on")
	verbose := flag.Bool("verbose", false, "describe the contexts")
	once := flag.Bool("once", false, "serve a single connection and end")
	keytab := flag.String("keytab", "", "`file` with the keys of the service")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: gss-server [options] SERVICE[@HOST]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}

	// The credential is acquired once and serves every connection.
	cred, err := acquire(context.Background(), flag.Arg(0), *keytab)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("starting...")
	s := &server{cred: cred, verbose: *verbose}
	for {
		conn, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		if *once {
			if err := s.serve(context.Background(), conn); err != nil {
				log.Fatal(err)
			}
			return
		}
		go func() {
			if err := s.serve(context.Background(), conn); err != nil {
				log.Print(err)
			}
		}()
	}
}

// acquire returns the credential of a service: the right to accept contexts in
// its name. Without a keytab it is the default one of the machine.
func acquire(ctx context.Context, service, keytab string) (*gssapi.Cred, error) {
	name, err := gssapi.ImportName(service, gssapi.NTHostBased)
	if err != nil {
		return nil, err
	}
	var store gssapi.Store
	if keytab != "" {
		store = gssapi.Store{"keytab": keytab}
	}
	return gssapi.AcquireCred(ctx, name, gssapi.UsageAccept, &gssapi.CredOptions{Store: store})
}

type server struct {
	cred    *gssapi.Cred
	verbose bool
}

// serve talks to one client until it says goodbye.
func (s *server) serve(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	f, _, err := sample.Read(conn)
	if err != nil {
		return err
	}
	if !f.Has(sample.NOOP) {
		return fmt.Errorf("expected a NOOP token, got %v", f)
	}
	var sc *gssapi.SecContext // stays nil for a client that does not authenticate
	if f.Has(sample.ContextNext) {
		if sc, err = s.establish(ctx, conn); err != nil {
			return err
		}
		defer sc.Close()
	} else {
		fmt.Println("Accepted unauthenticated connection.")
	}
	for {
		f, token, err := sample.Read(conn)
		if err != nil {
			return err
		}
		if f.Has(sample.NOOP) {
			fmt.Println("NOOP token")
			return nil
		}
		if err := answer(conn, sc, f, token); err != nil {
			return err
		}
	}
}

// establish exchanges tokens with the client until both have a context.
func (s *server) establish(ctx context.Context, conn net.Conn) (*gssapi.SecContext, error) {
	sc, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: s.cred})
	if err != nil {
		return nil, err
	}
	send := func(token []byte) error { return sample.Write(conn, sample.Context, token) }
	recv := func() ([]byte, error) {
		f, token, err := sample.Read(conn)
		if err == nil && !f.Has(sample.Context) {
			err = fmt.Errorf("expected a token of the context, got %v", f)
		}
		return token, err
	}
	if err := gssapi.Exchange(ctx, sc, send, recv); err != nil {
		return nil, errors.Join(err, sc.Close())
	}
	// Who it is has been proved now; what they may do is up to the program.
	fmt.Printf("Accepted connection: %q\n", sc.Peer().String())
	if s.verbose {
		i := sc.Info()
		fmt.Printf("mechanism %v, flags %v, %s, expires %v\n", i.Mech, i.Flags, i.Enctype, sc.Expires())
	}
	return sc, nil
}

// answer takes one message and returns what the client asked for: the MIC of
// the message, or just a sign of life.
func answer(conn net.Conn, sc *gssapi.SecContext, f sample.Flags, msg []byte) error {
	if sc == nil && f&(sample.Wrapped|sample.Encrypted|sample.SendMIC) != 0 {
		return errors.New("unauthenticated client requested authenticated services")
	}
	if f.Has(sample.Wrapped) {
		plain, info, err := sc.Unwrap(nil, msg)
		if err != nil {
			return err
		}
		if f.Has(sample.Encrypted) && !info.Encrypted {
			return errors.New("the message was not encrypted")
		}
		msg = plain
	}
	fmt.Printf("Received message: %q\n", msg)
	if !f.Has(sample.SendMIC) {
		return sample.Write(conn, sample.NOOP, nil)
	}
	mic, err := sc.GetMIC(nil, msg)
	if err != nil {
		return err
	}
	return sample.Write(conn, sample.MIC, mic)
}
