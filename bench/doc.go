// Command bench measures context establishment and messages in this module, in
// MIT's libgssapi, in Heimdal's and in Java, one after the other with the same
// KDC, and prints them side by side, with the ratio of the fastest of the others
// to us:
//
//	go run .
//
// It needs gcc, pkg-config and the Debian packages krb5-kdc krb5-admin-server
// krb5-user libkrb5-dev heimdal-multidev openjdk-17-jdk-headless. With -openssl
// and a folder that has MIT's libraries built with configure
// --with-crypto-impl=openssl these are measured too. Times are processor time of
// the whole process, so that other load on the machine counts little and Go's
// garbage collection counts in full, but in Java of the one thread that works;
// each is the median over the rounds. The work of the C program is in
// c/gssbench.c, Java's in java/GssBench.java, ours in work.go, in the same order
// and the same batches. docs/performance.md has results, and says what is alike
// and what is not.
//
// The benchmarks of this package do the same with the embedded KDC and need Go
// alone:
//
//	go test -bench .
package main
