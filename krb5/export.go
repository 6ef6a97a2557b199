package krb5

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/crypto/cryptobyte"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/cfx"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/seq"
	"github.com/gss-go/gssapi/krb5/internal/v1"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// exportMagic opens an exported context. The digit is the version: a context
// moves between processes of one release, not between implementations, whose
// formats are their own and change.
const exportMagic = "gss-go krb5 context 1\n"

var (
	_ mech.Exporter        = (*secContext)(nil)
	_ mech.ContextImporter = (*Mechanism)(nil)
)

// Export implements [mech.Exporter]: keys, names, sequence numbers and the
// window of an established context, which ends here.
func (c *secContext) Export() ([]byte, error) {
	const op = "export_sec_context"
	h, ok := c.holds()
	if !ok {
		return nil, fail(op, gsserr.ErrNoContext, nil)
	}
	p, ok := c.prot.State()
	if !ok {
		return nil, fail(op, gsserr.ErrNoContext, nil)
	}
	b := cryptobyte.NewBuilder([]byte(exportMagic))
	flag(b, p.Initiator)
	text(b, string(c.mechOID.DER()))
	b.AddUint32(uint32(c.flags))
	b.AddUint32(c.ticketFlags)
	moment(b, c.expires)
	moment(b, c.authTime)
	b.AddUint32(c.recvSeq)
	for _, n := range []*name{c.client, c.server, c.target} {
		kept := n != nil
		if flag(b, kept); kept {
			b.AddUint32(uint32(n.kind))
			b.AddUint32(uint32(n.p.Type))
			for _, s := range []string{n.p.String(), n.service, n.host, n.uid} {
				text(b, s)
			}
		}
	}
	for _, k := range []*enctype.Key{h.session, p.Key, p.AcceptorSubkey} {
		value := k.Bytes()
		b.AddUint32(uint32(k.Enctype()))
		text(b, string(value))
		clear(value)
	}
	b.AddUint64(p.SendSeq)
	b.AddBytes(p.Window.Append(nil))
	for _, list := range [][]wire.AuthzDatum{h.authz, h.claims} {
		text(b, string(wire.AppendAuthzData(nil, list)))
	}
	out, err := b.Bytes()
	if err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	return out, c.Close()
}

func flag(b *cryptobyte.Builder, v bool) {
	var n uint8
	if v {
		n = 1
	}
	b.AddUint8(n)
}

func text(b *cryptobyte.Builder, s string) {
	b.AddUint32LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func moment(b *cryptobyte.Builder, t time.Time) {
	if t.IsZero() {
		b.AddUint64(0)
		return
	}
	b.AddUint64(uint64(t.Unix()))
}

// importer reads what Export wrote; the first field that is wrong ends it.
type importer struct {
	s   cryptobyte.String
	bad bool
}

func (i *importer) ok(v bool) { i.bad = i.bad || !v }

func (i *importer) flag() bool {
	var v uint8
	i.ok(i.s.ReadUint8(&v) && v < 2)
	return v == 1
}

func (i *importer) u32() (v uint32) {
	i.ok(i.s.ReadUint32(&v))
	return v
}

func (i *importer) u64() (v uint64) {
	i.ok(i.s.ReadUint64(&v))
	return v
}

func (i *importer) text() []byte {
	n := i.u32()
	var v []byte
	i.ok(uint64(n) <= uint64(len(i.s)) && i.s.ReadBytes(&v, int(n)))
	return v
}

func (i *importer) moment() time.Time {
	v := i.u64()
	if v == 0 {
		return time.Time{}
	}
	i.ok(v < 1<<40)
	return time.Unix(int64(v&(1<<40-1)), 0)
}

func (i *importer) key() *enctype.Key {
	id, value := etype.ID(i.u32()), i.text()
	if id == 0 {
		i.ok(len(value) == 0)
		return nil
	}
	k, err := enctype.NewKey(id, value)
	clear(value)
	i.ok(err == nil)
	return k
}

func (i *importer) name(m *Mechanism) *name {
	if !i.flag() {
		return nil
	}
	k, typ, p := i.u32(), int32(i.u32()), string(i.text())
	i.ok(k <= uint32(kindUID) && (p != "" || typ == 0))
	n := &name{m: m, kind: kind(k)}
	n.service, n.host, n.uid = string(i.text()), string(i.text()), string(i.text())
	if p != "" {
		var err error
		n.p, err = principal.Parse(p)
		n.p.Type = typ
		i.ok(err == nil && n.p.String() == p)
	}
	return n
}

func (i *importer) authz() []wire.AuthzDatum {
	list, err := wire.ParseAuthzData(i.text())
	i.ok(err == nil)
	return list
}

// ImportContext implements [mech.ContextImporter]. The token is not to be
// imported twice: two contexts would use the same numbers.
func (m *Mechanism) ImportContext(token []byte) (mech.Context, error) {
	const op = "import_sec_context"
	defective := fail(op, gsserr.ErrDefectiveToken, fmt.Errorf("%w: exported context", krberr.GSSBadLength))
	if len(token) < len(exportMagic) || string(token[:len(exportMagic)]) != exportMagic {
		return nil, defective
	}
	// The bytes are copied: keys in them are wiped as they are read.
	in := &importer{s: append([]byte(nil), token[len(exportMagic):]...)}
	initiates := in.flag()
	i, a := new(initiator), new(acceptor)
	c := &a.secContext
	if initiates {
		c = &i.secContext
	}
	c.m = m
	var err error
	c.mechOID, err = oid.FromDER(in.text())
	in.ok(err == nil)
	c.flags, c.ticketFlags = mech.Flags(in.u32()), in.u32()
	c.expires, c.authTime = in.moment(), in.moment()
	c.recvSeq = in.u32()
	c.client, c.server, c.target = in.name(m), in.name(m), in.name(m)
	in.ok(c.client != nil && c.server != nil && initiates == (c.target != nil))
	c.session = in.key()
	p := cfx.Params{Initiator: initiates, Key: in.key(), AcceptorSubkey: in.key(), SendSeq: in.u64()}
	var window []byte
	in.ok(in.s.ReadBytes(&window, seq.EncodedSize))
	w, ok := seq.Parse(window)
	in.ok(ok)
	p.Window, p.DCE = &w, c.flags.Has(mech.FlagDCEStyle)
	c.authz, c.claims = in.authz(), in.authz()
	if in.bad || !in.s.Empty() || p.Key == nil || c.session == nil {
		return nil, defective
	}
	if v1.Handles(messageKey(p).Enctype()) && p.SendSeq > math.MaxUint32 {
		return nil, defective
	}
	c.enctype = messageKey(p).Enctype().String()
	c.prot, c.state = newProtection(c.mechOID, p), stateEstablished
	if initiates {
		return i, nil
	}
	return a, nil
}
