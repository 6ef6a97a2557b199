package interop

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
)

// exchange sends each kind of message each way, and back.
func (p *pair) exchange(t *testing.T) {
	t.Helper()
	for n := range 50 {
		msg := make([]byte, n*n)
		for k := range kinds {
			got, err := p.give(t, k, msg, p.make(t, k, msg))
			require.NoError(t, err)
			require.Len(t, got, len(msg))
			got, err = p.take(t, k, msg, p.theirs(k, msg))
			require.NoError(t, err)
			require.Len(t, got, len(msg))
		}
	}
}

func TestMutual(t *testing.T) {
	eachRole(t, func(t *testing.T, a *attempt) { a.establish(t).exchange(t) })
}

func TestOneWay(t *testing.T) {
	eachRole(t, func(t *testing.T, a *attempt) {
		a.omit = gssapi.FlagMutual
		a.establish(t).exchange(t)
	})
}

// The third leg that DCE RPC wants, with which gss-client cannot be asked.
func TestDCEStyle(t *testing.T) {
	eachRole(t, func(t *testing.T, a *attempt) {
		a.flags = gssapi.FlagDCEStyle
		a.establish(t).exchange(t)
	})
}

// RFC 4537: although the ticket has an older enctype, the acceptor's subkey is
// of the best one that both permit.
func TestNegotiatedEnctype(t *testing.T) {
	_, err := realm.WriteConfig("newest-first.conf", mitkdc.AES256SHA2, mitkdc.AES128SHA2, mitkdc.AES256SHA1, mitkdc.AES128SHA1)
	require.NoError(t, err)
	eachRole(t, func(t *testing.T, a *attempt) {
		a.conf = "newest-first.conf"
		p := a.establish(t)
		require.Equal(t, mitkdc.AES256SHA2, p.ours.Info().Enctype)
		p.exchange(t)

		a.omit = gssapi.FlagMutual // nobody to negotiate with
		p = a.establish(t)
		for _, e := range enctypes {
			if e.short == a.enctype {
				require.Equal(t, e.long, p.ours.Info().Enctype)
			}
		}
		p.exchange(t)
	})
}

func TestNoDetection(t *testing.T) {
	eachRole(t, func(t *testing.T, a *attempt) {
		a.omit = gssapi.FlagReplay | gssapi.FlagSequence
		p := a.establish(t)
		text := []byte("twice")
		ours, theirs := p.make(t, sealed, text), p.theirs(sealed, text)
		for range 2 {
			_, err := p.give(t, sealed, text, ours)
			require.NoError(t, err)
			_, err = p.take(t, sealed, text, theirs)
			require.NoError(t, err)
		}
	})
}

func TestChannelBindings(t *testing.T) {
	bound := &gssapi.ChannelBindings{Application: []byte("tls-unique:of-the-test")}
	const same, other = "tls-unique:of-the-test", "tls-unique:of-another"

	t.Run("initiate", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			ours   *gssapi.ChannelBindings
			theirs string
			ok     bool
		}{
			{"both", bound, same, true},
			{"different", bound, other, false},
			{"none of theirs", bound, "", true},
			{"none of ours", nil, same, true}, // MIT lets an initiator leave them out
		} {
			t.Run(tt.name, func(t *testing.T) {
				a := &attempt{enctype: "aes256-sha1", initiate: true, ours: tt.ours, theirs: tt.theirs}
				if tt.ok {
					a.establish(t).exchange(t)
					return
				}
				_, ourErr, peerErr := a.run(t)
				require.Error(t, ourErr)
				require.ErrorContains(t, peerErr, "hannel bindings")
			})
		}
	})
	t.Run("accept", func(t *testing.T) {
		for _, tt := range []struct {
			name     string
			ours     *gssapi.ChannelBindings
			optional bool
			theirs   string
			bound    bool
			want     error
		}{
			{"both", bound, false, same, true, nil},
			{"different", bound, false, other, false, gssapi.ErrBadBindings},
			{"different, optional", bound, true, other, false, gssapi.ErrBadBindings},
			{"none of theirs", bound, false, "", false, gssapi.ErrBadBindings},
			{"none of theirs, optional", bound, true, "", false, nil},
			{"none of ours", nil, false, same, false, nil},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a := &attempt{enctype: "aes256-sha1", ours: tt.ours, optional: tt.optional, theirs: tt.theirs}
				if tt.want == nil {
					p := a.establish(t)
					require.Equal(t, tt.bound, p.ours.Info().Flags.Has(gssapi.FlagChannelBound))
					p.exchange(t)
					return
				}
				_, ourErr, peerErr := a.run(t)
				require.ErrorIs(t, ourErr, tt.want)
				require.Error(t, peerErr)
			})
		}
	})
}

// A ticket for a service whose key the acceptor does not have.
func TestWrongService(t *testing.T) {
	cc := kinit(t, "krb5.conf", "alice")
	r, _ := engine(t, "krb5.conf", cc)

	t.Run("accept", func(t *testing.T) {
		p := startPeer(t, environ("krb5.conf", cc), "initiate", "service=host@localhost")
		c, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, "aes256-sha1")})
		require.NoError(t, err)
		defer c.Close()
		require.Error(t, gssapi.Exchange(testContext(t), c, p.send, p.recv))
		_, err = p.established()
		require.ErrorContains(t, err, "init_sec_context") // it has read our error token
	})
	t.Run("initiate", func(t *testing.T) {
		p := startPeer(t, environ("krb5.conf", cc), "accept", "service=aes256-sha1@localhost")
		c, err := gssapi.InitContext(gssapi.HostBased("host", "localhost"), &gssapi.InitOptions{Registry: r})
		require.NoError(t, err)
		defer c.Close()
		require.Error(t, gssapi.Exchange(testContext(t), c, p.send, p.recv))
		_, err = p.established()
		require.ErrorContains(t, err, "accept_sec_context")
	})
}

// A ticket under a key whose enctype the acceptor's configuration does not
// permit is refused, although the keytab has the key. MIT's library does so too.
func TestTicketNotPermitted(t *testing.T) {
	const client, strict = "krb5.conf", "aes256-sha2.conf" // the KDC takes the first key of host, aes128-sha1
	cc := kinit(t, client, "alice")
	r, _ := engine(t, client, cc)

	t.Run("accept", func(t *testing.T) {
		strictly, _ := engine(t, strict, cc)
		p := startPeer(t, environ(client, cc), "initiate", "service=host@localhost")
		c, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, strictly, "host")})
		require.NoError(t, err)
		defer c.Close()
		require.Error(t, gssapi.Exchange(testContext(t), c, p.send, p.recv))
	})
	t.Run("initiate", func(t *testing.T) {
		p := startPeer(t, environ(strict, cc), "accept", "service=host@localhost")
		c, err := gssapi.InitContext(gssapi.HostBased("host", "localhost"), &gssapi.InitOptions{Registry: r})
		require.NoError(t, err)
		defer c.Close()
		require.Error(t, gssapi.Exchange(testContext(t), c, p.send, p.recv))
	})
}
