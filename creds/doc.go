// Package creds holds credentials: what a user or a service proves its identity
// with.
//
// A [Cred] is a set of elements, at most one for each mechanism. [Acquire]
// finds or makes them; [Cred.Add], [Cred.WithNegMechs] and [Cred.WithOption]
// return changed copies. There is nothing to release.
//
// Programs use package gssapi, which has all of this under its own names.
package creds
