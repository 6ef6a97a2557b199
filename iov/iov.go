// Package iov describes messages in pieces, for protection in place: the
// gss_iov_buffer_desc of the C bindings.
//
// A slice of [Buffer] lists the pieces of one message in wire order. [Message]
// and [AEAD] build the usual layouts, [Join] gives the token.
package iov

// Type says what a Buffer holds. The numbers are those of
// GSS_IOV_BUFFER_TYPE_* in the C bindings.
type Type uint8

const (
	Empty      Type = 0  // keeps its place and holds nothing
	Data       Type = 1  // message: encrypted if asked, and authenticated
	Header     Type = 2  // token header, exactly one in a wrapped message
	MechParams Type = 3  // of other mechanisms; ignored
	Trailer    Type = 7  // token trailer
	Padding    Type = 9  // padding of the older Kerberos tokens
	Stream     Type = 10 // a whole token, to be taken apart by UnwrapIOV
	SignOnly   Type = 11 // authenticated, not encrypted and not part of the token
	MICToken   Type = 12 // the token of GetMICIOV
)

// String returns the name in lower case.
func (t Type) String() string {
	switch t {
	case Empty:
		return "empty"
	case Data:
		return "data"
	case Header:
		return "header"
	case MechParams:
		return "mech params"
	case Trailer:
		return "trailer"
	case Padding:
		return "padding"
	case Stream:
		return "stream"
	case SignOnly:
		return "sign only"
	case MICToken:
		return "MIC token"
	}
	return "unknown"
}

// Buffer is one piece of a message. With Alloc set, the call that fills it may
// grow Bytes; otherwise Bytes must have exactly the length that the matching
// …Length call gave it. It is not safe for concurrent use.
type Buffer struct {
	Type  Type
	Bytes []byte
	Alloc bool
}
