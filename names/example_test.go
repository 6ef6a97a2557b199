package names_test

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
)

func Example() {
	n := names.HostBased("imap", "MAIL.example.com")
	mn, err := n.Canonicalize(context.Background(), mechtest.NewToy("secret", nil))
	fmt.Println(n, mn, mn.Equal(names.HostBased("imap", "mail.example.com")), err)
	// Output: imap@MAIL.example.com imap@mail.example.com true <nil>
}
