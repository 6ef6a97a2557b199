package cfx

import (
	"bytes"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// live are acceptors of every enctype, with and without a subkey, that accept a
// token again and again, and the senders for most of them. Those after the
// senders' are of the recordings.
func live(f *testing.F) (senders, receivers []*Context, recorded []recording) {
	for _, id := range etypes {
		for _, subkey := range []bool{false, true} {
			i, a := setup{id: id, subkey: subkey}.pair(f)
			senders, receivers = append(senders, i), append(receivers, a)
		}
	}
	for _, file := range []string{"mit.txt", "lenient/framed.txt", "lenient/subkey-flag.txt"} {
		recorded = append(recorded, readRecordings(f, file)...)
	}
	for _, r := range recorded {
		receivers = append(receivers, r.side(f, false, false))
	}
	return senders, receivers, recorded
}

// bare takes the frame off a token that was accepted with one.
func bare(t *testing.T, token []byte) []byte {
	if token[0] != tagFrame {
		return token
	}
	m, body, err := mech.ParseToken(token)
	if err != nil || m != oid.Krb5 {
		t.Fatalf("accepted the frame of %x", token)
	}
	if !bytes.Equal(token, mech.AppendToken(nil, m, body)) {
		t.Fatalf("frame of %x is malleable", token)
	}
	return body
}

// FuzzUnwrap gives tokens to live contexts. What is refused leaves nothing
// behind; what is accepted says the same when it is taken apart by the book.
func FuzzUnwrap(f *testing.F) {
	senders, receivers, recorded := live(f)
	for n, c := range senders {
		for _, o := range []*mech.WrapOptions{sealed, integOnly} {
			for _, size := range []int{0, 5, 40} {
				token, err := c.Wrap(nil, message(size), o)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(uint8(n), token)
				f.Add(uint8(n), token[:len(token)-1])
				f.Add(uint8(n), rotateToken(token, 28))
				f.Add(uint8(n), rotateToken(token, 0xffff))
				f.Add(uint8(n), mech.AppendToken(nil, oid.Krb5, token))
			}
		}
	}
	for n, r := range recorded {
		for _, k := range r.tokens {
			if k.kind != "mic" && k.fromInitiator {
				f.Add(uint8(len(senders)+n), k.token)
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, token []byte) {
		c := receivers[int(n)%len(receivers)]
		before := bytes.Clone(token)
		buf := make([]byte, len(token)+1)
		out, info, err := c.Unwrap(buf[:1], token)
		if !bytes.Equal(before, token) {
			t.Fatal("the token was written to")
		}
		if err != nil {
			if len(out) != 1 || info != (mech.MessageInfo{}) || !bytes.Equal(buf, make([]byte, len(buf))) {
				t.Fatalf("%v, but left %x", err, buf)
			}
			requireForgery(t, err)
			return
		}
		token = bare(t, token)
		var h header
		_, err = h.parse(token, tokenWrap)
		if err != nil {
			t.Fatal(err)
		}
		key := c.key
		if c.subkey != nil && h.flags&flagAcceptorSubkey != 0 {
			key = c.subkey
		}
		body := token[16:]
		body = rotateRight(body, (len(body)-int(h.rrc)%len(body))%len(body))
		msg := out[1:]
		if info.Encrypted {
			plain, err := key.Decrypt(nil, body, 24)
			if err != nil || !bytes.HasPrefix(plain, msg) || len(plain) != len(msg)+int(h.ec)+16 {
				t.Fatalf("accepted %x", token)
			}
			return
		}
		again := forge{key, 24, h}.wrap(t, msg)
		if !bytes.Equal(again, token) {
			t.Fatalf("accepted %x, which is %x", token, again)
		}
	})
}

// FuzzVerifyMIC gives messages and tokens to live contexts. What is accepted is
// the one token there is for its number.
func FuzzVerifyMIC(f *testing.F) {
	senders, receivers, recorded := live(f)
	for n, c := range senders {
		for _, size := range []int{0, 5, 40} {
			mic, err := c.GetMIC(nil, message(size), 0)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(n), message(size), mic)
			f.Add(uint8(n), message(size), mic[:len(mic)-1])
			f.Add(uint8(n), message(size+1), mic)
			f.Add(uint8(n), message(size), mech.AppendToken(nil, oid.Krb5, mic))
		}
	}
	for n, r := range recorded {
		for _, k := range r.tokens {
			if k.kind == "mic" && k.fromInitiator {
				f.Add(uint8(len(senders)+n), k.msg, k.token)
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, msg, mic []byte) {
		c := receivers[int(n)%len(receivers)]
		q, err := c.VerifyMIC(msg, mic)
		if q != 0 {
			t.Fatalf("QOP %d", q)
		}
		if err != nil {
			if gsserr.Informational(err) {
				t.Fatal(err)
			}
			requireForgery(t, err)
			return
		}
		mic = bare(t, mic)
		var h header
		_, err = h.parse(mic, tokenMIC)
		if err != nil {
			t.Fatal(err)
		}
		key := c.key
		if c.subkey != nil && h.flags&flagAcceptorSubkey != 0 {
			key = c.subkey
		}
		want, err := key.Checksum(headerBytes(h), 25, msg, headerBytes(h))
		if err != nil || !bytes.Equal(want, mic) {
			t.Fatalf("accepted %x, want %x, %v", mic, want, err)
		}
	})
}
