// Package interop holds the tests against other implementations: MIT's KDC, its
// client programs, its sample programs, programs of ours on the libgssapi of
// MIT and of Heimdal, Java's JGSS, python-gssapi, and the HTTP servers, proxies
// and clients that speak Negotiate. docs/interop.md says which test shows what.
//
// They need the Debian packages that .ci/run lists; without them they fail. Run
// them in this directory, since it is a module of its own:
//
//	go test ./...
package interop
