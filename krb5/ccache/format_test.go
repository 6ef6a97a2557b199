package ccache_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	oracle "github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
)

var (
	alice = principal.New("EXAMPLE.COM", "alice")
	tgs   = principal.TGS("EXAMPLE.COM", "EXAMPLE.COM")
)

// ticket returns a credential with every field set.
func ticket(service string, seconds int64) ccache.Credential {
	at := func(s int64) time.Time { return time.Unix(seconds+s, 0).UTC() }
	return ccache.Credential{
		Client: alice, Server: principal.Name{Type: 3, Realm: "EXAMPLE.COM", Components: []string{service, "www.example.com"}},
		Key:      ccache.Key{Enctype: 18, Value: secret.New([]byte("0123456789abcdef0123456789abcdef"))},
		AuthTime: at(0), StartTime: at(1), EndTime: at(36000), RenewTill: at(604800),
		IsSKey: true, Flags: 0x50e10000,
		Addresses: []ccache.Address{{Type: 2, Bytes: []byte{192, 0, 2, 1}}, {Type: 24, Bytes: make([]byte, 16)}},
		AuthzData: []ccache.AuthzDatum{{Type: 1, Data: []byte{0x30, 0}}},
		Ticket:    []byte("ticket of " + service), SecondTicket: []byte("second"),
	}
}

// plain makes entries comparable: secrets hold functions.
func plain(entries []ccache.Credential) []string {
	var out []string
	for _, e := range entries {
		key := e.Key
		e.Key = ccache.Key{}
		out = append(out, fmt.Sprintf("%d %x %+v", key.Enctype, key.Value.Bytes(), e))
	}
	return out
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	var b strings.Builder
	for line := range strings.SplitSeq(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		b.WriteString(strings.TrimSpace(line))
	}
	out, err := hex.DecodeString(b.String())
	require.NoError(t, err)
	return out
}

func TestParseFile(t *testing.T) {
	for _, name := range []string{"v4.txt", "v3.txt"} {
		t.Run(name, func(t *testing.T) {
			c, err := ccache.ParseFile(golden(t, name))
			require.NoError(t, err)
			require.Equal(t, alice, c.Principal)
			require.Len(t, c.Entries, 4)
			creds := c.Credentials()
			require.Len(t, creds, 2)

			tgt := creds[0]
			require.Equal(t, alice, tgt.Client)
			require.Equal(t, tgs, tgt.Server)
			require.Equal(t, "aes256-cts-hmac-sha1-96", tgt.Key.Enctype.String())
			require.Len(t, tgt.Key.Value.Bytes(), 32)
			require.Equal(t, int64(1700000000), tgt.AuthTime.Unix())
			require.Equal(t, int64(1700000000), tgt.StartTime.Unix())
			require.Equal(t, int64(1700036000), tgt.EndTime.Unix())
			require.Equal(t, int64(1700604800), tgt.RenewTill.Unix())
			require.False(t, tgt.IsSKey)
			require.Equal(t, uint32(0x50e10000), tgt.Flags)
			require.Empty(t, tgt.Addresses)
			require.Equal(t, []byte("\x61\x03tgt"), tgt.Ticket)

			http := creds[1]
			require.Equal(t, "HTTP/www.example.com@EXAMPLE.COM", http.Server.String())
			require.True(t, http.StartTime.IsZero())
			require.True(t, http.RenewTill.IsZero())
			require.Equal(t, int64(0xfffffff0), http.EndTime.Unix())
			require.True(t, http.IsSKey)
			require.Equal(t, []ccache.Address{{Type: 2, Bytes: []byte{192, 0, 2, 1}}}, http.Addresses)
			require.Equal(t, []ccache.AuthzDatum{{Type: 1, Data: []byte{0x30, 0}}}, http.AuthzData)
			require.Equal(t, []byte("\x61\x02u2"), http.SecondTicket)

			v, ok := c.Config(ccache.ConfFastAvail, &tgs)
			require.True(t, ok)
			require.Equal(t, "yes", string(v))
			v, ok = c.Config(ccache.ConfRefreshTime, nil)
			require.True(t, ok)
			require.Equal(t, "1700018000", string(v))
			_, ok = c.Config(ccache.ConfFastAvail, nil)
			require.False(t, ok)
			_, ok = c.Config(ccache.ConfRefreshTime, &tgs)
			require.False(t, ok)

			// What was read is written as the same.
			again, err := ccache.ParseFile(c.Append(nil))
			require.NoError(t, err)
			require.Equal(t, plain(c.Entries), plain(again.Entries))
			require.Equal(t, c.Header, again.Header)
		})
	}
}

func TestHeader(t *testing.T) {
	c, err := ccache.ParseFile(golden(t, "v4.txt"))
	require.NoError(t, err)
	require.Len(t, c.Header, 2)
	require.Equal(t, ccache.HeaderField{Tag: 99, Data: []byte("whatever")}, c.Header[1])
	d, ok := c.KDCOffset()
	require.True(t, ok)
	require.Equal(t, -1500*time.Millisecond, d)

	for _, d := range []time.Duration{0, time.Hour, -time.Hour - time.Microsecond, 90*time.Second + 250*time.Millisecond} {
		c.SetKDCOffset(d)
		require.Len(t, c.Header, 2)
		again, err := ccache.ParseFile(c.Append(nil))
		require.NoError(t, err)
		got, ok := again.KDCOffset()
		require.True(t, ok)
		require.Equal(t, d, got)
	}
	c.SetKDCOffset(1<<63 - 1)
	got, _ := c.KDCOffset()
	require.Equal(t, int64(1<<31-1), int64(got/time.Second))

	_, ok = new(ccache.Contents).KDCOffset()
	require.False(t, ok)
	odd := ccache.Contents{Header: []ccache.HeaderField{{Tag: 1, Data: []byte{1}}}}
	_, ok = odd.KDCOffset()
	require.False(t, ok)
	// A field that does not fit is left out, the next one is not.
	odd.Header = append(odd.Header, ccache.HeaderField{Tag: 7, Data: make([]byte, 1<<16)}, ccache.HeaderField{Tag: 8})
	again, err := ccache.ParseFile(odd.Append(nil))
	require.NoError(t, err)
	require.Len(t, again.Header, 2)
}

func TestConfig(t *testing.T) {
	c := &ccache.Contents{Principal: alice, Entries: []ccache.Credential{ticket("a", 1700000000)}}
	c.SetConfig("pa_type", &tgs, []byte("2"))
	c.SetConfig("pa_type", nil, []byte("x"))
	c.SetConfig("pa_type", &tgs, []byte("151"))
	v, ok := c.Config("pa_type", &tgs)
	require.True(t, ok)
	require.Equal(t, "151", string(v))
	require.Len(t, c.Entries, 3)
	require.Len(t, c.Credentials(), 1)
	require.True(t, c.Entries[1].IsConf())
	require.Equal(t, `krb5_ccache_conf_data/pa_type/krbtgt\/EXAMPLE.COM\@EXAMPLE.COM@X-CACHECONF:`, c.Entries[2].Server.String())
	c.SetConfig("pa_type", nil, nil)
	_, ok = c.Config("pa_type", nil)
	require.False(t, ok)
	c.SetConfig("empty", nil, []byte{})
	v, ok = c.Config("empty", nil)
	require.True(t, ok)
	require.Empty(t, v)
}

func TestParseFileErrors(t *testing.T) {
	tests := []struct {
		name, hex string
		code      krberr.Code
	}{
		{"nothing", "", krberr.CCFormat},
		{"half a version", "05", krberr.CCFormat},
		{"version 1", "0501", krberr.CCacheBadVNO},
		{"version 2", "0502", krberr.CCacheBadVNO},
		{"version 5", "0505", krberr.CCacheBadVNO},
		{"no header", "0504", krberr.CCFormat},
		{"header too short", "0504000c00010008", krberr.CCFormat},
		{"header field too long", "0504000400010008", krberr.CCFormat},
		{"half a header field", "05040003000100", krberr.CCFormat},
		{"no principal", "05040000", krberr.CCFormat},
		{"many components", "0504000000000001ffffffff00000000", krberr.CCFormat},
		{"65 components", "050400000000000100000041" + strings.Repeat("00000000", 66), krberr.CCFormat},
		{"long realm", "0504000000000001000000007fffffff", krberr.CCFormat},
		{"longest realm", "050400000000000100000000ffffffff", krberr.CCFormat},
		{"a byte behind", "050400000000000100000000" + "00000000" + "00", krberr.CCFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(tt.hex)
			require.NoError(t, err)
			_, err = ccache.ParseFile(b)
			require.ErrorIs(t, err, tt.code)
		})
	}
	_, err := ccache.ParseFile(make([]byte, 17<<20))
	require.ErrorIs(t, err, krberr.CCFormat)
	long := ccache.Contents{Principal: principal.New(strings.Repeat("x", 1<<16), "y")}
	_, err = ccache.ParseFile(long.Append(nil))
	require.ErrorIs(t, err, krberr.CCFormat)
}

// A prefix that ends between entries is a smaller cache, every other one is
// refused, and so is nothing else that a flipped bit makes.
func TestMalformed(t *testing.T) {
	for _, name := range []string{"v4.txt", "v3.txt"} {
		b := golden(t, name)
		whole := 0
		for i := range b {
			if _, err := ccache.ParseFile(b[:i]); err == nil {
				whole++
			} else {
				require.Contains(t, []krberr.Code{krberr.CCFormat, krberr.CCacheBadVNO}, krberr.Of(err))
			}
			for bit := range 8 {
				c := bytes.Clone(b)
				c[i] ^= 1 << bit
				if _, err := ccache.ParseFile(c); err != nil {
					require.Contains(t, []krberr.Code{krberr.CCFormat, krberr.CCacheBadVNO}, krberr.Of(err))
				}
			}
			// Hostile lengths and counts.
			if i+4 <= len(b) {
				for _, n := range []uint32{1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 20} {
					c := bytes.Clone(b)
					binary.BigEndian.PutUint32(c[i:], n)
					_, _ = ccache.ParseFile(c)
				}
			}
		}
		// After the principal and after each credential but the last.
		require.Equal(t, 6, whole)
	}
}

// A length from the file costs no memory that the file does not have.
func TestAllocation(t *testing.T) {
	b := binary.BigEndian.AppendUint32([]byte{5, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 1<<31)
	r := testing.Benchmark(func(tb *testing.B) {
		tb.ReportAllocs()
		for tb.Loop() {
			_, _ = ccache.ParseFile(b)
		}
	})
	require.Less(t, r.AllocedBytesPerOp(), int64(4<<10))
}

// gokrb5 reads what we write.
func TestOracleReads(t *testing.T) {
	c := &ccache.Contents{Principal: alice, Entries: []ccache.Credential{ticket("a", 1700000000), ticket("b", 1700000100)}}
	c.SetKDCOffset(time.Second)
	c.SetConfig(ccache.ConfFastAvail, &tgs, []byte("yes"))
	o := new(oracle.CCache)
	require.NoError(t, o.Unmarshal(c.Append(nil)))
	require.Equal(t, "EXAMPLE.COM", o.GetClientRealm())
	require.Equal(t, alice.Components, o.GetClientPrincipalName().NameString)
	require.Len(t, o.Credentials, 3)
	require.Len(t, o.GetEntries(), 2)
	for i, want := range c.Credentials() {
		got := o.GetEntries()[i]
		require.Equal(t, want.Server.Components, got.Server.PrincipalName.NameString)
		require.Equal(t, want.Server.Type, got.Server.PrincipalName.NameType)
		require.Equal(t, want.Server.Realm, got.Server.Realm)
		require.Equal(t, want.Client.Components, got.Client.PrincipalName.NameString)
		require.Equal(t, int32(want.Key.Enctype), got.Key.KeyType)
		require.Equal(t, want.Key.Value.Bytes(), got.Key.KeyValue)
		require.Equal(t, want.AuthTime.Unix(), got.AuthTime.Unix())
		require.Equal(t, want.StartTime.Unix(), got.StartTime.Unix())
		require.Equal(t, want.EndTime.Unix(), got.EndTime.Unix())
		require.Equal(t, want.RenewTill.Unix(), got.RenewTill.Unix())
		require.Equal(t, want.IsSKey, got.IsSKey)
		require.Equal(t, binary.BigEndian.AppendUint32(nil, want.Flags), got.TicketFlags.Bytes)
		require.Len(t, got.Addresses, 2)
		require.Equal(t, want.Addresses[0].Bytes, got.Addresses[0].Address)
		require.Equal(t, want.AuthzData[0].Data, got.AuthData[0].ADData)
		require.Equal(t, want.Ticket, got.Ticket)
		require.Equal(t, want.SecondTicket, got.SecondTicket)
	}
}

// No error and no printed value shows a key.
func TestNoKeyInText(t *testing.T) {
	e := ticket("a", 1700000000)
	e.Key.Value = secret.New([]byte("Kq7xSecretKeyBytes"))
	c := &ccache.Contents{Principal: alice, Entries: []ccache.Credential{e}}
	leaks := func(text string) bool {
		return strings.Contains(text, "Kq7x") || strings.Contains(strings.ToLower(text), hex.EncodeToString([]byte("Kq7x"))) || strings.Contains(text, "75 113 55 120")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%s", "%q"} {
		require.False(t, leaks(fmt.Sprintf(verb, c)), verb)
		require.False(t, leaks(fmt.Sprintf(verb, *c)), verb)
		require.False(t, leaks(fmt.Sprintf(verb, ccache.NewMemory(alice, e))), verb)
	}
	j, err := json.Marshal(c)
	require.NoError(t, err)
	require.False(t, leaks(string(j)))
	b := c.Append(nil)
	for i := range b {
		_, err := ccache.ParseFile(b[:i])
		require.False(t, err != nil && leaks(err.Error()))
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add(golden(f, "v4.txt"))
	f.Add(golden(f, "v3.txt"))
	c := ccache.Contents{Principal: alice, Entries: []ccache.Credential{ticket("a", 1700000000)}}
	f.Add(c.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ccache.ParseFile(b)
		if err != nil {
			if code := krberr.Of(err); code != krberr.CCFormat && code != krberr.CCacheBadVNO {
				t.Fatalf("ParseFile: %v", err)
			}
			return
		}
		out := c.Append(nil)
		again, err := ccache.ParseFile(out)
		if err != nil {
			t.Fatalf("ParseFile(Append): %v", err)
		}
		if got, want := plain(again.Entries), plain(c.Entries); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		// Version 3, removed entries and a boolean other than 0 and 1 are
		// written differently; that form stays.
		if !bytes.Equal(again.Append(nil), out) {
			t.Fatalf("Append(ParseFile(%x)) differs", out)
		}
	})
}

func BenchmarkParseFile(b *testing.B) {
	c := ccache.Contents{Principal: alice}
	for i := range 20 {
		e := ticket(fmt.Sprint("svc", i), 1700000000)
		e.Ticket = make([]byte, 1200)
		c.Entries = append(c.Entries, e)
	}
	file := c.Append(nil)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ccache.ParseFile(file); err != nil {
			b.Fatal(err)
		}
	}
}
