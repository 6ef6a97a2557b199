package mechtest_test

import (
	"testing"

	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
)

// A mechanism's own test runs it through the suite.
func ExampleRun() {
	_ = func(t *testing.T) { // TestConformance
		m := mechtest.NewToy("secret", nil)
		mechtest.Run(t, mechtest.Harness{
			Initiator:  m,
			Acceptor:   m,
			Target:     mechtest.Name{Text: "imap@mail.example.test", Type: oid.NTHostBased},
			Names:      []mechtest.Name{{Text: "alice", Type: oid.NTUserName}, {Text: "bob", Type: oid.NTUserName}},
			Handshakes: []mech.Flags{mech.FlagMutual | mech.FlagInteg},
		})
	}
	// Output:
}
