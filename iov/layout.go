package iov

// Message returns the usual layout of a wrapped message: a header, the given
// pieces of data in order, padding and a trailer. Header, padding and trailer
// have Alloc set; the data is not copied.
func Message(data ...[]byte) []Buffer {
	b := make([]Buffer, 0, len(data)+3)
	b = append(b, Buffer{Type: Header, Alloc: true})
	for _, d := range data {
		b = append(b, Buffer{Type: Data, Bytes: d})
	}
	return append(b, Buffer{Type: Padding, Alloc: true}, Buffer{Type: Trailer, Alloc: true})
}

// AEAD returns the layout of a message msg with associated data ad, which is
// authenticated but neither encrypted nor part of the token (RFC 4121 has no
// name for it; the C bindings call it wrap_aead). Nothing is copied.
func AEAD(msg, ad []byte) []Buffer {
	return []Buffer{
		{Type: Header, Alloc: true},
		{Type: SignOnly, Bytes: ad},
		{Type: Data, Bytes: msg},
		{Type: Padding, Alloc: true},
		{Type: Trailer, Alloc: true},
	}
}

// Join appends the token that the buffers make up to dst: everything in order
// except SignOnly pieces.
func Join(dst []byte, b []Buffer) []byte {
	for i := range b {
		if b[i].Type != SignOnly {
			dst = append(dst, b[i].Bytes...)
		}
	}
	return dst
}
