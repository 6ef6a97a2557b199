// Package spnego is the negotiation mechanism of the GSS-API (RFC 4178): two
// peers agree on one of the mechanisms that both have, and protect the choice
// against who would weaken it.
//
// [New] makes a mechanism that negotiates any others. It has no names,
// credentials or keys of its own: once a context is established, everything is
// that of the chosen mechanism.
//
// # What is accepted
//
// What Windows, Java, Samba and old versions of MIT, Heimdal and Solaris send
// beside the RFC (MS-SPNG) is accepted where it does no harm: Kerberos under
// Microsoft's OID, and as an acceptor's answer under any; answers without
// negState or with a frame; empty tokens and a token in the place of the
// mechListMIC; an acceptor that is asked to speak first; tokens in pieces. What
// is sent is what all of them accept.
//
// # What protects the choice
//
// The initiator's list is signed, in both directions, if its first mechanism was
// not the one to be chosen, if the peer signs it, or if the mechanism or
// [Config.RequireMechListMIC] asks for it. Nothing else outside the mechanism's
// own tokens is protected, and nothing that could weaken a context depends on it:
// an acceptor's hint, for example, does not change what is offered.
package spnego
