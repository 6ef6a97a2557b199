package interop

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/oid"
)

func adPassword(user string) *krb5.LoginOptions {
	return &krb5.LoginOptions{Password: passwordOf("Password-of-" + user)}
}

// An Active Directory domain: one controller for all of it.
func TestSamba(t *testing.T) {
	d := startDomain(t)
	r, m := d.engine(t, "")
	login := func(t *testing.T, user string) *gssapi.Cred {
		t.Helper()
		elem, err := m.Login(testContext(t), user, adPassword(user))
		require.NoError(t, err)
		return credential(t, r, elem)
	}
	whose := func(t *testing.T, c *gssapi.Cred) string {
		t.Helper()
		i, err := c.Info(testContext(t))
		require.NoError(t, err)
		return i.Name.String()
	}

	t.Run("login", func(t *testing.T) {
		d.dials()
		require.Equal(t, "alice@"+adRealm, whose(t, login(t, "alice")))
		udp, tcp := d.dials()
		require.NotZero(t, udp, "the request is small")
		require.NotZero(t, tcp, "with a PAC the reply is too big for UDP")
		_, err := m.Login(testContext(t), "alice", &krb5.LoginOptions{Password: passwordOf("wrong")})
		require.ErrorIs(t, err, krb5.ErrPreauthFailed)
		_, err = m.Login(testContext(t), "nobody", adPassword("nobody"))
		require.ErrorIs(t, err, krb5.ErrClientUnknown)
	})
	t.Run("login over TCP", func(t *testing.T) {
		_, m := d.engine(t, "udp_preference_limit = 1")
		d.dials()
		_, err := m.Login(testContext(t), "alice", adPassword("alice"))
		require.NoError(t, err)
		udp, tcp := d.dials()
		require.Zero(t, udp)
		require.NotZero(t, tcp)
	})
	t.Run("enterprise names", func(t *testing.T) {
		for upn, user := range map[string]string{"robert@mail.example": "bob", "alice@ad.test": "alice"} {
			name, err := gssapi.ImportName(upn, oid.NTKrb5Enterprise)
			require.NoError(t, err)
			c, err := gssapi.AcquireCred(testContext(t), name, gssapi.UsageInitiate, &gssapi.CredOptions{
				Registry: r, Password: gssapi.Password([]byte("Password-of-" + user)),
			})
			require.NoError(t, err, upn)
			require.Equal(t, user+"@"+adRealm, whose(t, c))
			d.context(t, r, c, gssapi.HostBased("gss", "localhost"))
		}
	})
	t.Run("realm in lower case", func(t *testing.T) {
		_, m := d.engine(t, "canonicalize = true")
		elem, err := m.Login(testContext(t), "alice@ad.test", adPassword("alice"))
		require.NoError(t, err)
		require.Equal(t, "alice@"+adRealm, whose(t, credential(t, r, elem)))
	})
	t.Run("PAC", func(t *testing.T) {
		_, a := d.context(t, r, login(t, "alice"), gssapi.HostBased("gss", "localhost"))
		require.Equal(t, "alice@"+adRealm, a.Peer().String())
		attrs := a.Peer().Attributes()
		for _, want := range []string{"urn:mspac:", "urn:mspac:logon-info", "urn:mspac:client-info", "urn:mspac:server-checksum", "urn:mspac:privsvr-checksum", "urn:mspac:upn-dns-info"} {
			require.Contains(t, attrs, want)
			v, err := a.Peer().Attribute(want)
			require.NoError(t, err)
			require.True(t, v.Authenticated)
			require.NotEmpty(t, v.Values[0])
		}
		logon, err := krb5.Logon(a)
		require.NoError(t, err)
		require.Equal(t, "alice", logon.EffectiveName)
		require.Equal(t, "ADTEST", logon.LogonDomainName)
		require.Equal(t, "DC1", logon.LogonServer)
		require.Regexp(t, `^S-1-5-21-\d+-\d+-\d+-\d+$`, string(logon.UserSID))
		require.Regexp(t, `-513$`, string(logon.PrimaryGroupSID), "domain users")
		require.GreaterOrEqual(t, len(logon.Groups), 2, "domain users and testers: %v", logon.Groups)
		require.False(t, logon.PasswordLastSet.IsZero())
		upn, err := krb5.UPN(a)
		require.NoError(t, err)
		require.Equal(t, "alice@ad.test", upn.UPN)
		require.Equal(t, adRealm, upn.DNSDomain)
	})
	t.Run("password that must be changed", func(t *testing.T) {
		_, err := m.Login(testContext(t), "carol", adPassword("carol"))
		require.ErrorIs(t, err, krb5.ErrKeyExpired)
		var refusal *krb5.PasswordRefusal
		err = m.ChangePassword(testContext(t), "carol", passwordOf("Password-of-carol"), passwordOf("x"))
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, krb5.PasswordRejected, refusal.Result)
		require.Contains(t, refusal.Text, "7 characters")
		require.NoError(t, m.ChangePassword(testContext(t), "carol", passwordOf("Password-of-carol"), passwordOf("C\u00e4rol-new-2")))
		_, err = m.Login(testContext(t), "carol", &krb5.LoginOptions{Password: passwordOf("C\u00e4rol-new-2")})
		require.NoError(t, err)
	})
	t.Run("machine account", func(t *testing.T) {
		kt, err := keytab.Load("FILE:" + d.file("machine.keytab"))
		require.NoError(t, err)
		elem, err := m.Login(testContext(t), "MACHINE$", &krb5.LoginOptions{Keytab: kt})
		require.NoError(t, err)
		_, a := d.context(t, r, credential(t, r, elem), gssapi.HostBased("gss", "localhost"))
		require.Equal(t, "MACHINE$@"+adRealm, a.Peer().String())
		logon, err := krb5.Logon(a)
		require.NoError(t, err)
		require.Regexp(t, `-515$`, string(logon.PrimaryGroupSID), "domain computers")
	})
	t.Run("S4U", func(t *testing.T) {
		kt, err := keytab.Load("FILE:" + d.file("services.keytab"))
		require.NoError(t, err)
		elem, err := m.Login(testContext(t), "svc-front", &krb5.LoginOptions{Keytab: kt, Forwardable: true})
		require.NoError(t, err)
		cc := filepath.Join(t.TempDir(), "front")
		_, err = credential(t, r, elem).StoreInto(testContext(t), &gssapi.StoreOptions{Usage: gssapi.UsageInitiate, Store: gssapi.Store{"ccache": "FILE:" + cc}})
		require.NoError(t, err)
		front, err := gssapi.AcquireCred(testContext(t), gssapi.Principal("svc-front"), gssapi.UsageBoth, &gssapi.CredOptions{
			Registry: r, Store: gssapi.Store{"ccache": "FILE:" + cc},
		})
		require.NoError(t, err)
		c, err := gssapi.AcquireCred(testContext(t), gssapi.User("alice"), gssapi.UsageInitiate, &gssapi.CredOptions{Impersonator: front})
		require.NoError(t, err)
		require.Equal(t, "alice@"+adRealm, whose(t, c))
		_, a := d.context(t, r, c, gssapi.HostBased("HTTP", "back.ad.test"))
		require.Equal(t, "alice@"+adRealm, a.Peer().String())
		logon, err := krb5.Logon(a)
		require.NoError(t, err)
		require.Equal(t, "alice", logon.EffectiveName)
		require.Contains(t, a.Peer().Attributes(), "urn:mspac:delegation-info")

		i, err := gssapi.InitContext(gssapi.HostBased("gss", "localhost"), &gssapi.InitOptions{Cred: c})
		require.NoError(t, err)
		defer i.Close()
		_, _, err = i.Step(testContext(t), nil)
		require.ErrorIs(t, err, krb5.ErrBadOption, "a service that is not listed")
	})
}
