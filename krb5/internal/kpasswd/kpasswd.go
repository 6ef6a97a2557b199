// Package kpasswd is the client's side of the password service (RFC 3244).
package kpasswd

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

const (
	versionChange = 1      // of a request that changes the caller's own password, and of replies
	versionSet    = 0xff80 // RFC 3244 §2: replies to such requests may have it too

	usageAPReqAuth = 11 // RFC 4120 §7.5.1
	usagePriv      = 13

	// MaxPassword is the longest password that is sent.
	MaxPassword = 4096
)

// Client changes passwords. It is safe for concurrent use as long as its fields
// do not change.
type Client struct {
	// Config is the configuration, never nil.
	Config *conf.Config
	// Exchanger carries the messages, never nil.
	Exchanger kdcnet.Exchanger
	// Now is the clock, never nil.
	Now func() time.Time
}

// Change gives the client of a ticket for kadmin/changepw a new password. offset
// is the clock of the KDC minus ours. A service that does not want the password
// is a *Refusal.
func (c *Client) Change(ctx context.Context, ticket *ccache.Credential, password []byte, offset time.Duration) error {
	if len(password) > MaxPassword {
		return fmt.Errorf("%w: a password of %d bytes", krberr.KRBFieldTooLong, len(password))
	}
	x, err := newExchange(ticket, c.Now().Add(offset))
	if err != nil {
		return err
	}
	defer x.subkey.Clear()
	request, err := x.request(ticket, password)
	if err != nil {
		return err
	}
	defer clear(request)
	reply, err := c.Exchanger.Exchange(ctx, &kdcnet.Request{
		Realm:   ticket.Server.Realm,
		Service: kdcnet.Password,
		Message: request,
		Config:  c.Config,
	})
	if err != nil {
		return err
	}
	return x.reply(reply)
}

// exchange is what a reply is held against.
type exchange struct {
	session, subkey *enctype.Key
	now             time.Time // the authenticator's
	seq             uint32
	sent            []byte // the ciphertext of our KRB-PRIV
}

func newExchange(ticket *ccache.Credential, now time.Time) (*exchange, error) {
	session, err := enctype.NewKey(ticket.Key.Enctype, ticket.Key.Value.Bytes())
	if err != nil {
		return nil, err
	}
	subkey, err := enctype.GenerateKey(ticket.Key.Enctype)
	if err != nil {
		return nil, err
	}
	return &exchange{session: session, subkey: subkey, now: now.UTC().Truncate(time.Microsecond), seq: apreq.NewSeq()}, nil
}

// request builds the message of RFC 3244 §2.
func (x *exchange) request(ticket *ccache.Credential, password []byte) ([]byte, error) {
	value := x.subkey.Bytes()
	defer clear(value)
	auth := wire.Authenticator{
		Client: ticket.Client,
		Time:   x.now,
		Subkey: &wire.EncryptionKey{Etype: x.subkey.Enctype(), Value: value},
		Seq:    x.seq,
		HasSeq: true,
	}
	plain := auth.Append(nil)
	defer clear(plain)
	cipher, err := x.session.Encrypt(nil, plain, usageAPReqAuth)
	if err != nil {
		return nil, err
	}
	req := wire.APReq{
		Options:       wire.APMutualRequired,
		Ticket:        wire.Ticket{Raw: ticket.Ticket},
		Authenticator: wire.EncryptedData{Etype: x.session.Enctype(), Cipher: cipher},
	}
	priv, err := x.seal(password)
	if err != nil {
		return nil, err
	}
	return frame(versionChange, req.Append(nil), priv)
}

// seal puts user data into a KRB-PRIV. Its sequence number binds it to the
// authenticator. The sender's address, which must be there, is not known before
// the message goes out, and behind a translator it would be wrong.
func (x *exchange) seal(data []byte) ([]byte, error) {
	part := wire.EncKrbPrivPart{
		UserData: data,
		Seq:      x.seq, HasSeq: true,
		SAddress: &wire.HostAddress{Type: wire.AddrIPv4, Addr: make([]byte, 4)},
	}
	plain := part.Append(nil)
	defer clear(plain)
	cipher, err := x.subkey.Encrypt(nil, plain, usagePriv)
	if err != nil {
		return nil, err
	}
	x.sent = cipher
	return (&wire.KRBPriv{Enc: wire.EncryptedData{Etype: x.subkey.Enctype(), Cipher: cipher}}).Append(nil), nil
}

// frame puts the lengths in front.
func frame(version uint16, ap, rest []byte) ([]byte, error) {
	size := 6 + len(ap) + len(rest)
	if size > 0xffff {
		return nil, fmt.Errorf("%w: a request of %d bytes", krberr.KRBFieldTooLong, size)
	}
	b := binary.BigEndian.AppendUint16(make([]byte, 0, size), uint16(size))
	b = binary.BigEndian.AppendUint16(b, version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(ap)))
	return append(append(b, ap...), rest...), nil
}

// unframe is frame's inverse.
func unframe(b []byte) (ap, rest []byte, err error) {
	if len(b) < 6 || int(binary.BigEndian.Uint16(b)) != len(b) {
		return nil, nil, fmt.Errorf("%w: the length in front", wire.ErrSyntax)
	}
	if v := binary.BigEndian.Uint16(b[2:]); v != versionChange && v != versionSet {
		return nil, nil, fmt.Errorf("%w: %#x of the password protocol", krberr.APBadVersion, v)
	}
	size := int(binary.BigEndian.Uint16(b[4:]))
	if b = b[6:]; size > len(b) {
		return nil, nil, fmt.Errorf("%w: the length of the AP-REP", wire.ErrSyntax)
	}
	return b[:size], b[size:], nil
}

// reply checks the service's answer: nil if the password is changed.
func (x *exchange) reply(b []byte) error {
	if t, ok := wire.TypeOf(b); ok && t == wire.MsgError {
		return refusedBy(b)
	}
	ap, rest, err := unframe(b)
	if err != nil {
		return fmt.Errorf("reply of the password service: %w", err)
	}
	if len(ap) == 0 {
		return refusedBy(rest)
	}
	rep, err := apreq.OpenReply(ap, x.session)
	if err != nil {
		return err
	}
	if !rep.Time.Equal(x.now) {
		return fmt.Errorf("%w: the password service's reply is to another request", krberr.MutualFailed)
	}
	data, err := x.open(rest, rep.Subkey)
	if err != nil {
		return err
	}
	return result(data, true)
}

// open opens a KRB-PRIV of the service. Some encrypt it with the subkey of their
// own AP-REP.
func (x *exchange) open(b []byte, theirs *enctype.Key) ([]byte, error) {
	priv, err := wire.ParseKRBPriv(b)
	if err != nil {
		return nil, fmt.Errorf("reply of the password service: %w", err)
	}
	err = krberr.APBadIntegrity
	if hmac.Equal(priv.Enc.Cipher, x.sent) {
		// Both directions have one key and usage: this is ours, sent back.
		return nil, fmt.Errorf("reply of the password service: %w", err)
	}
	for _, key := range []*enctype.Key{x.subkey, theirs} {
		if key == nil || key.Enctype() != priv.Enc.Etype {
			continue
		}
		var plain []byte
		if plain, err = key.Decrypt(nil, priv.Enc.Cipher, usagePriv); err != nil {
			continue
		}
		part, err := wire.ParseEncKrbPrivPart(plain)
		if err != nil {
			return nil, fmt.Errorf("reply of the password service: %w", err)
		}
		return part.UserData, nil
	}
	return nil, fmt.Errorf("reply of the password service: %w", err)
}

// refusedBy reads a KRB-ERROR, which nothing protects: its e-data is a result.
func refusedBy(b []byte) error {
	e, err := wire.ParseKRBError(b)
	if err != nil {
		return fmt.Errorf("reply of the password service: %w", err)
	}
	code := krberr.FromRFC(e.Code)
	var r *Refusal
	if err := result(e.Data, false); errors.As(err, &r) {
		return fmt.Errorf("%w: %w", code, r)
	}
	return fmt.Errorf("password service: %w", code)
}
