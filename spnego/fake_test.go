package spnego

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// fake is a mechanism whose tokens are the same every time, for tests of the
// negotiation alone: the tokens of leg 1, 2 … are texts with a MAC. It takes as
// many legs as it is told, the initiator's come first.
type fake struct {
	id      oid.OID
	aliases []oid.OID
	attrs   []oid.OID
	legs    int
	noInteg bool   // messages cannot be protected
	wants   []byte // answer to oid.SPNEGORequireMIC

	noName, noInitiate, noStep, noAccept error // at which step it fails, and how
	noCred                               bool  // no default credential to accept with
	resets                               *[]byte
}

// The OIDs of fakes.
var (
	oidA = must(oid.Parse("1.3.6.1.4.1.32473.8.1"))
	oidB = must(oid.Parse("1.3.6.1.4.1.32473.8.2"))
	oidC = must(oid.Parse("1.3.6.1.4.1.32473.8.3"))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const fakeMinor = 4711

func (f *fake) fail(major gsserr.Major) error {
	e := gsserr.New("fake", major, nil)
	e.Mech, e.Minor = f.id, fakeMinor
	return e
}

func (f *fake) Info() mech.Info {
	return mech.Info{OID: f.id, Aliases: f.aliases, Attrs: f.attrs, Name: "fake", NameTypes: []oid.OID{oid.NTHostBased}}
}

func (f *fake) ImportName(text []byte, typ oid.OID) (mech.Name, error) {
	if f.noName != nil {
		return nil, f.noName
	}
	return &fakeName{f, string(text)}, nil
}

type fakeName struct {
	f    *fake
	text string
}

func (n *fakeName) Mech() oid.OID              { return n.f.id }
func (n *fakeName) Display() (string, oid.OID) { return n.text, oid.NTHostBased }
func (n *fakeName) Export() ([]byte, error)    { return []byte(n.text), nil }
func (n *fakeName) Equal(o mech.Name) bool     { return n == o }

func (f *fake) AcquireCred(context.Context, mech.CredRequest) (mech.Cred, error) {
	if f.noCred {
		return nil, f.fail(gsserr.ErrNoCred)
	}
	return &fakeCred{f.id, mech.UsageBoth}, nil
}

type fakeCred struct {
	id    oid.OID
	usage mech.Usage
}

func (c *fakeCred) Mech() oid.OID                               { return c.id }
func (c *fakeCred) Usage() mech.Usage                           { return c.usage }
func (c *fakeCred) Info(context.Context) (mech.CredInfo, error) { return mech.CredInfo{}, nil }

func (f *fake) Initiate(n mech.Name, _ mech.InitRequest) (mech.Context, error) {
	if f.noInitiate != nil {
		return nil, f.noInitiate
	}
	if n.(*fakeName).f != f {
		return nil, errors.New("a name of another mechanism")
	}
	return &fakeContext{f: f, initiator: true}, nil
}

func (f *fake) Accept(mech.AcceptRequest) (mech.Context, error) {
	if f.noAccept != nil {
		return nil, f.noAccept
	}
	return &fakeContext{f: f}, nil
}

type fakeContext struct {
	f         *fake
	initiator bool
	leg       int // the last one sent or received
	closed    bool
	set       []byte // option
	broken    error  // what VerifyMIC adds
}

func (f *fake) mac(parts ...[]byte) []byte {
	h := hmac.New(sha256.New, f.id.DER())
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return h.Sum(nil)[:8]
}

func (f *fake) token(leg int) []byte {
	text := fmt.Appendf(nil, "leg %d ", leg)
	return append(text, f.mac(text)...)
}

var fakeError = []byte("fake error")

func (c *fakeContext) Step(ctx context.Context, in []byte) ([]byte, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	switch {
	case c.closed:
		return nil, false, c.f.fail(gsserr.ErrNoContext)
	case c.f.noStep != nil:
		return nil, false, c.f.noStep
	case c.initiator && c.leg == 0:
		if len(in) > 0 {
			return nil, false, c.f.fail(gsserr.ErrDefectiveToken)
		}
	case bytes.Equal(in, fakeError):
		return nil, false, c.f.fail(gsserr.ErrUnauthorized)
	case !bytes.Equal(in, c.f.token(c.leg+1)):
		e := c.f.fail(gsserr.ErrBadMIC).(*gsserr.Error)
		e.Token = fakeError
		return nil, false, e
	default:
		c.leg++
	}
	if c.leg == c.f.legs {
		return nil, false, nil
	}
	c.leg++
	return c.f.token(c.leg), c.leg < c.f.legs, nil
}

func (c *fakeContext) open() bool { return c.leg == c.f.legs && !c.closed }

func (c *fakeContext) Info() mech.ContextInfo {
	i := mech.ContextInfo{Mech: c.f.id, Initiator: c.initiator, Established: c.open(), Flags: mech.FlagTrans}
	if !c.f.noInteg {
		i.Flags |= mech.FlagInteg | mech.FlagProtReady
	}
	return i
}

func (c *fakeContext) Close() error { c.closed = true; return nil }

func (c *fakeContext) direction(send bool) []byte {
	if send == c.initiator {
		return []byte("initiator")
	}
	return []byte("acceptor")
}

func (c *fakeContext) GetMIC(dst, msg []byte, _ mech.QOP) ([]byte, error) {
	if !c.open() {
		return dst, c.f.fail(gsserr.ErrNoContext)
	}
	return append(dst, c.f.mac(c.direction(true), msg)...), nil
}

func (c *fakeContext) VerifyMIC(msg, mic []byte) (mech.QOP, error) {
	if !c.open() {
		return 0, c.f.fail(gsserr.ErrNoContext)
	}
	if !hmac.Equal(mic, c.f.mac(c.direction(false), msg)) {
		return 0, c.f.fail(gsserr.ErrBadMIC)
	}
	return 0, c.broken
}

func (c *fakeContext) Wrap(dst, msg []byte, _ *mech.WrapOptions) ([]byte, error) {
	return append(dst, msg...), nil
}

func (c *fakeContext) Unwrap(dst, token []byte) ([]byte, mech.MessageInfo, error) {
	return append(dst, token...), mech.MessageInfo{}, nil
}

func (c *fakeContext) WrapSizeLimit(size int, _ *mech.WrapOptions) (int, error) { return size, nil }

func (c *fakeContext) Inquire(aspect oid.OID) ([][]byte, error) {
	if aspect == oid.SPNEGORequireMIC && c.f.wants != nil {
		return [][]byte{c.f.wants}, nil
	}
	return nil, c.f.fail(gsserr.ErrUnavailable)
}

func (c *fakeContext) SetOption(aspect oid.OID, value []byte) error {
	if aspect == oid.NTLMResetCrypto && c.f.resets != nil {
		*c.f.resets = append(*c.f.resets, value[0])
		return nil
	}
	if aspect != oidC {
		return c.f.fail(gsserr.ErrUnavailable)
	}
	c.set = value
	return nil
}

// side describes one party: the configuration and the mechanisms, in order.
type side struct {
	c     Config
	mechs []*fake
	creds []oid.OID // nil is the default credential
	neg   []oid.OID
}

func mechA(legs int) *fake { return &fake{id: oidA, legs: legs} }
func mechB(legs int) *fake { return &fake{id: oidB, legs: legs} }

func (s side) mechanism() *Mechanism {
	inner := make([]mech.Mechanism, len(s.mechs))
	for i, m := range s.mechs {
		inner[i] = m
	}
	return New(&s.c, inner...)
}

func (s side) elements() (creds []mech.Cred) {
	for _, o := range s.creds {
		creds = append(creds, &fakeCred{o, mech.UsageBoth})
	}
	return creds
}

func (s side) initiate(t testing.TB) *initiator {
	t.Helper()
	m := s.mechanism()
	n, err := m.ImportName([]byte("host@server"), oid.NTHostBased)
	require.NoError(t, err)
	c, err := m.Initiate(n, mech.InitRequest{Creds: s.elements(), NegMechs: s.neg})
	require.NoError(t, err)
	return c.(*initiator)
}

func (s side) accept(t testing.TB) *acceptor {
	t.Helper()
	c, err := s.mechanism().Accept(mech.AcceptRequest{Creds: s.elements(), NegMechs: s.neg})
	require.NoError(t, err)
	return c.(*acceptor)
}

// relay carries the tokens between two sides until both have ended or one
// fails, and returns them. Each may be changed on its way.
type relay struct {
	tokens     [][]byte
	iErr, aErr error
}

func run(t testing.TB, i, a mech.Context, change func(leg int, token []byte) []byte) relay {
	t.Helper()
	var r relay
	var token []byte
	var iDone, aDone bool
	for leg := 0; leg < 20; leg++ {
		c, err, done := i, &r.iErr, &iDone
		if leg%2 == 1 {
			c, err, done = a, &r.aErr, &aDone
		}
		require.False(t, *done, "leg %d: a token for a side that is done", leg)
		out, more, e := c.Step(t.Context(), token)
		if e != nil {
			require.Nil(t, out)
			require.False(t, more)
			*err = e
			return r
		}
		*done = !more
		if len(out) == 0 {
			require.False(t, more, "leg %d: the side says nothing and waits", leg)
			require.True(t, iDone && aDone, "leg %d: silence, and the other side waits", leg)
			return r
		}
		require.False(t, iDone && aDone, "leg %d: a token for nobody", leg)
		if change != nil {
			out = change(leg, bytes.Clone(out))
		}
		r.tokens = append(r.tokens, out)
		token = out
	}
	t.Fatal("no end")
	return r
}

// text describes a token in short.
func text(token []byte) string {
	if t, err := parseInit(token); err == nil {
		s := "init ["
		for i, m := range t.mechTypes {
			if i > 0 {
				s += " "
			}
			s += short(m)
		}
		s += "]"
		if t.negHints != nil {
			s += " hints"
		}
		return s + fields(t.mechToken, t.mechListMIC)
	}
	t, err := parseResp(token)
	if err != nil {
		return "?"
	}
	s := t.negState.String()
	if !t.supportedMech.IsZero() {
		s += " " + short(t.supportedMech)
	}
	return s + fields(t.responseToken, t.mechListMIC)
}

func fields(token, mic []byte) (s string) {
	if token != nil {
		s += " token"
	}
	if mic != nil {
		s += " mic"
	}
	return s
}

func short(o oid.OID) string {
	switch o {
	case oidA:
		return "A"
	case oidB:
		return "B"
	case oidC:
		return "C"
	case oid.Krb5:
		return "krb5"
	case oid.Krb5MS:
		return "ms-krb5"
	}
	return "?"
}

func texts(tokens [][]byte) []string {
	s := make([]string, len(tokens))
	for i, t := range tokens {
		s[i] = text(t)
	}
	return s
}
