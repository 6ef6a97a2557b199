package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

func TestRoundTrip(t *testing.T) {
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			for i, b := range c.samples {
				got, again, err := c.recode(b)
				require.NoError(t, err, "sample %d: %x", i, b)
				require.Equal(t, c.values[i], expected(got), "sample %d", i)
				require.Equal(t, b, again, "sample %d", i)
			}
		})
	}
}

// expected undoes what parsing adds to the samples.
func expected(v any) any {
	if x, ok := v.(*KDCReq); ok && !x.Body.Server.IsZero() {
		x.Body.Server.Realm = server.Realm
	}
	return v
}

func TestAppendKeepsDst(t *testing.T) {
	for _, c := range codecs() {
		for i, b := range c.samples {
			v := c.values[i]
			dst := append(make([]byte, 0, 4), "dst"...)
			got := appendAny(dst, v)
			require.Equal(t, "dst", string(got[:3]), c.name)
			require.Equal(t, b, got[3:], c.name)
			room := append(make([]byte, 0, 1<<14), "dst"...)
			got = appendAny(room, v)
			require.Equal(t, b, got[3:], c.name)
			require.Same(t, &room[0], &got[0], "%s: not appended in place", c.name)
		}
	}
}

func appendAny(dst []byte, v any) []byte {
	switch x := v.(type) {
	case *uint32:
		return AppendPACOptions(dst, *x)
	case interface{ Append([]byte) []byte }:
		return x.Append(dst)
	case []AuthzDatum:
		return AppendAuthzData(dst, x)
	case []PAData:
		return AppendMethodData(dst, x)
	case []ETypeInfoEntry:
		return AppendETypeInfo(dst, x)
	case []ETypeInfo2Entry:
		return AppendETypeInfo2(dst, x)
	}
	return AppendETypeList(dst, v.([]etypeID))
}

func TestTruncatedAndTrailing(t *testing.T) {
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			for _, b := range c.samples {
				for n := range b {
					_, _, err := c.recode(b[:n])
					require.ErrorIs(t, err, ErrSyntax, "%d of %d bytes", n, len(b))
				}
				_, _, err := c.recode(append(bytes.Clone(b), 0))
				require.ErrorIs(t, err, ErrSyntax, "a byte too many")
				_, _, err = c.recode(append(bytes.Clone(b), b...))
				require.ErrorIs(t, err, ErrSyntax, "twice")
			}
		})
	}
}

// TestFlippedBits changes each bit of each sample. What is still accepted must
// encode to itself, or differ as listed.
func TestFlippedBits(t *testing.T) {
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			for _, b := range c.samples {
				b = bytes.Clone(b)
				for i := range b {
					for bit := range 8 {
						b[i] ^= 1 << bit
						checkMalleability(t, c, b)
						b[i] ^= 1 << bit
					}
				}
			}
		})
	}
}

// element is a DER value for tests that take messages apart.
type element struct {
	tag   byte
	value []byte
}

func elements(t testing.TB, b []byte) []element {
	var list []element
	for len(b) > 0 {
		e, rest, ok := split(b)
		require.True(t, ok)
		list, b = append(list, e), rest
	}
	return list
}

// split reads one element with a definite length of any form.
func split(b []byte) (e element, rest []byte, ok bool) {
	if len(b) < 2 {
		return e, nil, false
	}
	e.tag = b[0]
	n, b := int(b[1]), b[2:]
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 || len(b) < size {
			return e, nil, false
		}
		n = 0
		for _, c := range b[:size] {
			n = n<<8 | int(c)
		}
		b = b[size:]
	}
	if n > len(b) {
		return e, nil, false
	}
	e.value = b[:n]
	return e, b[n:], true
}

func join(list ...element) []byte {
	var b []byte
	for _, e := range list {
		b = append(appendLength(append(b, e.tag), len(e.value)), e.value...)
	}
	return b
}

// edit replaces the fields of the outermost SEQUENCE of a message.
func edit(t testing.TB, b []byte, change func([]element) []element) []byte {
	outer := elements(t, b)[0]
	if outer.tag&0xe0 == classApplication {
		return join(element{outer.tag, edit(t, outer.value, change)})
	}
	return join(element{outer.tag, join(change(elements(t, outer.value))...)})
}

func TestFieldOrder(t *testing.T) {
	for _, c := range codecs() {
		if strings.HasSuffix(c.name, "Data") || strings.HasPrefix(c.name, "EType") || c.name == "PACOptions" {
			if c.name != "EncryptedData" {
				continue // lists have no order, nor has one field
			}
		}
		t.Run(c.name, func(t *testing.T) {
			b := c.samples[0]
			n := len(elements(t, elements(t, b)[0].value))
			if b[0]&0xe0 == classApplication {
				n = len(elements(t, elements(t, elements(t, b)[0].value)[0].value))
			}
			require.Greater(t, n, 1)
			for i := range n {
				double := edit(t, b, func(f []element) []element {
					return append(append(append([]element{}, f[:i+1]...), f[i]), f[i+1:]...)
				})
				_, _, err := c.recode(double)
				require.ErrorIs(t, err, ErrSyntax, "field %d twice", i)
				if i > 0 {
					swapped := edit(t, b, func(f []element) []element {
						f[i-1], f[i] = f[i], f[i-1]
						return f
					})
					_, _, err = c.recode(swapped)
					require.ErrorIs(t, err, ErrSyntax, "fields %d and %d swapped", i-1, i)
				}
				if i == n-1 {
					unknown := edit(t, b, func(f []element) []element {
						return append(f, element{0xbe, []byte{2, 1, 0}})
					})
					_, _, err = c.recode(unknown)
					require.ErrorIs(t, err, ErrSyntax, "unknown field")
				}
			}
		})
	}
}

// TestMissingField takes each field out of a value that has no optional ones.
func TestMissingField(t *testing.T) {
	lenient := map[string]bool{"PAEncTS 1": true} // pausec is optional, but always written
	for _, c := range codecs() {
		if strings.HasSuffix(c.name, "Data") || strings.HasPrefix(c.name, "EType") {
			continue
		}
		b := c.samples[1]
		for i := range 13 {
			last := false
			short := edit(t, b, func(f []element) []element {
				if i >= len(f) {
					last = true
					return f
				}
				return append(append([]element{}, f[:i]...), f[i+1:]...)
			})
			if last {
				break
			}
			_, _, err := c.recode(short)
			if lenient[fmt.Sprintf("%s %d", c.name, i)] {
				require.NoError(t, err, "%s without field %d", c.name, i)
				continue
			}
			require.ErrorIs(t, err, ErrSyntax, "%s without field %d", c.name, i)
		}
	}
}

// TestLongLength writes each length of a message in a form that is not minimal.
func TestLongLength(t *testing.T) {
	for _, c := range codecs() {
		for _, b := range c.samples {
			for n := range countElements(b) {
				long := lengthen(b, n)
				require.NotEqual(t, b, long)
				_, _, err := c.recode(long)
				require.ErrorIs(t, err, ErrSyntax, "%s: element %d", c.name, n)
			}
		}
	}
}

func countElements(b []byte) int {
	n := 0
	walk(b, func(element) []byte { n++; return nil })
	return n
}

// lengthen gives the nth element a length with a leading zero.
func lengthen(b []byte, n int) []byte {
	i := 0
	return walk(b, func(e element) []byte {
		i++
		if i-1 != n {
			return nil
		}
		return append([]byte{e.tag, 0x84, 0, byte(len(e.value) >> 16), byte(len(e.value) >> 8), byte(len(e.value))}, e.value...)
	})
}

// walk copies b and puts in what f returns for an element, if it is not nil.
// Elements come before what they contain.
func walk(b []byte, f func(element) []byte) []byte {
	var out []byte
	for len(b) > 0 {
		e, rest, ok := split(b)
		if !ok {
			return append(out, b...)
		}
		b = rest
		if r := f(e); r != nil {
			out = append(out, r...)
			continue
		}
		if e.tag&0x20 != 0 {
			e.value = walk(e.value, f)
		}
		out = append(out, join(e)...)
	}
	return out
}

func TestMessageType(t *testing.T) {
	type test struct {
		typ  MsgType
		name string
	}
	for _, tt := range []test{
		{MsgASReq, "KDCReq"}, {MsgTGSReq, "KDCReq"}, {MsgASRep, "KDCRep"}, {MsgTGSRep, "KDCRep"},
		{MsgAPReq, "APReq"}, {MsgAPRep, "APRep"}, {MsgPriv, "KRBPriv"}, {MsgCred, "KRBCred"}, {MsgError, "KRBError"},
	} {
		for _, c := range codecs() {
			for _, b := range c.samples {
				got, ok := TypeOf(b)
				if !ok || got != tt.typ {
					continue
				}
				for _, other := range codecs() {
					_, _, err := other.recode(b)
					switch {
					case other.name == tt.name:
						require.NoError(t, err)
					case isMessage(other.name):
						require.ErrorIs(t, err, krberr.APMsgType, "%v as %s", tt.typ, other.name)
					default:
						require.ErrorIs(t, err, ErrSyntax, "%v as %s", tt.typ, other.name)
					}
				}
			}
		}
	}
	_, ok := TypeOf(nil)
	require.False(t, ok)
	_, ok = TypeOf([]byte{0x61})
	require.False(t, ok, "a ticket is no message")
	_, ok = TypeOf([]byte{0x4e})
	require.False(t, ok, "a primitive tag")
	require.Equal(t, "KRB-SAFE", MsgSafe.String())
	require.Equal(t, "KRB-PRIV", MsgPriv.String())
	require.Equal(t, "message 99", MsgType(99).String())
}

func isMessage(name string) bool {
	switch name {
	case "KDCReq", "KDCRep", "APReq", "APRep", "KRBPriv", "KRBCred", "KRBError":
		return true
	}
	return false
}

// TestInnerMessageType has a msg-type that is not that of the tag.
func TestInnerMessageType(t *testing.T) {
	for _, c := range codecs() {
		if !isMessage(c.name) {
			continue
		}
		field, pvno := byte(0xa1), byte(0xa0)
		if c.name == "KDCReq" {
			field, pvno = 0xa2, 0xa1
		}
		set := func(tag, v byte) []byte {
			return edit(t, c.samples[0], func(f []element) []element {
				for i := range f {
					if f[i].tag == tag {
						f[i].value = []byte{2, 1, v}
					}
				}
				return f
			})
		}
		_, _, err := c.recode(set(field, 99))
		require.ErrorIs(t, err, krberr.APMsgType, c.name)
		_, _, err = c.recode(set(pvno, 4))
		require.ErrorIs(t, err, krberr.APBadVersion, c.name)
		require.Equal(t, krberr.APBadVersion, krberr.Of(err))
	}
	for _, name := range []string{"Ticket", "Authenticator"} {
		c := codecOf(name)
		_, _, err := c.recode(edit(t, c.samples[0], func(f []element) []element {
			f[0].value = []byte{2, 1, 6}
			return f
		}))
		require.ErrorIs(t, err, krberr.APBadVersion, name)
	}
}

func TestErrorsAreCodes(t *testing.T) {
	_, err := ParseAPReq([]byte("bad"))
	var code krberr.Code
	require.True(t, errors.As(err, &code))
	require.Equal(t, uint32(1859794432+9), code.Minor())
	require.Equal(t, "ASN1_PARSE_ERROR: ASN.1 parse error: AP-REQ", err.Error())
}

func TestRaw(t *testing.T) {
	b := codecOf("APReq").samples[0]
	x, err := ParseAPReq(b)
	require.NoError(t, err)
	require.Equal(t, ticket.Append(nil), x.Ticket.Raw)
	require.Same(t, &b[bytes.Index(b, x.Ticket.Raw)], &x.Ticket.Raw[0], "not a part of the input")

	x.Ticket.Raw = []byte("as it came")
	require.Contains(t, string(x.Append(nil)), "as it came")

	req := KDCReq{Type: MsgASReq, Body: KDCReqBody{Realm: "R", Nonce: 7}}
	y, err := ParseKDCReq(req.Append(nil))
	require.NoError(t, err)
	require.Equal(t, req.Body.Append(nil), y.Body.Raw)
	y.Body.Nonce = 8
	require.Equal(t, req.Append(nil), y.Append(nil), "Raw is what is written")
	y.Body.Raw = nil
	require.NotEqual(t, req.Append(nil), y.Append(nil))
}

// TestParseKeepsInput parses from an input that must not be written to, and
// checks that strings are copies.
func TestParseKeepsInput(t *testing.T) {
	for _, c := range codecs() {
		for _, b := range c.samples {
			in := bytes.Clone(b)
			_, _, err := c.recode(in)
			require.NoError(t, err)
			require.Equal(t, b, in, c.name)
		}
	}
	b := ticket.Append(nil)
	x, err := ParseTicket(b)
	require.NoError(t, err)
	clear(b)
	require.Equal(t, server, x.Server)
	require.Equal(t, make([]byte, 900), x.Enc.Cipher)
}

func TestEncASRepPartOfEitherKind(t *testing.T) {
	x := EncKDCRepPart{Server: server, AuthTime: second, EndTime: second}
	for typ, tag := range map[MsgType]byte{0: 0x79, MsgASRep: 0x79, MsgTGSRep: 0x7a} {
		x.Type = typ
		b := x.Append(nil)
		require.Equal(t, tag, b[0])
		y, err := ParseEncKDCRepPart(b)
		require.NoError(t, err)
		if typ == 0 {
			typ = MsgASRep
		}
		require.Equal(t, typ, y.Type)
	}
}

func TestZeroValues(t *testing.T) {
	// No value makes Append fail or loop.
	for _, v := range []interface{ Append([]byte) []byte }{
		&EncryptedData{}, &Ticket{}, &EncTicketPart{}, &APReq{}, &Authenticator{}, &APRep{}, &EncAPRepPart{}, &KRBError{},
		&KDCReq{}, &KDCReqBody{}, &KDCRep{}, &EncKDCRepPart{}, &KRBCred{}, &EncKrbCredPart{}, &PAEncTS{},
	} {
		require.NotEmpty(t, v.Append(nil))
	}
	for _, b := range [][]byte{
		AppendAuthzData(nil, nil), AppendMethodData(nil, nil), AppendETypeInfo(nil, nil), AppendETypeInfo2(nil, nil), AppendETypeList(nil, nil),
	} {
		require.Equal(t, []byte{0x30, 0}, b)
	}
}

func TestEmptyName(t *testing.T) {
	empty := principal.Name{Realm: "R"}
	_, err := ParseTicket((&Ticket{Server: empty}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax)
	_, err = ParseAuthenticator((&Authenticator{Client: empty}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax)
	_, err = ParseEncTicketPart((&EncTicketPart{Client: empty}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax)
	_, err = ParseEncKDCRepPart((&EncKDCRepPart{Server: empty}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax)

	// Heimdal, around FAST.
	rep, err := ParseKDCRep((&KDCRep{Type: MsgASRep, Client: empty, Ticket: ticket}).Append(nil))
	require.NoError(t, err)
	require.Empty(t, rep.Client.Components)
	x, err := ParseKRBError((&KRBError{Server: empty, STime: second}).Append(nil))
	require.NoError(t, err)
	require.Equal(t, "R", x.Server.Realm)
	require.Empty(t, x.Server.Components)
}

func TestKRBErrorNames(t *testing.T) {
	for _, client := range []principal.Name{{}, {Realm: "R"}, {Type: 1, Components: []string{"c"}}, alice} {
		in := KRBError{STime: second, Client: client, Server: server}
		x, err := ParseKRBError(in.Append(nil))
		require.NoError(t, err)
		require.Equal(t, &in, x)
	}
}

func TestLimits(t *testing.T) {
	many := principal.Name{Realm: "R", Components: make([]string, principal.MaxComponents+1)}
	_, err := ParseTicket((&Ticket{Server: many}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax)
	many.Components = many.Components[1:]
	_, err = ParseTicket((&Ticket{Server: many}).Append(nil))
	require.NoError(t, err)

	long := principal.Name{Realm: strings.Repeat("R", principal.MaxBytes+1), Components: []string{"c"}}
	_, err = ParseTicket((&Ticket{Server: long}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax)
	long = principal.Name{Realm: strings.Repeat("R", principal.MaxBytes/2), Components: []string{strings.Repeat("c", principal.MaxBytes/2+1)}}
	_, err = ParseTicket((&Ticket{Server: long}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax, "realm and components together")
	long.Components[0] = long.Components[0][:principal.MaxBytes/2-4] // tag and length of the component count
	_, err = ParseTicket((&Ticket{Server: long}).Append(nil))
	require.NoError(t, err)

	_, err = ParseAuthzData(AppendAuthzData(nil, make([]AuthzDatum, maxList)))
	require.NoError(t, err)
	_, err = ParseAuthzData(AppendAuthzData(nil, make([]AuthzDatum, maxList+1)))
	require.ErrorIs(t, err, ErrSyntax)
	_, err = ParseETypeList(AppendETypeList(nil, make([]etypeID, maxList+1)))
	require.ErrorIs(t, err, ErrSyntax)
	_, err = ParseKRBCred((&KRBCred{Tickets: ticketsOf(maxList + 1)}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax)
	_, err = ParseKRBCred((&KRBCred{Tickets: ticketsOf(maxList)}).Append(nil))
	require.NoError(t, err)

	huge := (&APReq{Ticket: small, Authenticator: EncryptedData{Cipher: make([]byte, MaxMessage)}}).Append(nil)
	_, err = ParseAPReq(huge)
	require.ErrorIs(t, err, ErrSyntax)
	_, err = ParseEncryptedData((&EncryptedData{Cipher: make([]byte, MaxMessage)}).Append(nil))
	require.ErrorIs(t, err, ErrSyntax)
}

func ticketsOf(n int) []Ticket {
	v := make([]Ticket, n)
	for i := range v {
		v[i] = small
	}
	return v
}

func TestKeyDoesNotPrint(t *testing.T) {
	k := EncryptionKey{18, []byte("0123456789abcdef")}
	part := EncTicketPart{Key: k, Client: alice, AuthTime: time.Unix(1, 0)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		for _, v := range []any{k, &k, part, &part, Authenticator{Subkey: &k}} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, "0123456789", verb)
			require.NotContains(t, text, hex.EncodeToString(k.Value), verb)
			require.NotContains(t, text, "48 49 50", verb)
		}
	}
	b, err := k.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "[redacted]", string(b))
	require.Equal(t, "[redacted]", k.LogValue().String())
}
