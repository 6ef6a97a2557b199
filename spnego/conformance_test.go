package spnego_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/creds"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

const (
	protected = mech.FlagMutual | mech.FlagReplay | mech.FlagSequence | mech.FlagConf | mech.FlagInteg
	target    = "imap@mail.example.com"
)

var otherToy = mechtest.ToyOID.Append(1)

// The contract of package mech, around a toy.
func TestConformanceToy(t *testing.T) {
	toy := mechtest.NewToy("secret", nil)
	for name, m := range map[string]*spnego.Mechanism{
		"plain":         spnego.New(nil, toy),
		"mechListMIC":   spnego.New(&spnego.Config{RequireMechListMIC: true}, toy),
		"second":        spnego.New(nil, mechtest.NewToy("x", &mechtest.ToyOptions{OID: otherToy, NoDefault: true}), toy),
		"first of many": spnego.New(nil, toy, mechtest.NewToy("x", &mechtest.ToyOptions{OID: otherToy})),
	} {
		t.Run(name, func(t *testing.T) {
			mechtest.Run(t, mechtest.Harness{
				Initiator: m, Acceptor: m,
				InitCreds: acquire(toy, mech.UsageInitiate), AcceptCreds: acquire(toy, mech.UsageAccept),
				Target:     mechtest.Name{Text: target, Type: oid.NTHostBased},
				Foreign:    spnego.New(nil, mechtest.NewToy("other secret", nil)),
				Handshakes: []mech.Flags{protected, protected &^ mech.FlagMutual, mech.FlagMutual | mech.FlagInteg, protected | mech.FlagDCEStyle},
				Loose:      true,
			})
		})
	}
}

func acquire(m mech.Mechanism, u mech.Usage) func(t *testing.T) []mech.Cred {
	return func(t *testing.T) []mech.Cred {
		c, err := m.AcquireCred(t.Context(), mech.CredRequest{Usage: u})
		require.NoError(t, err)
		return []mech.Cred{c}
	}
}

// The same around Kerberos.
func TestConformanceKrb5(t *testing.T) {
	k := testenv.NewKDC(nil)
	defer k.Close()
	k.AddUser("alice", "correct horse")
	k.AddService("imap/mail.example.test")
	for name, c := range map[string]*spnego.Config{"plain": nil, "mechListMIC": {RequireMechListMIC: true}} {
		t.Run(name, func(t *testing.T) {
			krb5 := k.Mechanism(nil)
			m := spnego.New(c, krb5)
			r, err := mech.NewRegistry(krb5, m)
			require.NoError(t, err)
			user, err := k.UserCred("alice", r)
			require.NoError(t, err)
			service, err := k.ServiceCred("imap/mail.example.test", r)
			require.NoError(t, err)
			elements := func(c *creds.Cred, u mech.Usage) func(*testing.T) []mech.Cred {
				return func(*testing.T) []mech.Cred { return c.Elements(u) }
			}
			mechtest.Run(t, mechtest.Harness{
				Initiator: m, Acceptor: m,
				InitCreds: elements(user, mech.UsageInitiate), AcceptCreds: elements(service, mech.UsageAccept),
				Target:  mechtest.Name{Text: "imap@mail.example.test", Type: oid.NTHostBased},
				Foreign: spnego.New(nil, k.Mechanism(nil)),
				Loose:   true,
			})
		})
	}
}
