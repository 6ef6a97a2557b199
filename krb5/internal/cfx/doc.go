// Package cfx makes and reads the per-message tokens of RFC 4121 §4.2 for one
// established security context: Wrap tokens, sealed or with integrity alone, and
// MIC tokens.
//
// Everything that a key needs is derived once, on first use, so that a message
// costs its own encryption and hash and no allocation. The two directions have
// nothing in common but the keys: sending never waits for receiving.
//
// Accepted beyond the letter of the RFC, because MIT's library does: the frame of
// RFC 2743 §3.1 around a token, with the OID of Kerberos; and the flag
// AcceptorSubkey where there is no such key, which then means the initiator's.
// Any rotation count is undone; it is the one field of a token that nothing
// protects, and changing it by a multiple of the length changes nothing.
package cfx
