package gsserr_test

import (
	"errors"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
)

func Example() {
	var err error = gsserr.New("accept_sec_context", gsserr.ErrCredentialsExpired, errors.New("ticket expired"))
	fmt.Println(err)
	fmt.Println(errors.Is(err, gsserr.ErrCredentialsExpired), errors.Is(err, gsserr.ErrNoCred))
	// Output:
	// gssapi: accept_sec_context: credentials expired: ticket expired
	// true false
}
