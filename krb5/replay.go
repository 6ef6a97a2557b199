package krb5

import (
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/rcache"
)

// replay returns the cache for the authenticators that an acceptor admits: the
// one that the credential names, the configured one, the one that the
// environment or krb5.conf names as for MIT's programs, and otherwise that of
// the process.
func (m *Mechanism) replay(profile *conf.Config, name string) (ReplayCache, error) {
	if name == "" && m.c.Replay != nil {
		return m.c.Replay, nil
	}
	if name == "" {
		name = m.c.Getenv("KRB5RCACHENAME")
	}
	if kind := m.c.Getenv("KRB5RCACHETYPE"); name == "" && kind != "" {
		name = kind + ":"
	}
	if path, ok := profile.Get("libdefaults", "default_rcache_name"); name == "" && ok {
		var err error
		if name, err = conf.Expand(path, m.c.Getenv); err != nil {
			return nil, err
		}
	}
	if name == "" {
		return rcache.Process(), nil
	}
	return rcache.Resolve(name, m.skew(profile), m.c.Getenv)
}
