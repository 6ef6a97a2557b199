package ccache

import (
	"encoding/binary"
	"slices"
	"time"
)

// Contents is all that is in a cache. It is not safe for concurrent use while
// someone changes it.
type Contents struct {
	// Principal is whose cache it is.
	Principal Principal
	// Entries are tickets and configuration entries in the order in which they
	// were stored.
	Entries []Credential
	// Header has the fields of the file's header, known ones and others.
	Header []HeaderField
}

// HeaderField is a tagged field in the header of a version 4 file.
type HeaderField struct {
	Tag  uint16
	Data []byte
}

// tagTimeOffset is the field with the difference between the clocks of the KDC
// and the client: seconds and microseconds, 32 bits each.
const tagTimeOffset = 1

// Credentials returns the entries that are tickets.
func (c *Contents) Credentials() []Credential {
	return slices.DeleteFunc(slices.Clone(c.Entries), func(e Credential) bool { return e.IsConf() })
}

// Config returns the value of a configuration entry and whether there is one: the
// one for the whole cache if p is nil, else the one for p. The value must not be
// modified.
func (c *Contents) Config(key string, p *Principal) ([]byte, bool) {
	want := ConfEntry(c.Principal, key, p, nil)
	for i := range c.Entries {
		if c.Entries[i].Server.Equal(want.Server) {
			return c.Entries[i].Ticket, true
		}
	}
	return nil, false
}

// SetConfig sets the value of a configuration entry; nil removes it.
func (c *Contents) SetConfig(key string, p *Principal, value []byte) {
	e := ConfEntry(c.Principal, key, p, value)
	if value != nil {
		c.store(e)
		return
	}
	c.remove(e.Server)
}

// KDCOffset returns how far the KDC's clock is ahead of ours, as it was when the
// tickets were got, and whether that is known.
func (c *Contents) KDCOffset() (time.Duration, bool) {
	for _, f := range c.Header {
		if f.Tag == tagTimeOffset && len(f.Data) == 8 {
			sec := int32(binary.BigEndian.Uint32(f.Data))
			usec := int32(binary.BigEndian.Uint32(f.Data[4:]))
			return time.Duration(sec)*time.Second + time.Duration(usec)*time.Microsecond, true
		}
	}
	return 0, false
}

// SetKDCOffset sets what [Contents.KDCOffset] returns, in microseconds. Offsets
// beyond 2³¹ seconds are cut to that.
func (c *Contents) SetKDCOffset(d time.Duration) {
	const limit = 1<<31 - 1
	sec := int32(min(max(d/time.Second, -limit), limit))
	usec := int32(d % time.Second / time.Microsecond)
	data := binary.BigEndian.AppendUint32(nil, uint32(sec))
	data = binary.BigEndian.AppendUint32(data, uint32(usec))
	c.Header = slices.DeleteFunc(slices.Clone(c.Header), func(f HeaderField) bool { return f.Tag == tagTimeOffset })
	c.Header = append(c.Header, HeaderField{tagTimeOffset, data})
}

// store appends entries. A configuration entry replaces the one before it.
func (c *Contents) store(entries ...Credential) {
	for _, e := range entries {
		if e.IsConf() {
			c.remove(e.Server)
		}
		c.Entries = append(c.Entries, e)
	}
}

// clone returns a copy that shares nothing that its methods change.
func (c *Contents) clone() *Contents {
	return &Contents{Principal: c.Principal, Entries: slices.Clone(c.Entries), Header: slices.Clone(c.Header)}
}

// has reports whether there is an entry for the server.
func (c *Contents) has(server Principal) bool {
	return slices.ContainsFunc(c.Entries, func(e Credential) bool { return e.Server.Equal(server) })
}

func (c *Contents) remove(server Principal) {
	c.Entries = slices.DeleteFunc(slices.Clone(c.Entries), func(e Credential) bool { return e.Server.Equal(server) })
}
