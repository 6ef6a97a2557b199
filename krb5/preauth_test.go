package krb5_test

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// tap keeps what goes to the KDC.
type tap struct {
	krb5.Exchanger
	sent []*wire.KDCReq
}

func (c *tap) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	req, err := wire.ParseKDCReq(r.Message)
	if err != nil {
		return nil, err
	}
	c.sent = append(c.sent, req)
	return c.Exchanger.Exchange(ctx, r)
}

// armored reports whether the last request went out under armor.
func (c *tap) armored() bool {
	last := c.sent[len(c.sent)-1]
	return slices.ContainsFunc(last.PAData, func(pa wire.PAData) bool { return pa.Type == wire.PAFXFast })
}

// preauthWorld is a world whose KDC knows every mechanism.
func preauthWorld(t testing.TB) (*world, *tap) {
	t.Helper()
	c := new(tap)
	w := newWorld(t, &testenv.Options{FAST: true, PKINIT: true, SPAKE: []string{"P-256"}},
		func(config *krb5.Config) { c.Exchanger, config.KDC = config.KDC, c })
	w.kdc.AddUser("bob", password)
	return w, c
}

// confOf returns a configuration entry of a credential's cache.
func confOf(t testing.TB, c mech.Cred, key string, forTGS bool) string {
	t.Helper()
	var p *principal.Name
	if forTGS {
		tgs := principal.TGS(realm, realm)
		p = &tgs
	}
	v, _ := stored(t, c).Config(key, p)
	return string(v)
}

func TestLoginRemembers(t *testing.T) {
	w, c := preauthWorld(t)
	require.Equal(t, "yes", confOf(t, w.alice, ccache.ConfFastAvail, true))
	require.Equal(t, "151", confOf(t, w.alice, ccache.ConfPAType, true))
	require.Empty(t, confOf(t, w.alice, ccache.ConfStartRealm, false))
	// With that, tickets are asked for under armor, also by who reads the cache.
	establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{w.alice}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	require.True(t, c.armored())
	file := tempFile(t, "cc")
	_, err := login(t, w.Mechanism).(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	again, err := w.CacheCred(ctx, ccache.NewFile(file))
	require.NoError(t, err)
	establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{again}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	require.True(t, c.armored())

	// A KDC without it is not told of, and not expected to know it.
	plain := newWorld(t, nil, func(config *krb5.Config) { c.Exchanger, config.KDC = config.KDC, c })
	require.Empty(t, confOf(t, plain.alice, ccache.ConfFastAvail, true))
	require.Equal(t, "2", confOf(t, plain.alice, ccache.ConfPAType, true))
	establish(t, plain.initiate(t, mech.InitRequest{Creds: []mech.Cred{plain.alice}, Flags: allFlags}), plain.accept(t, mech.AcceptRequest{}))
	require.False(t, c.armored())
}

func TestLoginArmor(t *testing.T) {
	w, c := preauthWorld(t)
	hostKeys := parseKeytab(t, w.keytab)
	byHost, err := w.Login(ctx, "host/"+host, &krb5.LoginOptions{Keytab: hostKeys})
	require.NoError(t, err)
	nobody, err := w.Login(ctx, "", &krb5.LoginOptions{Anonymous: true, Anchors: w.kdc.Anchors()})
	require.NoError(t, err)
	for name, armor := range map[string]mech.Cred{"user": w.alice, "host": byHost, "nobody": nobody} {
		for _, hide := range []bool{false, true} {
			c.sent = nil
			cred, err := w.Login(ctx, "bob", &krb5.LoginOptions{Password: secretOf(password), Armor: armor, HideName: hide})
			require.NoError(t, err, name)
			require.Equal(t, "138", confOf(t, cred, ccache.ConfPAType, true))
			info, err := cred.Info(ctx)
			require.NoError(t, err)
			requireName(t, "bob@"+realm, info.Name)
			require.True(t, c.armored())
			for _, req := range c.sent {
				require.Equal(t, hide, req.Body.Client.SameName(principal.Anonymous))
			}
		}
	}
	// A KDC that does not know FAST.
	plain := newWorld(t, nil, nil)
	_, err = plain.Login(ctx, "alice", &krb5.LoginOptions{Password: secretOf(password), Armor: plain.alice})
	require.ErrorIs(t, err, krb5.ErrFASTRequired)
	require.ErrorIs(t, err, gsserr.ErrNoCred)

	for name, tt := range map[string]struct {
		o     *krb5.LoginOptions
		major gsserr.Major
	}{
		"another mechanism value's": {&krb5.LoginOptions{Password: secretOf(password), Armor: plain.alice}, gsserr.ErrDefectiveCredential},
		"an acceptor's":             {&krb5.LoginOptions{Password: secretOf(password), Armor: w.server}, gsserr.ErrNoCred},
		"hidden without armor":      {&krb5.LoginOptions{Password: secretOf(password), HideName: true}, gsserr.ErrFailure},
	} {
		_, err := w.Login(ctx, "bob", tt.o)
		require.ErrorIs(t, err, tt.major, name)
	}
}

func TestLoginCertificate(t *testing.T) {
	w, _ := preauthWorld(t)
	cert, key, err := w.kdc.Certificate("bob", time.Hour)
	require.NoError(t, err)
	certs := []*x509.Certificate{cert}
	for name, armor := range map[string]mech.Cred{"plain": nil, "armored": w.alice} {
		cred, err := w.Login(ctx, "bob", &krb5.LoginOptions{Signer: key, Certificates: certs, Anchors: w.kdc.Anchors(), Armor: armor})
		require.NoError(t, err, name)
		require.Equal(t, "16", confOf(t, cred, ccache.ConfPAType, true))
		establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	}
	for name, tt := range map[string]struct {
		o     *krb5.LoginOptions
		major gsserr.Major
	}{
		"nobody trusted":       {&krb5.LoginOptions{Signer: key, Certificates: certs}, gsserr.ErrNoCred},
		"no certificate":       {&krb5.LoginOptions{Signer: key, Anchors: w.kdc.Anchors()}, gsserr.ErrNoCred},
		"no key":               {&krb5.LoginOptions{Certificates: certs, Anchors: w.kdc.Anchors()}, gsserr.ErrFailure},
		"no key, but a secret": {&krb5.LoginOptions{Certificates: certs, Password: secretOf(password)}, gsserr.ErrFailure},
		"two proofs":           {&krb5.LoginOptions{Signer: key, Certificates: certs, Password: secretOf(password)}, gsserr.ErrFailure},
		"and anonymous":        {&krb5.LoginOptions{Signer: key, Certificates: certs, Anonymous: true}, gsserr.ErrFailure},
	} {
		_, err := w.Login(ctx, "bob", tt.o)
		require.ErrorIs(t, err, tt.major, name)
	}
	_, err = w.Login(ctx, "alice", &krb5.LoginOptions{Signer: key, Certificates: certs, Anchors: w.kdc.Anchors()})
	require.ErrorIs(t, err, gsserr.ErrNoCred)
}

func TestLoginAnonymous(t *testing.T) {
	w, _ := preauthWorld(t)
	for _, who := range []string{"", "@" + realm, "WELLKNOWN/ANONYMOUS", "WELLKNOWN/ANONYMOUS@" + realm} {
		cred, err := w.Login(ctx, who, &krb5.LoginOptions{Anonymous: true, Anchors: w.kdc.Anchors()})
		require.NoError(t, err, who)
		info, err := cred.Info(ctx)
		require.NoError(t, err)
		text, typ := info.Name.Display()
		require.Equal(t, "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", text)
		require.Equal(t, oid.NTAnonymous, typ)
		require.Equal(t, realm, confOf(t, cred, ccache.ConfStartRealm, false))
		// A ticket for a service goes through the realm that it is from.
		_, _, err = w.initiate(t, mech.InitRequest{Creds: []mech.Cred{cred}, Flags: allFlags}).Step(ctx, nil)
		require.NoError(t, err)
	}
	_, err := w.Login(ctx, "alice", &krb5.LoginOptions{Anonymous: true, Anchors: w.kdc.Anchors()})
	require.ErrorIs(t, err, gsserr.ErrBadName)
	_, err = w.Login(ctx, "", &krb5.LoginOptions{Anonymous: true})
	require.ErrorIs(t, err, gsserr.ErrNoCred)
}

func TestLoginPrompt(t *testing.T) {
	w, _ := preauthWorld(t)
	w.kdc.SetOTP("bob", "", "314159", "271828")
	mine := errors.New("nobody there")
	asked := 0
	prompt := func(_ context.Context, q *krb5.OTPChallenge) (*krb5.OTPAnswer, error) {
		asked++
		require.Equal(t, []krb5.OTPToken{{Vendor: "testenv", Length: 6, Format: krb5.OTPFormatUnknown}}, q.Tokens)
		return &krb5.OTPAnswer{Value: []byte("271828")}, nil
	}
	cred, err := w.Login(ctx, "bob", &krb5.LoginOptions{Armor: w.alice, Prompt: prompt})
	require.NoError(t, err)
	require.Equal(t, "141", confOf(t, cred, ccache.ConfPAType, true))
	require.Equal(t, 1, asked)
	_, err = w.Login(ctx, "bob", &krb5.LoginOptions{Armor: w.alice, Prompt: func(context.Context, *krb5.OTPChallenge) (*krb5.OTPAnswer, error) { return nil, mine }})
	require.ErrorIs(t, err, mine)
	_, err = w.Login(ctx, "bob", &krb5.LoginOptions{Prompt: prompt})
	require.ErrorIs(t, err, krb5.ErrFASTRequired)
	// Whoever has a password is not asked.
	_, err = w.Login(ctx, "alice", &krb5.LoginOptions{Password: secretOf(password), Armor: w.alice, Prompt: prompt})
	require.NoError(t, err)
	require.Equal(t, 1, asked)
}
