package mechtest

import (
	"bytes"
	"errors"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// prf checks the pseudo-random function of RFC 4401.
func (h *Harness) prf(t *testing.T) {
	i, a := h.pair(t, protected)
	other, _ := h.pair(t, protected)
	seen := make(map[string]string)
	if _, err := i.(mech.PRF).PRF(nil, true, nil, 1); errors.Is(err, gsserr.ErrUnavailable) {
		t.Skip("the mechanism has no pseudo-random function")
	}
	for _, full := range []bool{true, false} {
		for _, in := range []string{"", "one", "two"} {
			out, err := i.(mech.PRF).PRF([]byte("before"), full, []byte(in), 100)
			must(t, "PRF", err)
			out, ok := bytes.CutPrefix(out, []byte("before"))
			if !ok || len(out) != 100 {
				t.Fatalf("PRF returned %d bytes behind what was in dst (%v)", len(out), ok)
			}
			peer, err := a.(mech.PRF).PRF(nil, full, []byte(in), 100)
			must(t, "PRF of the peer", err)
			if !bytes.Equal(out, peer) {
				t.Errorf("PRF(%v, %q): the sides disagree", full, in)
			}
			short, err := i.(mech.PRF).PRF(nil, full, []byte(in), 7)
			must(t, "PRF", err)
			if !bytes.HasPrefix(out, short) {
				t.Errorf("PRF(%v, %q): seven bytes are not the first of a hundred", full, in)
			}
			if strange, err := other.(mech.PRF).PRF(nil, full, []byte(in), 100); err == nil && bytes.Equal(out, strange) {
				t.Errorf("PRF(%v, %q): another context has the same", full, in)
			}
			if full {
				if was, ok := seen[string(out)]; ok {
					t.Errorf("PRF of %q and %q are the same", was, in)
				}
				seen[string(out)] = in
			}
		}
	}
	out, err := i.(mech.PRF).PRF(nil, true, nil, 0)
	if err != nil || len(out) != 0 {
		t.Errorf("PRF of no bytes = %x, %v", out, err)
	}
}

// export checks that a context goes on where it was exported.
func (h *Harness) export(t *testing.T) {
	m, ok := h.Initiator.(mech.ContextImporter)
	if !ok {
		t.Skip("the mechanism imports no contexts")
	}
	i, a := h.protectors(t, protected)
	before := i.(mech.Context).Info()
	early, err := i.Wrap(nil, []byte("early"), nil)
	must(t, "Wrap", err)
	_, _, err = a.Unwrap(nil, early)
	must(t, "Unwrap", err)
	reply, err := a.Wrap(nil, []byte("reply"), nil)
	must(t, "Wrap", err)
	_, _, err = i.Unwrap(nil, reply)
	must(t, "Unwrap", err)

	token, err := i.(mech.Exporter).Export()
	if errors.Is(err, gsserr.ErrUnavailable) {
		t.Skip("the mechanism exports no contexts")
	}
	must(t, "Export", err)
	noMessages(t, i.(mech.Context))
	c, err := m.ImportContext(token)
	must(t, "ImportContext", err)
	t.Cleanup(func() { _ = c.Close() })

	after := c.Info()
	if after.Flags != before.Flags || after.Initiator != before.Initiator || !after.Established ||
		!sameName(after.InitiatorName, before.InitiatorName) || !sameName(after.AcceptorName, before.AcceptorName) ||
		after.Expires.Unix() != before.Expires.Unix() {
		t.Errorf("exported %+v, imported %+v", before, after)
	}
	p, ok := c.(mech.Protector)
	if !ok {
		t.Fatal("the imported context protects no messages")
	}
	next, err := p.Wrap(nil, []byte("next"), nil)
	must(t, "Wrap", err)
	if out, _, err := a.Unwrap(nil, next); err != nil || string(out) != "next" {
		t.Errorf("the imported context does not go on where the other stopped: %q, %v", out, err)
	}
	_, _, err = p.Unwrap(nil, reply)
	if gsserr.MajorOf(err) != gsserr.ErrDuplicateToken {
		t.Errorf("the imported context forgot which tokens it has seen: %v", err)
	}
	for n := range token {
		if c, err := m.ImportContext(token[:n]); err == nil {
			_ = c.Close()
			t.Errorf("a context token cut to %d of %d bytes is accepted", n, len(token))
		}
	}
}
