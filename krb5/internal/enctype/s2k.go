package enctype

import (
	"crypto/pbkdf2"
	"encoding/binary"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// maxCount bounds the iterations, as MIT does: the count comes from the
// network before anybody is authenticated, and 2^32 would take many minutes.
const maxCount = 1 << 24

// StringToKey makes a key of a password (RFC 3961 §3 and §6.3.1, RFC 3962 §4,
// RFC 8009 §4, RFC 6803 §5, RFC 4757 §2). params is the s2kparams of the KDC: nil means the type's default number
// of iterations, else it is that number in 4 bytes, big-endian. Types 16
// and 23 have none and take no parameters. Fewer than the default, which would make guessing cheaper for whoever fakes a KDC, or 2^24
// and more are [krberr.BadS2KParams]. The standard library's PBKDF2 takes a
// string, so a copy of the password stays in memory until it is collected.
func StringToKey(id etype.ID, password []byte, salt string, params []byte) (*Key, error) {
	p, err := usable(id)
	if err != nil {
		return nil, err
	}
	count := p.count
	if params != nil {
		if len(params) != 4 || p.count == 0 {
			return nil, fmt.Errorf("%w: %d bytes", krberr.BadS2KParams, len(params))
		}
		count = binary.BigEndian.Uint32(params)
		if count < p.count || count >= maxCount {
			return nil, fmt.Errorf("%w: %d iterations", krberr.BadS2KParams, count)
		}
	}
	return p.stringToKey(password, salt, count)
}

func (p *profile) stringToKey(password []byte, salt string, count uint32) (*Key, error) {
	value, err := p.fromPassword(p, password, salt, count)
	if err != nil {
		return nil, err
	}
	defer clear(value)
	return NewKey(p.id, value)
}

// pbkdf2Key is PBKDF2 with the type's hash, then a derivation with the
// constant "kerberos".
func pbkdf2Key(p *profile, password []byte, salt string, count uint32) ([]byte, error) {
	t, err := pbkdf2.Key(p.hash.New, string(password), []byte(p.salt+salt), int(count), p.keySize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	defer clear(t)
	d, err := p.kdf(p, t)
	if err != nil {
		return nil, err
	}
	return d.label("kerberos", p.keySize), nil
}
