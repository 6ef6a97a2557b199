package keytab_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	oracle "github.com/jcmturner/gokrb5/v8/keytab"
	oracletypes "github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
	"github.com/gss-go/gssapi/krb5/keytab"
)

var http = principal.Name{Type: 1, Realm: "EXAMPLE.COM", Components: []string{"HTTP", "www.example.com"}}

func entry(p principal.Name, kvno uint32, id etype.ID, seconds int64) keytab.Entry {
	e := keytab.Entry{Principal: p, Kvno: kvno, Key: keytab.Key{Enctype: id, Value: secret.New(fmt.Appendf(nil, "key-%d-%d", kvno, seconds))}}
	if seconds != 0 {
		e.Timestamp = time.Unix(seconds, 0).UTC()
	}
	return e
}

func table(t testing.TB, entries ...keytab.Entry) *keytab.Keytab {
	t.Helper()
	k := new(keytab.Keytab)
	for _, e := range entries {
		require.NoError(t, k.Add(e))
	}
	return k
}

// plain makes entries comparable.
func plain(k *keytab.Keytab) []string {
	var out []string
	for _, e := range k.Entries() {
		out = append(out, fmt.Sprintf("%d %s %d %d %d %x", e.Principal.Type, e.Principal, e.Kvno, e.Timestamp.Unix(), e.Key.Enctype, e.Key.Value.Bytes()))
	}
	return out
}

// unhex reads hex with blanks and comments.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		b.WriteString(strings.Join(strings.Fields(line), ""))
	}
	out, err := hex.DecodeString(b.String())
	require.NoError(t, err)
	return out
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return unhex(t, string(b))
}

func TestParse(t *testing.T) {
	const (
		one   = `0002 0001 52 0001 61 0001 62 00000003 00000010 05 0012 0002 aabb`
		want1 = "3 a/b@R 5 16 18 aabb"
	)
	tests := []struct {
		name, hex string
		want      []string
	}{
		{"empty", "0502", nil},
		{"kvno of 8 bits", "0502 0000001a" + one, []string{want1}},
		{"kvno of 32 bits", "0502 0000001e" + one + "00010005", []string{"3 a/b@R 65541 16 18 aabb"}},
		{"kvno of 32 bits is zero", "0502 0000001e" + one + "00000000", []string{want1}},
		{"bytes after the kvno", "0502 00000020" + one + "00000007 ffff", []string{"3 a/b@R 7 16 18 aabb"}},
		{"three bytes left", "0502 0000001d" + one + "ffffff", []string{want1}},
		{"hole", "0502 fffffffe ffff 0000001a" + one, []string{want1}},
		{"hole at the end", "0502 0000001a" + one + "ffffffff 00", []string{want1}},
		{"end mark", "0502 0000001a" + one + "00000000 ffffffff", []string{want1}},
		{"version 1, little-endian", `0501 16000000 0300 0100 52 0100 61 0100 62 10000000 05 1200 0200 aabb`, []string{"1 a/b@R 5 16 18 aabb"}},
		{"version 1, big-endian", `0501 00000016 0003 0001 52 0001 61 0001 62 00000010 05 0012 0002 aabb`, []string{"1 a/b@R 5 16 18 aabb"}},
		{"version 1, 32 bits", `0501 1a000000 0300 0100 52 0100 61 0100 62 10000000 05 1200 0200 aabb 09000000`, []string{"1 a/b@R 9 16 18 aabb"}},
		{"no components", "0502 00000014 0000 0000 00000001 00000000 01 0012 0001 ff 0000", []string{"1  1 -62135596800 18 ff"}},
		{"time after 2038", "0502 00000013 0000 0000 00000001 ffffffff 01 0012 0001 ff 00", []string{"1  1 4294967295 18 ff"}},
		{"negative enctype", "0502 00000012 0000 0000 00000001 00000000 01 ff7a 0001 ff", []string{"1  1 -62135596800 -134 ff"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := keytab.Parse(unhex(t, tt.hex))
			require.NoError(t, err)
			require.Equal(t, tt.want, plain(k))

			// And what we write is the same table.
			again, err := keytab.Parse(k.Append(nil))
			require.NoError(t, err)
			require.Equal(t, tt.want, plain(again))
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, hex string
		code      krberr.Code
	}{
		{"nothing", "", krberr.KTFormat},
		{"half a version", "05", krberr.KTFormat},
		{"version 3", "0503", krberr.KeytabBadVNO},
		{"a ccache", "0504", krberr.KeytabBadVNO},
		{"half a length", "0502 0000", krberr.KTFormat},
		{"record too short", "0502 00000004 0000", krberr.KTFormat},
		{"hole too short", "0502 fffffffc 0000", krberr.KTFormat},
		{"longest hole", "0502 80000000", krberr.KTFormat},
		{"longest record", "0502 7fffffff", krberr.KTFormat},
		{"empty record", "0502 00000001 00", krberr.KTFormat},
		{"many components", "0502 00000002 ffff", krberr.KTFormat},
		{"version 1 without a realm", "0501 02000000 0000", krberr.KTFormat},
		{"long realm", "0502 00000004 0001 ffff", krberr.KTFormat},
		{"long key", "0502 00000012 0000 0000 00000001 00000000 01 0012 0002 ff", krberr.KTFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := keytab.Parse(unhex(t, tt.hex))
			require.ErrorIs(t, err, tt.code)
		})
	}
	_, err := keytab.Parse(binary.BigEndian.AppendUint32([]byte{5, 2}, 1<<20))
	require.ErrorIs(t, err, krberr.KTFormat)
	_, err = keytab.Parse(append([]byte{5, 2, 0, 2, 0, 0}, make([]byte, 1<<17)...))
	require.ErrorIs(t, err, krberr.KTFormat)
}

func TestGolden(t *testing.T) {
	b := golden(t, "layout.txt")
	k, err := keytab.Parse(b)
	require.NoError(t, err)
	require.Equal(t, []string{
		"1 HTTP/www.example.com@EXAMPLE.COM 3 1700000000 18 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"1 HTTP/www.example.com@EXAMPLE.COM 259 1700000001 19 000102030405060708090a0b0c0d0e0f",
	}, plain(k))
	require.Equal(t, b, k.Append(nil))
	require.Equal(t, append([]byte("x"), b...), k.Append([]byte("x")))
}

func TestLookup(t *testing.T) {
	other := http.WithRealm("OTHER.EXAMPLE")
	nfs := principal.New("EXAMPLE.COM", "nfs", "www.example.com")
	sameName := http
	sameName.Type = principal.TypeSrvHst
	k := table(t,
		entry(http, 1, 18, 100),
		entry(http, 3, 18, 300),
		entry(http, 3, 17, 301),
		entry(http, 2, 18, 200),
		entry(other, 9, 18, 900),
		entry(nfs, 5, 20, 0),
	)
	low := table(t, entry(http, 44, 18, 1), entry(http, 300&0xFF, 18, 2), entry(http, 7, 18, 3))
	exact := table(t, entry(http, 44, 18, 1), entry(http, 300, 18, 2))
	wrapped := table(t, entry(http, 255, 18, 100), entry(http, 1, 18, 100), entry(http, 254, 18, 50))
	notWrapped := table(t, entry(http, 255, 18, 100), entry(http, 1, 18, 99))
	unknown := table(t, entry(http, 0, 18, 10), entry(http, 0, 17, 20))
	tests := []struct {
		name string
		k    *keytab.Keytab
		p    principal.Name
		kvno uint32
		id   etype.ID
		want string // the key
		err  krberr.Code
	}{
		{"exact", k, http, 2, 18, "key-2-200", 0},
		{"name type does not matter", k, sameName, 2, 18, "key-2-200", 0},
		{"any enctype", k, http, 3, 0, "key-3-300", 0},
		{"other enctype", k, http, 3, 17, "key-3-301", 0},
		{"any kvno", k, http, 0, 18, "key-3-300", 0},
		{"any kvno and enctype", k, http, 0, 0, "key-3-300", 0},
		{"realm counts", k, other, 0, 0, "key-9-900", 0},
		{"no timestamp", k, nfs, 5, 20, "key-5-0", 0},
		{"no timestamp, any", k, nfs, 0, 0, "key-5-0", 0},
		{"wrong kvno", k, http, 4, 18, "", krberr.KTKvnoNotFound},
		{"right kvno of another enctype", k, http, 1, 17, "", krberr.KTKvnoNotFound},
		{"no such enctype", k, http, 3, 20, "", krberr.KTNotFound},
		{"no such name", k, principal.New("EXAMPLE.COM", "HTTP"), 0, 0, "", krberr.KTNotFound},
		{"no such realm", k, http.WithRealm(""), 0, 0, "", krberr.KTNotFound},
		{"zero name", k, principal.Name{}, 0, 0, "", krberr.KTNotFound},
		{"empty table", new(keytab.Keytab), http, 0, 0, "", krberr.KTNotFound},
		{"low 8 bits, the first", low, http, 300, 18, "key-44-1", 0},
		{"low 8 bits, exact is better", exact, http, 300, 18, "key-300-2", 0},
		{"not the other way round", exact, http, 44, 18, "key-44-1", 0},
		{"wrapped around", wrapped, http, 0, 18, "key-1-100", 0},
		{"not wrapped around", notWrapped, http, 0, 18, "key-255-100", 0},
		{"stored kvno 0 fits any", unknown, http, 7, 17, "key-0-20", 0},
		{"stored kvno 0, first", unknown, http, 7, 0, "key-0-10", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := tt.k.Lookup(tt.p, tt.kvno, tt.id)
			if tt.err != 0 {
				require.ErrorIs(t, err, tt.err)
				require.Empty(t, e.Key.Value.Bytes())
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, string(e.Key.Value.Bytes()))
		})
	}
}

func TestAdd(t *testing.T) {
	long := strings.Repeat("x", 65536)
	bad := map[string]keytab.Entry{
		"long realm":      entry(principal.New(long, "a"), 1, 18, 1),
		"long component":  entry(principal.New("R", long), 1, 18, 1),
		"long name":       entry(principal.New(long[1:], long[1:]), 1, 18, 1),
		"many components": entry(principal.New("R", make([]string, 65)...), 1, 18, 1),
		"enctype":         entry(http, 1, 1<<15, 1),
		"long key":        {Principal: http, Key: keytab.Key{Value: secret.New(make([]byte, 2000))}},
	}
	for name, e := range bad {
		require.ErrorIs(t, new(keytab.Keytab).Add(e), krberr.KTFormat, name)
	}
	// The table has a key of its own.
	e := entry(http, 1, 18, 1)
	k := table(t, e)
	e.Key.Value.Clear()
	require.Equal(t, "key-1-1", string(k.Entries()[0].Key.Value.Bytes()))
	// Entries is a copy.
	k.Entries()[0].Kvno = 9
	require.Equal(t, uint32(1), k.Entries()[0].Kvno)
	// Times outside the format are cut.
	far := entry(http, 1, 18, 1)
	far.Timestamp = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	old := entry(http, 2, 18, 1)
	old.Timestamp = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	again, err := keytab.Parse(table(t, far, old).Append(nil))
	require.NoError(t, err)
	require.Equal(t, int64(1<<32-1), again.Entries()[0].Timestamp.Unix())
	require.True(t, again.Entries()[1].Timestamp.IsZero())
	// The longest name that goes in comes out.
	again, err = keytab.Parse(table(t, entry(principal.New("", long[1:], "a"), 1, 18, 1)).Append(nil))
	require.NoError(t, err)
	require.Len(t, again.Entries()[0].Principal.Components[0], 65535)
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	k := table(t, entry(http, 3, 18, 100))
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	require.NoError(t, k.Write("WRFILE:"+path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	if os.PathSeparator == '/' {
		require.Equal(t, fs.FileMode(0o600), info.Mode())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
	for _, name := range []string{path, "FILE:" + path, "WRFILE:" + path} {
		got, err := keytab.Load(name)
		require.NoError(t, err, name)
		require.Equal(t, plain(k), plain(got))
	}
	tests := []struct {
		name string
		code krberr.Code
	}{
		{"MEMORY:x", krberr.KTUnknownType},
		{"SRVTAB:/x", krberr.KTUnknownType},
		{":x", krberr.KTUnknownType},
		{"", krberr.KTBadName},
		{"FILE:", krberr.KTBadName},
		{path + "none", krberr.KTNotFound},
		{filepath.Dir(path), krberr.KTIOErr},
	}
	for _, tt := range tests {
		_, err := keytab.Load(tt.name)
		require.ErrorIs(t, err, tt.code, tt.name)
	}
	_, err = keytab.Load(path + "none")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, k.Write("MEMORY:x"), krberr.KTUnknownType)
	require.ErrorIs(t, k.Write(filepath.Join(path, "x")), krberr.KTNoWrite)
	require.NoError(t, os.WriteFile(path, []byte("bad!"), 0o600))
	_, err = keytab.Load(path)
	require.ErrorIs(t, err, krberr.KeytabBadVNO)
	require.ErrorContains(t, err, path)
}

func TestLoadWaitsForWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	require.NoError(t, table(t, entry(http, 3, 18, 100)).Write(path))
	f, err := fileio.Open(context.Background(), path, true)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := keytab.Load(path)
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, f.Close())
	require.NoError(t, <-done)
}

func TestPath(t *testing.T) {
	for name, want := range map[string]string{"/a:b": "/a:b", `C:\k`: `C:\k`, "FILE:C:/k": "C:/k", "WRFILE:k": "k", "k": "k"} {
		got, err := keytab.Path(name)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestDefaultNames(t *testing.T) {
	c, err := conf.Parse("[libdefaults]\ndefault_keytab_name = FILE:%{null}/k\ndefault_client_keytab_name = /c%{null}\n")
	require.NoError(t, err)
	wrong, err := conf.Parse("[libdefaults]\ndefault_keytab_name = %{nonsense}\n")
	require.NoError(t, err)
	env := func(k string) string {
		return map[string]string{"KRB5_KTNAME": "/env/%{uid}", "KRB5_CLIENT_KTNAME": "/cenv"}[k]
	}
	none := func(string) string { return "" }
	tests := []struct {
		f      func(*conf.Config, func(string) string) (string, error)
		c      *conf.Config
		getenv func(string) string
		want   string
	}{
		{keytab.DefaultName, c, env, "/env/%{uid}"},
		{keytab.DefaultName, c, none, "FILE:/k"},
		{keytab.DefaultName, c, nil, "FILE:/k"},
		{keytab.DefaultName, nil, nil, "FILE:/etc/krb5.keytab"},
		{keytab.DefaultClientName, c, env, "/cenv"},
		{keytab.DefaultClientName, c, nil, "/c"},
		{keytab.DefaultClientName, nil, nil, fmt.Sprintf("FILE:/etc/krb5/user/%d/client.keytab", os.Geteuid())},
	}
	for _, tt := range tests {
		got, err := tt.f(tt.c, tt.getenv)
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
	_, err = keytab.DefaultName(wrong, nil)
	require.ErrorIs(t, err, krberr.ConfigBadFormat)
}

// gokrb5 reads what we write.
func TestOracleReads(t *testing.T) {
	k := table(t, entry(http, 3, 18, 100), entry(http, 300, 20, 200), entry(principal.New("R", "ü"), 1, 17, 300))
	o := oracle.New()
	require.NoError(t, o.Unmarshal(k.Append(nil)))
	require.Len(t, o.Entries, 3)
	for i, e := range k.Entries() {
		got := o.Entries[i]
		require.Equal(t, e.Principal.Components, got.Principal.Components)
		require.Equal(t, e.Principal.Realm, got.Principal.Realm)
		require.Equal(t, e.Principal.Type, got.Principal.NameType)
		require.Equal(t, e.Kvno, got.KVNO)
		require.Equal(t, e.Timestamp.Unix(), got.Timestamp.Unix())
		require.Equal(t, int32(e.Key.Enctype), got.Key.KeyType)
		require.Equal(t, e.Key.Value.Bytes(), got.Key.KeyValue)
	}
	key, kvno, err := o.GetEncryptionKey(oracletypes.NewPrincipalName(1, "HTTP/www.example.com"), "EXAMPLE.COM", 300, 20)
	require.NoError(t, err)
	require.Equal(t, 300, kvno)
	require.Equal(t, "key-300-200", string(key.KeyValue))
}

// We read what gokrb5 writes.
func TestOracleWrites(t *testing.T) {
	o := oracle.New()
	for _, id := range []int32{17, 18, 19} {
		require.NoError(t, o.AddEntry("HTTP/www.example.com", "EXAMPLE.COM", "secret", time.Unix(1700000000, 0), 7, id))
	}
	b, err := o.Marshal()
	require.NoError(t, err)
	k, err := keytab.Parse(b)
	require.NoError(t, err)
	require.Len(t, k.Entries(), 3)
	for i, e := range k.Entries() {
		require.True(t, e.Principal.Equal(http))
		require.Equal(t, uint32(7), e.Kvno)
		require.Equal(t, int64(1700000000), e.Timestamp.Unix())
		require.Equal(t, o.Entries[i].Key.KeyValue, e.Key.Value.Bytes())
		require.Equal(t, o.Entries[i].Key.KeyType, int32(e.Key.Enctype))
	}
	require.Equal(t, b, k.Append(nil))
}

// No error and no printed value shows a key.
func TestNoKeyInText(t *testing.T) {
	const hidden = "Kq7xSecretKeyBytes!Kq7xSecretKey"
	k := table(t, keytab.Entry{Principal: http, Kvno: 1, Key: keytab.Key{Enctype: 18, Value: secret.New([]byte(hidden))}})
	leaks := func(text string) bool {
		return strings.Contains(text, "Kq7x") || strings.Contains(strings.ToLower(text), hex.EncodeToString([]byte("Kq7x"))) || strings.Contains(text, fmt.Sprint([]byte("Kq7x"))[1:12])
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%s", "%q"} {
		require.False(t, leaks(fmt.Sprintf(verb, k.Entries())), verb)
		require.False(t, leaks(fmt.Sprintf(verb, k)), verb)
	}
	j, err := json.Marshal(k.Entries())
	require.NoError(t, err)
	require.False(t, leaks(string(j)))
	b := k.Append(nil)
	for i := range b {
		for _, m := range [][]byte{b[:i], flip(b, i)} {
			if _, err := keytab.Parse(m); err != nil {
				require.False(t, leaks(err.Error()), err.Error())
			}
		}
	}
}

func flip(b []byte, i int) []byte {
	c := bytes.Clone(b)
	c[i] ^= 0xFF
	return c
}

// Every prefix but those that end between records is refused, and no flipped
// bit does harm.
func TestMalformed(t *testing.T) {
	b := golden(t, "layout.txt")
	whole := map[int]bool{2: true, len(b): true}
	whole[2+4+int(binary.BigEndian.Uint32(b[2:]))] = true
	for i := range b {
		_, err := keytab.Parse(b[:i])
		require.Equal(t, whole[i], err == nil, i)
		for bit := range 8 {
			c := bytes.Clone(b)
			c[i] ^= 1 << bit
			if _, err := keytab.Parse(c); err != nil {
				require.Contains(t, []krberr.Code{krberr.KTFormat, krberr.KeytabBadVNO}, krberr.Of(err))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(golden(f, "layout.txt"))
	f.Add(unhex(f, `0501 16000000 0300 0100 52 0100 61 0100 62 10000000 05 1200 0200 aabb`))
	f.Add(unhex(f, "0502 fffffffe ffff 0000001a 0002 0001 52 0001 61 0001 62 00000003 00000010 05 0012 0002 aabb 00000000 ff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := keytab.Parse(b)
		if err != nil {
			if c := krberr.Of(err); c != krberr.KTFormat && c != krberr.KeytabBadVNO {
				t.Fatalf("Parse: %v", err)
			}
			return
		}
		out := k.Append(nil)
		again, err := keytab.Parse(out)
		if err != nil {
			t.Fatalf("Parse(Append): %v", err)
		}
		if got, want := plain(again), plain(k); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		// Holes, version 1 and records without the long kvno become the one
		// form we write; that form stays.
		if !bytes.Equal(again.Append(nil), out) {
			t.Fatalf("Append(Parse(%x)) differs", out)
		}
	})
}
