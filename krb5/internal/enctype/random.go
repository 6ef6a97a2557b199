package enctype

import (
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// SeedSize returns the bytes that [RandomToKey] takes, 0 for an unknown type.
func SeedSize(id etype.ID) int {
	if p := find(id); p != nil {
		return p.seedSize()
	}
	return 0
}

// RandomToKey makes a key of random bytes, SeedSize of them (RFC 3961 §3), such
// as a key exchange yields. Errors are those of [NewKey].
func RandomToKey(id etype.ID, seed []byte) (*Key, error) {
	p, err := usable(id)
	if err != nil {
		return nil, err
	}
	if len(seed) != p.seedSize() {
		return nil, fmt.Errorf("%w: %d random bytes for %v", krberr.BadKeySize, len(seed), id)
	}
	return p.randomToKey(seed)
}
