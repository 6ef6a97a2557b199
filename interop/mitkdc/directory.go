package mitkdc

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"
)

// directory is a running slapd with a realm's principals, which can do what
// MIT's own database cannot: aliases and constrained delegation. It listens on a
// Unix socket in the realm's directory.
type directory struct {
	r    *Realm
	stop func()
}

const (
	suffix    = "dc=realm,dc=test"
	container = "cn=krb," + suffix
	admin     = "cn=admin," + suffix
	adminPW   = "admin-of-directory"
	schema    = "/usr/share/doc/krb5-kdc-ldap/kerberos.schema.gz"
)

func ldapURI(dir string) string { return "ldapi://" + url.QueryEscape(dir+"/ldapi") }

func ldapModule(dir string) string {
	return fmt.Sprintf(`[dbmodules]
    ldap = {
        db_library = kldap
        ldap_kerberos_container_dn = %[1]s
        ldap_kdc_dn = %[2]s
        ldap_kadmind_dn = %[2]s
        ldap_service_password_file = %[3]s/ldap.stash
        ldap_servers = %[4]s
    }
`, container, admin, dir, ldapURI(dir))
}

// startDirectory starts slapd and creates the realm in it.
func startDirectory(r *Realm) (*directory, error) {
	d := &directory{r: r, stop: func() {}}
	if err := d.start(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *directory) start() error {
	r := d.r
	if err := d.writeSchema(); err != nil {
		return err
	}
	if err := os.Mkdir(r.File("slapd"), 0o700); err != nil {
		return err
	}
	conf := fmt.Sprintf(`include /etc/ldap/schema/core.schema
include %[1]s
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[2]s
database mdb
suffix %[3]s
rootdn %[4]s
rootpw %[5]s
directory %[6]s
index krbPrincipalName eq
`, r.File("kerberos.schema"), r.File("slapd.pid"), suffix, admin, adminPW, r.File("slapd"))
	if err := os.WriteFile(r.File("slapd.conf"), []byte(conf), 0o600); err != nil {
		return err
	}
	root := fmt.Sprintf("dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: realm\ndc: realm\n", suffix)
	if _, err := r.Run(root, "slapadd", "-f", r.File("slapd.conf")); err != nil {
		return err
	}
	uri := ldapURI(r.Dir)
	slapd, err := r.Command("slapd", "-d", "0", "-f", r.File("slapd.conf"), "-h", uri)
	if err != nil {
		return err
	}
	if d.stop, err = start(slapd); err != nil {
		d.stop = func() {}
		return err
	}
	for range 100 {
		if _, err = r.Run("", "ldapsearch", "-x", "-H", uri, "-b", suffix, "-s", "base", "dn"); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	if _, err := r.Run(adminPW+"\n"+adminPW+"\n", "kdb5_ldap_util", "-D", admin, "-w", adminPW, "-H", uri,
		"stashsrvpw", "-f", r.File("ldap.stash"), admin); err != nil {
		return err
	}
	_, err = r.Run("", "kdb5_ldap_util", "-D", admin, "-w", adminPW, "-H", uri,
		"create", "-subtrees", suffix, "-r", r.Name, "-s", "-P", "master")
	return err
}

// writeSchema unpacks the schema that Debian's package has among its documents.
func (d *directory) writeSchema() error {
	f, err := os.Open(schema)
	if err != nil {
		return fmt.Errorf("%w (Debian: apt-get install krb5-kdc-ldap)", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return err
	}
	return os.WriteFile(d.r.File("kerberos.schema"), text, 0o600)
}

// describe adds what kadmin cannot say of principals.
func (d *directory) describe(principals []Principal) error {
	if d == nil {
		return nil
	}
	var ldif strings.Builder
	for _, p := range principals {
		full := p.Name + "@" + d.r.Name
		dn := fmt.Sprintf("dn: krbPrincipalName=%s,cn=%s,%s\nchangetype: modify\n", full, d.r.Name, container)
		if len(p.DelegateTo) > 0 {
			ldif.WriteString(dn + "add: krbAllowedToDelegateTo\n")
			for _, to := range p.DelegateTo {
				fmt.Fprintf(&ldif, "krbAllowedToDelegateTo: %s\n", to)
			}
			ldif.WriteString("\n")
		}
		if len(p.Aliases) > 0 {
			ldif.WriteString(dn + "add: krbPrincipalName\n")
			for _, a := range p.Aliases {
				fmt.Fprintf(&ldif, "krbPrincipalName: %s@%s\n", a, d.r.Name)
			}
			fmt.Fprintf(&ldif, "-\nadd: krbCanonicalName\nkrbCanonicalName: %s\n\n", full)
		}
	}
	_, err := d.r.Run(ldif.String(), "ldapmodify", "-x", "-D", admin, "-w", adminPW, "-H", ldapURI(d.r.Dir))
	return err
}

func (d *directory) close() {
	if d != nil {
		d.stop()
	}
}
