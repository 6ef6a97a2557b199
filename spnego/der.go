package spnego

import "slices"

// Tags of X.690 that occur in negotiation tokens, and those of RFC 4178 §4.2:
// the two choices of NegotiationToken, and field n of either, tagField+n.
const (
	tagEnum          = 0x0a
	tagOctets        = 0x04
	tagGeneralString = 0x1b
	tagSequence      = 0x30
	tagInit          = 0xa0
	tagResp          = 0xa1
	tagField         = 0xa0
)

// lengthSize returns how many bytes the length of n bytes of contents takes.
func lengthSize(n int) int {
	size := 1
	if n >= 0x80 {
		for ; n > 0; n >>= 8 {
			size++
		}
	}
	return size
}

// elementSize returns the size of an element with n bytes of contents.
func elementSize(n int) int { return 1 + lengthSize(n) + n }

// appendHeader appends the tag and length of an element with n bytes of contents.
func appendHeader(dst []byte, tag byte, n int) []byte {
	dst = append(dst, tag)
	digits := lengthSize(n) - 1
	if digits == 0 {
		return append(dst, byte(n))
	}
	dst = append(dst, 0x80|byte(digits))
	for digits--; digits >= 0; digits-- {
		dst = append(dst, byte(n>>(8*digits)))
	}
	return dst
}

func appendElement(dst []byte, tag byte, contents []byte) []byte {
	dst = slices.Grow(dst, elementSize(len(contents)))
	return append(appendHeader(dst, tag, len(contents)), contents...)
}

// appendChoice begins a NegotiationToken whose fields take n bytes.
func appendChoice(tag byte, n int) []byte {
	inner := elementSize(n)
	dst := appendHeader(make([]byte, 0, elementSize(inner)), tag, inner)
	return appendHeader(dst, tagSequence, n)
}

// explicitSize and appendExplicit are for a field that holds one element, given
// in DER; an absent one is nil.
func explicitSize(der []byte) int {
	if der == nil {
		return 0
	}
	return elementSize(len(der))
}

func appendExplicit(dst []byte, n byte, der []byte) []byte {
	if der == nil {
		return dst
	}
	return appendElement(dst, tagField+n, der)
}

// octetsSize and appendOctets are for a field that holds an OCTET STRING; an
// absent one is nil.
func octetsSize(v []byte) int {
	if v == nil {
		return 0
	}
	return elementSize(elementSize(len(v)))
}

func appendOctets(dst []byte, n byte, v []byte) []byte {
	if v == nil {
		return dst
	}
	dst = appendHeader(dst, tagField+n, elementSize(len(v)))
	return appendElement(dst, tagOctets, v)
}
