package kdcclient

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// TestEncChallengeProof: the KDC's proof is looked at, whichever of the two keys
// it was made with, and what the client has sent is none.
func TestEncChallengeProof(t *testing.T) {
	const id = etype.AES256SHA1
	armor, err := enctype.GenerateKey(id)
	require.NoError(t, err)
	key := stringToKey(id, password, alice.Salt())
	stamp := (&wire.PAEncTS{Time: start}).Append(nil)
	seal := func(long *enctype.Key, pepper string, usage uint32, plain []byte) []wire.PAData {
		k, err := enctype.CF2(armor, long, pepper, "challengelongterm")
		require.NoError(t, err)
		cipher, err := k.Encrypt(nil, plain, usage)
		require.NoError(t, err)
		enc := wire.EncryptedData{Etype: id, Cipher: cipher}
		return []wire.PAData{{Type: wire.PAEncChallenge, Value: enc.Append(nil)}}
	}
	other := stringToKey(id, "other", alice.Salt())
	wrongType := seal(key, "kdcchallengearmor", usageChallengeKDC, stamp)
	wrongType[0].Value[6] = byte(etype.AES128SHA1)
	for _, tt := range []struct {
		name   string
		padata []wire.PAData
		want   krberr.Code
	}{
		{"right", seal(key, "kdcchallengearmor", usageChallengeKDC, stamp), 0},
		{"Heimdal 7", seal(key, "clientchallengearmor", usageChallengeKDC, stamp), 0},
		{"none", nil, krberr.KDCRepModified},
		{"the client's own", seal(key, "clientchallengearmor", usageChallengeClient, stamp), krberr.APBadIntegrity},
		{"another key", seal(other, "kdcchallengearmor", usageChallengeKDC, stamp), krberr.APBadIntegrity},
		{"no timestamp", seal(key, "kdcchallengearmor", usageChallengeKDC, []byte("x")), krberr.KDCRepModified},
		{"another type", wrongType, krberr.WrongEtype},
		{"malformed", []wire.PAData{{Type: wire.PAEncChallenge, Value: []byte("x")}}, krberr.KDCRepModified},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := newClient(t, newKDC(t), "").newLogin(byPassword(password))
			require.NoError(t, err)
			l.fast = &fast{key: armor}
			l.method = keyInfo{etype: id, salt: alice.Salt()}
			got, err := (&encChallenge{}).replyKey(l, &wire.KDCRep{PAData: tt.padata, Enc: wire.EncryptedData{Etype: id}})
			if tt.want != 0 {
				require.ErrorIs(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			require.True(t, got.Equal(key))
		})
	}
}
