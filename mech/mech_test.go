package mech_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
)

// info is a mechanism that is only looked up.
type info struct {
	mech.Mechanism
	i mech.Info
}

func (m *info) Info() mech.Info { return m.i }

func of(id oid.OID, name string, aliases ...oid.OID) *info {
	return &info{i: mech.Info{OID: id, Name: name, Aliases: aliases}}
}

func TestRegistry(t *testing.T) {
	krb5 := of(oid.Krb5, "krb5", oid.Krb5MS, oid.Krb5Old)
	ms := of(oid.Krb5MS, "ms")
	old := of(oid.SPNEGO, "spnego", oid.Krb5Old)
	r, err := mech.NewRegistry(krb5, ms, old)
	require.NoError(t, err)
	for _, tt := range []struct {
		id   oid.OID
		want mech.Mechanism
	}{
		{oid.Krb5, krb5},
		{oid.OID{}, krb5},   // the first is the default
		{oid.Krb5MS, ms},    // owned, not the alias
		{oid.Krb5Old, krb5}, // the earlier alias
		{oid.SPNEGO, old},
	} {
		got, err := r.Lookup(tt.id)
		require.NoError(t, err)
		require.Same(t, tt.want, got, "%v", tt.id)
	}
	_, err = r.Lookup(oid.NTLM)
	require.ErrorIs(t, err, gsserr.ErrBadMech)

	all := r.All()
	require.Equal(t, []mech.Mechanism{krb5, ms, old}, all)
	all[0] = nil
	require.Equal(t, []mech.Mechanism{krb5, ms, old}, r.All(), "the registry is immutable")

	list := []mech.Mechanism{krb5}
	r, err = mech.NewRegistry(list...)
	require.NoError(t, err)
	list[0] = ms
	got, err := r.Lookup(oid.OID{})
	require.NoError(t, err)
	require.Same(t, krb5, got)
}

func TestRegistryErrors(t *testing.T) {
	for _, tt := range []struct {
		ms   []mech.Mechanism
		want gsserr.Major
	}{
		{[]mech.Mechanism{of(oid.Krb5, "a"), of(oid.Krb5, "b")}, gsserr.ErrDuplicateElement},
		{[]mech.Mechanism{of(oid.OID{}, "a")}, gsserr.ErrBadMech},
		{[]mech.Mechanism{nil}, gsserr.ErrBadMech},
	} {
		_, err := mech.NewRegistry(tt.ms...)
		require.ErrorIs(t, err, tt.want)
	}
	empty, err := mech.NewRegistry()
	require.NoError(t, err)
	for _, r := range []*mech.Registry{nil, {}, empty} {
		_, err := r.Lookup(oid.OID{})
		require.ErrorIs(t, err, gsserr.ErrBadMech)
		_, err = r.Lookup(oid.Krb5)
		require.ErrorIs(t, err, gsserr.ErrBadMech)
		_, err = r.BySASLName("GS2-KRB5")
		require.ErrorIs(t, err, gsserr.ErrBadMech)
		require.Empty(t, r.All())
		require.Empty(t, r.ByAttrs(nil, nil, nil))
	}
}

func TestSASLNames(t *testing.T) {
	spkm, err := oid.Parse("1.3.6.1.5.5.1.1")
	require.NoError(t, err)
	krb5, other := of(oid.Krb5, "krb5"), of(spkm, "spkm")
	require.Equal(t, "GS2-DT4PIK22T6A", mech.SASLName(other.i), "the example of RFC 5801 §3.1")
	require.Equal(t, "GS2-QLJHGJLWNPL", mech.SASLName(krb5.i))
	krb5.i.SASLName = "GS2-KRB5"
	require.Equal(t, "GS2-KRB5", mech.SASLName(krb5.i))

	r, err := mech.NewRegistry(krb5, other)
	require.NoError(t, err)
	for name, want := range map[string]mech.Mechanism{
		"GS2-KRB5": krb5, "GS2-QLJHGJLWNPL": krb5, "GS2-DT4PIK22T6A": other,
	} {
		m, err := r.BySASLName(name)
		require.NoError(t, err)
		require.Same(t, want, m, name)
	}
	for _, name := range []string{"", "GS2-", "gs2-krb5", "SPNEGO"} {
		_, err := r.BySASLName(name)
		require.ErrorIs(t, err, gsserr.ErrBadMech, name)
	}
}

// SHA-1 panics under enforcement if it is used as a security function.
func TestSASLNamesFIPS(t *testing.T) {
	if os.Getenv("GODEBUG") == "fips140=only" {
		t.Skip("already there")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSASLNames$")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, _ := cmd.CombinedOutput() // before Go 1.26 names cannot be computed, but nothing panics
	require.NotContains(t, string(out), "panic")
	require.Regexp(t, "PASS|FAIL", string(out))
}

func TestByAttrs(t *testing.T) {
	krb5, old, nego := of(oid.Krb5, "krb5"), of(oid.Krb5Old, "old"), of(oid.SPNEGO, "spnego")
	krb5.i.Attrs = []oid.OID{mech.MAMechConcrete, mech.MAMIC}
	krb5.i.KnownAttrs = mech.KnownAttrs()
	old.i.Attrs = []oid.OID{mech.MAMechConcrete, mech.MAMIC, mech.MADeprecated}
	old.i.KnownAttrs = []oid.OID{mech.MAMIC}
	nego.i.Attrs = []oid.OID{mech.MAMechNego}
	r, err := mech.NewRegistry(krb5, old, nego)
	require.NoError(t, err)
	type list = []oid.OID
	for _, tt := range []struct {
		name                      string
		desired, except, critical list
		want                      list
	}{
		{"all", nil, nil, nil, list{oid.Krb5, oid.Krb5Old, oid.SPNEGO}},
		{"desired", list{mech.MAMIC}, nil, nil, list{oid.Krb5, oid.Krb5Old}},
		{"desired, all of them", list{mech.MAMIC, mech.MADeprecated}, nil, nil, list{oid.Krb5Old}},
		{"except", nil, list{mech.MADeprecated}, nil, list{oid.Krb5, oid.SPNEGO}},
		{"except, any of them", nil, list{mech.MADeprecated, mech.MAMechNego}, nil, list{oid.Krb5}},
		{"critical", nil, nil, list{mech.MAMIC}, list{oid.Krb5, oid.Krb5Old}},
		{"critical, all of them", nil, nil, list{mech.MAMIC, mech.MAPFS}, list{oid.Krb5}},
		{"none", list{mech.MAPFS}, nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, r.ByAttrs(tt.desired, tt.except, tt.critical))
		})
	}
	require.True(t, old.i.HasAttr(mech.MADeprecated))
	require.False(t, krb5.i.HasAttr(mech.MADeprecated))
}

func TestAttrs(t *testing.T) {
	known := mech.KnownAttrs()
	require.Len(t, known, 28)
	for i, a := range known[:27] {
		require.Equal(t, oid.MechAttr(uint8(i+1)), a)
	}
	require.Equal(t, "1.2.840.113554.1.2.2.5.18", known[27].String())
	for _, tt := range []struct {
		a                 oid.OID
		name, short, long string
	}{
		{mech.MAMechConcrete, "GSS_C_MA_MECH_CONCRETE", "concrete-mech", "Mechanism is neither a pseudo-mechanism nor a composite mechanism."},
		{mech.MAMechNego, "GSS_C_MA_MECH_NEGO", "mech-negotiation-mech", "Mechanism negotiates other mechanisms."},
		{mech.MANotDefaultMech, "GSS_C_MA_NOT_DFLT_MECH", "mech-not-default", "Mechanism must not be used as a default mechanism."},
		{mech.MAAuthTargInit, "GSS_C_MA_AUTH_TARG_INIT", "auth-target-princ-initial", "Mechanism supports authentication of acceptor using initial credentials."},
		{mech.MAProtReady, "GSS_C_MA_PROT_READY", "prot-ready", "Mechanism supports per-message proteciton prior to full context establishment."},
		{mech.MAPFS, "GSS_C_MA_PFS", "pfs", "Mechanism supports Perfect Forward Security."},
		{mech.MACtxTrans, "GSS_C_MA_CTX_TRANS", "context-transfer", "Mechanism supports security context export/import."},
		{mech.MANegoExSPNEGO, "GSS_C_MA_NEGOEX_AND_SPNEGO", "negoex-only", "NegoEx mechanism should also be negotiable through SPNEGO."},
	} {
		name, short, long, ok := mech.AttrText(tt.a)
		require.True(t, ok)
		require.Equal(t, []string{tt.name, tt.short, tt.long}, []string{name, short, long})
	}
	seen := make(map[string]bool)
	for _, a := range known {
		name, short, long, ok := mech.AttrText(a)
		require.True(t, ok && name != "" && short != "" && long != "" && !seen[name] && !seen[short])
		seen[name], seen[short] = true, true
	}
	_, _, _, ok := mech.AttrText(oid.MechAttr(28))
	require.False(t, ok)
	_, _, _, ok = mech.AttrText(oid.OID{})
	require.False(t, ok)
}

// The numbers are those of the C bindings.
func TestNumbers(t *testing.T) {
	for f, want := range map[mech.Flags]string{
		0x1: "deleg", 0x2: "mutual", 0x4: "replay", 0x8: "sequence", 0x10: "conf", 0x20: "integ", 0x40: "anon",
		0x80: "prot-ready", 0x100: "trans", 0x800: "channel-bound", 0x1000: "dce-style", 0x2000: "identify",
		0x4000: "extended-error", 0x8000: "deleg-policy", 0: "", 0x40000002: "mutual|0x40000000", 0x132: "mutual|conf|integ|trans",
	} {
		require.Equal(t, want, f.String())
	}
	require.True(t, mech.Flags(0x32).Has(mech.FlagMutual|mech.FlagConf))
	require.False(t, mech.FlagMutual.Has(mech.FlagMutual|mech.FlagConf))
	for u, want := range map[mech.Usage]struct {
		name              string
		initiate, accepts bool
	}{0: {"both", true, true}, 1: {"initiate", true, false}, 2: {"accept", false, true}, 3: {"unknown usage", false, false}} {
		require.Equal(t, want.name, u.String())
		require.Equal(t, want.initiate, u.Initiates())
		require.Equal(t, want.accepts, u.Accepts())
	}
	for a, n := range map[mech.AddrType]uint32{
		mech.AddrUnspec: 0, mech.AddrLocal: 1, mech.AddrInet: 2, mech.AddrNS: 6, mech.AddrDECnet: 12, mech.AddrAppleTalk: 16,
		mech.AddrNetBIOS: 20, mech.AddrX25: 21, mech.AddrInet6: 24, mech.AddrNull: 255,
	} {
		require.Equal(t, n, uint32(a))
	}
}

func TestToken(t *testing.T) {
	for _, n := range []int{0, 1, 100, 116, 117, 118, 119, 243, 244, 245, 300, 65000, 65524, 65525, 65526, 1 << 19} {
		body := bytes.Repeat([]byte{0x5a}, n)
		token := mech.AppendToken([]byte("before"), oid.Krb5, body)
		require.Equal(t, "before", string(token[:6]))
		id, got, err := mech.ParseToken(token[6:])
		require.NoError(t, err, "%d bytes", n)
		require.Equal(t, oid.Krb5, id)
		require.True(t, bytes.Equal(body, got))
	}
	// 20 bytes of AP-REQ for Kerberos, by hand.
	require.Equal(t, "600f06092a864886f71201020201000102", hex.EncodeToString(mech.AppendToken(nil, oid.Krb5, []byte{1, 0, 1, 2})))
	huge := mech.AppendToken(nil, oid.Krb5, make([]byte, 1<<24))
	require.Equal(t, "60840100000b06", hex.EncodeToString(huge[:7]))
	require.Len(t, huge, 6+11+(1<<24))
}

func TestTokenErrors(t *testing.T) {
	good := "600f06092a864886f71201020201000102"
	for _, tt := range []struct{ name, token string }{
		{"empty", ""},
		{"tag only", "60"},
		{"another tag", "61" + good[2:]},
		{"trailing byte", good + "00"},
		{"too short", good[:len(good)-2]},
		{"long form of a short length", "60810f" + good[4:]},
		{"indefinite length", "6080" + good[4:] + "0000"},
		{"no OID", "6000"},
		{"another inner tag", "600f04" + good[6:]},
		{"empty OID", "60020600"},
		{"OID with a leading zero digit", "6004060280 01"},
		{"OID past the end", "6003060a2a"},
		{"huge length", "6084ffffffff06"},
	} {
		b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(tt.token), []byte(" "), nil)))
		require.NoError(t, err)
		_, _, err = mech.ParseToken(b)
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken, tt.name)
	}
	big := mech.AppendToken(nil, oid.Krb5, make([]byte, mech.MaxToken))
	_, _, err := mech.ParseToken(big)
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	big = mech.AppendToken(nil, oid.Krb5, make([]byte, mech.MaxToken-16))
	require.Len(t, big, mech.MaxToken)
	_, _, err = mech.ParseToken(big)
	require.NoError(t, err)
}

func FuzzParseToken(f *testing.F) {
	f.Add(mech.AppendToken(nil, oid.Krb5, []byte("body")))
	f.Add(mech.AppendToken(nil, oid.SPNEGO, bytes.Repeat([]byte{1}, 300)))
	f.Add([]byte{0x60, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, body, err := mech.ParseToken(b)
		if err != nil {
			if !errors.Is(err, gsserr.ErrDefectiveToken) {
				t.Errorf("ParseToken(%x): %v", b, err)
			}
			return
		}
		if got := mech.AppendToken(nil, id, body); !bytes.Equal(got, b) {
			t.Errorf("ParseToken(%x) encodes as %x", b, got)
		}
	})
}

func BenchmarkParseToken(b *testing.B) {
	token := mech.AppendToken(nil, oid.Krb5, make([]byte, 500))
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = mech.ParseToken(token)
	}
}

// The toy mechanism is good for a registry, as any engine is.
func TestToyRegistry(t *testing.T) {
	r, err := mech.NewRegistry(mechtest.NewToy("secret", nil))
	require.NoError(t, err)
	require.Equal(t, []oid.OID{mechtest.ToyOID}, r.ByAttrs([]oid.OID{mech.MAWrap}, []oid.OID{mech.MAPFS}, nil))
}
