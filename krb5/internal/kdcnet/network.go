package kdcnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

const (
	// defaultTimeout ends an exchange whose context has no earlier deadline.
	// The relation request_timeout of libdefaults replaces it.
	defaultTimeout = 20 * time.Second
	// defaultStagger is how long a server may be silent before the next one is
	// asked too. MIT waits a second; half of it keeps a login with two dead
	// servers, which is two exchanges, within 1.5 seconds.
	defaultStagger = 500 * time.Millisecond
	// defaultResend is when a datagram is sent again for the first time; the
	// wait doubles from there.
	defaultResend = time.Second

	maxMessage = 4 << 20  // a request or a reply
	maxUDP     = 64 << 10 // a datagram
)

// errTimeout is the cause when an exchange used up its own time, rather than
// that of the caller's context.
var errTimeout = errors.New("no answer in time")

// Network is the default Exchanger. It finds the servers of a realm in the
// configuration or in DNS and asks them over UDP and TCP (RFC 4120 §7.2). The
// zero Network is ready to use, as is a nil one. It is safe for concurrent
// use; do not change a field while it is in use.
//
// The servers are asked in order, the next one as soon as the one before has
// failed or has been silent for half a second. All of them may still answer:
// the first complete answer wins. Small messages go over UDP first, and again
// over TCP when the server says that its answer is too big for UDP; messages
// above udp_preference_limit go over TCP first.
type Network struct {
	// Dial connects to an address; network is "udp" or "tcp". It must give up
	// when ctx does. Names are passed to it as they are. nil is
	// [net.Dialer.DialContext].
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Resolver looks up SRV and URI records, and names unless Dial is set. nil
	// is [net.DefaultResolver]. The net package cannot look up URI records:
	// these are asked for with the Resolver's Dial, at the name servers of
	// /etc/resolv.conf.
	Resolver *net.Resolver
	// HTTPS carries a request to a KDC proxy (MS-KKDCP) and returns the reply,
	// without a length in front. It is called with the entries of the
	// configuration and of DNS that are https URLs; without it they are left
	// out. The package krb5/kkdcp has one. It must give up when ctx does and must
	// be safe for concurrent use.
	HTTPS func(ctx context.Context, url string, r *Request) ([]byte, error)

	stagger, resend time.Duration // zero: the defaults
}

var _ Exchanger = (*Network)(nil)

// Exchange implements [Exchanger]. It fails with krberr.RealmUnknown if no
// server can be found for the realm, with krberr.KDCUnreach if none answers;
// errors.Is then also finds the context's error and the networks' errors.
// Without a deadline in ctx it gives up after request_timeout, 20 seconds by
// default. Nothing goes on in the background after it has returned.
func (n *Network) Exchange(ctx context.Context, r *Request) ([]byte, error) {
	if n == nil {
		n = &Network{}
	}
	if len(r.Message) == 0 || len(r.Message) > maxMessage {
		return nil, fmt.Errorf("%w: a request of %d bytes", krberr.KRBFieldTooLong, len(r.Message))
	}
	if err := ctx.Err(); err != nil {
		return nil, unreachable(krberr.KDCUnreach, r.Realm, err)
	}
	timeout := defaultTimeout
	if d := r.Config.Duration(0, "libdefaults", "request_timeout"); d > 0 {
		timeout = d
	}
	inner, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()

	servers, err := n.locate(inner, r)
	if err != nil {
		return nil, err
	}
	plan := attempts(servers, r, r.Config.UDPPreferenceLimit())
	reply, winner, errs := race(inner, n.staggerTime(), len(plan), func(ctx context.Context, i int) ([]byte, error) {
		reply, err := n.ask(ctx, plan[i], r)
		if err != nil {
			err = fmt.Errorf("%s %s: %w", plan[i].network, plan[i].addr, err)
		}
		return reply, err
	})
	if errs == nil {
		if r.Answered != nil {
			r.Answered(plan[winner].addr)
		}
		return reply, nil
	}
	// A server that is there but cannot serve says more than silence does.
	for _, err := range errs {
		var busy *unavailable
		if errors.As(err, &busy) {
			return busy.reply, nil
		}
	}
	if err := ctx.Err(); err != nil && !errors.Is(several(errs), err) {
		errs = append(errs, err)
	}
	return nil, unreachable(krberr.KDCUnreach, r.Realm, errs...)
}

// attempts returns the servers with the networks to ask them over, in order:
// first each over the network that suits the message, or the only one it has,
// then those that have both over the other.
func attempts(servers []server, r *Request, limit int) []server {
	if i := slices.IndexFunc(servers, func(s server) bool { return s.addr == r.Prefer }); i > 0 {
		first := servers[i]
		servers = slices.Insert(slices.Delete(slices.Clone(servers), i, i+1), 0, first)
	}
	networks := []string{"udp", "tcp"}
	if len(r.Message) > limit {
		networks = []string{"tcp", "udp"}
	}
	if r.TCP {
		networks = []string{"tcp"}
	}
	var plan []server
	add := func(s server) {
		if !slices.Contains(plan, s) {
			plan = append(plan, s)
		}
	}
	for _, network := range networks {
		for _, s := range servers {
			// TCP is asked for because UDP cannot carry the answer: even a
			// server listed for UDP alone has nothing else to offer.
			if s.network == "" || r.TCP && s.network != "https" {
				add(server{network, s.addr})
			} else if network == networks[0] {
				add(s)
			}
		}
	}
	return plan
}

// ask asks one server over one network.
func (n *Network) ask(ctx context.Context, s server, r *Request) ([]byte, error) {
	switch s.network {
	case "tcp":
		return n.exchangeTCP(ctx, s.addr, r)
	case "https":
		reply, err := n.HTTPS(ctx, s.addr, r)
		if err != nil {
			return nil, ended(ctx, err)
		}
		if len(reply) > maxMessage {
			return nil, fmt.Errorf("reply of %d bytes, %d are allowed", len(reply), maxMessage)
		}
		return reply, vet(r, reply)
	}
	reply, err := n.exchangeUDP(ctx, s.addr, r)
	if err == nil && errorCode(reply) == krberr.KRBResponseTooBig {
		return n.exchangeTCP(ctx, s.addr, r)
	}
	return reply, err
}

// vet refuses what cannot be a reply to r, so that the search goes on. A reply
// that says that the service is not available is kept for the case that no
// other server does better; so is one that takes a request to change a password
// for a replay, since we may have sent it twice and the first is being served.
func vet(r *Request, reply []byte) error {
	var tag byte
	if len(reply) > 6 {
		tag = reply[0]
	}
	code := errorCode(reply)
	switch {
	case tag == 0x7e: // KRB-ERROR
	case r.Service == Password: // RFC 3244 §2: it starts with its own length
		if len(reply) <= 6 || int(reply[0])<<8|int(reply[1]) != len(reply) {
			return errNotAReply
		}
		if reply[4] == 0 && reply[5] == 0 { // no AP-REP but a KRB-ERROR
			code = errorCode(reply[6:])
		}
	case tag == 0x6b, tag == 0x6d: // AS-REP, TGS-REP
		return nil
	default:
		return errNotAReply
	}
	if code == krberr.KDCSvcUnavailable || r.Service == Password && code == krberr.APRepeat {
		return &unavailable{reply, code}
	}
	return nil
}

var errNotAReply = errors.New("what came back is not a Kerberos reply")

// errorCode returns the code of a KRB-ERROR, 0 if b is none.
func errorCode(b []byte) krberr.Code {
	if len(b) == 0 || b[0] != 0x7e {
		return 0
	}
	e, err := wire.ParseKRBError(b)
	if err != nil {
		return 0
	}
	return krberr.FromRFC(e.Code)
}

// unavailable is a reply that another server's is better than.
type unavailable struct {
	reply []byte
	code  krberr.Code
}

func (u *unavailable) Error() string { return u.code.Error() }
func (u *unavailable) Unwrap() error { return u.code }

func (n *Network) staggerTime() time.Duration {
	if n.stagger > 0 {
		return n.stagger
	}
	return defaultStagger
}

func (n *Network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if n.Dial != nil {
		return n.Dial(ctx, network, addr)
	}
	d := net.Dialer{Resolver: n.Resolver}
	return d.DialContext(ctx, network, addr)
}

// guard closes conn when ctx ends, which is what unblocks its readers and
// writers. The function it returns closes conn too, and returns only when
// nothing is left that uses it.
func guard(ctx context.Context, conn net.Conn) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = conn.Close()
	})
	return func() {
		if !stop() {
			<-done
		}
		_ = conn.Close()
	}
}

// ended replaces the error of a connection that guard closed by the reason.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
