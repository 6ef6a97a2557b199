package spnego

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// errSyntax is the cause of every malformed token.
var errSyntax = errors.New("malformed negotiation token")

func syntax(what string) error { return fmt.Errorf("%w: %s", errSyntax, what) }

// unframe takes the frame of RFC 2743 §3.1 off.
func unframe(token []byte) ([]byte, error) {
	m, body, err := mech.ParseToken(token)
	if err != nil {
		return nil, syntax("frame")
	}
	if m != oid.SPNEGO {
		return nil, syntax("framed for another mechanism")
	}
	return body, nil
}

// choice returns the SEQUENCE inside one of the two choices.
func choice(token []byte, tag asn1.Tag) (seq cryptobyte.String, err error) {
	in := cryptobyte.String(token)
	var c cryptobyte.String
	if !in.ReadASN1(&c, tag) || !in.Empty() || !c.ReadASN1(&seq, asn1.SEQUENCE) || !c.Empty() {
		return nil, syntax("choice")
	}
	return seq, nil
}

// readOptional reads an optional explicitly tagged field whose content is one
// element with the tag. der is that element, contents what is in it; both are
// nil if the field is absent, and neither is if it is present.
func readOptional(s *cryptobyte.String, n uint8, tag asn1.Tag) (der, contents []byte, ok bool) {
	var f cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&f, &present, asn1.Tag(tagField+n)) {
		return nil, nil, false
	}
	if !present {
		return nil, nil, true
	}
	whole := f
	var v cryptobyte.String
	if !f.ReadASN1(&v, tag) || !f.Empty() {
		return nil, nil, false
	}
	return whole[:len(whole):len(whole)], v[:len(v):len(v)], true
}

// parseInit reads a NegTokenInit or NegTokenInit2, which are always framed.
func parseInit(token []byte) (*negTokenInit, error) {
	token, err := unframe(token)
	if err != nil {
		return nil, err
	}
	s, err := choice(token, tagInit)
	if err != nil {
		return nil, err
	}
	t := &negTokenInit{}
	list, contents, ok := readOptional(&s, 0, asn1.SEQUENCE)
	if !ok || list == nil {
		return nil, syntax("mechTypes")
	}
	t.mechTypesDER = list
	if t.mechTypes, ok = parseMechTypes(contents); !ok {
		return nil, syntax("mechTypes")
	}
	if t.reqFlags, _, ok = readOptional(&s, 1, asn1.BIT_STRING); !ok {
		return nil, syntax("reqFlags")
	}
	if _, t.mechToken, ok = readOptional(&s, 2, asn1.OCTET_STRING); !ok {
		return nil, syntax("mechToken")
	}
	// [3] is a mechListMIC, or negHints in a NegTokenInit2, whose MIC is [4].
	mic := uint8(3)
	var f cryptobyte.String
	if next := s; next.ReadASN1(&f, tagField+3) && f.PeekASN1Tag(asn1.SEQUENCE) {
		if t.negHints, contents, ok = readOptional(&s, 3, asn1.SEQUENCE); !ok || !validHints(contents) {
			return nil, syntax("negHints")
		}
		mic = 4
	}
	if _, t.mechListMIC, ok = readOptional(&s, mic, asn1.OCTET_STRING); !ok {
		return nil, syntax("mechListMIC")
	}
	if !s.Empty() {
		return nil, syntax("unknown fields")
	}
	return t, nil
}

// parseMechTypes reads what is in a MechTypeList.
func parseMechTypes(list cryptobyte.String) ([]oid.OID, bool) {
	var found []oid.OID
	for !list.Empty() {
		var id cryptobyte.String
		if !list.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) || len(found) == maxMechs {
			return nil, false
		}
		m, err := oid.FromDER(id)
		if err != nil {
			return nil, false
		}
		found = append(found, m)
	}
	return found, true
}

// validHints reports whether what is in negHints is well formed. It says nothing
// that anyone needs.
func validHints(s cryptobyte.String) bool {
	_, _, ok := readOptional(&s, 0, asn1.GeneralString)
	if ok {
		_, _, ok = readOptional(&s, 1, asn1.OCTET_STRING)
	}
	return ok && s.Empty()
}

// parseResp reads a NegTokenResp. Every field may be absent: old versions of
// Java leave out negState, and continuations have no supportedMech. Old
// versions of Solaris frame it like a first token.
func parseResp(token []byte) (*negTokenResp, error) {
	if len(token) > 0 && token[0] == tagFrame {
		var err error
		if token, err = unframe(token); err != nil {
			return nil, err
		}
	}
	s, err := choice(token, tagResp)
	if err != nil {
		return nil, err
	}
	t := &negTokenResp{negState: noState}
	der, _, ok := readOptional(&s, 0, asn1.ENUM)
	if !ok {
		return nil, syntax("negState")
	}
	if der != nil {
		var state int
		if e := cryptobyte.String(der); !e.ReadASN1Enum(&state) || state < 0 || state > int(requestMIC) {
			return nil, syntax("negState")
		}
		t.negState = negState(state)
	}
	der, id, ok := readOptional(&s, 1, asn1.OBJECT_IDENTIFIER)
	if !ok {
		return nil, syntax("supportedMech")
	}
	if der != nil {
		if t.supportedMech, err = oid.FromDER(id); err != nil {
			return nil, syntax("supportedMech")
		}
	}
	if _, t.responseToken, ok = readOptional(&s, 2, asn1.OCTET_STRING); !ok {
		return nil, syntax("responseToken")
	}
	if _, t.mechListMIC, ok = readOptional(&s, 3, asn1.OCTET_STRING); !ok {
		return nil, syntax("mechListMIC")
	}
	if !s.Empty() {
		return nil, syntax("unknown fields")
	}
	return t, nil
}
