package wire

import (
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// PAS4UX509User is the padata of an S4U2Self request and its reply
// (MS-SFU §2.2.2).
const PAS4UX509User int32 = 130

// Options of an S4UUserID (MS-SFU §2.2.2) and of PA-PAC-OPTIONS (MS-KILE
// §2.2.10).
const (
	S4UUseReplyKeyUsage uint32 = 1 << 29 // sign the reply with a key usage of its own
	PACOptionRBCD       uint32 = 1 << 28 // resource-based constrained delegation
)

// S4UForUser is a PA-FOR-USER-ENC (MS-SFU §2.2.1): whom a service asks a ticket
// for.
type S4UForUser struct {
	User        principal.Name
	Checksum    Checksum
	AuthPackage string
}

// Append appends the DER of x to dst.
func (x *S4UForUser) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.name(0, &x.User)
	w.str(1, x.User.Realm)
	w.checksum(2, &x.Checksum)
	w.str(3, x.AuthPackage)
	w.close(m)
	return w.b
}

// ParseS4UForUser parses the DER of a PA-FOR-USER-ENC.
func ParseS4UForUser(b []byte) (*S4UForUser, error) {
	const name = "PA-FOR-USER"
	in, err := whole(b, name)
	s := seq{in, err}
	x := new(S4UForUser)
	s.name(0, "userName", &x.User)
	x.User.Realm = s.str(1, "userRealm")
	s.checksum(2, "cksum", &x.Checksum)
	x.AuthPackage = s.str(3, "auth-package")
	if err := s.end(name); err != nil {
		return nil, err
	}
	return x, nil
}

// S4UUserID says whom a service asks a ticket for, by name, by certificate or by
// both (MS-SFU §2.2.2).
type S4UUserID struct {
	Nonce uint32
	// User has a realm, and a name unless Components is nil. Windows sends names
	// without components.
	User principal.Name
	Cert []byte // optional
	// Options count if HasOptions is set.
	Options    uint32
	HasOptions bool
	// Raw is the encoding as it was received: what the checksum is over. If it
	// is set Append writes it and nothing else.
	Raw []byte
}

// Append appends the DER of x to dst.
func (x *S4UUserID) Append(dst []byte) []byte {
	if x.Raw != nil {
		return append(dst, x.Raw...)
	}
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.uint32(0, x.Nonce)
	if x.User.Components != nil {
		w.name(1, &x.User)
	}
	w.str(2, x.User.Realm)
	if x.Cert != nil {
		w.octets(3, x.Cert)
	}
	if x.HasOptions {
		w.flags(4, x.Options)
	}
	w.close(m)
	return w.b
}

func (x *S4UUserID) parse(b []byte) error {
	const name = "S4UUserID"
	in, err := whole(b, name)
	s := seq{in, err}
	x.Raw = b
	x.Nonce = s.uint32(0, "nonce")
	if s.has(1) {
		s.name(1, "cname", &x.User)
	}
	x.User.Realm = s.str(2, "crealm")
	if s.has(3) {
		x.Cert = s.octets(3, "subject-certificate")
	}
	if x.HasOptions = s.has(4); x.HasOptions {
		x.Options = s.flags(4, "options")
	}
	return s.end(name)
}

// S4UX509User is a PA-S4U-X509-USER (MS-SFU §2.2.2).
type S4UX509User struct {
	ID       S4UUserID
	Checksum Checksum
}

// Append appends the DER of x to dst.
func (x *S4UX509User) Append(dst []byte) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	id := w.open(classContext) // [0]
	w.b = x.ID.Append(w.b)
	w.close(id)
	w.checksum(1, &x.Checksum)
	w.close(m)
	return w.b
}

// ParseS4UX509User parses the DER of a PA-S4U-X509-USER.
func ParseS4UX509User(b []byte) (*S4UX509User, error) {
	const name = "PA-S4U-X509-USER"
	in, err := whole(b, name)
	s := seq{in, err}
	x := new(S4UX509User)
	id := s.explicit(0, "user-id")
	s.checksum(1, "checksum", &x.Checksum)
	if err := s.end(name); err != nil {
		return nil, err
	}
	if err := x.ID.parse(id); err != nil {
		return nil, err
	}
	return x, nil
}

// AppendPACOptions appends the DER of PA-PAC-OPTIONS (MS-KILE §2.2.10) to dst.
func AppendPACOptions(dst []byte, options uint32) []byte {
	w := builder{dst}
	m := w.open(byte(asn1.SEQUENCE))
	w.flags(0, options)
	w.close(m)
	return w.b
}

// ParsePACOptions parses the DER of PA-PAC-OPTIONS.
func ParsePACOptions(b []byte) (uint32, error) {
	in, err := whole(b, "PA-PAC-OPTIONS")
	s := seq{in, err}
	options := s.flags(0, "flags")
	return options, s.end("PA-PAC-OPTIONS")
}
