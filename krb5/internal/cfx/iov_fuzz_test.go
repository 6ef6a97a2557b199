package cfx

import (
	"bytes"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
)

// pairs are contexts of every type in both styles, without a window.
func pairs(f *testing.F) (from, to []*Context) {
	for _, id := range iovTypes {
		for _, dce := range []bool{false, true} {
			i, a := setup{id: id, subkey: id%2 == 1, dce: dce}.pair(f)
			from, to = append(from, i), append(to, a)
		}
	}
	return from, to
}

// drawn makes buffers of a drawing: three bytes each, the type and whether it may
// be given memory, the length, and where in mem it begins.
func drawn(drawing, mem []byte, apart bool) []iov.Buffer {
	var b []iov.Buffer
	at := 0
	for ; len(drawing) >= 3; drawing = drawing[3:] {
		n := int(drawing[1])
		if apart {
			at += int(drawing[2]) % 4
		} else {
			at = 4 * int(drawing[2])
		}
		if at+n > len(mem) {
			break
		}
		b = append(b, iov.Buffer{Type: iov.Type(drawing[0] & 15), Alloc: drawing[0]&16 != 0, Bytes: mem[at : at+n : at+n]})
		at += n
	}
	return b
}

// FuzzWrapIOVLayouts wraps and signs in every layout. What is not refused comes
// back, and is the same token in one.
func FuzzWrapIOVLayouts(f *testing.F) {
	from, to := pairs(f)
	for n := range from {
		for _, drawing := range [][]byte{
			{18, 0, 0, 1, 40, 0, 25, 0, 0, 23, 0, 0},
			{18, 0, 0, 11, 9, 1, 1, 40, 0, 0, 7, 0, 1, 1, 1, 25, 3, 0},
			{1, 200, 0, 1, 200, 0, 11, 17, 0, 18, 0, 0, 28, 0, 0},
			{2, 60, 0, 1, 5, 0}, {2, 32, 0, 1, 5, 0, 7, 28, 0}, {18, 0, 0, 18, 0, 0}, {1, 9, 0}, {2, 60, 0, 10, 20, 0},
			{18, 0, 0, 1, 40, 0, 1, 40, 3},
		} {
			f.Add(uint8(n), byte(0), drawing)
			f.Add(uint8(n), byte(3), drawing)
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, how byte, drawing []byte) {
		i, a := from[int(n)%len(from)], to[int(n)%len(to)]
		o := &mech.WrapOptions{IntegrityOnly: how&1 != 0}
		mem := message(4096)
		b := drawn(drawing, mem, how&2 != 0)
		shape, before := cloneIOV(b), bytes.Clone(mem)
		if how&4 != 0 {
			sign(t, i, a, b)
			return
		}
		if how&8 != 0 {
			if err := i.WrapIOVLength(b, o); err == nil {
				shape = cloneIOV(b)
			}
		}
		if err := i.WrapIOV(b, o); err != nil {
			if !bytes.Equal(before, mem) || gsserr.MajorOf(err) != gsserr.ErrFailure {
				t.Fatalf("%v, and wrote", err)
			}
			return
		}
		signs := false
		for _, p := range b {
			signs = signs || p.Type == iov.SignOnly && len(p.Bytes) > 0
		}
		if !signs {
			got, info, err := a.Unwrap(nil, wire(b))
			if err != nil || info.Encrypted == o.IntegrityOnly || !bytes.Equal(got, dataOf(shape)) {
				t.Fatalf("Unwrap of %x: %v", drawing, err)
			}
		}
		info, err := a.UnwrapIOV(b)
		if err != nil || info.Encrypted == o.IntegrityOnly || !bytes.Equal(dataOf(b), dataOf(shape)) {
			t.Fatalf("UnwrapIOV of %x: %v", drawing, err)
		}
	})
}

func sign(t *testing.T, i, a *Context, b []iov.Buffer) {
	if err := i.GetMICIOV(b, 0); err != nil {
		return
	}
	var msg []byte
	for _, p := range b {
		if p.Type == iov.Data || p.Type == iov.SignOnly {
			msg = append(msg, p.Bytes...)
		}
	}
	if _, err := a.VerifyMICIOV(b); err != nil {
		t.Fatal(err)
	}
	if _, err := a.VerifyMIC(msg, find(b, iov.MICToken).Bytes); err != nil {
		t.Fatal(err)
	}
}

// FuzzUnwrapIOV gives messages in pieces to live contexts. What is refused leaves
// no data; what is accepted says the same in one.
func FuzzUnwrapIOV(f *testing.F) {
	from, to := pairs(f)
	add := func(n int, b []iov.Buffer) {
		var drawing, mem []byte
		for _, p := range b {
			drawing = append(drawing, byte(p.Type), byte(len(p.Bytes)), 0)
			mem = append(mem, p.Bytes...)
		}
		f.Add(uint8(n), drawing, mem)
	}
	for n, c := range from {
		for _, o := range []*mech.WrapOptions{sealed, integOnly} {
			for _, trailer := range []bool{false, true} {
				s := style{trailer: trailer}
				b := s.layout(data(message(3)), signOnly(message(4)), data(message(40)))
				if err := c.WrapIOV(b, o); err != nil {
					f.Fatal(err)
				}
				add(n, b)
			}
			for _, turn := range []int{0, 28, 5, 0xffff} {
				token, err := c.Wrap(nil, message(33), o)
				if err != nil {
					f.Fatal(err)
				}
				add(n, []iov.Buffer{{Type: iov.Stream, Bytes: rotateToken(token, turn)}, {Type: iov.Data}})
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, drawing, mem []byte) {
		c := to[int(n)%len(to)]
		b := drawn(drawing, mem, true)
		before := cloneIOV(b)
		info, err := c.UnwrapIOV(b)
		if err != nil {
			if info != (mech.MessageInfo{}) || len(bytes.Trim(dataOf(b), "\x00")) > 0 {
				t.Fatalf("%v, but left %x", err, dataOf(b))
			}
			if gsserr.MajorOf(err) != gsserr.ErrFailure {
				requireForgery(t, err)
			}
			return
		}
		for i := range b {
			if p := &b[i]; p.Type == iov.SignOnly && len(p.Bytes) > 0 {
				return
			}
		}
		var token []byte
		if s := find(before, iov.Stream); s != nil {
			token = s.Bytes
		} else {
			token = wire(before)
		}
		got, one, err := c.Unwrap(nil, token)
		if err != nil || one != info || !bytes.Equal(got, dataOf(b)) {
			t.Fatalf("accepted %x: %v", token, err)
		}
	})
}
