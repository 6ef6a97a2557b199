package names_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

// The frame of RFC 2743 §3.2, around a Kerberos principal as MIT exports it.
func TestExport(t *testing.T) {
	n := names.FromMech(principal{}, nil)
	b, err := n.Export()
	require.NoError(t, err)
	require.Equal(t, "0401"+"000b"+"06092a864886f712010202"+"00000011"+hex.EncodeToString([]byte("alice@EXAMPLE.COM")), hex.EncodeToString(b))
	key, err := n.Key()
	require.NoError(t, err)
	require.Equal(t, string(b), key)

	// RFC 6680 §7.3; a mechanism without attributes writes an empty block.
	b, err = n.ExportComposite()
	require.NoError(t, err)
	require.Equal(t, "0402"+"000b"+"06092a864886f712010202"+"00000011"+hex.EncodeToString([]byte("alice@EXAMPLE.COM"))+"00000000", hex.EncodeToString(b))

	for n, want := range map[*names.Name]gsserr.Major{
		ptr(names.User("alice")): gsserr.ErrNameNotMN, ptr(names.Name{}): readName,
	} {
		_, err := n.Export()
		require.ErrorIs(t, err, want)
		_, err = n.ExportComposite()
		require.ErrorIs(t, err, want)
		_, err = n.Key()
		require.ErrorIs(t, err, want)
	}
}

func ptr(n names.Name) *names.Name { return &n }

// long is a name that does not fit an exported name, broken one that has none.
type (
	long   struct{ principal }
	broken struct{ principal }
)

func (long) Export() ([]byte, error) { return make([]byte, names.MaxName), nil }
func (broken) Export() ([]byte, error) {
	return nil, gsserr.New("export_name", gsserr.ErrBadName, nil)
}

func TestExportErrors(t *testing.T) {
	for _, n := range []mech.Name{long{}, broken{}} {
		_, err := names.FromMech(n, nil).Export()
		require.ErrorIs(t, err, gsserr.ErrBadName)
		_, err = names.FromMech(n, nil).ExportComposite()
		require.ErrorIs(t, err, gsserr.ErrBadName)
	}
}

func TestImportExported(t *testing.T) {
	r, toy, other := world(t)
	attributed, err := canonical(t, names.User("alice"), toy).WithAttribute("colour", mech.Attribute{Values: [][]byte{[]byte("red")}})
	require.NoError(t, err)
	for _, n := range []names.Name{
		canonical(t, names.User("alice"), toy), canonical(t, names.HostBased("imap", "Mail"), toy),
		canonical(t, names.User("alice"), other), attributed,
	} {
		b, err := n.Export()
		require.NoError(t, err)
		back, err := names.ImportExported(b, r)
		require.NoError(t, err)
		require.True(t, back.Equal(n))
		require.Empty(t, back.Attributes())
		c, err := n.ExportComposite()
		require.NoError(t, err)
		back, err = names.ImportExported(c, r)
		require.NoError(t, err)
		require.True(t, back.Equal(n))
		require.Equal(t, n.Attributes(), back.Attributes())
		if len(n.Attributes()) > 0 {
			require.Contains(t, string(c), "red")
		}
		for i := range b {
			_, err := names.ImportExported(b[:i], r)
			require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "%d bytes", i)
		}
		for i := range c {
			_, err := names.ImportExported(c[:i], r)
			require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "%d bytes", i)
		}
		for _, b := range [][]byte{b, c} {
			_, err = names.ImportExported(append(bytes.Clone(b), 0), r)
			require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
		}
		_, err = names.ImportExported(b, nil)
		require.ErrorIs(t, err, gsserr.ErrBadMech)
	}
	// The result is an MN of the registry's mechanism, good for mixed comparison.
	b, err := canonical(t, names.User("alice"), toy).Export()
	require.NoError(t, err)
	back, err := names.ImportExported(b, r)
	require.NoError(t, err)
	require.True(t, back.Equal(names.User("alice")))
}

func TestImportExportedErrors(t *testing.T) {
	r, _, _ := world(t)
	id := mechtest.ToyOID.AppendDER(nil)
	idHex := hex.EncodeToString(id)
	n := len(id)
	name := "00000002" + hex.EncodeToString([]byte("ua"))
	frame := func(token string, idLen int, rest string) string {
		return token + hex.EncodeToString([]byte{byte(idLen >> 8), byte(idLen)}) + rest
	}
	for _, tt := range []struct {
		name, token string
		want        gsserr.Major
	}{
		{"good", frame("0401", n, idHex+name), 0},
		{"good composite", frame("0402", n, idHex+name+"00000000"), 0},
		{"empty", "", gsserr.ErrDefectiveToken},
		{"another identifier", frame("0403", n, idHex+name), gsserr.ErrDefectiveToken},
		{"mechanism not registered", frame("0401", 11, "06092a864886f712010202"+name), gsserr.ErrBadMech},
		{"OID length too large", frame("0401", n+1, idHex+name), gsserr.ErrDefectiveToken},
		{"OID length too small", frame("0401", n-1, idHex+name), gsserr.ErrDefectiveToken},
		{"OID length past the end", frame("0401", 0xffff, idHex+name), gsserr.ErrDefectiveToken},
		{"no OID", frame("0401", 0, name), gsserr.ErrDefectiveToken},
		{"another tag", frame("0401", n, "04"+idHex[2:]+name), gsserr.ErrDefectiveToken},
		{"long form of the OID's length", frame("0401", n+1, "0681"+idHex[2:]+name), gsserr.ErrDefectiveToken},
		{"name length too large", frame("0401", n, idHex+"00000003"+name[8:]), gsserr.ErrDefectiveToken},
		{"name length too small", frame("0401", n, idHex+"00000001"+name[8:]), gsserr.ErrDefectiveToken},
		{"huge name length", frame("0401", n, idHex+"ffffffff"+name[8:]), gsserr.ErrDefectiveToken},
		{"composite without attributes", frame("0402", n, idHex+name), gsserr.ErrDefectiveToken},
		{"composite, trailing", frame("0402", n, idHex+name+"0000000000"), gsserr.ErrDefectiveToken},
		{"composite, huge attributes", frame("0402", n, idHex+name+"ffffffff"), gsserr.ErrDefectiveToken},
		{"composite, bad attributes", frame("0402", n, idHex+name+"0000000100"), gsserr.ErrDefectiveToken},
		{"a name that the mechanism refuses", frame("0401", n, idHex+"0000000178"), gsserr.ErrDefectiveToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(tt.token)
			require.NoError(t, err)
			got, err := names.ImportExported(b, r)
			if tt.want == 0 {
				require.NoError(t, err)
				require.Equal(t, "a", got.String())
				return
			}
			require.ErrorIs(t, err, tt.want)
			require.True(t, got.IsZero())
		})
	}
	big := frame("0401", n, idHex+"00010000"+strings.Repeat("75", 1<<16))
	b, err := hex.DecodeString(big)
	require.NoError(t, err)
	_, err = names.ImportExported(b, r)
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
}

// plain is a mechanism that knows nothing of composite names.
type plain struct{ mech.Mechanism }

func (p plain) ImportName(text []byte, typ oid.OID) (mech.Name, error) {
	if typ == oid.NTCompositeExport {
		return nil, gsserr.New("import_name", gsserr.ErrBadNameType, nil)
	}
	return p.Mechanism.ImportName(text, typ)
}

func TestImportCompositeOfPlainMechanism(t *testing.T) {
	toy := mechtest.NewToy("secret", nil)
	n, err := canonical(t, names.User("alice"), toy).WithAttribute("colour", mech.Attribute{Values: [][]byte{[]byte("red")}})
	require.NoError(t, err)
	b, err := n.ExportComposite()
	require.NoError(t, err)
	r, err := mech.NewRegistry(plain{toy})
	require.NoError(t, err)
	back, err := names.ImportExported(b, r)
	require.NoError(t, err)
	require.Equal(t, "alice", back.String())
	require.Empty(t, back.Attributes(), "attributes that cannot be read are left out")
}

func FuzzImportExported(f *testing.F) {
	toy := mechtest.NewToy("secret", nil)
	r, err := mech.NewRegistry(toy)
	require.NoError(f, err)
	for _, n := range []names.Name{names.User("alice"), names.HostBased("imap", "mail")} {
		c, err := n.Canonicalize(f.Context(), toy)
		require.NoError(f, err)
		a, err := c.WithAttribute("colour", mech.Attribute{Values: [][]byte{[]byte("red")}})
		require.NoError(f, err)
		b, err := c.Export()
		require.NoError(f, err)
		f.Add(b)
		b, err = a.ExportComposite()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := names.ImportExported(b, r)
		if err != nil {
			if !errors.Is(err, gsserr.ErrDefectiveToken) && !errors.Is(err, gsserr.ErrBadMech) {
				t.Errorf("ImportExported(%x): %v", b, err)
			}
			return
		}
		again, err := n.Export()
		if b[1] == 2 {
			again, err = n.ExportComposite()
		}
		if err != nil {
			t.Fatalf("ImportExported(%x): does not export: %v", b, err)
		}
		back, err := names.ImportExported(again, r)
		if err != nil || !back.Equal(n) && n.Type() != oid.NTAnonymous {
			t.Errorf("ImportExported(%x) exports as %x, which is another name: %v", b, again, err)
		}
		if b[1] == 1 && !bytes.Equal(b, again) {
			t.Errorf("ImportExported(%x) exports as %x", b, again)
		}
	})
}
