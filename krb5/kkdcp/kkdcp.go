// Package kkdcp reaches KDCs through a proxy over HTTPS (MS-KKDCP), for clients
// that cannot reach a KDC directly.
//
// [NewNetwork] is for realms whose krb5.conf or DNS names proxies:
//
//	[realms]
//	    EXAMPLE.COM = {
//	        kdc = https://proxy.example.com/KdcProxy
//	        http_anchors = FILE:/etc/ssl/proxy-ca.pem
//	    }
//
//	mech := krb5.New(&krb5.Config{KDC: kkdcp.NewNetwork(nil)})
//
// A [Client] with a URL sends everything to one proxy.
package kkdcp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gss-go/gssapi/krb5"
)

// defaultTimeout ends an exchange whose context has no deadline.
const defaultTimeout = 20 * time.Second

// Client talks to KDC proxies. The zero Client is ready to use. It is safe for
// concurrent use; do not change a field while it is in use.
type Client struct {
	// URL is the proxy that [Client.Exchange] sends to, such as
	// "https://proxy.example.com/KdcProxy".
	URL string
	// Dial connects to a proxy's address, host:port, before TLS; network is
	// "tcp". It must give up when ctx does. nil is [net.Dialer.DialContext].
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLS is how proxies prove themselves; nil trusts the realm's http_anchors,
	// or else the system's roots. ServerName "" is the URL's host.
	TLS *tls.Config
	// Transport carries the HTTP requests instead, for a program that wants
	// connections to be kept or an HTTP proxy on the way; Dial and TLS do not
	// count then. nil makes a connection for each exchange, of which nothing is
	// left when the exchange returns.
	Transport http.RoundTripper
	// Getenv looks up what an ENV: entry of http_anchors names; nil is
	// os.Getenv.
	Getenv func(string) string
}

var _ krb5.Exchanger = (*Client)(nil)

// NewNetwork returns a Network that reaches proxies with c, and everything else
// as usual. A nil c is the zero Client. Fields of the Network can be set until it
// is first used.
func NewNetwork(c *Client) *krb5.Network {
	if c == nil {
		c = new(Client)
	}
	return &krb5.Network{HTTPS: c.Send}
}

// Exchange implements [krb5.Exchanger]: it sends the request to the Client's URL,
// for whatever realm it is. A proxy cannot be told to ask the primary KDC; it is
// asked for the password service as for any KDC. errors.Is finds
// krb5.ErrKDCUnreach when there is no reply.
func (c *Client) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	if r.Service == krb5.ServicePrimary {
		return nil, fmt.Errorf("%w: realm %q: the proxy chooses the KDC", krb5.ErrRealmUnknown, r.Realm)
	}
	reply, err := c.Send(ctx, c.URL, r)
	if err != nil {
		return nil, fmt.Errorf("%w: realm %q: %w", krb5.ErrKDCUnreach, r.Realm, err)
	}
	return reply, nil
}

// Send sends a request to the proxy at a URL, which must be an https one, and
// returns the reply, which is not trusted. Without a deadline in ctx it gives up
// after 20 seconds. It is what the field HTTPS of a [krb5.Network] wants.
func (c *Client) Send(ctx context.Context, proxy string, r *krb5.Request) ([]byte, error) {
	if len(r.Message) > maxMessage {
		return nil, fmt.Errorf("a request of %d bytes", len(r.Message))
	}
	u, err := url.Parse(proxy)
	if err != nil || !strings.EqualFold(u.Scheme, "https") || u.Hostname() == "" {
		return nil, errors.New("the proxy's address is not an https URL")
	}
	body, err := appendMessage(nil, r.Message, r.Realm)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	// MS-KKDCP §3.2.5.1.
	req.Header.Set("Content-Type", "application/kerberos")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("Pragma", "no-cache")
	req.Header.Set("User-Agent", "kerberos/1.0")
	transport := c.Transport
	if transport == nil {
		config, err := c.config(u.Hostname(), r)
		if err != nil {
			return nil, err
		}
		transport = &once{c.dial, config}
	}
	// Straight to the transport: no redirects, cookies or credentials.
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage+overhead+1))
	switch {
	case err != nil:
		return nil, err
	case len(answer) > maxMessage+overhead:
		return nil, fmt.Errorf("the proxy answers more than %d bytes", maxMessage+overhead)
	}
	message, _, err := parseMessage(answer)
	return message, err
}

// config is the TLS configuration for a proxy of the request's realm.
func (c *Client) config(host string, r *krb5.Request) (*tls.Config, error) {
	var config *tls.Config
	if c.TLS != nil {
		config = c.TLS.Clone()
	} else {
		getenv := c.Getenv
		if getenv == nil {
			getenv = os.Getenv
		}
		roots, err := anchors(r.Config.All("realms", r.Realm, "http_anchors"), getenv)
		if err != nil {
			return nil, err
		}
		config = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = []string{"http/1.1"}
	return config, nil
}

func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx, network, addr)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}
