package v1

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// style says how messages in pieces are made.
type style struct {
	setup
	o *mech.WrapOptions
}

func everyStyle(t *testing.T, f func(t *testing.T, s style)) {
	for _, id := range etypes {
		for _, dce := range []bool{false, true} {
			for _, o := range []*mech.WrapOptions{sealed, integOnly} {
				s := style{setup{id: id, replay: true, sequence: true, dce: dce, subkey: dce}, o}
				t.Run(fmt.Sprintf("%v/dce=%v/sealed=%v", id, dce, o == sealed), func(t *testing.T) { f(t, s) })
			}
		}
	}
}

func data(b []byte) iov.Buffer     { return iov.Buffer{Type: iov.Data, Bytes: b} }
func signOnly(b []byte) iov.Buffer { return iov.Buffer{Type: iov.SignOnly, Bytes: b} }

func (s style) layout(b ...iov.Buffer) []iov.Buffer {
	return slices.Concat([]iov.Buffer{{Type: iov.Header, Alloc: true}}, b, []iov.Buffer{{Type: iov.Padding, Alloc: true}, {Type: iov.Trailer}})
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

func wire(b []iov.Buffer) []byte {
	return slices.Concat(find(b, iov.Header).Bytes, dataOf(b), find(b, iov.Padding).Bytes)
}

// pieces are random, and whole blocks together in DCE style.
func (s style) pieces(r *rand.Rand) (b []iov.Buffer) {
	total := 0
	for range 1 + r.IntN(5) {
		n := r.IntN(40)
		if r.IntN(8) == 0 {
			n = r.IntN(1000)
		}
		typ := []iov.Type{iov.Data, iov.Data, iov.SignOnly, iov.Empty}[r.IntN(4)]
		if typ == iov.Data {
			total += n
		}
		b = append(b, iov.Buffer{Type: typ, Bytes: message(n)})
	}
	if s.dce {
		b = append(b, data(message((8-total%8)%8)))
	}
	return b
}

// Whatever the layout, both forms of UnwrapIOV and the call for messages in one
// understand it, and UnwrapIOV understands what that call's counterpart makes.
func TestIOVRoundTrip(t *testing.T) {
	everyStyle(t, func(t *testing.T, s style) {
		i, a := s.pair(t)
		r := rand.New(rand.NewPCG(1964, 4757))
		for n := range 400 {
			b := s.layout(s.pieces(r)...)
			if n%2 == 0 {
				require.NoError(t, i.WrapIOVLength(b, s.o))
				for j := range b {
					b[j].Alloc = false
				}
			}
			plain := cloneIOV(b)
			require.NoError(t, i.WrapIOV(b, s.o))
			require.Empty(t, find(b, iov.Trailer).Bytes)
			if len(dataOf(plain)) > 8 {
				require.NotEqual(t, s.o == sealed, bytes.Equal(dataOf(plain), dataOf(b)))
			}
			pad := len(find(b, iov.Padding).Bytes)
			switch {
			case s.dce:
				require.Zero(t, pad)
			case s.id == etype.RC4:
				require.Equal(t, 1, pad)
			default:
				require.Equal(t, 8-len(dataOf(plain))%8, pad)
			}
			signs := slices.ContainsFunc(b, func(b iov.Buffer) bool { return b.Type == iov.SignOnly && len(b.Bytes) > 0 })
			var info mech.MessageInfo
			var err error
			got := []byte{}
			switch form := n % 3; {
			case form == 1 && !s.dce && !signs: // a stream
				stream := []iov.Buffer{{Type: iov.Stream, Bytes: wire(b)}, {Type: iov.Data, Alloc: n%2 == 1}}
				info, err = a.UnwrapIOV(stream)
				got = dataOf(stream)
			case form == 2 && !s.dce && !signs: // in one
				got, info, err = a.Unwrap(got, wire(b))
			default:
				info, err = a.UnwrapIOV(b)
				got = dataOf(b)
				require.Empty(t, find(b, iov.Padding).Bytes)
			}
			require.NoError(t, err)
			require.Equal(t, s.o == sealed, info.Encrypted)
			require.Equal(t, dataOf(plain), got)

			// The other direction, from a message in one.
			msg := message(r.IntN(200))
			token, err := a.Wrap(nil, msg, s.o)
			require.NoError(t, err)
			stream := []iov.Buffer{{Type: iov.Stream, Bytes: token}, {Type: iov.Data}}
			if s.dce {
				requireIOVRefused(t, i, stream)
				_, _, err = i.Unwrap(nil, token)
				require.NoError(t, err)
				continue
			}
			switch h := len(token) - len(msg) - len(padding[len(padOf(s.id, msg))]); n % 3 {
			case 0: // divided by hand
				p := len(token) - len(padOf(s.id, msg))
				stream = []iov.Buffer{{Type: iov.Header, Bytes: token[:h]}, data(token[h:p]), {Type: iov.Padding, Bytes: token[p:]}}
			case 1: // with a part of the padding in the data
				p := len(token) - 1
				stream = []iov.Buffer{{Type: iov.Header, Bytes: token[:h]}, data(token[h : h+len(msg)/2]), data(token[h+len(msg)/2 : p]), {Type: iov.Padding, Bytes: token[p:]}}
			}
			_, err = i.UnwrapIOV(stream)
			require.NoError(t, err)
			require.Equal(t, msg, dataOf(stream))
		}
	})
}

func padOf(id etype.ID, msg []byte) []byte {
	if id == etype.RC4 {
		return padding[1]
	}
	return padding[8-len(msg)%8]
}

// A stream may have what is only signed on either side of the data.
func TestIOVStreamSigned(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i, a := setup{id: id}.pair(t)
		s := style{setup{id: id}, nil}
		for n := range 20 {
			b := s.layout(signOnly(message(5)), data(message(n)), signOnly(message(9)))
			require.NoError(t, i.WrapIOV(b, nil))
			token := wire(b)
			for _, alloc := range []bool{false, true} {
				stream := []iov.Buffer{{Type: iov.Stream, Bytes: bytes.Clone(token)}, signOnly(message(5)), {Type: iov.Data, Alloc: alloc}, signOnly(message(9))}
				_, err := a.UnwrapIOV(stream)
				require.NoError(t, err)
				require.Equal(t, message(n), append([]byte{}, stream[2].Bytes...))
				require.Equal(t, alloc, bytes.Equal(token, stream[0].Bytes), "with Alloc the stream stays")
			}
		}
	})
}

// RC4 without padding, as WinRM has it: the sender takes the byte off.
func TestIOVWithoutPadding(t *testing.T) {
	i, _ := setup{id: etype.RC4, dce: true}.pair(t)
	_, a := setup{id: etype.RC4}.pair(t)
	b := []iov.Buffer{{Type: iov.Header, Alloc: true}, data(message(30))}
	require.NoError(t, i.WrapIOV(b, nil))
	// A frame that counts the data.
	token := bytes.Clone(b[0].Bytes)
	token[1] += 30
	for _, empty := range [][]iov.Buffer{nil, {{Type: iov.Padding}}} {
		c := cloneIOV(append([]iov.Buffer{{Type: iov.Header, Bytes: token}, b[1]}, empty...))
		_, err := a.UnwrapIOV(c)
		require.NoError(t, err)
		require.Equal(t, message(30), dataOf(c))
	}
	// Without a frame there is nothing to count.
	_, err := a.UnwrapIOV([]iov.Buffer{{Type: iov.Header, Bytes: token[len(token)-8-8-8-8:]}, b[1]})
	require.NoError(t, err)
}

func requireIOVRefused(t *testing.T, c *Context, b []iov.Buffer) error {
	t.Helper()
	mem := make([][]byte, len(b))
	for i := range b {
		mem[i] = b[i].Bytes
	}
	info, err := c.UnwrapIOV(b)
	require.Error(t, err)
	require.False(t, gsserr.Informational(err), "%v", err)
	require.Zero(t, info)
	for i := range b {
		if b[i].Type == iov.Data {
			require.Empty(t, bytes.Trim(b[i].Bytes, "\x00"))
			require.Empty(t, bytes.Trim(mem[i], "\x00"))
		}
	}
	return err
}

func TestIOVTamper(t *testing.T) {
	everyStyle(t, func(t *testing.T, s style) {
		i, a := s.pair(t)
		b := s.layout(signOnly(message(19)), data(message(67)), signOnly(message(3)), data(message(21)))
		require.NoError(t, i.WrapIOV(b, s.o))
		h := find(b, iov.Header).Bytes
		number := len(h) - confounderLen - a.recvSum(t) - numberLen
		for n := range b {
			for at := range b[n].Bytes {
				if b[n].Type == iov.Header && s.id == etype.RC4 && s.o != sealed && at >= number && at < number+4 {
					continue // nothing protects the number of RC4 that is not sealed
				}
				bad := cloneIOV(b)
				bad[n].Bytes[at] ^= 1 << (at % 8)
				requireIOVRefused(t, a, bad)
			}
			if len(b[n].Bytes) == 0 {
				continue
			}
			for _, cut := range []int{1, len(b[n].Bytes) / 2, len(b[n].Bytes) - 1} {
				bad := cloneIOV(b)
				bad[n].Bytes = bad[n].Bytes[:cut]
				if cut != len(b[n].Bytes) {
					requireIOVRefused(t, a, bad)
				}
			}
			bad := cloneIOV(b)
			bad[n].Bytes = append(bad[n].Bytes, 0)
			requireIOVRefused(t, a, bad)
		}
		for _, swap := range [][2]int{{1, 2}, {2, 3}, {2, 4}, {3, 4}} {
			bad := cloneIOV(b)
			bad[swap[0]], bad[swap[1]] = bad[swap[1]], bad[swap[0]]
			requireIOVRefused(t, a, bad)
		}
		bad := cloneIOV(b)
		find(bad, iov.Trailer).Bytes = []byte{0}
		requireIOVRefused(t, a, bad)
		fails(t, requireIOVRefused(t, i, cloneIOV(b)), gsserr.ErrBadMIC, krberr.GSSBadDirection)
		again := cloneIOV(b)
		_, err := a.UnwrapIOV(b)
		require.NoError(t, err)
		_, err = a.UnwrapIOV(again)
		require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
		require.Equal(t, dataOf(b), dataOf(again))
	})
}

// recvSum is the length of a checksum.
func (c *Context) recvSum(t *testing.T) int {
	require.NoError(t, c.recv.suite.prepare())
	return c.recv.suite.sumLen
}

// Padding, checksum and decryption fail alike.
func TestIOVPadding(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i, a := setup{id: id}.pair(t)
		for _, pad := range []byte{0, 9, 60, 255} {
			body := append(message(23), pad)
			token := forge(t, i, body, true)
			h := len(token) - len(body) + confounderLen
			split := func() []iov.Buffer {
				b := bytes.Clone(token)
				return []iov.Buffer{{Type: iov.Header, Bytes: b[:h]}, data(b[h : len(b)-1]), {Type: iov.Padding, Bytes: b[len(b)-1:]}}
			}
			if int(pad) > 16 || pad == 0 {
				fails(t, requireIOVRefused(t, a, split()), gsserr.ErrBadMIC, krberr.APBadIntegrity)
			}
			if int(pad) > 16 {
				stream := []iov.Buffer{{Type: iov.Stream, Bytes: bytes.Clone(token)}, {Type: iov.Data}}
				fails(t, requireIOVRefused(t, a, stream), gsserr.ErrBadMIC, krberr.APBadIntegrity)
			}
		}
	})
}

func TestIOVRefused(t *testing.T) {
	everyStyle(t, func(t *testing.T, s style) {
		i, a := s.pair(t)
		good := s.layout(data(message(40)))
		require.NoError(t, i.WrapIOVLength(good, s.o))
		for n := range good {
			good[n].Alloc = false
		}
		refuse := func(want krberr.Code, change func(b []iov.Buffer) []iov.Buffer) {
			t.Helper()
			b := change(cloneIOV(good))
			before := cloneIOV(b)
			fails(t, i.WrapIOV(b, s.o), gsserr.ErrFailure, want)
			require.Equal(t, before, b)
			require.EqualValues(t, seqInitiator, i.send.seq, "no number is used up")
		}
		refuse(0, func(b []iov.Buffer) []iov.Buffer { return b[1:] })
		refuse(0, func(b []iov.Buffer) []iov.Buffer { return append(b, b[0]) })
		refuse(0, func(b []iov.Buffer) []iov.Buffer { return append(b, iov.Buffer{Type: iov.MICToken}) })
		refuse(0, func(b []iov.Buffer) []iov.Buffer { return append(b, data(b[1].Bytes[32:])) })
		refuse(krberr.BadMsize, func(b []iov.Buffer) []iov.Buffer { b[0].Bytes = b[0].Bytes[1:]; return b })
		refuse(krberr.BadMsize, func(b []iov.Buffer) []iov.Buffer { b[0].Bytes = append(b[0].Bytes, 0); return b })
		if s.dce {
			if s.id == etype.DES3SHA1 {
				refuse(krberr.BadMsize, func(b []iov.Buffer) []iov.Buffer { b[1].Bytes = b[1].Bytes[1:]; return b })
			}
			b := good[:2] // without padding
			require.NoError(t, i.WrapIOV(b, s.o))
			_, err := a.UnwrapIOV(b)
			require.NoError(t, err)
		} else {
			refuse(0, func(b []iov.Buffer) []iov.Buffer { return b[:2] })
			refuse(krberr.BadMsize, func(b []iov.Buffer) []iov.Buffer { b[2].Bytes = append(b[2].Bytes, 0); return b })
			refuse(krberr.BadMsize, func(b []iov.Buffer) []iov.Buffer { b[2].Bytes = nil; return b })
		}
		o := &mech.WrapOptions{QOP: 1}
		fails(t, i.WrapIOV(good, o), gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
		fails(t, i.WrapIOVLength(good, o), gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
		requireIOVRefused(t, a, []iov.Buffer{data(message(3))})
		requireIOVRefused(t, a, []iov.Buffer{{Type: iov.Header}, {Type: iov.Header}, data(message(3))})
		requireIOVRefused(t, a, []iov.Buffer{{Type: iov.Stream, Bytes: message(90)}, data(message(3)), data(message(3))})
		requireIOVRefused(t, a, []iov.Buffer{{Type: iov.Stream, Bytes: message(90)}, {Type: iov.Padding}, data(message(3))})
		i.Close()
		a.Close()
		fails(t, i.WrapIOV(good, nil), gsserr.ErrNoContext, krberr.GSSCtxIncomplete)
		fails(t, i.WrapIOVLength(good, nil), gsserr.ErrNoContext, krberr.GSSCtxIncomplete)
		fails(t, requireIOVRefused(t, a, good), gsserr.ErrNoContext, krberr.GSSCtxIncomplete)
	})
}

// The token of a message in pieces is that of the message in one.
func TestMICIOV(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i, a := setup{id: id, replay: true}.pair(t)
		b := []iov.Buffer{data(message(30)), signOnly(message(7)), {Type: iov.Padding, Bytes: []byte("ignored")}, {Type: iov.MICToken, Alloc: true}, data(message(100))}
		msg := slices.Concat(message(30), message(7), message(100))
		require.NoError(t, i.GetMICIOV(b, 0))
		_, err := a.VerifyMIC(msg, b[3].Bytes)
		require.NoError(t, err)
		i.send.seq--
		one, err := i.GetMIC(nil, msg, 0)
		require.NoError(t, err)
		require.Equal(t, one, b[3].Bytes)
		_, err = a.VerifyMICIOV(b)
		require.ErrorIs(t, err, gsserr.ErrDuplicateToken)

		b[3] = iov.Buffer{Type: iov.MICToken}
		require.NoError(t, i.GetMICIOVLength(b, 0))
		require.NoError(t, i.GetMICIOV(b, 0))
		for _, n := range []int{0, 1, 4} {
			for at := range b[n].Bytes {
				bad := cloneIOV(b)
				bad[n].Bytes[at] ^= 1
				_, err := a.VerifyMICIOV(bad)
				fails(t, err, gsserr.ErrBadMIC, krberr.APBadIntegrity)
			}
		}
		for at := range b[3].Bytes {
			bad := cloneIOV(b)
			bad[3].Bytes = bad[3].Bytes[:at]
			_, err := a.VerifyMICIOV(bad)
			require.Error(t, err)
		}
		_, err = i.VerifyMICIOV(b)
		fails(t, err, gsserr.ErrBadMIC, krberr.GSSBadDirection)
		_, err = a.VerifyMICIOV(b)
		require.NoError(t, err)

		fails(t, i.GetMICIOV(nil, 0), gsserr.ErrFailure, 0)
		fails(t, i.GetMICIOVLength(nil, 0), gsserr.ErrFailure, 0)
		_, err = i.VerifyMICIOV(nil)
		fails(t, err, gsserr.ErrFailure, 0)
		fails(t, i.GetMICIOV([]iov.Buffer{{Type: iov.MICToken}}, 0), gsserr.ErrFailure, krberr.BadMsize)
		fails(t, i.GetMICIOV(b, 1), gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
		mem := message(100)
		fails(t, i.GetMICIOV([]iov.Buffer{data(mem), {Type: iov.MICToken, Bytes: mem[:0], Alloc: true}}, 0), gsserr.ErrFailure, 0)
	})
}

func TestIOVAllocs(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, o := range []*mech.WrapOptions{sealed, integOnly} {
			i, a := setup{id: id}.pair(t)
			var from, to mech.IOVProtector = i, a
			b := style{}.layout(signOnly(message(20)), data(message(1000)), data(message(7)))
			f := func() {
				err := from.WrapIOVLength(b, o)
				if err == nil {
					err = from.WrapIOV(b, o)
				}
				if err == nil {
					_, err = to.UnwrapIOV(b)
				}
				if err != nil {
					t.Error(err)
				}
			}
			f()
			f()
			require.Zero(t, testing.AllocsPerRun(20, f))
			token, err := i.Wrap(nil, message(100), o)
			require.NoError(t, err)
			stream := []iov.Buffer{{Type: iov.Stream, Bytes: token}, {Type: iov.Data, Alloc: true}}
			g := func() {
				if _, err := to.UnwrapIOV(stream); err != nil {
					t.Error(err)
				}
			}
			g()
			require.Zero(t, testing.AllocsPerRun(20, g))
		}
		i, a := setup{id: id}.pair(t)
		b := []iov.Buffer{{Type: iov.MICToken, Alloc: true}, data(message(300)), signOnly(message(3))}
		f := func() {
			if i.GetMICIOVLength(b, 0) != nil || i.GetMICIOV(b, 0) != nil {
				t.Error("GetMICIOV")
			}
			if _, err := a.VerifyMICIOV(b); err != nil {
				t.Error(err)
			}
		}
		f()
		f()
		require.Zero(t, testing.AllocsPerRun(20, f))
	})
}

// FuzzUnwrapIOV gives messages in pieces to live contexts. What is refused leaves
// no data.
func FuzzUnwrapIOV(f *testing.F) {
	skipWithout(f)
	var to []*Context
	for _, id := range etypes {
		for _, dce := range []bool{false, true} {
			i, a := setup{id: id, dce: dce}.pair(f)
			for _, o := range []*mech.WrapOptions{sealed, integOnly} {
				b := style{}.layout(data(message(3)), signOnly(message(4)), data(message(37)))
				if err := i.WrapIOV(b, o); err != nil {
					f.Fatal(err)
				}
				var drawing, mem []byte
				for _, p := range b {
					drawing = append(drawing, byte(p.Type), byte(len(p.Bytes)))
					mem = append(mem, p.Bytes...)
				}
				f.Add(uint8(len(to)), drawing, mem)
				token, err := i.Wrap(nil, message(33), o)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(uint8(len(to)), []byte{byte(iov.Stream), byte(len(token)), byte(iov.Data), 0}, token)
			}
			to = append(to, a)
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, drawing, mem []byte) {
		c := to[int(n)%len(to)]
		var b []iov.Buffer
		for ; len(drawing) >= 2; drawing = drawing[2:] {
			k := min(int(drawing[1]), len(mem))
			b = append(b, iov.Buffer{Type: iov.Type(drawing[0] & 15), Alloc: drawing[0]&16 != 0, Bytes: mem[:k:k]})
			mem = mem[k:]
		}
		info, err := c.UnwrapIOV(b)
		if err != nil && !gsserr.Informational(err) && (info != (mech.MessageInfo{}) || len(bytes.Trim(dataOf(b), "\x00")) > 0) {
			t.Fatalf("%v, but left %x", err, dataOf(b))
		}
	})
}
