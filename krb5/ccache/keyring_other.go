//go:build !linux

package ccache

import (
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// supported are the types of caches on this system.
const supported = "FILE, DIR and KCM"

func openKeyring(rest string) (Collection, error) {
	if _, err := parseKeyringName(rest); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: KEYRING needs Linux; there are %s", krberr.CCUnknownType, supported)
}
