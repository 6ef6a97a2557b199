// Command bench measures context establishment and messages in this module and
// in MIT's libgssapi, one after the other on the same tickets, and prints both
// with their ratio as a table:
//
//	go run .
//
// It needs gcc, pkg-config and the Debian packages krb5-kdc krb5-admin-server
// krb5-user libkrb5-dev. Times are processor time of the whole process, so that
// other load on the machine counts little and Go's garbage collection counts in
// full; each is the median over the rounds. The work of the C program is in
// c/gssbench.c, ours in work.go, in the same order and the same batches.
//
// What is alike: cache and keytab are read before the clock runs, tickets have
// no PAC. What is not: our acceptor has its replay cache, MIT's is switched off,
// as it would write and sync a file for each context; MIT's library allocates
// each token, ours appends to a buffer that is used again.
//
// The benchmarks of this package do the same with the embedded KDC and need Go
// alone:
//
//	go test -bench .
package main
