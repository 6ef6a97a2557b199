package cfx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// rotateToken returns the token turned right by n bytes, RRC set, as Windows
// (28 or 12) and Heimdal send them.
func rotateToken(token []byte, n int) []byte {
	out := append(bytes.Clone(token[:16]), rotateRight(token[16:], n)...)
	binary.BigEndian.PutUint16(out[6:], uint16(n))
	return out
}

func TestRotation(t *testing.T) {
	counts := []int{0xffff, 0x8000, 1000}
	for n := range 81 {
		counts = append(counts, n)
	}
	for _, id := range etypes {
		for _, o := range []*mech.WrapOptions{sealed, integOnly} {
			for _, size := range []int{0, 5, 100} {
				t.Run(fmt.Sprintf("%v/integ=%v/%d", id, o != nil, size), func(t *testing.T) {
					i, a := setup{id: id, replay: true, sequence: true}.pair(t)
					msg := message(size)
					for _, n := range counts {
						token, err := i.Wrap(nil, msg, o)
						require.NoError(t, err)
						token = rotateToken(token, n)
						before := bytes.Clone(token)
						got, info, err := a.Unwrap(nil, token)
						require.NoError(t, err, "RRC %d", n)
						require.True(t, bytes.Equal(msg, got), "RRC %d", n)
						require.Equal(t, o == nil, info.Encrypted)
						require.Equal(t, before, token, "the token is not written to")
					}
				})
			}
		}
	}
}

// TestRotationScratch checks that the space for turned tokens is not kept
// without bound.
func TestRotationScratch(t *testing.T) {
	i, a := setup{id: aes128}.pair(t)
	for _, tt := range []struct {
		size int
		kept bool
	}{{100, true}, {60000, true}, {200000, false}, {100, true}} {
		token, err := i.Wrap(nil, message(tt.size), nil)
		require.NoError(t, err)
		_, _, err = a.Unwrap(nil, rotateToken(token, 28))
		require.NoError(t, err)
		require.Equal(t, tt.kept, a.recv.rotated != nil)
		require.LessOrEqual(t, cap(a.recv.rotated), maxRotated)
	}
}

// TestExtraCount unwraps tokens with bytes between message and header copy, as
// some peers pad.
func TestExtraCount(t *testing.T) {
	for _, id := range etypes {
		for _, ec := range []uint16{0, 1, 15, 16, 300} {
			for _, rrc := range []uint16{0, 28, 17} {
				f := forge{testKey(t, id, 1), 24, header{token: tokenWrap, flags: flagSealed, ec: ec, rrc: rrc, seq: 7}}
				token := f.wrap(t, []byte("message"))
				got, _, err := setup{id: id}.side(t, false).Unwrap(nil, token)
				require.NoError(t, err)
				require.Equal(t, "message", string(got))
			}
		}
	}
}

// TestInside has tokens that are authentic and malformed inside.
func TestInside(t *testing.T) {
	id := aes256
	h := header{token: tokenWrap, flags: flagSealed, ec: 3, seq: 7}
	f := forge{testKey(t, id, 1), 24, h}
	a := setup{id: id}.side(t, false)
	token := f.wrapCopy(t, []byte("message"), h)
	_, _, err := a.Unwrap(nil, token)
	require.NoError(t, err)

	for name, change := range map[string]func(h *header){
		"token":     func(h *header) { h.token = tokenMIC },
		"flags":     func(h *header) { h.flags |= flagAcceptorSubkey },
		"direction": func(h *header) { h.flags |= flagSentByAcceptor },
		"reserved":  func(h *header) { h.flags |= 0x80 },
		"not sealed": func(h *header) {
			h.flags = 0
		},
		"ec":  func(h *header) { h.ec = 0 },
		"seq": func(h *header) { h.seq++ },
	} {
		t.Run(name, func(t *testing.T) {
			inner := h
			change(&inner)
			err := requireRefused(t, a, f.wrapCopy(t, []byte("message"), inner))
			requireError(t, err, "unwrap", gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader)
		})
	}
	t.Run("filler", func(t *testing.T) {
		inner := headerBytes(h)
		inner[3] = 0
		body, err := f.key.Encrypt(nil, append([]byte("messagexxx"), inner...), 24)
		require.NoError(t, err)
		err = requireRefused(t, a, append(headerBytes(h), body...))
		requireError(t, err, "unwrap", gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader)
	})
	t.Run("no header", func(t *testing.T) {
		body, err := f.key.Encrypt(nil, make([]byte, 15), 24)
		require.NoError(t, err)
		err = requireRefused(t, a, append(headerBytes(h), body...))
		requireError(t, err, "unwrap", gsserr.ErrDefectiveToken, krberr.GSSTokTrunc)
	})
	t.Run("extra count too large", func(t *testing.T) {
		h := h
		h.ec = 11
		body, err := f.key.Encrypt(nil, append([]byte("messagexxx"), headerBytes(h)...), 24)
		require.NoError(t, err)
		err = requireRefused(t, a, append(headerBytes(h), body...))
		requireError(t, err, "unwrap", gsserr.ErrDefectiveToken, krberr.GSSBadLength)
	})
	t.Run("rotation count is not compared", func(t *testing.T) {
		inner := h
		inner.rrc = 0
		rotated := f
		rotated.h.rrc = 28
		_, _, err := a.Unwrap(nil, rotated.wrapCopy(t, []byte("message"), inner))
		require.NoError(t, err)
	})
	t.Run("reserved flags are ignored", func(t *testing.T) {
		reserved := f
		reserved.h.flags |= 0xf8
		_, _, err := a.Unwrap(nil, reserved.wrap(t, []byte("message")))
		require.NoError(t, err)
	})
}

func TestUnwrapMalformed(t *testing.T) {
	id := aes256
	i, a := setup{id: id}.pair(t)
	token, err := i.Wrap(nil, []byte("message"), integOnly)
	require.NoError(t, err)
	edit := func(at int, b ...byte) []byte {
		c := bytes.Clone(token)
		copy(c[at:], b)
		return c
	}
	tests := []struct {
		name  string
		token []byte
		major gsserr.Major
		minor krberr.Code
	}{
		{"nil", nil, gsserr.ErrDefectiveToken, krberr.GSSTokTrunc},
		{"short header", token[:15], gsserr.ErrDefectiveToken, krberr.GSSTokTrunc},
		{"header alone", token[:16], gsserr.ErrDefectiveToken, krberr.GSSTokTrunc},
		{"short checksum", token[:16+11], gsserr.ErrDefectiveToken, krberr.GSSTokTrunc},
		{"MIC token", edit(0, 4, 4), gsserr.ErrDefectiveToken, krberr.GSSWrongTokID},
		{"old token", edit(0, 2, 1), gsserr.ErrDefectiveToken, krberr.GSSWrongTokID},
		{"filler", edit(3, 0), gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader},
		{"extra count", edit(4, 0, 11), gsserr.ErrDefectiveToken, krberr.GSSBadLength},
		{"large extra count", edit(4, 0xff, 0xff), gsserr.ErrDefectiveToken, krberr.GSSBadLength},
		{"direction", edit(2, 1), gsserr.ErrBadMIC, krberr.GSSBadDirection},
		{"as if sealed", edit(2, 2), gsserr.ErrBadMIC, krberr.APBadIntegrity},
		{"sealed, empty", edit(2, 2)[:16], gsserr.ErrBadMIC, krberr.APBadIntegrity},
		{"sealed, short", edit(2, 2)[:20], gsserr.ErrBadMIC, krberr.APBadIntegrity},
		{"frame alone", []byte{0x60, 0}, gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader},
		{"frame of another mechanism", mech.AppendToken(nil, oid.Krb5Old, token), gsserr.ErrDefectiveToken, krberr.GSSWrongMech},
		{"frame twice", mech.AppendToken(nil, oid.Krb5, mech.AppendToken(nil, oid.Krb5, token)), gsserr.ErrDefectiveToken, krberr.GSSWrongTokID},
		{"frame and more", append(mech.AppendToken(nil, oid.Krb5, token), 0), gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requireError(t, requireRefused(t, a, tt.token), "unwrap", tt.major, tt.minor)
		})
	}
	_, _, err = a.Unwrap(nil, token)
	require.NoError(t, err, "what was refused has left no trace")
}

// TestUnwrapTamper changes each byte of tokens in several ways, drops each and
// appends some.
func TestUnwrapTamper(t *testing.T) {
	everySetup(t, func(t *testing.T, s setup) {
		for _, o := range []*mech.WrapOptions{sealed, integOnly} {
			i, a := s.pair(t)
			token, err := i.Wrap(nil, message(100), o)
			require.NoError(t, err)
			for at := range token {
				for _, x := range []byte{1, 2, 4, 0x80, 0xff} {
					bad := bytes.Clone(token)
					bad[at] ^= x
					requireForgery(t, requireRefused(t, a, bad))
				}
				bad := append(bytes.Clone(token[:at]), token[at+1:]...)
				requireForgery(t, requireRefused(t, a, bad))
				requireForgery(t, requireRefused(t, a, token[:at]))
			}
			for _, more := range []int{1, 15, 16, 17} {
				requireForgery(t, requireRefused(t, a, append(bytes.Clone(token), make([]byte, more)...)))
				requireForgery(t, requireRefused(t, a, append(make([]byte, more), token...)))
			}

			_, _, err = a.Unwrap(nil, token)
			require.NoError(t, err, "forged tokens have not moved the window")
		}
	})
}

// requireForgery accepts the two verdicts on a token that was changed.
func requireForgery(t *testing.T, err error) {
	t.Helper()
	if m := gsserr.MajorOf(err); m != gsserr.ErrBadMIC && m != gsserr.ErrDefectiveToken {
		t.Fatalf("got %v", err)
	}
}

// TestUnwrapOneVerdict checks that the ways in which decryption fails cannot be
// told apart.
func TestUnwrapOneVerdict(t *testing.T) {
	for _, id := range etypes {
		i, a := setup{id: id}.pair(t)
		token, err := i.Wrap(nil, message(100), nil)
		require.NoError(t, err)
		integ, err := i.Wrap(nil, message(100), integOnly)
		require.NoError(t, err)
		integ[20] ^= 1
		want := requireRefused(t, a, integ)
		requireError(t, want, "unwrap", gsserr.ErrBadMIC, krberr.APBadIntegrity)
		for at := 16; at < len(token); at++ {
			bad := bytes.Clone(token)
			bad[at] ^= 1
			require.Equal(t, want, requireRefused(t, a, bad))
			require.Equal(t, want, requireRefused(t, a, token[:at]))
		}
	}
}

func TestReflection(t *testing.T) {
	everySetup(t, func(t *testing.T, s setup) {
		for _, c := range []*Context{s.side(t, true), s.side(t, false)} {
			for _, o := range []*mech.WrapOptions{sealed, integOnly} {
				token, err := c.Wrap(nil, []byte("message"), o)
				require.NoError(t, err)
				requireError(t, requireRefused(t, c, token), "unwrap", gsserr.ErrBadMIC, krberr.GSSBadDirection)
				token[2] ^= flagSentByAcceptor
				requireError(t, requireRefused(t, c, token), "unwrap", gsserr.ErrBadMIC, krberr.APBadIntegrity)
			}
			mic, err := c.GetMIC(nil, []byte("message"), 0)
			require.NoError(t, err)
			_, err = c.VerifyMIC([]byte("message"), mic)
			requireError(t, err, "verify_mic", gsserr.ErrBadMIC, krberr.GSSBadDirection)
			mic[2] ^= flagSentByAcceptor
			_, err = c.VerifyMIC([]byte("message"), mic)
			requireError(t, err, "verify_mic", gsserr.ErrBadMIC, krberr.APBadIntegrity)
		}
	})
}

// TestKeyChoice checks that the key goes by the flag of each token, and that
// the flag means nothing where there is no acceptor's subkey.
func TestKeyChoice(t *testing.T) {
	const id = etype.AES128SHA2
	one, two := testKey(t, id, 1), testKey(t, id, 99)
	for _, tt := range []struct {
		name   string
		subkey bool
		flags  byte
		key    byte
		ok     bool
	}{
		{"subkey", true, flagAcceptorSubkey, 99, true},
		{"subkey not used", true, 0, 1, true},
		{"subkey not named", true, 0, 99, false},
		{"subkey named, not used", true, flagAcceptorSubkey, 1, false},
		{"no subkey", false, 0, 1, true},
		{"no subkey but named", false, flagAcceptorSubkey, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := setup{id: id, subkey: tt.subkey}.side(t, false)
			key := one
			if tt.key == 99 {
				key = two
			}
			for _, sealing := range []byte{0, flagSealed} {
				h := header{token: tokenWrap, flags: tt.flags | sealing, seq: seqInitiator}
				if sealing == 0 {
					h.ec = 16
				}
				got, _, err := a.Unwrap(nil, forge{key, 24, h}.wrap(t, []byte("message")))
				if tt.ok {
					require.NoError(t, err)
					require.Equal(t, "message", string(got))
				} else {
					requireError(t, err, "unwrap", gsserr.ErrBadMIC, krberr.APBadIntegrity)
				}
			}
			h := headerBytes(header{token: tokenMIC, flags: tt.flags, ec: 0xffff, rrc: 0xffff, seq: 1})
			mic, err := key.Checksum(h, 25, []byte("message"), h)
			require.NoError(t, err)
			_, err = a.VerifyMIC([]byte("message"), mic)
			if tt.ok {
				require.NoError(t, err)
			} else {
				requireError(t, err, "verify_mic", gsserr.ErrBadMIC, krberr.APBadIntegrity)
			}
		})
	}
}
