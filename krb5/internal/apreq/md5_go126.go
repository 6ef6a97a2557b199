//go:build go1.26

package apreq

import (
	"crypto/fips140"
	"crypto/md5"
)

// md5Sum hashes outside the FIPS boundary: a bindings hash is compared for
// equality and protected by the authenticator around it.
func md5Sum(b []byte) (sum [md5.Size]byte, ok bool) {
	fips140.WithoutEnforcement(func() { sum = md5.Sum(b) })
	return sum, true
}
