package seq

import "encoding/binary"

// Flags of an encoded Window.
const (
	encReplay = 1 << iota
	encSequence
	encWide
)

// EncodedSize is the size in bytes of what Append appends.
const EncodedSize = 1 + 3*8

// Append appends the window to dst, for [Parse] in another process.
func (w *Window) Append(dst []byte) []byte {
	var flags byte
	if w.replay {
		flags |= encReplay
	}
	if w.sequence {
		flags |= encSequence
	}
	if w.mask > 1<<32 {
		flags |= encWide
	}
	dst = append(dst, flags)
	for _, v := range []uint64{w.first, w.next, w.seen} {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	return dst
}

// Parse reads what Append wrote; ok is false for anything else.
func Parse(b []byte) (w Window, ok bool) {
	if len(b) != EncodedSize || b[0]&^(encReplay|encSequence|encWide) != 0 {
		return Window{}, false
	}
	u := func(i int) uint64 { return binary.BigEndian.Uint64(b[1+8*i:]) }
	w = New(u(0), b[0]&encReplay != 0, b[0]&encSequence != 0, b[0]&encWide != 0)
	w.next, w.seen = u(1), u(2)
	return w, u(0) == w.first && w.next == w.next&w.mask
}
