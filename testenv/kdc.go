package testenv

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gss-go/gssapi/mech"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
)

// Options configures a KDC. The zero Options is a realm EXAMPLE.TEST that
// demands preauthentication.
type Options struct {
	// Realm is the name of the realm, "" is EXAMPLE.TEST.
	Realm string
	// Enctypes are the encryption types of every key and ticket, strongest
	// first. nil is 18, 17, 20, 19, MIT's order. 16 and 23 are known too;
	// others are dropped, and if none is left it is as if nil.
	Enctypes []int32
	// Now is the clock, nil is time.Now. It must be safe for concurrent use.
	Now func() time.Time
	// NoListen makes a KDC without ports that is reached by Exchange alone.
	NoListen bool
	// NoPreauth grants tickets to whoever asks: a wrong password shows only
	// when the client cannot decrypt the reply.
	NoPreauth bool
	// FAST makes the KDC know FAST (RFC 6113), and with it the encrypted
	// challenge and the one-time passwords of SetOTP.
	FAST bool
	// SPAKE are the groups of SPAKE preauthentication (RFC 9588), by the names
	// that spake_preauth_groups has; nil does without SPAKE.
	SPAKE []string
	// NoTimestamp leaves out the encrypted timestamp.
	NoTimestamp bool
	// PKINIT gives the KDC a certificate (RFC 4556): see Anchors and
	// Certificate. Anonymous tickets can be had then too (RFC 8062).
	PKINIT bool
	// PKINITGroup, if "P-256", is the only group for PKINIT; "" is any.
	PKINITGroup string
	// Freshness demands that PKINIT clients send the KDC's token (RFC 8070).
	Freshness bool
	// TicketLifetime is the longest lifetime of a ticket, zero is 10 hours,
	// and RenewLifetime how long it can be renewed, zero is 7 days.
	TicketLifetime, RenewLifetime time.Duration
	// ClockSkew is how far clocks may be apart, zero is 5 minutes.
	ClockSkew time.Duration
	// UDPLimit is the size in bytes of the largest reply that is sent over UDP;
	// to a request whose reply is larger the KDC answers
	// KRB_ERR_RESPONSE_TOO_BIG. Zero is 1400; with a negative limit every
	// reply but an error is too big.
	UDPLimit int
	// Iterations is the PBKDF2 count of users' AES keys (RFC 3962 §4), told to
	// clients as s2kparams. Zero is each type's default, which is not told.
	Iterations uint32
}

// KDC is a key distribution center (RFC 4120) for one realm. It is made by
// NewKDC, is safe for concurrent use and is ended by Close.
type KDC struct {
	realm    string
	enctypes []int32
	opt      Options

	listener net.Listener // nil without ports
	packets  net.PacketConn
	served   sync.WaitGroup // every goroutine of the KDC
	registry func() *mech.Registry
	pairing  sync.Mutex // held while Pair adds a principal
	groups   []*spakeGroup
	pki      *pki // nil without PKINIT

	mu       sync.Mutex // guards what follows
	db       map[string]*entry
	aliases  map[string][]string
	policies map[string]policy
	trusted  []*KDC            // realms that this one refers to
	incoming map[string]*entry // keys of tickets from these realms
	cookies  map[string]any    // exchanges that go on, by cookie
	tokens   map[string]*token // one-time passwords
	skew     time.Duration
	fail     int32
	failNext []int32
	drop     int
	requests int
	closed   bool
	conns    map[net.Conn]struct{}
}

// NewKDC starts a KDC. The caller calls Close when it is done. Like
// httptest.NewServer it panics if it cannot listen on a loopback port.
func NewKDC(o *Options) *KDC {
	k := &KDC{db: make(map[string]*entry), conns: make(map[net.Conn]struct{})}
	if o != nil {
		k.opt = *o
	}
	set(&k.opt.Realm, "EXAMPLE.TEST")
	set(&k.opt.TicketLifetime, 10*time.Hour)
	set(&k.opt.RenewLifetime, 7*24*time.Hour)
	set(&k.opt.ClockSkew, 5*time.Minute)
	set(&k.opt.UDPLimit, 1400)
	if k.opt.Now == nil {
		k.opt.Now = time.Now
	}
	k.realm = k.opt.Realm
	k.registry = sync.OnceValue(k.newRegistry)
	for _, et := range k.opt.Enctypes {
		if _, ok := profiles[et]; ok && !slices.Contains(k.enctypes, et) {
			k.enctypes = append(k.enctypes, et)
		}
	}
	if len(k.enctypes) == 0 {
		k.enctypes = slices.Clone(defaultEnctypes)
	}
	k.groups = spakeGroups(k.opt.SPAKE)
	if k.opt.PKINIT {
		var err error
		if k.pki, err = newPKI(k.realm, k.now()); err != nil {
			panic(fmt.Sprintf("testenv: %v", err))
		}
		k.add("WELLKNOWN/ANONYMOUS", &keySet{etypes: k.enctypes})
	}
	k.add("krbtgt/"+k.realm, &keySet{etypes: k.enctypes})
	if !k.opt.NoListen {
		k.listen()
	}
	return k
}

// defaultEnctypes is MIT's order.
var defaultEnctypes = []int32{
	etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96,
	etypeID.AES256_CTS_HMAC_SHA384_192, etypeID.AES128_CTS_HMAC_SHA256_128,
}

func set[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Realm returns the name of the realm.
func (k *KDC) Realm() string { return k.realm }

// Addr returns the host:port of the KDC, the same for UDP and TCP, "" without
// ports.
func (k *KDC) Addr() string {
	if k.listener == nil {
		return ""
	}
	return k.listener.Addr().String()
}

// Fail answers every request with a KRB-ERROR of this error-code (RFC 4120
// §7.5.9) until it is called again; 0 ends it.
func (k *KDC) Fail(code int32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = code
}

// FailNext answers the next requests with KRB-ERRORs of these codes, one each,
// before anything that Fail says. A 0 lets a request through. A second call
// replaces what is left of the first.
func (k *KDC) FailNext(codes ...int32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failNext = slices.Clone(codes)
}

// Drop leaves the next n requests without an answer: silence over UDP, a
// closed connection over TCP, an error from Exchange.
func (k *KDC) Drop(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop = n
}

// Skew sets the KDC's clock ahead by d; a negative d sets it back.
func (k *KDC) Skew(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.skew = d
}

// Requests returns how many messages have arrived, dropped ones included.
func (k *KDC) Requests() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.requests
}

// now is the KDC's time, as precise as Kerberos has it.
func (k *KDC) now() time.Time {
	k.mu.Lock()
	skew := k.skew
	k.mu.Unlock()
	return k.opt.Now().Add(skew).UTC().Truncate(time.Microsecond)
}

// Close closes the ports and all connections, and returns when every goroutine
// of the KDC has ended. Requests afterwards fail. It can be called twice.
func (k *KDC) Close() {
	k.mu.Lock()
	k.closed = true
	if k.listener != nil {
		k.listener.Close()
		k.packets.Close()
	}
	for c := range k.conns {
		c.Close()
	}
	k.mu.Unlock()
	k.served.Wait()
}
