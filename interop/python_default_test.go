package interop

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/mech"
)

// Tickets from a client keytab are put where the other side finds them, with the
// same word on when to replace them.
func TestPythonClientKeytab(t *testing.T) {
	ctx := testContext(t)
	users := "FILE:" + realm.File("users.keytab")
	r, _ := engine(t, "krb5.conf", "/nonexistent")
	p := startPython(t, environ("krb5.conf", "/nonexistent")...)
	theirs := func(cc string) said {
		return p.do(call{"call": "acquire", "as": cc, "usage": "initiate", "store": map[string]string{"client_keytab": users, "ccache": "FILE:" + cc}})
	}
	ours := func(cc string) gssapi.CredInfo {
		c, err := gssapi.AcquireCred(ctx, gssapi.Name{}, gssapi.UsageInitiate, &gssapi.CredOptions{
			Registry: r, Store: gssapi.Store{"client_keytab": users, "ccache": "FILE:" + cc},
		})
		require.NoError(t, err)
		i, err := c.Info(ctx)
		require.NoError(t, err)
		return i
	}
	for name, both := range map[string][2]func(string){
		"ours, theirs": {func(cc string) { ours(cc) }, func(cc string) { theirs(cc) }},
		"theirs, ours": {func(cc string) { theirs(cc) }, func(cc string) { ours(cc) }},
	} {
		t.Run(name, func(t *testing.T) {
			cc := filepath.Join(t.TempDir(), "cc")
			both[0](cc)
			first, err := ccache.NewFile(cc).Load(ctx)
			require.NoError(t, err)
			v, ok := first.Config(ccache.ConfRefreshTime, nil)
			require.True(t, ok)
			at, err := strconv.ParseInt(string(v), 10, 64)
			require.NoError(t, err)
			require.InDelta(t, time.Now().Add(5*time.Hour).Unix(), at, 60)
			both[1](cc)
			require.Equal(t, first.Principal.String(), theirs(cc).Name)
			require.Equal(t, first.Principal.String(), ours(cc).Name.String())

			// Time to replace them: the other side does it.
			require.NoError(t, ccache.SetConfig(ctx, ccache.NewFile(cc), ccache.ConfRefreshTime, nil, []byte("1")))
			both[1](cc)
			second, err := ccache.NewFile(cc).Load(ctx)
			require.NoError(t, err)
			v, ok = second.Config(ccache.ConfRefreshTime, nil)
			require.True(t, ok)
			at, err = strconv.ParseInt(string(v), 10, 64)
			require.NoError(t, err)
			require.InDelta(t, time.Now().Add(5*time.Hour).Unix(), at, 60)
		})
	}
}

// Both sides pick the same cache of a collection for a target.
func TestPythonSelect(t *testing.T) {
	home, dir := t.TempDir(), filepath.Join(t.TempDir(), "caches")
	env := append(environ("krb5.conf", "/nonexistent"), "KRB5CCNAME=DIR:"+dir, "HOME="+home)
	require.NoError(t, os.Mkdir(dir, 0o700))
	for _, user := range []string{"nopreauth", "aes128-sha1", "alice"} { // the last is the primary
		_, err := realm.RunEnv(env, password(user)+"\n", "kinit", user)
		require.NoError(t, err)
	}
	identity := filepath.Join(home, ".k5identity")
	r, _ := engine(t, "krb5.conf", "/nonexistent")
	for name, tc := range map[string]struct {
		text, service string
		want          string // "" is an error
	}{
		"none":            {"", "host", "alice"},
		"by service":      {"nopreauth@" + realmName + " service=host\n", "host", "nopreauth"},
		"another service": {"nopreauth@" + realmName + " service=imap\n", "host", "alice"},
		"by host":         {"# a comment\naes128-sha1@" + realmName + " host=local*\nnopreauth service=host\n", "host", "aes128-sha1"},
		"by realm":        {"nopreauth realm=" + realmName + "\n", "host", "nopreauth"},
		"all conditions":  {"nopreauth service=host host=elsewhere\naes128-sha1 service=aes*\n", "aes256-sha1", "aes128-sha1"},
		"without tickets": {"nobody@" + realmName + " service=host\n", "host", ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(identity, []byte(tc.text), 0o600))
			p := startPython(t, env...)
			target := tc.service + "@localhost"
			theirs := p.try(call{"call": "initiate", "target": target})
			m := krb5.New(&krb5.Config{ConfigPath: realm.File("krb5.conf"), CCache: "DIR:" + dir, Getenv: func(k string) string {
				return map[string]string{"HOME": home}[k]
			}})
			reg, err := mech.NewRegistry(m)
			require.NoError(t, err)
			i, err := gssapi.InitContext(gssapi.HostBased(tc.service, "localhost"), &gssapi.InitOptions{Registry: reg, Omit: gssapi.FlagMutual})
			require.NoError(t, err)
			defer i.Close()
			ours, _, err := i.Step(testContext(t), nil)
			if tc.want == "" {
				require.ErrorIs(t, theirs.err(), gssapi.ErrNoCred)
				require.ErrorIs(t, err, gssapi.ErrNoCred)
				return
			}
			require.NoError(t, err)
			require.NoError(t, theirs.err())
			for side, token := range map[string][]byte{"theirs": unhex(t, theirs.Token), "ours": ours} {
				a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, tc.service)})
				require.NoError(t, err)
				defer a.Close()
				_, _, err = a.Step(testContext(t), token)
				require.NoError(t, err)
				require.Equal(t, tc.want+"@"+realmName, a.Peer().String(), side)
			}
		})
	}
}
