package testenv_test

import (
	"fmt"

	"github.com/gss-go/gssapi/testenv"
)

// Two sides of a security context for a test of messages, without sockets.
func Example() {
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	defer k.Close()
	k.AddUser("alice", "correct horse")

	client, server, err := testenv.Pair(k, &testenv.PairOptions{Client: "alice", Service: "imap@mail.example.test"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	defer server.Close()

	token, _ := client.Wrap(nil, []byte("hello"), nil) // encrypted
	msg, _, _ := server.Unwrap(nil, token)
	fmt.Printf("%s says %s\n", server.Peer(), msg)
	// Output: alice@EXAMPLE.TEST says hello
}
