package interop

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
)

const heimdalRealm = "HEIM.TEST"

const errPadataTypeNosupp krb5.Code = -1765328384 + 16

// heimdalPackages have the KDC and its tools. Debian does not let them stand
// beside MIT's KDC, so they are unpacked and not installed; what they need
// besides comes with heimdal-multidev.
var heimdalPackages = []string{"heimdal-kdc", "heimdal-clients", "libhdb9-heimdal", "libkadm5srv8-heimdal", "libkdc2-heimdal"}

// heimdalEnctypes are those of Heimdal's KDC, by its names.
var heimdalEnctypes = []struct {
	short, long string
	id          krb5.Enctype
}{
	{"aes128-sha1", mitkdc.AES128SHA1, krb5.AES128SHA1},
	{"aes256-sha1", mitkdc.AES256SHA1, krb5.AES256SHA1},
	{"aes128-sha2", mitkdc.AES128SHA2, krb5.AES128SHA2},
	{"aes256-sha2", mitkdc.AES256SHA2, krb5.AES256SHA2},
	{"rc4", "arcfour-hmac-md5", krb5.RC4},
	{"des3", mitkdc.DES3, krb5.DES3SHA1},
}

// heimdal is a realm with Heimdal's KDC and password service.
type heimdal struct{ dir, kdc, kpasswd string }

func (h *heimdal) file(name string) string { return filepath.Join(h.dir, name) }

// command prepares a program of the unpacked packages.
func (h *heimdal) command(t *testing.T, conf, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(filepath.Join(h.dir, "root", program), args...)
	libs, err := filepath.Glob(h.file("root/usr/lib/*-linux-gnu"))
	require.NoError(t, err)
	require.NotEmpty(t, libs)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "KRB5_CONFIG="+h.file(conf), "LD_LIBRARY_PATH="+libs[0]+":"+libs[0]+"/heimdal")
	return cmd
}

func (h *heimdal) run(t *testing.T, conf, program string, args ...string) {
	t.Helper()
	out, err := h.command(t, conf, program, args...).CombinedOutput()
	require.NoError(t, err, "%s %s: %s", program, strings.Join(args, " "), out)
}

// serve starts a server that ends with the test.
func (h *heimdal) serve(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := h.command(t, "kdc.conf", program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	stop, err := mitkdc.Spawn(cmd)
	require.NoError(t, err)
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s:\n%s", program, out.Bytes()[max(0, out.Len()-3000):])
		}
	})
}

// startHeimdal makes a realm: a user and a service for each enctype that have
// keys of no other, and a user whose password has expired.
func startHeimdal(t *testing.T) *heimdal {
	t.Helper()
	h := &heimdal{dir: t.TempDir()}
	download := exec.Command("apt-get", append([]string{"download", "-q"}, heimdalPackages...)...)
	download.Dir = h.dir
	out, err := download.CombinedOutput()
	require.NoError(t, err, "%s", out)
	debs, err := filepath.Glob(h.file("*.deb"))
	require.NoError(t, err)
	require.Len(t, debs, len(heimdalPackages))
	for _, deb := range debs {
		out, err := exec.Command("dpkg", "-x", deb, h.file("root")).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	h.kdc, err = mitkdc.FreeAddr()
	require.NoError(t, err)
	h.kpasswd, err = mitkdc.FreeAddr()
	require.NoError(t, err)
	h.write(t, "krb5.conf", "")
	h.write(t, "kdc.conf", "")
	h.run(t, "kdc.conf", "usr/sbin/kstash", "--key-file="+h.file("mkey"), "--random-key")
	admin := func(conf string, args ...string) {
		t.Helper()
		h.run(t, conf, "usr/bin/kadmin.heimdal", append([]string{"-l", "-c", h.file(conf), "-r", heimdalRealm}, args...)...)
	}
	admin("kdc.conf", "init", "--realm-max-ticket-life=1d", "--realm-max-renewable-life=7d", heimdalRealm)
	for _, e := range heimdalEnctypes {
		conf := "keys-" + e.short + ".conf"
		h.write(t, conf, e.long+":pw-salt")
		admin(conf, "add", "--use-defaults", "--password="+password(e.short), e.short)
		admin(conf, "add", "--use-defaults", "--password="+password(e.short), e.short+"/localhost")
		admin(conf, "ext_keytab", "--keytab="+h.file("users.keytab"), e.short)
		admin(conf, "ext_keytab", "--keytab="+h.file("services.keytab"), e.short+"/localhost")
	}
	admin("kdc.conf", "modify", "--attributes=+trusted-for-delegation,+ok-as-delegate", "aes256-sha1/localhost")
	admin("kdc.conf", "modify", "--constrained-delegation=aes128-sha1/localhost@"+heimdalRealm, "aes256-sha1/localhost")
	admin("kdc.conf", "add", "--use-defaults", "--password=old-Password-1", "expired")
	admin("kdc.conf", "modify", "--pw-expiration-time=2001-01-01", "expired")

	_, port, _ := strings.Cut(h.kdc, ":")
	h.serve(t, "usr/lib/heimdal-servers/kdc", "--config-file="+h.file("kdc.conf"), "--addresses=127.0.0.1", "--ports="+port)
	require.NoError(t, mitkdc.WaitPort(h.kdc))
	_, port, _ = strings.Cut(h.kpasswd, ":")
	h.serve(t, "usr/lib/heimdal-servers/kpasswdd", "--config-file="+h.file("kdc.conf"), "--addresses=127.0.0.1", "--port="+port, "--realm="+heimdalRealm)
	return h
}

// write writes a configuration for clients, the KDC and kadmin; keys are those of
// new principals.
func (h *heimdal) write(t *testing.T, file, keys string) {
	t.Helper()
	if keys != "" {
		keys = "[kadmin]\n    default_keys = " + keys + "\n"
	}
	require.NoError(t, os.WriteFile(h.file(file), fmt.Appendf(nil, `[libdefaults]
    default_realm = %[1]s
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    allow_rc4 = true
    allow_des3 = true
[realms]
    %[1]s = {
        kdc = %[2]s
        kpasswd_server = %[3]s
    }
[domain_realm]
    localhost = %[1]s
[kdc]
    database = {
        realm = %[1]s
        dbname = %[4]s/heimdal
        mkey_file = %[4]s/mkey
        acl_file = %[4]s/kadmind.acl
        log_file = %[4]s/log
    }
[logging]
    default = STDERR
%[5]s`, heimdalRealm, h.kdc, h.kpasswd, h.dir, keys), 0o600))
}

func (h *heimdal) engine(t *testing.T, ccache string) (*mech.Registry, *krb5.Mechanism) {
	t.Helper()
	m := krb5.New(&krb5.Config{
		ConfigPath: h.file("krb5.conf"),
		CCache:     "FILE:" + ccache,
		Keytab:     "FILE:" + h.file("services.keytab"),
		Getenv:     func(string) string { return "" },
	})
	r, err := mech.NewRegistry(m)
	require.NoError(t, err)
	return r, m
}

// Heimdal's KDC, library and password service.
func TestHeimdal(t *testing.T) {
	h := startHeimdal(t)
	program, err := buildHeimdal()
	require.NoError(t, err)
	users, err := keytab.Load("FILE:" + h.file("users.keytab"))
	require.NoError(t, err)
	for _, e := range heimdalEnctypes {
		t.Run(e.short, func(t *testing.T) {
			cc := filepath.Join(t.TempDir(), "ccache")
			r, m := h.engine(t, cc)
			who := e.short + "@" + heimdalRealm
			for _, entry := range users.Entries() {
				if entry.Principal.String() == who {
					require.Equal(t, e.id, entry.Key.Enctype, "it has keys of another type")
				}
			}
			_, err := m.Login(testContext(t), e.short, &krb5.LoginOptions{Password: passwordOf("wrong")})
			require.ErrorIs(t, err, krb5.ErrPreauthFailed)
			_, err = m.Login(testContext(t), e.short, withPassword(e.short))
			require.NoError(t, err)
			elem, err := m.Login(testContext(t), e.short, &krb5.LoginOptions{Keytab: users})
			require.NoError(t, err)
			c := credential(t, r, elem)
			_, err = c.StoreInto(testContext(t), &gssapi.StoreOptions{Usage: gssapi.UsageInitiate, Store: gssapi.Store{"ccache": "FILE:" + cc}})
			require.NoError(t, err)
			env := []string{
				"KRB5_CONFIG=" + h.file("krb5.conf"), "KRB5CCNAME=FILE:" + cc,
				"KRB5_KTNAME=FILE:" + h.file("services.keytab"),
			}
			t.Run("initiate", func(t *testing.T) {
				p := startProgram(t, program, env, "accept", "service="+e.short+"@localhost")
				i, err := gssapi.InitContext(gssapi.HostBased(e.short, "localhost"), &gssapi.InitOptions{Cred: c})
				require.NoError(t, err)
				defer i.Close()
				require.NoError(t, gssapi.Exchange(testContext(t), i, p.send, p.recv))
				said, err := p.established()
				require.NoError(t, err)
				require.Equal(t, who, said.initiator)
				converse(t, i, p)
			})
			t.Run("accept", func(t *testing.T) {
				p := startProgram(t, program, env, "initiate", "service="+e.short+"@localhost", "mech=krb5")
				a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, e.short)})
				require.NoError(t, err)
				defer a.Close()
				require.NoError(t, gssapi.Exchange(testContext(t), a, p.send, p.recv))
				_, err = p.established()
				require.NoError(t, err)
				require.Equal(t, who, a.Peer().String())
				converse(t, a, p)
			})
		})
	}
	// Heimdal's KDC does not confirm the user: the service's own key must tell.
	t.Run("S4U2Self", func(t *testing.T) {
		cc := filepath.Join(t.TempDir(), "ccache")
		r, m := h.engine(t, cc)
		kt, err := keytab.Load("FILE:" + h.file("services.keytab"))
		require.NoError(t, err)
		elem, err := m.Login(testContext(t), "aes256-sha1/localhost", &krb5.LoginOptions{Keytab: kt, Forwardable: true})
		require.NoError(t, err)
		service := credential(t, r, elem)
		user, err := gssapi.AcquireCred(testContext(t), gssapi.User("aes256-sha1"), gssapi.UsageInitiate,
			&gssapi.CredOptions{Impersonator: service})
		require.NoError(t, err)
		info, err := user.Info(testContext(t))
		require.NoError(t, err)
		require.Equal(t, "aes256-sha1@"+heimdalRealm, info.Name.String())

		// S4U2Proxy, to the one service that the KDC allows.
		for service, allowed := range map[string]bool{"aes128-sha1": true, "aes256-sha2": false} {
			i, err := gssapi.InitContext(gssapi.HostBased(service, "localhost"), &gssapi.InitOptions{Cred: user})
			require.NoError(t, err)
			defer i.Close()
			token, _, err := i.Step(testContext(t), nil)
			if !allowed {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, service)})
			require.NoError(t, err)
			defer a.Close()
			_, _, err = a.Step(testContext(t), token)
			require.NoError(t, err)
			require.Equal(t, "aes256-sha1@"+heimdalRealm, a.Peer().String())
		}

		// The same tickets without the key.
		_, err = service.StoreInto(testContext(t), &gssapi.StoreOptions{Store: gssapi.Store{"ccache": "FILE:" + cc}})
		require.NoError(t, err)
		keyless, err := gssapi.AcquireCred(testContext(t), gssapi.Name{}, gssapi.UsageInitiate,
			&gssapi.CredOptions{Registry: r, Store: gssapi.Store{"ccache": "FILE:" + cc}})
		require.NoError(t, err)
		_, err = gssapi.AcquireCred(testContext(t), gssapi.User("aes256-sha1"), gssapi.UsageInitiate,
			&gssapi.CredOptions{Impersonator: keyless})
		require.ErrorIs(t, err, errPadataTypeNosupp)
	})
	t.Run("expired password", func(t *testing.T) {
		_, m := h.engine(t, "/nonexistent/ccache")
		_, err := m.Login(testContext(t), "expired", &krb5.LoginOptions{Password: passwordOf("old-Password-1")})
		require.ErrorIs(t, err, krb5.ErrKeyExpired)
		require.NoError(t, m.ChangePassword(testContext(t), "expired", passwordOf("old-Password-1"), passwordOf("new-Password-2")))
		_, err = m.Login(testContext(t), "expired", &krb5.LoginOptions{Password: passwordOf("new-Password-2")})
		require.NoError(t, err)
	})
}

// converse protects messages on each side and opens them on the other.
func converse(t *testing.T, ours *gssapi.SecContext, p *peer) {
	t.Helper()
	for _, message := range []string{"", "a message", strings.Repeat("long ", 2000)} {
		for _, confidential := range []bool{true, false} {
			token, err := ours.Wrap(nil, []byte(message), &gssapi.WrapOptions{IntegrityOnly: !confidential})
			require.NoError(t, err)
			got, err := p.ask('u', token)
			require.NoError(t, err)
			require.Equal(t, message, string(got[1:]))
			command := map[bool]byte{true: 'w', false: 'i'}[confidential]
			token, err = p.ask(command, []byte(message))
			require.NoError(t, err)
			got, _, err = ours.Unwrap(nil, token)
			require.NoError(t, err)
			require.Equal(t, message, string(got))
		}
	}
}
