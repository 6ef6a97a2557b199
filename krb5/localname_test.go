package krb5_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// local is a mechanism that maps names with the text in the default realm's
// block and in libdefaults.
func local(block, libdefaults string) *krb5.Mechanism {
	return krb5.New(&krb5.Config{
		ConfigText: "[libdefaults]\ndefault_realm = " + realm + "\n" + libdefaults + "\n[realms]\n" + realm + " = {\n" + block + "\n}\n",
		Getenv:     func(string) string { return "" },
	})
}

func localNamer(t *testing.T, m *krb5.Mechanism, name string) mech.LocalNamer {
	t.Helper()
	n, err := m.Canonicalize(ctx, importName(t, m, name, oid.NTKrb5Principal))
	require.NoError(t, err)
	return n.(mech.LocalNamer)
}

func TestLocalName(t *testing.T) {
	m := local(`auth_to_local = RULE:[2:$1;$2](^.*;admin$)s/;admin$//
		auth_to_local = DEFAULT`, "")
	for name, want := range map[string]string{
		"alice":               "alice",
		"alice@" + realm:      "alice",
		"alice/admin":         "alice",
		"alice@OTHER.TEST":    "",
		"host/a.example.test": "",
		"WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS": "",
	} {
		user, err := localNamer(t, m, name).LocalName(ctx)
		if want == "" {
			requireCode(t, err, gsserr.ErrFailure, krberr.NoLocalName)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, want, user)
	}
	_, err := localNamer(t, local("auth_to_local = RULE:[1:", ""), "alice").LocalName(ctx)
	requireCode(t, err, gsserr.ErrFailure, krberr.ConfigBadFormat)
}

func TestUserOK(t *testing.T) {
	me, err := user.Current()
	require.NoError(t, err)
	dir := t.TempDir()
	login := filepath.Join(dir, me.Username)
	mapped := "auth_to_local = RULE:[1:" + me.Username + "](" + me.Username + ")\n"
	directory := "k5login_directory = " + dir
	ok := func(t *testing.T, m *krb5.Mechanism, name string) error {
		return localNamer(t, m, name).UserOK(ctx, me.Username)
	}
	m, plain := local(mapped, directory), local("", directory)

	t.Run("no file", func(t *testing.T) {
		require.NoError(t, ok(t, m, "alice"), "by its mapping")
		require.ErrorIs(t, ok(t, plain, "alice"), gsserr.ErrUnauthorized)
	})
	t.Run("listed", func(t *testing.T) {
		write(t, login, "bob@"+realm+"\nalice@OTHER.TEST\nlast@"+realm)
		require.NoError(t, ok(t, plain, "bob"))
		require.NoError(t, ok(t, plain, "alice@OTHER.TEST"))
		require.NoError(t, ok(t, plain, "last"))
		require.ErrorIs(t, ok(t, plain, "bo"), gsserr.ErrUnauthorized)
		require.ErrorIs(t, ok(t, plain, "bob@OTHER.TEST"), gsserr.ErrUnauthorized)
	})
	t.Run("not listed", func(t *testing.T) {
		require.ErrorIs(t, ok(t, m, "alice"), gsserr.ErrUnauthorized, "the file decides")
		require.NoError(t, ok(t, local(mapped, directory+"\nk5login_authoritative = false"), "alice"))
	})
	t.Run("spaces count", func(t *testing.T) {
		write(t, login, " bob@"+realm+"\nbob@"+realm+" \nbob@"+realm+"\r\n")
		require.ErrorIs(t, ok(t, plain, "bob"), gsserr.ErrUnauthorized)
	})
	t.Run("somebody else's", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("only root can give files away")
		}
		write(t, login, "bob@"+realm+"\n")
		require.NoError(t, os.Chown(login, 12345, 12345))
		require.ErrorIs(t, ok(t, plain, "bob"), gsserr.ErrUnauthorized)
		require.ErrorIs(t, ok(t, m, "alice"), gsserr.ErrUnauthorized, "and it is not as if there were none")
		require.NoError(t, os.Remove(login))
	})
	t.Run("a folder", func(t *testing.T) {
		require.NoError(t, os.RemoveAll(login))
		require.NoError(t, os.Mkdir(login, 0o700))
		require.ErrorIs(t, ok(t, m, "alice"), gsserr.ErrUnauthorized)
		require.NoError(t, os.Remove(login))
	})
	t.Run("too large", func(t *testing.T) {
		write(t, login, "bob@"+realm+"\n"+strings.Repeat("x", 2<<20))
		require.ErrorIs(t, ok(t, plain, "bob"), gsserr.ErrUnauthorized)
	})
	for _, who := range []string{"", "no-such-user", "../" + me.Username, me.Username + "\x00"} {
		require.ErrorIs(t, localNamer(t, m, "alice").UserOK(ctx, who), gsserr.ErrUnauthorized, "%q", who)
	}
	err = localNamer(t, m, "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS").UserOK(ctx, me.Username)
	requireCode(t, err, gsserr.ErrFailure, krberr.NoLocalName)
}
