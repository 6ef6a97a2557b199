// Command httpserver is a web server that greets its visitors by the names that
// they have authenticated.
//
//	httpserver [options]
//
// It takes the key of HTTP/host, from a keytab that the KDC's administrator
// makes:
//
//	kadmin: addprinc -randkey HTTP/web.example.com
//	kadmin: ktadd -k http.keytab HTTP/web.example.com
//	httpserver -keytab http.keytab -listen :8080
//
// Then, with a ticket: curl --negotiate -u : http://web.example.com:8080/. A
// browser has to be told which servers to authenticate to: Firefox by
// network.negotiate-auth.trusted-uris in about:config, Chromium by the policy
// AuthServerAllowlist or chromium --auth-server-allowlist=web.example.com.
//
// With -cert and -key it serves https, and checks the channel bindings that
// clients send.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("httpserver: ")
	auth := &negotiate.Server{}
	listen := flag.String("listen", "127.0.0.1:8080", "`address` to listen on")
	keytab := flag.String("keytab", "", "`file` with the keys of HTTP/host; default: the machine's keytab")
	cert := flag.String("cert", "", "`file` of the certificate, for https")
	key := flag.String("key", "", "`file` of its key")
	verbose := flag.Bool("v", false, "say what is going on")
	flag.BoolVar(&auth.ConnectionBound, "connection", false, "authenticate connections instead of requests")
	flag.Func("realm", "`realm` that visitors may come from; may be given several times", func(s string) error {
		auth.Realms = append(auth.Realms, s)
		return nil
	})
	flag.Func("bindings", "`policy` for channel bindings: sent, required or never", func(s string) error {
		policies := map[string]negotiate.BindingPolicy{
			"sent": negotiate.BindWhenSent, "required": negotiate.BindRequired, "never": negotiate.BindNever,
		}
		p, ok := policies[s]
		if !ok {
			return errors.New("neither sent nor required nor never")
		}
		auth.Bindings = p
		return nil
	})
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if *verbose {
		auth.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if *keytab != "" {
		var err error
		if auth.Cred, err = acquire(*keytab); err != nil {
			log.Fatal(err)
		}
	}
	if err := serve(auth, *listen, *cert, *key); err != nil {
		log.Fatal(err)
	}
}

// acquire returns the right to accept in the name of the web server, and of no
// other service that the keytab may have keys of.
func acquire(keytab string) (*gssapi.Cred, error) {
	return gssapi.AcquireCred(context.Background(), gssapi.HostBased("HTTP", ""), gssapi.UsageAccept,
		&gssapi.CredOptions{Store: gssapi.Store{"keytab": keytab}})
}

func serve(auth *negotiate.Server, addr, cert, key string) error {
	srv := &http.Server{
		Handler:           auth.Handler(http.HandlerFunc(greet)),
		ConnContext:       auth.ConnContext,
		ReadHeaderTimeout: 10 * time.Second,
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	if cert == "" {
		fmt.Printf("http://%s\n", l.Addr())
		return srv.Serve(l)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	srv.TLSConfig = auth.TLSConfig(&tls.Config{Certificates: []tls.Certificate{pair}})
	fmt.Printf("https://%s\n", l.Addr())
	return srv.ServeTLS(l, "", "")
}

// greet says who is asking. What they may do would be decided by peer.Name.Key.
func greet(w http.ResponseWriter, r *http.Request) {
	peer, _ := negotiate.PeerFrom(r.Context())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "hello, %s\nmechanism %v, flags %v\n", peer.Name, peer.Mech, peer.Flags)
	if peer.Delegated != nil {
		fmt.Fprintf(w, "delegated: %v\n", peer.Delegated)
	}
}
