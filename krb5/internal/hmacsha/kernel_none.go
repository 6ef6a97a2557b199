//go:build !amd64 || !gc || purego || boringcrypto

package hmacsha

import (
	"crypto"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
)

const hasSHA = false

func variantOf(crypto.Hash) *variant { return nil }

func (*variant) compress(*digest, []byte) {}

func (*keyed) finish(*digest, []byte) {}

// Weaves reports whether [MAC.WriteEncrypting] does both at once.
func (*MAC) Weaves(*aescbc.Cipher) bool { return false }

func (*keyed) weave(*[]byte, *aescbc.RoundKeys, []byte, []byte, *[aescbc.BlockSize]byte) int {
	return 0
}
