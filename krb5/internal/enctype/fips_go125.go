//go:build !go1.26

package enctype

import "crypto/fips140"

// enforced reports whether primitives outside FIPS 140-3 may panic. Go 1.25
// does not tell enforcement from FIPS mode, so the mode counts.
func enforced() bool { return fips140.Enabled() }
