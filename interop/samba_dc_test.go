package interop

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

const (
	adRealm = "AD.TEST"
	// adAddr is an address of its own, as a domain controller has fixed ports.
	adAddr = "127.0.0.30"
)

// domain is a running Samba domain controller, which has Heimdal's KDC in it.
type domain struct {
	dir string
	mu  sync.Mutex
	// dialed counts the connections of our engines by network.
	dialed map[string]int
}

func (d *domain) file(name string) string { return filepath.Join(d.dir, name) }

// adSetup creates accounts in the database, before the server starts: much
// faster than one samba-tool for each.
const adSetup = `
import sys, ldb, samba.dckeytab
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.auth import system_session
from samba.credentials import Credentials
from samba.net import Net
directory = sys.argv[1]
lp = LoadParm()
lp.load(directory + "/smb.conf")
sam = SamDB(session_info=system_session(), lp=lp)
creds = Credentials()
creds.guess(lp)
base = sam.domain_dn()
def change(dn, **values):
    m = ldb.Message()
    m.dn = ldb.Dn(sam, dn)
    for name, v in values.items():
        name = name.replace("_", "-")
        m[name] = ldb.MessageElement(v, ldb.FLAG_MOD_REPLACE, name)
    sam.modify(m)
def user(name, **values):
    sam.newuser(name, "Password-of-" + name)
    dn = "CN=%s,CN=Users,%s" % (name, base)
    if values:
        change(dn, **values)
    return dn
def dn_of(name):
    return str(sam.search(base, expression="(sAMAccountName=%s)" % name, attrs=["dn"])[0].dn)
change(base, minPwdAge="0", pwdHistoryLength="0")
user("alice", displayName="Alice in Interop")
sam.newgroup("testers")
sam.add_remove_group_members("testers", ["alice"], add_members_operation=True)
user("bob", userPrincipalName="robert@mail.example")
user("carol", pwdLastSet="0")
aes = "24"
user("svc-gss", servicePrincipalName=["gss/localhost"], msDS_SupportedEncryptionTypes=aes)
user("svc-front", servicePrincipalName=["HTTP/front.ad.test"], msDS_SupportedEncryptionTypes=aes)
user("svc-back", servicePrincipalName=["HTTP/back.ad.test"], msDS_SupportedEncryptionTypes=aes)
change(dn_of("svc-front"), msDS_AllowedToDelegateTo=["HTTP/back.ad.test"], userAccountControl=str(0x200 | 0x1000000))
sam.newcomputer("machine")
sam.setpassword("(sAMAccountName=machine$)", "Password-of-machine")
change(dn_of("machine$"), msDS_SupportedEncryptionTypes=aes, servicePrincipalName=["host/machine.ad.test"])
net = Net(creds, lp)
for name, file in [("gss/localhost", "services"), ("HTTP/front.ad.test", "services"), ("svc-front", "services"), ("HTTP/back.ad.test", "services"),
                   ("MACHINE$", "machine"), ("host/machine.ad.test", "machine")]:
    net.export_keytab(keytab=directory + "/" + file + ".keytab", principal=name + "@" + lp.get("realm"))
`

// startDomain provisions a domain in a directory of the test and starts its
// controller, which ends with the test.
func startDomain(t *testing.T) *domain {
	t.Helper()
	for _, p := range []string{"samba", "samba-tool"} {
		_, err := mitkdc.Find(p)
		require.NoError(t, err, "Debian: apt-get install samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind")
	}
	d := &domain{dir: t.TempDir(), dialed: make(map[string]int)}
	for _, sub := range []string{"private", "state", "cache", "lock", "run", "ncalrpc", "wb", "ntp", "sysvol", "tmp"} {
		require.NoError(t, os.Mkdir(d.file(sub), 0o755))
	}
	require.NoError(t, os.WriteFile(d.file("smb.conf"), fmt.Appendf(nil, `[global]
    workgroup = ADTEST
    realm = %[1]s
    netbios name = DC1
    server role = active directory domain controller
    interfaces = %[2]s/8
    bind interfaces only = yes
    server services = kdc, ldap
    private dir = %[3]s/private
    state directory = %[3]s/state
    cache directory = %[3]s/cache
    lock directory = %[3]s/lock
    pid directory = %[3]s/run
    ncalrpc dir = %[3]s/ncalrpc
    winbindd socket directory = %[3]s/wb
    ntp signd socket directory = %[3]s/ntp
    log file = %[3]s/samba.log
    log level = 1 kerberos:3
    max log size = 0
[sysvol]
    path = %[3]s/sysvol
    read only = no
[netlogon]
    path = %[3]s/sysvol
    read only = no
`, adRealm, adAddr, d.dir), 0o644))
	require.NoError(t, os.WriteFile(d.file("krb5.conf"), []byte(d.conf("")), 0o644))
	d.run(t, "samba-tool", "domain", "provision", "--configfile="+d.file("smb.conf"), "--realm="+adRealm, "--domain=ADTEST",
		"--host-name=dc1", "--host-ip="+adAddr, "--adminpass=Password-of-admin1", "--server-role=dc", "--dns-backend=NONE")
	d.run(t, "/usr/bin/python3", "-c", adSetup, d.dir)

	samba, err := mitkdc.Find("samba")
	require.NoError(t, err)
	cmd := exec.Command(samba, "-F", "--no-process-group", "-s", d.file("smb.conf"))
	cmd.Env = d.environ()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// Its children are in its process group, and end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		ended := time.AfterFunc(5*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		_ = cmd.Wait() // killed: its status says nothing
		ended.Stop()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what is left of the group
		if t.Failed() {
			log, _ := os.ReadFile(d.file("samba.log"))
			t.Logf("samba:\n%s\n%s", &out, log[max(0, len(log)-4000):])
		}
	})
	for range 5 { // each waits for five seconds
		if err = mitkdc.WaitPort(adAddr + ":88"); err == nil {
			break
		}
	}
	require.NoError(t, err, "%s", &out)
	return d
}

func (d *domain) environ() []string {
	return append(os.Environ(), "KRB5_CONFIG="+d.file("krb5.conf"), "TMPDIR="+d.file("tmp"), "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
}

func (d *domain) run(t *testing.T, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = d.environ()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", program, out)
}

func (d *domain) conf(libdefaults string) string {
	return fmt.Sprintf(`[libdefaults]
    default_realm = %[1]s
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    %[3]s
[realms]
    %[1]s = {
        kdc = %[2]s
        kpasswd_server = %[2]s
    }
    ad.test = {
        kdc = %[2]s
    }
[domain_realm]
    localhost = %[1]s
    .ad.test = %[1]s
`, adRealm, adAddr, libdefaults)
}

// engine returns a registry with an engine of ours in the domain.
func (d *domain) engine(t *testing.T, libdefaults string) (*mech.Registry, *krb5.Mechanism) {
	t.Helper()
	m := krb5.New(&krb5.Config{
		ConfigText: d.conf(libdefaults),
		CCache:     "FILE:/nonexistent/ccache",
		Keytab:     "FILE:" + d.file("services.keytab"),
		Getenv:     func(string) string { return "" },
		KDC: &krb5.Network{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			d.mu.Lock()
			d.dialed[network]++
			d.mu.Unlock()
			return new(net.Dialer).DialContext(ctx, network, addr)
		}},
	})
	r, err := mech.NewRegistry(m)
	require.NoError(t, err)
	return r, m
}

// dials returns how many connections there were since it was called last.
func (d *domain) dials() (udp, tcp int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	udp, tcp = d.dialed["udp"], d.dialed["tcp"]
	clear(d.dialed)
	return udp, tcp
}

// context establishes a context of ours with a service of ours.
func (d *domain) context(t *testing.T, r *mech.Registry, c *gssapi.Cred, service gssapi.Name) (i, a *gssapi.SecContext) {
	t.Helper()
	i, err := gssapi.InitContext(service, &gssapi.InitOptions{Cred: c})
	require.NoError(t, err)
	t.Cleanup(func() { i.Close() })
	own, err := gssapi.AcquireCred(testContext(t), gssapi.Name{}, gssapi.UsageAccept, &gssapi.CredOptions{Registry: r})
	require.NoError(t, err)
	a, err = gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: own})
	require.NoError(t, err)
	t.Cleanup(func() { a.Close() })
	token, _, err := i.Step(testContext(t), nil)
	require.NoError(t, err)
	token, _, err = a.Step(testContext(t), token)
	require.NoError(t, err)
	_, more, err := i.Step(testContext(t), token)
	require.NoError(t, err)
	require.False(t, more)
	return i, a
}
