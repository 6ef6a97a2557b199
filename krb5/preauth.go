package krb5

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/kdcclient"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/mech"
)

type (
	// OTPChallenge is a KDC's question for a one-time password (RFC 6560).
	OTPChallenge = kdcclient.OTPChallenge
	// OTPToken is a kind of token that the KDC accepts.
	OTPToken = kdcclient.OTPToken
	// OTPAnswer is what the user has typed in.
	OTPAnswer = kdcclient.OTPAnswer
	// OTPFormat is how the value of a token is written.
	OTPFormat = kdcclient.OTPFormat
)

// The formats of one-time passwords.
const (
	OTPFormatUnknown      = kdcclient.OTPFormatUnknown
	OTPFormatDecimal      = kdcclient.OTPFormatDecimal
	OTPFormatHexadecimal  = kdcclient.OTPFormatHexadecimal
	OTPFormatAlphanumeric = kdcclient.OTPFormatAlphanumeric
	OTPFormatBinary       = kdcclient.OTPFormatBinary
	OTPFormatBase64       = kdcclient.OTPFormatBase64
)

// anonymousName is the name to import for an anonymous login, given what the
// caller says: nothing, a realm alone or the whole name.
func anonymousName(who string) string {
	if who == "" || strings.HasPrefix(who, "@") {
		return strings.Join(principal.Anonymous.Components, "/") + who
	}
	return who
}

// preauth adds to a request how the client proves itself besides with a password
// or keys.
func (m *Mechanism) preauth(ctx context.Context, o *LoginOptions, r *kdcclient.LoginRequest) error {
	if o.Anonymous && !r.Client.SameName(principal.Anonymous) {
		return fail("", gsserr.ErrBadName, fmt.Errorf("an anonymous login as %s", r.Client))
	}
	if o.Signer == nil && len(o.Certificates) > 0 {
		return fail("", gsserr.ErrFailure, fmt.Errorf("a certificate without its key"))
	}
	if o.Signer != nil || o.Anonymous {
		r.PKINIT = &kdcclient.PKINIT{Certificates: o.Certificates, Signer: o.Signer, Anchors: o.Anchors}
	}
	if o.Prompt != nil {
		r.Prompt = o.Prompt
	}
	if o.Armor == nil {
		if o.HideName || o.Prompt != nil {
			return fail("", gsserr.ErrFailure, fmt.Errorf("%w: a one-time password and a hidden name need armor", krberr.FASTRequired))
		}
		return nil
	}
	c, err := m.own("", []mech.Cred{o.Armor}, func(k *cred) bool { return k.init != nil })
	if err != nil {
		return err
	}
	contents, err := c.init.load(ctx)
	if err != nil {
		return fail("", gsserr.ErrNoCred, fmt.Errorf("armor: %w", err))
	}
	tgt := ticketGranting(contents)
	if tgt == nil {
		return fail("", gsserr.ErrNoCred, fmt.Errorf("armor: %w", krberr.GSSTGTMissing))
	}
	r.Armor, r.HideClient = tgt, o.HideName
	r.ArmorOffset, _ = contents.KDCOffset()
	return nil
}

// oneProof reports whether the options have one way to prove who the client is.
func (o *LoginOptions) oneProof() bool {
	n := 0
	for _, has := range []bool{o.Password != nil, o.Keytab != nil, o.Signer != nil, o.Anonymous} {
		if has {
			n++
		}
	}
	return n == 1 || n == 0 && o.Prompt != nil
}

// remember notes in a new cache, as MIT does, what later logins and requests for
// tickets can make use of: that the KDC knows FAST, which preauthentication it
// took, and where its realm is not the client's, the realm to start from.
func remember(c *ccache.Contents, got *kdcclient.Result) {
	realm := got.Server.Realm
	tgs := principal.TGS(realm, realm)
	if got.FAST {
		c.SetConfig(ccache.ConfFastAvail, &tgs, []byte("yes"))
	}
	if got.Mechanism != 0 {
		c.SetConfig(ccache.ConfPAType, &tgs, strconv.AppendInt(nil, int64(got.Mechanism), 10))
	}
	if realm != c.Principal.Realm {
		c.SetConfig(ccache.ConfStartRealm, nil, []byte(realm))
	}
}

// knowsFAST returns the realm whose KDC is known to do FAST, because a login has
// found out, "" if there is none.
func knowsFAST(c *ccache.Contents) string {
	tgt := ticketGranting(c)
	if tgt == nil {
		return ""
	}
	tgs := tgt.Server
	if v, ok := c.Config(ccache.ConfFastAvail, &tgs); ok && string(v) == "yes" {
		return tgs.Realm
	}
	return ""
}
