package oid_test

import (
	"fmt"

	"github.com/gss-go/gssapi/oid"
)

func Example() {
	o, err := oid.Parse("1.2.840.113554.1.2.2")
	fmt.Println(o == oid.Krb5, err)
	fmt.Printf("%x\n", o.AppendDER(nil))
	// Output:
	// true <nil>
	// 06092a864886f712010202
}
