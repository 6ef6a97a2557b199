package conf

import (
	"strings"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// Values that hold where the configuration says nothing.
const (
	defaultClockSkew = 300 * time.Second
	defaultUDPLimit  = 1465
	maxUDPLimit      = 32700
)

// DefaultRealm returns the realm of names that have none, "" if it is not set.
func (c *Config) DefaultRealm() string {
	r, _ := c.Get("libdefaults", "default_realm")
	return r
}

// ClockSkew returns how far clocks may be apart, 5 minutes if it is not set or
// negative.
func (c *Config) ClockSkew() time.Duration {
	d := c.Duration(defaultClockSkew, "libdefaults", "clockskew")
	if d < 0 {
		return defaultClockSkew
	}
	return d
}

// UDPPreferenceLimit returns the size in bytes above which a request to a KDC
// is sent over TCP first, 1465 if it is not set. 32700 is the most.
func (c *Config) UDPPreferenceLimit() int {
	n := c.Int(defaultUDPLimit, "libdefaults", "udp_preference_limit")
	if n < 0 {
		return defaultUDPLimit
	}
	return min(n, maxUDPLimit)
}

// Enctypes returns the list with the key in libdefaults: permitted_enctypes,
// default_tkt_enctypes or default_tgs_enctypes. The last two default to the
// first, and that to def, which "DEFAULT" in a list stands for too. The result
// is empty if a list has no type that is known.
func (c *Config) Enctypes(key string, def []etype.ID) []etype.ID {
	text, ok := c.Get("libdefaults", key)
	if !ok && key != "permitted_enctypes" {
		text, ok = c.Get("libdefaults", "permitted_enctypes")
	}
	if !ok {
		text = "DEFAULT"
	}
	return etype.ParseList(text, def)
}

// Allowed reports whether the configuration lets an encryption type be used at
// all. Triple-DES needs allow_des3 and RC4 needs allow_rc4 in libdefaults: that a
// list of types names them is not enough. All other types are allowed.
func (c *Config) Allowed(id etype.ID) bool {
	switch id {
	case etype.DES3SHA1:
		return c.Bool(false, "libdefaults", "allow_des3")
	case etype.RC4, etype.RC4Exp:
		return c.Bool(false, "libdefaults", "allow_rc4")
	}
	return true
}

// CanonicalizeHostname returns the policy for host names in service names,
// dns_canonicalize_hostname: "true" (ask DNS for the canonical name), "false"
// (take the name as it is), or "fallback" (first as it is; the default, where
// MIT's library has "true").
func (c *Config) CanonicalizeHostname() string {
	v, ok := c.Get("libdefaults", "dns_canonicalize_hostname")
	if !ok || strings.EqualFold(v, "fallback") {
		return "fallback"
	}
	if b, ok := parseBool(v); ok && !b {
		return "false"
	}
	return "true"
}
