// Package mech is the contract between the GSS-API and its mechanisms: the
// small interfaces an engine fills, and the [Registry] that finds one.
//
// Programs use package gssapi. This package is for those who write a mechanism:
// [Mechanism] with its [Name], [Cred] and [Context] is all an engine must have.
// What it can do besides is an interface of its own ([Protector], [PRF], …)
// found by type assertion; a missing one is reported as gsserr.ErrUnavailable.
// Package mechtest checks that an engine keeps the contract.
//
// Engines return [*gsserr.Error] and keep these promises: names, credentials and
// mechanisms are safe for concurrent use; nothing but AcquireCred, Step and the
// methods with a context.Context does I/O; no goroutine outlives the call that
// started it; no error holds a secret.
package mech
