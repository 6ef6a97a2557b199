//go:build go1.26

package enctype

import "crypto/fips140"

// enforced reports whether primitives outside FIPS 140-3 panic for the caller.
func enforced() bool { return fips140.Enforced() }
