package keytab_test

import (
	"fmt"

	"github.com/gss-go/gssapi/krb5/keytab"
)

func Example() {
	p, err := keytab.ParsePrincipal("HTTP/www.example.com@EXAMPLE.COM")
	if err != nil {
		fmt.Println(err)
		return
	}
	var k keytab.Keytab
	for kvno := range uint32(3) {
		if err := k.Add(keytab.Entry{Principal: p, Kvno: kvno + 1, Key: keytab.NewKey(18, make([]byte, 32))}); err != nil {
			fmt.Println(err)
			return
		}
	}
	newest, err := k.Lookup(p, 0, 18)
	fmt.Println(newest.Kvno, newest.Key.Value, err)
	_, err = k.Lookup(p, 9, 18)
	fmt.Println(err)
	// Output:
	// 3 [redacted] <nil>
	// KRB5_KT_KVNONOTFOUND: key version number for principal in key table is incorrect: HTTP/www.example.com@EXAMPLE.COM, kvno 9
}
