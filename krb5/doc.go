// Package krb5 is the Kerberos 5 mechanism of the GSS-API (RFC 4121), in Go
// alone: tickets, contexts and per-message tokens without libkrb5.
//
// Programs that are happy with the machine's krb5.conf, credential cache and
// keytab need only package gssapi, whose default registry has this mechanism.
// This package is for those who configure it: [New] makes a mechanism of its
// own from a [Config], [Mechanism.Login] gets credentials with a password or a
// keytab, and [Code] says what went wrong.
//
// # Encryption types
//
// By default they are, the best first, aes256-cts-hmac-sha1-96,
// aes128-cts-hmac-sha1-96, aes256-cts-hmac-sha384-192,
// aes128-cts-hmac-sha256-128, camellia128-cts-cmac and camellia256-cts-cmac, in
// MIT's order.
//
// The types des3-cbc-sha1 and arcfour-hmac, which is RC4, are for peers that have
// nothing better. Neither is offered, accepted or used to read a ticket or a
// cache unless libdefaults in krb5.conf has allow_des3 or allow_rc4 as true;
// naming one in permitted_enctypes or in [Config].Enctypes is not enough. That is
// stricter than MIT's library, where only the KDC asks for these two and a client
// or acceptor uses what permitted_enctypes names, both by default. Once allowed
// they come in MIT's order, before Camellia. Single DES, export-grade RC4 and
// des3-cbc-raw do not exist here, whatever allow_weak_crypto says.
//
// Contexts whose key is of one of these two types protect messages with the
// tokens of RFC 1964 and RFC 4757 and not with those of RFC 4121, unless both
// sides can do better (RFC 4537). Where the process enforces FIPS 140-3 only the
// types of RFC 8009 exist.
//
// # Delegation
//
// An initiator that asks for delegation hands on a forwarded ticket-granting
// ticket, if its own is forwardable; with FlagDelegPolicy, or where krb5.conf has
// enforce_ok_as_delegate, only to services that the KDC marks as fit for it. If
// that cannot be had the context comes about without; require FlagDeleg to fail
// instead. The acceptor finds the credential in the context's Delegated.
//
// A service can act for users who delegate nothing, towards the services that the
// KDC lets it act (constrained delegation): by the Impersonate of a credential, or by
// accepting with a credential that is good for both uses, such as one with a
// keytab and a client keytab. Such an acceptor has a Delegated, and FlagDeleg,
// for every context; whether the KDC agrees turns out when it is used.
package krb5
