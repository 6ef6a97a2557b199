package principal

import (
	"slices"
	"strings"
)

// maxLevels is how many levels a hierarchy of realms may have.
const maxLevels = 64

// Between returns the realms on the way up from one realm to the nearest common
// ancestor and down to the other (RFC 4120 §1.2), without the two, and whether
// there is such a way.
func Between(from, to string) ([]string, bool) {
	if from == to {
		return nil, true
	}
	up, down := ancestors(from), ancestors(to)
	for i, r := range up {
		if j := slices.Index(down, r); j >= 0 {
			slices.Reverse(down[:j])
			way := slices.Concat(up[:i+1], down[:j])
			return way[1 : len(way)-1], true
		}
	}
	return nil, false
}

// ancestors returns a realm and those above it, nil if these are too many.
func ancestors(realm string) []string {
	var list []string
	for r := realm; r != ""; r = parent(r) {
		if len(list) == maxLevels {
			return nil
		}
		list = append(list, r)
	}
	return list
}

// parent returns the realm above: domain names grow to the left, X.500 names,
// which begin with a slash, to the right.
func parent(realm string) string {
	if strings.HasPrefix(realm, "/") {
		return realm[:strings.LastIndexByte(realm, '/')]
	}
	_, up, _ := strings.Cut(realm, ".")
	return up
}
