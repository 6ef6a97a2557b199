package testenv

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/types"
)

// prf is the pseudo-random function of a key (RFC 3961 §3), which gokrb5 lacks.
func prf(key types.EncryptionKey, in []byte) ([]byte, error) {
	if !usable(key) {
		return nil, errCrypto
	}
	switch key.KeyType {
	case etypeID.AES128_CTS_HMAC_SHA1_96, etypeID.AES256_CTS_HMAC_SHA1_96:
		et, err := crypto.GetEtype(key.KeyType)
		if err != nil {
			return nil, err
		}
		derived, err := et.DeriveKey(key.KeyValue, []byte("prf"))
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return nil, err
		}
		sum := sha1.Sum(in)
		out := make([]byte, aes.BlockSize)
		block.Encrypt(out, sum[:aes.BlockSize])
		return out, nil
	case etypeID.AES128_CTS_HMAC_SHA256_128, etypeID.AES256_CTS_HMAC_SHA384_192:
		hash, bits := sha256.New, 256
		if key.KeyType == etypeID.AES256_CTS_HMAC_SHA384_192 {
			hash, bits = sha512.New384, 384
		}
		h := hmac.New(hash, key.KeyValue)
		h.Write([]byte{0, 0, 0, 1})
		h.Write([]byte("prf\x00"))
		h.Write(in)
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(bits)))
		return h.Sum(nil), nil
	case etypeID.RC4_HMAC:
		h := hmac.New(sha1.New, key.KeyValue)
		h.Write(in)
		return h.Sum(nil), nil
	}
	return nil, errCrypto
}

// prfPlus is PRF+ (RFC 6113 §5.1).
func prfPlus(key types.EncryptionKey, pepper []byte, n int) ([]byte, error) {
	var out []byte
	for counter := byte(1); len(out) < n; counter++ {
		b, err := prf(key, append([]byte{counter}, pepper...))
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out[:n], nil
}

// cf2 is KRB-FX-CF2 (RFC 6113 §5.1), for types whose keys are random bytes.
func cf2(a, b types.EncryptionKey, pepperA, pepperB string) (types.EncryptionKey, error) {
	n := profiles[a.KeyType].keySize
	x, err := prfPlus(a, []byte(pepperA), n)
	if err != nil {
		return types.EncryptionKey{}, err
	}
	y, err := prfPlus(b, []byte(pepperB), n)
	if err != nil {
		return types.EncryptionKey{}, err
	}
	for i := range x {
		x[i] ^= y[i]
	}
	return types.EncryptionKey{KeyType: a.KeyType, KeyValue: x}, nil
}
