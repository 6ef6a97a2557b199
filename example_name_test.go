package gssapi_test

import (
	"fmt"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/mech"
)

// A name is text and a type until a mechanism makes it its own.
func ExampleImportName() {
	k := newRealm()
	defer k.Close()
	n, err := gssapi.ImportName("imap@mail.example.test", gssapi.NTHostBased)
	check(err)
	fmt.Println(n, n.Type() == gssapi.NTHostBased)
	mn, err := n.Canonicalize(ctx, k.Mechanism(nil))
	check(err)
	fmt.Println(mn, mn.Type() == gssapi.NTKrb5Principal)
	// Output:
	// imap@mail.example.test true
	// imap/mail.example.test@EXAMPLE.TEST true
}

func ExampleHostBased() {
	fmt.Println(gssapi.HostBased("imap", "mail.example.test"))
	fmt.Println(gssapi.HostBased("imap", "")) // on any host, to accept
	// Output:
	// imap@mail.example.test
	// imap
}

func ExampleUser() {
	fmt.Println(gssapi.User("alice"), gssapi.User("alice").Type() == gssapi.NTUserName)
	// Output: alice true
}

func ExamplePrincipal() {
	n := gssapi.Principal("alice/admin@EXAMPLE.TEST")
	fmt.Println(n, n.Type() == gssapi.NTKrb5Principal)
	// Output: alice/admin@EXAMPLE.TEST true
}

// Exported names are bytes to store, and to compare.
func ExampleImportExportedName() {
	k := newRealm()
	defer k.Close()
	n, err := gssapi.Principal("alice").Canonicalize(ctx, k.Mechanism(nil))
	check(err)
	b, err := n.Export()
	check(err)
	again, err := gssapi.ImportExportedName(b, k.Registry())
	check(err)
	fmt.Println(again)
	// Output: alice@EXAMPLE.TEST
}

func ExampleMechs() {
	fmt.Println(gssapi.Mechs())
	// Output: [1.2.840.113554.1.2.2 1.3.6.1.5.5.2]
}

func ExampleMechInfo() {
	info, err := gssapi.MechInfo(gssapi.Krb5)
	check(err)
	fmt.Println(info.Name, mech.SASLName(info), info.HasAttr(mech.MAConfProt))
	// Output: krb5 GS2-KRB5 true
}

func ExampleMechsByAttrs() {
	negotiate := gssapi.MechsByAttrs([]gssapi.OID{mech.MAMechNego}, nil, nil)
	fmt.Println(len(negotiate), negotiate[0] == gssapi.SPNEGO)
	// Output: 1 true
}

func ExampleMechBySASLName() {
	m, err := gssapi.MechBySASLName("GS2-KRB5")
	fmt.Println(m == gssapi.Krb5, err)
	// Output: true <nil>
}

func ExampleMechsForName() {
	fmt.Println(gssapi.MechsForName(gssapi.Principal("alice@EXAMPLE.TEST"))[0] == gssapi.Krb5)
	// Output: true
}

func ExampleDisplayMechAttr() {
	name, short, _, err := gssapi.DisplayMechAttr(mech.MAConfProt)
	fmt.Println(name, short, err)
	// Output: GSS_C_MA_CONF_PROT conf-prot <nil>
}
