package apreq

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// A large keytab and a large ticket do not multiply without end, and the key
// that the ticket names is tried whatever its place.
func TestKeysTried(t *testing.T) {
	const size = 1 << 20
	var s Service
	for range 2 * maxTried / size {
		s.Keys = append(s.Keys, ServiceKey{Principal: principal.New("R", "other", "host"), Kvno: 1, Key: newKey(t, etype.AES128SHA2)})
	}
	last := &s.Keys[len(s.Keys)-1]
	last.Principal = principal.New("R", "HTTP", "host")
	for _, tt := range []struct {
		size   int
		server string
		found  bool
	}{{size, "HTTP", true}, {size, "alias", false}, {size / 4, "alias", true}} {
		cipher, err := last.Key.Encrypt(nil, make([]byte, tt.size), usageTicket)
		require.NoError(t, err)
		ticket := &wire.Ticket{Server: principal.New("R", tt.server, "host"), Enc: wire.EncryptedData{Etype: etype.AES128SHA2, Kvno: 1, Cipher: cipher}}
		key, plain, err := s.open(ticket)
		if !tt.found {
			require.ErrorIs(t, err, krberr.APNotUs)
			continue
		}
		require.NoError(t, err)
		require.Same(t, last, key)
		require.Len(t, plain, tt.size)
	}
}
