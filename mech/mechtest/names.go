package mechtest

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// imported returns a name, canonical if the mechanism has such a thing.
func imported(t *testing.T, m mech.Mechanism, n Name) mech.Name {
	t.Helper()
	mn, err := m.ImportName([]byte(n.Text), n.Type)
	must(t, "ImportName "+n.Text, err)
	if c, ok := m.(mech.Canonicalizer); ok {
		mn, err = c.Canonicalize(t.Context(), mn)
		must(t, "Canonicalize "+n.Text, err)
	}
	return mn
}

func (h *Harness) names(t *testing.T) {
	m := h.Initiator
	all := make([]mech.Name, len(h.Names))
	for i, n := range h.Names {
		all[i] = imported(t, m, n)
		t.Run(n.Text, func(t *testing.T) { oneName(t, m, n, all[i]) })
	}
	for i, n := range all {
		for j, o := range all {
			if got := n.Equal(o); got != (i == j) {
				t.Errorf("%q.Equal(%q) = %v", h.Names[i].Text, h.Names[j].Text, got)
			}
		}
	}
	t.Run("bad", func(t *testing.T) { badNames(t, m) })
	t.Run("concurrent", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 4 {
			for _, n := range all {
				wg.Go(func() {
					_, _ = n.Export()
					_, _ = n.Display()
					_ = n.Equal(all[0])
				})
			}
		}
		wg.Wait()
	})
}

// oneName checks import, display, export and comparison of a name.
func oneName(t *testing.T, m mech.Mechanism, src Name, n mech.Name) {
	if n.Mech() != m.Info().OID {
		t.Errorf("Mech() = %v, want %v", n.Mech(), m.Info().OID)
	}
	if n.Equal(nil) {
		t.Error("a name is equal to nil")
	}
	text, typ := n.Display()
	if text == "" || typ.IsZero() {
		t.Errorf("Display() = %q, %v, want a text and its type", text, typ)
	}
	if again, err := m.ImportName([]byte(text), typ); err != nil || !n.Equal(again) {
		t.Errorf("the displayed name %q does not import as the same: %v", text, err)
	}
	if again := imported(t, m, src); !n.Equal(again) || !again.Equal(n) {
		t.Errorf("%q imported twice is not the same", src.Text)
	}
	out, err := n.Export()
	must(t, "Export", err)
	if again, err := n.Export(); err != nil || !bytes.Equal(out, again) {
		t.Errorf("Export gives %x and then %x, %v", out, again, err)
	}
	back, err := m.ImportName(out, oid.NTExportName)
	must(t, "ImportName of the exported name", err)
	if !back.Equal(n) || !n.Equal(back) {
		t.Error("the exported name does not import as the same")
	}
	if again, err := back.Export(); err != nil || !bytes.Equal(out, again) {
		t.Errorf("the exported name %x exports as %x, %v", out, again, err)
	}
	for i := range out { // whatever it gives, it must not panic
		if b, err := m.ImportName(out[:i], oid.NTExportName); err == nil && b.Equal(n) {
			t.Errorf("the exported name cut to %d of %d bytes is the same name", i, len(out))
		}
	}
	if b, err := m.ImportName(append(out, 0), oid.NTExportName); err == nil && b.Equal(n) {
		t.Error("the exported name with a byte more is the same name")
	}
	a, ok := n.(mech.AttributedName)
	if !ok {
		return
	}
	for _, attr := range a.Attributes() {
		if _, err := a.Attribute(attr); err != nil {
			t.Errorf("Attribute(%q): %v", attr, err)
		}
	}
	_, err = a.Attribute("no such attribute")
	want(t, "Attribute of an unknown name", err, gsserr.ErrUnavailable)
	comp, err := a.ExportComposite()
	must(t, "ExportComposite", err)
	if back, err := m.ImportName(comp, oid.NTCompositeExport); err != nil || !back.Equal(n) {
		t.Errorf("the composite name does not import as the same: %v", err)
	}
	if _, err := m.ImportName(append(comp, 0), oid.NTCompositeExport); err == nil {
		t.Error("the composite name with a byte more is accepted")
	}
}

func badNames(t *testing.T, m mech.Mechanism) {
	for _, typ := range m.Info().NameTypes {
		_, err := m.ImportName(nil, typ)
		if typ != oid.NTAnonymous && err == nil {
			t.Errorf("an empty name of type %v is accepted", typ)
		}
		checkError(t, err)
		for _, text := range []string{"\x00", "@", "\xff\xfe", "a\\", strings.Repeat("@", 1000), strings.Repeat("a/", 5000)} {
			_, err := m.ImportName([]byte(text), typ)
			checkError(t, err)
		}
	}
	_, err := m.ImportName([]byte("name"), toyArc.Append(98))
	want(t, "ImportName of an unknown type", err, gsserr.ErrBadNameType)
}
