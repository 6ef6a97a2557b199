package testenv_test

import (
	"fmt"
	"testing"

	"github.com/gss-go/gssapi/testenv"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/stretchr/testify/require"
)

// TestForeignClient lets gokrb5's client log in and get a service ticket over
// the loopback ports.
func TestForeignClient(t *testing.T) {
	for _, etype := range []int32{16, 17, 18, 19, 20, 23} {
		for name, o := range map[string]testenv.Options{"udp": {}, "tcp": {UDPLimit: -1}} {
			t.Run(fmt.Sprintf("%d/%s", etype, name), func(t *testing.T) {
				o.Enctypes = []int32{etype}
				k := newKDC(t, &o)
				table := k.AddService("HTTP@www.example.test")
				c := client.NewWithPassword("alice", realm, password, krb5Config(t, k, etype), client.DisablePAFXFAST(true))
				defer c.Destroy()
				require.NoError(t, c.Login())
				ticket, key, err := c.GetServiceTicket("HTTP/www.example.test")
				require.NoError(t, err)
				require.Equal(t, etype, key.KeyType)
				require.Equal(t, etype, ticket.EncPart.EType)
				require.Equal(t, key, openTicket(t, ticket, table).Key)
			})
		}
	}
}

func TestForeignClientKeytab(t *testing.T) {
	k := newKDC(t, nil)
	kt := keytab.New()
	require.NoError(t, kt.Unmarshal(k.UserKeytab("alice")))
	c := client.NewWithKeytab("alice", realm, kt, krb5Config(t, k, 19), client.DisablePAFXFAST(true))
	defer c.Destroy()
	require.NoError(t, c.Login())
	_, _, err := c.GetServiceTicket(service)
	require.NoError(t, err)

	require.Nil(t, k.UserKeytab("nobody"))
}

func TestForeignClientRefused(t *testing.T) {
	k := newKDC(t, nil)
	for name, user := range map[string]string{"wrong password": "alice", "unknown user": "bob"} {
		t.Run(name, func(t *testing.T) {
			c := client.NewWithPassword(user, realm, "wrong", krb5Config(t, k, 18), client.DisablePAFXFAST(true))
			defer c.Destroy()
			require.Error(t, c.Login())
		})
	}
}
