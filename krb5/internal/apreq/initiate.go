package apreq

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Request is what an AP-REQ says.
type Request struct {
	// Ticket is in DER, SessionKey its key and Client its client.
	Ticket     []byte
	SessionKey *enctype.Key
	Client     principal.Name
	// Time is the initiator's clock, to the microsecond.
	Time time.Time
	// Subkey and Seq are what the initiator contributes; see [enctype.GenerateKey]
	// and [NewSeq].
	Subkey   *enctype.Key
	Seq      uint32
	Mutual   bool
	Checksum *Checksum
	// UserToUser says that the ticket is encrypted in the session key of the
	// acceptor's ticket-granting ticket (RFC 4120 §3.7).
	UserToUser bool
	// Enctypes are those that the initiator can use, in order of preference:
	// what it likes better than the session key's is offered to the acceptor
	// (RFC 4537). Only with Mutual, as the answer is in the AP-REP.
	Enctypes []etype.ID
	// BindingsAware says that the initiator knows about channel bindings, so
	// that their absence means that there is no channel (MS-KILE §3.2.5.8).
	BindingsAware bool
}

// Append appends the AP-REQ message to dst.
func (r *Request) Append(dst []byte) ([]byte, error) {
	sum, err := r.Checksum.Append(nil)
	if err != nil {
		return nil, err
	}
	subkey := r.Subkey.Bytes()
	auth := wire.Authenticator{
		Client:   r.Client,
		Checksum: &wire.Checksum{Type: ChecksumType, Sum: sum},
		Time:     r.Time,
		Subkey:   &wire.EncryptionKey{Etype: r.Subkey.Enctype(), Value: subkey},
		Seq:      r.Seq,
		HasSeq:   true,
	}
	if ad := r.authzData(); len(ad) > 0 {
		auth.AuthzData = []wire.AuthzDatum{{Type: adIfRelevant, Data: wire.AppendAuthzData(nil, ad)}}
	}
	plain := auth.Append(nil)
	cipher, err := r.SessionKey.Encrypt(nil, plain, usageAPReqAuth)
	clear(plain)
	clear(subkey)
	if err != nil {
		return nil, fail(gsserr.ErrFailure, err)
	}
	req := wire.APReq{
		Ticket:        wire.Ticket{Raw: r.Ticket},
		Authenticator: wire.EncryptedData{Etype: r.SessionKey.Enctype(), Cipher: cipher},
	}
	if r.Mutual {
		req.Options |= OptMutualRequired
	}
	if r.UserToUser {
		req.Options |= OptUseSessionKey
	}
	return req.Append(dst), nil
}

// authzData returns what the initiator has to say about its request.
func (r *Request) authzData() []wire.AuthzDatum {
	var ad []wire.AuthzDatum
	if list := better(r.Enctypes, r.SessionKey.Enctype()); r.Mutual && list != nil {
		ad = append(ad, wire.AuthzDatum{Type: adEtypeNegotiation, Data: wire.AppendETypeList(nil, list)})
	}
	if r.BindingsAware {
		ad = append(ad, wire.AuthzDatum{Type: adAPOptions, Data: binary.LittleEndian.AppendUint32(nil, apOptionsCBT)})
	}
	return ad
}

// better returns the types up to and including the session key's, nil if that
// one comes first: then there is nothing to negotiate.
func better(list []etype.ID, session etype.ID) []etype.ID {
	switch i := slices.Index(list, session); {
	case i == 0 || len(list) == 0:
		return nil
	case i > 0:
		return list[:i+1]
	}
	return list
}

// NewSeq returns a random initial sequence number. It is not zero, which old
// peers take for absent, and below 2³⁰, as old peers read it with a sign.
func NewSeq() uint32 {
	var b [4]byte
	for {
		_, _ = rand.Read(b[:]) // never fails
		if n := binary.BigEndian.Uint32(b[:]) & 0x3fffffff; n != 0 {
			return n
		}
	}
}

// Reply is what an AP-REP says.
type Reply struct {
	// Time must be the authenticator's, exactly; in the third leg of DCE style
	// it is the initiator's clock.
	Time time.Time
	// Subkey is the acceptor's, nil for none. Seq is 0 if there is none.
	Subkey *enctype.Key
	Seq    uint32
}

// Append appends the AP-REP message, encrypted in the session key, to dst.
func (r *Reply) Append(dst []byte, session *enctype.Key) ([]byte, error) {
	part := wire.EncAPRepPart{Time: r.Time, Seq: r.Seq, HasSeq: true}
	if r.Subkey != nil {
		part.Subkey = &wire.EncryptionKey{Etype: r.Subkey.Enctype(), Value: r.Subkey.Bytes()}
	}
	plain := part.Append(nil)
	cipher, err := session.Encrypt(nil, plain, usageAPRep)
	clear(plain)
	if part.Subkey != nil {
		clear(part.Subkey.Value)
	}
	if err != nil {
		return nil, fail(gsserr.ErrFailure, err)
	}
	rep := wire.APRep{Enc: wire.EncryptedData{Etype: session.Enctype(), Cipher: cipher}}
	return rep.Append(dst), nil
}

// OpenReply decrypts an AP-REP message. The caller compares Time, as who must
// have sent it depends on the leg.
func OpenReply(msg []byte, session *enctype.Key) (*Reply, error) {
	rep, err := wire.ParseAPRep(msg)
	if err != nil {
		return nil, fail(gsserr.ErrDefectiveToken, err)
	}
	if rep.Enc.Etype != session.Enctype() {
		return nil, fail(gsserr.ErrFailure, fmt.Errorf("AP-REP: %w", krberr.APBadIntegrity))
	}
	plain, err := session.Decrypt(nil, rep.Enc.Cipher, usageAPRep)
	if err != nil {
		return nil, fail(gsserr.ErrFailure, fmt.Errorf("AP-REP: %w", err))
	}
	part, err := wire.ParseEncAPRepPart(plain)
	if err != nil {
		return nil, fail(gsserr.ErrDefectiveToken, err)
	}
	r := &Reply{Time: part.Time, Seq: part.Seq}
	if part.Subkey != nil {
		if r.Subkey, err = takeKey(part.Subkey); err != nil {
			return nil, fail(gsserr.ErrFailure, fmt.Errorf("acceptor subkey: %w", err))
		}
	}
	return r, nil
}
