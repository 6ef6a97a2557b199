package pac

import "encoding/binary"

// ndr reads NDR, little-endian, as MS-RPCE §2.2.6 serializes a type. The first
// field that does not fit spoils it; everything after is zero.
type ndr struct {
	b   []byte
	at  int
	bad bool
}

// open skips the two headers and the pointer to the structure.
func (n *ndr) open() {
	const headers = 16
	n.bad = len(n.b) < headers || n.b[0] != 1 || n.b[1] != 0x10 // version 1, little-endian
	n.at = headers
	if n.u32() == 0 {
		n.bad = true
	}
}

// take returns the next size bytes after aligning to a multiple of align.
func (n *ndr) take(size, align int) []byte {
	at := (n.at + align - 1) / align * align
	if n.bad || size < 0 || at > len(n.b) || size > len(n.b)-at {
		n.bad = true
		return nil
	}
	n.at = at + size
	return n.b[at:n.at]
}

func (n *ndr) u16() uint16 {
	if b := n.take(2, 2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (n *ndr) u32() uint32 {
	if b := n.take(4, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// pointer reads a unique pointer and reports whether it points to something.
func (n *ndr) pointer() bool { return n.u32() != 0 }

// unicode is an RPC_UNICODE_STRING whose characters come later.
type unicode struct {
	size uint16
	some bool
}

func (n *ndr) unicode() unicode {
	size := n.u16()
	n.u16() // maximum length
	return unicode{size, n.pointer()}
}

// text reads the characters of s, where they are due.
func (n *ndr) text(s unicode) string {
	if !s.some {
		return ""
	}
	n.u32() // maximum count
	offset, count := n.u32(), n.u32()
	if offset != 0 || uint64(count)*2 < uint64(s.size) || uint64(count) > uint64(len(n.b)) {
		n.bad = true
		return ""
	}
	b := n.take(2*int(count), 2)
	if n.bad {
		return ""
	}
	v, err := utf16String(b[:s.size])
	n.bad = err != nil
	return v
}

// conformant reads the size of an array, which must be what was announced.
func (n *ndr) conformant(count uint32, each int) int {
	if got := n.u32(); got != count || uint64(got)*uint64(each) > uint64(len(n.b)) {
		n.bad = true
		return 0
	}
	return int(count)
}

// sid reads a SID.
func (n *ndr) sid() SID {
	n.u32() // the number of sub-authorities, once more
	if n.bad || n.at > len(n.b) {
		return ""
	}
	s, size := parseSID(n.b[n.at:])
	if size == 0 {
		n.bad = true
		return ""
	}
	n.at += size
	return s
}
