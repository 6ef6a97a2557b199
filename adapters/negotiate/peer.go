package negotiate

import (
	"context"
	"slices"
	"strings"

	"github.com/gss-go/gssapi"
)

// Peer is the authenticated client of a request.
type Peer struct {
	// Name is who it is. Decide about access by its Key, not by its text.
	Name gssapi.Name
	// Mech is the mechanism that authenticated it.
	Mech gssapi.OID
	// Flags are those of the context. FlagChannelBound says that the client is
	// at the other end of this TLS connection.
	Flags gssapi.Flags
	// Delegated is the credential that the client handed on, nil if none.
	Delegated *gssapi.Cred
}

type peerKey struct{}

// PeerFrom returns the client that a [Server] authenticated, from the context of
// the request. ok is false if the request did not come through one.
func PeerFrom(ctx context.Context) (peer Peer, ok bool) {
	p, ok := ctx.Value(peerKey{}).(*Peer)
	if !ok {
		return Peer{}, false
	}
	return *p, true
}

// inRealm reports whether a name is a Kerberos principal of one of the realms.
func inRealm(n gssapi.Name, realms []string) bool {
	if n.Type() != gssapi.NTKrb5Principal {
		return false
	}
	realm, ok := realmOf(n.String())
	return ok && slices.Contains(realms, realm)
}

// realmOf returns the realm of a principal in text form (RFC 1964 §2.1.1), where
// a backslash takes the meaning off the character behind it.
func realmOf(principal string) (string, bool) {
	for i := 0; i < len(principal); i++ {
		switch principal[i] {
		case '\\':
			i++
		case '@':
			realm := principal[i+1:]
			// What would need unquoting is no realm that anybody has.
			return realm, realm != "" && !strings.ContainsAny(realm, `\@`)
		}
	}
	return "", false
}
