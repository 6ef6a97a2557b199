package enctype

import (
	"crypto/hmac"
	"fmt"
	"hash"

	"github.com/gss-go/gssapi/krb5/internal/camellia"
	"github.com/gss-go/gssapi/krb5/internal/hmacsha"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// blockMode is CBC with whole blocks, as [aescbc.Cipher] has it.
type blockMode interface {
	Encrypt(dst, src []byte, iv *[block]byte) error
	Decrypt(dst, src []byte, iv *[block]byte) error
}

// pieces is CBC-CS3 and a MAC over a [Message]. Two cursors go through it, one
// for the cipher and one for the hash, which stay close to each other: the hash
// reads what the cipher is going to overwrite, or has just written. A block that
// is spread over pieces goes through a buffer, and so do the end of a message,
// where blocks are swapped, and a short message as a whole.
type pieces struct {
	cbc blockMode
	h   hash.Hash
	aes *cts // whose cipher and HMAC these are; nil for Camellia
	etm bool // the MAC is over the ciphertext
	turns

	m      Message
	size   int  // bytes that are encrypted
	all    bool // nothing is only signed
	enc    cursor
	mac    cursor
	hashed int // bytes that h has been given
	iv     [block]byte
	err    error // the first failure of cbc
	one    [block]byte
	sum    [64]byte
	buf    [block + short + hmacsha.Room]byte // as in cts
}

// begin starts a message. The hash is at its beginning, or behind the initial
// state if it is over the ciphertext.
func (x *pieces) begin(m Message) {
	x.m = m
	x.size, x.all = m.size()
	x.enc, x.mac, x.hashed = cursor{}, cursor{}, 0
	if x.etm {
		x.hashed = block
	}
	x.iv, x.err = [block]byte{}, nil
}

// bulk returns where the part begins that goes through the buffer: on a block's
// border, with more than one block behind it.
func (x *pieces) bulk() int {
	if x.size <= short {
		return 0
	}
	return (x.size-1)&^(block-1) - block
}

// seal encrypts m, whose confounder is made, and makes the MAC.
func (x *pieces) seal(m Message) error {
	x.begin(m)
	bulk := x.bulk()
	for pos := 0; pos < bulk; {
		pos = min(pos+x.turns.seal, bulk)
		if !x.etm {
			x.hashTo(min(pos+x.ragged(pos, -1), x.size))
		}
		x.encryptTo(pos)
		if x.etm && !x.woven() {
			x.hashTo(pos - x.ragged(pos, 1))
		}
	}
	from := x.enc
	buf := x.buf[block:]
	b := buf[:x.size-bulk]
	x.enc.read(&x.m, b)
	var tag []byte
	if !x.etm {
		tag = x.lastTag(b)
	}
	last := (len(b) - 1) &^ (block - 1) // where the last block starts
	clear(buf[len(b) : last+block])
	x.encrypt(buf[:last+block])
	swap(buf[last-block:])
	from.write(&x.m, b)
	if x.etm {
		tag = x.lastTag(b)
	}
	copy(m.MAC, tag)
	return x.end()
}

// open verifies and decrypts m.
func (x *pieces) open(m Message) bool {
	x.begin(m)
	bulk := x.bulk()
	ok := true
	if x.etm {
		var b []byte
		if bulk == 0 {
			b = x.buf[block:][:x.size]
			c := cursor{}
			c.read(&x.m, b)
		}
		ok = hmac.Equal(m.MAC, x.lastTag(b))
	}
	if ok {
		tag := x.decryptAll(bulk)
		ok = x.etm || hmac.Equal(m.MAC, tag)
	}
	if x.end() != nil || !ok {
		m.wipe()
		clear(x.buf[:])
		return false
	}
	return true
}

// decryptAll decrypts, and hashes behind that and returns the MAC unless it is done.
func (x *pieces) decryptAll(bulk int) (tag []byte) {
	turn := x.turns.open
	if x.etm {
		turn = bulk
	}
	for pos := 0; pos < bulk; {
		pos = min(pos+turn, bulk)
		x.decryptTo(pos)
		if !x.etm {
			x.hashTo(pos - x.ragged(pos, 1))
		}
	}
	from := x.enc
	buf := x.buf[block:]
	b := buf[:x.size-bulk]
	x.enc.read(&x.m, b)
	last := (len(b) - 1) &^ (block - 1)
	if fill := len(b) - last; fill < block {
		// As in cts.unsteal: the padding shows what was cut off.
		state := x.iv
		x.iv = [block]byte{}
		copy(x.one[:], buf[last-block:last])
		x.decrypt(x.one[:])
		x.iv = state
		copy(buf[len(b):last+block], x.one[fill:])
	}
	swap(buf[last-block:])
	n := last + block
	if bulk == 0 && x.aes != nil {
		n = x.aes.group(n)
	}
	x.decrypt(buf[:n])
	from.write(&x.m, b)
	if !x.etm {
		tag = x.lastTag(b)
	}
	return tag
}

// lastTag hashes what is left of the message, and returns the MAC. b is the end of the
// message, or all of it, if that is behind a block's space in the buffer.
func (x *pieces) lastTag(b []byte) []byte {
	switch {
	case !x.all || x.size-x.mac.pos != len(b):
		x.hashTo(x.size)
	case x.mac.pos > 0 || x.aes == nil:
		x.h.Write(b)
	case x.etm:
		copy(x.buf[:], initial[:])
		return x.aes.h.Short(x.buf[:], block+len(b))[:len(x.m.MAC)]
	default:
		return x.aes.h.Short(x.buf[block:], len(b))[:len(x.m.MAC)]
	}
	return x.tag()
}

// woven reports whether the cipher and the HMAC work at the same time.
func (x *pieces) woven() bool { return x.aes != nil && x.aes.woven }

// hashTo goes on until pos bytes of those that are encrypted are hashed, with
// whatever stands between them.
func (x *pieces) hashTo(pos int) {
	for x.mac.pos < pos {
		x.h.Write(x.take(pos))
	}
}

// take returns the bytes that lie together and are hashed next, up to pos of those
// that are encrypted, and moves the cursor over them.
func (x *pieces) take(pos int) []byte {
	c := &x.mac
	p, sealed := x.m.piece(c.piece)
	whole := len(p)
	p = p[c.off:]
	if sealed {
		p = p[:min(len(p), pos-c.pos)]
		c.pos += len(p)
	}
	x.hashed += len(p)
	if c.off += len(p); c.off == whole {
		c.piece, c.off = c.piece+1, 0
	}
	return p
}

// ragged returns how far pos is from a border of the hash's blocks, behind the
// last one (sign 1) or before the next one (sign -1). The hash has no work with
// whole blocks but to hash them.
func (x *pieces) ragged(pos, sign int) int {
	return sign * (x.hashed + pos - x.mac.pos) & (x.h.BlockSize() - 1)
}

// behind hashes what is encrypted, in whole blocks of the hash, but for the last
// bytes that lie together. It returns these: they are to be hashed next.
func (x *pieces) behind() (p []byte) {
	end := x.enc.pos - x.ragged(x.enc.pos, 1)
	for x.mac.pos < end {
		x.h.Write(p)
		p = x.take(end)
	}
	return p
}

// encryptTo goes on in CBC up to pos, which is on a block's border, and hashes what
// was encrypted before if that can be done at the same time.
func (x *pieces) encryptTo(pos int) {
	for x.enc.pos < pos {
		p := x.enc.next(&x.m, pos-x.enc.pos)
		if whole := len(p) &^ (block - 1); whole > 0 {
			if p = p[:whole]; x.woven() {
				x.keep(x.aes.h.WriteEncrypting(x.behind(), x.aes.aes, p, p, &x.iv))
			} else {
				x.encrypt(p)
			}
			x.enc.skip(whole)
			continue
		}
		from := x.enc
		x.enc.read(&x.m, x.one[:])
		x.encrypt(x.one[:])
		from.write(&x.m, x.one[:])
	}
}

// decryptTo is its inverse.
func (x *pieces) decryptTo(pos int) {
	for x.enc.pos < pos {
		p := x.enc.next(&x.m, pos-x.enc.pos)
		if whole := len(p) &^ (block - 1); whole > 0 {
			x.decrypt(p[:whole])
			x.enc.skip(whole)
			continue
		}
		from := x.enc
		x.enc.read(&x.m, x.one[:])
		x.decrypt(x.one[:])
		from.write(&x.m, x.one[:])
	}
}

func (x *pieces) encrypt(b []byte) { x.keep(x.cbc.Encrypt(b, b, &x.iv)) }

func (x *pieces) decrypt(b []byte) { x.keep(x.cbc.Decrypt(b, b, &x.iv)) }

func (x *pieces) keep(err error) {
	if err != nil && x.err == nil {
		x.err = err
	}
}

// tag ends the MAC. The result is x's own space.
func (x *pieces) tag() []byte { return x.h.Sum(x.sum[:0])[:len(x.m.MAC)] }

// end lets go of the message and returns the first failure.
func (x *pieces) end() error {
	x.m = Message{}
	return x.err
}

// clear overwrites what the last message has left. It may be called on nil.
func (x *pieces) clear() {
	if x != nil {
		clear(x.buf[:])
		clear(x.one[:])
		clear(x.sum[:])
	}
}

// begin brings the HMAC to its beginning and returns what goes over a message in
// pieces.
func (e *cts) begin() *pieces {
	if e.pieces == nil {
		e.pieces = &pieces{cbc: e.aes, h: e.h, aes: e, etm: e.p.etm, turns: e.turns}
	}
	e.start()
	e.startHash()
	return e.pieces
}

// sealInPlace implements inPlaceEngine.
func (e *cts) sealInPlace(m Message) error {
	if err := e.random.next((*[block]byte)(m.Confounder)); err != nil {
		return fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	return e.begin().seal(m)
}

// openInPlace implements inPlaceEngine.
func (e *cts) openInPlace(m Message) bool { return e.begin().open(m) }

// chunk is a turn of Camellia, which its HMAC does not wait for.
const chunk = 8 << 10

// camelliaCBC is a Camellia cipher as a blockMode.
type camelliaCBC struct{ *camellia.Cipher }

func (c camelliaCBC) Encrypt(dst, src []byte, iv *[block]byte) error {
	return c.EncryptCBC(dst, src, iv)
}

func (c camelliaCBC) Decrypt(dst, src []byte, iv *[block]byte) error {
	return c.DecryptCBC(dst, src, iv)
}

// begin is as that of cts.
func (e *camelliaEngine) begin() *pieces {
	if e.pieces == nil {
		e.pieces = &pieces{cbc: camelliaCBC{e.c}, h: e.m, turns: turns{chunk, chunk}}
	}
	e.m.Reset()
	return e.pieces
}

// sealInPlace implements inPlaceEngine.
func (e *camelliaEngine) sealInPlace(m Message) error {
	if err := e.random.next((*[block]byte)(m.Confounder)); err != nil {
		return fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	defer e.stop()
	return e.begin().seal(m)
}

// openInPlace implements inPlaceEngine.
func (e *camelliaEngine) openInPlace(m Message) bool {
	defer e.stop()
	return e.begin().open(m)
}
