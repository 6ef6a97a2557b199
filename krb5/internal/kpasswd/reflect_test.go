package kpasswd

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Our own KRB-PRIV is under the key and usage of the reply's. Sent back, with an
// AP-REP that is the service's, it would be a result with the password as its
// text.
func TestReflected(t *testing.T) {
	for _, id := range enctype.Default() {
		s, ticket := newService(t, id)
		s.change = func(ap, _ []byte) []byte {
			own := s.seen.Message[6+int(binary.BigEndian.Uint16(s.seen.Message[4:])):]
			b, err := frame(versionChange, ap, own)
			require.NoError(t, err)
			return b
		}
		for _, password := range []string{"correct horse", "\x00\x00"} {
			err := s.change1(ticket, password, 0)
			require.ErrorIs(t, err, krberr.APBadIntegrity)
			require.NotContains(t, err.Error(), "horse")
		}
	}
}
