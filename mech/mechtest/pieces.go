package mechtest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
)

// side is one side of a context, with the calls for messages in one piece and in
// several.
type side struct {
	mech.Context
	mech.Protector
	mech.IOVProtector
}

func (h *Harness) sides(t *testing.T, flags mech.Flags) (i, a side) {
	t.Helper()
	ic, ac := h.pair(t, flags)
	for c, s := range map[mech.Context]*side{ic: &i, ac: &a} {
		var one, pieces bool
		s.Context = c
		s.Protector, one = c.(mech.Protector)
		s.IOVProtector, pieces = c.(mech.IOVProtector)
		if !one || !pieces {
			t.Fatal("only one side protects messages in pieces")
		}
	}
	return i, a
}

// cuts are ways to take a message of 1000 bytes apart.
var cuts = [][]int{{1000}, {0, 1000}, {1, 15, 984}, {16, 0, 984}, {500, 500}, {7, 993}, {333, 333, 334}}

// pieces checks messages in pieces. The layout is the usual one, with a trailer:
// what else a mechanism may do, such as to do without, is its own affair.
func (h *Harness) pieces(t *testing.T) {
	for _, flags := range h.Handshakes {
		if !flags.Has(mech.FlagConf) {
			continue
		}
		t.Run(fmt.Sprint(flags), func(t *testing.T) {
			i, a := h.sides(t, flags)
			t.Run("to acceptor", func(t *testing.T) { piecesTrip(t, i, a) })
			t.Run("to initiator", func(t *testing.T) { piecesTrip(t, a, i) })
			t.Run("tampered", func(t *testing.T) { piecesTamper(t, i, a) })
		})
	}
	t.Run("misuse", h.piecesMisuse)
	t.Run("allocations", h.piecesAllocs)
}

// cut returns the usual layout of a copy of msg.
func cut(msg []byte, sizes []int) []iov.Buffer {
	msg = slices.Clone(msg)
	var parts [][]byte
	for _, n := range sizes {
		parts, msg = append(parts, msg[:n:n]), msg[n:]
	}
	return iov.Message(parts...)
}

func cloneBuffers(b []iov.Buffer) []iov.Buffer {
	b = slices.Clone(b)
	for i := range b {
		b[i].Bytes = slices.Clone(b[i].Bytes)
	}
	return b
}

// joined returns the data of b.
func joined(b []iov.Buffer) (msg []byte) {
	for i := range b {
		if b[i].Type == iov.Data {
			msg = append(msg, b[i].Bytes...)
		}
	}
	return msg
}

// piecesTrip sends messages from p to q.
func piecesTrip(t *testing.T, p, q side) {
	msg := message(1000)
	dce := p.Info().Flags.Has(mech.FlagDCEStyle)
	for _, k := range kinds {
		for _, sizes := range cuts {
			check := func(how string, b []iov.Buffer, info mech.MessageInfo, err error) {
				t.Helper()
				must(t, fmt.Sprintf("%s, %v: %s", k.name, sizes, how), err)
				if !bytes.Equal(joined(b), msg) || info.Encrypted != k.conf || info.QOP != 0 {
					t.Fatalf("%s, %v: %s = %+v and another message", k.name, sizes, how, info)
				}
			}
			b := cut(msg, sizes)
			first := &b[1].Bytes
			must(t, k.name+": WrapIOV", p.WrapIOV(b, k.o))
			if first != &b[1].Bytes {
				t.Error("WrapIOV moved the data")
			}
			if k.conf && bytes.Equal(joined(b), msg) {
				t.Errorf("%s: WrapIOV left the message readable", k.name)
			}
			info, err := q.UnwrapIOV(b)
			check("UnwrapIOV", b, info, err)

			// With the lengths first, and the token taken as one.
			b = cut(msg, sizes)
			must(t, k.name+": WrapIOVLength", p.WrapIOVLength(b, k.o))
			for n := range b {
				b[n].Alloc = false
			}
			must(t, k.name+": WrapIOV with lengths", p.WrapIOV(b, k.o))
			token := iov.Join(nil, b)
			if !dce { // where the two calls need not understand each other
				out, info, err := q.Unwrap(nil, token)
				check("Unwrap", []iov.Buffer{{Type: iov.Data, Bytes: out}}, info, err)
			}

			// A token in one, taken apart.
			if dce {
				continue
			}
			for _, alloc := range []bool{false, true} {
				token, err := p.Wrap(nil, msg, k.o)
				must(t, "Wrap", err)
				b = []iov.Buffer{{Type: iov.Stream, Bytes: token}, {Type: iov.Data, Alloc: alloc}}
				info, err = q.UnwrapIOV(b)
				check("UnwrapIOV of a stream", b, info, err)
			}
		}
		// Associated data.
		b := iov.AEAD(message(300), message(21))
		must(t, k.name+": WrapIOV", p.WrapIOV(b, k.o))
		info, err := q.UnwrapIOV(b)
		must(t, k.name+": UnwrapIOV with associated data", err)
		if !bytes.Equal(b[1].Bytes, message(21)) || !bytes.Equal(b[2].Bytes, message(300)) || info.Encrypted != k.conf {
			t.Errorf("%s: associated data: UnwrapIOV = %+v and another message", k.name, info)
		}
	}
	ps, ok := p.Context.(mech.IOVSigner)
	if !ok {
		return
	}
	qs := q.Context.(mech.IOVSigner)
	for _, sizes := range cuts {
		b := append([]iov.Buffer{{Type: iov.MICToken}}, cut(msg, sizes)[1:len(sizes)+1]...)
		b[len(b)-1].Type = iov.SignOnly
		must(t, "GetMICIOVLength", ps.GetMICIOVLength(b, 0))
		must(t, "GetMICIOV", ps.GetMICIOV(b, 0))
		_, err := q.VerifyMIC(msg, b[0].Bytes)
		must(t, "VerifyMIC", err)
		b[0].Bytes, err = p.GetMIC(nil, msg, 0)
		must(t, "GetMIC", err)
		quality, err := qs.VerifyMICIOV(b)
		must(t, "VerifyMICIOV", err)
		if quality != 0 {
			t.Errorf("VerifyMICIOV says quality %d", quality)
		}
	}
}

// piecesTamper changes every byte of messages from p to q.
func piecesTamper(t *testing.T, p, q side) {
	for _, k := range kinds {
		good := iov.AEAD(message(61), message(13))
		must(t, "WrapIOV", p.WrapIOV(good, k.o))
		refuse := func(what string, change func(b []iov.Buffer)) {
			t.Helper()
			b := cloneBuffers(good)
			change(b)
			info, err := q.UnwrapIOV(b)
			if accepted(err) || info != (mech.MessageInfo{}) {
				t.Errorf("%s: %s: UnwrapIOV = %+v, %v", k.name, what, info, err)
			}
			checkError(t, err)
			if len(bytes.Trim(b[2].Bytes, "\x00")) > 0 {
				t.Errorf("%s: %s: UnwrapIOV left data", k.name, what)
			}
		}
		for n := range good {
			for at := range good[n].Bytes {
				refuse(fmt.Sprintf("a flip in byte %d of the %v", at, good[n].Type), func(b []iov.Buffer) { b[n].Bytes[at] ^= 1 << (at % 8) })
				refuse(fmt.Sprintf("the first %d bytes of the %v", at, good[n].Type), func(b []iov.Buffer) { b[n].Bytes = b[n].Bytes[:at] })
			}
			refuse(fmt.Sprintf("a longer %v", good[n].Type), func(b []iov.Buffer) { b[n].Bytes = append(b[n].Bytes, 0) })
		}
		refuse("another order", func(b []iov.Buffer) { b[1], b[2] = b[2], b[1]; b[1].Type, b[2].Type = b[2].Type, b[1].Type })
		b := cloneBuffers(good)
		if info, err := p.UnwrapIOV(b); accepted(err) || info != (mech.MessageInfo{}) {
			t.Errorf("%s: a message is accepted by who made it", k.name)
		}
		again := cloneBuffers(good)
		if _, err := q.UnwrapIOV(good); err != nil || !bytes.Equal(joined(good), message(61)) {
			t.Errorf("%s: after forged messages the genuine one gives %v", k.name, err)
		}
		if q.Info().Flags.Has(mech.FlagReplay) {
			if _, err := q.UnwrapIOV(again); gsserr.MajorOf(err) != gsserr.ErrDuplicateToken || !bytes.Equal(joined(again), message(61)) {
				t.Errorf("%s: a message that comes again gives %v", k.name, err)
			}
		}
	}
}

// piecesMisuse checks layouts, lengths and states that are refused.
func (h *Harness) piecesMisuse(t *testing.T) {
	i, a := h.sides(t, protected)
	for _, k := range kinds {
		for _, b := range [][]iov.Buffer{nil, {{Type: iov.Data, Bytes: message(9)}}} {
			want(t, "WrapIOV without a header", i.WrapIOV(b, k.o), gsserr.ErrFailure)
			want(t, "WrapIOVLength without a header", i.WrapIOVLength(b, k.o), gsserr.ErrFailure)
			_, err := a.UnwrapIOV(b)
			want(t, "UnwrapIOV without a header", err, gsserr.ErrFailure)
		}
		b := iov.Message(message(9))
		b[0].Alloc = false
		want(t, "WrapIOV with a short header", i.WrapIOV(b, k.o), gsserr.ErrFailure)
		if !bytes.Equal(b[1].Bytes, message(9)) {
			t.Error("WrapIOV changed the data although it failed")
		}
		mem := message(100)
		want(t, "WrapIOV of data that is there twice", i.WrapIOV(iov.Message(mem[:60], mem[40:]), k.o), gsserr.ErrFailure)
		if !bytes.Equal(mem, message(100)) {
			t.Error("WrapIOV changed the data although it failed")
		}
	}
	o := &mech.WrapOptions{QOP: 1 << 20}
	want(t, "WrapIOV", i.WrapIOV(iov.Message(nil), o), gsserr.ErrBadQOP)
	want(t, "WrapIOVLength", i.WrapIOVLength(iov.Message(nil), o), gsserr.ErrBadQOP)

	b := iov.Message(message(9))
	must(t, "WrapIOV", i.WrapIOV(b, nil))
	fresh, ok := h.initiate(t, mech.InitRequest{Flags: protected}).(mech.IOVProtector)
	if ok {
		want(t, "WrapIOV too early", fresh.WrapIOV(iov.Message(message(9)), nil), gsserr.ErrNoContext)
	}
	must(t, "Close", i.Close())
	must(t, "Close", a.Close())
	want(t, "WrapIOV after Close", i.WrapIOV(iov.Message(message(9)), nil), gsserr.ErrNoContext)
	want(t, "WrapIOVLength after Close", i.WrapIOVLength(iov.Message(message(9)), nil), gsserr.ErrNoContext)
	_, err := a.UnwrapIOV(b)
	want(t, "UnwrapIOV after Close", err, gsserr.ErrNoContext)
}

// piecesAllocs checks that with buffers that are used again nothing is
// allocated.
func (h *Harness) piecesAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	i, a := h.sides(t, protected)
	for _, k := range kinds {
		b := iov.AEAD(message(1024), message(20))
		f := func() {
			if i.WrapIOVLength(b, k.o) != nil || i.WrapIOV(b, k.o) != nil {
				t.Error("not wrapped")
			}
			if _, err := a.UnwrapIOV(b); err != nil {
				t.Error(err)
			}
		}
		f()
		f()
		if n := testing.AllocsPerRun(50, f); n != 0 {
			t.Errorf("%s: WrapIOV and UnwrapIOV allocate %v times", k.name, n)
		}
	}
}
