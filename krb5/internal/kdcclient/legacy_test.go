package kdcclient

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

const allowBoth = " allow_rc4 = true\n allow_des3 = true\n"

// Both exchanges with the types that are not AES, and with a KDC that encrypts
// its TGS-REP under either key.
func TestOtherEnctypes(t *testing.T) {
	for _, id := range []etype.ID{etype.DES3SHA1, etype.RC4, etype.Camellia128, etype.Camellia256} {
		for _, session := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/session key=%v", id, session), func(t *testing.T) {
				if !enctype.Supported(id) {
					t.Skip("the process enforces FIPS 140-3")
				}
				k := newKDC(t)
				k.etypes, k.useSession = []etype.ID{id}, session
				c := newClient(t, k, allowBoth)
				c.Enctypes = []etype.ID{id}
				got, err := c.Login(t.Context(), byPassword(password))
				require.NoError(t, err)
				require.Equal(t, id, got.Key.Enctype)
				ticket, err := c.Ticket(t.Context(), got.Credential, imap, nil)
				require.NoError(t, err)
				require.Equal(t, id, ticket.Key.Enctype)
				require.Equal(t, k.parts[len(k.parts)-1].Key.Value, ticket.Key.Value.Bytes())
			})
		}
	}
}

// Without the switch a type is not asked for, and a ticket-granting ticket that a
// cache has from other times is of no use.
func TestOldEnctypesNotAllowed(t *testing.T) {
	for id, own := range map[etype.ID]string{etype.DES3SHA1: "allow_des3", etype.RC4: "allow_rc4"} {
		if !enctype.Supported(id) {
			t.Skip("the process enforces FIPS 140-3")
		}
		k := newKDC(t)
		k.etypes = append(k.etypes, id)
		c := newClient(t, k, allowBoth)
		c.Enctypes = []etype.ID{id}
		got, err := c.Login(t.Context(), byPassword(password))
		require.NoError(t, err)
		sent := len(k.requests)

		strict := newClient(t, k, " permitted_enctypes = "+id.String()+" aes256-cts\n "+own+" = false\n allow_weak_crypto = true")
		_, err = strict.Ticket(t.Context(), got.Credential, imap, nil)
		require.ErrorIs(t, err, krberr.NoPermEtype)
		require.Len(t, k.requests, sent)

		getTGT(t, strict)
		require.Equal(t, []etype.ID{etype.AES256SHA1}, k.last().Body.Etypes)
		strict.Enctypes = []etype.ID{id}
		_, err = strict.Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, krberr.ConfigEtypeNosupp)

		getTGT(t, newClient(t, k, " "+own+" = true"))
		require.Contains(t, k.last().Body.Etypes, id)
		require.Len(t, k.last().Body.Etypes, 7)
	}
}
