package krb5

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcclient"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// LoginOptions say how to log in: with a password, with a keytab, with a
// certificate or anonymously, exactly one of them; or, under armor, with a
// one-time password alone.
type LoginOptions struct {
	// Password returns the password. The mechanism neither modifies nor keeps
	// the bytes.
	Password func() []byte
	// Keytab has keys of the principal.
	Keytab *keytab.Keytab
	// Signer has the key of the first of Certificates, RSA or ECDSA; the others
	// lead from that one to an authority that the KDC knows (PKINIT, RFC 4556).
	Signer       crypto.Signer
	Certificates []*x509.Certificate
	// Anonymous asks for a ticket without a name (RFC 8062). The principal to
	// log in as is then "", for the default realm, or "@REALM".
	Anonymous bool
	// Anchors are the authorities that the KDC's certificate may come from, for
	// Signer and Anonymous; nil is those of pkinit_anchors in the
	// configuration.
	Anchors *x509.CertPool
	// Armor is a credential of the same Mechanism whose tickets protect the
	// login (FAST, RFC 6113): any user's or host's, also an anonymous one. With
	// it a KDC that answers without protection is not believed
	// ([ErrFASTRequired]). nil does without.
	Armor mech.Cred
	// HideName, with Armor, shows the principal's name to the KDC alone. KDCs
	// that do not know this refuse it.
	HideName bool
	// Prompt, with Armor, answers a KDC that asks for a one-time password (RFC
	// 6560). Together with a password or keys it is called only if the KDC
	// accepts neither. Its error ends the login.
	Prompt func(ctx context.Context, challenge *OTPChallenge) (*OTPAnswer, error)
	// Lifetime and Renewable ask for a ticket of that lifetime, and for one
	// that can be renewed for that long; zero is what the configuration says,
	// and the KDC may grant less.
	Lifetime, Renewable time.Duration
	// Forwardable and Proxiable ask for a ticket that can be handed on; false
	// is what the configuration says.
	Forwardable, Proxiable bool
	// Service is the principal to get a ticket for instead of the realm's
	// ticket-granting service, "" for that. The credential then reaches that
	// service alone.
	Service string
}

// Login gets a ticket from the KDC (RFC 4120 §3.1) and returns a credential to
// initiate with. Its tickets are in memory; store it to keep them. Who a
// principal without realm is, the configuration's default_realm says.
//
// The strongest way that the KDC offers is taken: with a certificate PKINIT
// alone; with a password or keys the encrypted challenge under armor, else SPAKE
// (RFC 9588), else an encrypted timestamp, unless disable_encrypted_timestamp
// forbids that in the configuration.
//
// Failures are ErrNoCred with the Kerberos code: [ErrPreauthFailed] for a wrong
// password, after one attempt, [ErrClientUnknown], [ErrClientRevoked],
// [ErrKeyExpired], [ErrKDCUnreach].
func (m *Mechanism) Login(ctx context.Context, who string, o *LoginOptions) (mech.Cred, error) {
	const op = "acquire_cred_with_password"
	profile, err := m.config()
	if err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	if o != nil && o.Anonymous {
		who = anonymousName(who)
	}
	n, err := m.importName(who, oid.NTKrb5Principal)
	if err != nil {
		return nil, fail(op, 0, err)
	}
	p, err := n.principal(ctx, profile)
	if err != nil {
		return nil, fail(op, gsserr.ErrBadName, err)
	}
	t, err := m.login(ctx, profile, p, o)
	if err != nil {
		return nil, fail(op, 0, err)
	}
	return &cred{m: m, init: t}, nil
}

// login runs the AS exchange.
func (m *Mechanism) login(ctx context.Context, profile *conf.Config, client principal.Name, o *LoginOptions) (*tickets, error) {
	if o == nil || !o.oneProof() {
		return nil, fail("", gsserr.ErrFailure, fmt.Errorf("a password, a keytab, a certificate with its key, or to be anonymous is needed: one of them"))
	}
	r := &kdcclient.LoginRequest{
		Client:      client,
		Password:    o.Password,
		Lifetime:    o.Lifetime,
		Renewable:   o.Renewable,
		Forwardable: o.Forwardable,
		Proxiable:   o.Proxiable,
	}
	if err := m.preauth(ctx, o, r); err != nil {
		return nil, err
	}
	if o.Service != "" {
		s, err := principal.Parse(o.Service)
		if err != nil {
			return nil, fail("", gsserr.ErrBadName, err)
		}
		if s.Realm == "" {
			s.Realm = client.Realm
		}
		r.Service = s
	}
	if kt := o.Keytab; kt != nil {
		for _, e := range kt.Entries() {
			if e.Principal.Equal(client) {
				r.KeyTypes = append(r.KeyTypes, e.Key.Enctype)
			}
		}
		r.Key = func(id etype.ID, kvno uint32) (*enctype.Key, error) {
			e, err := kt.Lookup(client, kvno, id)
			if err != nil {
				return nil, err
			}
			return enctype.NewKey(e.Key.Enctype, e.Key.Value.Bytes())
		}
	}
	got, err := m.client(profile).Login(ctx, r)
	if err != nil {
		return nil, fail("", gsserr.ErrNoCred, err)
	}
	contents := &ccache.Contents{Principal: got.Client, Entries: []ccache.Credential{*got.Credential}}
	contents.SetKDCOffset(got.Offset)
	remember(contents, got)
	t := &tickets{m: m, cache: ccache.NewMemory(got.Client, contents.Entries...), contents: contents}
	if o.Keytab != nil {
		t.own = serviceKeys(o.Keytab)
	}
	return t, nil
}

// CacheCred returns a credential to initiate with whose tickets are in a cache
// of the program's own; new ones are stored there. The cache must exist.
func (m *Mechanism) CacheCred(ctx context.Context, cc ccache.Cache) (mech.Cred, error) {
	if cc == nil {
		return nil, fail("acquire_cred", gsserr.ErrNoCred, krberr.GSSEmptyCCache)
	}
	t := &tickets{m: m, cache: cc}
	if _, err := t.load(ctx); err != nil {
		return nil, fail("acquire_cred", gsserr.ErrNoCred, err)
	}
	return &cred{m: m, init: t}, nil
}

// KeytabCred returns a credential to accept with whose keys are in memory, for
// servers that do not keep them in a file. The name is that of
// [Mechanism.ImportName]; nil accepts under every key.
func (m *Mechanism) KeytabCred(ctx context.Context, n mech.Name, kt *keytab.Keytab) (mech.Cred, error) {
	const op = "acquire_cred"
	own, err := m.ownName(op, n)
	if err != nil {
		return nil, err
	}
	profile, err := m.config()
	if err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	if kt == nil {
		return nil, fail(op, gsserr.ErrNoCred, krberr.KTNotFound)
	}
	k := &keys{m: m, name: own, source: "memory", fixed: serviceKeys(kt)}
	if _, err := k.service(ctx, profile); err != nil {
		return nil, fail(op, 0, err)
	}
	return &cred{m: m, acc: k}, nil
}
