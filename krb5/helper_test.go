package krb5_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

const (
	realm    = "EXAMPLE.TEST"
	password = "correct horse"
	host     = "server.example.test"
	service  = "host@" + host
)

var (
	ctx      = context.Background()
	enctypes = []krb5.Enctype{krb5.AES128SHA1, krb5.AES256SHA1, krb5.AES128SHA2, krb5.AES256SHA2}
)

const (
	allFlags    = mech.FlagMutual | mech.FlagReplay | mech.FlagSequence | mech.FlagConf | mech.FlagInteg
	onewayFlags = allFlags &^ mech.FlagMutual
)

// world is a realm with a user, a service and a mechanism with credentials of
// both.
type world struct {
	*krb5.Mechanism
	kdc    *testenv.KDC
	config krb5.Config // of Mechanism
	keytab []byte
	alice  mech.Cred
	server mech.Cred
}

func newKDC(t testing.TB, o *testenv.Options) *testenv.KDC {
	t.Helper()
	if o == nil {
		o = &testenv.Options{}
	}
	o.NoListen = true
	k := testenv.NewKDC(o)
	t.Cleanup(k.Close)
	k.AddUser("alice", password)
	return k
}

// inMemory is a Config that reaches only the KDC.
func inMemory(k *testenv.KDC) krb5.Config {
	return krb5.Config{
		ConfigText: k.Config(),
		KDC:        k,
		Getenv:     func(string) string { return "" },
		Replay:     krb5.NewReplayCache(0),
		CCache:     "FILE:/nonexistent/ccache",
		Keytab:     "FILE:/nonexistent/keytab",
		// A client keytab there is not either.
		ClientKeytab: "FILE:/nonexistent/client.keytab",
	}
}

// newWorld makes a world. The options of the KDC may be nil, change may be nil.
func newWorld(t testing.TB, o *testenv.Options, change func(*krb5.Config)) *world {
	t.Helper()
	w := &world{kdc: newKDC(t, o)}
	w.keytab = w.kdc.AddService("host/" + host)
	w.config = inMemory(w.kdc)
	if change != nil {
		change(&w.config)
	}
	w.Mechanism = krb5.New(&w.config)
	w.alice = login(t, w.Mechanism)
	w.server = w.serverCred(t, w.Mechanism)
	return w
}

func login(t testing.TB, m *krb5.Mechanism) mech.Cred {
	t.Helper()
	c, err := m.Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return []byte(password) }})
	require.NoError(t, err)
	return c
}

func (w *world) serverCred(t testing.TB, m *krb5.Mechanism) mech.Cred {
	t.Helper()
	c, err := m.KeytabCred(ctx, nil, parseKeytab(t, w.keytab))
	require.NoError(t, err)
	return c
}

func parseKeytab(t testing.TB, b []byte) *keytab.Keytab {
	t.Helper()
	kt, err := keytab.Parse(b)
	require.NoError(t, err)
	return kt
}

// with returns a second mechanism value with a changed configuration and the
// credentials that it made.
func (w *world) with(t testing.TB, change func(*krb5.Config)) *world {
	t.Helper()
	v := *w
	change(&v.config)
	v.Mechanism = krb5.New(&v.config)
	v.alice, v.server = login(t, v.Mechanism), v.serverCred(t, v.Mechanism)
	return &v
}

func importName(t testing.TB, m mech.Mechanism, text string, typ oid.OID) mech.Name {
	t.Helper()
	n, err := m.ImportName([]byte(text), typ)
	require.NoError(t, err)
	return n
}

func (w *world) target(t testing.TB) mech.Name {
	return importName(t, w.Mechanism, service, oid.NTHostBased)
}

// initiate starts a context; the credential is alice's unless r has one.
func (w *world) initiate(t testing.TB, r mech.InitRequest) mech.Context {
	t.Helper()
	if r.Creds == nil {
		r.Creds = []mech.Cred{w.alice}
	}
	c, err := w.Initiate(w.target(t), r)
	require.NoError(t, err)
	return c
}

// accept starts the other side.
func (w *world) accept(t testing.TB, r mech.AcceptRequest) mech.Context {
	t.Helper()
	if r.Creds == nil {
		r.Creds = []mech.Cred{w.server}
	}
	c, err := w.Accept(r)
	require.NoError(t, err)
	return c
}

func (w *world) flags(t testing.TB, f mech.Flags) (i, a mech.Context) {
	return w.initiate(t, mech.InitRequest{Flags: f}), w.accept(t, mech.AcceptRequest{})
}

// token is the first token of a new context.
func (w *world) token(t testing.TB, f mech.Flags) []byte {
	t.Helper()
	out, _, err := w.initiate(t, mech.InitRequest{Flags: f}).Step(ctx, nil)
	require.NoError(t, err)
	return out
}

// sideError says whose Step failed.
type sideError struct {
	initiator bool
	error
}

func (e *sideError) Unwrap() error { return e.error }

// handshake steps both sides until neither expects a token, or one fails.
func handshake(i, a mech.Context) error {
	var token []byte
	for range 10 {
		out, more, err := i.Step(ctx, token)
		if err != nil {
			return &sideError{true, err}
		}
		if len(out) == 0 && !more {
			return nil
		}
		if token, more, err = a.Step(ctx, out); err != nil {
			return &sideError{false, err}
		}
		if len(token) == 0 && !more {
			return nil
		}
	}
	return errors.New("no end")
}

func establish(t testing.TB, i, a mech.Context) {
	t.Helper()
	require.NoError(t, handshake(i, a))
	require.True(t, i.Info().Established)
	require.True(t, a.Info().Established)
}

// exchange sends a message in each direction.
func exchange(t testing.TB, i, a mech.Context) {
	t.Helper()
	for _, p := range [][2]mech.Context{{i, a}, {a, i}} {
		from, to := p[0].(mech.Protector), p[1].(mech.Protector)
		token, err := from.Wrap(nil, []byte("hello"), nil)
		require.NoError(t, err)
		msg, info, err := to.Unwrap(nil, token)
		require.NoError(t, err)
		require.Equal(t, "hello", string(msg))
		require.True(t, info.Encrypted)
		mic, err := from.GetMIC(nil, []byte("hello"), 0)
		require.NoError(t, err)
		_, err = to.VerifyMIC([]byte("hello"), mic)
		require.NoError(t, err)
	}
}

// requireCode demands an error with a major status and a Kerberos code.
func requireCode(t testing.TB, err error, major gsserr.Major, code krb5.Code) {
	t.Helper()
	var e *gsserr.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, major, e.Major, "%v", err)
	require.Equal(t, uint32(code), e.Minor, "%v", err)
	require.Equal(t, oid.Krb5, e.Mech)
	require.NotEmpty(t, e.Op)
	require.ErrorIs(t, err, major)
	if code != 0 {
		require.ErrorIs(t, err, code)
	}
}

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// counter counts and keeps the messages to a KDC.
type counter struct {
	krb5.Exchanger
	mu       sync.Mutex
	messages []krb5.Request
}

func (c *counter) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	c.mu.Lock()
	c.messages = append(c.messages, *r)
	c.mu.Unlock()
	return c.Exchanger.Exchange(ctx, r)
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.messages)
}

func tempFile(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(t.TempDir(), name)
}

func label(flags mech.Flags) string {
	switch {
	case flags.Has(mech.FlagDCEStyle):
		return "dce"
	case flags.Has(mech.FlagMutual):
		return "mutual"
	}
	return "oneway"
}

func caseName(id krb5.Enctype, flags mech.Flags) string {
	return fmt.Sprintf("%s/%s", id, label(flags))
}
