// Package interop holds the tests against other implementations: MIT's KDC, its
// client programs, its sample programs, and programs of ours on the libgssapi of
// MIT and of Heimdal and on Java's JGSS.
//
// They need the Debian packages that .ci/run lists; without them they fail. Run
// them in this directory, since it is a module of its own:
//
//	go test ./...
package interop
