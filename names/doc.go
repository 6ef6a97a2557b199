// Package names holds the names of users and services, apart from any
// mechanism.
//
// A [Name] starts as text with a type, such as imap@mail.example.com of type
// oid.NTHostBased. A mechanism makes its own kind out of it, a mechanism name or
// MN (RFC 2743 §1.1.5), when the name is used or with [Name.Canonicalize]; only
// an MN can be exported, and only exported names ([Name.Key]) belong into access
// lists.
//
// Programs use package gssapi, which has all of this under its own name.
package names
