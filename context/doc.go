// Package secctx holds security contexts: what two peers share once they have
// authenticated each other.
//
// [Init] and [Accept] make the two sides, [SecContext.Step] or [Exchange] take
// them through the handshake, and then [SecContext.Wrap] and its siblings protect
// messages. The directory is called context after the RFC; the package is not, so
// that a file can use it together with the standard library's.
//
// Programs use package gssapi, which has all of this under its own names.
package secctx
