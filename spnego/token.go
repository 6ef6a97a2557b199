package spnego

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// negState is the acceptor's verdict (RFC 4178 §4.2.2).
type negState uint8

const (
	acceptCompleted  negState = 0
	acceptIncomplete negState = 1
	reject           negState = 2
	requestMIC       negState = 3
	noState          negState = 0xff // the field is absent
)

func (s negState) String() string {
	switch s {
	case acceptCompleted:
		return "accept-completed"
	case acceptIncomplete:
		return "accept-incomplete"
	case reject:
		return "reject"
	case requestMIC:
		return "request-mic"
	}
	return "no negState"
}

// Tags of RFC 4178 §4.2: the two choices of NegotiationToken, and their fields.
var (
	tagInit = asn1.Tag(0).ContextSpecific().Constructed()
	tagResp = asn1.Tag(1).ContextSpecific().Constructed()
)

func field(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }

const (
	maxMechs = 64 // mechanisms in a list

	// hintName is what MS-SPNG §2.2.1 and every server put into negHints.
	hintName = "not_defined_in_RFC4178@please_ignore"
)

// errSyntax is the cause of every malformed token.
var errSyntax = errors.New("malformed negotiation token")

func syntax(what string) error { return fmt.Errorf("%w: %s", errSyntax, what) }

// negTokenInit is the initiator's first token (RFC 4178 §4.2.1), or the
// acceptor's hint (NegTokenInit2, MS-SPNG §2.2.1). Slices are parts of the
// token.
type negTokenInit struct {
	mechTypes []oid.OID
	// mechTypesDER is the list as it was sent, tag and length included: what a
	// mechListMIC is over.
	mechTypesDER []byte
	mechToken    []byte // nil: absent
	mechListMIC  []byte // nil: absent
	hints        bool   // it has negHints and is a NegTokenInit2
}

// negTokenResp is every other token (RFC 4178 §4.2.2).
type negTokenResp struct {
	negState      negState
	supportedMech oid.OID // zero: absent
	responseToken []byte  // nil: absent
	mechListMIC   []byte  // nil: absent
}

// encodeMechTypes returns the DER of a MechTypeList.
func encodeMechTypes(list []oid.OID) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, m := range list {
			b.AddBytes(m.AppendDER(nil))
		}
	})
	der, _ := b.Bytes() // the builder has no error to report: nothing in it can fail
	return der
}

// octets adds an explicitly tagged OCTET STRING, nothing if v is nil.
func octets(b *cryptobyte.Builder, n uint8, v []byte) {
	if v != nil {
		b.AddASN1(field(n), func(b *cryptobyte.Builder) { b.AddASN1OctetString(v) })
	}
}

// marshal returns the framed token. reqFlags are never sent: acceptors that
// read them are particular about how, and nobody trusts them.
func (t *negTokenInit) marshal() []byte {
	var b cryptobyte.Builder
	b.AddASN1(tagInit, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(field(0), func(b *cryptobyte.Builder) { b.AddBytes(t.mechTypesDER) })
			octets(b, 2, t.mechToken)
			if !t.hints {
				octets(b, 3, t.mechListMIC)
				return
			}
			b.AddASN1(field(3), func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(field(0), func(b *cryptobyte.Builder) {
						b.AddASN1(asn1.GeneralString, func(b *cryptobyte.Builder) { b.AddBytes([]byte(hintName)) })
					})
				})
			})
			octets(b, 4, t.mechListMIC)
		})
	})
	body, _ := b.Bytes()
	return mech.AppendToken(nil, oid.SPNEGO, body)
}

// marshal returns the token, without a frame.
func (t *negTokenResp) marshal() []byte {
	var b cryptobyte.Builder
	b.AddASN1(tagResp, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if t.negState != noState {
				b.AddASN1(field(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(t.negState)) })
			}
			if !t.supportedMech.IsZero() {
				b.AddASN1(field(1), func(b *cryptobyte.Builder) { b.AddBytes(t.supportedMech.AppendDER(nil)) })
			}
			octets(b, 2, t.responseToken)
			octets(b, 3, t.mechListMIC)
		})
	})
	token, _ := b.Bytes()
	return token
}

// unframe returns the NegotiationToken inside a frame of RFC 2743 §3.1, or the
// token itself if it has none: old peers frame answers too.
func unframe(token []byte) ([]byte, error) {
	if len(token) == 0 || token[0] != 0x60 {
		return token, nil
	}
	m, body, err := mech.ParseToken(token)
	if err != nil {
		return nil, err
	}
	if m != oid.SPNEGO {
		return nil, syntax("framed for another mechanism")
	}
	return body, nil
}

// body returns the SEQUENCE inside one of the two choices.
func body(token []byte, tag asn1.Tag) (cryptobyte.String, error) {
	token, err := unframe(token)
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(token)
	var choice, seq cryptobyte.String
	if !in.ReadASN1(&choice, tag) || !in.Empty() || !choice.ReadASN1(&seq, asn1.SEQUENCE) || !choice.Empty() {
		return nil, syntax("frame")
	}
	return seq, nil
}

// readOctets reads an optional explicitly tagged OCTET STRING. An empty one is
// not nil.
func readOctets(s *cryptobyte.String, n uint8) ([]byte, bool) {
	var f, v cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&f, &present, field(n)) {
		return nil, false
	}
	if !present {
		return nil, true
	}
	if !f.ReadASN1(&v, asn1.OCTET_STRING) || !f.Empty() {
		return nil, false
	}
	return v[:len(v):len(v)], true
}

// parseInit reads a NegTokenInit or NegTokenInit2.
func parseInit(token []byte) (*negTokenInit, error) {
	s, err := body(token, tagInit)
	if err != nil {
		return nil, err
	}
	t := &negTokenInit{}
	var f, list cryptobyte.String
	if !s.ReadASN1(&f, field(0)) {
		return nil, syntax("mechTypes")
	}
	t.mechTypesDER = f
	if !f.ReadASN1(&list, asn1.SEQUENCE) || !f.Empty() {
		return nil, syntax("mechTypes")
	}
	for !list.Empty() {
		var id cryptobyte.String
		if !list.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) || len(t.mechTypes) == maxMechs {
			return nil, syntax("mechTypes")
		}
		m, err := oid.FromDER(id)
		if err != nil {
			return nil, syntax("mechTypes")
		}
		t.mechTypes = append(t.mechTypes, m)
	}
	if !s.SkipOptionalASN1(field(1)) { // reqFlags: nothing protects them
		return nil, syntax("reqFlags")
	}
	var ok bool
	if t.mechToken, ok = readOctets(&s, 2); !ok {
		return nil, syntax("mechToken")
	}
	// [3] is mechListMIC, or negHints in a NegTokenInit2, whose MIC is [4].
	mic := uint8(3)
	if rest := s; rest.ReadASN1(&f, field(3)) && f.PeekASN1Tag(asn1.SEQUENCE) {
		s, mic, t.hints = rest, 4, true
	}
	if t.mechListMIC, ok = readOctets(&s, mic); !ok {
		return nil, syntax("mechListMIC")
	}
	if !s.Empty() {
		return nil, syntax("trailing fields")
	}
	return t, nil
}

// parseResp reads a NegTokenResp. Every field may be absent: Java leaves out
// negState, and continuations have no supportedMech.
func parseResp(token []byte) (*negTokenResp, error) {
	s, err := body(token, tagResp)
	if err != nil {
		return nil, err
	}
	t := &negTokenResp{negState: noState}
	var f, id cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&f, &present, field(0)) {
		return nil, syntax("negState")
	}
	if present {
		var state int
		if !f.ReadASN1Enum(&state) || !f.Empty() || state < 0 || state > int(requestMIC) {
			return nil, syntax("negState")
		}
		t.negState = negState(state)
	}
	if !s.ReadOptionalASN1(&f, &present, field(1)) {
		return nil, syntax("supportedMech")
	}
	if present {
		if !f.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) || !f.Empty() {
			return nil, syntax("supportedMech")
		}
		if t.supportedMech, err = oid.FromDER(id); err != nil {
			return nil, syntax("supportedMech")
		}
	}
	var ok bool
	if t.responseToken, ok = readOctets(&s, 2); !ok {
		return nil, syntax("responseToken")
	}
	if t.mechListMIC, ok = readOctets(&s, 3); !ok {
		return nil, syntax("mechListMIC")
	}
	if !s.Empty() {
		return nil, syntax("trailing fields")
	}
	return t, nil
}
