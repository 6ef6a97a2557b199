package mechtest

import (
	"context"
	"errors"
	"slices"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Name is a name as a user would import it.
type Name struct {
	Text string
	Type oid.OID
}

// Harness says how to run a mechanism through [Run].
type Harness struct {
	// Initiator and Acceptor are the mechanism on the two sides, one value or
	// two that understand each other.
	Initiator, Acceptor mech.Mechanism
	// InitCreds and AcceptCreds return what the contexts are made with; nil is
	// the default credential.
	InitCreds, AcceptCreds func(t *testing.T) []mech.Cred
	// Target is the acceptor, as Initiator imports it.
	Target Name
	// Names are names of different entities. Two at least make a useful test.
	Names []Name
	// Handshakes are the flags of the handshakes to try. Nil is one with mutual
	// authentication, one without, both with all protection, and one with
	// integrity alone.
	Handshakes []mech.Flags
	// Foreign, if not nil, is another value of the same mechanism, configured
	// for another world. Its names and credentials must be refused. ForeignCred
	// returns one of its credentials; nil is the default one, if it has any.
	Foreign     mech.Mechanism
	ForeignCred func(t *testing.T, u mech.Usage) mech.Cred
	// Replayable says that an acceptor takes an initial token twice.
	Replayable bool
	// Loose says that tokens have parts which nothing protects, as a
	// negotiation's have, that one which is cut short is waited for, and that an
	// empty one asks the acceptor to begin. A changed token may then be taken,
	// but opens no context with anyone else.
	Loose bool
}

// protected are the flags of a context whose messages are well protected.
const protected = mech.FlagMutual | mech.FlagReplay | mech.FlagSequence | mech.FlagConf | mech.FlagInteg

// Run checks that a mechanism keeps the contract of package mech. Each check is
// a subtest. What the mechanism does not offer is left out.
func Run(t *testing.T, h Harness) {
	if h.Handshakes == nil {
		h.Handshakes = []mech.Flags{protected, protected &^ mech.FlagMutual, mech.FlagMutual | mech.FlagInteg}
	}
	t.Run("info", h.info)
	t.Run("names", h.names)
	t.Run("creds", h.creds)
	t.Run("handshake", h.handshake)
	t.Run("misuse", h.misuse)
	t.Run("foreign", h.foreign)
	i, _ := h.pair(t, protected)
	if _, ok := i.(mech.Protector); ok {
		t.Run("messages", h.messages)
	}
	if p, ok := i.(mech.IOVProtector); ok && !errors.Is(p.WrapIOVLength(iov.Message(nil), nil), gsserr.ErrUnavailable) {
		t.Run("pieces", h.pieces)
	}
	if _, ok := i.(mech.PRF); ok {
		t.Run("prf", h.prf)
	}
	if _, ok := i.(mech.Exporter); ok {
		t.Run("export", h.export)
	}
}

// initiate and accept make one side of a context.
func (h *Harness) initiate(t *testing.T, r mech.InitRequest) mech.Context {
	t.Helper()
	if r.Creds == nil && h.InitCreds != nil {
		r.Creds = h.InitCreds(t)
	}
	c, err := h.Initiator.Initiate(h.target(t), r)
	must(t, "Initiate", err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (h *Harness) accept(t *testing.T, r mech.AcceptRequest) mech.Context {
	t.Helper()
	if r.Creds == nil && h.AcceptCreds != nil {
		r.Creds = h.AcceptCreds(t)
	}
	c, err := h.Acceptor.Accept(r)
	must(t, "Accept", err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (h *Harness) target(t *testing.T) mech.Name {
	t.Helper()
	n, err := h.Initiator.ImportName([]byte(h.Target.Text), h.Target.Type)
	must(t, "ImportName of the target", err)
	return n
}

// outcome is how a handshake went for one side.
type outcome struct {
	done bool
	err  error
}

// loop takes both sides through the handshake until one fails or both are done.
func loop(t *testing.T, i, a mech.Context) (oi, oa outcome) {
	t.Helper()
	const maxLegs = 20
	var token []byte
	for leg := range maxLegs {
		c, o := i, &oi
		if leg%2 == 1 {
			c, o = a, &oa
		}
		if o.done {
			t.Fatalf("leg %d: a token of %d bytes for a side that is done", leg, len(token))
		}
		out, more, err := c.Step(t.Context(), token)
		if err != nil {
			if out != nil || more {
				t.Errorf("leg %d: Step = %d bytes, %v, with error %v; want neither with an error", leg, len(out), more, err)
			}
			checkError(t, err)
			o.err = err
			return oi, oa
		}
		o.done = !more
		if oi.done && oa.done {
			if len(out) > 0 {
				t.Errorf("leg %d: the last Step returned a token of %d bytes that nobody awaits", leg, len(out))
			}
			return oi, oa
		}
		if len(out) == 0 {
			t.Fatalf("leg %d: no token, but the other side awaits one", leg)
		}
		token = out
	}
	t.Fatalf("no end after %d legs", maxLegs)
	return oi, oa
}

// pair returns both sides of an established context.
func (h *Harness) pair(t *testing.T, flags mech.Flags) (i, a mech.Context) {
	t.Helper()
	i = h.initiate(t, mech.InitRequest{Flags: flags})
	a = h.accept(t, mech.AcceptRequest{})
	oi, oa := loop(t, i, a)
	must(t, "initiator", oi.err)
	must(t, "acceptor", oa.err)
	return i, a
}

// must ends the test on an error.
func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// want reports an error that is not the wanted one.
func want(t *testing.T, what string, err error, major gsserr.Major) {
	t.Helper()
	if !errors.Is(err, major) {
		t.Errorf("%s: error %v, want %v", what, err, major)
	}
	checkError(t, err)
}

// checkError checks that an error is one of package gsserr.
func checkError(t *testing.T, err error) {
	t.Helper()
	if e := (*gsserr.Error)(nil); err != nil && !errors.As(err, &e) {
		t.Errorf("error %v is a %T without a *gsserr.Error", err, err)
	}
}

// stranger is a credential of a mechanism that nobody knows.
type stranger struct{}

func (stranger) Mech() oid.OID     { return toyArc.Append(99) }
func (stranger) Usage() mech.Usage { return mech.UsageBoth }
func (stranger) Info(context.Context) (mech.CredInfo, error) {
	return mech.CredInfo{}, gsserr.New("inquire_cred", gsserr.ErrNoCred, nil)
}

func (h *Harness) info(t *testing.T) {
	i := h.Initiator.Info()
	if i.OID.IsZero() || i.Name == "" || len(i.NameTypes) == 0 {
		t.Errorf("Info() = %+v, want an OID, a name and name types", i)
	}
	if j := h.Acceptor.Info(); j.OID != i.OID {
		t.Errorf("the acceptor's OID is %v, want %v", j.OID, i.OID)
	}
	if slices.Contains(i.Aliases, i.OID) {
		t.Error("the OID is its own alias")
	}
	for _, a := range i.Attrs {
		if len(i.KnownAttrs) > 0 && !slices.Contains(i.KnownAttrs, a) {
			t.Errorf("attribute %v is not among the known ones", a)
		}
	}
	r, err := mech.NewRegistry(h.Initiator)
	must(t, "NewRegistry", err)
	if m, err := r.Lookup(i.OID); err != nil || m != h.Initiator {
		t.Errorf("Lookup(%v) = %v, %v, want the mechanism itself", i.OID, m, err)
	}
}
