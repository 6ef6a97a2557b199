package creds

import (
	"encoding/binary"
	"errors"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// maxExport is the size in bytes above which an exported credential is refused.
const maxExport = 4 << 20

var errFrame = errors.New("malformed exported credential")

// Export returns the credential in a form that [Import] reads, possibly in
// another process (gss_export_cred): for each element the length of its
// mechanism's OID, the OID, the length of a token and the token. The result
// holds secrets in the open: protect it, and never log it. The list of
// WithNegMechs is not in it. A mechanism that cannot export is ErrUnavailable.
func (c *Cred) Export() ([]byte, error) {
	const op = "export_cred"
	s, err := c.state(op)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, e := range s.elems {
		x, ok := e.(mech.Exporter)
		if !ok {
			return nil, fail(op, gsserr.ErrUnavailable, nil)
		}
		token, err := x.Export()
		if err != nil {
			return nil, fail(op, 0, err)
		}
		out = appendPart(appendPart(out, e.Mech().DER()), token)
	}
	return out, nil
}

// Import returns the credential that [Cred.Export], or another implementation's
// gss_export_cred, wrote. Its mechanisms must be in r.
//
// Errors are ErrDefectiveToken for a malformed token, trailing bytes included,
// ErrBadMech for a nil r or a mechanism that is not in it, ErrUnavailable for one
// that cannot import, and those of the mechanisms.
func Import(token []byte, r *mech.Registry) (*Cred, error) {
	const op = "import_cred"
	if r == nil {
		return nil, fail(op, gsserr.ErrBadMech, errNoRegistry)
	}
	if len(token) == 0 || len(token) > maxExport {
		return nil, fail(op, gsserr.ErrDefectiveToken, errFrame)
	}
	s := &state{reg: r}
	for rest := token; len(rest) > 0; {
		var der, part []byte
		var ok bool
		if der, rest, ok = cutPart(rest); ok {
			part, rest, ok = cutPart(rest)
		}
		id, err := oid.FromDER(der)
		if !ok || err != nil {
			return nil, fail(op, gsserr.ErrDefectiveToken, errFrame)
		}
		m, err := r.Lookup(id)
		if err != nil {
			return nil, fail(op, gsserr.ErrBadMech, nil)
		}
		if s.find(id) >= 0 {
			return nil, fail(op, gsserr.ErrDefectiveToken, errFrame)
		}
		i, ok := m.(mech.CredImporter)
		if !ok {
			return nil, fail(op, gsserr.ErrUnavailable, nil)
		}
		e, err := i.ImportCred(part)
		if err != nil {
			return nil, fail(op, 0, err)
		}
		s.elems = append(s.elems, e)
	}
	return &Cred{s}, nil
}

// appendPart appends a length and the bytes.
func appendPart(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
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
