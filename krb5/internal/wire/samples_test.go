package wire

import (
	"time"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// codec is one message type for tests that treat all types alike.
type codec struct {
	name string
	// recode parses b and returns the value and its encoding, made from the
	// fields and not from Raw.
	recode func(b []byte) (any, []byte, error)
	// samples are encodings of values made here: first one with every optional
	// field, then one with none.
	samples [][]byte
	// values are what samples encode.
	values []any
}

func messageCodec[T any](name string, parse func([]byte) (*T, error), app func(*T, []byte) []byte, samples ...*T) codec {
	c := codec{name: name}
	c.recode = func(b []byte) (any, []byte, error) {
		v, err := parse(b)
		if err != nil {
			return nil, nil, err
		}
		withoutRaw(v)
		return v, app(v, nil), nil
	}
	for _, v := range samples {
		c.samples, c.values = append(c.samples, app(v, nil)), append(c.values, v)
	}
	return c
}

func listCodec[T any](name string, parse func([]byte) ([]T, error), app func([]byte, []T) []byte, samples ...[]T) codec {
	c := codec{name: name}
	c.recode = func(b []byte) (any, []byte, error) {
		v, err := parse(b)
		if err != nil {
			return nil, nil, err
		}
		return v, app(nil, v), nil
	}
	for _, v := range samples {
		c.samples, c.values = append(c.samples, app(nil, v)), append(c.values, v)
	}
	return c
}

// withoutRaw clears what would make Append copy the input.
func withoutRaw(v any) {
	switch x := v.(type) {
	case *Ticket:
		x.Raw = nil
	case *APReq:
		x.Ticket.Raw = nil
	case *KDCRep:
		x.Ticket.Raw = nil
	case *KRBCred:
		for i := range x.Tickets {
			x.Tickets[i].Raw = nil
		}
	case *S4UX509User:
		x.ID.Raw = nil
	case *KDCReq:
		x.Body.Raw = nil
		for i := range x.Body.Tickets {
			x.Body.Tickets[i].Raw = nil
		}
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

func filled(n int, c byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = c
	}
	return b
}

func ptr[T any](v T) *T { return &v }

var (
	alice  = principal.Name{Type: principal.TypePrincipal, Realm: "EXAMPLE.COM", Components: []string{"alice"}}
	server = principal.Name{Type: principal.TypeSrvHst, Realm: "EXAMPLE.COM", Components: []string{"HTTP", "www.example.com"}}
	key    = EncryptionKey{etype.AES256SHA1, filled(32, 'k')}
	addrs  = []HostAddress{{AddrIPv4, []byte{192, 0, 2, 1}}, {AddrIPv6, filled(16, 1)}}
	authz  = []AuthzDatum{{ADIfRelevant, []byte("inner")}, {-77, []byte{}}}
	padata = []PAData{{PAReqEncPARep, []byte{}}, {PAETypeInfo2, []byte("x")}}

	ticket = Ticket{Server: server, Enc: EncryptedData{etype.AES256SHA1, 3, filled(900, 't')}}
	small  = Ticket{Server: principal.TGS("EXAMPLE.COM", "EXAMPLE.COM"), Enc: EncryptedData{Etype: etype.AES128SHA2, Cipher: []byte{}}}

	second = at("2024-02-29T12:34:56Z")
	micro  = at("2024-02-29T12:34:56.987654Z")
)

// codecs has every type of the package.
func codecs() []codec {
	return []codec{
		messageCodec("EncryptedData", ParseEncryptedData, (*EncryptedData).Append,
			&EncryptedData{etype.RC4, 0xfffe0001, []byte("cipher")}, &EncryptedData{-1, 0, []byte{}}),
		messageCodec("Checksum", ParseChecksum, (*Checksum).Append, &Checksum{-138, []byte("sum")}, &Checksum{0, []byte{}}),
		messageCodec("Ticket", ParseTicket, (*Ticket).Append, &ticket, &small),
		messageCodec("EncTicketPart", ParseEncTicketPart, (*EncTicketPart).Append,
			&EncTicketPart{
				FlagForwardable | FlagPreAuthent, key, alice, TransitedX500, []byte("A,B"),
				second, second.Add(1 * time.Hour), second.Add(2 * time.Hour), second.Add(3 * time.Hour), addrs, authz,
			},
			&EncTicketPart{Key: EncryptionKey{0, []byte{}}, Client: alice, Transited: []byte{}, AuthTime: second, EndTime: second}),
		messageCodec("APReq", ParseAPReq, (*APReq).Append,
			&APReq{APMutualRequired, ticket, EncryptedData{etype.AES256SHA1, 1, filled(300, 'a')}},
			&APReq{0, small, EncryptedData{etype.AES256SHA1, 0, []byte{}}}),
		messageCodec("Authenticator", ParseAuthenticator, (*Authenticator).Append,
			&Authenticator{alice, &Checksum{0x8003, filled(24, 0)}, micro, &key, 0xfffffffe, true, authz},
			&Authenticator{Client: alice, Time: second}),
		messageCodec("APRep", ParseAPRep, (*APRep).Append, &APRep{EncryptedData{etype.AES256SHA1, 9, filled(80, 'r')}},
			&APRep{EncryptedData{etype.AES128SHA1, 0, []byte{}}}),
		messageCodec("EncAPRepPart", ParseEncAPRepPart, (*EncAPRepPart).Append,
			&EncAPRepPart{micro, &key, 0x3fffffff, true}, &EncAPRepPart{Time: second}),
		messageCodec("KRBError", ParseKRBError, (*KRBError).Append,
			&KRBError{micro, micro.Add(time.Microsecond), 25, alice, server, "PREAUTH", []byte("data")},
			&KRBError{STime: second, Server: principal.Name{Realm: "<unspecified realm>", Components: []string{}}}),
		messageCodec("KDCReq", ParseKDCReq, (*KDCReq).Append,
			&KDCReq{MsgTGSReq, padata, KDCReqBody{
				OptForwardable | OptCanonicalize, alice.WithRealm(""), "EXAMPLE.COM", server, second, second.Add(time.Hour),
				second.Add(2 * time.Hour), 0xdeadbeef, []etype.ID{18, 17, -128, -129}, addrs, &EncryptedData{18, 0, []byte("z")}, []Ticket{ticket, small}, nil,
			}},
			&KDCReq{MsgASReq, nil, KDCReqBody{Realm: "R", Till: time.Unix(0, 0).UTC(), Etypes: []etype.ID{}}}),
		messageCodec("KDCRep", ParseKDCRep, (*KDCRep).Append,
			&KDCRep{MsgASRep, padata, alice, ticket, EncryptedData{etype.AES256SHA2, 2, filled(200, 'e')}},
			&KDCRep{MsgTGSRep, nil, alice, small, EncryptedData{0, 0, []byte{}}}),
		messageCodec("EncKDCRepPart", ParseEncKDCRepPart, (*EncKDCRepPart).Append,
			&EncKDCRepPart{
				MsgTGSRep, key, []LastReq{{6, second}, {-5, second}}, 0x80000000, second.Add(time.Minute), FlagInitial,
				second, second.Add(time.Hour), second.Add(2 * time.Hour), second.Add(3 * time.Hour), server, addrs, padata,
			},
			&EncKDCRepPart{
				Type: MsgASRep, Key: EncryptionKey{0, []byte{}}, LastReq: []LastReq{},
				AuthTime: second, EndTime: second, Server: server,
			}),
		messageCodec("KRBCred", ParseKRBCred, (*KRBCred).Append,
			&KRBCred{[]Ticket{ticket, small}, EncryptedData{etype.AES256SHA1, 1, filled(500, 'c')}},
			&KRBCred{[]Ticket{}, EncryptedData{0, 0, []byte{}}}),
		messageCodec("EncKrbCredPart", ParseEncKrbCredPart, (*EncKrbCredPart).Append,
			&EncKrbCredPart{
				[]KrbCredInfo{
					{
						key, alice, FlagForwarded, true, second, second.Add(time.Second), second.Add(time.Hour),
						second.Add(2 * time.Hour), server, addrs,
					},
					{Key: key},
				}, 0x87654321, true, micro, &addrs[0], &addrs[1],
			},
			&EncKrbCredPart{TicketInfo: []KrbCredInfo{}}),
		messageCodec("KRBPriv", ParseKRBPriv, (*KRBPriv).Append,
			&KRBPriv{EncryptedData{etype.AES256SHA1, 1, filled(100, 'p')}}, &KRBPriv{EncryptedData{0, 0, []byte{}}}),
		messageCodec("EncKrbPrivPart", ParseEncKrbPrivPart, (*EncKrbPrivPart).Append,
			&EncKrbPrivPart{[]byte("new password"), micro, 0xfffffffe, true, &addrs[0], &addrs[1]}, &EncKrbPrivPart{UserData: []byte{}}),
		messageCodec("PAEncTS", ParsePAEncTS, (*PAEncTS).Append, &PAEncTS{micro}, &PAEncTS{second}),
		messageCodec("S4UForUser", ParseS4UForUser, (*S4UForUser).Append,
			&S4UForUser{alice, Checksum{-138, filled(16, 's')}, "Kerberos"},
			&S4UForUser{principal.Name{Components: []string{}}, Checksum{0, []byte{}}, ""}),
		messageCodec("S4UX509User", ParseS4UX509User, (*S4UX509User).Append,
			&S4UX509User{S4UUserID{0x7fffffff, alice, []byte("cert"), S4UUseReplyKeyUsage, true, nil}, Checksum{16, filled(12, 's')}},
			&S4UX509User{S4UUserID{User: principal.Name{Realm: "R"}}, Checksum{0, []byte{}}}),
		messageCodec("PACOptions", func(b []byte) (*uint32, error) { v, err := ParsePACOptions(b); return &v, err },
			func(v *uint32, b []byte) []byte { return AppendPACOptions(b, *v) }, ptr(PACOptionRBCD), ptr(uint32(0))),
		listCodec("AuthzData", ParseAuthzData, AppendAuthzData, authz, []AuthzDatum{}),
		listCodec("MethodData", ParseMethodData, AppendMethodData, padata, []PAData{}),
		listCodec("ETypeInfo", ParseETypeInfo, AppendETypeInfo,
			[]ETypeInfoEntry{{18, []byte("salt")}, {23, []byte{}}, {17, nil}}, []ETypeInfoEntry{}),
		listCodec("ETypeInfo2", ParseETypeInfo2, AppendETypeInfo2,
			[]ETypeInfo2Entry{{18, ptr("s\xc3\xa4lt"), []byte{0, 0, 16, 0}}, {20, ptr(""), []byte{}}, {17, nil, nil}}, []ETypeInfo2Entry{}),
		listCodec("ETypeList", ParseETypeList, AppendETypeList, []etype.ID{20, 19, 18, -135, 1 << 30}, []etype.ID{}),
	}
}

// codecOf returns the codec with the name.
func codecOf(name string) codec {
	for _, c := range codecs() {
		if c.name == name {
			return c
		}
	}
	panic("no codec " + name)
}

type etypeID = etype.ID
