package apreq

import (
	"encoding/binary"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// ChecksumType is the type under which an authenticator carries a Checksum.
const ChecksumType = 0x8003

// ExtFinished is the extension that IAKERB adds (RFC 6542's registry).
const ExtFinished uint32 = 2

// Checksum is the structure that an initiator puts into the authenticator's
// checksum field (RFC 4121 §4.1.1, RFC 6542). It is no checksum: the
// authenticator's encryption protects it.
type Checksum struct {
	Bindings [BindingsSize]byte // hash of the channel bindings, zero for none
	Flags    mech.Flags
	// Deleg is a KRB-CRED message, nil for none. It is written only with
	// FlagDeleg set.
	Deleg      []byte
	Extensions []Extension
}

// Extension is a typed addition to a Checksum (RFC 6542 §3).
type Extension struct {
	Type uint32
	Data []byte
}

const (
	checksumMin    = 4 + BindingsSize + 4
	delegOption    = 1 // DlgOpt: the only option there is
	maxDeleg       = 0xffff - checksumMin - 4
	maxExtensions  = 16
	extensionFixed = 8
)

// Append appends the structure to dst. A KRB-CRED too long for its two-byte
// length is KRB_ERR_FIELD_TOOLONG.
func (c *Checksum) Append(dst []byte) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint32(dst, BindingsSize)
	dst = append(dst, c.Bindings[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(c.Flags))
	if c.Flags&mech.FlagDeleg != 0 {
		if len(c.Deleg) > maxDeleg {
			return nil, fail(gsserr.ErrFailure, krberr.KRBFieldTooLong)
		}
		dst = binary.LittleEndian.AppendUint16(dst, delegOption)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(len(c.Deleg)))
		dst = append(dst, c.Deleg...)
	}
	for _, e := range c.Extensions { // these two integers are big-endian
		dst = binary.BigEndian.AppendUint32(dst, e.Type)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(e.Data)))
		dst = append(dst, e.Data...)
	}
	return dst, nil
}

// ParseChecksum reads the structure; the slices are parts of b. Too short a
// field is ErrBadBindings, as an acceptor could not compare the bindings; any
// other defect is ErrFailure.
func ParseChecksum(b []byte) (*Checksum, error) {
	if len(b) < checksumMin {
		return nil, fail(gsserr.ErrBadBindings, krberr.GSSBadLength)
	}
	c := &Checksum{Flags: mech.Flags(binary.LittleEndian.Uint32(b[4+BindingsSize:]))}
	if binary.LittleEndian.Uint32(b) != BindingsSize {
		return nil, fail(gsserr.ErrFailure, krberr.GSSBadLength)
	}
	copy(c.Bindings[:], b[4:])
	rest := b[checksumMin:]
	// Without room for the two lengths there is no credential, whatever the
	// flag says, and what follows are extensions: MIT reads it so.
	if c.Flags&mech.FlagDeleg != 0 && len(rest) >= 4 {
		if binary.LittleEndian.Uint16(rest) != delegOption {
			return nil, fail(gsserr.ErrFailure, fmt.Errorf("%w: delegation option", krberr.GSSBadLength))
		}
		n := int(binary.LittleEndian.Uint16(rest[2:]))
		rest = rest[4:]
		if n > len(rest) {
			return nil, fail(gsserr.ErrFailure, fmt.Errorf("%w: delegated credential", krberr.GSSBadLength))
		}
		c.Deleg, rest = rest[:n:n], rest[n:]
	}
	for len(rest) > 0 {
		if len(rest) < extensionFixed || len(c.Extensions) == maxExtensions {
			return nil, fail(gsserr.ErrFailure, fmt.Errorf("%w: extension", krberr.GSSBadLength))
		}
		typ, n := binary.BigEndian.Uint32(rest), binary.BigEndian.Uint32(rest[4:])
		rest = rest[extensionFixed:]
		if uint64(n) > uint64(len(rest)) {
			return nil, fail(gsserr.ErrFailure, fmt.Errorf("%w: extension", krberr.GSSBadLength))
		}
		c.Extensions = append(c.Extensions, Extension{typ, rest[:n:n]})
		rest = rest[n:]
	}
	return c, nil
}
