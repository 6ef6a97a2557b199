package enctype

import (
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"hash"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/aescbc"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

const (
	block = aescbc.BlockSize
	// short is the longest message that is put together in the scratch buffer
	// and goes through the cipher and the hash in one call each.
	short = 256
	// chunk is how far the cipher runs ahead of the hash: what one has
	// touched is still in the first-level cache for the other.
	chunk = 8 << 10
	// stride is the same where both can run side by side: two blocks of the
	// hash. See [aescbc.Cipher.Interleaves].
	stride = 128
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
	h      hash.Hash
	used   bool // h needs a Reset
	hashed int  // bytes of the ciphertext that seal has given to h
	turn   int  // bytes that seal gives to aes and to h in turn; open gives twice as many
	random confounders
	sum    [64]byte
	buf    [short]byte
	pieces *pieces // for messages in pieces; nil until there is one
}

// newCTS derives Ke and Ki.
func newCTS(p *profile, d deriver, usage uint32) (engine, error) {
	ke := d.derive(usage, kindEncryption, p.keySize)
	c, err := aescbc.New(ke)
	clear(ke)
	if err != nil {
		return nil, err
	}
	ki := d.derive(usage, kindIntegrity, p.macKey)
	e := &cts{p: p, aes: c, h: hmac.New(p.hash, ki), turn: chunk, random: confounders{read: rand.Read}}
	clear(ki)
	if p.interleave && c.Interleaves() {
		e.turn = stride
	}
	return e, nil
}

// start brings the cipher and the HMAC to their beginning. A new HMAC needs no
// Reset, and the first Reset costs more than the HMAC of a short message.
func (e *cts) start() {
	e.iv, e.err, e.hashed = [block]byte{}, nil, 0
	if e.used {
		e.h.Reset()
	}
	e.used = true
	if e.p.etm {
		e.h.Write(e.iv[:])
	}
}

// clear implements engine.
func (e *cts) clear() {
	e.aes.Clear()
	clear(e.buf[:])
	clear(e.sum[:])
	e.random.clear()
	e.pieces.clear()
}

// tag ends the HMAC. The result is e's own space.
func (e *cts) tag() []byte { return e.h.Sum(e.sum[:0])[:e.p.sumSize] }

// encrypt and decrypt go on in CBC with whole blocks. Lengths are right by
// construction; what is left to fail is a cipher without a key, and that is
// asked for once, at the end of a message.
func (e *cts) encrypt(dst, src []byte) {
	if err := e.aes.Encrypt(dst, src, &e.iv); err != nil && e.err == nil {
		e.err = err
	}
}

func (e *cts) decrypt(dst, src []byte) {
	if err := e.aes.Decrypt(dst, src, &e.iv); err != nil && e.err == nil {
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
	pos := 0 // bytes of out that are written
	n := block
	if len(a) > short-block {
		pos = e.advance(out, e.buf[:block], 0, size)
		whole := len(a) &^ (block - 1)
		// The hash has seen the confounder, and the initial state before it
		// when it is over the ciphertext. The first turn makes its blocks full.
		first := e.turn - block
		if e.p.etm {
			first -= block
		}
		for i, end := 0, first; i < whole; i, end = end, end+e.turn {
			pos = e.advance(out, a[i:min(end, whole)], pos, size)
		}
		n = copy(e.buf[:], a[whole:])
	} else {
		n += copy(e.buf[n:], a)
	}
	for {
		k := copy(e.buf[n:short], b)
		n, b = n+k, b[k:]
		if len(b) == 0 {
			break
		}
		pos = e.advance(out, e.buf[:n], pos, size)
		n = 0
	}
	e.finish(out[:size], pos, n)
	if e.p.etm {
		e.h.Write(out[e.hashed:size])
	}
	if e.err != nil {
		clear(out)
		return dst, e.err
	}
	copy(out[size:], e.tag())
	return all, nil
}

// advance encrypts whole blocks of in to out[pos:] and hashes right before or
// right behind the cipher. It returns the new pos.
func (e *cts) advance(out, in []byte, pos, size int) int {
	if !e.p.etm {
		e.h.Write(in)
	}
	e.encrypt(out[pos:pos+len(in)], in)
	pos += len(in)
	// The last two blocks are not final before they are swapped.
	if e.p.etm && pos <= size-2*block {
		e.h.Write(out[e.hashed:pos])
		e.hashed = pos
	}
	return pos
}

// finish encrypts the n bytes that are left in the buffer and steals.
func (e *cts) finish(out []byte, pos, n int) {
	if !e.p.etm {
		e.h.Write(e.buf[:n])
	}
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
	if e.p.etm {
		e.h.Write(c)
		if !hmac.Equal(e.tag(), sum) {
			return dst, false
		}
	}
	all := slices.Grow(dst, size-block)[:len(dst)+size-block]
	out := all[len(dst):]
	if size <= short {
		e.openShort(out, c)
	} else {
		e.openLong(out, c)
	}
	if e.err != nil || !e.p.etm && !hmac.Equal(e.tag(), sum) {
		clear(out)
		clear(e.buf[:])
		return dst, false
	}
	return all, true
}

// openShort decrypts a message that fits the buffer.
func (e *cts) openShort(out, c []byte) {
	padded := e.unsteal(0, c)
	e.decrypt(e.buf[:padded], e.buf[:padded])
	if !e.p.etm {
		e.h.Write(e.buf[:len(c)])
	}
	copy(out, e.buf[block:len(c)])
}

// openLong decrypts from c to out, all but the confounder and the last two
// blocks without a copy.
func (e *cts) openLong(out, c []byte) {
	e.decrypt(e.buf[:block], c[:block])
	if !e.p.etm {
		e.h.Write(e.buf[:block])
	}
	last := (len(c)-1)&^(block-1) - block // where the last two blocks start
	turn := 2 * e.turn                    // decryption takes less time than encryption
	if e.p.etm {
		turn = len(c) // and the hash is done
	}
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
	}
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
