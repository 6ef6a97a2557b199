package ccache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
)

// Versions of the FILE format, the first two bytes. All integers are in network
// order since version 3.
const (
	version3 = 0x0503
	version4 = 0x0504
)

// maxFile is the largest cache that is read, in bytes.
const maxFile = 16 << 20

// errShort is the cause of what is truncated, errLong of a length that no cache
// can have.
var (
	errShort = errors.New("truncated")
	errLong  = errors.New("length out of range")
)

// ParseFile reads a cache in the FILE format, version 4 or 3. It keeps nothing of
// b. Entries that were removed by overwriting them are left out.
//
// The error is krberr CCacheBadVNO for another version, else CCFormat.
func ParseFile(b []byte) (*Contents, error) {
	f, err := parseFile(b, false)
	if err != nil {
		return nil, err
	}
	return f.contents, nil
}

// layout is a parsed file with what it takes to change it in place.
type layout struct {
	contents *Contents
	version  uint16
	// start has the offset of each of the contents' entries, end the one behind
	// the last.
	start []int
	end   int
	// torn says that something follows, the beginning of an entry.
	torn bool
}

// parseFile reads a file. A last entry that is cut short is an error unless
// torn files are wanted too.
func parseFile(b []byte, torn bool) (*layout, error) {
	if len(b) > maxFile {
		return nil, fmt.Errorf("%w: larger than %d bytes", krberr.CCFormat, maxFile)
	}
	r := reader{b: b}
	f := layout{contents: new(Contents), version: r.uint16()}
	switch {
	case r.err != nil:
		return nil, fmt.Errorf("%w: version %w", krberr.CCFormat, r.err)
	case f.version == version4:
		header := reader{b: r.bytes(int(r.uint16()))}
		for r.err == nil && len(header.b) > 0 && header.err == nil {
			tag := header.uint16()
			data := append([]byte(nil), header.bytes(int(header.uint16()))...)
			f.contents.Header = append(f.contents.Header, HeaderField{tag, data})
		}
		if header.err != nil {
			return nil, fmt.Errorf("%w: header %w", krberr.CCFormat, header.err)
		}
	case f.version != version3:
		return nil, fmt.Errorf("%w: version %04x", krberr.CCacheBadVNO, f.version)
	}
	f.contents.Principal = r.principal()
	f.end = len(b) - len(r.b)
	for r.err == nil && len(r.b) > 0 {
		c := r.credential(f.version)
		if torn && errors.Is(r.err, errShort) {
			f.torn = true
			break
		}
		if r.err == nil && !c.isRemoved() {
			f.contents.Entries = append(f.contents.Entries, c)
			f.start = append(f.start, f.end)
		}
		f.end = len(b) - len(r.b)
	}
	if f.torn {
		return &f, nil
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CCFormat, r.err)
	}
	return &f, nil
}

// reader takes fields off b. After its first error it gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.fail(errShort)
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) uint8() uint8 {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// count is a number of elements of at least size bytes each.
func (r *reader) count(size int) int {
	n := r.uint32()
	switch all := int64(n) * int64(size); {
	case all > maxFile:
		r.fail(errLong)
		return 0
	case all > int64(len(r.b)):
		r.fail(errShort)
		return 0
	}
	return int(n)
}

// data is a length of 32 bits and so many bytes, still those of the input.
func (r *reader) data() []byte { return r.bytes(r.count(1)) }

func (r *reader) copied() []byte { return append([]byte(nil), r.data()...) }

func (r *reader) time() time.Time {
	if s := r.uint32(); s != 0 {
		return time.Unix(int64(s), 0).UTC()
	}
	return time.Time{}
}

func (r *reader) principal() Principal {
	p := Principal{Type: int32(r.uint32())}
	n := r.count(4)
	if n > principal.MaxComponents {
		r.fail(errors.New("too many name components"))
		return Principal{}
	}
	size := 0
	text := func() string {
		b := r.data()
		if size += len(b); size > principal.MaxBytes {
			r.fail(errors.New("name too long"))
			return ""
		}
		return string(b)
	}
	p.Realm = text()
	for range n {
		p.Components = append(p.Components, text())
	}
	return p
}

func (r *reader) credential(version uint16) Credential {
	var c Credential
	c.Client = r.principal()
	c.Server = r.principal()
	c.Key.Enctype = etype.ID(int16(r.uint16()))
	if version == version3 {
		r.uint16() // the enctype once more
	}
	c.Key.Value = secret.New(r.data())
	c.AuthTime = r.time()
	c.StartTime = r.time()
	c.EndTime = r.time()
	c.RenewTill = r.time()
	c.IsSKey = r.uint8() != 0
	c.Flags = r.uint32()
	for range r.count(6) {
		c.Addresses = append(c.Addresses, Address{int32(int16(r.uint16())), r.copied()})
	}
	for range r.count(6) {
		c.AuthzData = append(c.AuthzData, AuthzDatum{int32(int16(r.uint16())), r.copied()})
	}
	c.Ticket = r.copied()
	c.SecondTicket = r.copied()
	return c
}

// Append appends the contents in version 4 of the FILE format. Header fields
// that do not fit its 65535 bytes are left out.
func (c *Contents) Append(dst []byte) []byte {
	be := binary.BigEndian
	dst = be.AppendUint16(dst, version4)
	start := len(dst)
	dst = be.AppendUint16(dst, 0) // the length, below
	for _, f := range c.Header {
		if len(dst)-start-2+4+len(f.Data) > math.MaxUint16 {
			continue
		}
		dst = be.AppendUint16(dst, f.Tag)
		dst = be.AppendUint16(dst, uint16(len(f.Data)))
		dst = append(dst, f.Data...)
	}
	be.PutUint16(dst[start:], uint16(len(dst)-start-2))
	dst = appendPrincipal(dst, c.Principal)
	for i := range c.Entries {
		dst = c.Entries[i].append(dst, version4)
	}
	return dst
}

func appendPrincipal(dst []byte, p Principal) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(p.Type))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(p.Components)))
	dst = appendData(dst, p.Realm)
	for _, c := range p.Components {
		dst = appendData(dst, c)
	}
	return dst
}

func (c *Credential) append(dst []byte, version uint16) []byte {
	be := binary.BigEndian
	dst = appendPrincipal(dst, c.Client)
	dst = appendPrincipal(dst, c.Server)
	dst = be.AppendUint16(dst, uint16(c.Key.Enctype))
	if version == version3 {
		dst = be.AppendUint16(dst, uint16(c.Key.Enctype))
	}
	dst = appendData(dst, c.Key.Value.Bytes())
	for _, t := range []time.Time{c.AuthTime, c.StartTime, c.EndTime, c.RenewTill} {
		dst = be.AppendUint32(dst, unix32(t))
	}
	isSKey := byte(0)
	if c.IsSKey {
		isSKey = 1
	}
	dst = append(dst, isSKey)
	dst = be.AppendUint32(dst, c.Flags)
	dst = be.AppendUint32(dst, uint32(len(c.Addresses)))
	for _, a := range c.Addresses {
		dst = be.AppendUint16(dst, uint16(a.Type))
		dst = appendData(dst, a.Bytes)
	}
	dst = be.AppendUint32(dst, uint32(len(c.AuthzData)))
	for _, a := range c.AuthzData {
		dst = be.AppendUint16(dst, uint16(a.Type))
		dst = appendData(dst, a.Data)
	}
	dst = appendData(dst, c.Ticket)
	return appendData(dst, c.SecondTicket)
}

func appendData[T string | []byte](dst []byte, s T) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

// unix32 returns the seconds since 1970 as an unsigned number of 32 bits, the
// nearest one for times out of its range, 0 for the zero time.
func unix32(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	return uint32(min(max(t.Unix(), 0), math.MaxUint32))
}
