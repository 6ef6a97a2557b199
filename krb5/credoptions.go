package krb5

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// credOptions change what a credential is used for and not what it is.
type credOptions struct {
	noCI  bool      // ask for CONF and INTEG only if the caller requires them
	limit []Enctype // the encryption types to use, nil for all
}

var _ mech.CredOptioner = (*cred)(nil)

// WithOption implements [mech.CredOptioner]. There is oid.Krb5NoCIFlags, whose
// value is empty: contexts then do not ask for confidentiality and integrity
// unless they are required, for servers that take these flags for a wish to
// encrypt the connection (MS-KILE calls them SASL's).
func (c *cred) WithOption(aspect oid.OID, value []byte) (mech.Cred, error) {
	const op = "set_cred_option"
	if aspect != oid.Krb5NoCIFlags {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	if len(value) != 0 {
		return nil, fail(op, gsserr.ErrFailure, errors.New("the option takes no value"))
	}
	changed := *c
	changed.noCI = true
	return &changed, nil
}

// initiating returns the flags that an initiator asks for.
func (o *credOptions) initiating(flags, required mech.Flags) mech.Flags {
	if o.noCI {
		return flags &^ ((mech.FlagConf | mech.FlagInteg) &^ required)
	}
	return flags
}

// WithEnctypes returns a credential of this mechanism value that is used with
// some encryption types alone, the best first (gss_krb5_set_allowable_enctypes):
// an initiator has tickets with session keys of them and offers them to the
// acceptor (RFC 4537), an acceptor admits and chooses no others. What the
// configuration does not permit is left out. No types lift the limit.
//
// The error is ErrFailure with krberr ProgEtypeNosupp if none is left,
// ErrDefectiveCredential for a credential of another mechanism value.
func (m *Mechanism) WithEnctypes(c mech.Cred, types ...Enctype) (mech.Cred, error) {
	const op = "krb5_set_allowable_enctypes"
	if c == nil {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrNoCred, nil)
	}
	k, err := m.own(op, []mech.Cred{c}, func(*cred) bool { return true })
	if err != nil {
		return nil, err
	}
	changed := *k
	changed.limit = nil
	for _, id := range types {
		if enctype.Supported(id) && !slices.Contains(changed.limit, id) {
			changed.limit = append(changed.limit, id)
		}
	}
	if len(types) > 0 && changed.limit == nil {
		return nil, fail(op, gsserr.ErrFailure, krberr.ProgEtypeNosupp)
	}
	return &changed, nil
}

// enctypes returns the encryption types to use the credential with, which may be
// none. The list must not be modified.
func (c *cred) enctypes(profile *conf.Config) []Enctype {
	permitted := c.m.enctypes(profile)
	if c.limit == nil {
		return permitted
	}
	var list []Enctype
	for _, id := range c.limit {
		if slices.Contains(permitted, id) {
			list = append(list, id)
		}
	}
	return list
}

// wish says what service tickets the credential takes.
func (c *cred) wish(profile *conf.Config, lifetime time.Duration) wish {
	return wish{lifetime: lifetime, enctypes: c.enctypes(profile), limited: c.limit != nil}
}

// FilesCred returns a credential for a credential cache and a keytab by their
// names, such as "FILE:/tmp/krb5cc_0" (gss_krb5_import_cred): with a cache it is
// to initiate with, with a keytab to accept with, with both for both. The name,
// one of [Mechanism.ImportName], is the service to accept as; nil accepts under
// every key. Unlike with AcquireCred nothing is looked for elsewhere, and no
// client keytab is used.
//
// Errors are ErrFailure without either file, ErrNoCred for a cache that cannot be
// read or a keytab without a key for the name.
func (m *Mechanism) FilesCred(ctx context.Context, cacheName, keytabName string, n mech.Name) (mech.Cred, error) {
	const op = "krb5_import_cred"
	own, err := m.ownName(op, n)
	if err != nil {
		return nil, err
	}
	profile, err := m.config()
	if err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	if cacheName == "" && keytabName == "" {
		return nil, fail(op, gsserr.ErrFailure, fmt.Errorf("%w: neither a cache nor a keytab", krberr.GSSBadUsage))
	}
	c := &cred{m: m}
	if keytabName != "" {
		c.acc = &keys{m: m, name: own, source: keytabName}
		if _, err := c.acc.service(ctx, profile); err != nil {
			return nil, fail(op, 0, err)
		}
	}
	if cacheName != "" {
		cc, err := ccache.Resolve(ctx, cacheName, profile)
		if err != nil {
			return nil, fail(op, gsserr.ErrNoCred, err)
		}
		c.init = &tickets{m: m, cache: cc}
		if _, err := c.init.load(ctx); err != nil {
			return nil, fail(op, gsserr.ErrNoCred, err)
		}
	}
	return c, nil
}
