package mechtest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// ToyOID is the mechanism of a [Toy], under the arc that RFC 5612 reserves for
// documentation, and ToyLabel an aspect for its options and inquiries.
var (
	ToyOID   = toyArc.Append(1)
	ToyLabel = toyArc.Append(2)
)

var toyArc, _ = oid.FromInts(1, 3, 6, 1, 4, 1, 32473, 7)

// ToyLifetime is how long credentials and contexts of a Toy last by default.
const ToyLifetime = time.Hour

// ToyOptions are the optional arguments of [NewToy].
type ToyOptions struct {
	// OID is the mechanism's, zero for ToyOID.
	OID oid.OID
	// Attrs are added to the mechanism's attributes.
	Attrs []oid.OID
	// User is who the default credential belongs to. Empty is "user".
	User string
	// NoDefault leaves the mechanism without a default credential.
	NoDefault bool
	// Time is the clock, nil for time.Now.
	Time func() time.Time
}

// Toy is a mechanism for tests: everyone who knows its secret is everyone. It
// has mutual authentication, three legs for mech.FlagDCEStyle, delegation,
// anonymity, channel bindings, sequencing, and each optional interface of package
// mech except those for messages in pieces. Two Toys understand each other if
// they have one secret and one OID.
//
// It gives no security: a name is whatever its holder says. Never use it outside
// of tests.
type Toy struct {
	o    ToyOptions
	info mech.Info
	key  func() []byte

	mu     sync.Mutex
	seen   map[[toyNonce]byte]struct{}
	stored map[string]string // place to exported name
}

var (
	_ mech.Mechanism       = (*Toy)(nil)
	_ mech.Canonicalizer   = (*Toy)(nil)
	_ mech.CredImporter    = (*Toy)(nil)
	_ mech.ContextImporter = (*Toy)(nil)
	_ mech.StoreKeyer      = (*Toy)(nil)
	_ mech.StatusTexter    = (*Toy)(nil)
)

// NewToy returns a mechanism with the secret, which is also the password of every
// user.
func NewToy(secret string, o *ToyOptions) *Toy {
	if o == nil {
		o = new(ToyOptions)
	}
	t := &Toy{o: *o, key: func() []byte { return []byte(secret) },
		seen: make(map[[toyNonce]byte]struct{}), stored: make(map[string]string)}
	if t.o.OID.IsZero() {
		t.o.OID = ToyOID
	}
	if t.o.User == "" {
		t.o.User = "user"
	}
	if t.o.Time == nil {
		t.o.Time = time.Now
	}
	t.info = mech.Info{
		OID: t.o.OID, Name: "toy", Description: "Mechanism for tests, without any security",
		NameTypes: []oid.OID{oid.NTUserName, oid.NTHostBased, oid.NTAnonymous, oid.NTExportName, oid.NTCompositeExport},
		Attrs: append([]oid.OID{
			mech.MAMechConcrete, mech.MAItokFramed, mech.MAAuthInit, mech.MAAuthTarg, mech.MAAuthInitAnon,
			mech.MADelegCred, mech.MAIntegProt, mech.MAConfProt, mech.MAMIC, mech.MAWrap,
			mech.MAReplayDet, mech.MAOOSDet, mech.MACBindings, mech.MACtxTrans,
		}, t.o.Attrs...),
		KnownAttrs: mech.KnownAttrs(),
	}
	return t
}

// Info describes the mechanism.
func (t *Toy) Info() mech.Info { return t.info }

// StatusText has words for the one minor status.
func (t *Toy) StatusText(minor uint32) string {
	if minor == toyMinor {
		return "toy: the peer refused"
	}
	return ""
}

// toyMinor is the minor status of a refusal by the peer.
const toyMinor = 1

var (
	errToyForeign = errors.New("toy: made by another mechanism value")
	errToyToken   = errors.New("toy: malformed token")
)

// fail makes the errors of a Toy.
func (t *Toy) fail(op string, major gsserr.Major, cause error) error {
	e := gsserr.New(op, major, cause)
	e.Mech = t.o.OID
	return e
}

// mac authenticates the parts with the secret.
func (t *Toy) mac(parts ...[]byte) []byte {
	h := hmac.New(sha256.New, t.key())
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// fresh reports whether the nonce was not seen before, and notes it.
func (t *Toy) fresh(nonce [toyNonce]byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, known := t.seen[nonce]
	t.seen[nonce] = struct{}{}
	return !known
}

// StoreKeys returns the keys that the mechanism understands: "place" is where
// [Toy.Stored] finds a stored credential.
func (t *Toy) StoreKeys() []string { return []string{"password", "place"} }

// Stored returns whose credential is stored in a place.
func (t *Toy) Stored(place string) (user string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	user, ok = t.stored[place]
	return user, ok
}

// AcquireCred makes a credential for any name, or the default one. With a
// password, which must be the secret, it fails with ErrNoCred if it is not.
func (t *Toy) AcquireCred(ctx context.Context, r mech.CredRequest) (mech.Cred, error) {
	const op = "acquire_cred"
	if err := ctx.Err(); err != nil {
		return nil, t.fail(op, gsserr.ErrFailure, err)
	}
	c := &toyCred{t: t, usage: r.Usage}
	switch n := r.Name.(type) {
	case nil:
		place, named := r.Store["place"]
		user, ok := t.Stored(place)
		switch {
		case named && !ok || t.o.NoDefault:
			return nil, t.fail(op, gsserr.ErrNoCred, nil)
		case !named:
			user = t.o.User
		}
		if r.Usage.Initiates() {
			c.name = t.user(user)
		}
	case *toyName:
		if n.t != t {
			return nil, t.fail(op, gsserr.ErrDefectiveCredential, errToyForeign)
		}
		c.name = n
	default:
		return nil, t.fail(op, gsserr.ErrDefectiveCredential, errToyForeign)
	}
	if r.Password != nil && !hmac.Equal(r.Password(), t.key()) {
		return nil, t.fail(op, gsserr.ErrNoCred, errors.New("toy: the password is wrong"))
	}
	c.initExpires, c.acceptExpires = t.expiry(r.Lifetime), t.expiry(r.AcceptLifetime)
	return c, nil
}

// expiry returns the end of a lifetime.
func (t *Toy) expiry(d time.Duration) time.Time {
	switch d {
	case mech.Indefinite:
		return time.Time{}
	case 0:
		d = ToyLifetime
	}
	return t.o.Time().Add(d).Truncate(time.Second)
}

// element finds the mechanism's own credential among all elements.
func (t *Toy) element(op string, elems []mech.Cred, u mech.Usage) (*toyCred, error) {
	if len(elems) == 0 {
		c, err := t.AcquireCred(context.Background(), mech.CredRequest{Usage: u})
		if err != nil {
			return nil, err
		}
		return c.(*toyCred), nil
	}
	for _, e := range elems {
		c, ok := e.(*toyCred)
		switch {
		case !ok || c.t.o.OID != t.o.OID:
		case c.t != t:
			return nil, t.fail(op, gsserr.ErrDefectiveCredential, errToyForeign)
		case u == mech.UsageInitiate && !c.usage.Initiates(), u == mech.UsageAccept && !c.usage.Accepts():
			return nil, t.fail(op, gsserr.ErrNoCred, nil)
		default:
			return c, nil
		}
	}
	return nil, t.fail(op, gsserr.ErrNoCred, nil)
}

// toyCred is a Toy's credential.
type toyCred struct {
	t                          *Toy
	name                       *toyName // nil is any
	usage                      mech.Usage
	initExpires, acceptExpires time.Time
	label                      []byte
}

var (
	_ mech.Exporter     = (*toyCred)(nil)
	_ mech.CredOptioner = (*toyCred)(nil)
	_ mech.Storer       = (*toyCred)(nil)
	_ mech.Impersonator = (*toyCred)(nil)
	_ mech.Inquirer     = (*toyCred)(nil)
)

func (c *toyCred) Mech() oid.OID     { return c.t.o.OID }
func (c *toyCred) Usage() mech.Usage { return c.usage }

func (c *toyCred) Info(ctx context.Context) (mech.CredInfo, error) {
	const op = "inquire_cred"
	if err := ctx.Err(); err != nil {
		return mech.CredInfo{}, c.t.fail(op, gsserr.ErrFailure, err)
	}
	i := mech.CredInfo{Usage: c.usage, InitiateExpires: c.initExpires, AcceptExpires: c.acceptExpires}
	if c.name != nil {
		i.Name = c.name
	}
	over := func(t time.Time) bool { return !t.IsZero() && !c.t.o.Time().Before(t) }
	if c.usage.Initiates() && over(c.initExpires) || !c.usage.Initiates() && over(c.acceptExpires) {
		return i, c.t.fail(op, gsserr.ErrCredentialsExpired, nil)
	}
	return i, nil
}

func (c *toyCred) Export() ([]byte, error) {
	b := []byte{byte(c.usage)}
	b = appendTime(appendTime(b, c.initExpires), c.acceptExpires)
	if c.name == nil {
		return appendPart(b, nil), nil
	}
	name, err := c.name.Export()
	return appendPart(b, name), err
}

// ImportCred reads what a credential's Export wrote.
func (t *Toy) ImportCred(token []byte) (mech.Cred, error) {
	const op = "import_cred"
	r := reader{b: token}
	c := &toyCred{t: t, usage: mech.Usage(r.byte()), initExpires: r.time(), acceptExpires: r.time()}
	name := r.part()
	if !r.done() || c.usage > mech.UsageAccept {
		return nil, t.fail(op, gsserr.ErrDefectiveToken, errToyToken)
	}
	if len(name) > 0 {
		n, err := t.exported(op, name)
		if err != nil {
			return nil, err
		}
		c.name = n
	}
	return c, nil
}

func (c *toyCred) WithOption(aspect oid.OID, value []byte) (mech.Cred, error) {
	if aspect != ToyLabel {
		return nil, c.t.fail("set_cred_option", gsserr.ErrUnavailable, nil)
	}
	n := *c
	n.label = slices.Clone(value)
	return &n, nil
}

func (c *toyCred) Inquire(aspect oid.OID) ([][]byte, error) {
	if aspect != ToyLabel {
		return nil, c.t.fail("inquire_cred_by_oid", gsserr.ErrUnavailable, nil)
	}
	return [][]byte{slices.Clone(c.label)}, nil
}

func (c *toyCred) Store(ctx context.Context, r mech.StoreRequest) (mech.Usage, error) {
	const op = "store_cred"
	if err := ctx.Err(); err != nil {
		return 0, c.t.fail(op, gsserr.ErrFailure, err)
	}
	if r.Usage == mech.UsageAccept || !c.usage.Initiates() || c.name == nil {
		return 0, c.t.fail(op, gsserr.ErrFailure, errors.New("toy: only an initiator's credential is stored"))
	}
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	places := []string{r.Store["place"]}
	if r.Default {
		places = append(places, "")
	}
	for _, p := range places {
		if _, taken := c.t.stored[p]; taken && !r.Overwrite {
			return 0, c.t.fail(op, gsserr.ErrDuplicateElement, nil)
		}
	}
	for _, p := range places {
		c.t.stored[p] = c.name.text
	}
	return mech.UsageInitiate, nil
}

func (c *toyCred) Impersonate(ctx context.Context, n mech.Name, r mech.CredRequest) (mech.Cred, error) {
	r.Name = n
	return c.t.AcquireCred(ctx, r)
}
