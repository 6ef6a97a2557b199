package krb5_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// defaultRealm asks a mechanism for its default realm.
func defaultRealm(t testing.TB, m *krb5.Mechanism) string {
	t.Helper()
	n, err := m.Canonicalize(ctx, importName(t, m, "x", oid.NTUserName))
	require.NoError(t, err)
	text, _ := n.Display()
	return text[len("x@"):]
}

func write(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// later makes a file's modification time another one, as the clock of a file
// system can be too coarse for a test.
func later(t testing.TB, path string, d time.Duration) {
	t.Helper()
	at := time.Now().Add(d)
	require.NoError(t, os.Chtimes(path, at, at))
}

func TestConfigReload(t *testing.T) {
	dir := t.TempDir()
	conf, sub := filepath.Join(dir, "krb5.conf"), filepath.Join(dir, "conf.d")
	require.NoError(t, os.Mkdir(sub, 0o700))
	m := krb5.New(&krb5.Config{ConfigPath: conf, Getenv: func(string) string { return "" }})
	_, err := m.Canonicalize(ctx, importName(t, m, "x", oid.NTUserName))
	requireCode(t, err, gsserr.ErrBadName, krb5.ErrNoDefaultRealm)

	write(t, conf, "[libdefaults]\ndefault_realm = ONE\n") // it did not exist before
	require.Equal(t, "ONE", defaultRealm(t, m))
	write(t, conf, "[libdefaults]\ndefault_realm = TWO\n")
	later(t, conf, time.Minute)
	require.Equal(t, "TWO", defaultRealm(t, m))
	write(t, conf, "[libdefaults]\ndefault_realm = LONGER\n")
	require.Equal(t, "LONGER", defaultRealm(t, m))
	write(t, conf, "includedir "+sub+"\n")
	_, err = m.Canonicalize(ctx, importName(t, m, "x", oid.NTUserName))
	require.ErrorIs(t, err, krb5.ErrNoDefaultRealm)
	write(t, filepath.Join(sub, "one.conf"), "[libdefaults]\ndefault_realm = INCLUDED\n")
	later(t, sub, time.Minute)
	require.Equal(t, "INCLUDED", defaultRealm(t, m))

	// A broken file is an error, not the configuration of before; and mends.
	write(t, conf, "[libdefaults\n")
	_, err = m.Canonicalize(ctx, importName(t, m, "x", oid.NTUserName))
	requireCode(t, err, gsserr.ErrFailure, krberr.ConfigBadFormat)
	_, err = m.AcquireCred(ctx, mech.CredRequest{})
	requireCode(t, err, gsserr.ErrFailure, krberr.ConfigBadFormat)
	_, err = m.Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return nil }})
	requireCode(t, err, gsserr.ErrFailure, krberr.ConfigBadFormat)
	write(t, conf, "[libdefaults]\ndefault_realm = MENDED\n")
	require.Equal(t, "MENDED", defaultRealm(t, m))
}

// Where the configuration comes from: the text, the path, the variable.
func TestConfigSource(t *testing.T) {
	dir := t.TempDir()
	path := func(realm string) string {
		p := filepath.Join(dir, realm)
		write(t, p, "[libdefaults]\ndefault_realm = "+realm+"\n")
		return p
	}
	env := path("ENV")
	c := krb5.Config{Getenv: func(v string) string {
		if v == "KRB5_CONFIG" {
			return env
		}
		return ""
	}}
	require.Equal(t, "ENV", defaultRealm(t, krb5.New(&c)))
	c.ConfigPath = path("FIRST") + string(os.PathListSeparator) + path("SECOND")
	require.Equal(t, "FIRST", defaultRealm(t, krb5.New(&c)))
	c.ConfigText = "[libdefaults]\ndefault_realm = TEXT\n"
	m := krb5.New(&c)
	c.ConfigText = "changed later"
	require.Equal(t, "TEXT", defaultRealm(t, m))

	// The variable is looked up each time.
	c = krb5.Config{Getenv: func(string) string { return env }}
	m = krb5.New(&c)
	require.Equal(t, "ENV", defaultRealm(t, m))
	env = path("OTHER")
	require.Equal(t, "OTHER", defaultRealm(t, m))

	t.Setenv("KRB5_CONFIG", path("PROCESS"))
	require.Equal(t, "PROCESS", defaultRealm(t, krb5.New(nil)))
}

// The names of caches and keytabs: Config's, the environment's, the file's.
func TestDefaultNames(t *testing.T) {
	w := newWorld(t, nil, nil)
	dir := t.TempDir()
	kt, cc, ckt := filepath.Join(dir, "keytab"), filepath.Join(dir, "cc"), filepath.Join(dir, "client.keytab")
	write(t, kt, string(w.keytab))
	write(t, ckt, string(w.kdc.UserKeytab("alice")))
	_, err := w.alice.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": cc}})
	require.NoError(t, err)
	variables := map[string]string{"KRB5CCNAME": cc, "KRB5_KTNAME": kt, "KRB5_CLIENT_KTNAME": ckt}
	inFile := "[libdefaults]\ndefault_keytab_name = " + kt + "\ndefault_ccache_name = " + cc + "\ndefault_client_keytab_name = " + ckt + "\n"
	const none = "/nonexistent/x"
	for name, change := range map[string]func(*krb5.Config){
		"Config":      func(c *krb5.Config) { c.CCache, c.Keytab, c.ClientKeytab = cc, kt, ckt },
		"environment": func(c *krb5.Config) { c.Getenv = func(v string) string { return variables[v] } },
		"file":        func(c *krb5.Config) { c.ConfigText = inFile + c.ConfigText },
		"Config wins": func(c *krb5.Config) {
			c.CCache, c.Keytab, c.ClientKeytab = cc, kt, ckt
			c.Getenv = func(string) string { return none }
		},
		"environment wins": func(c *krb5.Config) {
			c.Getenv = func(v string) string { return variables[v] }
			c.ConfigText = "[libdefaults]\ndefault_keytab_name = " + none + "\ndefault_ccache_name = " + none + "\n" + c.ConfigText
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := w.config
			c.CCache, c.Keytab, c.ClientKeytab = "", "", ""
			change(&c)
			m := krb5.New(&c)
			cred, err := m.AcquireCred(ctx, mech.CredRequest{})
			require.NoError(t, err)
			require.Equal(t, mech.UsageBoth, cred.Usage())
			require.Equal(t, "krb5 credential from FILE:"+cc+" with keys from "+kt, cred.(interface{ String() string }).String())
			info, err := cred.Info(ctx)
			require.NoError(t, err)
			requireName(t, "alice@"+realm, info.Name)

			// No cache: the client keytab.
			c.CCache = none
			cred, err = krb5.New(&c).AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate})
			require.NoError(t, err)
			require.Equal(t, "krb5 credential from MEMORY:", cred.(interface{ String() string }).String())

			// And contexts without credentials take the default ones.
			c.CCache = cc
			m = krb5.New(&c)
			i, err := m.Initiate(importName(t, m, service, oid.NTHostBased), mech.InitRequest{Flags: allFlags})
			require.NoError(t, err)
			a, err := m.Accept(mech.AcceptRequest{})
			require.NoError(t, err)
			establish(t, i, a)
		})
	}
	// Nothing anywhere.
	m := krb5.New(&w.config)
	for usage, code := range map[mech.Usage]krb5.Code{mech.UsageInitiate: krb5.ErrCCNotFound, mech.UsageAccept: krb5.ErrKeytabNotFound} {
		_, err := m.AcquireCred(ctx, mech.CredRequest{Usage: usage})
		requireCode(t, err, gsserr.ErrNoCred, code)
	}
	i, err := m.Initiate(importName(t, m, service, oid.NTHostBased), mech.InitRequest{})
	require.NoError(t, err)
	_, _, err = i.Step(ctx, nil)
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrCCNotFound)
	a, err := m.Accept(mech.AcceptRequest{})
	require.NoError(t, err)
	_, _, err = a.Step(ctx, w.token(t, allFlags))
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrKeytabNotFound)
	require.Nil(t, errorToken(t, err))
}

// The keytab is read again when it has changed.
func TestKeytabReload(t *testing.T) {
	w := newWorld(t, nil, nil)
	file := tempFile(t, "keytab")
	write(t, file, string(w.keytab))
	w = w.with(t, func(c *krb5.Config) { c.Keytab = file })
	cred, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageAccept})
	require.NoError(t, err)
	accepts := func() error {
		fresh := login(t, w.Mechanism) // without cached tickets
		return handshake(w.initiate(t, mech.InitRequest{Creds: []mech.Cred{fresh}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{cred}}))
	}
	require.NoError(t, accepts())
	changed := w.kdc.AddService("host/" + host) // a new version
	err = accepts()
	requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPBadKeyVer)
	write(t, file, string(changed))
	require.NoError(t, accepts())
	require.NoError(t, os.Remove(file))
	err = accepts()
	requireCode(t, err, gsserr.ErrNoCred, krb5.ErrKeytabNotFound)
	require.NotNil(t, errorToken(t, err))
	write(t, file, "\x05\x02\x00\x00\x00\xffgarbage")
	err = accepts()
	requireCode(t, err, gsserr.ErrNoCred, krberr.KTFormat)
	write(t, file, string(changed))
	require.NoError(t, accepts())
}

type failing struct{}

func (failing) Exchange(context.Context, *krb5.Request) ([]byte, error) {
	return nil, errors.New("no network")
}

// The Exchanger gets the requests, with the configuration and the realm.
func TestExchanger(t *testing.T) {
	k := newKDC(t, nil)
	n := &counter{Exchanger: k}
	c := inMemory(k)
	c.KDC = n
	login(t, krb5.New(&c))
	require.NotZero(t, n.count())
	for _, r := range n.messages {
		require.Equal(t, realm, r.Realm)
		require.NotNil(t, r.Config)
		require.Equal(t, krb5.ServiceKDC, r.Service)
	}
	c.KDC = failing{}
	_, err := krb5.New(&c).Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return []byte(password) }})
	require.ErrorContains(t, err, "no network")
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	c.KDC = nil // then the network: the configuration has no KDC
	_, err = krb5.New(&c).Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return []byte(password) }})
	require.ErrorIs(t, err, gsserr.ErrNoCred)
	require.ErrorIs(t, err, krb5.ErrRealmUnknown)
}

func TestLogger(t *testing.T) {
	w := newWorld(t, nil, nil)
	var b bytes.Buffer
	v := w.with(t, func(c *krb5.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	i, a := v.flags(t, allFlags)
	establish(t, i, a)
	require.Contains(t, b.String(), "AS-REQ")
	require.Contains(t, b.String(), "TGS-REQ")
	require.NotContains(t, b.String(), password)
}
