package kkdcp_test

import (
	"fmt"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/kkdcp"
)

func ExampleNewNetwork() {
	m := krb5.New(&krb5.Config{KDC: kkdcp.NewNetwork(nil)})
	fmt.Println(m.Info().Name)
	// Output: krb5
}
