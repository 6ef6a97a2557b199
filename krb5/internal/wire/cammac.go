package wire

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// CAMMAC is authorization data that a KDC vouches for with a checksum (RFC 7751
// §3.1).
type CAMMAC struct {
	// Elements are what it vouches for; Signed is their encoding, to the byte.
	Elements []AuthzDatum
	Signed   []byte
	// Service is the checksum with the service's key, nil if there is none.
	Service *Checksum
}

// ParseCAMMAC reads the contents of an AD-CAMMAC. The verifiers for others than
// the service are not looked at.
func ParseCAMMAC(b []byte) (*CAMMAC, error) {
	in := cryptobyte.String(b)
	var seq, elements, verifier cryptobyte.String
	var present bool
	explicit := func(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&elements, explicit(0)) {
		return nil, fmt.Errorf("%w: AD-CAMMAC", ErrSyntax)
	}
	list, err := ParseAuthzData(elements)
	if err != nil {
		return nil, err
	}
	c := &CAMMAC{Elements: list, Signed: elements}
	if !seq.SkipOptionalASN1(explicit(1)) || !seq.ReadOptionalASN1(&verifier, &present, explicit(2)) ||
		!seq.SkipOptionalASN1(explicit(3)) || !seq.Empty() {
		return nil, fmt.Errorf("%w: AD-CAMMAC", ErrSyntax)
	}
	if !present {
		return c, nil
	}
	var fields, mac cryptobyte.String
	if !verifier.ReadASN1(&fields, asn1.SEQUENCE) || !verifier.Empty() ||
		!fields.SkipOptionalASN1(explicit(0)) || !fields.SkipOptionalASN1(explicit(1)) || !fields.SkipOptionalASN1(explicit(2)) ||
		!fields.ReadASN1(&mac, explicit(3)) || !fields.Empty() {
		return nil, fmt.Errorf("%w: Verifier-MAC", ErrSyntax)
	}
	if c.Service, err = ParseChecksum(mac); err != nil {
		return nil, err
	}
	return c, nil
}

// ParseIndicators reads the contents of an AD-AUTHENTICATION-INDICATOR (RFC
// 8129 §3): strings that say how the client has logged in.
func ParseIndicators(b []byte) ([]string, error) {
	in := cryptobyte.String(b)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return nil, fmt.Errorf("%w: authentication indicators", ErrSyntax)
	}
	var list []string
	for !seq.Empty() {
		var s cryptobyte.String
		if !seq.ReadASN1(&s, asn1.UTF8String) || len(list) == maxIndicators {
			return nil, fmt.Errorf("%w: authentication indicators", ErrSyntax)
		}
		list = append(list, string(s))
	}
	return list, nil
}

const maxIndicators = 64
