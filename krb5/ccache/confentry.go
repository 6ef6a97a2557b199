package ccache

import (
	"math"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// Caches hold configuration in the guise of credentials, whose server has this
// realm and this first component; the key is the second component and a
// principal in text form may be the third. The value is the ticket.
const (
	confRealm    = "X-CACHECONF:"
	confName     = "krb5_ccache_conf_data"
	removedRealm = "X-RMED-CONF:" // what MIT makes of the realm on removal
)

// Configuration keys that MIT uses. ConfFastAvail, ConfPAType and
// ConfPAConfigData go with the principal of the ticket-granting service.
const (
	ConfFastAvail         = "fast_avail"
	ConfPAType            = "pa_type"
	ConfPAConfigData      = "pa_config_data"
	ConfProxyImpersonator = "proxy_impersonator"
	ConfRefreshTime       = "refresh_time"
	ConfStartRealm        = "start_realm"
)

// ConfEntry returns the configuration entry that sets key to value, to be stored
// in the cache of client. It takes the place of the entry before it. A nil p
// sets it for the whole cache, else it is for that principal.
func ConfEntry(client Principal, key string, p *Principal, value []byte) Credential {
	server := Principal{Type: principal.TypePrincipal, Realm: confRealm, Components: []string{confName, key}}
	if p != nil {
		server.Components = append(server.Components, p.String())
	}
	return Credential{Client: client, Server: server, Ticket: slices.Clone(value)}
}

// IsConf reports whether the credential is a configuration entry and no ticket.
func (c *Credential) IsConf() bool {
	return c.Server.Realm == confRealm && len(c.Server.Components) >= 2 && c.Server.Components[0] == confName
}

// isRemoved reports whether someone took the entry out by overwriting it.
func (c *Credential) isRemoved() bool {
	return unix32(c.EndTime) == 0 && unix32(c.AuthTime) != 0
}

// removed returns c as MIT overwrites it: with an impossible authtime, and for a
// configuration entry another realm of the same length.
func (c Credential) removed() *Credential {
	c.AuthTime, c.EndTime = time.Unix(math.MaxUint32, 0), time.Time{}
	if c.IsConf() {
		c.Server.Realm = removedRealm
	}
	return &c
}
