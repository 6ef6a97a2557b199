package krb5

import (
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/v1"
)

// LucidV1 is a context in the open, for protocols that protect messages in the
// kernel or in hardware: version 1 of MIT's gss_krb5_lucid_context.
type LucidV1 struct {
	// Initiator says whose side it was, Expires when it ends.
	Initiator bool
	Expires   time.Time
	// SendSeq is the number of the next message to send, RecvSeq of the first
	// that the peer sent.
	SendSeq, RecvSeq uint64
	// Protocol is 1 for the tokens of RFC 4121 and 0 for those of RFC 1964.
	Protocol int
	// Key is, with protocol 1, the initiator's subkey, or the session key if
	// there was none. With protocol 0 it is the key that protects messages,
	// whose type is then 23 (RC4) or 6 (Triple-DES without anything around it).
	Key Key
	// AcceptorSubkey, with protocol 1, protects messages if HaveAcceptorSubkey
	// is set.
	AcceptorSubkey     Key
	HaveAcceptorSubkey bool
	// SignAlg and SealAlg, with protocol 0, are the algorithms in the tokens:
	// 0x0011 and 0x0010 with RC4, 4 and 2 with Triple-DES.
	SignAlg, SealAlg int
}

// des3Raw is the type under which a Triple-DES key is exported.
const des3Raw Enctype = 6

// ExportLucid returns the keys and numbers of an established context and closes
// it, so that no number is used twice.
func ExportLucid(c interface {
	Established
	Close() error
}) (*LucidV1, error) {
	const op = "krb5_export_lucid_sec_context"
	s, err := of(op, c)
	if err != nil {
		return nil, err
	}
	prot := s.prot
	p, ok := prot.State()
	if !ok {
		return nil, fail(op, gsserr.ErrNoContext, nil)
	}
	l := &LucidV1{
		Initiator: p.Initiator, Expires: s.expires,
		SendSeq: p.SendSeq, RecvSeq: uint64(s.recvSeq), Protocol: 1, Key: export(p.Key),
	}
	if p.AcceptorSubkey != nil {
		l.AcceptorSubkey, l.HaveAcceptorSubkey = export(p.AcceptorSubkey), true
	}
	if _, old := prot.(older); old {
		l.older()
	}
	err = c.Close()
	// What was sent until then counts: no number is used twice.
	last, _ := prot.State()
	l.SendSeq = last.SendSeq
	return l, err
}

// older makes of l what it is with protocol 0.
func (l *LucidV1) older() {
	if l.HaveAcceptorSubkey {
		l.Key = l.AcceptorSubkey
	}
	l.AcceptorSubkey, l.HaveAcceptorSubkey = Key{}, false
	sign, seal := v1.Algorithms(l.Key.Enctype)
	l.Protocol, l.SignAlg, l.SealAlg = 0, int(sign), int(seal)
	if l.Key.Enctype == DES3SHA1 {
		l.Key.Enctype = des3Raw
	}
}
