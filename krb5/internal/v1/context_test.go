package v1

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/seq"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func TestRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, subkey := range []bool{false, true} {
			i, a := setup{id: id, subkey: subkey, replay: true, sequence: true}.pair(t)
			for _, n := range lengths {
				for _, kind := range kinds {
					for _, dir := range [][2]*Context{{i, a}, {a, i}} {
						msg := message(n)
						token, err := dir[0].make(kind, msg)
						require.NoError(t, err)
						got, err := dir[1].take(t, kind, msg, token)
						require.NoError(t, err)
						require.Equal(t, msg, append([]byte{}, got...))
					}
				}
			}
		}
	})
}

// The tokens are what RFC 1964 §1.2 says, byte by byte where they are in the
// clear.
func TestForm(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		sumLen, pad := 8, func(int) int { return 1 }
		sign, seal := []byte{0x11, 0}, []byte{0x10, 0}
		if id == etype.DES3SHA1 {
			sumLen, pad = 20, func(n int) int { return 8 - n%8 }
			sign, seal = []byte{4, 0}, []byte{2, 0}
		}
		for _, m := range []oid.OID{oid.Krb5, oid.Krb5MS, oid.Krb5Old} {
			i, a := setup{id: id, mech: m}.pair(t)
			for _, n := range lengths {
				for _, kind := range kinds {
					token, err := i.make(kind, message(n))
					require.NoError(t, err)
					bodyLen := 0
					alg := append(append([]byte{2, 1}, sign...), seal...)
					if kind != "sealed" {
						copy(alg[4:], []byte{0xff, 0xff})
					}
					if kind == "mic" {
						alg[0] = 1
					} else {
						bodyLen = 8 + n + pad(n)
					}
					inner := token[len(token)-(16+sumLen+bodyLen):]
					require.Equal(t, mech.AppendToken(nil, m, inner), token)
					require.Equal(t, append(alg, 0xff, 0xff), inner[:8])
					if kind == "signed" {
						require.Equal(t, message(n), append([]byte{}, inner[16+sumLen+8:len(inner)-pad(n)]...))
						require.Equal(t, bytes.Repeat([]byte{byte(pad(n))}, pad(n)), inner[len(inner)-pad(n):])
					}
					_, err = a.take(t, kind, message(n), token)
					require.NoError(t, err)
				}
			}
		}
	})
}

// Whatever the limit is, a message of that length fits.
func TestWrapSizeLimitFits(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, m := range []oid.OID{oid.Krb5, oid.Krb5MS, oid.Krb5Old} {
			i, _ := setup{id: id, mech: m}.pair(t)
			for size := 0; size < 3000; size += 1 + size/100 {
				n, err := i.WrapSizeLimit(size, nil)
				require.NoError(t, err)
				require.Zero(t, n%8)
				if n > 0 {
					for _, o := range []*mech.WrapOptions{sealed, integOnly} {
						token, err := i.Wrap(nil, message(n), o)
						require.NoError(t, err)
						require.LessOrEqual(t, len(token), size)
					}
				}
			}
			n, err := i.WrapSizeLimit(math.MaxInt, nil)
			require.NoError(t, err)
			require.Positive(t, n)
		}
	})
}

func TestSequence(t *testing.T) {
	const (
		ok    = gsserr.Major(0)
		dup   = gsserr.ErrDuplicateToken
		old   = gsserr.ErrOldToken
		unseq = gsserr.ErrUnseqToken
		gap   = gsserr.ErrGapToken
	)
	steps := []struct {
		n    int
		want [4]gsserr.Major // no flags, replay, sequence, both
	}{
		{0, [4]gsserr.Major{}},
		{0, [4]gsserr.Major{ok, dup, unseq, dup}},
		{2, [4]gsserr.Major{ok, ok, gap, gap}},
		{1, [4]gsserr.Major{ok, ok, unseq, unseq}},
		{1, [4]gsserr.Major{ok, dup, unseq, dup}},
		{3, [4]gsserr.Major{}},
		{99, [4]gsserr.Major{ok, ok, gap, gap}},
		{36, [4]gsserr.Major{ok, ok, unseq, unseq}},
		{35, [4]gsserr.Major{ok, old, unseq, unseq}},
	}
	each(t, func(t *testing.T, id etype.ID) {
		for flags := range 4 {
			for _, kind := range kinds {
				t.Run(fmt.Sprintf("%d/%s", flags, kind), func(t *testing.T) {
					i, a := setup{id: id, replay: flags&1 != 0, sequence: flags&2 != 0}.pair(t)
					var tokens [100][]byte
					for n := range tokens {
						var err error
						tokens[n], err = i.make(kind, message(n))
						require.NoError(t, err)
					}
					for _, s := range steps {
						got, err := a.take(t, kind, message(s.n), tokens[s.n])
						require.Equal(t, string(message(s.n)), string(got), "the message comes in any case")
						if s.want[flags] == 0 {
							require.NoError(t, err)
							continue
						}
						fails(t, err, s.want[flags], 0)
						require.True(t, gsserr.Informational(err))
					}
				})
			}
		}
	})
}

// Numbers have 32 bits and go on after the last one.
func TestSequenceWraps(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i := New(Params{Initiator: true, Mech: oid.Krb5, Key: testKey(t, id, 1), SendSeq: math.MaxUint32 - 1})
		a := New(Params{Mech: oid.Krb5, Key: testKey(t, id, 1), RecvSeq: math.MaxUint32 - 1, Replay: true, Sequence: true})
		for n := range 6 {
			for _, kind := range kinds {
				token, err := i.make(kind, message(n))
				require.NoError(t, err)
				_, err = a.take(t, kind, message(n), token)
				require.NoError(t, err)
			}
		}
		p, ok := i.State()
		require.True(t, ok)
		require.EqualValues(t, 16, p.SendSeq)
	})
}

// A context goes on in another one, window and all.
func TestState(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, subkey := range []bool{false, true} {
			i, a := setup{id: id, subkey: subkey, replay: true, sequence: true}.pair(t)
			var tokens [4][]byte
			for n := range tokens {
				var err error
				tokens[n], err = i.Wrap(nil, message(n), nil)
				require.NoError(t, err)
			}
			_, err := a.take(t, "sealed", nil, tokens[0])
			require.NoError(t, err)
			_, err = a.take(t, "sealed", nil, tokens[2])
			require.ErrorIs(t, err, gsserr.ErrGapToken)

			p, ok := a.State()
			require.True(t, ok)
			require.EqualValues(t, seqAcceptor, p.SendSeq)
			require.Equal(t, subkey, p.AcceptorSubkey != nil)
			p.Mech = oid.Krb5
			w, ok := seq.Parse(p.Window.Append(nil))
			require.True(t, ok)
			p.Window = &w
			b := New(p)
			_, err = b.take(t, "sealed", nil, tokens[2])
			require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
			_, err = b.take(t, "sealed", nil, tokens[1])
			require.ErrorIs(t, err, gsserr.ErrUnseqToken)
			_, err = b.take(t, "sealed", nil, tokens[3])
			require.NoError(t, err)
			token, err := b.GetMIC(nil, message(5), 0)
			require.NoError(t, err)
			_, err = i.VerifyMIC(message(5), token)
			require.NoError(t, err)
		}
	})
}

// With an acceptor's subkey that one is used for everything.
func TestSubkey(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		with, without := setup{id: id, subkey: true}.side(t, true), setup{id: id}.side(t, false)
		alone := New(Params{Mech: oid.Krb5, Key: testKey(t, id, 99), RecvSeq: seqInitiator})
		for _, kind := range kinds {
			token, err := with.make(kind, message(9))
			require.NoError(t, err)
			_, err = without.take(t, kind, message(9), token)
			fails(t, err, gsserr.ErrBadMIC, krberr.APBadIntegrity)
			_, err = alone.take(t, kind, message(9), token)
			require.NoError(t, err)
		}
	})
}

func TestClose(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i, a := setup{id: id, subkey: true}.pair(t)
		token, err := i.Wrap(nil, message(3), nil)
		require.NoError(t, err)
		p, _ := a.State()
		a.Close()
		a.Close()
		require.Nil(t, p.Key.Bytes())
		require.Nil(t, p.AcceptorSubkey.Bytes())
		closed(t, a, token)
		closed(t, New(Params{Mech: oid.Krb5}), token)
	})
}

// closed checks that nothing is done any more.
func closed(t *testing.T, c *Context, token []byte) {
	t.Helper()
	for _, f := range []func() error{
		func() error { _, err := c.Wrap(nil, nil, nil); return err },
		func() error { _, _, err := c.Unwrap(nil, token); return err },
		func() error { _, err := c.GetMIC(nil, nil, 0); return err },
		func() error { _, err := c.VerifyMIC(nil, token); return err },
		func() error { _, err := c.WrapSizeLimit(100, nil); return err },
		func() error { return c.ProcessToken(token) },
	} {
		fails(t, f(), gsserr.ErrNoContext, krberr.GSSCtxIncomplete)
	}
	_, ok := c.State()
	require.False(t, ok)
}

func TestQOP(t *testing.T) {
	i, _ := setup{id: etype.RC4}.pair(t)
	_, err := i.Wrap(nil, nil, &mech.WrapOptions{QOP: 1})
	fails(t, err, gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	_, err = i.GetMIC(nil, nil, 1)
	fails(t, err, gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	_, err = i.WrapSizeLimit(1, &mech.WrapOptions{QOP: 1})
	fails(t, err, gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
}

func TestOverlap(t *testing.T) {
	i, a := setup{id: etype.RC4}.pair(t)
	buf := make([]byte, 300)
	_, err := i.Wrap(buf[:0], buf[10:20], nil)
	require.ErrorIs(t, err, gsserr.ErrFailure)
	_, err = i.GetMIC(buf[:0], buf[10:20], 0)
	require.ErrorIs(t, err, gsserr.ErrFailure)
	_, _, err = a.Unwrap(buf[:0], buf[10:200])
	require.ErrorIs(t, err, gsserr.ErrFailure)
	_, err = i.Wrap(buf[:0:10], buf[10:20], nil)
	require.NoError(t, err)
}

// A key of another type makes no tokens.
func TestOtherKeys(t *testing.T) {
	for _, id := range []etype.ID{etype.AES128SHA2, etype.AES256SHA2, etype.Camellia128} {
		require.False(t, Handles(id))
		sign, seal := Algorithms(id)
		require.Zero(t, sign|seal)
		if !enctype.Supported(id) {
			continue
		}
		c := New(Params{Mech: oid.Krb5, Key: testKey(t, id, 1)})
		_, err := c.Wrap(nil, nil, nil)
		fails(t, err, gsserr.ErrFailure, krberr.BadEnctype)
		_, _, err = c.Unwrap(nil, nil)
		fails(t, err, gsserr.ErrFailure, krberr.BadEnctype)
		_, err = c.WrapSizeLimit(100, nil)
		fails(t, err, gsserr.ErrFailure, krberr.BadEnctype)
		require.Error(t, c.ProcessToken(nil))
	}
	require.True(t, Handles(etype.RC4) && Handles(etype.DES3SHA1))
	sign, seal := Algorithms(etype.RC4)
	require.Equal(t, [2]uint16{0x11, 0x10}, [2]uint16{sign, seal})
	sign, seal = Algorithms(etype.DES3SHA1)
	require.Equal(t, [2]uint16{4, 2}, [2]uint16{sign, seal})

	// A key that someone else has cleared.
	skipWithout(t)
	k := testKey(t, etype.RC4, 1)
	k.Clear()
	_, err := New(Params{Mech: oid.Krb5, Key: k}).GetMIC(nil, nil, 0)
	fails(t, err, gsserr.ErrFailure, krberr.BadKeySize)
}

// What was made for the first token serves all.
func TestLazy(t *testing.T) {
	i, a := setup{id: etype.RC4}.pair(t)
	require.Nil(t, i.send.suite.crypt)
	_, err := i.GetMIC(nil, nil, 0)
	require.NoError(t, err)
	m, c := i.send.suite.signMAC, i.send.suite.crypt
	require.Nil(t, i.recv.suite.crypt)
	require.Nil(t, a.recv.suite.crypt)
	_, err = i.GetMIC(nil, nil, 0)
	require.NoError(t, err)
	require.Same(t, m, i.send.suite.signMAC)
	require.Equal(t, c, i.send.suite.crypt)
}

// Two tokens for one message have different confounders.
func TestConfounder(t *testing.T) {
	i, _ := setup{id: etype.DES3SHA1}.pair(t)
	seen := map[string]bool{}
	for range 100 {
		token, err := i.Wrap(nil, message(8), integOnly)
		require.NoError(t, err)
		seen[string(token[len(token)-24:len(token)-16])] = true
	}
	require.Len(t, seen, 100)
	require.Equal(t, make([]byte, len(i.send.random)-i.send.unused), i.send.random[:len(i.send.random)-i.send.unused], "used ones are wiped")
}
