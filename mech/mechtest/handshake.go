package mechtest

import (
	"fmt"
	"testing"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// impossible is a flag that no mechanism has.
const impossible mech.Flags = 1 << 30

func (h *Harness) handshake(t *testing.T) {
	for _, flags := range h.Handshakes {
		t.Run(fmt.Sprint(flags), func(t *testing.T) { h.established(t, flags) })
	}
	t.Run("require", h.require)
	t.Run("bindings", h.bindings)
	if h.Initiator.Info().HasAttr(mech.MAAuthInitAnon) {
		t.Run("anonymous", h.anonymous)
	}
}

// established checks what both sides say about a context.
func (h *Harness) established(t *testing.T, flags mech.Flags) {
	i := h.initiate(t, mech.InitRequest{Flags: flags})
	a := h.accept(t, mech.AcceptRequest{})
	if i.Info().Established || a.Info().Established {
		t.Error("established before the first Step")
	}
	oi, oa := loop(t, i, a)
	must(t, "initiator", oi.err)
	must(t, "acceptor", oa.err)

	ii, ai := i.Info(), a.Info()
	if !ii.Initiator || ai.Initiator || !ii.Established || !ai.Established {
		t.Errorf("sides %v and %v, established %v and %v", ii.Initiator, ai.Initiator, ii.Established, ai.Established)
	}
	const agreed = protected | mech.FlagDCEStyle
	if x, y := ii.Flags&agreed, ai.Flags&agreed; x != y {
		t.Errorf("the initiator has the flags %v, the acceptor %v", x, y)
	}
	if missing := flags & protected &^ ii.Flags; missing != 0 {
		t.Errorf("asked for %v, missing are %v", flags, missing)
	}
	if !flags.Has(mech.FlagMutual) && !flags.Has(mech.FlagDCEStyle) && ii.Flags.Has(mech.FlagMutual) {
		t.Error("mutual authentication without being asked for")
	}
	for side, info := range map[string]mech.ContextInfo{"initiator": ii, "acceptor": ai} {
		if info.Mech.IsZero() || info.InitiatorName == nil {
			t.Errorf("the %s knows mechanism %v and initiator %v", side, info.Mech, info.InitiatorName)
		}
		if !info.Expires.IsZero() && time.Until(info.Expires) < 0 {
			t.Errorf("the %s's context expired at %v", side, info.Expires)
		}
		if info.Delegated != nil {
			t.Errorf("the %s has a delegated credential that nobody asked for", side)
		}
	}
	if ii.InitiatorName != nil && ai.InitiatorName != nil && !sameName(ii.InitiatorName, ai.InitiatorName) {
		t.Error("the sides disagree about the initiator")
	}
	if ii.Target == nil || !ii.Target.Equal(h.target(t)) && ii.AcceptorName == nil {
		t.Error("the initiator does not know its target")
	}
	if ii.Flags.Has(mech.FlagMutual) && (ii.AcceptorName == nil || !sameName(ii.AcceptorName, ai.AcceptorName)) {
		t.Error("the sides disagree about the acceptor")
	}
}

// sameName compares names that two values of a mechanism may have made.
func sameName(a, b mech.Name) bool {
	if a == nil || b == nil {
		return false
	}
	x, err1 := a.Export()
	y, err2 := b.Export()
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// require checks that a context which lacks a required flag never opens.
func (h *Harness) require(t *testing.T) {
	for _, flags := range h.Handshakes {
		t.Run(fmt.Sprint("initiator ", flags), func(t *testing.T) {
			i := h.initiate(t, mech.InitRequest{Flags: flags, Require: impossible})
			oi, _ := loop(t, i, h.accept(t, mech.AcceptRequest{}))
			if oi.err == nil {
				t.Error("the initiator's context opened without a required flag")
			}
			_, _, err := i.Step(t.Context(), nil)
			want(t, "Step after that", err, gsserr.ErrNoContext)
		})
		t.Run(fmt.Sprint("acceptor ", flags), func(t *testing.T) {
			a := h.accept(t, mech.AcceptRequest{Require: impossible})
			i := h.initiate(t, mech.InitRequest{Flags: flags})
			oi, oa := loop(t, i, a)
			if oa.err == nil {
				t.Error("the acceptor's context opened without a required flag")
			}
			if flags.Has(mech.FlagMutual) && oi.done {
				t.Error("the acceptor let the initiator's context open")
			}
		})
	}
}

// bindings checks the combinations of channel bindings.
func (h *Harness) bindings(t *testing.T) {
	one := &mech.ChannelBindings{Application: []byte("tls-unique:one")}
	two := &mech.ChannelBindings{Application: []byte("tls-unique:two")}
	for _, tt := range []struct {
		name     string
		i, a     *mech.ChannelBindings
		optional bool
		bound    bool
		err      gsserr.Major
	}{
		{"same", one, one, false, true, 0},
		{"same, optional", one, one, true, true, 0},
		{"different", one, two, false, false, gsserr.ErrBadBindings},
		{"different, optional", one, two, true, false, gsserr.ErrBadBindings},
		{"address", one, &mech.ChannelBindings{AcceptorType: mech.AddrInet, Application: one.Application}, false, false, gsserr.ErrBadBindings},
		{"none sent", nil, one, false, false, gsserr.ErrBadBindings},
		{"none sent, optional", nil, one, true, false, 0},
		{"none expected", one, nil, false, false, 0},
		{"none", nil, nil, false, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := h.initiate(t, mech.InitRequest{Flags: protected, Bindings: tt.i})
			a := h.accept(t, mech.AcceptRequest{Bindings: tt.a, BindingsOptional: tt.optional})
			oi, oa := loop(t, i, a)
			if tt.err != 0 {
				want(t, "acceptor", oa.err, tt.err)
				return
			}
			must(t, "initiator", oi.err)
			must(t, "acceptor", oa.err)
			if got := a.Info().Flags.Has(mech.FlagChannelBound); got != tt.bound {
				t.Errorf("channel bound = %v, want %v", got, tt.bound)
			}
		})
	}
}

// anonymous checks that nobody gets in only where nobody is welcome.
func (h *Harness) anonymous(t *testing.T) {
	_, oa := loop(t, h.initiate(t, mech.InitRequest{Flags: protected | mech.FlagAnon}), h.accept(t, mech.AcceptRequest{}))
	want(t, "acceptor", oa.err, gsserr.ErrUnauthorized)
	a := h.accept(t, mech.AcceptRequest{AllowAnonymous: true})
	_, oa = loop(t, h.initiate(t, mech.InitRequest{Flags: protected | mech.FlagAnon}), a)
	must(t, "acceptor with AllowAnonymous", oa.err)
	if !a.Info().Flags.Has(mech.FlagAnon) {
		t.Error("the flag says that the initiator has a name")
	}
}
