package ccache_test

import (
	"context"
	"fmt"
	"os"

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

// Every cache of a collection, and whose it is.
func ExampleOpenCollection() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "caches")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	col, err := ccache.OpenCollection("DIR:"+dir, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, who := range []string{"alice@EXAMPLE.COM", "bob@EXAMPLE.COM"} {
		p, err := ccache.ParsePrincipal(who)
		if err != nil {
			fmt.Println(err)
			return
		}
		c, err := col.New(ctx, &ccache.Contents{Principal: p})
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := col.Switch(ctx, c); err != nil {
			fmt.Println(err)
			return
		}
	}
	list, err := col.Caches(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range list {
		p, err := c.Principal(ctx)
		fmt.Println(p, err)
	}
	// Output:
	// bob@EXAMPLE.COM <nil>
	// alice@EXAMPLE.COM <nil>
}
