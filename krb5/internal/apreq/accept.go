package apreq

import (
	"context"
	"fmt"
	"slices"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/rcache"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Acceptor is what a service verifies AP-REQs with.
type Acceptor struct {
	Service Service
	Now     time.Time
	Skew    time.Duration
	Replay  rcache.Cache
	// Enctypes are permitted, in order of preference.
	Enctypes []etype.ID
	// UserToUser says that the keys are session keys of ticket-granting tickets
	// (RFC 4120 §3.7). Then only requests that say so are accepted, and
	// otherwise only requests that do not.
	UserToUser bool
	// Transited decides on the realms that a ticket passed through and that no
	// KDC has checked, in the encoding DOMAIN-X500-COMPRESS; nil refuses them.
	Transited func(client, server string, realms []byte) error
}

// Accepted is a verified AP-REQ.
type Accepted struct {
	// Ticket is the decrypted ticket, without its session key.
	Ticket *wire.EncTicketPart
	Auth   *wire.Authenticator
	// Options are the AP options.
	Options uint32
	// Server is the principal whose key opened the ticket, which may be an
	// alias of the one that the ticket names.
	Server principal.Name
	// ServerKey is that key.
	ServerKey *enctype.Key
	// SessionKey is the ticket's, Subkey the initiator's own, nil if it sent
	// none.
	SessionKey, Subkey *enctype.Key
	// Enctype is what both sides like best for an acceptor subkey (RFC 4537).
	Enctype etype.ID
}

// Client is who was authenticated.
func (a *Accepted) Client() principal.Name { return a.Ticket.Client }

// Key is the key that protects messages until the acceptor sends one.
func (a *Accepted) Key() *enctype.Key {
	if a.Subkey != nil {
		return a.Subkey
	}
	return a.SessionKey
}

// Accept verifies an AP-REQ as RFC 4120 §3.2.3 describes it. With an error it
// also returns the code that the peer may be told: the exact one before any
// decryption and after the authenticator was verified, and
// KRB_AP_ERR_BAD_INTEGRITY between the two, so that a forger learns nothing.
func (a *Acceptor) Accept(ctx context.Context, req *wire.APReq) (acc *Accepted, report krberr.Code, err error) {
	acc = &Accepted{Options: req.Options}
	if u2u := req.Options&OptUseSessionKey != 0; u2u != a.UserToUser {
		return nil, krberr.APMethod, fail(gsserr.ErrFailure, fmt.Errorf("%w: user-to-user, or not", krberr.APMethod))
	}
	if id := req.Ticket.Enc.Etype; !slices.Contains(a.Enctypes, id) {
		return nil, krberr.NoPermEtype, fail(gsserr.ErrFailure, fmt.Errorf("%w: ticket of %v", krberr.NoPermEtype, id))
	}
	key, plain, err := a.Service.open(&req.Ticket)
	if err != nil {
		return nil, krberr.Of(err), fail(gsserr.ErrFailure, err)
	}
	acc.Server, acc.ServerKey = key.Principal, key.Key
	if err := acc.authenticate(req, plain); err != nil {
		return nil, krberr.APBadIntegrity, fail(gsserr.ErrFailure, err)
	}
	if err := a.admit(ctx, acc, req); err != nil {
		return nil, krberr.Of(err), fail(gsserr.ErrFailure, err)
	}
	return acc, 0, nil
}

// authenticate decrypts the authenticator and compares it with the ticket, whose
// plaintext is given.
func (acc *Accepted) authenticate(req *wire.APReq, plain []byte) error {
	ticket, err := wire.ParseEncTicketPart(plain)
	if err != nil {
		return fmt.Errorf("%w: ticket: %w", krberr.APModified, err)
	}
	acc.Ticket = ticket
	if acc.SessionKey, err = takeKey(&ticket.Key); err != nil {
		return fmt.Errorf("session key: %w", err)
	}
	if req.Authenticator.Etype != acc.SessionKey.Enctype() {
		return fmt.Errorf("%w: authenticator under another encryption type", krberr.APBadIntegrity)
	}
	plain, err = acc.SessionKey.Decrypt(nil, req.Authenticator.Cipher, usageAPReqAuth)
	if err != nil {
		return fmt.Errorf("authenticator: %w", err)
	}
	if acc.Auth, err = wire.ParseAuthenticator(plain); err != nil {
		return fmt.Errorf("%w: authenticator: %w", krberr.APModified, err)
	}
	// Name and realm: the session key alone says only that the sender holds
	// this ticket, and every client of the service holds one.
	if !acc.Auth.Client.Equal(ticket.Client) {
		return fmt.Errorf("%w: client", krberr.APBadMatch)
	}
	if acc.Auth.Subkey != nil {
		if acc.Subkey, err = takeKey(acc.Auth.Subkey); err != nil {
			return fmt.Errorf("subkey: %w", err)
		}
	}
	return nil
}

// takeKey makes a key of one that arrived and wipes the received bytes.
func takeKey(k *wire.EncryptionKey) (*enctype.Key, error) {
	key, err := enctype.NewKey(k.Etype, k.Value)
	clear(k.Value)
	k.Value = nil
	return key, err
}

// admit applies policy and time to a request that is authentic. Nothing it
// finds is a secret from the one who sent it.
func (a *Acceptor) admit(ctx context.Context, acc *Accepted, req *wire.APReq) error {
	t := acc.Ticket
	if len(t.Transited) > 0 && t.Flags&flagTransitChecked == 0 {
		if a.Transited == nil || t.TransitedType != wire.TransitedX500 {
			return fmt.Errorf("%w: transited realms", krberr.APIllCrTkt)
		}
		if err := a.Transited(t.Client.Realm, acc.Server.Realm, t.Transited); err != nil {
			return err
		}
	}
	start := t.StartTime
	if start.IsZero() {
		start = t.AuthTime
	}
	switch now := a.Now; {
	case start.After(now.Add(a.Skew)):
		return fmt.Errorf("%w: it starts at %s", krberr.APTktNYV, start.UTC().Format(time.RFC3339))
	case t.EndTime.Add(a.Skew).Before(now):
		return fmt.Errorf("%w: it ended at %s", krberr.APTktExpired, t.EndTime.UTC().Format(time.RFC3339))
	case acc.Auth.Time.After(now.Add(a.Skew)), acc.Auth.Time.Before(now.Add(-a.Skew)):
		return fmt.Errorf("%w: the initiator's is off by %s", krberr.APSkew, acc.Auth.Time.Sub(now).Round(time.Second))
	case t.Flags&flagInvalid != 0:
		return krberr.APTktInvalid
	}
	var err error
	acc.Enctype, err = negotiate(a.Enctypes, offered(acc.Auth.AuthzData), acc.Key().Enctype(), acc.SessionKey.Enctype())
	if err != nil {
		return err
	}
	return a.once(ctx, acc, req)
}

// once makes sure that the authenticator was not seen before. It comes last, so
// that only requests which are good otherwise take room in the replay cache.
func (a *Acceptor) once(ctx context.Context, acc *Accepted, req *wire.APReq) error {
	ct := req.Authenticator.Cipher
	tag := ct[len(ct)-min(len(ct), enctype.ChecksumSize(acc.SessionKey.Enctype())):]
	expires := a.Now
	if acc.Auth.Time.After(expires) {
		expires = acc.Auth.Time
	}
	fresh, err := a.Replay.Add(ctx, tag, a.Now, expires.Add(a.Skew))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", krberr.RCIO, err)
	case !fresh:
		return krberr.APRepeat
	}
	return nil
}

// negotiate chooses the encryption type of an acceptor subkey (RFC 4537 §4): the
// acceptor's first choice among those of the client's list, its subkey and the
// ticket's session key. The last two are in use already and must be permitted.
func negotiate(permitted, list []etype.ID, subkey, session etype.ID) (etype.ID, error) {
	for _, must := range []etype.ID{session, subkey} {
		if !slices.Contains(permitted, must) {
			return 0, fmt.Errorf("%w: %s", krberr.NoPermEtype, must)
		}
	}
	for _, id := range permitted {
		if id == session || id == subkey || slices.Contains(list, id) {
			return id, nil
		}
	}
	return session, nil
}

// offered returns the client's list of RFC 4537, nil if it sent none that can
// be read.
func offered(ad []wire.AuthzDatum) []etype.ID {
	for _, d := range find(ad, adEtypeNegotiation) {
		if list, err := wire.ParseETypeList(d); err == nil {
			return list
		}
	}
	return nil
}

// find returns the data of the elements of type typ, at top level or within one
// AD-IF-RELEVANT. It is for what a client says about its own request; nothing
// that only a KDC may say is looked up here.
func find(ad []wire.AuthzDatum, typ int32) [][]byte {
	var found [][]byte
	for _, d := range ad {
		switch d.Type {
		case typ:
			found = append(found, d.Data)
		case adIfRelevant:
			inner, err := wire.ParseAuthzData(d.Data)
			if err != nil {
				continue // unknown authorization data never fails an authentication
			}
			for _, d := range inner {
				if d.Type == typ {
					found = append(found, d.Data)
				}
			}
		}
	}
	return found
}
