package enctype

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	//lint:ignore SA1019 RFC 4757 §2: keys are NT hashes of passwords
	"golang.org/x/crypto/md4"

	"github.com/gss-go/gssapi/krb5/internal/arcfour"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// rc4Confounder is the size of a confounder (RFC 4757 §5).
const rc4Confounder = 8

// messageType is the number T of RFC 4757 §3 for a key usage, as MIT maps them.
func messageType(usage uint32) uint32 {
	switch usage {
	case 3: // the AS-REP is encrypted as the TGS-REP is
		return 8
	case 23: // the signature of GSS tokens
		return 13
	}
	return usage
}

// hmacMD5 returns HMAC-MD5 of the data.
func hmacMD5(key []byte, data ...byte) []byte {
	h := hmac.New(md5.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// rc4Schedule is a key of RFC 4757. Nothing is derived but per usage.
type rc4Schedule struct {
	p   *profile
	key [md5.Size]byte
}

func newRC4(p *profile, key []byte) (schedule, error) {
	return &rc4Schedule{p: p, key: [md5.Size]byte(key)}, nil
}

// usageKey is the HMAC with K1 of RFC 4757 §5, HMAC(K, T).
func (s *rc4Schedule) usageKey(t uint32) hash.Hash {
	k1 := hmacMD5(s.key[:], binary.LittleEndian.AppendUint32(nil, t)...)
	defer clear(k1)
	return hmac.New(md5.New, k1)
}

// engine implements schedule.
func (s *rc4Schedule) engine(usage uint32) (engine, error) {
	e := &rc4Engine{h: s.usageKey(messageType(usage)), random: confounders{read: rand.Read}}
	if usage == 9 {
		// RFC 4757 §3 prints 8 for the TGS-REP under the authenticator's
		// subkey, and old KDCs do that.
		e.second = s.usageKey(8)
	}
	return e, nil
}

// mac implements schedule with the checksum of RFC 4757 §4.
func (s *rc4Schedule) mac(usage uint32) (hash.Hash, error) {
	sign := hmacMD5(s.key[:], []byte("signaturekey\x00")...)
	defer clear(sign)
	m := &rc4MAC{data: md5.New(), keyed: hmac.New(md5.New, sign)}
	binary.LittleEndian.PutUint32(m.t[:], messageType(usage))
	m.data.Write(m.t[:])
	return m, nil
}

// prf implements schedule: HMAC-SHA1 under the key itself, as MIT and Microsoft
// have it; no RFC says so.
func (s *rc4Schedule) prf(dst, in []byte) ([]byte, error) {
	h := hmac.New(sha1.New, s.key[:])
	h.Write(in)
	return h.Sum(dst), nil
}

// rc4Engine is the encryption of RFC 4757 §5: a checksum of confounder and
// message, then both under RC4 with a key made of that checksum.
type rc4Engine struct {
	h      hash.Hash // HMAC with K1
	second hash.Hash // another one to try when opening, or nil
	random confounders
	stream arcfour.Cipher
	conf   [block]byte
	sum    [md5.Size]byte // the checksum
	k3     [md5.Size]byte // the key of the stream
}

// seal implements engine.
func (e *rc4Engine) seal(dst, a, b []byte) ([]byte, error) {
	if e.h == nil {
		return dst, fmt.Errorf("%w: the cipher was cleared", krberr.BadKeySize)
	}
	if err := e.random.next(&e.conf); err != nil {
		return dst, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	size := md5.Size + rc4Confounder + len(a) + len(b)
	all := slices.Grow(dst, size)[:len(dst)+size]
	out, body := all[len(dst):], all[len(dst)+md5.Size:]
	copy(body[rc4Confounder+copy(body[rc4Confounder:], a):], b)
	copy(body, e.conf[:rc4Confounder])
	e.h.Reset()
	e.h.Write(body)
	copy(out, e.h.Sum(e.sum[:0]))
	e.start(e.h, out[:md5.Size])
	e.stream.XORKeyStream(body, body)
	e.stop()
	return all, nil
}

// start begins the stream of a checksum.
func (e *rc4Engine) start(h hash.Hash, sum []byte) {
	h.Reset()
	h.Write(sum)
	e.stream.SetKey(h.Sum(e.k3[:0]))
}

// stop forgets what a message leaves behind.
func (e *rc4Engine) stop() {
	e.stream.Clear()
	clear(e.k3[:])
	clear(e.conf[:])
}

// open implements engine.
func (e *rc4Engine) open(dst, ciphertext []byte) ([]byte, bool) {
	size := len(ciphertext) - md5.Size - rc4Confounder
	if size < 0 || e.h == nil {
		return dst, false
	}
	all := slices.Grow(dst, size)[:len(dst)+size]
	out := all[len(dst):]
	if e.try(e.h, out, ciphertext) || e.second != nil && e.try(e.second, out, ciphertext) {
		return all, true
	}
	clear(out)
	return dst, false
}

// try decrypts with one K1 and verifies.
func (e *rc4Engine) try(h hash.Hash, out, ciphertext []byte) bool {
	copy(e.sum[:], ciphertext)
	body := ciphertext[md5.Size:]
	e.start(h, e.sum[:])
	e.stream.XORKeyStream(e.conf[:], body[:rc4Confounder])
	e.stream.XORKeyStream(out, body[rc4Confounder:])
	h.Reset()
	h.Write(e.conf[:rc4Confounder])
	h.Write(out)
	ok := hmac.Equal(h.Sum(e.k3[:0]), e.sum[:])
	e.stop()
	return ok
}

// clear implements engine.
func (e *rc4Engine) clear() {
	e.stop()
	e.h, e.second = nil, nil
	e.random.clear()
}

// rc4MAC is HMAC-MD5 of the MD5 of message type and data.
type rc4MAC struct {
	data, keyed hash.Hash
	t           [4]byte
	inner       [md5.Size]byte
}

// Write implements [hash.Hash].
func (m *rc4MAC) Write(p []byte) (int, error) { return m.data.Write(p) }

// Sum implements [hash.Hash].
func (m *rc4MAC) Sum(b []byte) []byte {
	m.keyed.Reset()
	m.keyed.Write(m.data.Sum(m.inner[:0]))
	return m.keyed.Sum(b)
}

// Reset implements [hash.Hash].
func (m *rc4MAC) Reset() {
	m.data.Reset()
	m.data.Write(m.t[:])
}

// Size implements [hash.Hash].
func (m *rc4MAC) Size() int { return md5.Size }

// BlockSize implements [hash.Hash].
func (m *rc4MAC) BlockSize() int { return md5.BlockSize }

// ntHash is string-to-key of RFC 4757 §2: MD4 of the password in UTF-16LE, with
// surrogates where they are needed. There is no salt.
func ntHash(_ *profile, password []byte, _ string, _ uint32) ([]byte, error) {
	if !utf8.Valid(password) {
		return nil, fmt.Errorf("%w: password", krberr.InvalidUTF8)
	}
	units := make([]uint16, 0, len(password))
	wide := make([]byte, 0, 2*len(password))
	for _, r := range string(password) {
		units = utf16.AppendRune(units, r)
	}
	for _, u := range units {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	h := md4.New()
	h.Write(wide)
	clear(units)
	clear(wide)
	return h.Sum(nil), nil
}
