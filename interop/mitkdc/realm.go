package mitkdc

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Principal is a principal to create. With neither Password nor Keytab it has a
// random key that nobody knows.
type Principal struct {
	Name string
	// Password, if not "", is what the keys are made from.
	Password string
	// Keytab, if not "", is a file of the realm's directory that gets the keys.
	Keytab string
	// Enctypes are those of the keys, and for a service also of the session
	// keys that the KDC may choose; nil is all.
	Enctypes []string
	// NoPreauth lets the principal log in without preauthentication, and, as a
	// service, be used by who did so. NoPAC keeps authorization data out of
	// tickets for it.
	NoPreauth, NoPAC bool
	// OKToAuth lets a service impersonate users (S4U2Self) with a ticket that is
	// good for S4U2Proxy.
	OKToAuth bool
	// DelegateTo are services that this one may act towards (S4U2Proxy), and
	// Aliases other names of the principal. They need a Directory.
	DelegateTo, Aliases []string
}

// Options are what else a realm can have.
type Options struct {
	// Hosts are hosts, or domains with a dot in front, and the realms that the
	// KDC refers clients to who ask for services there.
	Hosts map[string]string
	// Directory keeps the principals in an LDAP directory.
	Directory bool
	// Enctypes are those of the realm; nil is [Enctypes].
	Enctypes []string
	// Realm has further lines for the realm in kdc.conf, Sections what comes
	// after everything else there.
	Realm, Sections string
}

func (o *Options) enctypes() []string {
	if o.Enctypes == nil {
		return Enctypes()
	}
	return o.Enctypes
}

// Realm is a running KDC. Its methods are safe for concurrent use.
type Realm struct {
	Name string // the realm's name
	Dir  string // where its files are
	Addr string // of the KDC, for UDP and TCP
	stop func()

	enctypes  []string
	trusted   []*Realm
	directory *directory // nil if there is none
}

// Start creates a realm in dir, which must exist and be empty, and starts its
// KDC on a free loopback port. Close ends it.
func Start(dir, name string, principals []Principal) (*Realm, error) {
	return StartWith(dir, name, principals, &Options{})
}

// StartWith is Start with options.
func StartWith(dir, name string, principals []Principal, o *Options) (r *Realm, err error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	r = &Realm{Name: name, Dir: dir, Addr: addr, enctypes: o.enctypes(), stop: func() {}}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	for _, d := range []string{"db", "rcache", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(r.File("kdc.conf"), []byte(kdcConf(name, addr, dir, o)), 0o600); err != nil {
		return nil, err
	}
	if _, err := r.WriteConfig("krb5.conf"); err != nil {
		return nil, err
	}
	if o.Directory {
		if r.directory, err = startDirectory(r); err != nil {
			return nil, err
		}
	} else if _, err := r.Run("", "kdb5_util", "-r", name, "create", "-s", "-W", "-P", "master"); err != nil {
		return nil, err
	}
	if err := r.add(principals); err != nil {
		return nil, err
	}
	if err := r.directory.describe(principals); err != nil {
		return nil, err
	}
	kdc, err := r.Command("krb5kdc", "-n", "-r", name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	kdc.Stdout, kdc.Stderr = &out, &out
	stop, err := start(kdc)
	if err != nil {
		return nil, err
	}
	r.stop = stop
	if err := WaitPort(addr); err != nil {
		return nil, fmt.Errorf("krb5kdc: %w\n%s", err, &out)
	}
	return r, nil
}

// Trust makes two realms trust each other and writes each one's krb5.conf anew,
// with the other in it.
func Trust(a, b *Realm) error {
	for _, pair := range [][2]*Realm{{a, b}, {b, a}} {
		name := "krbtgt/" + pair[1].Name + "@" + pair[0].Name
		for _, r := range pair {
			out, err := r.Run("", "kadmin.local", "-r", r.Name, "-q", "addprinc -pw secret-between-realms "+name)
			if err != nil || !strings.Contains(out, fmt.Sprintf("Principal %q created.", name)) {
				return fmt.Errorf("kadmin.local did not create %s: %w\n%s", name, err, out)
			}
		}
		pair[0].trusted = append(pair[0].trusted, pair[1])
		if _, err := pair[0].WriteConfig("krb5.conf"); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the KDC. The directory stays.
func (r *Realm) Close() {
	r.stop()
	r.directory.close()
}

// File returns the path of a file in the realm's directory.
func (r *Realm) File(name string) string { return filepath.Join(r.Dir, name) }

// WriteConfig writes a krb5.conf that permits only the given enctypes, or all
// if there are none, and returns its path.
func (r *Realm) WriteConfig(file string, enctypes ...string) (string, error) {
	if len(enctypes) == 0 {
		enctypes = r.enctypes
	}
	path := r.File(file)
	return path, os.WriteFile(path, []byte(clientConf(r.Name, r.Addr, enctypes, r.trusted)), 0o600)
}

// Command prepares a program, found by [Find], whose environment leads to this
// realm. Add variables to its Env to override: later ones win.
func (r *Realm) Command(program string, args ...string) (*exec.Cmd, error) {
	path, err := Find(program)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "KRB5") && !strings.HasPrefix(v, "GSS") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C",
		"KRB5_CONFIG="+r.File("krb5.conf"),
		"KRB5_KDC_PROFILE="+r.File("kdc.conf"),
		"KRB5RCACHEDIR="+r.File("rcache"),
		"KRB5CCNAME=FILE:"+r.File("nobody.ccache"),
		"KRB5_KTNAME=FILE:"+r.File("nobody.keytab"),
		"KRB5_CLIENT_KTNAME=FILE:"+r.File("nobody.keytab"),
		"TMPDIR="+r.File("tmp"))
	return cmd, nil
}

// Run runs a program to its end with input as its standard input, with further
// environment variables in env, and returns all that it printed. The error
// contains it too.
func (r *Realm) Run(input, program string, args ...string) (string, error) {
	return r.RunEnv(nil, input, program, args...)
}

// RunEnv is Run with further environment variables, as "NAME=value".
func (r *Realm) RunEnv(env []string, input, program string, args ...string) (string, error) {
	cmd, err := r.Command(program, args...)
	if err != nil {
		return "", err
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Log returns what the KDC has logged.
func (r *Realm) Log() string {
	b, err := os.ReadFile(r.File("kdc.log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (r *Realm) add(principals []Principal) error {
	var script strings.Builder
	for _, p := range principals {
		fmt.Fprint(&script, "addprinc ")
		if p.Password != "" {
			fmt.Fprintf(&script, "-pw %s ", p.Password)
		} else {
			fmt.Fprint(&script, "-randkey ")
		}
		if p.Enctypes != nil {
			fmt.Fprintf(&script, "-e %s:normal ", strings.Join(p.Enctypes, ":normal,"))
		}
		if p.NoPreauth {
			fmt.Fprint(&script, "-requires_preauth ")
		}
		if p.OKToAuth {
			// One flag that is set takes the defaults away.
			fmt.Fprint(&script, "+requires_preauth +ok_to_auth_as_delegate ")
		}
		if p.NoPAC {
			fmt.Fprint(&script, "+no_auth_data_required ")
		}
		fmt.Fprintln(&script, p.Name)
		if p.Enctypes != nil && p.Password == "" {
			// Otherwise the KDC takes it that every service knows aes256.
			fmt.Fprintf(&script, "setstr %s session_enctypes %q\n", p.Name, strings.Join(p.Enctypes, " "))
		}
		if p.Keytab != "" {
			fmt.Fprintf(&script, "ktadd -norandkey -k %s %s\n", r.File(p.Keytab), p.Name)
		}
	}
	out, err := r.Run(script.String(), "kadmin.local", "-r", r.Name)
	if err != nil {
		return err
	}
	// kadmin.local goes on after an error and ends with status 0.
	for _, p := range principals {
		full := p.Name + "@" + r.Name
		if !strings.Contains(out, fmt.Sprintf("Principal %q created.", full)) ||
			p.Keytab != "" && !strings.Contains(out, "Entry for principal "+p.Name+" with kvno") {
			return fmt.Errorf("kadmin.local did not create %s:\n%s", full, out)
		}
	}
	return nil
}

// FreeAddr returns a loopback address whose port is free for UDP and for TCP.
func FreeAddr() (string, error) {
	var last error
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		addr := l.Addr().String()
		u, err := net.ListenPacket("udp", addr)
		_ = l.Close() // only the number is wanted
		if err == nil {
			return addr, u.Close()
		}
		last = err
	}
	return "", last
}

// WaitPort waits until something listens on the TCP address.
func WaitPort(addr string) error {
	var err error
	for range 100 {
		var c net.Conn
		if c, err = net.DialTimeout("tcp", addr, time.Second); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}
