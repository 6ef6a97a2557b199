package spnego

import "github.com/gss-go/gssapi/mech"

// tagFrame begins a framed token (RFC 2743 §3.1).
const tagFrame = 0x60

// fragments puts a token together that comes in pieces (MS-SPNG §3.1.5.4): one
// that is shorter than its first bytes say is to be continued.
type fragments struct{ buf []byte }

// add takes the next piece. whole says that token is complete, or can never
// become so, which its parser will find out. Pieces that make no progress and
// bytes behind the end are errors.
func (f *fragments) add(in []byte) (token []byte, whole bool, err error) {
	pending := len(f.buf) > 0
	if pending {
		if len(in) == 0 {
			return nil, false, syntax("an empty fragment")
		}
		if len(in) > mech.MaxToken-len(f.buf) {
			return nil, false, syntax("fragments are too long together")
		}
		f.buf = append(f.buf, in...)
		in = f.buf
	}
	size, ok := tokenSize(in)
	switch {
	case ok && (size == 0 || size > len(in)):
		if !pending {
			f.buf = append(f.buf, in...)
		}
		return nil, false, nil
	case pending && ok && size < len(in):
		return nil, false, syntax("bytes behind the last fragment")
	}
	f.buf = nil
	return in, true, nil
}

// tokenSize returns the size in bytes that a token claims to have, 0 if not
// enough of it is there to tell. ok is false for what does not begin like one
// of ours, in minimal DER, or claims more than [mech.MaxToken].
func tokenSize(b []byte) (size int, ok bool) {
	if len(b) == 0 || b[0] != tagFrame && b[0] != tagResp {
		return 0, false
	}
	if len(b) == 1 {
		return 0, true
	}
	if b[1] < 0x80 {
		return 2 + int(b[1]), true
	}
	n := int(b[1] & 0x7f)
	if n == 0 || n > 3 { // four bytes make more than MaxToken
		return 0, false
	}
	digits := b[2:min(2+n, len(b))]
	for _, d := range digits {
		size = size<<8 | int(d)
	}
	switch {
	case len(digits) > 0 && digits[0] == 0: // a leading zero
		return 0, false
	case len(digits) < n:
		return 0, true
	case size < 0x80 || 2+n+size > mech.MaxToken:
		return 0, false
	}
	return 2 + n + size, true
}
