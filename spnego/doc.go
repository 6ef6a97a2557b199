// Package spnego will be the negotiation mechanism of RFC 4178. It has no code
// yet: a registry offers Kerberos 5 alone, and its tokens travel unwrapped.
package spnego
