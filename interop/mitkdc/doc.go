// Package mitkdc runs MIT's KDC and MIT's client programs in a directory of
// their own, on a loopback port, for tests and benchmarks that need a real peer.
//
// [Start] makes a realm with the principals asked for and starts krb5kdc;
// [Realm.Command] prepares a program that finds that realm and nothing of the
// machine's own configuration; [Build] compiles a C program against libgssapi.
// A program that is not installed is an error that names its Debian package:
// nothing here is skipped silently.
package mitkdc
