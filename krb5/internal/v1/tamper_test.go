package v1

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

const frameOf = 13 // bytes of a frame with a short length

// Every bit counts, but those of RC4's number where nothing depends on it.
func TestTamper(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, kind := range kinds {
			for _, n := range []int{0, 1, 23} {
				i, a := setup{id: id, replay: true, sequence: true}.pair(t)
				msg := message(n)
				token, err := i.make(kind, msg)
				require.NoError(t, err)
				for bit := range 8 * len(token) {
					bad := bytes.Clone(token)
					bad[bit/8] ^= 1 << (bit % 8)
					at := bit/8 - frameOf - 8
					if id == etype.RC4 && kind != "sealed" && at >= 0 && at < 4 {
						x := setup{id: id, replay: true, sequence: true}.side(t, false)
						_, err := x.take(t, kind, msg, bad)
						require.True(t, gsserr.Informational(err), "%v", err)
						continue
					}
					_, err := a.take(t, kind, msg, bad)
					var e *gsserr.Error
					require.ErrorAs(t, err, &e, "bit %d of %s", bit, kind)
					if bit/8 < frameOf+8 {
						require.Equal(t, gsserr.ErrDefectiveToken, e.Major, "bit %d", bit)
					} else {
						fails(t, err, gsserr.ErrBadMIC, krberr.APBadIntegrity)
					}
				}
				for cut := range token {
					_, err := a.take(t, kind, msg, token[:cut])
					require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "cut to %d", cut)
				}
				for _, tail := range [][]byte{{0}, make([]byte, 8), token} {
					_, err := a.take(t, kind, msg, append(bytes.Clone(token), tail...))
					require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
				}
				if kind == "mic" {
					_, err = a.VerifyMIC(append(bytes.Clone(msg), 0), token)
					fails(t, err, gsserr.ErrBadMIC, krberr.APBadIntegrity)
				}
				// After all that the window is where it was.
				_, err = a.take(t, kind, msg, token)
				require.NoError(t, err)
			}
		}
	})
}

// With the frame's length corrected a shorter or longer body is still refused.
func TestBodyLength(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, kind := range kinds {
			i, a := setup{id: id}.pair(t)
			token, err := i.make(kind, message(40))
			require.NoError(t, err)
			_, inner, err := mech.ParseToken(token)
			require.NoError(t, err)
			for cut := range inner {
				_, err := a.take(t, kind, message(40), mech.AppendToken(nil, oid.Krb5, inner[:cut]))
				require.Error(t, err)
				require.False(t, gsserr.Informational(err))
				_, err = a.take(t, kind, message(40), inner[:cut])
				require.Error(t, err)
			}
			for n := 1; n < 20; n++ {
				longer := append(bytes.Clone(inner), make([]byte, n)...)
				_, err := a.take(t, kind, message(40), mech.AppendToken(nil, oid.Krb5, longer))
				require.Error(t, err)
				require.False(t, gsserr.Informational(err))
			}
		}
	})
}

// A token is refused by who made it, and by the reader of another kind.
func TestDirectionAndKind(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i, a := setup{id: id}.pair(t)
		for _, c := range []*Context{i, a} {
			for _, kind := range kinds {
				token, err := c.make(kind, message(20))
				require.NoError(t, err)
				_, err = c.take(t, kind, message(20), token)
				fails(t, err, gsserr.ErrBadMIC, krberr.GSSBadDirection)
				for _, other := range kinds {
					if (kind == "mic") != (other == "mic") {
						_, err = c.take(t, other, message(20), token)
						fails(t, err, gsserr.ErrDefectiveToken, krberr.GSSWrongTokID)
					}
				}
			}
		}
	})
}

// A frame is not needed, but one with another OID is refused.
func TestFrames(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, kind := range kinds {
			i, a := setup{id: id}.pair(t)
			msg := message(300)
			token, err := i.make(kind, msg)
			require.NoError(t, err)
			_, inner, err := mech.ParseToken(token)
			require.NoError(t, err)
			_, err = a.take(t, kind, msg, inner)
			require.NoError(t, err)
			for _, m := range []oid.OID{oid.Krb5MS, oid.Krb5Old, oid.SPNEGO} {
				_, err = a.take(t, kind, msg, mech.AppendToken(nil, m, inner))
				fails(t, err, gsserr.ErrDefectiveToken, krberr.GSSWrongMech)
			}
			for _, bad := range [][]byte{
				nil, {0x60}, {0x60, 0x80}, {0x60, 0x85, 0, 0, 0, 0, 1}, {0x60, 0x84, 0xff, 0xff, 0xff, 0xff},
				append([]byte{0x60, 0x83, 0, byte((len(inner) + 11) >> 8), byte(len(inner) + 11)}, token[len(token)-len(inner)-11:]...), // not minimal
				append([]byte{0x60, 5, 6, 3, 42, 3, 4}, inner...),
				{0x60, 3, 6, 9, 42},
			} {
				_, err = a.take(t, kind, msg, bad)
				require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "%x", bad)
			}
		}
	})
}

// forge makes a Wrap token around a body by the book, but for its padding.
func forge(t *testing.T, c *Context, body []byte, seal bool) []byte {
	t.Helper()
	x := &c.send.suite
	require.NoError(t, x.prepare())
	alg := noSeal
	if seal {
		alg = x.seal
	}
	putPrefix(x.prefix[:], tokenWrap, x.sign, alg)
	sum, err := x.checksum(x.wrapMAC, x.prefix[:], body, nil, nil)
	require.NoError(t, err)
	inner := bytes.Clone(x.prefix[:])
	inner, err = x.appendNumber(inner, c.send.seq, direction(c.initiator), sum)
	require.NoError(t, err)
	inner = append(append(inner, sum...), body...)
	if seal {
		x.crypt.start(c.send.seq)
		at := len(inner) - len(body)
		require.NoError(t, x.crypt.encrypt(inner[at:], inner[at:]))
	}
	c.send.seq++
	return mech.AppendToken(nil, oid.Krb5, inner)
}

// Of the padding the last byte counts, and it must not reach into the
// confounder; that error is no other than that of the checksum.
func TestPadding(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, seal := range []bool{true, false} {
			for pad := range 256 {
				i, a := setup{id: id}.pair(t)
				body := append(message(8+15), byte(pad))
				kind := "signed"
				if seal {
					kind = "sealed"
				}
				got, err := a.take(t, kind, nil, forge(t, i, body, seal))
				if pad > 16 {
					fails(t, err, gsserr.ErrBadMIC, krberr.APBadIntegrity)
					require.EqualError(t, err, badMIC(t, a, i).Error())
					continue
				}
				require.NoError(t, err)
				require.Equal(t, string(body[8:24-pad]), string(got))
			}
		}
	})
}

// badMIC returns the error of a wrong checksum.
func badMIC(t *testing.T, a, i *Context) error {
	t.Helper()
	token, err := i.Wrap(nil, message(8), nil)
	require.NoError(t, err)
	token[len(token)-1] ^= 1
	_, _, err = a.Unwrap(nil, token)
	require.Error(t, err)
	return err
}

// The four bytes of the direction must be one of two, and an error in them is
// no other than that of the checksum.
func TestDirectionBytes(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, dir := range []uint32{1, 0x01010101, 0xfffffffe, 0xff, 0x7fffffff, 0xff000000} {
			i, a := setup{id: id}.pair(t)
			token, err := i.GetMIC(nil, message(5), 0)
			require.NoError(t, err)
			x := &i.send.suite
			snd := [8]byte{}
			x.order.PutUint32(snd[:], seqInitiator)
			binary.BigEndian.PutUint32(snd[4:], dir)
			sum := token[frameOf+16:]
			require.NoError(t, x.crypt.number(&snd, sum, false))
			copy(token[frameOf+8:], snd[:])
			_, err = a.VerifyMIC(message(5), token)
			fails(t, err, gsserr.ErrBadMIC, krberr.APBadIntegrity)
		}
	})
}

// The token that ends a context, and what is not one.
func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i, a := setup{id: id, replay: true, sequence: true}.pair(t)
		del := func(c *Context) []byte {
			token, err := c.sign("delete", nil, nil, tokenDelete)
			require.NoError(t, err)
			return token
		}
		mic, err := i.GetMIC(nil, nil, 0)
		require.NoError(t, err)
		fails(t, a.ProcessToken(mic), gsserr.ErrDefectiveToken, krberr.GSSWrongTokID)
		fails(t, a.ProcessToken(nil), gsserr.ErrDefectiveToken, krberr.GSSTokTrunc)
		fails(t, a.ProcessToken(del(a)), gsserr.ErrBadMIC, krberr.GSSBadDirection)
		token := del(i)
		_, err = a.VerifyMIC(nil, token)
		fails(t, err, gsserr.ErrDefectiveToken, krberr.GSSWrongTokID)
		for n := frameOf + 8; n < len(token); n++ {
			if id == etype.RC4 && n < frameOf+12 {
				continue // its number, which does not count here
			}
			bad := bytes.Clone(token)
			bad[n] ^= 0x40
			fails(t, a.ProcessToken(bad), gsserr.ErrBadMIC, krberr.APBadIntegrity)
		}
		_, err = a.VerifyMIC(nil, mic)
		require.NoError(t, err, "the context is alive")
		require.NoError(t, a.ProcessToken(token))
		closed(t, a, token)
	})
}

// parse gives back what appendFrame and putPrefix make of it.
func FuzzParse(f *testing.F) {
	for _, r := range recordings(f) {
		f.Add(r.token)
		f.Add(r.token[13:])
		f.Add(append(bytes.Clone(r.token), 1, 2, 3))
	}
	id := oid.Krb5.AppendDER(nil)
	f.Fuzz(func(t *testing.T, token []byte) {
		for _, a := range []*algorithms{&algorithmsRC4, &algorithmsDES3} {
			for _, want := range []uint16{tokenMIC, tokenWrap, tokenDelete} {
				p, err := parse(token, id, want, a)
				if err != nil {
					continue
				}
				seal := noSeal
				if p.sealed {
					seal = a.seal
				}
				var again []byte
				if token[0] == tagFrame {
					again = appendFrame(nil, id, 16+len(p.sum)+len(p.body))
					require.Equal(t, frameLen(len(id), 16+len(p.sum)+len(p.body)), len(again))
				}
				at := len(again)
				again = append(again, make([]byte, 8)...)
				putPrefix(again[at:], want, a.sign, seal)
				for _, b := range [][]byte{p.number, p.sum, p.body, p.outside} {
					again = append(again, b...)
				}
				require.Equal(t, string(token), string(again))
			}
		}
	})
}

// FuzzTokens gives tokens to live contexts: what is accepted is what was sent.
func FuzzTokens(f *testing.F) {
	skipWithout(f)
	var receivers []*Context
	genuine := map[string]bool{}
	for n, id := range etypes {
		i, a := setup{id: id}.pair(f)
		receivers = append(receivers, a)
		for _, kind := range kinds {
			for _, size := range []int{0, 5, 40} {
				i.send.setConfounder(message(8)) // the same in each of the fuzzer's processes
				token, err := i.make(kind, message(size))
				require.NoError(f, err)
				f.Add(uint8(n), token)
				f.Add(uint8(n), token[frameOf:])
				f.Add(uint8(n), token[:len(token)-1])
				if id == etype.RC4 && kind != "sealed" {
					token = bytes.Clone(token)
					clear(token[frameOf+8 : frameOf+12])
				}
				genuine[fmt.Sprint(n)+string(token[frameOf:])] = true
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, token []byte) {
		n %= uint8(len(receivers))
		c := receivers[n]
		before := bytes.Clone(token)
		for _, kind := range kinds[1:] {
			ok := false
			if kind == "mic" {
				for _, size := range []int{0, 5, 40} {
					_, err := c.VerifyMIC(message(size), token)
					ok = ok || err == nil
				}
			} else {
				buf := make([]byte, 1, len(token)+2)
				out, _, err := c.Unwrap(buf, token)
				if ok = err == nil; !ok && (len(out) != 1 || !bytes.Equal(buf[1:cap(buf)], make([]byte, cap(buf)-1))) {
					t.Fatalf("%v left %x", err, buf[:cap(buf)])
				}
			}
			require.Equal(t, before, append([]byte{}, token...))
			if !ok {
				continue
			}
			inner := bytes.Clone(token)
			if inner[0] == tagFrame {
				inner = inner[frameOf:]
			}
			if !genuine[fmt.Sprint(n)+string(inner)] {
				clear(inner[8:12])
				require.True(t, genuine[fmt.Sprint(n)+string(inner)], "%x", token)
			}
		}
		if err := c.ProcessToken(token); err == nil {
			t.Fatalf("a token that nobody made: %x", token)
		}
	})
}
