package mitkdc

import (
	"fmt"
	"slices"
	"strings"
)

// The encryption types of the realm, by the names that MIT and RFC 3962 and
// RFC 8009 give them.
const (
	AES128SHA1 = "aes128-cts-hmac-sha1-96"
	AES256SHA1 = "aes256-cts-hmac-sha1-96"
	AES128SHA2 = "aes128-cts-hmac-sha256-128"
	AES256SHA2 = "aes256-cts-hmac-sha384-192"
)

// Encryption types that a realm has only if [Options] ask for them.
const (
	DES3        = "des3-cbc-sha1"
	RC4         = "arcfour-hmac"
	Camellia128 = "camellia128-cts-cmac"
	Camellia256 = "camellia256-cts-cmac"
)

// Enctypes returns all encryption types of a realm without options.
func Enctypes() []string {
	return []string{AES128SHA1, AES256SHA1, AES128SHA2, AES256SHA2}
}

// clientConf is a krb5.conf that permits the enctypes and knows a realm and those
// that it trusts.
func clientConf(realm, addr string, enctypes []string, trusted []*Realm) string {
	list := strings.Join(enctypes, " ")
	allow := ""
	if slices.Contains(enctypes, DES3) {
		allow += "    allow_des3 = true\n"
	}
	if slices.Contains(enctypes, RC4) {
		allow += "    allow_rc4 = true\n"
	}
	var others strings.Builder
	for _, o := range trusted {
		fmt.Fprintf(&others, "    %s = {\n        kdc = %s\n    }\n", o.Name, o.Addr)
	}
	return fmt.Sprintf(`[libdefaults]
    default_realm = %[1]s
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    qualify_shortname = ""
    forwardable = true
    permitted_enctypes = %[3]s
    default_tkt_enctypes = %[3]s
    default_tgs_enctypes = %[3]s
%[5]s[realms]
    %[1]s = {
        kdc = %[2]s
    }
%[4]s[domain_realm]
    localhost = %[1]s
`, realm, addr, list, others.String(), allow)
}

// kdcConf is the KDC's own configuration.
func kdcConf(realm, addr, dir string, o *Options) string {
	database := fmt.Sprintf("database_name = %s/db/principal", dir)
	module := ""
	if o.Directory {
		database = "database_module = ldap"
		module = ldapModule(dir)
	}
	var hosts strings.Builder
	for host, realm := range o.Hosts {
		fmt.Fprintf(&hosts, "    %s = %s\n", host, realm)
	}
	keys := strings.Join(o.enctypes(), ":normal ") + ":normal"
	return fmt.Sprintf(`[kdcdefaults]
    kdc_listen = %[2]s
    kdc_tcp_listen = %[2]s
[realms]
    %[1]s = {
        %[6]s
        key_stash_file = %[3]s/db/stash
        acl_file = %[3]s/db/kadm5.acl
        max_life = 10h
        max_renewable_life = 7d
        default_principal_flags = +preauth
        master_key_type = %[4]s
        supported_enctypes = %[5]s
%[9]s    }
[logging]
    kdc = FILE:%[3]s/kdc.log
    default = FILE:%[3]s/kdc.log
[domain_realm]
%[7]s%[8]s%[10]s`, realm, addr, dir, AES256SHA1, keys, database, hosts.String(), module, o.Realm, o.Sections)
}
