package enctype

import (
	"crypto"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
	"hash"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// profile is what RFC 3961 §3 asks an encryption type to define.
type profile struct {
	id       etype.ID
	keySize  int    // bytes of a protocol key
	overhead int    // bytes a ciphertext has beyond its plaintext: confounder and MAC
	sumType  int32  // the mandatory checksum type
	sumSize  int    // bytes of the checksum and of the MAC in a ciphertext
	approved bool   // every primitive is FIPS 140-3 approved
	count    uint32 // default PBKDF2 iterations, also the least that is accepted; 0: no parameters
	legacy   bool   // not offered unless the configuration asks for it

	hash   crypto.Hash // of HMAC and of PBKDF2
	macKey int         // bytes of Ki and Kc
	prfLen int         // bytes of one PRF output
	salt   string      // goes before the salt of string-to-key
	seed   int         // bytes that random-to-key takes, 0 for keySize
	padded bool        // a plaintext comes back with up to 7 bytes of zeros behind it
	etm    bool        // the MAC is over the ciphertext, not the plaintext
	kdf    func(p *profile, key []byte) (deriver, error)

	// fromRandom is random-to-key, nil if a key is the random bytes themselves.
	fromRandom func(seed []byte) []byte
	// schedule prepares a protocol key of keySize bytes for derivation.
	schedule func(p *profile, key []byte) (schedule, error)
	// fromPassword is string-to-key with the iteration count already checked.
	fromPassword func(p *profile, password []byte, salt string, count uint32) ([]byte, error)
}

// schedule is a protocol key ready for use. It is used by one goroutine at a
// time.
type schedule interface {
	engine(usage uint32) (engine, error) // Ke and Ki
	mac(usage uint32) (hash.Hash, error) // Kc
	prf(dst, in []byte) ([]byte, error)  // RFC 3961 §3, pseudo-random
}

// profiles is the table of the types, in MIT's order of preference. It is
// never modified.
var profiles = [...]profile{
	{
		id: etype.AES256SHA1, keySize: 32, overhead: 28, sumType: 16, sumSize: 12, count: 4096,
		hash: crypto.SHA1, macKey: 32, prfLen: 16,
		kdf: newDK, schedule: newDerived, fromPassword: pbkdf2Key,
	},
	{
		id: etype.AES128SHA1, keySize: 16, overhead: 28, sumType: 15, sumSize: 12, count: 4096,
		hash: crypto.SHA1, macKey: 16, prfLen: 16,
		kdf: newDK, schedule: newDerived, fromPassword: pbkdf2Key,
	},
	{
		id: etype.AES256SHA2, keySize: 32, overhead: 40, sumType: 20, sumSize: 24, count: 32768, approved: true,
		hash: crypto.SHA384, macKey: 24, prfLen: 48, salt: "aes256-cts-hmac-sha384-192\x00", etm: true,
		kdf: newKDF, schedule: newDerived, fromPassword: pbkdf2Key,
	},
	{
		id: etype.AES128SHA2, keySize: 16, overhead: 32, sumType: 19, sumSize: 16, count: 32768, approved: true,
		hash: crypto.SHA256, macKey: 16, prfLen: 32, salt: "aes128-cts-hmac-sha256-128\x00", etm: true,
		kdf: newKDF, schedule: newDerived, fromPassword: pbkdf2Key,
	},
	{
		id: etype.DES3SHA1, keySize: 24, overhead: 28, sumType: 12, sumSize: 20, legacy: true,
		seed: 21, prfLen: 16, padded: true,
		schedule: newDES3, fromRandom: des3Key, fromPassword: foldedKey,
	},
	{
		id: etype.RC4, keySize: 16, overhead: 24, sumType: -138, sumSize: 16, legacy: true,
		prfLen:   20,
		schedule: newRC4, fromPassword: ntHash,
	},
	{
		id: etype.Camellia128, keySize: 16, overhead: 32, sumType: 17, sumSize: 16, count: 32768,
		hash: crypto.SHA1, prfLen: 16, salt: "camellia128-cts-cmac\x00",
		kdf: newFeedback, schedule: newCamellia, fromPassword: pbkdf2Key,
	},
	{
		id: etype.Camellia256, keySize: 32, overhead: 32, sumType: 18, sumSize: 16, count: 32768,
		hash: crypto.SHA1, prfLen: 16, salt: "camellia256-cts-cmac\x00",
		kdf: newFeedback, schedule: newCamellia, fromPassword: pbkdf2Key,
	},
}

// find returns the row of a type, nil if there is none.
func find(id etype.ID) *profile {
	for i := range profiles {
		if profiles[i].id == id {
			return &profiles[i]
		}
	}
	return nil
}

// usable returns the row of a type if it may be used now.
func usable(id etype.ID) (*profile, error) {
	p := find(id)
	if p == nil {
		return nil, fmt.Errorf("%w: %v", krberr.BadEnctype, id)
	}
	if err := p.allowed(); err != nil {
		return nil, err
	}
	return p, nil
}

// allowed is asked before every use of a primitive: the standard library
// panics when one that is not approved runs under enforcement, and a goroutine
// may come under enforcement after its key was made.
func (p *profile) allowed() error {
	if !p.approved && enforced() {
		return fmt.Errorf("%w: %v is refused in FIPS 140-3 mode", krberr.BadEnctype, p.id)
	}
	return nil
}

// Supported reports whether the type can be used by the caller now. Under
// enforcement of FIPS 140-3 (GODEBUG=fips140=only) those of RFC 8009 can.
func Supported(id etype.ID) bool {
	p := find(id)
	return p != nil && p.allowed() == nil
}

// Default returns the types that are supported now and that a client offers
// without being asked to, in its order (MIT's: 18, 17, 20, 19, 25, 26). The slice
// is the caller's.
func Default() []etype.ID { return list(false) }

// All returns the types that are supported now, in the order in which a client
// offers them (MIT's: 18, 17, 20, 19, 16, 23, 25, 26). Of these 16 and 23, whose
// ciphers are broken or nearly so, are for those who ask for them: see
// [Legacy]. The slice is the caller's.
func All() []etype.ID { return list(true) }

func list(legacy bool) []etype.ID {
	ids := make([]etype.ID, 0, len(profiles))
	for i := range profiles {
		if p := &profiles[i]; p.allowed() == nil && (legacy || !p.legacy) {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// Legacy reports whether the type is one of those that are not to be used
// unless the configuration allows them: 16 (Triple-DES) and 23 (RC4).
func Legacy(id etype.ID) bool {
	p := find(id)
	return p != nil && p.legacy
}

// ChecksumType returns the number of the type's mandatory checksum (RFC 3961
// §8), and whether the type is known.
func ChecksumType(id etype.ID) (int32, bool) {
	if p := find(id); p != nil {
		return p.sumType, true
	}
	return 0, false
}

// KeySize returns the bytes of a protocol key, 0 for an unknown type.
func KeySize(id etype.ID) int {
	if p := find(id); p != nil {
		return p.keySize
	}
	return 0
}

// ChecksumSize returns the bytes of the type's mandatory checksum, 0 for an
// unknown type.
func ChecksumSize(id etype.ID) int {
	if p := find(id); p != nil {
		return p.sumSize
	}
	return 0
}

// Overhead returns the bytes that [Key.Encrypt] adds to a plaintext, 0 for an
// unknown type. Type 16 adds up to 7 more, to whole blocks.
func Overhead(id etype.ID) int {
	if p := find(id); p != nil {
		return p.overhead
	}
	return 0
}
