package apreq

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// maxTransited is how many realms a ticket may have passed through.
const maxTransited = 64

// CheckTransited decides on the realms of a ticket's transited field, which is
// in the encoding DOMAIN-X500-COMPRESS (RFC 4120 §3.3.3.2): each must lie on a
// path from the client's realm to the server's. capaths are the intermediate
// realms that the configuration allows for this pair ("." for none); without
// any, those between the two realms in the hierarchy of domains are.
func CheckTransited(client, server string, transited []byte, capaths []string) error {
	realms, err := expand(client, server, string(transited))
	if err != nil {
		return err
	}
	allowed := capaths
	if len(allowed) == 0 {
		allowed = hierarchy(client, server)
	}
	for _, r := range realms {
		if r != client && r != server && !slices.Contains(allowed, r) {
			return fmt.Errorf("%w: realm %q is not on the way from %q to %q", krberr.APIllCrTkt, r, client, server)
		}
	}
	return nil
}

// expand decodes the list. Realms are separated by commas; a trailing dot
// (leading slash, for X.500 names) abbreviates by the realm before; an empty
// entry stands for everything between its neighbours; "\" quotes, and a leading
// space means that nothing is abbreviated.
func expand(client, server, text string) ([]string, error) {
	var realms []string
	prev := client
	var part strings.Builder
	add := func(verbatim bool) error {
		r := part.String()
		part.Reset()
		switch {
		case r == "" && !verbatim:
			// All realms between the neighbours are what only a KDC can know.
			realms = append(realms, hierarchy(prev, server)...)
			return nil
		case strings.HasPrefix(r, " "):
			r = r[1:]
		case strings.HasSuffix(r, ".") && !verbatim:
			r += prev
		case strings.HasPrefix(r, "/") && strings.HasPrefix(prev, "/") && !verbatim:
			r = prev + r
		}
		if r == "" || len(realms) == maxTransited {
			return fmt.Errorf("%w: transited field", krberr.APIllCrTkt)
		}
		realms = append(realms, r)
		prev = r
		return nil
	}
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted:
			part.WriteByte(c)
			quoted = false
		case c == '\\':
			quoted = true
		case c == ',':
			if err := add(false); err != nil {
				return nil, err
			}
		case c == 0:
			return nil, fmt.Errorf("%w: transited field", krberr.APIllCrTkt)
		default:
			part.WriteByte(c)
		}
	}
	if quoted {
		return nil, fmt.Errorf("%w: transited field", krberr.APIllCrTkt)
	}
	if err := add(false); err != nil {
		return nil, err
	}
	return realms, nil
}

// hierarchy returns the realms on the way up from one realm to the nearest
// common ancestor and down to the other (RFC 4120 §1.2), without the two.
func hierarchy(from, to string) []string {
	var common string
	for d := from; d != ""; d = parent(d) {
		if d == to || strings.HasSuffix(to, "."+d) {
			common = d
			break
		}
	}
	if common == "" {
		return nil
	}
	var way []string
	for d := from; d != common; {
		if d = parent(d); d != to {
			way = append(way, d)
		}
	}
	var down []string
	for d := parent(to); d != common && len(d) > len(common); d = parent(d) {
		down = append(down, d)
	}
	slices.Reverse(down)
	return append(way, down...)
}

func parent(realm string) string {
	_, up, _ := strings.Cut(realm, ".")
	return up
}
