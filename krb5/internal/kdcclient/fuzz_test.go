package kdcclient

import (
	"testing"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// FuzzASReply puts arbitrary bytes in place of the reply to a live login. No
// reply can be made up: without the key there is no success.
func FuzzASReply(f *testing.F) {
	k := newKDC(f)
	c := newClient(f, k, "")
	getTGT(f, c)
	for _, reply := range k.replies {
		f.Add(reply)
	}
	f.Fuzz(func(t *testing.T, reply []byte) {
		c := newClient(t, exchangeFunc(func(*kdcnet.Request) []byte { return reply }), "")
		if got, err := c.Login(t.Context(), byKey(allTypes...)); err == nil {
			t.Fatalf("%x made a login for %v", reply, got.Client)
		}
	})
}

// FuzzTGSReply does the same for a ticket.
func FuzzTGSReply(f *testing.F) {
	k := newKDC(f)
	c := newClient(f, k, "")
	tgt := getTGT(f, c)
	for _, id := range []etype.ID{etype.AES256SHA1, etype.AES128SHA2} {
		if _, err := c.Ticket(f.Context(), tgt, imap, &TicketOptions{Enctypes: []etype.ID{id}}); err != nil {
			f.Fatal(err)
		}
	}
	for _, reply := range k.replies {
		f.Add(reply)
	}
	f.Fuzz(func(t *testing.T, reply []byte) {
		c := newClient(t, exchangeFunc(func(*kdcnet.Request) []byte { return reply }), "")
		if got, err := c.Ticket(t.Context(), tgt, imap, nil); err == nil {
			t.Fatalf("%x made a ticket for %v", reply, got.Server)
		}
	})
}

// FuzzKRBError answers the first request with an arbitrary error code, text and
// e-data, and the others honestly: no panic, no endless loop, at most one proof
// to the honest KDC, and never a ticket for somebody else.
func FuzzKRBError(f *testing.F) {
	k := newKDC(f)
	info := k.info()
	f.Add(int32(25), "NEEDED_PREAUTH", wire.AppendMethodData(nil, []wire.PAData{info, {Type: wire.PAEncTimestamp}}))
	f.Add(int32(25), "", wire.AppendMethodData(nil, []wire.PAData{info2(), {Type: wire.PAEncTimestamp}}))
	f.Add(int32(25), "", wire.AppendMethodData(nil, []wire.PAData{
		info2(wire.ETypeInfo2Entry{Etype: 17, Params: []byte{0xff, 0xff, 0xff, 0xff}}), {Type: wire.PAEncTimestamp}, {Type: wire.PAFXCookie}}))
	f.Add(int32(37), "\x00\xff", []byte{0x30, 0})
	f.Add(int32(90), "", []byte(nil))
	f.Add(int32(52), "", []byte(nil))
	f.Add(int32(68), "realm", []byte{})
	f.Fuzz(func(t *testing.T, code int32, text string, data []byte) {
		k := newKDC(t)
		k.instead = func(n int, _ *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
			if n > 1 {
				return nil, nil
			}
			e := wire.KRBError{STime: start, Code: code, Server: tgtOf, Text: text, Data: data}
			return e.Append(nil), nil
		}
		// Keys rather than a password: string-to-key may be asked for 2^24
		// iterations, which are allowed and slow.
		got, err := newClient(t, k, "").Login(t.Context(), byKey(allTypes...))
		if len(k.requests) > maxSteps || k.proofs > 1 {
			t.Fatalf("%d requests, %d proofs", len(k.requests), k.proofs)
		}
		if err == nil && !got.Client.Equal(alice) {
			t.Fatalf("a ticket for %v", got.Client)
		}
		if err != nil && krberr.Of(err) == 0 {
			t.Fatalf("no code in %v", err)
		}
	})
}
