package mech_test

import (
	"fmt"

	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
)

// A registry finds mechanisms by OID, attribute and SASL name. The first is the
// default.
func Example() {
	r, err := mech.NewRegistry(mechtest.NewToy("secret", nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := r.Lookup(mechtest.ToyOID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Info().Name, m.Info().HasAttr(mech.MAConfProt))
	_, seals := m.(mech.ContextImporter) // optional abilities are found by assertion
	fmt.Println(seals)
	// Output:
	// toy true
	// true
}

// The frame of RFC 2743 §3.1 around an initial token.
func ExampleParseToken() {
	token := mech.AppendToken(nil, mechtest.ToyOID, []byte("hello"))
	m, body, err := mech.ParseToken(token)
	fmt.Println(m == mechtest.ToyOID, string(body), err)
	// Output: true hello <nil>
}
