package krb5

import (
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
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
	// Key is the initiator's subkey, or the session key if there was none.
	Key Key
	// AcceptorSubkey protects messages if HaveAcceptorSubkey is set. All
	// contexts use the tokens of RFC 4121.
	AcceptorSubkey     Key
	HaveAcceptorSubkey bool
}

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
	p, ok := s.prot.State()
	if !ok {
		return nil, fail(op, gsserr.ErrNoContext, nil)
	}
	l := &LucidV1{
		Initiator: p.Initiator, Expires: s.expires,
		SendSeq: p.SendSeq, RecvSeq: uint64(s.recvSeq), Key: export(p.Key),
	}
	if p.AcceptorSubkey != nil {
		l.AcceptorSubkey, l.HaveAcceptorSubkey = export(p.AcceptorSubkey), true
	}
	return l, c.Close()
}
