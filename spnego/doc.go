// Package spnego is the negotiation mechanism of the GSS-API (RFC 4178): two
// peers agree on one of the mechanisms that both have, and protect the choice
// against who would weaken it.
//
// [New] makes a mechanism that negotiates any others. It has no names,
// credentials or keys of its own: once a context is established, everything is
// that of the chosen mechanism.
//
// What Windows, Java and old versions of MIT and Heimdal send beside the RFC
// (MS-SPNG) is accepted where it does no harm, and what is sent is what all of
// them accept.
package spnego
