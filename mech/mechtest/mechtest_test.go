package mechtest_test

import (
	"testing"

	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
)

func TestToy(t *testing.T) {
	m := mechtest.NewToy("secret", nil)
	h := mechtest.Harness{
		Initiator: m, Acceptor: m,
		Target: mechtest.Name{Text: "imap@mail.example.com", Type: oid.NTHostBased},
		Names: []mechtest.Name{
			{Text: "user", Type: oid.NTUserName}, {Text: "other"},
			{Text: "imap@mail.example.com", Type: oid.NTHostBased}, {Text: "imap", Type: oid.NTHostBased},
		},
		Foreign: mechtest.NewToy("other secret", nil),
	}
	t.Run("one value", func(t *testing.T) { mechtest.Run(t, h) })
	t.Run("two values", func(t *testing.T) {
		h.Acceptor = mechtest.NewToy("secret", nil)
		h.AcceptCreds = func(t *testing.T) []mech.Cred {
			c, err := h.Acceptor.AcquireCred(t.Context(), mech.CredRequest{Usage: mech.UsageAccept})
			if err != nil {
				t.Fatal(err)
			}
			return []mech.Cred{c}
		}
		h.Handshakes = []mech.Flags{mech.FlagMutual | mech.FlagDCEStyle | mech.FlagInteg | mech.FlagConf, mech.FlagInteg}
		mechtest.Run(t, h)
	})
}
