// Package interop holds the tests against other implementations: MIT's KDC, its
// client programs, its sample programs and a C program of ours on its libgssapi.
//
// They need the Debian packages krb5-kdc krb5-admin-server krb5-user
// krb5-gss-samples libkrb5-dev gcc pkg-config; without them they fail. Run them
// in this directory, since it is a module of its own:
//
//	go test ./...
package interop
