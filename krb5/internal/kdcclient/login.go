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
// by Password, by Key or by PKINIT, one of them; or, under armor, by Prompt
// alone.
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
	// PKINIT is a certificate with its key, or none for an anonymous client.
	PKINIT *PKINIT
	// Prompt answers a KDC that asks for a one-time password, which it does
	// under armor only. With a Password or a Key it is used if the KDC accepts
	// none of those.
	Prompt Prompt

	// Armor is any ticket-granting ticket, to protect the login with (FAST, RFC
	// 6113); nil for none. With it, an answer that is not protected is not
	// accepted. ArmorOffset is the clock of its KDC minus ours. HideClient shows
	// the client's name to the KDC alone.
	Armor       *ccache.Credential
	ArmorOffset time.Duration
	HideClient  bool

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
	// Mechanism is the padata type of the preauthentication that was used, 0
	// for none.
	Mechanism int32
	// FAST says that the KDC knows FAST, and that nobody on the way can have
	// made that up.
	FAST bool
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
	primary        *stale   // nil: any KDC will do
	seen           []string // realms that were asked, if there are several
	etypes         []etype.ID
	options        uint32
	lifetime       time.Duration
	renewable      time.Duration
	addrs          []wire.HostAddress

	fast *fast // nil without armor

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
	spake             bool // the KDC has offered SPAKE: nothing weaker any more

	// The last request; body is the one that counts, which is under the armor.
	raw   []byte
	body  []byte
	nonce uint32
	till  time.Time
	rtime time.Time
}

// Login runs the AS exchange (RFC 4120 §3.1). The first request goes out
// without preauthentication; when the KDC wants it, one request with it
// follows, so a wrong password costs one attempt. If the clocks differ the
// KDC's time is used, once (kdc_timesync).
//
// A KDC that is not the realm's primary one can have an old password. When one
// refuses the password, or says that it has expired, the primary one is asked
// too, if there is one that is another server.
//
// A refusal is an *Error. Other errors: krberr.APBadIntegrity when the reply
// does not open with the client's key, krberr.KDCRepModified when it does not
// fit the request, krberr.PreauthFailed when the KDC wants a mechanism that
// this client lacks, krberr.FASTRequired when there is armor and the KDC
// answers without.
func (c *Client) Login(ctx context.Context, r *LoginRequest) (*Result, error) {
	l, err := c.newLogin(r)
	if err != nil {
		return nil, err
	}
	result, err := l.run(ctx)
	if old := l.stale(err); old != nil {
		return old.again(ctx, c, r)
	}
	return result, err
}

// run asks until there is a ticket or a refusal.
func (l *login) run(ctx context.Context) (*Result, error) {
	c := l.c
	for range maxSteps + maxReferrals {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%w: %w", krberr.KDCUnreach, err)
		}
		if err := l.request(ctx); err != nil {
			return nil, err
		}
		reply, err := c.exchange(ctx, &l.to, "AS-REQ", l.raw)
		var refused *Error
		if errors.As(err, &refused) {
			if l.fast != nil {
				if refused, err = l.fast.refused(refused, l.nonce); err != nil {
					return nil, err
				}
			}
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
	case sources(r) > 1 || sources(r) == 0 && (r.Prompt == nil || r.Armor == nil):
		return nil, fmt.Errorf("%w: a login needs either a password, or keys, or a certificate, or armor and someone to prompt", krberr.PreauthNoKey)
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
	l.to = l.conversation(realm)
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
	if l.anonymous() {
		l.client = principal.Anonymous.WithRealm(realm)
	}
	return l, nil
}

// sources counts the long-term proofs of a request.
func sources(r *LoginRequest) int {
	return order(r.Password != nil) + order(r.Key != nil) + order(r.PKINIT != nil)
}

// hasKey reports whether the client has, or can make, a key that the KDC has.
func (l *login) hasKey() bool { return l.r.Password != nil || l.r.Key != nil }

// anonymous reports whether the client wants a ticket without a name in it.
func (l *login) anonymous() bool { return l.options&wire.OptRequestAnonymous != 0 }

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
	if r.PKINIT != nil && r.PKINIT.Signer == nil {
		l.options |= wire.OptRequestAnonymous
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
	if l.fast != nil && !e.armored {
		switch e.Code {
		case krberr.KDCPreauthRequired, krberr.KDCMorePreauth, krberr.KDCPreauthExpired, krberr.KDCWrongRealm:
			// Whoever sent it, to go on would be without protection.
			return fmt.Errorf("%w: %w", krberr.FASTRequired, e)
		}
	}
	switch e.Code {
	case krberr.KDCPreauthRequired:
		if l.mech != nil {
			return fmt.Errorf("%w: %s was not enough for the KDC: %w", krberr.PreauthFailed, l.mech.name(), e)
		}
		return l.choose(e)
	case krberr.KDCMorePreauth:
		return l.next(e)
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
		l.synced, l.offset, l.fast = true, l.offset+e.Time.Sub(now), nil
		return nil
	case krberr.KDCWrongRealm:
		return l.refer(e)
	}
	if m, ok := l.mech.(adjuster); ok {
		return m.adjust(l, e)
	}
	return e
}

// timesync is the relation kdc_timesync: follow the KDC's clock.
func (c *Client) timesync(realm string) bool { return c.flag(realm, "kdc_timesync", true) }

// near reports whether two times are within skew of each other.
func near(a, b time.Time, skew time.Duration) bool { return a.Sub(b).Abs() <= skew }
