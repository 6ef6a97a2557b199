// Package v1 makes and reads the per-message tokens of RFC 1964 §1.2 for one
// established security context whose key is of Triple-DES (as MIT's library has
// them: no RFC describes its keys) or of RC4 (RFC 4757 §7). Contexts with newer
// keys have those of package cfx, whose contract this package shares.
//
// Everything that a key needs is made once, on first use, so that a message
// costs its own encryption and hash and no allocation. The two directions have
// nothing in common but the keys: sending never waits for receiving.
//
// Tokens are sent in the frame of RFC 2743 §3.1 with the OID that the context
// was established with. Accepted beyond that, because MIT's library does: tokens
// without a frame, and padding of any value, of which only the last byte is
// looked at.
//
// These tokens are weaker than those of RFC 4121, whoever makes them. The
// checksum does not cover the sequence number: with RC4 who is in the middle can
// change that of a token that is not sealed to any other, and thereby make it
// look like a gap or, where a context detects nothing else, replay it. It has 64
// bits. And with RC4 the key stream depends on the number alone, not on the
// sender: two tokens with the same number, one of each side, which is what
// happens without mutual authentication, tell the difference of their messages.
package v1
