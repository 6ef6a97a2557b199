package interop

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
)

const (
	tokensEachWay  = 10_000
	flippedEachWay = 1_000
)

// kind is a way to protect a message.
type kind uint8

const (
	sealed kind = iota // wrapped and encrypted
	signed             // wrapped, integrity only
	mic                // a MIC beside the message
	kinds
)

// make protects msg on our side, theirs on the peer's.
func (p *pair) make(t *testing.T, k kind, msg []byte) []byte {
	t.Helper()
	var token []byte
	var err error
	if k == mic {
		token, err = p.ours.GetMIC(nil, msg)
	} else {
		token, err = p.ours.Wrap(nil, msg, &gssapi.WrapOptions{IntegrityOnly: k == signed})
	}
	require.NoError(t, err)
	return token
}

func (p *pair) theirs(k kind, msg []byte) []byte {
	if k == mic {
		return p.peer.mic(msg)
	}
	return p.peer.wrap(msg, k == sealed)
}

// take checks a token of the peer on our side, give one of ours on the peer's.
// They return the message, nil if it was refused.
func (p *pair) take(t *testing.T, k kind, msg, token []byte) ([]byte, error) {
	t.Helper()
	if k == mic {
		return msg, p.ours.VerifyMIC(msg, token)
	}
	got, info, err := p.ours.Unwrap(nil, token)
	if err == nil {
		require.Equal(t, k == sealed, info.Encrypted)
	}
	return got, err
}

func (p *pair) give(t *testing.T, k kind, msg, token []byte) ([]byte, error) {
	t.Helper()
	if k == mic {
		return msg, p.peer.verify(msg, token)
	}
	got, encrypted, err := p.peer.unwrap(token)
	if err == nil {
		require.Equal(t, k == sealed, encrypted)
	}
	return got, err
}

func TestTokens(t *testing.T) {
	eachRole(t, func(t *testing.T, a *attempt) {
		a.tokens(t, rand.New(rand.NewPCG(4121, 1)))
	})
}

// tokens establishes a context and has each side read what the other protects,
// of all kinds: genuine tokens, and changed ones between them.
func (a *attempt) tokens(t *testing.T, rnd *rand.Rand) {
	p := a.establish(t)
	pool := make([]byte, 1<<17)
	for i := range pool {
		pool[i] = byte(rnd.Uint32())
	}
	for i := range tokensEachWay {
		k, msg := message(rnd, pool)
		got, err := p.give(t, k, msg, p.make(t, k, msg))
		require.NoError(t, err, "token %d for the peer", i)
		require.True(t, bytes.Equal(got, msg), "token %d for the peer: another message of %d bytes", i, len(msg))

		k, msg = message(rnd, pool)
		got, err = p.take(t, k, msg, p.theirs(k, msg))
		require.NoError(t, err, "token %d of the peer", i)
		require.True(t, bytes.Equal(got, msg), "token %d of the peer: another message of %d bytes", i, len(msg))
	}
	// A refused token changes nothing: the genuine one is good after it.
	for i := range flippedEachWay {
		k, msg := message(rnd, pool)
		token := p.make(t, k, msg)
		_, err := p.give(t, k, msg, a.flip(rnd, k, token))
		require.Error(t, err, "flipped token %d for the peer", i)
		_, err = p.give(t, k, msg, token)
		require.NoError(t, err, "token %d for the peer, after a flipped one", i)

		k, msg = message(rnd, pool)
		token = p.theirs(k, msg)
		got, err := p.take(t, k, msg, a.flip(rnd, k, token))
		require.Error(t, err, "flipped token %d of the peer", i)
		require.False(t, gssapi.Informational(err), "flipped token %d of the peer: %v", i, err)
		require.True(t, k == mic || len(got) == 0, "flipped token %d of the peer gave %d bytes", i, len(got))
		_, err = p.take(t, k, msg, token)
		require.NoError(t, err, "token %d of the peer, after a flipped one", i)
	}
}

// message returns a random way to protect a random message, mostly a short one.
func message(rnd *rand.Rand, pool []byte) (kind, []byte) {
	n := rnd.IntN(2000)
	if rnd.IntN(20) == 0 {
		n = rnd.IntN(70_000)
	}
	start := rnd.IntN(len(pool) - n)
	return kind(rnd.IntN(int(kinds))), pool[start : start+n]
}

// flip returns a copy of the token with one bit changed.
func flip(rnd *rand.Rand, k kind, token []byte) []byte {
	for {
		b := bytes.Clone(token)
		bit := rnd.IntN(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
		// The rotation count of RFC 4121 §4.2.5 is authenticated by what it
		// does only, and counts modulo the length of what it rotates.
		n := len(token) - 16
		if k != mic && rotation(b)%n == rotation(token)%n && rotation(b) != rotation(token) {
			continue
		}
		return b
	}
}

func rotation(token []byte) int { return int(binary.BigEndian.Uint16(token[6:])) }

func TestOrder(t *testing.T) {
	eachRole(t, func(t *testing.T, a *attempt) {
		p := a.establish(t)
		text := []byte("text")
		for _, k := range []kind{sealed, mic} {
			var ours, theirs [6][]byte
			for i := range ours {
				ours[i], theirs[i] = p.make(t, k, text), p.theirs(k, text)
			}
			for _, step := range []struct {
				token int
				want  error
			}{
				{0, nil},
				{0, gssapi.ErrDuplicateToken},
				{3, gssapi.ErrGapToken},
				{1, gssapi.ErrUnseqToken},
				{1, gssapi.ErrDuplicateToken},
				{4, nil},
				{2, gssapi.ErrUnseqToken},
				{5, nil},
			} {
				_, err := p.give(t, k, text, ours[step.token])
				require.ErrorIs(t, err, step.want, "the peer on our token %d", step.token)
				got, err := p.take(t, k, text, theirs[step.token])
				require.ErrorIs(t, err, step.want, "we on the peer's token %d", step.token)
				require.True(t, err == nil || gssapi.Informational(err))
				require.Equal(t, text, got)
			}
		}
	})
}

// Both sides compute the same limit, and a message of that size fits.
func TestWrapSizeLimit(t *testing.T) {
	eachRole(t, func(t *testing.T, a *attempt) {
		p := a.establish(t)
		for _, encrypt := range []bool{true, false} {
			o := &gssapi.WrapOptions{IntegrityOnly: !encrypt}
			for _, size := range []int{0, 20, 60, 61, 1000, 4096, 65536} {
				got, err := p.ours.WrapSizeLimit(size, o)
				require.NoError(t, err)
				require.Equal(t, p.peer.sizeLimit(encrypt, size), got, "encrypt %v, size %d", encrypt, size)
				if got == 0 {
					continue
				}
				token, err := p.ours.Wrap(nil, make([]byte, got), o)
				require.NoError(t, err)
				require.LessOrEqual(t, len(token), size)
			}
		}
	})
}

// Both sides draw the same bytes from the context (RFC 4402).
func TestPRF(t *testing.T) {
	eachRole(t, func(t *testing.T, a *attempt) {
		p := a.establish(t)
		for _, full := range []bool{false, true} {
			for _, n := range []int{1, 16, 20, 32, 100, 1000} {
				seed := []byte("seed")
				got, err := p.ours.PRF(nil, full, seed, n)
				require.NoError(t, err)
				require.Equal(t, p.peer.prf(full, seed, n), got, "full %v, %d bytes", full, n)
			}
		}
	})
}
