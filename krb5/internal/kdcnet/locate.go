package kdcnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

const (
	// maxServers is how many servers of a realm are asked at most.
	maxServers = 32
	// maxURL is the longest URL of a proxy.
	maxURL = 2048
)

const (
	portKDC      = 88  // RFC 4120 §7.2.1
	portPassword = 464 // RFC 3244 §2
)

// server is where to ask.
type server struct {
	network string // "udp", "tcp", "" for either, "https" for a proxy
	addr    string // host:port, or the URL of a proxy
}

// locate returns the servers of r's realm that offer r's service: those of the
// configuration, in its order, or else those of DNS.
func (n *Network) locate(ctx context.Context, r *Request) ([]server, error) {
	if r.Service == Primary {
		// Nobody is to wait long to hear that a password is wrong.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, dnsTimeout, errTimeout)
		defer cancel()
	}
	servers, errs := configured(r.Config, r.Realm, r.Service)
	if servers, errs = n.usable(servers, errs); len(servers) > 0 {
		return n.others(ctx, servers, r)
	}
	if len(errs) > 0 {
		// The configuration names servers; DNS is not to overrule it.
		return nil, unreachable(krberr.KDCUnreach, r.Realm, errs...)
	}
	if r.Realm == "" || !r.Config.Bool(true, "libdefaults", "dns_lookup_kdc") {
		return nil, unreachable(krberr.RealmUnknown, r.Realm, errNothingToAsk)
	}
	servers, errs = n.lookup(ctx, r)
	if len(servers) > 0 {
		return n.others(ctx, servers, r)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, unreachable(krberr.KDCUnreach, r.Realm, append(errs, err)...)
	}
	return nil, unreachable(krberr.RealmUnknown, r.Realm, append(errs, errNothingToAsk)...)
}

// usable leaves out the proxies if there is nobody to talk to them.
func (n *Network) usable(servers []server, errs []error) ([]server, []error) {
	if n.HTTPS != nil {
		return servers, errs
	}
	return slices.DeleteFunc(servers, func(s server) bool {
		if s.network != "https" {
			return false
		}
		errs = append(errs, fmt.Errorf("server %q: %w", clip(s.addr), errNoProxies))
		return true
	}), errs
}

var (
	errNoProxies = errors.New("a proxy over HTTPS (MS-KKDCP) is reached with the package krb5/kkdcp only")
	errNoPrimary = errors.New("no other server of it is the primary one")
)

// configured reads the relations of a realm. Entries that cannot be used are
// errors, which count when there is no usable entry.
func configured(cfg *conf.Config, realm string, s Service) (servers []server, errs []error) {
	var entries []string
	port, movePort := portKDC, false
	switch s {
	case Password:
		port = portPassword
		if entries = cfg.Servers(realm, "kpasswd_server"); len(entries) == 0 {
			// The password service then runs beside kadmin, on its own port.
			entries, movePort = cfg.Servers(realm, "admin_server"), true
		}
	case Primary:
		entries = cfg.Servers(realm, "primary_kdc")
	default:
		entries = cfg.Servers(realm, "kdc")
	}
	for _, entry := range entries {
		srv, err := parseServer(entry, port, movePort)
		if err != nil {
			errs = append(errs, err)
		} else if len(servers) < maxServers {
			servers = append(servers, srv)
		}
	}
	return servers, errs
}

// isProxy reports whether text is the URL of a proxy.
func isProxy(text string) bool {
	u, err := url.Parse(text)
	return err == nil && strings.EqualFold(u.Scheme, "https") && u.Hostname() != "" && u.User == nil && len(text) <= maxURL
}

// parseServer reads an entry: host, host:port, [IPv6], [IPv6]:port or a bare
// IPv6 address, with "udp/" or "tcp/" in front where only one of them serves, or
// the URL of a proxy. movePort puts port in place of the entry's own.
func parseServer(entry string, port int, movePort bool) (server, error) {
	var s server
	text := strings.TrimSpace(entry)
	fail := func(why string) (server, error) {
		return server{}, fmt.Errorf("server %q: %s", clip(entry), why)
	}
	scheme := strings.ToLower(text)
	switch {
	case strings.HasPrefix(scheme, "https://"):
		if !isProxy(text) {
			return fail("not a URL")
		}
		return server{"https", text}, nil
	case strings.HasPrefix(scheme, "http://"), strings.HasPrefix(scheme, "http/"):
		return fail("HTTP is not supported")
	case strings.HasPrefix(scheme, "/"), strings.HasPrefix(scheme, "unix:"):
		return fail("local sockets are not supported")
	case strings.HasPrefix(scheme, "udp/"), strings.HasPrefix(scheme, "tcp/"):
		s.network, text = scheme[:3], text[4:]
	}
	host, portText := text, ""
	if ip, err := netip.ParseAddr(text); err == nil {
		host = ip.String()
	} else if inner, rest, ok := strings.Cut(strings.TrimPrefix(text, "["), "]"); ok && strings.HasPrefix(text, "[") {
		ip, err := netip.ParseAddr(inner)
		if err != nil || rest != "" && (rest[0] != ':' || rest == ":") {
			return fail("not an address in brackets")
		}
		host, portText = ip.String(), strings.TrimPrefix(rest, ":")
	} else if before, after, ok := strings.Cut(text, ":"); ok {
		if after == "" {
			return fail("no port after the colon")
		}
		host, portText = before, after
	}
	if host == "" || strings.ContainsAny(host, " \t/[]") || len(host) > 255 {
		return fail("not a host")
	}
	if portText != "" {
		p, err := strconv.ParseUint(portText, 10, 16)
		if err != nil || p == 0 {
			return fail("not a port")
		}
		if !movePort {
			port = int(p)
		}
	}
	s.addr = net.JoinHostPort(host, strconv.Itoa(port))
	return s, nil
}

// clip bounds what an error quotes.
func clip(s string) string {
	if len(s) > 128 {
		return s[:128] + "..."
	}
	return s
}
