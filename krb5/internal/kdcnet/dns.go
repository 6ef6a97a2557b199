package kdcnet

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// lookup asks DNS for a realm's servers: URI records, or else SRV records. Both
// are asked for at once, so that a realm that has only one kind does not wait for
// the other.
func (n *Network) lookup(ctx context.Context, r *Request) (servers []server, errs []error) {
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	var srv [2]struct {
		servers []server
		err     error
	}
	for i, network := range []string{"udp", "tcp"} {
		asking.Go(func() { srv[i].servers, srv[i].err = n.lookupSRV(ctx, r, network) })
	}
	if r.Config.Bool(true, "libdefaults", "dns_uri_lookup") {
		found, err := n.lookupURI(ctx, r)
		if err != nil {
			errs = append(errs, err)
		}
		if servers, errs = n.usable(found, errs); len(servers) > 0 {
			return servers, nil
		}
	}
	asking.Wait()
	for _, found := range srv {
		servers = append(servers, found.servers...)
		if found.err != nil {
			errs = append(errs, found.err)
		}
	}
	return servers[:min(len(servers), maxServers)], errs
}

// lookupSRV asks for the SRV records of one network (RFC 4120 §7.2.3.2), which
// come in the order of priority and weight.
func (n *Network) lookupSRV(ctx context.Context, r *Request, network string) (servers []server, err error) {
	name := map[Service]string{KDC: "kerberos", Primary: "kerberos-master", Password: "kpasswd"}[r.Service]
	_, records, err := n.resolver().LookupSRV(ctx, name, network, domain(r.Realm))
	var missing *net.DNSError
	if errors.As(err, &missing) && missing.IsNotFound {
		err = nil
	}
	for _, record := range records {
		host := strings.TrimSuffix(record.Target, ".")
		if host == "" || record.Port == 0 {
			continue // a single dot: decidedly not served
		}
		servers = append(servers, server{network, net.JoinHostPort(host, strconv.Itoa(int(record.Port)))})
	}
	return servers, err
}

// domain is the realm as a domain name. The dot keeps the resolver's search list
// out.
func domain(realm string) string { return strings.TrimSuffix(realm, ".") + "." }

func (n *Network) resolver() *net.Resolver {
	if n.Resolver != nil {
		return n.Resolver
	}
	return net.DefaultResolver
}

// lookupURI asks for URI records (draft-mccallum-kitten-krb-service-discovery),
// whose targets are krb5srv:FLAGS:TRANSPORT:RESIDUAL.
func (n *Network) lookupURI(ctx context.Context, r *Request) ([]server, error) {
	name, port := "_kerberos.", portKDC
	if r.Service == Password {
		name, port = "_kpasswd.", portPassword
	}
	records, err := n.queryURI(ctx, name+domain(r.Realm))
	if err != nil {
		return nil, err
	}
	inOrder(records)
	var servers []server
	for _, record := range records {
		s, primary, ok := parseTarget(record.target, port)
		if ok && (primary || r.Service != Primary) && len(servers) < maxServers {
			servers = append(servers, s)
		}
	}
	return servers, nil
}

// inOrder sorts records as RFC 7553 §5 and RFC 2782 have it: by priority, and
// among equals by chance, in proportion to weight.
func inOrder(records []uriRecord) {
	for i := range records {
		// The smallest of exponential variates, whose rates are the weights, is
		// each one's with the wanted probability.
		records[i].draw = rand.ExpFloat64() / (float64(records[i].weight) + 1e-6)
	}
	slices.SortStableFunc(records, func(a, b uriRecord) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.draw, b.draw))
	})
}

// parseTarget reads the target of a URI record. It is not an error if it is not
// for us: the scheme can grow.
func parseTarget(target string, port int) (s server, primary, ok bool) {
	fields := strings.SplitN(target, ":", 4)
	if len(fields) != 4 || !strings.EqualFold(fields[0], "krb5srv") {
		return server{}, false, false
	}
	primary = strings.ContainsAny(fields[1], "mM")
	residual := fields[3]
	switch strings.ToLower(fields[2]) {
	case "udp", "tcp":
		if strings.ContainsRune(residual, '/') {
			return server{}, false, false
		}
		entry, err := parseServer(residual, port, false)
		if err != nil {
			return server{}, false, false
		}
		return server{strings.ToLower(fields[2]), entry.addr}, primary, true
	case "kkdcp":
		return server{"https", residual}, primary, isProxy(residual)
	}
	return server{}, false, false
}

// others leaves out the server that has answered already, when a better one is
// wanted.
func (n *Network) others(ctx context.Context, servers []server, r *Request) ([]server, error) {
	if r.Avoid == "" || r.Service != Primary {
		return servers, nil
	}
	avoid := n.addresses(ctx, r.Avoid)
	servers = slices.DeleteFunc(servers, func(s server) bool {
		return slices.ContainsFunc(n.addresses(ctx, s.addr), func(a string) bool { return slices.Contains(avoid, a) })
	})
	if len(servers) == 0 {
		return nil, unreachable(krberr.RealmUnknown, r.Realm, errNoPrimary)
	}
	return servers, nil
}

// addresses returns an address and, if its host is a name, what the name stands
// for.
func (n *Network) addresses(ctx context.Context, addr string) []string {
	list := []string{strings.ToLower(addr)}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return list
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return list
	}
	// A name that cannot be resolved is compared as a name.
	ips, _ := n.resolver().LookupNetIP(ctx, "ip", host)
	for _, ip := range ips {
		list = append(list, net.JoinHostPort(ip.Unmap().String(), port))
	}
	return list
}
