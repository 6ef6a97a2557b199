package mechtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"reflect"
	"sync"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// A message token is an identifier, a byte that is 1 if it is encrypted, the
// sequence number in 8 bytes, the message if there is one, and a tag.
const (
	toyWrap     = 'W'
	toyMIC      = 'M'
	toyHead     = 10
	toyTag      = 16 // of GCM
	toyGCMNonce = 12
)

var errToyOverlap = errors.New("toy: output and input overlap")

// toyHalf is one direction of an open context.
type toyHalf struct {
	mu     sync.Mutex
	live   bool
	conf   bool
	key    []byte
	aead   cipher.AEAD
	mac    hash.Hash
	seq    uint64 // of the next token to send
	window toyWindow
	head   [toyHead]byte
	nonce  [toyGCMNonce]byte
	sum    [toyMAC]byte
}

func (h *toyHalf) init(key []byte) {
	h.key = key
	block, _ := aes.NewCipher(key) // 32 bytes
	h.aead, _ = cipher.NewGCM(block)
	h.mac = hmac.New(sha256.New, key)
}

func (h *toyHalf) start(f mech.Flags) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live, h.conf = true, f.Has(mech.FlagConf)
	h.window.replay, h.window.sequence = f.Has(mech.FlagReplay), f.Has(mech.FlagSequence)
}

func (h *toyHalf) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.key)
	h.live, h.aead, h.mac = false, nil, nil
}

// header starts a token with the next sequence number.
func (h *toyHalf) header(id, flags byte) {
	h.head[0], h.head[1] = id, flags
	binary.BigEndian.PutUint64(h.head[2:], h.seq)
	copy(h.nonce[4:], h.head[2:])
	h.seq++
}

// tag authenticates the header and a message.
func (h *toyHalf) tag(msg []byte) []byte {
	h.mac.Reset()
	h.mac.Write(h.head[:])
	h.mac.Write(msg)
	return h.mac.Sum(h.sum[:0])
}

// overlap reports whether in lies in the free part of dst.
func overlap(dst, in []byte) bool {
	free := dst[len(dst):cap(dst)]
	if len(free) == 0 || len(in) == 0 {
		return false
	}
	a, b := reflect.ValueOf(&free[0]).Pointer(), reflect.ValueOf(&in[0]).Pointer()
	return a < b+uintptr(len(in)) && b < a+uintptr(len(free))
}

// ready checks what every call on messages needs. The caller holds h.mu.
func (c *toyContext) ready(op string, h *toyHalf, q mech.QOP, dst, in []byte) error {
	switch {
	case !h.live:
		return c.t.fail(op, gsserr.ErrNoContext, nil)
	case q != 0:
		return c.t.fail(op, gsserr.ErrBadQOP, nil)
	case overlap(dst, in):
		return c.t.fail(op, gsserr.ErrFailure, errToyOverlap)
	}
	return nil
}

func (c *toyContext) Wrap(dst, msg []byte, o *mech.WrapOptions) ([]byte, error) {
	h := &c.send
	h.mu.Lock()
	defer h.mu.Unlock()
	var opt mech.WrapOptions
	if o != nil {
		opt = *o
	}
	if err := c.ready("wrap", h, opt.QOP, dst, msg); err != nil {
		return dst, err
	}
	if opt.IntegrityOnly {
		h.header(toyWrap, 0)
		dst = append(append(dst, h.head[:]...), msg...)
		return append(dst, h.tag(msg)...), nil
	}
	if !h.conf {
		return dst, c.t.fail("wrap", gsserr.ErrUnavailable, nil)
	}
	h.header(toyWrap, 1)
	return h.aead.Seal(append(dst, h.head[:]...), h.nonce[:], msg, h.head[:]), nil
}

func (c *toyContext) Unwrap(dst, token []byte) ([]byte, mech.MessageInfo, error) {
	const op = "unwrap"
	h := &c.recv
	h.mu.Lock()
	defer h.mu.Unlock()
	var info mech.MessageInfo
	if err := c.ready(op, h, 0, dst, token); err != nil {
		return dst, info, err
	}
	if len(token) < toyHead || token[0] != toyWrap || token[1] > 1 {
		return dst, info, c.t.fail(op, gsserr.ErrDefectiveToken, errToyToken)
	}
	copy(h.head[:], token)
	copy(h.nonce[4:], h.head[2:])
	body := token[toyHead:]
	out := dst
	if token[1] == 1 {
		var err error
		if out, err = h.aead.Open(dst, h.nonce[:], body, h.head[:]); err != nil {
			return dst, info, c.t.fail(op, gsserr.ErrBadMIC, nil)
		}
		info.Encrypted = true
	} else {
		if len(body) < toyMAC || !hmac.Equal(body[len(body)-toyMAC:], h.tag(body[:len(body)-toyMAC])) {
			return dst, info, c.t.fail(op, gsserr.ErrBadMIC, nil)
		}
		out = append(dst, body[:len(body)-toyMAC]...)
	}
	if m := h.window.check(binary.BigEndian.Uint64(h.head[2:])); m != 0 {
		return out, info, c.t.fail(op, m, nil)
	}
	return out, info, nil
}

func (c *toyContext) GetMIC(dst, msg []byte, q mech.QOP) ([]byte, error) {
	h := &c.send
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := c.ready("get_mic", h, q, dst, msg); err != nil {
		return dst, err
	}
	h.header(toyMIC, 0)
	return append(append(dst, h.head[:]...), h.tag(msg)...), nil
}

func (c *toyContext) VerifyMIC(msg, mic []byte) (mech.QOP, error) {
	const op = "verify_mic"
	h := &c.recv
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := c.ready(op, h, 0, nil, nil); err != nil {
		return 0, err
	}
	if len(mic) != toyHead+toyMAC || mic[0] != toyMIC || mic[1] != 0 {
		return 0, c.t.fail(op, gsserr.ErrDefectiveToken, errToyToken)
	}
	copy(h.head[:], mic)
	if !hmac.Equal(mic[toyHead:], h.tag(msg)) {
		return 0, c.t.fail(op, gsserr.ErrBadMIC, nil)
	}
	if m := h.window.check(binary.BigEndian.Uint64(h.head[2:])); m != 0 {
		return 0, c.t.fail(op, m, nil)
	}
	return 0, nil
}

func (c *toyContext) WrapSizeLimit(size int, o *mech.WrapOptions) (int, error) {
	h := &c.send
	h.mu.Lock()
	defer h.mu.Unlock()
	var opt mech.WrapOptions
	if o != nil {
		opt = *o
	}
	if err := c.ready("wrap_size_limit", h, opt.QOP, nil, nil); err != nil {
		return 0, err
	}
	overhead := toyHead + toyTag
	if opt.IntegrityOnly {
		overhead = toyHead + toyMAC
	} else if !h.conf {
		return 0, c.t.fail("wrap_size_limit", gsserr.ErrUnavailable, nil)
	}
	return max(0, size-overhead), nil
}

// toyWindow remembers the last 64 sequence numbers (RFC 2743 §1.2.3).
type toyWindow struct {
	replay, sequence bool
	next             uint64
	seen             uint64 // bit i is the number next-1-i
}

func (w *toyWindow) check(n uint64) gsserr.Major {
	if !w.replay && !w.sequence {
		return 0
	}
	if n >= w.next {
		gap := n - w.next
		w.seen = w.seen<<min(gap+1, 64) | 1
		w.next = n + 1
		if gap > 0 && w.sequence {
			return gsserr.ErrGapToken
		}
		return 0
	}
	back := w.next - 1 - n
	if back < 64 {
		seen := w.seen>>back&1 != 0
		w.seen |= 1 << back
		if seen && w.replay {
			return gsserr.ErrDuplicateToken
		}
	}
	switch {
	case w.sequence:
		return gsserr.ErrUnseqToken
	case back >= 64:
		return gsserr.ErrOldToken
	}
	return 0
}

// Export moves an open context into a token.
func (c *toyContext) Export() ([]byte, error) {
	const op = "export_sec_context"
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open {
		return nil, c.t.fail(op, gsserr.ErrNoContext, nil)
	}
	side := byte(0)
	if c.initiator {
		side = 1
	}
	b := binary.BigEndian.AppendUint32([]byte{side}, uint32(c.flags))
	b = appendTime(b, c.expires)
	b = append(b, c.prfKey...)
	for _, h := range []*toyHalf{&c.send, &c.recv} {
		b = h.export(b)
	}
	for _, n := range []*toyName{c.from, c.to, c.target} {
		var name []byte
		if n != nil {
			name, _ = n.Export()
		}
		b = appendPart(b, name)
	}
	c.wipe()
	return b, nil
}

func (h *toyHalf) export(b []byte) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	b = append(b, h.key...)
	for _, v := range []uint64{h.seq, h.window.next, h.window.seen} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

// ImportContext reads what a context's Export wrote.
func (t *Toy) ImportContext(token []byte) (mech.Context, error) {
	const op = "import_sec_context"
	r := reader{b: append([]byte(nil), token...)}
	side := r.byte()
	c := &toyContext{t: t, initiator: side == 1, open: true, flags: mech.Flags(r.uint32()), expires: r.time()}
	c.prfKey = r.bytes(toyMAC)
	halves := []*toyHalf{&c.send, &c.recv}
	var keys [2][]byte
	for i, h := range halves {
		keys[i] = r.bytes(toyMAC)
		h.seq, h.window.next, h.window.seen = r.uint64(), r.uint64(), r.uint64()
	}
	fields := [3][]byte{r.part(), r.part(), r.part()}
	if !r.done() || side > 1 {
		return nil, t.fail(op, gsserr.ErrDefectiveToken, errToyToken)
	}
	for i, n := range []**toyName{&c.from, &c.to, &c.target} {
		if len(fields[i]) == 0 {
			continue
		}
		name, err := t.exported(op, fields[i])
		if err != nil {
			return nil, err
		}
		*n = name
	}
	for i, h := range halves {
		h.init(keys[i])
		h.start(c.flags)
	}
	return c, nil
}
