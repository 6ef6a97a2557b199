package mechtest

import (
	"context"
	"errors"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func (h *Harness) creds(t *testing.T) {
	for _, side := range []struct {
		name  string
		m     mech.Mechanism
		creds func(*testing.T) []mech.Cred
		u     mech.Usage
	}{
		{"initiator", h.Initiator, h.InitCreds, mech.UsageInitiate},
		{"acceptor", h.Acceptor, h.AcceptCreds, mech.UsageAccept},
	} {
		t.Run(side.name, func(t *testing.T) {
			var elems []mech.Cred
			if side.creds != nil {
				elems = side.creds(t)
			} else {
				c, err := side.m.AcquireCred(t.Context(), mech.CredRequest{Usage: side.u})
				must(t, "AcquireCred", err)
				elems = []mech.Cred{c}
			}
			for _, c := range elems {
				if c.Mech() == side.m.Info().OID {
					oneCred(t, side.m, c, side.u)
				}
			}
		})
	}
}

// oneCred checks what a credential says about itself.
func oneCred(t *testing.T, m mech.Mechanism, c mech.Cred, u mech.Usage) {
	if got := c.Usage(); got != u && got != mech.UsageBoth {
		t.Errorf("Usage() = %v, want %v", got, u)
	}
	info, err := c.Info(t.Context())
	must(t, "Info", err)
	if info.Usage != c.Usage() {
		t.Errorf("Info().Usage = %v, Usage() = %v", info.Usage, c.Usage())
	}
	if info.Name == nil && u == mech.UsageInitiate {
		t.Log("the initiator's credential has no name yet")
	} else if info.Name != nil && info.Name.Mech() != m.Info().OID {
		t.Errorf("the name is of mechanism %v", info.Name.Mech())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Info(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Info with a cancelled context: %v", err)
	}
	unknown := toyArc.Append(97)
	if o, ok := c.(mech.CredOptioner); ok {
		_, err := o.WithOption(unknown, nil)
		want(t, "an unknown option", err, gsserr.ErrUnavailable)
	}
	if q, ok := c.(mech.Inquirer); ok {
		_, err := q.Inquire(unknown)
		want(t, "an unknown question", err, gsserr.ErrUnavailable)
		_, err = q.Inquire(oid.OID{})
		want(t, "no question", err, gsserr.ErrUnavailable)
	}
	x, ok := c.(mech.Exporter)
	i, ok2 := m.(mech.CredImporter)
	if !ok || !ok2 {
		return
	}
	token, err := x.Export()
	if errors.Is(err, gsserr.ErrUnavailable) {
		return
	}
	must(t, "Export", err)
	back, err := i.ImportCred(token)
	must(t, "ImportCred", err)
	if got, err := back.Info(t.Context()); err != nil || got.Usage != info.Usage ||
		(info.Name != nil && !info.Name.Equal(got.Name)) {
		t.Errorf("exported %+v, imported %+v, %v", info, got, err)
	}
	for n := range token {
		_, err := i.ImportCred(token[:n])
		if err == nil {
			t.Errorf("an exported credential cut to %d of %d bytes is accepted", n, len(token))
		}
		checkError(t, err)
	}
}
