package apreq

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

func pattern(realm string, components ...string) principal.Name {
	return principal.Name{Type: principal.TypeSrvHst, Realm: realm, Components: components}
}

func TestServiceMatches(t *testing.T) {
	for _, tc := range []struct {
		name    string
		service Service
		want    bool
	}{
		{"nothing", Service{}, true},
		{"any", Service{Name: pattern("", "", "")}, true},
		{"service", Service{Name: pattern("", "host", "")}, true},
		{"other service", Service{Name: pattern("", "ftp", "")}, false},
		{"service and host", Service{Name: pattern("", "host", "server.example.test")}, true},
		{"other host", Service{Name: pattern("", "host", "other.example.test")}, false},
		{"host", Service{Name: pattern("", "", "server.example.test")}, true},
		{"realm", Service{Name: pattern("EXAMPLE.TEST", "", "")}, true},
		{"other realm", Service{Name: pattern("OTHER.TEST", "", "")}, false},
		{"case counts", Service{Name: pattern("", "host", "SERVER.example.test")}, false},
		{"one component", Service{Name: pattern("", "host")}, false},
		{"three components", Service{Name: pattern("", "host", "server.example.test", "")}, false},
		{"exact", Service{Name: service, Exact: true}, true},
		{"exact with another realm", Service{Name: service.WithRealm("OTHER.TEST"), Exact: true}, false},
		{"exact without realm", Service{Name: service.WithRealm(""), Exact: true}, false},
		{"exact is no pattern", Service{Name: pattern("EXAMPLE.TEST", "host", ""), Exact: true}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, tc.service.Matches(service))
		})
	}
	user := Service{Name: principal.New("", "alice")}
	require.True(t, user.Matches(alice))
	require.False(t, user.Matches(principal.New("EXAMPLE.TEST", "bob")))
	user.Name.Realm = "OTHER.TEST"
	require.False(t, user.Matches(alice))
}

// The name in a ticket is in the clear: the key decides who the service is.
func TestServiceAlias(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	s.ticket.Server = principal.New("EXAMPLE.TEST", "host", "alias.example.test")
	require.Equal(t, service, s.accepted(t).Server)

	s.acceptor.Service.Name = pattern("", "host", "server.example.test")
	require.Equal(t, service, s.accepted(t).Server, "limited to the keytab's name")

	s.acceptor.Service.Name, s.acceptor.Service.Exact = service, true
	require.Equal(t, service, s.accepted(t).Server, "one whole name")

	s.acceptor.Service.Exact = false
	s.acceptor.Service.Name = pattern("", "host", "alias.example.test")
	_, _, err := s.accept(t)
	require.ErrorIs(t, err, krberr.APNoKey, "the ticket's name must not stand in for the keytab's")
}

// A ticket that names a permitted principal does not open with the key of
// another one that the acceptor does not accept under.
func TestServiceKeyOfOther(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	other := principal.New("EXAMPLE.TEST", "ftp", "server.example.test")
	otherKey := newKey(t, etype.AES256SHA1)
	s.acceptor.Service.Keys = append(s.acceptor.Service.Keys, ServiceKey{other, 3, otherKey})
	s.sealed = otherKey
	require.Equal(t, other, s.accepted(t).Server, "any key")

	s.acceptor.Service.Name = pattern("", "host", "")
	_, _, err := s.accept(t)
	require.ErrorIs(t, err, krberr.APBadIntegrity)

	s.ticket.Server = other
	_, _, err = s.accept(t)
	require.ErrorIs(t, err, krberr.APNotUs)
}

// While a key is being changed both versions open tickets.
func TestServiceVersions(t *testing.T) {
	s := newScene(t, etype.AES256SHA1)
	old, type17 := s.key, newKey(t, etype.AES128SHA1)
	s.key = newKey(t, etype.AES256SHA1)
	s.acceptor.Service.Keys = []ServiceKey{{service, 4, s.key}, {service, 3, type17}, {service, 3, old}}
	s.ticket.Enc.Kvno = 4
	for _, exact := range []bool{false, true} {
		s.acceptor.Service.Name, s.acceptor.Service.Exact = service, exact
		s.sealed, s.ticket.Enc.Kvno = nil, 4
		s.accepted(t)
		s.sealed, s.ticket.Enc.Kvno = old, 3
		s.accepted(t)
	}
	s.sealed, s.ticket.Enc.Kvno = old, 4
	_, _, err := s.accept(t)
	require.ErrorIs(t, err, krberr.APBadIntegrity, "exact: the key of that version only")
	s.acceptor.Service.Exact = false
	s.accepted(t)
}
