package cfx

import (
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/layout"
	"github.com/gss-go/gssapi/mech"
)

// Messages in pieces have the tokens of messages in one. Their parts, in the
// order in which they are encrypted or signed, are
//
//	confounder | data … | EC bytes | copy of the header | MAC
//
// Without a trailer its parts go to the end of the header, which RRC makes up
// for, so that the confounder stays next to the data:
//
//	header | EC bytes | copy of the header | MAC | confounder | data …
//
// In DCE style EC is one block, and RRC is told without it, since Windows rotates
// by the sum of both.

var (
	_ mech.IOVProtector = (*Context)(nil)
	_ mech.IOVSigner    = (*Context)(nil)
)

// shape is how the parts of a token are divided.
type shape struct {
	header, trailer int // lengths; trailer is 0 without one
	ec, rrc         int
	mac             int
}

// shapeOf returns the shape of a token. ec is that of a sealed one.
func shapeOf(id etype.ID, sealed, trailer, dce bool, ec int) shape {
	s := shape{header: headerLen}
	behind := 0 // what goes to the trailer
	if sealed {
		s.header += enctype.ConfounderSize
		s.ec, s.mac = ec, enctype.Overhead(id)-enctype.ConfounderSize
		behind = s.ec + headerLen + s.mac
		s.rrc = behind
		if dce {
			s.rrc -= s.ec
		}
	} else {
		s.mac = enctype.ChecksumSize(id)
		s.ec, s.rrc, behind = s.mac, s.mac, s.mac
	}
	if trailer {
		s.trailer, s.rrc = behind, 0
	} else {
		s.header += behind
	}
	return s
}

// split returns the parts of a token of the shape s. Those that it does not have
// are nil.
func split(l *layout.Buffers, s shape, sealed bool) (confounder, tail, mac []byte) {
	behind := l.Header.Bytes[headerLen:]
	if l.Trailer != nil {
		confounder, behind = behind, l.Trailer.Bytes
	} else if sealed {
		n := len(behind) - enctype.ConfounderSize
		behind, confounder = behind[:n], behind[n:]
	}
	n := len(behind) - s.mac
	return confounder, behind[:n], behind[n:]
}
