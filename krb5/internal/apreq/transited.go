package apreq

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// maxTransited is how many realms a ticket may have passed through.
const maxTransited = 64

// CheckTransited decides on the realms of a ticket's transited field, which is
// in the encoding DOMAIN-X500-COMPRESS (RFC 4120 §3.3.3.2): each must lie on a
// path from the client's realm to the server's. capaths are the intermediate
// realms that the configuration allows for this pair ("." for none); without
// any, those between the two realms in the hierarchy of names are.
func CheckTransited(client, server string, transited []byte, capaths []string) error {
	realms, err := expand(client, server, string(transited))
	if err != nil {
		return err
	}
	allowed := capaths
	if len(allowed) == 0 {
		allowed, _ = principal.Between(client, server)
	}
	for _, r := range realms {
		if r != client && r != server && !slices.Contains(allowed, r) {
			return fmt.Errorf("%w: realm %q is not on the way from %q to %q", krberr.APIllCrTkt, r, client, server)
		}
	}
	return nil
}

var errTransited = fmt.Errorf("%w: transited field", krberr.APIllCrTkt)

// expand decodes the list. A trailing dot (leading slash, for X.500 names)
// abbreviates by the realm before, and a leading space says that nothing is
// abbreviated. An empty entry stands for everything between its neighbours, of
// which the client's realm is the first and the server's the last; if nobody
// can say what that is, the list is refused.
func expand(client, server, text string) ([]string, error) {
	entries, err := split(text)
	if err != nil {
		return nil, err
	}
	var (
		realms []string
		prev   = client // the neighbour
		base   string   // what abbreviates; the first entry has nothing before it
		gap    bool
	)
	reach := func(r string) error {
		if gap {
			way, ok := principal.Between(prev, r)
			if !ok {
				return errTransited
			}
			realms = append(realms, way...)
		}
		gap, prev = false, r
		return nil
	}
	for _, e := range entries {
		if e == "" {
			gap = true
			continue
		}
		r, alone := strings.CutPrefix(e, " ")
		switch {
		case alone:
		case strings.HasSuffix(r, "."):
			r += base
		case strings.HasPrefix(r, "/"):
			r = base + r
		}
		if r == "" || len(realms) >= maxTransited {
			return nil, errTransited
		}
		if err := reach(r); err != nil {
			return nil, err
		}
		realms = append(realms, r)
		base = r
	}
	return realms, reach(server)
}

// split takes the list apart at its commas; "\" quotes the next character.
func split(text string) ([]string, error) {
	var entries []string
	var part strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == 0:
			return nil, errTransited
		case quoted:
			part.WriteByte(c)
			quoted = false
		case c == '\\':
			quoted = true
		case c == ',':
			entries = append(entries, part.String())
			part.Reset()
		default:
			part.WriteByte(c)
		}
	}
	if quoted || len(entries) > maxTransited {
		return nil, errTransited
	}
	return append(entries, part.String()), nil
}
