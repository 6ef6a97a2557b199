package testenv

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
)

// Config returns a krb5.conf for this realm: no DNS, no canonicalization of
// host names, the KDC's address if it has one. Names in the domain that is the
// realm in lower case belong to the realm.
func (k *KDC) Config() string { return k.config("") }

// WriteFiles writes what programs outside need into the directory, which must
// exist: krb5.conf, krb5.keytab with the keys of all services and client.keytab
// with those of all users. The krb5.conf makes these keytabs, and a credential
// cache ccache beside them, the default ones, so that KRB5_CONFIG is all that a
// program has to be told.
func (k *KDC) WriteFiles(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("testenv: %w", err)
	}
	defaults := fmt.Sprintf("\tdefault_keytab_name = FILE:%s\n\tdefault_client_keytab_name = FILE:%s\n\tdefault_ccache_name = FILE:%s\n",
		filepath.Join(dir, "krb5.keytab"), filepath.Join(dir, "client.keytab"), filepath.Join(dir, "ccache"))
	for name, data := range map[string][]byte{
		"krb5.conf":     []byte(k.config(defaults)),
		"krb5.keytab":   k.keytab(k.entries(false)...),
		"client.keytab": k.keytab(k.entries(true)...),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("testenv: %w", err)
		}
	}
	return nil
}

// config is krb5.conf with further lines for libdefaults.
func (k *KDC) config(defaults string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[libdefaults]\n\tdefault_realm = %s\n", k.realm)
	b.WriteString("\tdns_lookup_kdc = false\n\tdns_lookup_realm = false\n\tdns_canonicalize_hostname = false\n\trdns = false\n")
	if !slices.Equal(k.enctypes, defaultEnctypes) {
		var names []string
		for _, id := range k.enctypes {
			names = append(names, profiles[id].name)
		}
		fmt.Fprintf(&b, "\tpermitted_enctypes = %s\n", strings.Join(names, " "))
	}
	for _, id := range k.enctypes {
		if weak := profiles[id].weak; weak != "" {
			fmt.Fprintf(&b, "\t%s = true\n", weak)
		}
	}
	b.WriteString(defaults)
	fmt.Fprintf(&b, "\n[realms]\n\t%s = {\n", k.realm)
	if addr := k.Addr(); addr != "" {
		fmt.Fprintf(&b, "\t\tkdc = %s\n", addr)
	}
	b.WriteString("\t}\n")
	for _, o := range k.reachable() {
		fmt.Fprintf(&b, "\t%s = {\n", o.realm)
		if addr := o.Addr(); addr != "" {
			fmt.Fprintf(&b, "\t\tkdc = %s\n", addr)
		}
		b.WriteString("\t}\n")
	}
	domain := strings.ToLower(k.realm)
	fmt.Fprintf(&b, "\n[domain_realm]\n\t.%s = %s\n\t%s = %s\n", domain, k.realm, domain, k.realm)
	return b.String()
}

// keytab returns a keytab, version 0x0502, with every key of the entries, the
// newest first.
func (k *KDC) keytab(entries ...*entry) []byte {
	b := []byte{5, 2}
	counted := func(r []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint16(r, uint16(len(s))), s...)
	}
	for _, e := range entries {
		for _, set := range slices.Backward(e.sets) {
			for _, id := range set.etypes {
				key, ok := set.key(id)
				if !ok {
					continue
				}
				r := binary.BigEndian.AppendUint16(nil, uint16(len(e.name)))
				r = counted(r, k.realm)
				for _, part := range e.name {
					r = counted(r, part)
				}
				r = binary.BigEndian.AppendUint32(r, uint32(nametype.KRB_NT_PRINCIPAL))
				r = binary.BigEndian.AppendUint32(r, uint32(k.now().Unix()))
				r = append(r, byte(set.kvno))
				r = binary.BigEndian.AppendUint16(r, uint16(id))
				r = counted(r, string(key.KeyValue))
				r = binary.BigEndian.AppendUint32(r, uint32(set.kvno))
				b = binary.BigEndian.AppendUint32(b, uint32(len(r)))
				b = append(b, r...)
			}
		}
	}
	return b
}
