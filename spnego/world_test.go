package spnego_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/spnego"
	"github.com/gss-go/gssapi/testenv"
)

const (
	alice    = "alice"
	password = "correct horse"
	service  = "imap/mail.example.test"
)

// world is a realm, and a toy beside it.
type world struct {
	k      *testenv.KDC
	toy    *mechtest.Toy
	replay krb5.ReplayCache // nil is one for each party
}

// anew is a replay cache that takes everything for new, so that one token can be
// presented again and again; it does the work of a real one.
type anew struct{ krb5.ReplayCache }

func (a anew) Add(ctx context.Context, tag []byte, seen, expires time.Time) (bool, error) {
	_, err := a.ReplayCache.Add(ctx, tag, seen, expires)
	return true, err
}

func newWorld(t testing.TB) *world {
	t.Helper()
	k := testenv.NewKDC(&testenv.Options{NoListen: true})
	t.Cleanup(k.Close)
	k.AddUser(alice, password)
	k.AddService(service)
	return &world{k: k, toy: mechtest.NewToy("secret", nil)}
}

// party is one side: a registry with Kerberos, the toy and SPNEGO over those of
// them that "order" names, and a credential for those that "creds" names.
type party struct {
	r    *mech.Registry
	cred *gssapi.Cred
}

func (w *world) party(t testing.TB, u mech.Usage, c *spnego.Config, order, creds string) party {
	t.Helper()
	k := w.k.Mechanism(&krb5.Config{Replay: w.replay})
	var inner []mech.Mechanism
	for name := range strings.FieldsSeq(order) {
		inner = append(inner, map[string]mech.Mechanism{"krb5": k, "toy": w.toy}[name])
	}
	r, err := mech.NewRegistry(k, w.toy, spnego.New(c, inner...))
	require.NoError(t, err)
	var elems []mech.Cred
	for name := range strings.FieldsSeq(creds) {
		if name == "toy" {
			e, err := w.toy.AcquireCred(t.Context(), mech.CredRequest{Usage: u})
			require.NoError(t, err)
			elems = append(elems, e)
			continue
		}
		if u == mech.UsageInitiate {
			e, err := k.Login(t.Context(), alice, &krb5.LoginOptions{
				Password: func() []byte { return []byte(password) }, Forwardable: true})
			require.NoError(t, err)
			elems = append(elems, e)
			continue
		}
		c, err := w.k.ServiceCred(service, r)
		require.NoError(t, err)
		elems = append(elems, c.Elements(u)...)
	}
	cred, err := gssapi.NewCred(r, elems...)
	require.NoError(t, err)
	return party{r, cred}
}

func (p party) initiate(t testing.TB, o gssapi.InitOptions) *gssapi.SecContext {
	t.Helper()
	o.Cred = p.cred
	if o.Mech.IsZero() {
		o.Mech = oid.SPNEGO
	}
	c, err := gssapi.InitContext(gssapi.HostBased("imap", "mail.example.test"), &o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (p party) accept(t testing.TB, o gssapi.AcceptOptions) *gssapi.SecContext {
	t.Helper()
	o.Cred = p.cred
	c, err := gssapi.AcceptContext(&o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// handshake takes both sides to the end, or to the first error, and returns the
// tokens.
func handshake(t testing.TB, i, a *gssapi.SecContext) (tokens [][]byte, iErr, aErr error) {
	t.Helper()
	var token []byte
	for leg := 0; leg < 20; leg++ {
		c, err := i, &iErr
		if leg%2 == 1 {
			c, err = a, &aErr
		}
		out, more, e := c.Step(t.Context(), token)
		if *err = e; e != nil {
			return tokens, iErr, aErr
		}
		if len(out) == 0 {
			require.False(t, more)
			return tokens, nil, nil
		}
		tokens = append(tokens, out)
		token = out
		if i.Info().Established && a.Info().Established {
			return tokens, nil, nil
		}
	}
	t.Fatal("no end")
	return nil, nil, nil
}

// establish is a handshake that succeeds.
func establish(t testing.TB, i, a *gssapi.SecContext) [][]byte {
	t.Helper()
	tokens, iErr, aErr := handshake(t, i, a)
	require.NoError(t, iErr)
	require.NoError(t, aErr)
	require.True(t, i.Info().Established)
	require.True(t, a.Info().Established)
	return tokens
}

// talk sends messages both ways.
func talk(t testing.TB, i, a *gssapi.SecContext) {
	t.Helper()
	for _, p := range [][2]*gssapi.SecContext{{i, a}, {a, i}} {
		token, err := p[0].Wrap(nil, []byte("hello"), nil)
		require.NoError(t, err)
		got, _, err := p[1].Unwrap(nil, token)
		require.NoError(t, err)
		require.Equal(t, "hello", string(got))
		mic, err := p[0].GetMIC(nil, []byte("hello"))
		require.NoError(t, err)
		require.NoError(t, p[1].VerifyMIC([]byte("hello"), mic))
	}
}

// kerberos is the pair of parties that know Kerberos alone.
func (w *world) kerberos(t testing.TB, c *spnego.Config) (i, a party) {
	return w.party(t, mech.UsageInitiate, c, "krb5", "krb5"), w.party(t, mech.UsageAccept, c, "krb5", "krb5")
}
