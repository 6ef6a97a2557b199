// Package arcfour is the stream cipher RC4 for the encryption type of RFC 4757,
// which takes a new key for each message. The standard library's allocates its
// state with each key; here it is a value that is reused.
package arcfour

import "fmt"

// Cipher is the state of one stream. The zero Cipher has no key: give it one
// with SetKey. It is not safe for concurrent use. It prints as "[redacted]".
type Cipher struct {
	s     [256]byte
	i, j  uint8
	keyed bool
}

// SetKey begins a new stream with the first 256 bytes of key. It must not be
// empty; an empty one leaves c without a key.
func (c *Cipher) SetKey(key []byte) {
	c.Clear()
	if len(key) == 0 {
		return
	}
	c.keyed = true
	for i := range c.s {
		c.s[i] = byte(i)
	}
	var j uint8
	for i, k := 0, 0; i < len(c.s); i++ {
		j += c.s[i] + key[k]
		c.s[i], c.s[j] = c.s[j], c.s[i]
		if k++; k == len(key) {
			k = 0
		}
	}
}

// XORKeyStream writes src, combined with the next bytes of the stream, to dst.
// They may be the same memory or memory apart; they must not overlap otherwise.
// What dst has no room for is left out, and without a key dst is all zero: what
// was to be encrypted never stays in the clear.
func (c *Cipher) XORKeyStream(dst, src []byte) {
	if len(dst) < len(src) {
		src = src[:len(dst)]
	}
	dst = dst[:len(src)]
	if !c.keyed {
		clear(dst)
		return
	}
	i, j := c.i, c.j
	for k, b := range src {
		i++
		x := c.s[i]
		j += x
		y := c.s[j]
		c.s[i], c.s[j] = y, x
		dst[k] = b ^ c.s[x+y]
	}
	c.i, c.j = i, j
}

// Clear overwrites the state.
func (c *Cipher) Clear() { *c = Cipher{} }

// Format implements [fmt.Formatter] for every verb.
func (*Cipher) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }
