// Package negotiate authenticates HTTP requests with the GSS-API: the scheme
// Negotiate of RFC 4559, which is Kerberos for browsers, curl and most
// companies' web servers.
//
// # Client
//
// [Transport] is an http.RoundTripper. Its zero value answers challenges with
// the user's tickets and insists on an answer that proves who the server is:
//
//	c := &http.Client{Transport: &negotiate.Transport{}}
//	resp, err := c.Get("https://intranet.example.com/")
//
// # Server
//
// [Server] is middleware. Its zero value accepts with the keys of HTTP/host that
// the default keytab has, and [PeerFrom] tells a handler who is asking:
//
//	auth := &negotiate.Server{}
//	srv := &http.Server{ConnContext: auth.ConnContext, Handler: auth.Handler(app)}
//
// # What it protects
//
// The scheme authenticates, and does nothing else: neither requests nor
// responses are encrypted or signed by it. Use it over TLS. Channel bindings then
// tie an authentication to the server's certificate, so that it is of no use to
// someone who relays it; see [Transport.NoBindings] and [Server.Bindings].
//
// Debug records of the loggers say what was decided and why. They hold names,
// flags and sizes, and never a token.
package negotiate
