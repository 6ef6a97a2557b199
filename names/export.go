package names

import (
	"encoding/binary"
	"errors"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Token identifiers of exported names.
const (
	tokenExport    = 0x0401 // RFC 2743 §3.2
	tokenComposite = 0x0402 // RFC 6680 §7.3
)

// exportHeader is the identifier and the length of the OID.
const exportHeader = 4

var errFrame = errors.New("malformed exported name")

// Export returns the exported name (RFC 2743 §2.4.15): the same bytes for the
// same entity, forever. Only an MN has one, other names are ErrNameNotMN.
func (n Name) Export() ([]byte, error) {
	const op = "export_name"
	if n.mn == nil {
		return nil, n.notMN(op)
	}
	name, err := n.mn.Export()
	if err != nil {
		return nil, fail(op, 0, err)
	}
	return n.frame(op, tokenExport, appendPart(nil, name))
}

// ExportComposite returns the exported name with its attributes (RFC 6680
// §7.8). Only an MN has one, other names are ErrNameNotMN. What the attributes
// look like is a matter of the mechanism; a mechanism without any writes none.
func (n Name) ExportComposite() ([]byte, error) {
	const op = "export_name_composite"
	if n.mn == nil {
		return nil, n.notMN(op)
	}
	var parts []byte
	var err error
	if a, ok := n.mn.(mech.AttributedName); ok {
		parts, err = a.ExportComposite()
	} else if parts, err = n.mn.Export(); err == nil {
		parts = appendPart(appendPart(nil, parts), nil)
	}
	if err != nil {
		return nil, fail(op, 0, err)
	}
	return n.frame(op, tokenComposite, parts)
}

// Key returns the exported name as a string. It is what maps and access lists
// should hold: equal keys are the same entity, of the same mechanism. Only an MN
// has one, other names are ErrNameNotMN.
func (n Name) Key() (string, error) {
	b, err := n.Export()
	return string(b), err
}

// notMN is the error for a name without a mechanism.
func (n Name) notMN(op string) error {
	if n.IsZero() {
		return fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	}
	return fail(op, gsserr.ErrNameNotMN, nil)
}

// frame puts the identifier and the mechanism before the parts of a name.
func (n Name) frame(op string, token uint16, parts []byte) ([]byte, error) {
	id := n.mn.Mech().AppendDER(nil)
	out := make([]byte, 0, exportHeader+len(id)+len(parts))
	out = binary.BigEndian.AppendUint16(out, token)
	out = binary.BigEndian.AppendUint16(out, uint16(len(id)))
	out = append(append(out, id...), parts...)
	if len(out) > MaxName {
		return nil, fail(op, gsserr.ErrBadName, errTooLong)
	}
	return out, nil
}

// appendPart appends a part of an exported name: its length and the bytes.
func appendPart(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}

// ImportExported returns the MN that an exported name denotes, plain (RFC 2743
// §3.2) or composite (RFC 6680 §7.3). The mechanism must be in r; a nil r is
// empty. Attributes of a composite name that the mechanism cannot read are left
// out.
//
// Errors are ErrDefectiveToken for a malformed token, trailing bytes included,
// ErrBadMech for a mechanism that is not registered, and those of the mechanism.
func ImportExported(b []byte, r *mech.Registry) (Name, error) {
	const op = "import_name"
	token, id, parts, err := parseExported(b)
	if err != nil {
		return Name{}, fail(op, gsserr.ErrDefectiveToken, err)
	}
	m, err := r.Lookup(id)
	if err != nil {
		return Name{}, fail(op, gsserr.ErrBadMech, nil)
	}
	name, rest, ok := cutPart(parts)
	var mn mech.Name
	switch {
	case !ok:
		return Name{}, fail(op, gsserr.ErrDefectiveToken, errFrame)
	case token == tokenExport:
		if len(rest) != 0 {
			return Name{}, fail(op, gsserr.ErrDefectiveToken, errFrame)
		}
		mn, err = m.ImportName(name, oid.NTExportName)
	default:
		if _, rest, ok = cutPart(rest); !ok || len(rest) != 0 {
			return Name{}, fail(op, gsserr.ErrDefectiveToken, errFrame)
		}
		mn, err = m.ImportName(parts, oid.NTCompositeExport)
		if errors.Is(err, gsserr.ErrBadNameType) {
			mn, err = m.ImportName(name, oid.NTExportName)
		}
	}
	if err != nil {
		return Name{}, fail(op, 0, err)
	}
	return Name{mn: mn, mech: m}, nil
}

// parseExported takes the frame off an exported name.
func parseExported(b []byte) (token uint16, id oid.OID, parts []byte, err error) {
	if len(b) < exportHeader || len(b) > MaxName {
		return 0, id, nil, errFrame
	}
	token = binary.BigEndian.Uint16(b)
	n := int(binary.BigEndian.Uint16(b[2:]))
	if token != tokenExport && token != tokenComposite || n > len(b)-exportHeader {
		return 0, id, nil, errFrame
	}
	der, parts := b[exportHeader:exportHeader+n], b[exportHeader+n:]
	id, err = parseOID(der)
	return token, id, parts, err
}

// parseOID reads an OID with tag and length, and nothing after it.
func parseOID(der []byte) (oid.OID, error) {
	for _, head := range []int{2, 3, 4} { // the forms of a DER length below 64 KiB
		if len(der) <= head {
			break
		}
		id, err := oid.FromDER(der[head:])
		if err == nil && string(id.AppendDER(nil)) == string(der) {
			return id, nil
		}
	}
	return oid.OID{}, errFrame
}

// cutPart takes a part with its length off b.
func cutPart(b []byte) (part, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n], b[4+n:], true
}
