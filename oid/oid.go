// Package oid holds object identifiers as comparable values.
//
// An [OID] names a mechanism, a name type or an extension of the GSS-API. It
// can be compared with ==, used as a map key and written as a constant-like
// package variable; sets of them are plain []OID.
package oid

import (
	"errors"
	"math"
)

// OID is an ASN.1 object identifier (X.690 §8.19). The zero value is "no OID",
// GSS_C_NO_OID. OIDs are immutable, comparable with == and safe for concurrent
// use.
type OID struct {
	der string // contents octets, without tag and length
}

const (
	tagOID = 0x06

	// maxLen bounds the contents octets, so that an identifier always fits the
	// two-byte length fields of RFC 2743 §3.2 and nobody can make us hold more.
	maxLen = 1024
)

var errDER = errors.New("oid: malformed object identifier")

// FromDER returns the identifier with the given contents octets: the DER
// encoding without tag and length, as the C bindings keep it in gss_OID_desc.
// Empty, truncated and non-minimal encodings, arcs above 2⁶⁴−1 and contents of
// more than 1024 bytes are errors. The bytes are copied.
func FromDER(contents []byte) (OID, error) {
	if len(contents) == 0 || len(contents) > maxLen {
		return OID{}, errDER
	}
	for rest := contents; len(rest) > 0; {
		_, n := readArc(rest)
		if n == 0 {
			return OID{}, errDER
		}
		rest = rest[n:]
	}
	return OID{string(contents)}, nil
}

// FromInts returns the identifier with the given arcs. There must be at least
// two; the first is 0, 1 or 2, and the second is below 40 unless the first is 2.
func FromInts(arcs ...uint64) (OID, error) {
	if len(arcs) < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] >= 40) || arcs[1] > math.MaxUint64-80 {
		return OID{}, errors.New("oid: the first two arcs are out of range")
	}
	der := appendArc(nil, arcs[0]*40+arcs[1])
	for _, a := range arcs[2:] {
		der = appendArc(der, a)
	}
	if len(der) > maxLen {
		return OID{}, errDER
	}
	return OID{string(der)}, nil
}

// IsZero reports whether o is the zero OID, GSS_C_NO_OID.
func (o OID) IsZero() bool { return o.der == "" }

// DER returns a copy of the contents octets, nil for the zero OID.
func (o OID) DER() []byte {
	if o.der == "" {
		return nil
	}
	return []byte(o.der)
}

// AppendDER appends the whole DER encoding, tag and length included, to dst.
// The zero OID appends nothing.
func (o OID) AppendDER(dst []byte) []byte {
	n := len(o.der)
	switch {
	case n == 0:
		return dst
	case n < 0x80:
		dst = append(dst, tagOID, byte(n))
	case n < 0x100:
		dst = append(dst, tagOID, 0x81, byte(n))
	default:
		dst = append(dst, tagOID, 0x82, byte(n>>8), byte(n))
	}
	return append(dst, o.der...)
}

// HasPrefix reports whether the arcs of prefix are the first arcs of o. It is
// how the Kerberos extensions carry an argument as their last arc. Every OID
// has the zero OID as a prefix.
func (o OID) HasPrefix(prefix OID) bool {
	// A prefix of the octets that is itself well formed ends on an arc.
	return len(o.der) >= len(prefix.der) && o.der[:len(prefix.der)] == prefix.der
}

// Append returns o with further arcs. The zero OID stays zero, because it has
// no first two arcs to extend.
func (o OID) Append(arcs ...uint64) OID {
	if o.der == "" {
		return o
	}
	der := []byte(o.der)
	for _, a := range arcs {
		der = appendArc(der, a)
	}
	return OID{string(der)}
}

// Arcs returns the numbers of o, nil for the zero OID.
func (o OID) Arcs() []uint64 {
	if o.der == "" {
		return nil
	}
	rest := []byte(o.der)
	v, n := readArc(rest)
	first := min(v/40, 2)
	arcs := []uint64{first, v - first*40}
	for rest = rest[n:]; len(rest) > 0; rest = rest[n:] {
		v, n = readArc(rest)
		arcs = append(arcs, v)
	}
	return arcs
}

func appendArc(dst []byte, v uint64) []byte {
	n := 1
	for w := v >> 7; w > 0; w >>= 7 {
		n++
	}
	for i := n - 1; i >= 0; i-- {
		b := byte(v>>(7*i)) & 0x7f
		if i > 0 {
			b |= 0x80
		}
		dst = append(dst, b)
	}
	return dst
}

// readArc returns the first arc of b and its length, 0 if it is malformed.
func readArc(b []byte) (v uint64, n int) {
	if b[0] == 0x80 { // a leading zero digit: not minimal
		return 0, 0
	}
	for i, c := range b {
		if v > math.MaxUint64>>7 {
			return 0, 0
		}
		v = v<<7 | uint64(c&0x7f)
		if c&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}
