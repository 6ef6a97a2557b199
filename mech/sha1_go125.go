//go:build !go1.26

package mech

import (
	"crypto/fips140"
	"crypto/sha1"
)

// sha1Sum hashes, unless FIPS mode is on: before Go 1.26 one cannot tell whether
// it is enforced, and then SHA-1 panics.
func sha1Sum(b []byte) (sum [sha1.Size]byte, ok bool) {
	if fips140.Enabled() {
		return sum, false
	}
	return sha1.Sum(b), true
}
