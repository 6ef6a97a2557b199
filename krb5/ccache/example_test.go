package ccache_test

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi/krb5/ccache"
)

func Example() {
	ctx := context.Background()
	client, err := ccache.ParsePrincipal("alice@EXAMPLE.COM")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := ccache.NewMemory(client)
	if err := c.Store(ctx, ccache.ConfEntry(client, ccache.ConfStartRealm, nil, []byte("EXAMPLE.COM"))); err != nil {
		fmt.Println(err)
		return
	}
	contents, err := c.Load(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	realm, _ := contents.Config(ccache.ConfStartRealm, nil)
	fmt.Println(contents.Principal, len(contents.Credentials()), string(realm))
	// Output: alice@EXAMPLE.COM 0 EXAMPLE.COM
}
