package conf_test

import (
	"fmt"

	"github.com/gss-go/gssapi/krb5/conf"
)

func Example() {
	c, err := conf.Parse(`
[libdefaults]
	default_realm = EXAMPLE.COM
	clockskew = 2m
[realms]
	EXAMPLE.COM = {
		kdc = kdc1.example.com
		kdc = kdc2.example.com:8888
	}
[domain_realm]
	.example.com = EXAMPLE.COM
`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.DefaultRealm(), c.ClockSkew())
	fmt.Println(c.Servers("EXAMPLE.COM", "kdc"))
	fmt.Println(c.RealmOf("www.example.com"))
	// Output:
	// EXAMPLE.COM 2m0s
	// [kdc1.example.com kdc2.example.com:8888]
	// EXAMPLE.COM true
}
