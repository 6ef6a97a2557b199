package secctx

import (
	"errors"
	"reflect"
	"slices"
	"sync"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
)

// The calls of this file are those of the previous ones for the layout of
// [iov.AEAD], with a token in one piece (MIT's gss_wrap_aead and its sibling).

var errOverlap = errors.New("output overlaps input")

// aead are the buffers of one direction, kept from call to call: an engine is
// behind an interface, so they would be allocated each time.
type aead struct {
	mu sync.Mutex
	b  [5]iov.Buffer
}

// overlaps reports whether in lies, in part, in the free capacity of dst, where
// the output goes.
func overlaps(dst, in []byte) bool {
	free := dst[len(dst):cap(dst)]
	if len(free) == 0 || len(in) == 0 {
		return false
	}
	a, b := reflect.ValueOf(&free[0]).Pointer(), reflect.ValueOf(&in[0]).Pointer()
	return a < b+uintptr(len(in)) && b < a+uintptr(len(free))
}

// WrapAEAD appends to dst a token that holds msg as Wrap would, and
// authenticates the associated data ad with it, which is not part of the token.
// Nil options encrypt. With room in dst nothing is allocated. dst must not
// overlap msg or ad. On error WrapAEAD returns dst as it was. Errors are as for
// [SecContext.WrapIOV].
func (c *SecContext) WrapAEAD(dst, msg, ad []byte, o *mech.WrapOptions) ([]byte, error) {
	const op = "wrap_aead"
	p, err := c.wrapper(op)
	if err != nil {
		return dst, err
	}
	if overlaps(dst, msg) || overlaps(dst, ad) {
		return dst, fail(op, gsserr.ErrFailure, errOverlap)
	}
	x := &c.sealing
	x.mu.Lock()
	defer x.mu.Unlock()
	const header, signOnly, data, padding, trailer = 0, 1, 2, 3, 4
	b := &x.b
	b[header].Type, b[signOnly].Type, b[data].Type = iov.Header, iov.SignOnly, iov.Data
	b[padding].Type, b[trailer].Type = iov.Padding, iov.Trailer
	b[signOnly].Bytes, b[data].Bytes = ad, msg
	err = p.WrapIOVLength(b[:], o)
	defer func(h, p, t []byte) { // what it has made is used again
		b[header].Bytes, b[signOnly].Bytes, b[data].Bytes, b[padding].Bytes, b[trailer].Bytes = h, nil, nil, p, t
	}(b[header].Bytes, b[padding].Bytes, b[trailer].Bytes)
	if err != nil {
		return dst, fail(op, 0, err)
	}
	size := 0
	for i := range b {
		if i != signOnly {
			size += len(b[i].Bytes)
		}
	}
	out := slices.Grow(dst, size)[:len(dst)+size]
	rest := out[len(dst):]
	for i := range b {
		if i != signOnly {
			n := len(b[i].Bytes)
			b[i].Bytes, rest = rest[:n:n], rest[n:]
		}
	}
	copy(b[data].Bytes, msg)
	if err = p.WrapIOV(b[:], o); err != nil {
		clear(out[len(dst):])
		return dst, fail(op, 0, err)
	}
	return out, nil
}

// UnwrapAEAD appends to dst the message of a token that WrapAEAD has made with
// the associated data ad, or Wrap if that is empty. With as much room in dst as
// the token is long nothing is allocated. dst must not overlap token or ad.
// Errors are as for [SecContext.Unwrap]; other associated data is ErrBadMIC. In
// DCE style there is no such call: it is ErrFailure.
func (c *SecContext) UnwrapAEAD(dst, token, ad []byte) ([]byte, mech.MessageInfo, error) {
	const op = "unwrap_aead"
	p, err := c.wrapper(op)
	if err != nil {
		return dst, mech.MessageInfo{}, err
	}
	if overlaps(dst, token) || overlaps(dst, ad) {
		return dst, mech.MessageInfo{}, fail(op, gsserr.ErrFailure, errOverlap)
	}
	x := &c.opening
	x.mu.Lock()
	defer x.mu.Unlock()
	out := slices.Grow(dst, len(token))
	b := x.b[:3]
	b[0] = iov.Buffer{Type: iov.Stream, Bytes: token}
	b[1] = iov.Buffer{Type: iov.SignOnly, Bytes: ad}
	b[2] = iov.Buffer{Type: iov.Data, Bytes: out[len(out):], Alloc: true}
	info, err := p.UnwrapIOV(b)
	msg := b[2].Bytes
	clear(b)
	if err != nil {
		if err = fail(op, 0, err); !gsserr.Informational(err) {
			clear(out[len(out):][:len(token)])
			return dst, mech.MessageInfo{}, err
		}
	}
	return append(out, msg...), info, err // to where it is already, most of the time
}
