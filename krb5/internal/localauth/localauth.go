// Package localauth maps principals to users of this host by the relations
// auth_to_local and auth_to_local_names of krb5.conf, as MIT does.
package localauth

import (
	"fmt"
	"strings"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// maxUser is the longest user name, in bytes, that a mapping may give.
const maxUser = 255

// Name returns the user that a principal maps to: the one that
// auth_to_local_names of the default realm has for it, else that of the first
// rule in auth_to_local that fits, and with no rules at all the first component
// of a principal of the default realm.
//
// As in MIT, auth_to_local_names looks at the principal without its realm: on a
// host that trusts several realms, rules are the safer choice.
//
// The error is krberr NoLocalName if nothing fits, and ConfigBadFormat for a
// rule that cannot be read: rules after it are not looked at.
func Name(c *conf.Config, p principal.Name) (string, error) {
	realm := c.DefaultRealm()
	if realm == "" || p.Realm == "" || len(p.Components) == 0 {
		return "", noName(p)
	}
	if users := c.All("realms", realm, "auth_to_local_names", short(p)); len(users) > 0 {
		return valid(users[len(users)-1], p)
	}
	rules := c.All("realms", realm, "auth_to_local")
	if len(rules) == 0 {
		rules = []string{"DEFAULT"}
	}
	for _, r := range rules {
		user, ok, err := apply(r, realm, p)
		if err != nil {
			return "", fmt.Errorf("auth_to_local %.80q: %w", r, err)
		}
		if ok {
			return valid(user, p)
		}
	}
	return "", noName(p)
}

// apply applies one value of auth_to_local.
func apply(value, realm string, p principal.Name) (user string, ok bool, err error) {
	kind, text, rest := strings.Cut(value, ":")
	switch {
	case kind == "DEFAULT":
		user, ok = byDefault(realm, p)
		return user, ok, nil
	case kind == "RULE" && rest:
		return byRule(text, p)
	}
	return "", false, bad("neither RULE nor DEFAULT")
}

// byDefault maps user@REALM and user/REALM@REALM to user.
func byDefault(realm string, p principal.Name) (string, bool) {
	n := len(p.Components)
	if p.Realm != realm || n > 2 || n == 2 && p.Components[1] != realm {
		return "", false
	}
	return p.Components[0], true
}

// short is the principal without its realm. As no realm can follow, MIT leaves an
// "@" as it is.
func short(p principal.Name) string { return strings.ReplaceAll(p.Short(), `\@`, "@") }

// valid refuses what is no user's name on any system, so that nobody acts upon
// half of it.
func valid(user string, p principal.Name) (string, error) {
	if user == "" || len(user) > maxUser || strings.ContainsFunc(user, func(r rune) bool { return r < ' ' || r == 0x7F || r == '/' || r == ':' }) {
		return "", noName(p)
	}
	return user, nil
}

func noName(p principal.Name) error { return fmt.Errorf("%w: %s", krberr.NoLocalName, p) }

func bad(text string) error { return fmt.Errorf("%w: %s", krberr.ConfigBadFormat, text) }
