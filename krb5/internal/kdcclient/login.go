package kdcclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// LoginRequest says who wants which ticket, and how the client proves itself:
// by Password or by Key, one of them.
type LoginRequest struct {
	// Client is the principal, with its realm.
	Client principal.Name
	// Service is what the ticket is for, in the client's realm. The zero Name
	// is the realm's ticket-granting service.
	Service principal.Name

	// Password returns the password; it is called when a key is needed and may
	// be called again. The result is not modified.
	Password func() []byte
	// Key returns the client's key of a type, as a keytab has it; kvno 0 is the
	// newest. KeyTypes are the types it has.
	Key      func(id etype.ID, kvno uint32) (*enctype.Key, error)
	KeyTypes []etype.ID

	// Lifetime and Renewable ask for that long; zero is what the configuration
	// says (ticket_lifetime, else a day; renew_lifetime, else not renewable).
	Lifetime, Renewable time.Duration
	// Forwardable, Proxiable and Canonicalize ask for these; when false the
	// relations of that name in the configuration decide. Enterprise names are
	// always canonicalized.
	Forwardable, Proxiable, Canonicalize bool
}

// Result is what a login yields.
type Result struct {
	// Credential is the ticket. Its Client is the canonical name of the reply.
	*ccache.Credential
	// Offset is the KDC's clock minus ours, zero if they agree or if
	// kdc_timesync is off. Hand it to [TicketOptions].
	Offset time.Duration
	// KeyExpires is when the client's key or password expires, zero if the KDC
	// did not say.
	KeyExpires time.Time
}

// maxSteps bounds the requests of one login: without preauthentication, with
// it, and again with the KDC's time or after an expired cookie.
const maxSteps = 6

// login is the state of one AS exchange.
type login struct {
	c              *Client
	r              *LoginRequest
	client, server principal.Name
	to             conversation
	etypes         []etype.ID
	options        uint32
	lifetime       time.Duration
	renewable      time.Duration
	addrs          []wire.HostAddress

	// What the KDC asked for, and the mechanism that answers. nil: the request
	// goes out without preauthentication.
	mech    mechanism
	offered []wire.PAData
	method  keyInfo

	// The last key and what it was made from.
	key     *enctype.Key
	keyFrom keyInfo
	keyKvno uint32

	offset            time.Duration
	synced, restarted bool

	// The last request.
	raw   []byte
	nonce uint32
	till  time.Time
	rtime time.Time
}

// Login runs the AS exchange (RFC 4120 §3.1). The first request goes out
// without preauthentication; when the KDC wants it, one request with it
// follows, so a wrong password costs one attempt. If the clocks differ the
// KDC's time is used, once (kdc_timesync).
//
// A refusal is an *Error. Other errors: krberr.APBadIntegrity when the reply
// does not open with the client's key, krberr.KDCRepModified when it does not
// fit the request, krberr.PreauthFailed when the KDC wants a mechanism that
// this client lacks.
func (c *Client) Login(ctx context.Context, r *LoginRequest) (*Result, error) {
	l, err := c.newLogin(r)
	if err != nil {
		return nil, err
	}
	for range maxSteps {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%w: %w", krberr.KDCUnreach, err)
		}
		if err := l.request(ctx); err != nil {
			return nil, err
		}
		reply, err := c.exchange(ctx, &l.to, "AS-REQ", l.raw)
		var refused *Error
		if errors.As(err, &refused) {
			err = l.refused(refused)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		return l.finish(reply)
	}
	return nil, fmt.Errorf("%w: the KDC asks again and again", krberr.GetInTktLoop)
}

func (c *Client) newLogin(r *LoginRequest) (*login, error) {
	l := &login{c: c, r: r, client: r.Client, server: r.Service}
	realm := r.Client.Realm
	switch {
	case realm == "" || len(r.Client.Components) == 0:
		return nil, fmt.Errorf("%w: the client's name needs components and a realm", krberr.ParseMalformed)
	case (r.Password == nil) == (r.Key == nil):
		return nil, fmt.Errorf("%w: a login needs either a password or keys", krberr.PreauthNoKey)
	}
	if len(l.server.Components) == 0 {
		l.server = principal.TGS(realm, realm)
	}
	if l.server.Realm == "" {
		l.server.Realm = realm
	}
	if l.server.Realm != realm {
		return nil, fmt.Errorf("%w: the service of a login is in the client's realm", krberr.ParseMalformed)
	}
	l.to.realm = realm
	var err error
	if l.etypes, err = c.enctypes(nil, "default_tkt_enctypes"); err != nil {
		return nil, err
	}
	if r.Key != nil {
		// A KDC that wants no preauthentication encrypts with the first type in
		// the list that it has a key for: let that be one we have too.
		slices.SortStableFunc(l.etypes, func(a, b etype.ID) int {
			return order(slices.Contains(r.KeyTypes, b)) - order(slices.Contains(r.KeyTypes, a))
		})
	}
	l.method = keyInfo{salt: r.Client.Salt()}
	l.wishes()
	return l, nil
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wishes takes options, lifetimes and addresses from the request and from the
// configuration.
func (l *login) wishes() {
	c, r, realm := l.c, l.r, l.client.Realm
	set := func(asked bool, name string, option uint32) {
		if asked || c.flag(realm, name, false) {
			l.options |= option
		}
	}
	set(r.Forwardable, "forwardable", wire.OptForwardable)
	set(r.Proxiable, "proxiable", wire.OptProxiable)
	set(r.Canonicalize || l.client.Type == principal.TypeEnterprise, "canonicalize", wire.OptCanonicalize)
	if l.lifetime = r.Lifetime; l.lifetime <= 0 {
		l.lifetime = c.duration(realm, "ticket_lifetime", 24*time.Hour)
	}
	if l.renewable = r.Renewable; l.renewable <= 0 {
		l.renewable = c.duration(realm, "renew_lifetime", 0)
	}
	if l.renewable > 0 {
		l.options |= wire.OptRenewable
	} else {
		l.options |= wire.OptRenewableOK
	}
	if !c.flag(realm, "noaddresses", true) {
		l.addrs = localAddresses()
	}
}

// refused decides what a KRB-ERROR means for the login: nil to ask again. Only
// the errors that ask for it change anything, since nothing protects them.
func (l *login) refused(e *Error) error {
	switch e.Code {
	case krberr.KDCPreauthRequired:
		if l.mech != nil {
			return fmt.Errorf("%w: %s was not enough for the KDC: %w", krberr.PreauthFailed, l.mech.name(), e)
		}
		return l.choose(e)
	case krberr.KDCPreauthExpired:
		// RFC 6113 §5.2: the cookie is too old, begin again.
		if l.restarted {
			return e
		}
		l.restarted, l.mech, l.offered = true, nil, nil
		return nil
	case krberr.APSkew, krberr.KDCNeverValid:
		now := l.c.now(l.offset)
		if l.synced || e.Time.IsZero() || !l.c.timesync(l.client.Realm) || near(e.Time, now, l.c.Config.ClockSkew()) {
			return e
		}
		// The time is not authentic yet. The worst that a false one does is a
		// proof for another moment; finish checks the reply's own time.
		l.synced, l.offset = true, l.offset+e.Time.Sub(now)
		return nil
	case krberr.KDCWrongRealm:
		if e.Client.Realm != "" {
			return fmt.Errorf("%w: the client is known in realm %s", e, quote(e.Client.Realm))
		}
	}
	return e
}

// timesync is the relation kdc_timesync: follow the KDC's clock.
func (c *Client) timesync(realm string) bool { return c.flag(realm, "kdc_timesync", true) }

// near reports whether two times are within skew of each other.
func near(a, b time.Time, skew time.Duration) bool { return a.Sub(b).Abs() <= skew }
