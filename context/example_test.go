package secctx_test

import (
	"context"
	"fmt"

	secctx "github.com/gss-go/gssapi/context"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
)

// The two sides of a handshake in one process, without a transport.
func Example() {
	ctx := context.Background()
	r, err := mech.NewRegistry(mechtest.NewToy("secret", nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	i, err := secctx.Init(names.HostBased("imap", "mail.example.com"), &secctx.InitOptions{Registry: r})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer i.Close()
	a, err := secctx.Accept(&secctx.AcceptOptions{Registry: r})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()

	var token []byte
	for more := true; more; {
		if token, more, err = i.Step(ctx, token); err != nil {
			fmt.Println(err)
			return
		}
		if len(token) == 0 {
			break
		}
		if token, _, err = a.Step(ctx, token); err != nil {
			fmt.Println(err)
			return
		}
	}
	sealed, err := i.Wrap(nil, []byte("hello"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	msg, info, err := a.Unwrap(nil, sealed)
	fmt.Printf("%s says %s, encrypted %v, %v\n", a.Peer(), msg, info.Encrypted, err)
	// Output: user says hello, encrypted true, <nil>
}
