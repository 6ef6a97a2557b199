package mechtest

import (
	"bytes"
	"context"
	"slices"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

func (h *Harness) misuse(t *testing.T) {
	t.Run("step after the end", func(t *testing.T) {
		i, a := h.pair(t, protected)
		for side, c := range map[string]mech.Context{"initiator": i, "acceptor": a} {
			_, _, err := c.Step(t.Context(), nil)
			want(t, side, err, gsserr.ErrNoContext)
		}
	})
	t.Run("messages before the end", func(t *testing.T) {
		i := h.initiate(t, mech.InitRequest{Flags: protected})
		noMessages(t, i)
		_, _, err := i.Step(t.Context(), nil)
		must(t, "Step", err)
		noMessages(t, i)
		noMessages(t, h.accept(t, mech.AcceptRequest{}))
	})
	t.Run("close", func(t *testing.T) {
		i, a := h.pair(t, protected)
		fresh := h.initiate(t, mech.InitRequest{Flags: protected})
		for _, c := range []mech.Context{i, a, fresh} {
			must(t, "Close", c.Close())
			must(t, "Close again", c.Close())
			noMessages(t, c)
			_, _, err := c.Step(t.Context(), nil)
			want(t, "Step after Close", err, gsserr.ErrNoContext)
			_ = c.Info()
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := h.initiate(t, mech.InitRequest{Flags: protected}).Step(ctx, nil)
		checkError(t, err)
	})
	t.Run("nil target", func(t *testing.T) {
		_, err := h.Initiator.Initiate(nil, mech.InitRequest{Flags: protected})
		want(t, "Initiate", err, gsserr.ErrBadName)
	})
	t.Run("bad tokens", h.badTokens)
}

// noMessages checks that a context refuses to protect messages.
func noMessages(t *testing.T, c mech.Context) {
	t.Helper()
	if p, ok := c.(mech.Protector); ok {
		_, err := p.Wrap(nil, []byte("m"), nil)
		want(t, "Wrap", err, gsserr.ErrNoContext)
		out, _, err := p.Unwrap(nil, make([]byte, 64))
		want(t, "Unwrap", err, gsserr.ErrNoContext)
		if len(out) > 0 {
			t.Error("Unwrap returned bytes with an error")
		}
		_, err = p.GetMIC(nil, []byte("m"), 0)
		want(t, "GetMIC", err, gsserr.ErrNoContext)
		_, err = p.VerifyMIC([]byte("m"), make([]byte, 64))
		want(t, "VerifyMIC", err, gsserr.ErrNoContext)
		_, err = p.WrapSizeLimit(100, nil)
		want(t, "WrapSizeLimit", err, gsserr.ErrNoContext)
	}
	if p, ok := c.(mech.PRF); ok {
		_, err := p.PRF(nil, true, nil, 16)
		want(t, "PRF", err, gsserr.ErrNoContext)
	}
	if x, ok := c.(mech.Exporter); ok {
		_, err := x.Export()
		want(t, "Export", err, gsserr.ErrNoContext)
	}
}

// badTokens gives each side tokens that are not the peer's.
func (h *Harness) badTokens(t *testing.T) {
	first := func(t *testing.T) ([]byte, mech.Context) {
		i := h.initiate(t, mech.InitRequest{Flags: protected})
		out, _, err := i.Step(t.Context(), nil)
		must(t, "first Step", err)
		return out, i
	}
	token, i := first(t)
	a := h.accept(t, mech.AcceptRequest{})
	reply, more, err := a.Step(t.Context(), slices.Clone(token))
	must(t, "acceptor", err)

	if !h.Replayable {
		_, _, err := h.accept(t, mech.AcceptRequest{}).Step(t.Context(), slices.Clone(token))
		if err == nil {
			t.Error("the first token is accepted twice")
		}
		checkError(t, err)
	}
	whole, _ := h.pair(t, protected)
	who := whole.Info().InitiatorName
	refused := func(t *testing.T, what string, c mech.Context, in []byte) {
		t.Helper()
		out, more, err := c.Step(t.Context(), in)
		if err == nil && h.Loose && (more || sameName(c.Info().InitiatorName, who)) {
			return
		}
		if err == nil {
			t.Errorf("%s is accepted", what)
			return
		}
		if out != nil || more {
			t.Errorf("%s: Step = %x, %v with error %v", what, out, more, err)
		}
		checkError(t, err)
		_, _, err = c.Step(t.Context(), in)
		want(t, "Step after an error", err, gsserr.ErrNoContext)
	}
	strange := [][]byte{nil, {}, {0}, {0x60}, bytes.Repeat([]byte{0xff}, 300), make([]byte, 300),
		mech.AppendToken(nil, toyArc.Append(96), []byte("body")), mech.AppendToken(nil, h.Acceptor.Info().OID, nil),
		append(slices.Clone(token), 0)}
	for n := 1; n < len(token); n += 1 + n/16 {
		strange = append(strange, token[:n])
	}
	for _, b := range strange {
		refused(t, "a strange first token", h.accept(t, mech.AcceptRequest{}), b)
	}

	// A flipped bit is refused, or is one that does not matter: the peer is who
	// it was.
	for n := 0; n < len(token); n += 1 + n/64 {
		b, _ := first(t)
		if n >= len(b) {
			break
		}
		b[n] ^= 1 << (n % 8)
		c := h.accept(t, mech.AcceptRequest{})
		_, more, err := c.Step(t.Context(), b)
		checkError(t, err)
		if err == nil && !(h.Loose && more) && !sameName(c.Info().InitiatorName, who) {
			t.Errorf("a flip in byte %d of the first token changes the initiator", n)
		}
	}

	if len(reply) == 0 {
		return
	}
	refused(t, "its own token", i, token)
	for n := 0; n < len(reply); n += 1 + n/32 {
		_, i := first(t)
		refused(t, "another context's reply", i, reply)
		b, i := first(t)
		own, _, err := h.accept(t, mech.AcceptRequest{}).Step(t.Context(), b)
		must(t, "acceptor", err)
		if n >= len(own) {
			break
		}
		own[n] ^= 1 << (n % 8)
		refused(t, "a reply with a flipped bit", i, own)
		if n > 0 {
			_, i = first(t)
			refused(t, "a truncated reply", i, own[:n])
		}
	}
	if more {
		refused(t, "its own reply", a, reply)
	}
}

// foreign checks that values of others are refused.
func (h *Harness) foreign(t *testing.T) {
	flags := mech.InitRequest{Flags: protected}
	// Strangers are passed over, but the default credential must not be taken
	// in their place.
	r := flags
	r.Creds = []mech.Cred{stranger{}}
	i, err := h.Initiator.Initiate(h.target(t), r)
	if err == nil {
		_, _, err = i.Step(t.Context(), nil)
	}
	want(t, "an initiator with a stranger's credential", err, gsserr.ErrNoCred)
	token, _, err := h.initiate(t, flags).Step(t.Context(), nil)
	must(t, "first Step", err)
	a, err := h.Acceptor.Accept(mech.AcceptRequest{Creds: []mech.Cred{stranger{}}})
	if err == nil {
		_, _, err = a.Step(t.Context(), token)
	}
	want(t, "an acceptor with a stranger's credential", err, gsserr.ErrNoCred)

	if h.Foreign == nil {
		return
	}
	name, err := h.Foreign.ImportName([]byte(h.Target.Text), h.Target.Type)
	must(t, "ImportName", err)
	_, err = h.Initiator.Initiate(name, flags)
	want(t, "a foreign target", err, gsserr.ErrDefectiveCredential)
	_, err = h.Initiator.AcquireCred(t.Context(), mech.CredRequest{Name: name, Usage: mech.UsageAccept})
	want(t, "a foreign name", err, gsserr.ErrDefectiveCredential)
	if c, ok := h.Initiator.(mech.Canonicalizer); ok {
		_, err = c.Canonicalize(t.Context(), name)
		want(t, "canonicalizing a foreign name", err, gsserr.ErrDefectiveCredential)
	}
	for _, u := range []mech.Usage{mech.UsageInitiate, mech.UsageAccept} {
		var cred mech.Cred
		if h.ForeignCred != nil {
			cred = h.ForeignCred(t, u)
		} else if cred, err = h.Foreign.AcquireCred(t.Context(), mech.CredRequest{Usage: u}); err != nil {
			t.Logf("no foreign credential to %v: %v", u, err)
			continue
		}
		var c mech.Context
		if u == mech.UsageInitiate {
			r.Creds = []mech.Cred{cred}
			c, err = h.Initiator.Initiate(h.target(t), r)
		} else {
			c, err = h.Acceptor.Accept(mech.AcceptRequest{Creds: []mech.Cred{cred}})
		}
		if err == nil {
			_, _, err = c.Step(t.Context(), nil)
		}
		want(t, "a foreign credential to "+u.String(), err, gsserr.ErrDefectiveCredential)
	}
}
