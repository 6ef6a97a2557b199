package interop

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
)

// What MIT's KDC says of a user: a PAC without logon information, and how the
// user has logged in.
func TestAttributesOfMIT(t *testing.T) {
	s := newSite(t, "ATTR.TEST", &mitkdc.Options{
		Realm:    "        spake_preauth_indicator = spake\n        encrypted_challenge_indicator = fast\n",
		Sections: "[libdefaults]\n    spake_preauth_groups = edwards25519\n",
	},
		mitkdc.Principal{Name: "alice", Password: password("alice")},
		mitkdc.Principal{Name: "bob", Password: password("bob"), NoPreauth: true},
		mitkdc.Principal{Name: "gss/localhost", Keytab: "services.keytab", NoPreauth: true},
		mitkdc.Principal{Name: "plain/localhost", Keytab: "services.keytab", NoPreauth: true, NoPAC: true})
	r, m := s.engine(t)
	accept := func(t *testing.T, user, service string) *gssapi.SecContext {
		t.Helper()
		elem, err := m.Login(testContext(t), user, withPassword(user))
		require.NoError(t, err)
		i, err := gssapi.InitContext(gssapi.HostBased(service, "localhost"), &gssapi.InitOptions{Cred: credential(t, r, elem)})
		require.NoError(t, err)
		t.Cleanup(func() { i.Close() })
		a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: s.acceptor(t, r, service+"/localhost")})
		require.NoError(t, err)
		t.Cleanup(func() { a.Close() })
		token, _, err := i.Step(testContext(t), nil)
		require.NoError(t, err)
		_, more, err := a.Step(testContext(t), token)
		require.NoError(t, err)
		require.False(t, more)
		return a
	}
	t.Run("PAC", func(t *testing.T) {
		a := accept(t, "bob", "gss")
		attrs := a.Peer().Attributes()
		for _, want := range []string{krb5.AttrPAC, "urn:mspac:client-info", "urn:mspac:server-checksum", "urn:mspac:privsvr-checksum"} {
			require.Contains(t, attrs, want)
		}
		require.NotContains(t, attrs, krb5.AttrIndicators)
		_, err := krb5.Logon(a)
		require.ErrorIs(t, err, gssapi.ErrUnavailable)
		_, err = krb5.UPN(a)
		require.ErrorIs(t, err, gssapi.ErrUnavailable)
	})
	t.Run("indicators", func(t *testing.T) {
		a := accept(t, "alice", "gss")
		require.Contains(t, a.Peer().Attributes(), krb5.AttrIndicators)
		v, err := a.Peer().Attribute(krb5.AttrIndicators)
		require.NoError(t, err)
		require.True(t, v.Authenticated)
		require.Equal(t, [][]byte{[]byte("spake")}, v.Values)
	})
	t.Run("no PAC", func(t *testing.T) {
		require.Empty(t, accept(t, "bob", "plain").Peer().Attributes())
	})
}
