package enctype

import (
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
	"github.com/gss-go/gssapi/krb5/internal/hmacsha"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

const (
	block = aescbc.BlockSize
	// short is the longest message that is put together in the scratch buffer
	// and goes through the cipher and the hash in one call each.
	short = 256
)

// cts is the encryption function of RFC 3962 §6 and of RFC 8009 §5: CBC with
// ciphertext stealing (the last two blocks always swapped, CBC-CS3) and an
// HMAC, of the plaintext in the first and of the ciphertext in the second. It
// keeps everything it hands to interface methods, because that would move to
// the heap anew with each message.
type cts struct {
	p      *profile
	aes    *aescbc.Cipher
	iv     [block]byte // the cipher state
	err    error       // the first failure of aes in a message
	h      *hmacsha.MAC
	hashed int // bytes of the ciphertext that seal has given to h
	turns  turns
	woven  bool // the two work at the same time: see [hmacsha.MAC.WriteEncrypting]
	random confounders
	sum    [64]byte
	buf    [block + short + hmacsha.Room]byte
	pieces *pieces // for messages in pieces; nil until there is one
}

// turns are how many bytes go to the cipher and to the hash in turn.
type turns struct{ seal, open int }

// newCTS derives Ke and Ki.
func newCTS(p *profile, d deriver, usage uint32) (engine, error) {
	ke := d.derive(usage, kindEncryption, p.keySize)
	c, err := aescbc.New(ke)
	clear(ke)
	if err != nil {
		return nil, err
	}
	ki := d.derive(usage, kindIntegrity, p.macKey)
	h := hmacsha.New(p.hash, ki)
	clear(ki)
	e := &cts{p: p, aes: c, h: h, woven: p.etm && h.Weaves(c), random: confounders{read: rand.Read}}
	e.turns.seal, e.turns.open = h.Turns(c)
	return e, nil
}

// start brings the cipher to the beginning of a message.
func (e *cts) start() { e.iv, e.err = initial, nil }

// initial is the cipher state that a message begins with.
var initial [block]byte

// startHash brings the HMAC to the beginning of a message that does not go through
// the buffer.
func (e *cts) startHash() {
	e.hashed = 0
	e.h.Reset()
	if e.p.etm {
		e.h.Write(initial[:])
	}
}

// clear implements engine.
func (e *cts) clear() {
	e.aes.Clear()
	e.h.Clear()
	clear(e.buf[:])
	clear(e.sum[:])
	e.random.clear()
	e.pieces.clear()
}

// tag ends the HMAC. The result is e's own space.
func (e *cts) tag() []byte { return e.h.Sum(e.sum[:0])[:e.p.sumSize] }

// shortTag is the HMAC of the first n bytes of the buffer.
func (e *cts) shortTag(n int) []byte { return e.h.Short(e.buf[:], n)[:e.p.sumSize] }

// tagOf is the HMAC of a ciphertext, and of the initial cipher state before it.
func (e *cts) tagOf(c []byte) []byte {
	if len(c) <= short {
		copy(e.buf[:], initial[:])
		return e.shortTag(block + copy(e.buf[block:], c))
	}
	e.startHash()
	e.h.Write(c)
	return e.tag()
}

// encrypt and decrypt go on in CBC with whole blocks. Lengths are right by
// construction; what is left to fail is a cipher without a key, and that is
// asked for once, at the end of a message.
func (e *cts) encrypt(dst, src []byte) { e.keep(e.aes.Encrypt(dst, src, &e.iv)) }

func (e *cts) decrypt(dst, src []byte) { e.keep(e.aes.Decrypt(dst, src, &e.iv)) }

func (e *cts) keep(err error) {
	if err != nil && e.err == nil {
		e.err = err
	}
}

// seal implements engine.
func (e *cts) seal(dst, a, b []byte) ([]byte, error) {
	if err := e.random.next((*[block]byte)(e.buf[:])); err != nil {
		return dst, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	size := block + len(a) + len(b)
	all := slices.Grow(dst, size+e.p.sumSize)[:len(dst)+size+e.p.sumSize]
	out := all[len(dst):]
	e.start()
	var tag []byte
	if size <= short {
		tag = e.sealShort(out[:size], a, b)
	} else {
		tag = e.sealLong(out[:size], a, b)
	}
	if e.err != nil {
		clear(out)
		return dst, e.err
	}
	copy(out[size:], tag)
	return all, nil
}

// sealShort encrypts a message that fits the buffer, and returns its HMAC.
func (e *cts) sealShort(out, a, b []byte) (tag []byte) {
	n := block + copy(e.buf[block:], a)
	n += copy(e.buf[n:], b)
	if !e.p.etm {
		tag = e.shortTag(n)
	}
	e.finish(out, 0, n)
	if e.p.etm {
		tag = e.tagOf(out)
	}
	return tag
}

// sealLong encrypts all but the ends of a and of b without a copy.
func (e *cts) sealLong(out, a, b []byte) (tag []byte) {
	e.startHash()
	pos := e.advance(out, e.buf[:block], 0) // bytes of out that are written
	whole := len(a) &^ (block - 1)
	// The hash has seen the confounder, and the initial state before it when it is
	// over the ciphertext. The first turn makes its blocks full.
	first := e.turns.seal - block
	if e.p.etm {
		first -= block
	}
	for i, end := 0, first; i < whole; i, end = end, end+e.turns.seal {
		pos = e.advance(out, a[i:min(end, whole)], pos)
	}
	n := copy(e.buf[:], a[whole:])
	for {
		k := copy(e.buf[n:short], b)
		n, b = n+k, b[k:]
		if len(b) == 0 {
			break
		}
		pos = e.advance(out, e.buf[:n], pos)
		n = 0
	}
	if !e.p.etm {
		e.h.Write(e.buf[:n])
	}
	e.finish(out, pos, n)
	if e.p.etm {
		e.h.Write(out[e.hashed:])
	}
	return e.tag()
}

// advance encrypts whole blocks of in to out[pos:] and hashes right before or
// right behind the cipher, or what was encrypted before while it works. It returns the
// new pos.
func (e *cts) advance(out, in []byte, pos int) int {
	from, pos := pos, pos+len(in)
	final := len(out) - 2*block // the last two blocks are not, before they are swapped
	switch {
	case e.woven:
		end := max(min(from, final), e.hashed)
		e.keep(e.h.WriteEncrypting(out[e.hashed:end], e.aes, out[from:pos], in, &e.iv))
		e.hashed = end
	case e.p.etm:
		e.encrypt(out[from:pos], in)
		if pos <= final {
			e.h.Write(out[e.hashed:pos])
			e.hashed = pos
		}
	default:
		e.h.Write(in)
		e.encrypt(out[from:pos], in)
	}
	return pos
}

// finish encrypts the n bytes that are left in the buffer and steals.
func (e *cts) finish(out []byte, pos, n int) {
	padded := (n + block - 1) &^ (block - 1)
	clear(e.buf[n:padded])
	e.encrypt(e.buf[:padded], e.buf[:padded])
	if len(out) == block {
		// A confounder alone: one block is plain CBC.
		copy(out, e.buf[:block])
		return
	}
	last := (len(out) - 1) &^ (block - 1) // where the last block starts, which may be short
	if padded == 0 {
		// Everything is written, in whole blocks.
		swap(out[last-block:])
		return
	}
	copy(out[pos:], e.buf[:padded-block])
	copy(out[last:], out[last-block:last])
	copy(out[last-block:last], e.buf[padded-block:padded])
}

// swap exchanges the two blocks at the beginning of b.
func swap(b []byte) {
	x, y := (*[block]byte)(b), (*[block]byte)(b[block:])
	*x, *y = *y, *x
}

// open implements engine.
func (e *cts) open(dst, ciphertext []byte) ([]byte, bool) {
	size := len(ciphertext) - e.p.sumSize
	if size < block {
		return dst, false
	}
	c, sum := ciphertext[:size], ciphertext[size:]
	e.start()
	if e.p.etm && !hmac.Equal(e.tagOf(c), sum) {
		return dst, false
	}
	all := slices.Grow(dst, size-block)[:len(dst)+size-block]
	out := all[len(dst):]
	var tag []byte
	if size <= short {
		tag = e.openShort(out, c)
	} else {
		tag = e.openLong(out, c)
	}
	if e.err != nil || !e.p.etm && !hmac.Equal(tag, sum) {
		clear(out)
		clear(e.buf[:])
		return dst, false
	}
	return all, true
}

// openShort decrypts a message that fits the buffer, and returns its HMAC if that is
// over the plaintext.
func (e *cts) openShort(out, c []byte) (tag []byte) {
	n := e.group(e.unsteal(0, c))
	e.decrypt(e.buf[:n], e.buf[:n])
	copy(out, e.buf[block:len(c)])
	if !e.p.etm {
		tag = e.shortTag(len(c))
	}
	return tag
}

// group returns how much to decrypt of a buffer that has n bytes of a message, and
// room: in a kernel eight blocks take less time than five.
func (e *cts) group(n int) int {
	if e.aes.Accelerated() {
		return (n + 8*block - 1) &^ (8*block - 1)
	}
	return n
}

// openLong decrypts from c to out, all but the confounder and the last two
// blocks without a copy.
func (e *cts) openLong(out, c []byte) (tag []byte) {
	turn := e.turns.open
	if e.p.etm {
		turn = len(c) // the hash is done
	} else {
		e.startHash()
	}
	e.decrypt(e.buf[:block], c[:block])
	if !e.p.etm {
		e.h.Write(e.buf[:block])
	}
	last := (len(c)-1)&^(block-1) - block // where the last two blocks start
	for i, end := block, turn; i < last; i, end = end, end+turn {
		part := out[i-block : min(end, last)-block]
		e.decrypt(part, c[i:min(end, last)])
		if !e.p.etm {
			e.h.Write(part)
		}
	}
	padded := e.unsteal(last, c)
	e.decrypt(e.buf[:padded], e.buf[:padded])
	n := copy(out[last-block:], e.buf[:padded])
	if !e.p.etm {
		e.h.Write(e.buf[:n])
		tag = e.tag()
	}
	return tag
}

// unsteal copies c[from:] to the buffer with its last two blocks as CBC made
// them, the short one filled up. It returns how much of the buffer is used.
func (e *cts) unsteal(from int, c []byte) int {
	n := copy(e.buf[:], c[from:])
	if len(c) == block {
		return n
	}
	last := (n - 1) &^ (block - 1)
	if fill := n - last; fill < block {
		// CBC padded the last plaintext with zeros, so the end of what its
		// block decrypts to, before the chaining, is the end of the block
		// before it.
		raw, state := e.sum[:block], e.iv
		e.iv = [block]byte{}
		e.decrypt(raw, e.buf[last-block:last])
		e.iv = state
		copy(e.buf[n:last+block], raw[fill:])
	}
	swap(e.buf[last-block:])
	return last + block
}
