// Package krberr holds the Kerberos error codes, numbered as MIT numbers them.
package krberr

import (
	"errors"
	"fmt"
)

// Code is an error code: the base of MIT's com_err table plus a number. It is
// an error itself; wrap it with %w to say more. The zero Code is no error.
type Code int32

const (
	Krb5Base Code = -1765328384 // protocol codes 0–127, library codes 128–255
	mechBase Code = 39756032    // k5g, the Kerberos mechanism
	glueBase Code = -2045022976 // ggss, the generic layer
	asn1Base Code = 1859794432  // asn1, the encoding of messages
)

// FromRFC returns the code for the error-code of a KRB-ERROR (RFC 4120
// §7.5.9). 0 and numbers that no table can hold become KRBGeneric.
func FromRFC(n int32) Code {
	if n <= 0 || n > 127 {
		return KRBGeneric
	}
	return Krb5Base + Code(n)
}

// RFC returns the error-code of RFC 4120 §7.5.9, and whether c is one of them.
func (c Code) RFC() (int, bool) {
	n := int64(c) - int64(Krb5Base)
	return int(n), n > 0 && n < 128
}

// Minor returns the code as a GSS-API minor status.
func (c Code) Minor() uint32 { return uint32(c) }

// Name returns the symbol, such as "KRB_AP_ERR_SKEW", "" if c is not known.
func (c Code) Name() string { return table[c].name }

// Error returns the symbol and its words.
func (c Code) Error() string {
	if e, ok := table[c]; ok {
		return e.name + ": " + e.text
	}
	if n, ok := c.RFC(); ok {
		return fmt.Sprintf("krb5 error %d", n)
	}
	return fmt.Sprintf("error code %d", int32(c))
}

// Text returns the words alone.
func (c Code) Text() string {
	if e, ok := table[c]; ok {
		return e.text
	}
	return c.Error()
}

// Of returns the first Code in err's tree, 0 if there is none.
func Of(err error) Code {
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return 0
}
