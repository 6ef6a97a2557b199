// Package sample is the wire protocol of gss-client and gss-server, the sample
// programs of MIT's Kerberos: a byte of flags, a length of four bytes, most
// significant first, and a token of that length.
//
// A connection begins with an empty frame of [NOOP], with [ContextNext] if
// tokens of a security context follow, each in a frame of [Context]. Then the
// client sends frames of [Data], and the server answers each with a [MIC] of
// the message or an empty NOOP. A NOOP of the client ends the connection.
package sample

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Flags say what a frame holds and what is expected in return.
type Flags byte

const (
	NOOP        Flags = 1 << iota // nothing
	Context                       // a token of context establishment
	Data                          // a message
	MIC                           // the MIC of a message
	ContextNext                   // frames of Context follow
	Wrapped                       // the message was wrapped
	Encrypted                     // and is confidential
	SendMIC                       // answer with a MIC
)

// MaxToken is the length of the longest token that Read takes.
const MaxToken = 16 << 20

// Has reports whether all of the flags in want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// String returns the names of the flags that are set.
func (f Flags) String() string {
	var set []string
	for i, name := range []string{"noop", "context", "data", "mic", "context-next", "wrapped", "encrypted", "send-mic"} {
		if f&(1<<i) != 0 {
			set = append(set, name)
		}
	}
	return strings.Join(set, "|")
}

// Write sends one frame, in a single write.
func Write(w io.Writer, f Flags, token []byte) error {
	if len(token) > MaxToken {
		return fmt.Errorf("token of %d bytes is too long", len(token))
	}
	frame := append(make([]byte, 0, 5+len(token)), byte(f))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(token)))
	_, err := w.Write(append(frame, token...))
	return err
}

// Read receives one frame. At the end of the stream it returns io.EOF, inside a
// frame io.ErrUnexpectedEOF.
func Read(r io.Reader) (Flags, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > MaxToken {
		return 0, nil, fmt.Errorf("token of %d bytes is too long", n)
	}
	// The buffer grows with what arrives, not with what the peer announces.
	var token bytes.Buffer
	if _, err := io.CopyN(&token, r, int64(n)); err != nil {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return Flags(head[0]), token.Bytes(), nil
}
