package krb5_test

import (
	"testing"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/testenv"
)

func TestConformance(t *testing.T) {
	k := testenv.NewKDC(nil)
	t.Cleanup(func() { k.Close() })
	k.AddUser("alice", "pw")
	k.AddService("imap/mail.example.com")
	r := k.Registry()
	m, err := r.Lookup(gssapi.Krb5)
	if err != nil {
		t.Fatal(err)
	}
	uc, err := k.UserCred("alice", r)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := k.ServiceCred("imap/mail.example.com", r)
	if err != nil {
		t.Fatal(err)
	}
	k2 := testenv.NewKDC(nil)
	t.Cleanup(func() { k2.Close() })
	f, _ := k2.Registry().Lookup(gssapi.Krb5)
	k2.AddUser("alice", "pw")
	k2.AddService("imap/mail.example.com")
	r2, err := mech.NewRegistry(f)
	if err != nil {
		t.Fatal(err)
	}
	fc := func(t *testing.T, u mech.Usage) mech.Cred {
		c, err := k2.UserCred("alice", r2)
		if u == mech.UsageAccept {
			c, err = k2.ServiceCred("imap/mail.example.com", r2)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c.Elements(u)[0]
	}
	for _, flags := range [][]mech.Flags{nil, {mech.FlagDCEStyle | mech.FlagMutual | mech.FlagInteg | mech.FlagConf}} {
		mechtest.Run(t, mechtest.Harness{
			Initiator: m, Acceptor: m, Foreign: f, ForeignCred: fc, Handshakes: flags,
			InitCreds:   func(*testing.T) []mech.Cred { return uc.Elements(mech.UsageInitiate) },
			AcceptCreds: func(*testing.T) []mech.Cred { return sc.Elements(mech.UsageAccept) },
			Target:      mechtest.Name{Text: "imap@mail.example.com", Type: gssapi.NTHostBased},
			Names:       []mechtest.Name{{Text: "alice"}, {Text: "bob@OTHER.REALM"}, {Text: "imap@mail.example.com", Type: gssapi.NTHostBased}, {Text: "a/b\\/c", Type: gssapi.NTKrb5Principal}},
		})
	}
}
