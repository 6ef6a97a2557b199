package spnego

import (
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

const (
	maxMechs = 64 // mechanisms in a list

	// hintName is what MS-SPNG §2.2.1 and every server put into negHints.
	hintName = "not_defined_in_RFC4178@please_ignore"
)

// negTokenInit is the initiator's first token (RFC 4178 §4.2.1), or the
// acceptor's hint (NegTokenInit2, MS-SPNG §2.2.1). Slices of a parsed one are
// parts of the token.
type negTokenInit struct {
	mechTypes []oid.OID
	// mechTypesDER is the list as it was sent, tag and length included: what a
	// mechListMIC is over.
	mechTypesDER []byte
	// reqFlags is the BIT STRING in DER, nil if absent. It is read to be
	// ignored, because nothing protects it, and never sent: MIT's acceptor
	// refuses most encodings of it.
	reqFlags    []byte
	mechToken   []byte // nil: absent
	mechListMIC []byte // nil: absent
	// negHints is the SEQUENCE in DER, nil if absent. It makes the token a
	// NegTokenInit2.
	negHints []byte
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
	var contents []byte
	for _, m := range list {
		contents = m.AppendDER(contents)
	}
	return appendElement(nil, tagSequence, contents)
}

// encodeHints returns the DER of the negHints that servers send.
func encodeHints() []byte {
	name := appendElement(nil, tagGeneralString, []byte(hintName))
	return appendElement(nil, tagSequence, appendElement(nil, tagField, name))
}

// marshal returns the framed token.
func (t *negTokenInit) marshal() []byte {
	mic := byte(3)
	if t.negHints != nil {
		mic = 4 // behind the hints
	}
	n := explicitSize(t.mechTypesDER) + explicitSize(t.reqFlags) + octetsSize(t.mechToken) +
		explicitSize(t.negHints) + octetsSize(t.mechListMIC)
	b := appendChoice(tagInit, n)
	b = appendExplicit(b, 0, t.mechTypesDER)
	b = appendExplicit(b, 1, t.reqFlags)
	b = appendOctets(b, 2, t.mechToken)
	b = appendExplicit(b, 3, t.negHints)
	b = appendOctets(b, mic, t.mechListMIC)
	return mech.AppendToken(nil, oid.SPNEGO, b)
}

// marshal returns the token, without a frame.
func (t *negTokenResp) marshal() []byte {
	var buf [16]byte
	id := t.supportedMech.AppendDER(buf[:0])
	if len(id) == 0 {
		id = nil
	}
	var state []byte
	if t.negState != noState {
		state = []byte{tagEnum, 1, byte(t.negState)}
	}
	n := explicitSize(state) + explicitSize(id) + octetsSize(t.responseToken) + octetsSize(t.mechListMIC)
	b := appendChoice(tagResp, n)
	b = appendExplicit(b, 0, state)
	b = appendExplicit(b, 1, id)
	b = appendOctets(b, 2, t.responseToken)
	return appendOctets(b, 3, t.mechListMIC)
}
