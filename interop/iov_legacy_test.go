package interop

import (
	"fmt"
	"testing"
)

// The enctypes that few realms have, with the libraries that have them: the
// tokens of RC4 and Triple-DES are those of RFC 1964.
func TestLegacyIOV(t *testing.T) {
	withLegacyRealm(t)
	for _, lib := range iovLibraries {
		for _, e := range legacy {
			if !lib.full && e.short != "rc4" {
				continue // Heimdal 7 has no Camellia, and for Triple-DES no messages in pieces
			}
			for _, dce := range []bool{false, true} {
				for _, initiate := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s/%s/dce=%v/initiate=%v", lib.name, e.short, dce, initiate), func(t *testing.T) {
						p := establishIOV(t, lib, e.short, initiate, dce)
						p.v1 = e.short == "rc4" || e.short == "des3"
						p.blocks = e.short == "des3"
						// Heimdal 7 looks for the style of RC4's contexts in the
						// wrong place when it unwraps.
						p.deaf = !lib.full && dce
						p.run(t, layoutsEachWay)
					})
				}
			}
		}
	}
}
