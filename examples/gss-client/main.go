// Command gss-client establishes a security context with a server and sends it
// messages. It speaks the protocol of MIT's sample program of the same name, and
// can be used with its gss-server or with the one beside this folder.
//
//	gss-client [options] HOST SERVICE@HOST MESSAGE
//
// It uses the tickets that kinit has got. Its options are those of MIT's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/examples/internal/sample"
	"github.com/gss-go/gssapi/oid"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gss-client: ")
	port := flag.Int("port", 4444, "TCP `port` of the server")
	mechanism := flag.String("mech", "krb5", "`mechanism`: a name such as krb5, or an object identifier")
	deleg := flag.Bool("d", false, "delegate the credential to the server")
	seq := flag.Bool("seq", false, "detect messages out of sequence")
	noreplay := flag.Bool("noreplay", false, "do not detect replayed messages")
	nomutual := flag.Bool("nomutual", false, "do not authenticate the server")
	file := flag.Bool("f", false, "MESSAGE is the name of a file with the message")
	quiet := flag.Bool("q", false, "print errors only")
	ccount := flag.Int("ccount", 1, "`number` of connections to make")
	mcount := flag.Int("mcount", 1, "`number` of messages to send over each")
	na := flag.Bool("na", false, "do not authenticate")
	nw := flag.Bool("nw", false, "do not wrap messages")
	nx := flag.Bool("nx", false, "do not encrypt messages")
	nm := flag.Bool("nm", false, "do not ask for a MIC")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: gss-client [options] HOST SERVICE[@HOST] MESSAGE")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 3 {
		flag.Usage()
		os.Exit(2)
	}

	c := &client{
		addr: net.JoinHostPort(flag.Arg(0), strconv.Itoa(*port)), service: flag.Arg(1),
		auth: !*na, wrap: !*na && !*nw, encrypt: !*na && !*nx, mic: !*na && !*nm,
		messages: *mcount, quiet: *quiet,
	}
	// A context has replay and sequence detection and mutual authentication
	// unless they are left out by name.
	for flag, omit := range map[gssapi.Flags]bool{
		gssapi.FlagSequence: !*seq, gssapi.FlagReplay: *noreplay, gssapi.FlagMutual: *nomutual,
	} {
		if omit {
			c.options.Omit |= flag
		}
	}
	if *deleg {
		c.options.Flags = gssapi.FlagDeleg
	}
	var err error
	if c.options.Mech, err = mechOID(*mechanism); err != nil {
		log.Fatal(err)
	}
	c.message = []byte(flag.Arg(2))
	if *file {
		if c.message, err = os.ReadFile(flag.Arg(2)); err != nil {
			log.Fatal(err)
		}
	}
	for range *ccount {
		if err := c.call(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
}

// mechOID returns the mechanism with a short name or a dotted identifier.
func mechOID(s string) (gssapi.OID, error) {
	for _, id := range gssapi.Mechs() {
		if i, err := gssapi.MechInfo(id); err == nil && i.Name == s {
			return id, nil
		}
	}
	return oid.Parse(s)
}

type client struct {
	addr, service            string
	options                  gssapi.InitOptions
	auth, wrap, encrypt, mic bool
	message                  []byte
	messages                 int
	quiet                    bool
}

func (c *client) printf(format string, args ...any) {
	if !c.quiet {
		fmt.Printf(format, args...)
	}
}

// call makes one connection and sends the messages over it.
func (c *client) call(ctx context.Context) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	var sc *gssapi.SecContext
	if c.auth {
		if sc, err = c.establish(ctx, conn); err != nil {
			return err
		}
		defer sc.Close()
	} else if err := sample.Write(conn, sample.NOOP, nil); err != nil {
		return err
	}
	for range c.messages {
		if err := c.send(conn, sc); err != nil {
			return err
		}
	}
	return sample.Write(conn, sample.NOOP, nil)
}

// establish exchanges tokens with the server until both have a context.
func (c *client) establish(ctx context.Context, conn net.Conn) (*gssapi.SecContext, error) {
	target, err := gssapi.ImportName(c.service, gssapi.NTHostBased)
	if err != nil {
		return nil, err
	}
	sc, err := gssapi.InitContext(target, &c.options)
	if err != nil {
		return nil, err
	}
	if err := sample.Write(conn, sample.NOOP|sample.ContextNext, nil); err != nil {
		return nil, errors.Join(err, sc.Close())
	}
	send := func(token []byte) error { return sample.Write(conn, sample.Context, token) }
	recv := func() ([]byte, error) {
		_, token, err := sample.Read(conn)
		return token, err
	}
	if err := gssapi.Exchange(ctx, sc, send, recv); err != nil {
		return nil, errors.Join(err, sc.Close())
	}
	i := sc.Info()
	c.printf("%q to %q, flags %v, %s, lifetime %d\n", i.Initiator, i.Target, i.Flags, i.Enctype,
		int(time.Until(sc.Expires()).Seconds()))
	return sc, nil
}

// send sends the message once and takes the answer, which is a MIC of the
// message if one was asked for: the server's word on what it has received.
func (c *client) send(conn net.Conn, sc *gssapi.SecContext) error {
	token, f := c.message, sample.Data
	if c.wrap {
		var err error
		if token, err = sc.Wrap(nil, token, &gssapi.WrapOptions{IntegrityOnly: !c.encrypt}); err != nil {
			return err
		}
		f |= sample.Wrapped
	}
	if c.encrypt {
		f |= sample.Encrypted
	}
	if c.mic {
		f |= sample.SendMIC
	}
	if err := sample.Write(conn, f, token); err != nil {
		return err
	}
	_, answer, err := sample.Read(conn)
	if err != nil {
		return err
	}
	if !c.mic {
		c.printf("Response received.\n")
		return nil
	}
	if err := sc.VerifyMIC(c.message, answer); err != nil {
		return err
	}
	c.printf("Signature verified.\n")
	return nil
}
