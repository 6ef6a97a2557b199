// Package krb5 is the Kerberos 5 mechanism of the GSS-API (RFC 4121), in Go
// alone: tickets, contexts and per-message tokens without libkrb5.
//
// Programs that are happy with the machine's krb5.conf, credential cache and
// keytab need only package gssapi, whose default registry has this mechanism.
// This package is for those who configure it: [New] makes a mechanism of its
// own from a [Config], [Mechanism.Login] gets credentials with a password or a
// keytab, and [Code] says what went wrong.
//
// Encryption types are aes128-cts-hmac-sha1-96, aes256-cts-hmac-sha1-96,
// aes128-cts-hmac-sha256-128 and aes256-cts-hmac-sha384-192.
package krb5
