package krb5_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

const (
	webHost  = "www.example.test"
	backHost = "db.example.test"
)

// office is a realm with a front end, HTTP/www, and a back end, sql/db.
type office struct {
	*krb5.Mechanism
	kdc   *testenv.KDC
	front mech.Cred // to initiate and accept with
	back  mech.Cred // to accept with
}

func newOffice(t testing.TB, o *testenv.Options, change func(*krb5.Config)) *office {
	t.Helper()
	k := newKDC(t, o)
	k.AddService("HTTP/" + webHost)
	k.AddService("sql/" + backHost)
	k.AddService("host/" + host)
	k.AddUser("bob", password)
	c := inMemory(k)
	c.ConfigText += "\n[libdefaults]\n\tforwardable = true\n"
	if change != nil {
		change(&c)
	}
	w := &office{Mechanism: krb5.New(&c), kdc: k}
	w.front = w.both(t, "HTTP/"+webHost)
	w.back = w.accepting(t, "sql/"+backHost)
	return w
}

func (w *office) keytab(t testing.TB, service string) *keytab.Keytab {
	return parseKeytab(t, w.kdc.UserKeytab(service))
}

func (w *office) accepting(t testing.TB, service string) mech.Cred {
	t.Helper()
	c, err := w.KeytabCred(ctx, nil, w.keytab(t, service))
	require.NoError(t, err)
	return c
}

// both is a service's credential from a keytab file, for both uses.
func (w *office) both(t testing.TB, service string) mech.Cred {
	t.Helper()
	file := tempFile(t, "keytab")
	kt := w.keytab(t, service)
	require.NoError(t, kt.Write(file))
	c, err := w.AcquireCred(ctx, mech.CredRequest{
		Name:  importName(t, w.Mechanism, service, oid.NTKrb5Principal),
		Usage: mech.UsageBoth,
		Store: map[string]string{"keytab": file, "client_keytab": file},
	})
	require.NoError(t, err)
	return c
}

// logIn returns a user's credential.
func (w *office) logIn(t testing.TB, user string) mech.Cred {
	t.Helper()
	c, err := w.Login(ctx, user, &krb5.LoginOptions{Password: secret})
	require.NoError(t, err)
	return c
}

// connect establishes a context from one credential to the acceptor.
func (w *office) connect(t testing.TB, from mech.Cred, target string, to mech.Cred) (i, a mech.Context, err error) {
	t.Helper()
	i, err = w.Initiate(importName(t, w.Mechanism, target, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{from}, Flags: allFlags})
	require.NoError(t, err)
	a, err = w.Accept(mech.AcceptRequest{Creds: []mech.Cred{to}})
	require.NoError(t, err)
	return i, a, handshake(i, a)
}

func (w *office) impersonate(t testing.TB, by mech.Cred, user string, typ oid.OID) (mech.Cred, error) {
	t.Helper()
	return by.(mech.Impersonator).Impersonate(ctx, importName(t, w.Mechanism, user, typ), mech.CredRequest{Usage: mech.UsageInitiate})
}

func peerOf(c mech.Context) string {
	text, _ := c.Info().InitiatorName.Display()
	return text
}

func impersonatorOf(t testing.TB, c mech.Cred) []string {
	t.Helper()
	answers, err := c.(mech.Inquirer).Inquire(oid.Krb5CredImpersonator)
	require.NoError(t, err)
	var list []string
	for _, a := range answers {
		list = append(list, string(a))
	}
	return list
}

// TestImpersonate: S4U2Self gives the service a credential of the user's name,
// good for the service itself, and by S4U2Proxy for those it may act towards.
func TestImpersonate(t *testing.T) {
	for _, id := range enctypes {
		t.Run(id.String(), func(t *testing.T) {
			w := newOffice(t, &testenv.Options{Enctypes: []int32{int32(id)}}, nil)
			w.kdc.ProtocolTransition("HTTP@"+webHost, true)
			w.kdc.AllowDelegation("HTTP@"+webHost, "sql@"+backHost)
			p, err := w.impersonate(t, w.front, "alice", oid.NTUserName)
			require.NoError(t, err)
			require.Equal(t, mech.UsageInitiate, p.Usage())
			info, err := p.Info(ctx)
			require.NoError(t, err)
			text, _ := info.Name.Display()
			require.Equal(t, "alice@"+realm, text)
			require.Equal(t, []string{"HTTP/" + webHost + "@" + realm}, impersonatorOf(t, p))
			require.Empty(t, impersonatorOf(t, w.front))

			for target, to := range map[string]mech.Cred{"sql@" + backHost: w.back, "HTTP@" + webHost: w.front} {
				i, a, err := w.connect(t, p, target, to)
				require.NoError(t, err)
				require.Equal(t, "alice@"+realm, peerOf(a))
				exchange(t, i, a)
				n := w.kdc.Requests()
				_, _, err = w.connect(t, p, target, to) // the ticket is kept
				require.NoError(t, err)
				require.Equal(t, n, w.kdc.Requests())
			}

			// Whom it may not act towards it does not reach, and not as itself.
			_, _, err = w.connect(t, p, service, w.accepting(t, "host/"+host))
			requireCode(t, err, gsserr.ErrUnauthorized, krb5.ErrBadOption)
		})
	}
}

func TestImpersonateUsers(t *testing.T) {
	w := newOffice(t, nil, nil)
	w.kdc.Alias("a.smith@corp.test", "alice")
	for _, tc := range []struct {
		user string
		typ  oid.OID
		want string
		err  error
	}{
		{"alice", oid.NTUserName, "alice", nil},
		{"alice@" + realm, oid.NTKrb5Principal, "alice", nil},
		{"bob@" + realm, oid.NTKrb5Enterprise, "bob", nil},
		{"a.smith@corp.test", oid.NTKrb5Enterprise, "alice", nil},
		{"HTTP/" + webHost, oid.NTKrb5Principal, "HTTP/" + webHost, nil}, // itself
		{"nobody", oid.NTUserName, "", krb5.ErrClientUnknown},
		{"nobody@corp.test", oid.NTKrb5Enterprise, "", krb5.ErrClientUnknown},
	} {
		t.Run(tc.user, func(t *testing.T) {
			p, err := w.impersonate(t, w.front, tc.user, tc.typ)
			if tc.err != nil {
				require.ErrorIs(t, err, tc.err)
				require.ErrorIs(t, err, gsserr.ErrNoCred)
				return
			}
			require.NoError(t, err)
			_, a, err := w.connect(t, p, "HTTP@"+webHost, w.front)
			require.NoError(t, err)
			require.Equal(t, tc.want+"@"+realm, peerOf(a))
		})
	}
}

// TestDelegationRules: who may act for whom, by which rule.
func TestDelegationRules(t *testing.T) {
	const front, back = "HTTP@" + webHost, "sql@" + backHost
	for _, tc := range []struct {
		name  string
		allow func(k *testenv.KDC)
		want  bool
	}{
		{"nothing", func(*testenv.KDC) {}, false},
		{"constrained, no protocol transition", func(k *testenv.KDC) { k.AllowDelegation(front, back) }, false},
		{"constrained, protocol transition", func(k *testenv.KDC) {
			k.AllowDelegation(front, back)
			k.ProtocolTransition(front, true)
		}, true},
		{"towards another", func(k *testenv.KDC) {
			k.AllowDelegation(front, service)
			k.ProtocolTransition(front, true)
		}, false},
		{"taken back", func(k *testenv.KDC) {
			k.ProtocolTransition(front, true)
			k.AllowDelegation(front, back)
			k.AllowDelegation(front)
		}, false},
		{"resource-based", func(k *testenv.KDC) { k.AllowDelegationFrom(back, front) }, true},
		{"resource-based, for another", func(k *testenv.KDC) { k.AllowDelegationFrom(back, service) }, false},
		{"sensitive user", func(k *testenv.KDC) {
			k.AllowDelegationFrom(back, front)
			k.Sensitive("alice", true)
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newOffice(t, nil, nil)
			tc.allow(w.kdc)
			p, err := w.impersonate(t, w.front, "alice", oid.NTUserName)
			require.NoError(t, err)
			_, a, err := w.connect(t, p, back, w.back)
			if !tc.want {
				requireCode(t, err, gsserr.ErrUnauthorized, krb5.ErrBadOption)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "alice@"+realm, peerOf(a))
		})
	}
}

// TestAcceptorActs: an acceptor that can initiate too may act for who connects,
// unless it was given more.
func TestAcceptorActs(t *testing.T) {
	w := newOffice(t, nil, nil)
	w.kdc.AllowDelegation("HTTP@"+webHost, "sql@"+backHost)
	alice := w.logIn(t, "alice")
	_, a, err := w.connect(t, alice, "HTTP@"+webHost, w.front)
	require.NoError(t, err)
	require.True(t, a.Info().Flags.Has(mech.FlagDeleg))
	d := a.Info().Delegated
	require.Equal(t, []string{"HTTP/" + webHost + "@" + realm}, impersonatorOf(t, d))
	_, a2, err := w.connect(t, d, "sql@"+backHost, w.back)
	require.NoError(t, err)
	require.Equal(t, "alice@"+realm, peerOf(a2))

	t.Run("stored and read", func(t *testing.T) {
		file := "FILE:" + tempFile(t, "ccache")
		_, err = d.(mech.Storer).Store(ctx, mech.StoreRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": file}})
		require.NoError(t, err)
		again, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": file},
			Name: importName(t, w.Mechanism, "alice", oid.NTUserName)})
		require.NoError(t, err)
		require.Equal(t, impersonatorOf(t, d), impersonatorOf(t, again))
		was, err := d.Info(ctx)
		require.NoError(t, err)
		is, err := again.Info(ctx)
		require.NoError(t, err)
		require.Equal(t, was.InitiateExpires.Unix(), is.InitiateExpires.Unix())
		_, a2, err := w.connect(t, again, "sql@"+backHost, w.back)
		require.NoError(t, err)
		require.Equal(t, "alice@"+realm, peerOf(a2))
	})
	t.Run("a forwarded ticket is better", func(t *testing.T) {
		i, err := w.Initiate(importName(t, w.Mechanism, "HTTP@"+webHost, oid.NTHostBased),
			mech.InitRequest{Creds: []mech.Cred{alice}, Flags: allFlags | mech.FlagDeleg})
		require.NoError(t, err)
		a, err := w.Accept(mech.AcceptRequest{Creds: []mech.Cred{w.front}})
		require.NoError(t, err)
		establish(t, i, a)
		require.Empty(t, impersonatorOf(t, a.Info().Delegated))
	})
	t.Run("sensitive user", func(t *testing.T) {
		w.kdc.Sensitive("bob", true)
		_, a, err := w.connect(t, w.logIn(t, "bob"), "HTTP@"+webHost, w.front)
		require.NoError(t, err)
		_, _, err = w.connect(t, a.Info().Delegated, "sql@"+backHost, w.back)
		requireCode(t, err, gsserr.ErrUnauthorized, krb5.ErrBadOption)
	})
	t.Run("to accept with only", func(t *testing.T) {
		_, a, err := w.connect(t, alice, "sql@"+backHost, w.back)
		require.NoError(t, err)
		require.Nil(t, a.Info().Delegated)
		require.False(t, a.Info().Flags.Has(mech.FlagDeleg))
	})
}

func TestImpersonateRefuses(t *testing.T) {
	w := newOffice(t, nil, nil)
	n := importName(t, w.Mechanism, "alice", oid.NTUserName)
	initiate := mech.CredRequest{Usage: mech.UsageInitiate}
	_, err := w.back.(mech.Impersonator).Impersonate(ctx, n, initiate)
	require.ErrorIs(t, err, gsserr.ErrNoCred, "it cannot initiate")
	_, err = w.front.(mech.Impersonator).Impersonate(ctx, nil, initiate)
	require.ErrorIs(t, err, gsserr.ErrBadName)
	for _, u := range []mech.Usage{mech.UsageBoth, mech.UsageAccept} {
		_, err = w.front.(mech.Impersonator).Impersonate(ctx, n, mech.CredRequest{Usage: u})
		require.ErrorIs(t, err, gsserr.ErrFailure)
	}
	p, err := w.front.(mech.Impersonator).Impersonate(ctx, n, initiate)
	require.NoError(t, err)
	_, err = p.(mech.Impersonator).Impersonate(ctx, importName(t, w.Mechanism, "bob", oid.NTUserName), initiate)
	require.ErrorIs(t, err, gsserr.ErrFailure, "it acts for somebody already")
	_, err = w.Renew(ctx, p)
	require.ErrorIs(t, err, gsserr.ErrFailure)

	// A proxy credential hands nothing on: the service's ticket is not alice's.
	i, err := w.Initiate(importName(t, w.Mechanism, "HTTP@"+webHost, oid.NTHostBased),
		mech.InitRequest{Creds: []mech.Cred{p}, Flags: allFlags | mech.FlagDeleg})
	require.NoError(t, err)
	a, err := w.Accept(mech.AcceptRequest{Creds: []mech.Cred{w.accepting(t, "HTTP/"+webHost)}})
	require.NoError(t, err)
	establish(t, i, a)
	require.False(t, i.Info().Flags.Has(mech.FlagDeleg))
	require.Equal(t, "alice@"+realm, peerOf(a))

	_, err = w.front.(mech.Inquirer).Inquire(oid.Krb5TicketFlags)
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
}

// A cache that says it acts for alice but has tickets of others is no way to
// send those under alice's name, nor alice under theirs.
func TestProxyCacheForged(t *testing.T) {
	w := newOffice(t, nil, nil)
	alice, bob := w.logIn(t, "alice"), w.logIn(t, "bob")
	store := func(c mech.Cred) *ccache.Contents {
		file := "FILE:" + tempFile(t, "ccache")
		_, err := c.(mech.Storer).Store(ctx, mech.StoreRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": file}})
		require.NoError(t, err)
		cc, err := ccache.Resolve(ctx, file, nil)
		require.NoError(t, err)
		contents, err := cc.Load(ctx)
		require.NoError(t, err)
		return contents
	}
	a, b := store(alice), store(bob)
	for name, entries := range map[string][]ccache.Credential{
		"only another's tickets": b.Entries,
		"an impersonator":        append([]ccache.Credential{ccache.ConfEntry(a.Principal, ccache.ConfProxyImpersonator, nil, []byte("bob@"+realm))}, b.Entries...),
		"nobody impersonates":    append([]ccache.Credential{ccache.ConfEntry(a.Principal, ccache.ConfProxyImpersonator, nil, []byte("@@"))}, b.Entries...),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := w.CacheCred(ctx, ccache.NewMemory(a.Principal, entries...))
			require.NoError(t, err)
			_, _, err = w.connect(t, c, "sql@"+backHost, w.back)
			require.ErrorIs(t, err, gsserr.ErrNoCred)
		})
	}
}
