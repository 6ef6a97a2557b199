package v1

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"hash"

	"github.com/gss-go/gssapi/krb5/internal/arcfour"
)

// rc4 is the encryption of RFC 4757 §7: each number and each message has a key
// of its own, HMAC-MD5 under a key that does not change.
type rc4 struct {
	numbers hash.Hash // makes the key of a number from the checksum
	seals   hash.Hash // makes the key of a message from its number
	stream  arcfour.Cipher
	snd     arcfour.Cipher
	key     [md5.Size]byte
	order   [4]byte
}

func newRC4(key []byte) *rc4 {
	// The key of messages is another one, "Klocal" in the RFC.
	var local [md5.Size]byte
	for i := range local {
		local[i] = key[i] ^ 0xf0
	}
	defer clear(local[:])
	return &rc4{numbers: hmacOfZero(key), seals: hmacOfZero(local[:])}
}

// hmacOfZero is the HMAC with the key HMAC(key, 00000000), a message type of 0.
func hmacOfZero(key []byte) hash.Hash {
	h := hmac.New(md5.New, key)
	h.Write(make([]byte, 4))
	inner := h.Sum(nil)
	defer clear(inner)
	return hmac.New(md5.New, inner)
}

// rekey begins a stream with the key that h makes of b.
func (r *rc4) rekey(c *arcfour.Cipher, h hash.Hash, b []byte) {
	h.Reset()
	h.Write(b)
	c.SetKey(h.Sum(r.key[:0]))
	clear(r.key[:])
}

// number implements cryption.
func (r *rc4) number(b *[numberLen]byte, sum []byte, _ bool) error {
	r.rekey(&r.snd, r.numbers, sum)
	r.snd.XORKeyStream(b[:], b[:])
	r.snd.Clear()
	return nil
}

// start implements cryption.
func (r *rc4) start(n uint32) {
	binary.BigEndian.PutUint32(r.order[:], n)
	r.rekey(&r.stream, r.seals, r.order[:])
}

// encrypt implements cryption.
func (r *rc4) encrypt(dst, src []byte) error {
	r.stream.XORKeyStream(dst, src)
	return nil
}

// decrypt implements cryption.
func (r *rc4) decrypt(dst, src []byte) error { return r.encrypt(dst, src) }

// clear implements cryption.
func (r *rc4) clear() {
	r.stream.Clear()
	r.snd.Clear()
}
