package testenv

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/types"
	//lint:ignore SA1019 RFC 4757 §2 defines the key as an MD4 hash
	"golang.org/x/crypto/md4"
)

// profile is what must hold before gokrb5 may see a key or a ciphertext: it
// slices without looking.
type profile struct {
	name     string // of krb5.conf
	keySize  int    // bytes; gokrb5 has a wrong one for type 20
	seedSize int    // random bytes that make a key
	overhead int    // bytes of a ciphertext of nothing
	block    int    // the ciphertext without its MAC is a multiple
	weak     string // the krb5.conf switch that permits it, "" if none
}

var profiles = map[int32]profile{
	etypeID.DES3_CBC_SHA1_KD:           {"des3-cbc-sha1", 24, 21, 28, 8, "allow_des3"},
	etypeID.AES128_CTS_HMAC_SHA1_96:    {"aes128-cts-hmac-sha1-96", 16, 16, 28, 1, ""},
	etypeID.AES256_CTS_HMAC_SHA1_96:    {"aes256-cts-hmac-sha1-96", 32, 32, 28, 1, ""},
	etypeID.AES128_CTS_HMAC_SHA256_128: {"aes128-cts-hmac-sha256-128", 16, 16, 32, 1, ""},
	etypeID.AES256_CTS_HMAC_SHA384_192: {"aes256-cts-hmac-sha384-192", 32, 32, 40, 1, ""},
	etypeID.RC4_HMAC:                   {"arcfour-hmac", 16, 16, 24, 1, "allow_rc4"},
}

var errCrypto = errors.New("testenv: decryption failed")

// usable reports whether gokrb5 can work with the key.
func usable(key types.EncryptionKey) bool {
	p, ok := profiles[key.KeyType]
	return ok && len(key.KeyValue) == p.keySize
}

// seal encrypts (RFC 3961 §3). A kvno of 0 is left out.
func seal(key types.EncryptionKey, usage uint32, kvno int, plain []byte) (types.EncryptedData, error) {
	if !usable(key) {
		return types.EncryptedData{}, errCrypto
	}
	return crypto.GetEncryptedData(plain, key, usage, kvno)
}

// open decrypts and verifies.
func open(key types.EncryptionKey, usage uint32, d types.EncryptedData) ([]byte, error) {
	p := profiles[key.KeyType]
	if !usable(key) || d.EType != key.KeyType || len(d.Cipher) < p.overhead ||
		(len(d.Cipher)-p.overhead)%p.block != 0 {
		return nil, errCrypto
	}
	return crypto.DecryptEncPart(d, key, usage)
}

// checksum returns the key's mandatory checksum over data.
func checksum(key types.EncryptionKey, usage uint32, data []byte) (types.Checksum, error) {
	if !usable(key) {
		return types.Checksum{}, errCrypto
	}
	et, err := crypto.GetEtype(key.KeyType)
	if err != nil {
		return types.Checksum{}, err
	}
	sum, err := et.GetChecksumHash(key.KeyValue, data, usage)
	return types.Checksum{CksumType: et.GetHashID(), Checksum: sum}, err
}

// verify reports whether sum is the key's mandatory checksum over data.
func verify(key types.EncryptionKey, usage uint32, data []byte, sum types.Checksum) bool {
	if !usable(key) {
		return false
	}
	et, err := crypto.GetEtype(key.KeyType)
	return err == nil && et.GetHashID() == sum.CksumType && et.VerifyChecksum(key.KeyValue, data, sum.Checksum, usage)
}

// randomKey makes a key.
func randomKey(id int32) types.EncryptionKey {
	seed := make([]byte, profiles[id].seedSize)
	_, _ = rand.Read(seed) // never fails
	if id == etypeID.DES3_CBC_SHA1_KD {
		if et, err := crypto.GetEtype(id); err == nil {
			seed = et.RandomToKey(seed) // the parity bits
		}
	}
	return types.EncryptionKey{KeyType: id, KeyValue: seed}
}

// passwordKey is string-to-key (RFC 3961 §3). params is the s2kparams, nil for
// the default.
func passwordKey(id int32, password, salt string, params []byte) (types.EncryptionKey, error) {
	key := types.EncryptionKey{KeyType: id}
	if id == etypeID.RC4_HMAC {
		// gokrb5 mistakes byte offsets for character counts here.
		h := md4.New()
		for _, u := range utf16.Encode([]rune(password)) {
			h.Write([]byte{byte(u), byte(u >> 8)})
		}
		key.KeyValue = h.Sum(nil)
		return key, nil
	}
	et, err := crypto.GetEtype(id)
	if err != nil {
		return key, err
	}
	text := et.GetDefaultStringToKeyParams()
	if params != nil {
		text = fmt.Sprintf("%x", params)
	}
	key.KeyValue, err = et.StringToKey(password, salt, text)
	return key, err
}

// s2kparams is the parameter of PBKDF2 types, nil if id has the default or
// takes none.
func s2kparams(id int32, iterations uint32) []byte {
	if iterations == 0 || id == etypeID.RC4_HMAC || id == etypeID.DES3_CBC_SHA1_KD {
		return nil
	}
	return binary.BigEndian.AppendUint32(nil, iterations)
}
