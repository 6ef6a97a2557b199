package apreq

import (
	"encoding/binary"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
)

// BindingsSize is the size of a bindings hash in bytes.
const BindingsSize = 16

// BindingsHash returns the hash of channel bindings that a checksum carries
// (RFC 4121 §4.1.1.2): MD5 over the five fields, integers little-endian. Nil
// bindings are sixteen zero bytes. MD5 is no security function here, the
// authenticator's encryption protects it; where even that is forbidden, the
// error is ErrUnavailable.
func BindingsHash(b *mech.ChannelBindings) (sum [BindingsSize]byte, err error) {
	if b == nil {
		return sum, nil
	}
	var in []byte
	field := func(v []byte) {
		in = binary.LittleEndian.AppendUint32(in, uint32(len(v)))
		in = append(in, v...)
	}
	in = binary.LittleEndian.AppendUint32(in, uint32(b.InitiatorType))
	field(b.Initiator)
	in = binary.LittleEndian.AppendUint32(in, uint32(b.AcceptorType))
	field(b.Acceptor)
	field(b.Application)
	sum, ok := md5Sum(in)
	if !ok {
		return sum, fail(gsserr.ErrUnavailable, fmt.Errorf("%w: channel bindings need MD5, which FIPS 140-only mode forbids", krberr.CryptoInternal))
	}
	return sum, nil
}
