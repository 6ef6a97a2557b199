// Command httpclient fetches a page from a web server that wants to know who is
// asking, as curl --negotiate does, with the tickets that kinit left.
//
//	kinit alice
//	httpclient [options] URL
//
// It prints the page. A server that does not prove who it is, in return, is an
// error: -mutual optional is for those that cannot.
//
//	httpclient https://intranet.example.com/
//	httpclient -v -d 'hello' https://intranet.example.com/form
//	httpclient -preemptive -target HTTP@web.example.com https://127.0.0.1:8443/
//	httpclient -proxy http://proxy.example.com:3128 https://www.example.org/
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/krb5"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("httpclient: ")
	t := &negotiate.Transport{}
	base := http.DefaultTransport.(*http.Transport).Clone()
	t.Base = base
	// Over a proxy that has to be authenticated to, https needs these two.
	base.GetProxyConnectHeader = t.ProxyConnectHeader
	base.OnProxyConnectResponse = t.ProxyConnectResponse

	method := flag.String("X", "", "request `method`, GET or with data POST")
	data := flag.String("d", "", "`text` to send as the request's body")
	include := flag.Bool("i", false, "print the response's header too")
	verbose := flag.Bool("v", false, "say what is going on")
	flag.BoolVar(&t.Preemptive, "preemptive", false, "authenticate without waiting for a challenge")
	flag.BoolVar(&t.NoBindings, "nobindings", false, "do not bind the authentication to the TLS connection")
	flag.BoolVar(&t.KeepErrorBody, "keep", false, "show errors of servers that do not authenticate themselves")
	flag.Func("mutual", "`policy` towards servers: required, optional or disabled", func(s string) error {
		for _, p := range []negotiate.Policy{negotiate.Required, negotiate.Optional, negotiate.Disabled} {
			if p.String() == s {
				t.Mutual = p
				return nil
			}
		}
		return errors.New("neither required nor optional nor disabled")
	})
	flag.BoolFunc("delegate", "hand the user's tickets on to the server", func(string) error {
		t.Delegate = func(*http.Request) bool { return true }
		return nil
	})
	flag.Func("target", "`service@host` to authenticate to, HTTP@ and the URL's host unless given", func(s string) error {
		name, err := gssapi.ImportName(s, gssapi.NTHostBased)
		t.TargetName = func(*http.Request) (gssapi.Name, error) { return name, err }
		return err
	})
	flag.BoolFunc("raw", "Kerberos tokens without negotiation", func(string) error {
		var err error
		t.Registry, err = gssapi.NewRegistry(krb5.New(nil))
		return err
	})
	flag.Func("proxy", "`URL` of a proxy; default: as the environment says", func(s string) error {
		u, err := url.Parse(s)
		base.Proxy = http.ProxyURL(u)
		return err
	})
	flag.Func("cacert", "`file` of certificates to trust", func(file string) error {
		pem, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return errors.New("no certificate in it")
		}
		base.TLSClientConfig = &tls.Config{RootCAs: pool}
		return nil
	})
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: httpclient [options] URL")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *verbose {
		t.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	req, err := request(*method, flag.Arg(0), *data)
	if err != nil {
		log.Fatal(err)
	}
	if err := fetch(os.Stdout, &http.Client{Transport: t}, req, *include); err != nil {
		log.Fatal(err)
	}
}

func request(method, url, data string) (*http.Request, error) {
	switch {
	case method != "":
	case data != "":
		method = http.MethodPost
	default:
		method = http.MethodGet
	}
	var body io.Reader
	if data != "" {
		body = strings.NewReader(data)
	}
	return http.NewRequest(method, url, body)
}

// fetch prints the page. A status that is no success is an error too.
func fetch(w io.Writer, c *http.Client, req *http.Request, include bool) error {
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if include {
		fmt.Fprintf(w, "%s %s\n", resp.Proto, resp.Status)
		if err := resp.Header.Write(w); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return err
	}
	switch {
	case resp.StatusCode < 400:
		return nil
	case negotiate.Failure(resp) != nil:
		return fmt.Errorf("%s: %w", resp.Status, negotiate.Failure(resp))
	}
	return errors.New(resp.Status)
}
