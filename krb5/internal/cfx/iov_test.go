package cfx

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// iovTypes are the types whose messages can be in pieces here.
var iovTypes = slices.DeleteFunc([]etype.ID{17, 18, 19, 20, 25, 26}, func(id etype.ID) bool { return !enctype.Supported(id) })

// trailerLen is what goes behind the ciphertext, sumLen the checksum: written
// down here once more.
var trailerLen = map[etype.ID]int{17: 12, 18: 12, 19: 16, 20: 24, 25: 16, 26: 16}

func init() { keySize[25], keySize[26] = 16, 32 }

// style says how messages in pieces are made.
type style struct {
	setup
	trailer bool
	o       *mech.WrapOptions
}

func everyStyle(t *testing.T, f func(t *testing.T, s style)) {
	for _, id := range iovTypes {
		for _, dce := range []bool{false, true} {
			for _, trailer := range []bool{false, true} {
				for _, o := range []*mech.WrapOptions{sealed, integOnly} {
					s := style{setup{id: id, subkey: id%2 == 0, replay: true, sequence: true, dce: dce}, trailer, o}
					t.Run(fmt.Sprintf("%v/dce=%v/trailer=%v/sealed=%v", id, dce, trailer, o == sealed), func(t *testing.T) { f(t, s) })
				}
			}
		}
	}
}

func head(alloc bool) iov.Buffer   { return iov.Buffer{Type: iov.Header, Alloc: alloc} }
func data(b []byte) iov.Buffer     { return iov.Buffer{Type: iov.Data, Bytes: b} }
func signOnly(b []byte) iov.Buffer { return iov.Buffer{Type: iov.SignOnly, Bytes: b} }

// layout returns the buffers of a style around what is given.
func (s style) layout(b ...iov.Buffer) []iov.Buffer {
	b = slices.Concat([]iov.Buffer{head(true)}, b, []iov.Buffer{{Type: iov.Padding, Alloc: true}})
	if s.trailer {
		b = append(b, iov.Buffer{Type: iov.Trailer, Alloc: true})
	}
	return b
}

func cloneIOV(b []iov.Buffer) []iov.Buffer {
	b = slices.Clone(b)
	for i := range b {
		b[i].Bytes = bytes.Clone(b[i].Bytes)
	}
	return b
}

func find(b []iov.Buffer, typ iov.Type) *iov.Buffer {
	for i := range b {
		if b[i].Type == typ {
			return &b[i]
		}
	}
	return nil
}

func dataOf(b []iov.Buffer) []byte {
	out := []byte{}
	for _, p := range b {
		if p.Type == iov.Data {
			out = append(out, p.Bytes...)
		}
	}
	return out
}

// The sizes and fields are those that MIT's library and Windows use.
func TestIOVShape(t *testing.T) {
	everyStyle(t, func(t *testing.T, s style) {
		i, _ := s.pair(t)
		b := s.layout(data(message(21)))
		require.NoError(t, i.WrapIOV(b, s.o))
		n := trailerLen[s.id]
		wantHeader, wantTrailer, ec, rrc := 16, n, n, 0
		if s.o == sealed {
			wantHeader, wantTrailer, ec = 32, 16+n, 0
			if s.dce {
				wantTrailer, ec = 32+n, 16
			}
		}
		if !s.trailer {
			wantHeader += wantTrailer
			rrc = n
			if s.o == sealed {
				rrc = 16 + n
			}
		} else {
			require.Len(t, find(b, iov.Trailer).Bytes, wantTrailer)
		}
		hb := find(b, iov.Header).Bytes
		require.Len(t, hb, wantHeader)
		var h header
		_, err := h.parse(hb, tokenWrap)
		require.NoError(t, err)
		require.EqualValues(t, ec, h.ec)
		require.EqualValues(t, rrc, h.rrc)
		require.EqualValues(t, seqInitiator, h.seq)
		require.Equal(t, s.o == sealed, h.flags&flagSealed != 0)
	})
}

// Whatever the layout, both forms of UnwrapIOV and the call for messages in one
// understand it, and UnwrapIOV understands what that call's counterpart makes.
func TestIOVRoundTrip(t *testing.T) {
	everyStyle(t, func(t *testing.T, s style) {
		i, a := s.pair(t)
		r := rand.New(rand.NewPCG(4121, uint64(s.id)))
		for n := range 300 {
			var pieces []iov.Buffer
			signs := false
			for range r.IntN(6) {
				p := data(message(r.IntN(60)))
				switch r.IntN(6) {
				case 0:
					p.Bytes = message(r.IntN(3000))
				case 1:
					p.Type = iov.SignOnly
					signs = signs || len(p.Bytes) > 0
				case 2:
					p.Type = iov.Empty
				case 3:
					p.Type = iov.MechParams
				}
				pieces = append(pieces, p)
			}
			b := s.layout(pieces...)
			r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
			if n%2 == 0 { // in two calls
				require.NoError(t, i.WrapIOVLength(b, s.o))
				for j := range b {
					b[j].Alloc = false
				}
			}
			plain := cloneIOV(b)
			require.NoError(t, i.WrapIOV(b, s.o))
			require.Empty(t, find(b, iov.Padding).Bytes)
			if len(dataOf(plain)) > 8 {
				require.NotEqual(t, s.o == sealed, bytes.Equal(dataOf(plain), dataOf(b)))
			}

			var info mech.MessageInfo
			var err error
			switch form := n % 3; {
			case form == 1 && !s.dce: // a stream
				info, err = a.UnwrapIOV(asStream(t, b))
			case form == 2 && !signs: // in one
				var got []byte
				got, info, err = a.Unwrap(nil, wire(b))
				require.Equal(t, dataOf(plain), append([]byte{}, got...))
			default:
				info, err = a.UnwrapIOV(b)
				require.Equal(t, dataOf(plain), dataOf(b))
			}
			require.NoError(t, err)
			require.Equal(t, s.o == sealed, info.Encrypted)
			for j := range b {
				if typ := b[j].Type; typ == iov.SignOnly || typ == iov.Empty || typ == iov.MechParams {
					require.Equal(t, plain[j].Bytes, b[j].Bytes)
				}
			}

			// The other direction, from a message in one.
			msg := message(r.IntN(200))
			token, err := a.Wrap(nil, msg, s.o)
			require.NoError(t, err)
			if s.dce {
				got, _, err := i.Unwrap(nil, token)
				require.NoError(t, err)
				require.Equal(t, msg, append([]byte{}, got...))
				continue
			}
			stream := []iov.Buffer{{Type: iov.Stream, Bytes: token}, {Type: iov.Data}}
			if s.trailer { // or divided by hand
				stream = divide(token, s)
			}
			_, err = i.UnwrapIOV(stream)
			require.NoError(t, err)
			require.Equal(t, msg, dataOf(stream))
		}
	})
}

// wire is the token of b, its data behind the header.
func wire(b []iov.Buffer) []byte {
	token := append([]byte{}, find(b, iov.Header).Bytes...)
	token = append(token, dataOf(b)...)
	if p := find(b, iov.Trailer); p != nil {
		token = append(token, p.Bytes...)
	}
	return token
}

// asStream returns b as a stream with as many pieces of data as a stream may
// have: what was signed before the last piece stays before. It joins the data,
// so b must not have any signed piece between data.
func asStream(t *testing.T, b []iov.Buffer) []iov.Buffer {
	t.Helper()
	first, last := -1, -1
	for i, p := range b {
		if p.Type == iov.Data {
			if last = i; first < 0 {
				first = i
			}
		}
	}
	stream := []iov.Buffer{{Type: iov.Stream, Bytes: wire(b)}}
	for i, p := range b {
		switch {
		case p.Type == iov.SignOnly && first < i && i < last && len(p.Bytes) > 0:
			return b
		case p.Type == iov.SignOnly:
			stream = append(stream, p)
		case i == first:
			stream = append(stream, iov.Buffer{Type: iov.Data, Alloc: len(p.Bytes)%2 == 1, Bytes: make([]byte, 3, 50)})
		}
	}
	if first < 0 {
		stream = append(stream, iov.Buffer{Type: iov.Data})
	}
	return stream
}

// divide takes a token that has not been turned apart.
func divide(token []byte, s style) []iov.Buffer {
	front, back := 16, trailerLen[s.id]
	if s.o == sealed {
		front, back = 32, 16+back
	}
	n := len(token) - back
	return []iov.Buffer{
		{Type: iov.Header, Bytes: token[:front]}, data(token[front:n]), {Type: iov.Trailer, Bytes: token[n:]},
	}
}

// Without data a message is encrypted all the same, unless the options say
// otherwise.
func TestIOVNoData(t *testing.T) {
	everyStyle(t, func(t *testing.T, s style) {
		i, a := s.pair(t)
		b := s.layout(signOnly([]byte("signed")))
		require.NoError(t, i.WrapIOV(b, s.o))
		bad := cloneIOV(b)
		find(bad, iov.SignOnly).Bytes[0] ^= 1
		_, err := a.UnwrapIOV(bad)
		requireError(t, err, "unwrap_iov", gsserr.ErrBadMIC, krberr.APBadIntegrity)
		info, err := a.UnwrapIOV(b)
		require.NoError(t, err)
		require.Equal(t, s.o == sealed, info.Encrypted)
	})
}

// A stream may be turned by any count, and data with memory of its own is a
// copy.
func TestIOVStream(t *testing.T) {
	for _, id := range iovTypes {
		for _, o := range []*mech.WrapOptions{sealed, integOnly} {
			i, a := setup{id: id}.pair(t)
			for _, n := range []int{0, 1, 100, 1000} {
				token, err := i.Wrap(nil, message(n), o)
				require.NoError(t, err)
				for _, turn := range []int{0, 1, 12, 16, 28, 32, 40, 44, len(token) - 17, len(token) - 16, len(token), 500, 0xffff} {
					for _, alloc := range []bool{false, true} {
						stream := iov.Buffer{Type: iov.Stream, Bytes: rotateToken(token, turn)}
						mem, before := make([]byte, 5, 600), bytes.Clone(stream.Bytes)
						b := []iov.Buffer{stream, {Type: iov.Data, Bytes: mem, Alloc: alloc}}
						info, err := a.UnwrapIOV(b)
						require.NoError(t, err, "turned by %d", turn)
						require.Equal(t, message(n), b[1].Bytes)
						require.Equal(t, o == sealed, info.Encrypted)
						if alloc {
							require.Equal(t, before, stream.Bytes)
						}
						if n == 100 {
							require.Equal(t, alloc, &mem[0] == &b[1].Bytes[0], "a copy if asked for")
							require.NotEqual(t, alloc, sharesMemory(b[1].Bytes, stream.Bytes))
							require.True(t, alloc || cap(b[1].Bytes) == n)
						}
					}
				}
			}
		}
	}
}

func sharesMemory(a, b []byte) bool {
	return layout.Memory{}.Add(a, true).Add(b, true).Overlaps()
}

// The frame of RFC 2743 is taken off a stream, as it is for Unwrap.
func TestIOVStreamFramed(t *testing.T) {
	i, a := setup{id: aes256}.pair(t)
	token, err := i.Wrap(nil, message(50), nil)
	require.NoError(t, err)
	b := []iov.Buffer{{Type: iov.Stream, Bytes: mech.AppendToken(nil, oid.Krb5, token)}, {Type: iov.Data}}
	_, err = a.UnwrapIOV(b)
	require.NoError(t, err)
	require.Equal(t, message(50), b[1].Bytes)
}

// requireIOVRefused unwraps a bad message and checks that its data is gone.
func requireIOVRefused(t *testing.T, c *Context, b []iov.Buffer) error {
	t.Helper()
	before := cloneIOV(b)
	mem := make([][]byte, len(b))
	for i := range b {
		mem[i] = b[i].Bytes
	}
	info, err := c.UnwrapIOV(b)
	require.Error(t, err)
	require.False(t, gsserr.Informational(err), "%v", err)
	require.Zero(t, info)
	stream := find(b, iov.Stream) != nil
	for i := range b {
		switch b[i].Type {
		case iov.Data:
			require.Equal(t, make([]byte, len(b[i].Bytes)), append([]byte{}, b[i].Bytes...))
			if stream && &b[i] == find(b, iov.Data) {
				require.Empty(t, b[i].Bytes)
			}
			require.Equal(t, make([]byte, len(mem[i])), append([]byte{}, mem[i]...))
		case iov.SignOnly:
			require.Equal(t, before[i].Bytes, b[i].Bytes)
		}
	}
	return err
}

func TestIOVTamper(t *testing.T) {
	everyStyle(t, func(t *testing.T, s style) {
		i, a := s.pair(t)
		b := s.layout(signOnly(message(19)), data(message(70)), signOnly(message(3)), data(message(21)))
		require.NoError(t, i.WrapIOV(b, s.o))
		for n := range b {
			for at := range b[n].Bytes {
				bad := cloneIOV(b)
				bad[n].Bytes[at] ^= 1 << (at % 8)
				requireForgery(t, requireIOVRefused(t, a, bad))
			}
			if len(b[n].Bytes) == 0 {
				continue
			}
			for _, cut := range []int{0, 1, len(b[n].Bytes) / 2, len(b[n].Bytes) - 1} {
				bad := cloneIOV(b)
				bad[n].Bytes = bad[n].Bytes[:cut]
				requireForgery(t, requireIOVRefused(t, a, bad))
			}
			bad := cloneIOV(b)
			bad[n].Bytes = append(bad[n].Bytes, 0)
			requireForgery(t, requireIOVRefused(t, a, bad))
		}
		// Order, and what is one and what the other.
		for _, swap := range [][2]int{{1, 2}, {2, 3}, {2, 4}, {3, 4}} {
			bad := cloneIOV(b)
			bad[swap[0]], bad[swap[1]] = bad[swap[1]], bad[swap[0]]
			requireForgery(t, requireIOVRefused(t, a, bad))
		}
		for n := 1; n <= 4; n++ {
			bad := cloneIOV(b)
			bad[n].Type = iov.Empty
			requireForgery(t, requireIOVRefused(t, a, bad))
			if s.o == sealed { // a checksum alone does not tell one from the other
				bad := cloneIOV(b)
				bad[n].Type = iov.Data + iov.SignOnly - bad[n].Type
				requireForgery(t, requireIOVRefused(t, a, bad))
			}
		}
		// Padding, direction, key, and again.
		bad := cloneIOV(b)
		find(bad, iov.Padding).Bytes = []byte{0}
		requireForgery(t, requireIOVRefused(t, a, bad))
		requireForgery(t, requireIOVRefused(t, i, cloneIOV(b)))
		again := cloneIOV(b)
		_, err := a.UnwrapIOV(b)
		require.NoError(t, err, "the genuine one after forged ones")
		_, err = a.UnwrapIOV(again)
		require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
		require.Equal(t, dataOf(b), dataOf(again), "the message comes with it")
	})
}

func TestIOVStreamTamper(t *testing.T) {
	for _, id := range iovTypes {
		for _, o := range []*mech.WrapOptions{sealed, integOnly} {
			i, a := setup{id: id, replay: true}.pair(t)
			b := style{setup: setup{id: id}, o: o}.layout(signOnly(message(9)), data(message(55)))
			require.NoError(t, i.WrapIOV(b, o))
			for _, alloc := range []bool{false, true} {
				stream := func(f func(b []byte) []byte) []iov.Buffer {
					return []iov.Buffer{{Type: iov.Stream, Bytes: f(wire(b))}, signOnly(message(9)), {Type: iov.Data, Alloc: alloc}}
				}
				token := wire(b)
				for at := range token {
					requireForgery(t, requireIOVRefused(t, a, stream(func(b []byte) []byte { b[at] ^= 1 << (at % 8); return b })))
					requireForgery(t, requireIOVRefused(t, a, stream(func(b []byte) []byte { return b[:at] })))
				}
				requireForgery(t, requireIOVRefused(t, a, stream(func(b []byte) []byte { return append(b, 0) })))
				requireForgery(t, requireIOVRefused(t, i, stream(func(b []byte) []byte { return b })))
				good := stream(func(b []byte) []byte { return b })
				bad := slices.Clone(good)
				bad[1] = signOnly(message(8))
				requireForgery(t, requireIOVRefused(t, a, cloneIOV(bad)))
				bad[1], bad[2] = good[2], good[1]
				requireForgery(t, requireIOVRefused(t, a, cloneIOV(bad)))
			}
		}
	}
}

// A peer that seals another header than it shows is malformed, not forged.
func TestIOVInside(t *testing.T) {
	i, a := setup{id: aes256, dce: true}.pair(t)
	b := style{setup: setup{id: aes256, dce: true}}.layout(data(message(20)))
	require.NoError(t, i.WrapIOV(b, nil))
	h := b[0].Bytes
	h[15]++ // the sequence number in front
	requireError(t, requireIOVRefused(t, a, b), "unwrap_iov", gsserr.ErrDefectiveToken, krberr.GSSBadTokHeader)
}

// Layouts that cannot be, and lengths that do not fit. Nothing is changed.
func TestIOVRefused(t *testing.T) {
	everyStyle(t, func(t *testing.T, s style) {
		i, a := s.pair(t)
		good := s.layout(data(message(33)), signOnly(message(5)))
		require.NoError(t, i.WrapIOVLength(good, s.o))
		for n := range good {
			good[n].Alloc = false
		}
		refuse := func(name string, want krberr.Code, change func(b []iov.Buffer) []iov.Buffer) {
			t.Helper()
			b := change(cloneIOV(good))
			before := cloneIOV(b)
			seq := i.send.seq
			requireError(t, i.WrapIOV(b, s.o), "wrap_iov", gsserr.ErrFailure, want)
			require.Equal(t, seq, i.send.seq, "no number is used up")
			require.Equal(t, before, b, name)
			if want == 0 {
				requireError(t, i.WrapIOVLength(b, s.o), "wrap_iov_length", gsserr.ErrFailure, want)
				requireError(t, requireIOVRefused(t, a, b), "unwrap_iov", gsserr.ErrFailure, want)
			}
		}
		refuse("no header", 0, func(b []iov.Buffer) []iov.Buffer { return b[1:] })
		refuse("two headers", 0, func(b []iov.Buffer) []iov.Buffer { return append(b, head(true)) })
		refuse("two paddings", 0, func(b []iov.Buffer) []iov.Buffer { return append(b, iov.Buffer{Type: iov.Padding}) })
		refuse("two trailers", 0, func(b []iov.Buffer) []iov.Buffer {
			return append(b, iov.Buffer{Type: iov.Trailer}, iov.Buffer{Type: iov.Trailer})
		})
		refuse("a MIC token", 0, func(b []iov.Buffer) []iov.Buffer { return append(b, iov.Buffer{Type: iov.MICToken}) })
		for _, by := range []int{-len(good[0].Bytes), -1, 1} {
			refuse("header", krberr.BadMsize, func(b []iov.Buffer) []iov.Buffer {
				b[0].Bytes = slices.Grow(b[0].Bytes, 1)[:len(b[0].Bytes)+by]
				return b
			})
			if s.trailer {
				refuse("trailer", krberr.BadMsize, func(b []iov.Buffer) []iov.Buffer {
					p := find(b, iov.Trailer)
					p.Bytes = slices.Grow(p.Bytes, 1)[:max(0, len(p.Bytes)+by)]
					return b
				})
			}
		}
		// With Alloc any length will do.
		b := cloneIOV(good)
		for n := range b {
			if typ := b[n].Type; typ == iov.Header || typ == iov.Trailer {
				b[n].Bytes, b[n].Alloc = b[n].Bytes[:3], true
			}
		}
		require.NoError(t, i.WrapIOV(b, s.o))
		_, err := a.UnwrapIOV(b)
		require.NoError(t, err)
		require.Equal(t, message(33), dataOf(b))

		qop := &mech.WrapOptions{QOP: 1}
		requireError(t, i.WrapIOV(b, qop), "wrap_iov", gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
		requireError(t, i.WrapIOVLength(b, qop), "wrap_iov_length", gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	})
}

func TestIOVStreamRefused(t *testing.T) {
	i, a := setup{id: aes256}.pair(t)
	token, err := i.Wrap(nil, message(50), nil)
	require.NoError(t, err)
	stream := func() iov.Buffer { return iov.Buffer{Type: iov.Stream, Bytes: bytes.Clone(token)} }
	for name, b := range map[string][]iov.Buffer{
		"no data":      {stream()},
		"two data":     {stream(), data(message(1)), data(message(2))},
		"two streams":  {stream(), stream(), data(nil)},
		"with header":  {stream(), head(true), data(nil)},
		"with trailer": {stream(), data(nil), {Type: iov.Trailer}},
		"with MIC":     {stream(), data(nil), {Type: iov.MICToken}},
	} {
		t.Run(name, func(t *testing.T) {
			requireError(t, requireIOVRefused(t, a, b), "unwrap_iov", gsserr.ErrFailure, 0)
		})
	}
	_, dce := setup{id: aes256, dce: true}.pair(t)
	requireError(t, requireIOVRefused(t, dce, []iov.Buffer{stream(), data(nil)}), "unwrap_iov", gsserr.ErrFailure, 0)
	require.Error(t, i.WrapIOV([]iov.Buffer{head(true), stream(), data(nil)}, nil))
}

// Buffers that share memory are refused before anything is written, unless they
// are only read.
func TestIOVOverlap(t *testing.T) {
	i, a := setup{id: aes256}.pair(t)
	mem := message(400)
	for name, b := range map[string][]iov.Buffer{
		"data":                 {head(true), data(mem[:100]), data(mem[99:200])},
		"the same":             {head(true), data(mem[:100]), data(mem[:100])},
		"inside":               {head(true), data(mem[:100]), data(mem[50:60])},
		"later":                {head(true), data(mem[50:60]), data(mem[300:310]), data(mem[:100])},
		"signed and data":      {head(true), signOnly(mem[:100]), data(mem[90:200])},
		"data and signed":      {head(true), data(mem[90:200]), signOnly(mem[:100])},
		"header":               {{Type: iov.Header, Bytes: mem[:0], Alloc: true}, data(mem[27:100])},
		"trailer":              {head(true), data(mem[75:100]), {Type: iov.Trailer, Bytes: mem[99:99], Alloc: true}},
		"header in signed":     {{Type: iov.Header, Bytes: mem[200:200], Alloc: true}, signOnly(mem)},
		"signed around signed": {head(true), signOnly(mem), signOnly(mem[:9]), data(mem[300:310])},
	} {
		t.Run(name, func(t *testing.T) {
			for _, o := range []*mech.WrapOptions{sealed, integOnly} {
				before := bytes.Clone(mem)
				requireError(t, i.WrapIOV(b, o), "wrap_iov", gsserr.ErrFailure, 0)
				require.Equal(t, before, mem)
			}
		})
	}
	for name, b := range map[string][]iov.Buffer{
		"side by side":  {{Type: iov.Header, Bytes: mem[:0], Alloc: true}, data(mem[76:100]), data(mem[100:100]), data(mem[100:200])},
		"signed twice":  {head(true), signOnly(mem[:100]), signOnly(mem[50:150]), data(mem[150:])},
		"empty in data": {head(true), data(mem), data(mem[5:5]), signOnly(mem[9:9])},
	} {
		t.Run(name, func(t *testing.T) {
			plain := append([]byte{}, dataOf(b)...)
			require.NoError(t, i.WrapIOV(b, sealed))
			_, err := a.UnwrapIOV(b)
			require.NoError(t, err)
			require.Equal(t, plain, dataOf(b))
		})
	}
	token, err := i.Wrap(nil, message(50), nil)
	require.NoError(t, err)
	for _, b := range [][]iov.Buffer{
		{{Type: iov.Stream, Bytes: token}, signOnly(token[20:30]), data(nil)},
		{{Type: iov.Stream, Bytes: token}, {Type: iov.Data, Bytes: token[10:10], Alloc: true}},
	} {
		before := bytes.Clone(token)
		_, err := a.UnwrapIOV(b)
		requireError(t, err, "unwrap_iov", gsserr.ErrFailure, 0)
		require.Equal(t, before, token)
	}
	good := []iov.Buffer{head(true), data(message(40)), data(message(40))}
	require.NoError(t, i.WrapIOV(good, nil))
	good[1].Bytes = good[2].Bytes[:40]
	requireError(t, requireIOVRefused(t, a, good), "unwrap_iov", gsserr.ErrFailure, 0)
}

// The length calls use the memory that is there.
func TestIOVLengthReuse(t *testing.T) {
	i, _ := setup{id: aes256}.pair(t)
	mem := make([]byte, 100)
	b := []iov.Buffer{
		{Type: iov.Header, Bytes: mem[:5:40]}, data(make([]byte, 8)), {Type: iov.Padding, Bytes: mem[40:50:50]}, {Type: iov.Trailer, Bytes: mem[50:50]},
		{Type: iov.MICToken, Bytes: mem[:0]},
	}
	require.NoError(t, i.WrapIOVLength(b[:4], nil))
	require.Same(t, &mem[0], &b[0].Bytes[0])
	require.Same(t, &mem[50], &b[3].Bytes[0])
	require.Empty(t, b[2].Bytes)
	require.NoError(t, i.WrapIOV(b[:4], nil))
	require.NoError(t, i.GetMICIOVLength(b, 0))
	require.Same(t, &mem[0], &b[4].Bytes[0])
	b[0].Bytes = mem[:0:1]
	require.NoError(t, i.WrapIOVLength(b[:4], nil))
	require.Len(t, b[0].Bytes, 32)
	require.False(t, sharesMemory(b[0].Bytes, mem))
}

func TestIOVClosed(t *testing.T) {
	const minor = krberr.GSSCtxIncomplete
	c := New(Params{})
	b := []iov.Buffer{head(true), data(message(5))}
	requireError(t, c.WrapIOV(b, nil), "wrap_iov", gsserr.ErrNoContext, minor)
	requireError(t, c.WrapIOVLength(b, nil), "wrap_iov_length", gsserr.ErrNoContext, minor)
	requireError(t, requireIOVRefused(t, c, b), "unwrap_iov", gsserr.ErrNoContext, minor)
	b = []iov.Buffer{{Type: iov.MICToken, Alloc: true}}
	requireError(t, c.GetMICIOV(b, 0), "get_mic_iov", gsserr.ErrNoContext, minor)
	requireError(t, c.GetMICIOVLength(b, 0), "get_mic_iov_length", gsserr.ErrNoContext, minor)
	_, err := c.VerifyMICIOV(b)
	requireError(t, err, "verify_mic_iov", gsserr.ErrNoContext, minor)
}

// A key that is taken away is an error and no token.
func TestIOVClearedKey(t *testing.T) {
	for _, o := range []*mech.WrapOptions{sealed, integOnly} {
		i, a := setup{id: aes256}.pair(t)
		b := []iov.Buffer{head(true), data(message(5))}
		require.NoError(t, i.WrapIOV(b, o))
		a.key.Clear()
		requireError(t, a.WrapIOV(cloneIOV(b), o), "wrap_iov", gsserr.ErrFailure, krberr.BadKeySize)
		requireError(t, requireIOVRefused(t, a, b), "unwrap_iov", gsserr.ErrFailure, krberr.BadKeySize)
		b = []iov.Buffer{{Type: iov.MICToken, Alloc: true}}
		requireError(t, a.GetMICIOV(b, 0), "get_mic_iov", gsserr.ErrFailure, krberr.BadKeySize)
		require.NoError(t, i.GetMICIOV(b, 0))
		_, err := a.VerifyMICIOV(b)
		requireError(t, err, "verify_mic_iov", gsserr.ErrFailure, krberr.BadKeySize)
		require.EqualValues(t, seqAcceptor, a.send.seq)
	}
}

// TestIOVAllocs demands that no call allocates when the buffers are used again.
func TestIOVAllocs(t *testing.T) {
	for _, id := range iovTypes {
		for _, size := range []int{0, 64, 1000, 50000} {
			for _, trailer := range []bool{false, true} {
				for _, o := range []*mech.WrapOptions{sealed, integOnly} {
					s := style{setup{id: id, subkey: true, dce: trailer}, trailer, o}
					i, a := s.pair(t)
					var from, to mech.IOVProtector = i, a
					b := s.layout(signOnly(message(20)), data(message(size)), data(message(7)))
					var err error
					demand := func(name string, f func()) {
						t.Helper()
						f()
						f()
						require.Zero(t, testing.AllocsPerRun(20, f), "%s %v %d", name, id, size)
						require.NoError(t, err, name)
					}
					demand("WrapIOVLength", func() { err = from.WrapIOVLength(b, o) })
					demand("WrapIOV and UnwrapIOV", func() {
						if err = from.WrapIOV(b, o); err == nil {
							_, err = to.UnwrapIOV(b)
						}
					})
					if s.dce {
						continue
					}
					token, err2 := i.Wrap(nil, message(size), o)
					require.NoError(t, err2)
					for _, turn := range []int{0, 28, 300} {
						for _, alloc := range []bool{false, true} {
							turned, mem := rotateToken(token, turn), make([]byte, len(token))
							stream := []iov.Buffer{{Type: iov.Stream}, {Type: iov.Data, Bytes: make([]byte, size), Alloc: alloc}}
							demand("UnwrapIOV of a stream", func() {
								copy(mem, turned)
								stream[0].Bytes = mem
								_, err = to.UnwrapIOV(stream)
							})
						}
					}
				}
			}
		}
		i, a := setup{id: id}.pair(t)
		var from, to mech.IOVSigner = i, a
		b := []iov.Buffer{{Type: iov.MICToken, Alloc: true}, data(message(300)), signOnly(message(3))}
		f := func() {
			if from.GetMICIOVLength(b, 0) != nil || from.GetMICIOV(b, 0) != nil {
				t.Error("GetMICIOV")
			}
			if _, err := to.VerifyMICIOV(b); err != nil {
				t.Error(err)
			}
		}
		f()
		f()
		require.Zero(t, testing.AllocsPerRun(20, f))
	}
}

// The token of a message in pieces is that of the message in one.
func TestMICIOV(t *testing.T) {
	everySetup(t, func(t *testing.T, s setup) {
		i, a := s.pair(t)
		b := []iov.Buffer{
			head(true), data(message(30)), signOnly(message(7)), {Type: iov.Padding, Bytes: []byte("ignored")}, {Type: iov.MICToken, Alloc: true},
			{Type: iov.Trailer, Bytes: []byte("ignored")}, data(message(100)),
		}
		msg := slices.Concat(message(30), message(7), message(100))
		require.NoError(t, i.GetMICIOV(b, 0))
		require.Len(t, b[4].Bytes, 16+trailerLen[s.id])
		token := bytes.Clone(b[4].Bytes)
		_, err := a.VerifyMIC(msg, token)
		require.NoError(t, err)
		_, err = a.VerifyMICIOV(b)
		require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
		i.send.seq--
		one, err := i.GetMIC(nil, msg, 0)
		require.NoError(t, err)
		require.Equal(t, one, token)

		require.NoError(t, i.GetMICIOVLength(b, 0))
		b[4].Alloc = false
		require.NoError(t, i.GetMICIOV(b, 0))
		refuse := func(change func(b []iov.Buffer)) {
			t.Helper()
			bad := cloneIOV(b)
			change(bad)
			_, err := a.VerifyMICIOV(bad)
			require.Error(t, err)
			require.False(t, gsserr.Informational(err))
			requireForgery(t, err)
		}
		for n := range b {
			if n == 0 || n == 3 || n == 5 {
				continue
			}
			for at := range b[n].Bytes {
				refuse(func(b []iov.Buffer) { b[n].Bytes[at] ^= 1 << (at % 8) })
				refuse(func(b []iov.Buffer) { b[n].Bytes = b[n].Bytes[:at] })
			}
			refuse(func(b []iov.Buffer) { b[n].Bytes = append(b[n].Bytes, 0) })
		}
		refuse(func(b []iov.Buffer) { b[1], b[2] = b[2], b[1] })
		_, err = i.VerifyMICIOV(b)
		requireError(t, err, "verify_mic_iov", gsserr.ErrBadMIC, krberr.GSSBadDirection)
		_, err = a.VerifyMICIOV(b)
		require.NoError(t, err)
	})
}

func TestMICIOVRefused(t *testing.T) {
	i, _ := setup{id: aes256}.pair(t)
	token := iov.Buffer{Type: iov.MICToken, Alloc: true}
	for _, b := range [][]iov.Buffer{nil, {data(message(3))}, {token, token}} {
		requireError(t, i.GetMICIOV(b, 0), "get_mic_iov", gsserr.ErrFailure, 0)
		requireError(t, i.GetMICIOVLength(b, 0), "get_mic_iov_length", gsserr.ErrFailure, 0)
		_, err := i.VerifyMICIOV(b)
		requireError(t, err, "verify_mic_iov", gsserr.ErrFailure, 0)
	}
	for _, n := range []int{0, 27, 29, 1000} {
		b := []iov.Buffer{{Type: iov.MICToken, Bytes: make([]byte, n)}}
		if n == 16+trailerLen[aes256] {
			continue
		}
		requireError(t, i.GetMICIOV(b, 0), "get_mic_iov", gsserr.ErrFailure, krberr.BadMsize)
	}
	requireError(t, i.GetMICIOV([]iov.Buffer{token}, 1), "get_mic_iov", gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	requireError(t, i.GetMICIOVLength([]iov.Buffer{token}, 1), "get_mic_iov_length", gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	mem := message(100)
	b := []iov.Buffer{data(mem[10:]), {Type: iov.MICToken, Bytes: mem[:0], Alloc: true}}
	requireError(t, i.GetMICIOV(b, 0), "get_mic_iov", gsserr.ErrFailure, 0)
	require.Equal(t, message(100), mem)
	require.EqualValues(t, seqInitiator, i.send.seq, "no number is used up")
}
