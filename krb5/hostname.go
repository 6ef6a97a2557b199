package krb5

import (
	"context"
	"net"
	"os"
	"strings"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// CanonPolicy says whether the host of a service is looked up in DNS, to
// replace an alias by the name that the KDC knows (RFC 4120 §1.3 warns: who
// can forge DNS answers then chooses the service).
type CanonPolicy uint8

const (
	// CanonConfig follows dns_canonicalize_hostname; where the configuration
	// does not set it, it is CanonFallback.
	CanonConfig CanonPolicy = iota
	// CanonOff takes the host as it is written.
	CanonOff
	// CanonOn always asks DNS.
	CanonOn
	// CanonFallback asks DNS only if the KDC does not know the service under
	// the name as it is written.
	CanonFallback
)

func (m *Mechanism) canon(c *conf.Config) CanonPolicy {
	if m.c.Canonicalize != CanonConfig {
		return m.c.Canonicalize
	}
	switch c.CanonicalizeHostname() {
	case "true":
		return CanonOn
	case "false":
		return CanonOff
	}
	return CanonFallback
}

// canonicalHost returns the host of a service as the policy wants it: what DNS
// calls it, or else as it is written. No host is the local one.
func (n *name) canonicalHost(ctx context.Context, c *conf.Config) (string, error) {
	host := n.host
	if host == "" {
		var err error
		if host, err = os.Hostname(); err != nil || host == "" {
			return "", krberr.GSSNoHostname
		}
	}
	host = hostname(host)
	if n.m.canon(c) == CanonOn {
		host = lookupHost(ctx, host)
	}
	return host, nil
}

// serviceOn returns the principal of the service on a host. Its realm is what the
// configuration says or, if dns_lookup_realm allows for that, DNS; otherwise it
// is "", and for the KDC to find out.
func (n *name) serviceOn(ctx context.Context, host string, c *conf.Config) principal.Name {
	realm, ok := c.RealmOf(host)
	if !ok && c.Bool(false, "libdefaults", "dns_lookup_realm") {
		realm = realmFromDNS(ctx, host)
	}
	return principal.Name{Type: principal.TypeSrvHst, Realm: realm, Components: []string{n.service, host}}
}

// fallback returns another principal to try when the KDC does not know p, as
// [CanonFallback] says.
func (n *name) fallback(ctx context.Context, c *conf.Config, p principal.Name) (principal.Name, bool) {
	if n.kind != kindHost || n.m.canon(c) != CanonFallback {
		return principal.Name{}, false
	}
	other := n.serviceOn(ctx, lookupHost(ctx, p.Components[1]), c)
	return other, !other.SameName(p)
}

// realmFromDNS returns the realm of a host as a TXT record of _kerberos at the
// host's name or a domain above it says, "" if there is none. Top-level domains
// are not asked.
func realmFromDNS(ctx context.Context, host string) string {
	if net.ParseIP(host) != nil {
		return ""
	}
	for name := host; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		records, err := net.DefaultResolver.LookupTXT(ctx, "_kerberos."+name+".")
		if err != nil || len(records) == 0 {
			continue
		}
		if realm := strings.TrimSuffix(records[0], "."); realm != "" && !strings.ContainsRune(realm, 0) {
			return realm
		}
	}
	return ""
}

// hostname returns a host in the form that principals have: lower case, without
// the final dot of an absolute name.
func hostname(h string) string { return strings.ToLower(strings.TrimSuffix(h, ".")) }

// lookupHost returns what DNS says the host is called, or host if DNS says
// nothing.
func lookupHost(ctx context.Context, host string) string {
	if net.ParseIP(host) != nil || host == "localhost" {
		return host
	}
	real, err := net.DefaultResolver.LookupCNAME(ctx, host)
	if err != nil || real == "" {
		return host
	}
	return hostname(real)
}
