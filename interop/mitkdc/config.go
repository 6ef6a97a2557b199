package mitkdc

import (
	"fmt"
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

// Enctypes returns all encryption types of the realm.
func Enctypes() []string {
	return []string{AES128SHA1, AES256SHA1, AES128SHA2, AES256SHA2}
}

// clientConf is a krb5.conf that permits the enctypes and knows one realm.
func clientConf(realm, addr string, enctypes []string) string {
	list := strings.Join(enctypes, " ")
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
[realms]
    %[1]s = {
        kdc = %[2]s
    }
[domain_realm]
    localhost = %[1]s
`, realm, addr, list)
}

// kdcConf is the KDC's own configuration.
func kdcConf(realm, addr, dir string) string {
	keys := strings.Join(Enctypes(), ":normal ") + ":normal"
	return fmt.Sprintf(`[kdcdefaults]
    kdc_listen = %[2]s
    kdc_tcp_listen = %[2]s
[realms]
    %[1]s = {
        database_name = %[3]s/db/principal
        key_stash_file = %[3]s/db/stash
        acl_file = %[3]s/db/kadm5.acl
        max_life = 10h
        max_renewable_life = 7d
        default_principal_flags = +preauth
        master_key_type = %[4]s
        supported_enctypes = %[5]s
    }
[logging]
    kdc = FILE:%[3]s/kdc.log
    default = FILE:%[3]s/kdc.log
`, realm, addr, dir, AES256SHA1, keys)
}
