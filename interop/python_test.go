package interop

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// python is a running python/creds.py.
type python struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
	err strings.Builder
}

// Debian's own, for which Debian's python3-gssapi is.
const pythonProgram = "/usr/bin/python3"

func startPython(t *testing.T, env ...string) *python {
	t.Helper()
	cmd, err := realm.Command(pythonProgram, "-I", "python/creds.py")
	require.NoError(t, err, "Debian: apt-get install python3-gssapi")
	p := &python{t: t}
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = &p.err
	p.in, err = cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = p.in.Close()       // it ends at the end of its input
		_ = cmd.Process.Kill() // or so
		_ = cmd.Wait()         // killed: its status says nothing
	})
	return p
}

// said is what python answers, each call some of it.
type said struct {
	Major    uint32
	Text     string
	Name     string
	Usage    string
	Lifetime int
	Token    string
	Flags    uint32
}

func (s said) err() error {
	if s.Major == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", gsserr.Major(s.Major), s.Text)
}

type call map[string]any

func (p *python) try(c call) said {
	p.t.Helper()
	b, err := json.Marshal(c)
	require.NoError(p.t, err)
	_, err = p.in.Write(append(b, '\n'))
	require.NoError(p.t, err)
	line, err := p.out.ReadBytes('\n')
	require.NoError(p.t, err, "%s", &p.err)
	var s said
	require.NoError(p.t, json.Unmarshal(line, &s), "%s", line)
	return s
}

func (p *python) do(c call) said {
	p.t.Helper()
	s := p.try(c)
	require.NoError(p.t, s.err(), "%v", c["call"])
	return s
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// pythonToUs and usToPython make contexts of one token, with a credential of the
// initiator.
func pythonToUs(t *testing.T, p *python, cred string, r *mech.Registry, user, service string) gssapi.ContextInfo {
	t.Helper()
	token := p.do(call{"call": "initiate", "cred": cred, "target": service + "@localhost"})
	a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, service)})
	require.NoError(t, err)
	defer a.Close()
	_, _, err = a.Step(testContext(t), unhex(t, token.Token))
	require.NoError(t, err)
	require.Equal(t, user+"@"+realmName, a.Peer().String())
	return a.Info()
}

func usToPython(t *testing.T, c *gssapi.Cred, p *python, cred, user, service string) said {
	t.Helper()
	i, err := gssapi.InitContext(gssapi.HostBased(service, "localhost"), &gssapi.InitOptions{Cred: c, Omit: gssapi.FlagMutual})
	require.NoError(t, err)
	defer i.Close()
	token, _, err := i.Step(testContext(t), nil)
	require.NoError(t, err)
	s := p.do(call{"call": "accept", "cred": cred, "token": hex.EncodeToString(token)})
	require.Equal(t, user+"@"+realmName, s.Name)
	return s
}

// What python-gssapi exports is imported here.
func TestPythonExports(t *testing.T) {
	for _, e := range enctypes {
		t.Run(e.short, func(t *testing.T) {
			conf := e.short + ".conf"
			cc := kinit(t, conf, "alice")
			p := startPython(t, environ(conf, cc)...)
			r, _ := engine(t, conf, "/nonexistent")
			for how, c := range map[string]call{
				"file":          {"usage": "initiate"},
				"file, by name": {"usage": "initiate", "name": "alice@" + realmName},
				"store":         {"usage": "initiate", "store": map[string]string{"ccache": "FILE:" + cc}},
				"password":      {"usage": "initiate", "name": "alice@" + realmName, "password": password("alice")},
				"both":          {"usage": "both", "name": "alice@" + realmName, "store": map[string]string{"ccache": "FILE:" + cc, "keytab": "FILE:" + withAlice(t)}},
			} {
				c["call"], c["as"] = "acquire", how
				p.do(c)
				p.do(call{"call": "initiate", "cred": how, "target": e.short + "@localhost"}) // puts a service ticket in
				token := unhex(t, p.do(call{"call": "export", "cred": how}).Token)
				got, err := gssapi.ImportCred(token, r)
				require.NoError(t, err, "%s: %s", how, token)
				inquire(t, got, "alice")
				talk(t, r, got, "alice", e.short)
				talk(t, r, got, "alice", e.short+"-2")
				again, err := got.Export()
				require.NoError(t, err)
				p.do(call{"call": "import", "as": how + ", back", "token": hex.EncodeToString(again)})
				pythonToUs(t, p, how+", back", r, "alice", e.short)
			}
			acc := p.do(call{"call": "acquire", "as": "acceptor", "usage": "accept", "name": e.short + "@localhost", "kind": "host"})
			require.Equal(t, "accept", acc.Usage)
			token := unhex(t, p.do(call{"call": "export", "cred": "acceptor"}).Token)
			got, err := gssapi.ImportCred(token, r)
			require.NoError(t, err, "%s", token)
			i, err := gssapi.InitContext(gssapi.HostBased(e.short, "localhost"), &gssapi.InitOptions{Cred: initiatorOf(t, r, cc)})
			require.NoError(t, err)
			defer i.Close()
			a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: got})
			require.NoError(t, err)
			defer a.Close()
			first, _, err := i.Step(testContext(t), nil)
			require.NoError(t, err)
			_, _, err = a.Step(testContext(t), first)
			require.NoError(t, err)
		})
	}
}

// withAlice is a keytab with a key of alice's name, for MIT demands one for the
// one name that a credential for both uses has.
func withAlice(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keytab")
	_, err := realm.Run("add_entry -password -p alice@"+realmName+" -k 1 -e aes256-cts\n"+password("alice")+"\nwrite_kt "+file+"\nquit\n", "ktutil")
	require.NoError(t, err)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	services, err := os.ReadFile(realm.File("services.keytab"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(b, services[2:]...), 0o600))
	return file
}

// What we export python-gssapi imports.
func TestPythonImports(t *testing.T) {
	for _, e := range enctypes {
		t.Run(e.short, func(t *testing.T) {
			conf := e.short + ".conf"
			cc := kinit(t, conf, "alice")
			p := startPython(t, environ(conf, "/nonexistent")...)
			r, m := engine(t, conf, cc)
			elem, err := m.Login(testContext(t), "alice", withPassword("alice"))
			require.NoError(t, err)
			inMemory := credential(t, r, elem)
			talk(t, r, inMemory, "alice", e.short) // puts a service ticket in
			for how, c := range map[string]*gssapi.Cred{"memory": inMemory, "file": initiatorOf(t, r, cc)} {
				token, err := c.Export()
				require.NoError(t, err)
				s := p.do(call{"call": "import", "as": how, "token": hex.EncodeToString(token)})
				require.Equal(t, "alice@"+realmName, s.Name)
				require.Equal(t, "initiate", s.Usage)
				require.Greater(t, s.Lifetime, 9*60*60)
				pythonToUs(t, p, how, r, "alice", e.short)
				pythonToUs(t, p, how, r, "alice", e.short+"-2")
			}
			token, err := acceptor(t, r, e.short).Export()
			require.NoError(t, err)
			s := p.do(call{"call": "import", "as": "acceptor", "token": hex.EncodeToString(token)})
			require.Equal(t, "accept", s.Usage)
			usToPython(t, inMemory, p, "acceptor", "alice", e.short)
		})
	}
}

// Each side uses the caches that the other one's store calls made, in files and
// in collections.
func TestPythonStores(t *testing.T) {
	ctx := testContext(t)
	dir := filepath.Join(t.TempDir(), "caches")
	env := append(environ("krb5.conf", "/nonexistent"), "KRB5CCNAME=DIR:"+dir)
	p := startPython(t, env...)
	r, m := engine(t, "krb5.conf", "/nonexistent")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for _, user := range []string{"alice", "nopreauth"} {
		p.do(call{"call": "acquire", "as": user, "usage": "initiate", "name": user + "@" + realmName, "password": password(user)})
	}
	// Into a file: theirs for us, and twice.
	file := filepath.Join(t.TempDir(), "cc")
	into := call{"call": "store", "cred": "alice", "store": map[string]string{"ccache": "FILE:" + file}}
	p.do(into)
	require.ErrorIs(t, p.try(into).err(), gsserr.ErrDuplicateElement)
	talk(t, r, initiatorOf(t, r, file), "alice", "host")

	// Into a collection: theirs, and then ours beside it.
	p.do(call{"call": "store", "cred": "alice", "default": true})
	elem, err := m.Login(ctx, "nopreauth", withPassword("nopreauth"))
	require.NoError(t, err)
	o := &gssapi.StoreOptions{Usage: gssapi.UsageInitiate, Store: gssapi.Store{"ccache": "DIR:" + dir}}
	_, err = credential(t, r, elem).StoreInto(ctx, o)
	require.NoError(t, err)
	_, err = credential(t, r, elem).StoreInto(ctx, o)
	require.ErrorIs(t, err, gssapi.ErrDuplicateElement)
	require.ErrorIs(t, p.try(call{"call": "store", "cred": "nopreauth"}).err(), gsserr.ErrDuplicateElement, "they see ours")
	who := func() (theirs, ours string) {
		q := startPython(t, env...)
		v := krb5.New(&krb5.Config{ConfigPath: realm.File("krb5.conf"), CCache: "DIR:" + dir, Getenv: func(string) string { return "" }})
		reg, err := mech.NewRegistry(v)
		require.NoError(t, err)
		c, err := gssapi.AcquireCred(ctx, gssapi.Name{}, gssapi.UsageInitiate, &gssapi.CredOptions{Registry: reg})
		require.NoError(t, err)
		i, err := c.Info(ctx)
		require.NoError(t, err)
		return q.do(call{"call": "acquire", "as": "x", "usage": "initiate"}).Name, i.Name.String()
	}
	theirs, ours := who()
	require.Equal(t, "alice@"+realmName, theirs)
	require.Equal(t, theirs, ours)
	o.Overwrite, o.Default = true, true
	_, err = credential(t, r, elem).StoreInto(ctx, o)
	require.NoError(t, err)
	theirs, ours = who()
	require.Equal(t, "nopreauth@"+realmName, theirs)
	require.Equal(t, theirs, ours)
	klist, err := realm.RunEnv(env, "", "klist", "-l")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(klist, "DIR::"+dir), klist)
}

// One store, one name, one usage: python-gssapi and we make the same of it.
func TestPythonStoreKeys(t *testing.T) {
	cc := kinit(t, "krb5.conf", "alice")
	dir := t.TempDir()
	users, services := "FILE:"+realm.File("users.keytab"), "FILE:"+realm.File("services.keytab")
	garbage := filepath.Join(dir, "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte("garbage"), 0o600))
	alice, user := "alice@"+realmName, "aes256-sha1@"+realmName
	type store = map[string]string
	n := 0
	for _, tc := range []struct {
		name  string
		usage string
		who   string
		store store
	}{
		{"ccache", "initiate", "", store{"ccache": "FILE:" + cc}},
		{"ccache and its name", "initiate", alice, store{"ccache": cc}},
		{"ccache of another", "initiate", user, store{"ccache": cc}},
		{"no ccache", "initiate", "", store{"ccache": dir + "/none"}},
		{"ccache of no type", "initiate", "", store{"ccache": "NONSENSE:x"}},
		{"garbage for a ccache", "initiate", "", store{"ccache": garbage}},
		{"keytab", "accept", "", store{"keytab": services}},
		{"keytab and name", "accept", "host/localhost@" + realmName, store{"keytab": services}},
		{"keytab without the name", "accept", "host/elsewhere@" + realmName, store{"keytab": services}},
		{"no keytab", "accept", "", store{"keytab": dir + "/none"}},
		{"keytab of no type", "accept", "", store{"keytab": "NONSENSE:x"}},
		{"garbage for a keytab", "accept", "", store{"keytab": garbage}},
		{"rcache", "accept", "", store{"keytab": services, "rcache": "file2:" + dir + "/rc"}},
		{"rcache, none", "accept", "", store{"keytab": services, "rcache": "none:"}},
		{"rcache without a type", "accept", "", store{"keytab": services, "rcache": "nonsense"}},
		{"rcache of no type", "accept", "", store{"keytab": services, "rcache": "nonsense:x"}},
		{"rcache to initiate with", "initiate", "", store{"ccache": cc, "rcache": "nonsense"}},
		{"client keytab", "initiate", user, store{"client_keytab": users, "ccache": "FILE:NEW"}},
		{"client keytab, any name", "initiate", "", store{"client_keytab": users, "ccache": "FILE:NEW"}},
		{"client keytab without the name", "initiate", alice, store{"client_keytab": users, "ccache": "FILE:NEW"}},
		{"no client keytab", "initiate", user, store{"client_keytab": dir + "/none", "ccache": "FILE:NEW"}},
		{"client keytab of no type", "initiate", user, store{"client_keytab": "NONSENSE:x", "ccache": cc}},
		{"password", "initiate", alice, store{"password": password("alice")}},
		{"wrong password", "initiate", alice, store{"password": "wrong"}},
		{"password without a name", "initiate", "", store{"password": password("alice")}},
		{"password to accept with", "accept", alice, store{"password": password("alice"), "keytab": services}},
		{"password and ccache", "initiate", alice, store{"password": password("alice"), "ccache": cc}},
		{"password and client keytab", "initiate", user, store{"password": password("aes256-sha1"), "client_keytab": users}},
		{"verify", "initiate", alice, store{"password": password("alice"), "verify": "", "keytab": services}},
		{"verify, by name", "initiate", alice, store{"password": password("alice"), "verify": "host/localhost", "keytab": services}},
		{"verify, not in the keytab", "initiate", alice, store{"password": password("alice"), "verify": "host/elsewhere", "keytab": services}},
		{"verify without a keytab", "initiate", alice, store{"password": password("alice"), "verify": "", "keytab": dir + "/none"}},
		{"verify without a password", "initiate", alice, store{"ccache": cc, "verify": "", "keytab": services}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fresh := func(side string) store {
				s := store{}
				for k, v := range tc.store {
					s[k] = strings.Replace(v, "FILE:NEW", fmt.Sprintf("FILE:%s/new-%d-%s", dir, n, side), 1)
				}
				return s
			}
			n++
			p := startPython(t, environ("krb5.conf", "/nonexistent")...)
			q := call{"call": "acquire", "as": "x", "usage": tc.usage, "store": fresh("theirs")}
			if tc.who != "" {
				q["name"] = tc.who
			}
			theirs := p.try(q)

			r, _ := engine(t, "krb5.conf", "/nonexistent")
			var name gssapi.Name
			if tc.who != "" {
				name = gssapi.Principal(tc.who)
			}
			usage := gssapi.UsageInitiate
			if tc.usage == "accept" {
				usage = gssapi.UsageAccept
			}
			c, err := gssapi.AcquireCred(testContext(t), name, usage, &gssapi.CredOptions{Registry: r, Store: gssapi.Store(fresh("ours"))})
			if theirs.Major != 0 {
				require.Error(t, err, theirs.Text)
				var e *gssapi.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, gsserr.Major(theirs.Major).Routine(), e.Major.Routine(), "theirs: %s\nours: %v", theirs.Text, err)
				return
			}
			require.NoError(t, err)
			i, err := c.Info(testContext(t))
			require.NoError(t, err)
			if usage == gssapi.UsageInitiate {
				require.Equal(t, theirs.Name, i.Name.String())
				require.InDelta(t, theirs.Lifetime, time.Until(i.InitiateExpires).Seconds(), 60)
			}
		})
	}
}

// The option that leaves out the flags for confidentiality and integrity does so
// on both sides.
func TestPythonNoCIFlags(t *testing.T) {
	cc := kinit(t, "krb5.conf", "alice")
	p := startPython(t, environ("krb5.conf", cc)...)
	r, _ := engine(t, "krb5.conf", cc)
	both := gssapi.FlagConf | gssapi.FlagInteg
	p.do(call{"call": "acquire", "as": "x", "usage": "initiate"})
	p.do(call{"call": "option", "cred": "x", "oid": oid.Krb5NoCIFlags.String()})
	token := p.do(call{"call": "initiate", "cred": "x", "target": "host@localhost", "flags": 0})
	a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, "host")})
	require.NoError(t, err)
	defer a.Close()
	_, _, err = a.Step(testContext(t), unhex(t, token.Token))
	require.NoError(t, err)
	require.Zero(t, a.Info().Flags&both)

	quiet, err := initiatorOf(t, r, cc).WithOption(oid.Krb5NoCIFlags, nil)
	require.NoError(t, err)
	i, err := gssapi.InitContext(gssapi.HostBased("host", "localhost"), &gssapi.InitOptions{Cred: quiet, Omit: gssapi.FlagMutual | gssapi.FlagInteg})
	require.NoError(t, err)
	defer i.Close()
	ours, _, err := i.Step(testContext(t), nil)
	require.NoError(t, err)
	said := p.do(call{"call": "accept", "token": hex.EncodeToString(ours)})
	require.Zero(t, gssapi.Flags(said.Flags)&both)
}
