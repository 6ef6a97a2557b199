package creds_test

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi/creds"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
)

func Example() {
	ctx := context.Background()
	r, err := mech.NewRegistry(mechtest.NewToy("secret", nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := creds.Acquire(ctx, names.User("alice"), mech.UsageInitiate, &creds.Options{
		Registry: r,
		Password: creds.Password([]byte("secret")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := c.Info(ctx)
	fmt.Println(info.Name, info.Usage, err)
	// Output: alice initiate <nil>
}
