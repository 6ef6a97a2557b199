package kdcnet

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// exchangeTCP asks one server over TCP: a length of four bytes stands before
// each message, and its top bit is reserved (RFC 4120 §7.2.2).
func (n *Network) exchangeTCP(ctx context.Context, addr string, r *Request) ([]byte, error) {
	conn, err := n.dial(ctx, "tcp", addr)
	if err != nil {
		return nil, ended(ctx, err)
	}
	defer guard(ctx, conn)()
	frame := make([]byte, 4, 4+len(r.Message))
	binary.BigEndian.PutUint32(frame, uint32(len(r.Message)))
	if _, err := conn.Write(append(frame, r.Message...)); err != nil {
		return nil, ended(ctx, err)
	}
	reply, err := readFrame(conn)
	if err != nil {
		return nil, ended(ctx, err)
	}
	return reply, vet(r, reply)
}

// readFrame reads one length and the message behind it. Memory grows with the
// bytes that have arrived, not with the length.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("reply's length: %w", err)
	}
	size := binary.BigEndian.Uint32(head[:])
	switch {
	case size>>31 != 0:
		return nil, fmt.Errorf("reply's length %#x has the reserved bit set", size)
	case size > maxMessage:
		return nil, fmt.Errorf("reply of %d bytes, %d are allowed", size, maxMessage)
	}
	var body bytes.Buffer
	got, err := io.CopyN(&body, r, int64(size))
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("reply after %d of %d bytes: %w", got, size, err)
	}
	return body.Bytes(), nil
}
