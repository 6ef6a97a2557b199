package conf

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// form is what the value of a relation must look like.
type form uint8

const (
	formBool form = iota
	formInt
	formDuration
	formEnctypes
	formCanonicalize
)

// forms are the relations of libdefaults that are not taken as they are.
var forms = map[string]form{
	"allow_weak_crypto":             formBool,
	"canonicalize":                  formBool,
	"client_aware_channel_bindings": formBool,
	"dns_lookup_kdc":                formBool,
	"dns_lookup_realm":              formBool,
	"dns_uri_lookup":                formBool,
	"enforce_ok_as_delegate":        formBool,
	"forwardable":                   formBool,
	"ignore_acceptor_hostname":      formBool,
	"k5login_authoritative":         formBool,
	"kdc_timesync":                  formBool,
	"noaddresses":                   formBool,
	"proxiable":                     formBool,
	"rdns":                          formBool,
	"realm_try_domains":             formInt,
	"udp_preference_limit":          formInt,
	"clockskew":                     formDuration,
	"request_timeout":               formDuration,
	"renew_lifetime":                formDuration,
	"ticket_lifetime":               formDuration,
	"default_tgs_enctypes":          formEnctypes,
	"default_tkt_enctypes":          formEnctypes,
	"permitted_enctypes":            formEnctypes,
	"dns_canonicalize_hostname":     formCanonicalize,
}

// Warnings returns an error for each value in libdefaults, and in the blocks of
// realms there, that cannot be read as what it has to be: a boolean, a number, a
// duration, a list of encryption types with at least one that is known. As in
// MIT such a value does not make the configuration unusable; its default counts
// instead. The errors are krberr ConfigBadFormat and name file and line.
func (c *Config) Warnings() []error {
	var list []error
	if s := c.find([]string{"libdefaults"}); s != nil {
		list = s.warnings(nil)
		for _, realm := range s.blockNames {
			list = s.blocks[realm].warnings(list)
		}
	}
	return list
}

func (s *section) warnings(list []error) []error {
	for _, name := range s.valueNames {
		f, ok := forms[name]
		if !ok || f.fits(s.values[name][0]) {
			continue // of several values the first one counts
		}
		at := s.places[name][0]
		list = append(list, &position{at.file, at.line, fmt.Errorf("%w: %s = %.40q", krberr.ConfigBadFormat, name, s.values[name][0])})
	}
	return list
}

func (f form) fits(value string) bool {
	var err error
	ok := true
	switch f {
	case formBool:
		_, ok = parseBool(value)
	case formInt:
		_, err = strconv.Atoi(value)
	case formDuration:
		_, err = ParseDuration(value)
	case formEnctypes:
		ok = len(etype.ParseList(value, []etype.ID{etype.AES256SHA1})) > 0
	case formCanonicalize:
		_, ok = parseBool(value)
		ok = ok || strings.EqualFold(value, "fallback")
	}
	return ok && err == nil
}
