//go:build !go1.26

package apreq

import (
	"crypto/fips140"
	"crypto/md5"
)

// md5Sum hashes, unless FIPS mode is on: before Go 1.26 one cannot tell whether
// it is enforced, and then MD5 panics.
func md5Sum(b []byte) (sum [md5.Size]byte, ok bool) {
	if fips140.Enabled() {
		return sum, false
	}
	return md5.Sum(b), true
}
