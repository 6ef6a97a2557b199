package krb5

import (
	"encoding/binary"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// maxPRF is how many bytes PRF gives, and takes.
const maxPRF = 1 << 20

// PRF implements [mech.PRF] (RFC 7802): the enctype's pseudo-random function of
// a counter and in, as often as needed, under the acceptor's subkey for a full
// key and the initiator's otherwise. Without an acceptor's subkey both are the
// same.
func (c *secContext) PRF(dst []byte, full bool, in []byte, n int) ([]byte, error) {
	const op = "pseudo_random"
	if c.prot == nil {
		return dst, fail(op, gsserr.ErrNoContext, nil)
	}
	p, ok := c.prot.State()
	switch {
	case !ok:
		return dst, fail(op, gsserr.ErrNoContext, nil)
	case n < 0 || n > maxPRF || len(in) > maxPRF:
		return dst, fail(op, gsserr.ErrFailure, fmt.Errorf("%w: %d bytes from %d", krberr.GSSInputTooLong, n, len(in)))
	}
	key := p.Key
	if full && p.AcceptorSubkey != nil {
		key = p.AcceptorSubkey
	}
	end := len(dst) + n
	out := dst
	block := append(make([]byte, 4, 4+len(in)), in...)
	for i := uint32(0); len(out) < end; i++ {
		binary.BigEndian.PutUint32(block, i)
		if out = key.PRF(out, block); out == nil {
			return dst, fail(op, gsserr.ErrFailure, krberr.CryptoInternal)
		}
	}
	clear(out[end:]) // what was not asked for must not stay behind dst
	return out[:end], nil
}
