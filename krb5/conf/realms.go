package conf

import (
	"net/netip"
	"strings"
)

// maxHost is the longest host name that can be (RFC 1035 §2.3.4).
const maxHost = 255

// RealmOf returns the realm that domain_realm gives a host, and whether it gives
// one. It looks for the host's own name, and then for each parent domain with
// and without the leading dot, the longest first, as MIT does. Names are
// compared in lower case; IP addresses have no realm.
func (c *Config) RealmOf(host string) (string, bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "" || len(host) > maxHost {
		return "", false
	}
	for {
		if realm, ok := c.Get("domain_realm", host); ok {
			return realm, true
		}
		if after, ok := strings.CutPrefix(host, "."); ok {
			host = after
			continue
		}
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return "", false
		}
		host = host[dot:]
	}
}

// Servers returns the servers of a realm in the order of the files, as they are
// written: "host", "host:port", "[address]:port", "https://host/path". The key
// is "kdc", "primary_kdc", "admin_server" or "kpasswd_server"; "primary_kdc"
// and its old name "master_kdc" are the same. Empty values are left out.
func (c *Config) Servers(realm, key string) []string {
	values := c.values([]string{"realms", realm, key})
	if key == "primary_kdc" || key == "master_kdc" {
		values = c.values([]string{"realms", realm, "primary_kdc"})
		if len(values) == 0 {
			values = c.values([]string{"realms", realm, "master_kdc"})
		}
	}
	var servers []string
	for _, v := range values {
		// What follows a space is not part of it.
		if words := strings.Fields(v); len(words) > 0 {
			servers = append(servers, words[0])
		}
	}
	return servers
}
