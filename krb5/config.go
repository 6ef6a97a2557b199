package krb5

import (
	"log/slog"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/rcache"
)

// Config configures a Mechanism. The zero value is what the machine's other
// Kerberos programs use: krb5.conf and the environment. A Config must not be
// modified while [New] copies it.
type Config struct {
	// ConfigText is the text of a krb5.conf to use instead of any file.
	ConfigText string
	// ConfigPath names the files to read, separated by ":" (";" on Windows);
	// "" is KRB5_CONFIG, or else the usual place.
	ConfigPath string
	// CCache, Keytab and ClientKeytab name the default credential cache, the
	// acceptor's keys and the initiator's keys, such as "FILE:/etc/imap.keytab".
	// "" is KRB5CCNAME, KRB5_KTNAME and KRB5_CLIENT_KTNAME, or else what the
	// configuration says.
	CCache, Keytab, ClientKeytab string
	// Getenv looks up environment variables, also in file names; nil is
	// os.Getenv. A function that returns "" makes the mechanism independent of
	// the environment.
	Getenv func(string) string
	// KDC carries messages to KDCs; nil is a [Network].
	KDC Exchanger
	// Time is the clock; nil is time.Now.
	Time func() time.Time
	// ClockSkew is how far the clocks of two parties may differ; zero is the
	// configuration's clockskew, five minutes by default.
	ClockSkew time.Duration
	// Replay remembers what was accepted. Nil is the cache that KRB5RCACHENAME
	// or default_rcache_name in krb5.conf names, such as "file2:/var/tmp/rc",
	// a file that MIT's programs share, and otherwise one in memory that all
	// mechanisms of the process share. The store key "rcache" goes before it.
	Replay ReplayCache
	// Enctypes are the encryption types to use, the best first; nil is the
	// configuration's permitted_enctypes. Types that the library does not have
	// are left out, and so are DES3SHA1 and RC4 without allow_des3 and allow_rc4
	// in the configuration.
	Enctypes []Enctype
	// Canonicalize says whether host names are looked up in DNS before they
	// become part of a service's name.
	Canonicalize CanonPolicy
	// Logger gets one debug record per message to a KDC and per cache that
	// could not be written; nil logs nothing. No record holds a secret.
	Logger *slog.Logger
}

type (
	// Exchanger carries requests to KDCs. See [Request].
	Exchanger = kdcnet.Exchanger
	// Request is one message to a realm's servers.
	Request = kdcnet.Request
	// Service is what a request is for.
	Service = kdcnet.Service
	// Network is the default Exchanger: UDP and TCP to the servers that the
	// configuration or DNS names.
	Network = kdcnet.Network
	// ReplayCache remembers authenticators. Add is one atomic step.
	ReplayCache = rcache.Cache
)

// What a Request is for.
const (
	ServiceKDC      = kdcnet.KDC
	ServicePrimary  = kdcnet.Primary
	ServicePassword = kdcnet.Password
)

// NewReplayCache returns a replay cache in memory of its own, for at most
// capacity authenticators at a time; zero is about a million. When it is full,
// contexts are refused.
func NewReplayCache(capacity int) ReplayCache { return rcache.NewMemory(capacity) }
