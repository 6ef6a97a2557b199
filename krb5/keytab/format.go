package keytab

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

// File versions, the first two bytes.
const (
	version1 = 0x0501 // integers in the byte order of the machine
	version2 = 0x0502 // integers in network order
)

// maxRecord is the longest record: names, and more than any key.
const maxRecord = principal.MaxBytes + 4<<10

// errShort is the cause of what is truncated.
var errShort = errors.New("truncated")

// Parse reads a keytab in the format of version 2 or 1. It keeps nothing of b.
//
// Version 1 has the byte order of the machine that wrote it; both are tried. The
// error is krberr KeytabBadVNO for another version, else KTFormat.
func Parse(b []byte) (*Keytab, error) {
	if len(b) < 2 {
		return nil, fmt.Errorf("%w: no version", krberr.KTFormat)
	}
	switch binary.BigEndian.Uint16(b) {
	case version2:
		return parse(b[2:], binary.BigEndian, false)
	case version1:
		if k, err := parse(b[2:], binary.LittleEndian, true); err == nil {
			return k, nil
		}
		return parse(b[2:], binary.BigEndian, true)
	}
	return nil, fmt.Errorf("%w: version %x", krberr.KeytabBadVNO, b[:2])
}

func parse(b []byte, order binary.ByteOrder, v1 bool) (*Keytab, error) {
	l, err := scan(b, order, v1)
	if err != nil {
		return nil, err
	}
	return &l.keytab, nil
}

// layout is a parsed file with what it takes to change it in place. Offsets
// count from behind the version.
type layout struct {
	keytab Keytab
	start  []int // of the record of each entry
	end    int   // where the next record goes
}

func scan(b []byte, order binary.ByteOrder, v1 bool) (*layout, error) {
	k, all := new(layout), len(b)
	for len(b) > 0 {
		k.end = all - len(b)
		if len(b) < 4 {
			return nil, fmt.Errorf("%w: record length %w", krberr.KTFormat, errShort)
		}
		n := int64(int32(order.Uint32(b)))
		b = b[4:]
		if n == 0 {
			// The end, whatever follows.
			break
		}
		hole := n < 0
		if hole {
			n = -n
		}
		if n > int64(len(b)) {
			return nil, fmt.Errorf("%w: record %w", krberr.KTFormat, errShort)
		}
		if !hole {
			e, err := parseEntry(b[:n], order, v1)
			if err != nil {
				return nil, err
			}
			k.keytab.entries = append(k.keytab.entries, e)
			k.start = append(k.start, k.end)
		}
		b = b[n:]
		k.end = all - len(b)
	}
	return k, nil
}

func parseEntry(b []byte, order binary.ByteOrder, v1 bool) (Entry, error) {
	if len(b) > maxRecord {
		return Entry{}, fmt.Errorf("%w: record too long", krberr.KTFormat)
	}
	r := reader{b: b, order: order}
	var e Entry
	count := int(r.uint16())
	if v1 {
		// The realm is one of the components there.
		count--
	}
	if count < 0 || count > principal.MaxComponents {
		return Entry{}, fmt.Errorf("%w: number of name components", krberr.KTFormat)
	}
	e.Principal.Type = principal.TypePrincipal
	e.Principal.Realm = string(r.data())
	e.Principal.Components = make([]string, count)
	for i := range e.Principal.Components {
		e.Principal.Components[i] = string(r.data())
	}
	if !v1 {
		e.Principal.Type = int32(r.uint32())
	}
	if s := r.uint32(); s != 0 {
		e.Timestamp = time.Unix(int64(s), 0).UTC()
	}
	e.Kvno = uint32(r.uint8())
	e.Key.Enctype = etype.ID(int16(r.uint16()))
	key := r.data()
	if r.err != nil {
		return Entry{}, fmt.Errorf("%w: entry %w", krberr.KTFormat, r.err)
	}
	e.Key.Value = secret.New(key)
	// What comes after the full kvno is for formats to come.
	if len(r.b) >= 4 {
		if v := r.uint32(); v != 0 {
			e.Kvno = v
		}
	}
	return e, nil
}

// reader takes fields off b. After its first error it gives zeros.
type reader struct {
	b     []byte
	order binary.ByteOrder
	err   error
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.err, r.b = errShort, nil
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
		return r.order.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return r.order.Uint32(b)
	}
	return 0
}

// data is a length of 16 bits and so many bytes.
func (r *reader) data() []byte { return r.bytes(int(r.uint16())) }

// Append appends the keytab in the format of version 2. Holes in the file it
// came from are gone.
func (k *Keytab) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, version2)
	for i := range k.entries {
		dst = k.entries[i].appendRecord(dst)
	}
	return dst
}

func (e *Entry) appendRecord(dst []byte) []byte {
	be := binary.BigEndian
	start := len(dst)
	dst = be.AppendUint32(dst, 0) // the length, below
	dst = be.AppendUint16(dst, uint16(len(e.Principal.Components)))
	dst = appendData(dst, e.Principal.Realm)
	for _, c := range e.Principal.Components {
		dst = appendData(dst, c)
	}
	dst = be.AppendUint32(dst, uint32(e.Principal.Type))
	dst = be.AppendUint32(dst, unix32(e.Timestamp))
	dst = append(dst, byte(e.Kvno))
	dst = be.AppendUint16(dst, uint16(e.Key.Enctype))
	dst = appendData(dst, e.Key.Value.Bytes())
	dst = be.AppendUint32(dst, e.Kvno)
	be.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

func appendData[T string | []byte](dst []byte, s T) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
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

// check reports whether the format, and parseEntry, can hold e.
func check(e Entry) error {
	n := 0
	for _, s := range append([]string{e.Principal.Realm}, e.Principal.Components...) {
		if len(s) > math.MaxUint16 {
			return fmt.Errorf("%w: name too long", krberr.KTFormat)
		}
		n += len(s)
	}
	switch {
	case n > principal.MaxBytes || len(e.Principal.Components) > principal.MaxComponents:
		return fmt.Errorf("%w: name too long", krberr.KTFormat)
	case len(e.Key.Value.Bytes()) > 1<<10:
		return fmt.Errorf("%w: key too long", krberr.KTFormat)
	case e.Key.Enctype != etype.ID(int16(e.Key.Enctype)):
		return fmt.Errorf("%w: enctype number", krberr.KTFormat)
	}
	return nil
}
