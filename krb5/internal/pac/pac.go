// Package pac reads the privilege attribute certificate that Active Directory,
// Samba, FreeIPA and MIT's KDC put into tickets (MS-PAC).
//
// What is in it counts only after [PAC.Verify]: the KDC's signature with the
// service's key, and that it speaks of this ticket's client and login.
package pac

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// Types of buffers (MS-PAC §2.4).
const (
	TypeLogonInfo       uint32 = 1
	TypeCredentials     uint32 = 2
	TypeServerChecksum  uint32 = 6
	TypePrivSvrChecksum uint32 = 7
	TypeClientInfo      uint32 = 10
	TypeDelegation      uint32 = 11
	TypeUPNDNSInfo      uint32 = 12
	TypeTicketChecksum  uint32 = 16
	TypeAttributes      uint32 = 17
	TypeRequestor       uint32 = 18
	TypeFullChecksum    uint32 = 19
)

const (
	headerSize = 8
	entrySize  = 16
	maxBuffers = 4096

	usage = 17 // of every signature in a PAC
)

// errSyntax is the cause of every malformed PAC.
var errSyntax = errors.New("malformed PAC")

func syntax(what string) error { return fmt.Errorf("%w: %s", errSyntax, what) }

// PAC is a parsed PAC. It is immutable and keeps the bytes it was parsed from.
type PAC struct {
	raw     []byte
	buffers []buffer
}

type buffer struct {
	typ         uint32
	start, size int
}

// Parse reads the container (MS-PAC §2.3): up to 4096 buffers, whose offsets are
// multiples of 8 and lie within b. The contents are not looked at.
func Parse(b []byte) (*PAC, error) {
	if len(b) < headerSize {
		return nil, syntax("header")
	}
	n := binary.LittleEndian.Uint32(b)
	if binary.LittleEndian.Uint32(b[4:]) != 0 || n == 0 || n > maxBuffers || int(n) > (len(b)-headerSize)/entrySize {
		return nil, syntax("header")
	}
	p := &PAC{raw: b, buffers: make([]buffer, n)}
	body := headerSize + int(n)*entrySize
	for i := range p.buffers {
		e := b[headerSize+i*entrySize:]
		size, offset := binary.LittleEndian.Uint32(e[4:]), binary.LittleEndian.Uint64(e[8:])
		if offset%8 != 0 || offset < uint64(body) || offset > uint64(len(b)) || uint64(size) > uint64(len(b))-offset {
			return nil, syntax("buffer")
		}
		p.buffers[i] = buffer{binary.LittleEndian.Uint32(e), int(offset), int(size)}
	}
	return p, nil
}

// Raw returns the bytes of the PAC, which must not be modified.
func (p *PAC) Raw() []byte { return p.raw }

// Types returns the types of the buffers in order.
func (p *PAC) Types() []uint32 {
	types := make([]uint32, len(p.buffers))
	for i, b := range p.buffers {
		types[i] = b.typ
	}
	return types
}

// Buffer returns the contents of the buffer of a type. It is an error if there
// is none, or more than one.
func (p *PAC) Buffer(typ uint32) ([]byte, error) {
	b, err := p.find(typ)
	if err != nil {
		return nil, err
	}
	return p.raw[b.start : b.start+b.size : b.start+b.size], nil
}

func (p *PAC) find(typ uint32) (*buffer, error) {
	var found *buffer
	for i := range p.buffers {
		if p.buffers[i].typ == typ {
			if found != nil {
				return nil, syntax(fmt.Sprintf("two buffers of type %d", typ))
			}
			found = &p.buffers[i]
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no buffer of type %d", typ)
	}
	return found, nil
}

// Verify checks that the KDC signed the PAC with the service's key, and that it
// was made for this client and this login (MS-PAC §2.7, §2.8).
func (p *PAC) Verify(key *enctype.Key, client principal.Name, authTime time.Time) error {
	if err := p.verifySignature(key); err != nil {
		return err
	}
	return p.verifyClient(client, authTime)
}

// verifySignature checks the server signature: over everything, with the
// signatures of the server and of the KDC themselves as zeros. A trailing
// identifier of a read-only domain controller is covered.
func (p *PAC) verifySignature(key *enctype.Key) error {
	want, ok := enctype.ChecksumType(key.Enctype())
	if !ok {
		return krberr.APInappCksum
	}
	signed := append([]byte(nil), p.raw...)
	var sum []byte
	for _, typ := range []uint32{TypeServerChecksum, TypePrivSvrChecksum} {
		b, err := p.find(typ)
		if err != nil {
			return err
		}
		size, err := signatureSize(p.raw[b.start : b.start+b.size])
		if err != nil {
			return err
		}
		at := b.start + 4
		if typ == TypeServerChecksum {
			if int32(binary.LittleEndian.Uint32(p.raw[b.start:])) != want {
				return krberr.APInappCksum
			}
			sum = p.raw[at : at+size]
		}
		clear(signed[at : at+size])
	}
	return key.VerifyChecksum(sum, usage, signed)
}

// signatureSize returns how long a signature is: its type says so, as other
// bytes may follow.
func signatureSize(b []byte) (int, error) {
	if len(b) < 4 {
		return 0, syntax("signature")
	}
	var size int
	switch int32(binary.LittleEndian.Uint32(b)) {
	case 15, 16: // hmac-sha1-96-aes
		size = 12
	case 19: // hmac-sha256-128-aes128
		size = 16
	case 20: // hmac-sha384-192-aes256
		size = 24
	case 12: // hmac-sha1-des3-kd
		size = 20
	case 17, 18, -138: // cmac-camellia, hmac-md5
		size = 16
	default:
		return 0, krberr.APInappCksum
	}
	if len(b) < 4+size {
		return 0, syntax("signature")
	}
	return size, nil
}

// verifyClient compares the client's name and the time of its login.
func (p *PAC) verifyClient(client principal.Name, authTime time.Time) error {
	b, err := p.Buffer(TypeClientInfo)
	if err != nil {
		return err
	}
	if len(b) < 10 {
		return syntax("client info")
	}
	size := int(binary.LittleEndian.Uint16(b[8:]))
	if size > len(b)-10 {
		return syntax("client info")
	}
	name, err := utf16String(b[10 : 10+size])
	if err != nil {
		return err
	}
	short := client.Components[0]
	for _, c := range client.Components[1:] {
		short += "/" + c
	}
	if name != short && name != short+"@"+client.Realm {
		return fmt.Errorf("%w: the PAC is another client's", krberr.APBadMatch)
	}
	if t := fileTime(b); !t.Equal(authTime) {
		return fmt.Errorf("%w: the PAC is of another login", krberr.APBadMatch)
	}
	return nil
}

// fileTime reads a FILETIME: 100 ns since 1601. Zero and "never" are the zero
// time.
func fileTime(b []byte) time.Time {
	v := binary.LittleEndian.Uint64(b)
	if v == 0 || v >= 1<<63-1 {
		return time.Time{}
	}
	const unix = 11644473600 // seconds from 1601 to 1970
	return time.Unix(int64(v/1e7)-unix, int64(v%1e7)*100)
}

// utf16String decodes UTF-16, little-endian. Lone surrogates are an error.
func utf16String(b []byte) (string, error) {
	if len(b)%2 != 0 {
		return "", syntax("UTF-16")
	}
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	r := utf16.Decode(u)
	for _, c := range r {
		if c == 0xfffd || c == 0 {
			return "", syntax("UTF-16")
		}
	}
	return string(r), nil
}
