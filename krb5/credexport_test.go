package krb5_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func exported(t testing.TB, c mech.Cred) []byte {
	t.Helper()
	b, err := c.(mech.Exporter).Export()
	require.NoError(t, err)
	return b
}

// fields are those of an exported credential.
func fields(t testing.TB, token []byte) []any {
	t.Helper()
	var outer []any
	require.NoError(t, json.Unmarshal(token, &outer))
	require.Len(t, outer, 2)
	require.Equal(t, "K5C1", outer[0])
	f := outer[1].([]any)
	require.Len(t, f, 14)
	return f
}

// Tickets in memory move with their keys.
func TestExportMemory(t *testing.T) {
	w := newWorld(t, nil, nil)
	establish(t, w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
	token := exported(t, w.alice)
	f := fields(t, token)
	require.EqualValues(t, mech.UsageInitiate, f[0])
	require.Equal(t, []any{"alice@" + realm, nil, nil}, f[1])
	require.Equal(t, []any{nil, false, false, nil, nil}, f[2:7])
	cache := f[7].([]any)
	require.Equal(t, "alice@"+realm, cache[0])
	require.GreaterOrEqual(t, len(cache), 3, "two tickets at least")
	require.Len(t, cache[1], 13)
	require.Nil(t, f[8])
	require.Equal(t, true, f[9])
	info, err := w.alice.Info(ctx)
	require.NoError(t, err)
	require.EqualValues(t, info.InitiateExpires.Unix(), f[10])
	require.Equal(t, []any{0.0, nil, nil}, f[11:])

	before := w.kdc.Requests()
	back, err := w.ImportCred(token)
	require.NoError(t, err)
	require.Equal(t, mech.UsageInitiate, back.Usage())
	a := w.accept(t, mech.AcceptRequest{})
	establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{back}, Flags: allFlags}), a)
	requireName(t, "alice@"+realm, a.Info().InitiatorName)
	require.Equal(t, before, w.kdc.Requests(), "the service ticket came along")
	require.JSONEq(t, string(token), string(exported(t, back)))
}

// What is in files goes by name.
func TestExportFiles(t *testing.T) {
	w, file := fileWorld(t, nil, nil)
	kt := tempFile(t, "keytab")
	write(t, kt, string(w.keytab))
	self := importName(t, w, service, oid.NTHostBased)
	limited := func(c mech.Cred) mech.Cred {
		c, err := w.WithEnctypes(c, krb5.AES128SHA1, krb5.AES256SHA1)
		require.NoError(t, err)
		return c
	}
	for _, tc := range []struct {
		name string
		r    mech.CredRequest
		set  func(mech.Cred) mech.Cred
		want map[int]any
	}{
		{"initiate", mech.CredRequest{Usage: mech.UsageInitiate}, nil, map[int]any{0: 1.0, 3: false, 5: nil, 7: "FILE:" + file}},
		{"accept", mech.CredRequest{Usage: mech.UsageAccept, Store: map[string]string{"keytab": "FILE:" + kt}}, nil,
			map[int]any{0: 2.0, 1: nil, 3: true, 5: "FILE:" + kt, 6: nil, 7: nil, 9: false, 10: 0.0}},
		{"accept as", mech.CredRequest{Usage: mech.UsageAccept, Name: self, Store: map[string]string{"keytab": kt, "rcache": "none:"}}, nil,
			map[int]any{1: []any{"host/" + host + "@", "host", host}, 3: false, 5: kt, 6: "none:"}},
		{"both", mech.CredRequest{Store: map[string]string{"keytab": kt}}, nil,
			map[int]any{0: 0.0, 1: []any{"alice@" + realm, nil, nil}, 3: true, 5: kt, 7: "FILE:" + file}},
		{"encryption types", mech.CredRequest{Usage: mech.UsageInitiate}, limited, map[int]any{12: []any{17.0, 18.0}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := w.AcquireCred(ctx, tc.r)
			require.NoError(t, err)
			if tc.set != nil {
				c = tc.set(c)
			}
			token := exported(t, c)
			f := fields(t, token)
			for i, want := range tc.want {
				require.Equal(t, want, f[i], i)
			}
			back, err := w.ImportCred(token)
			require.NoError(t, err)
			require.Equal(t, c.Usage(), back.Usage())
			require.JSONEq(t, string(token), string(exported(t, back)))
			if c.Usage() != mech.UsageAccept {
				establish(t, w.initiate(t, mech.InitRequest{Creds: []mech.Cred{back}, Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
			}
			if c.Usage() != mech.UsageInitiate {
				establish(t, w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{back}}))
			}
		})
	}
	_, err := w.server.(mech.Exporter).Export()
	require.ErrorIs(t, err, gsserr.ErrUnavailable, "keys in memory")
}

// A name that MIT's acceptor was made with limits ours.
func TestImportAcceptName(t *testing.T) {
	w := newWorld(t, nil, nil)
	kt := tempFile(t, "keytab")
	write(t, kt, string(w.keytab))
	import1 := func(name string, any bool) error {
		c, err := w.ImportCred(fmt.Appendf(nil, `["K5C1",[2,%s,null,%v,false,%q,null,null,null,false,0,0,null,null]]`, name, any, kt))
		require.NoError(t, err)
		return handshake(w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{c}}))
	}
	require.NoError(t, import1("null", true))
	require.NoError(t, import1(`["host/`+host+`@","host",null]`, false))
	require.NoError(t, import1(`["host/`+host+`@`+realm+`",null,null]`, false))
	require.Error(t, import1(`["imap/`+host+`@","imap",null]`, false))
	require.Error(t, import1(`["imap/`+host+`@`+realm+`",null,null]`, false))
	require.NoError(t, import1(`["imap/`+host+`@","imap",null]`, true), "the default identity")
}

// MIT exports a default credential that was never used without any cache.
func TestImportUnresolved(t *testing.T) {
	w, file := fileWorld(t, nil, nil)
	c, err := w.ImportCred([]byte(`["K5C1",[1,null,null,true,false,null,null,null,"FILE:/nonexistent",false,0,0,null,null]]`))
	require.NoError(t, err)
	info, err := c.Info(ctx)
	require.NoError(t, err)
	requireName(t, "alice@"+realm, info.Name)
	require.Contains(t, fmt.Sprint(c), file)
}

func TestImportRefused(t *testing.T) {
	w := newWorld(t, nil, nil)
	ticket := func(change func([]any)) string {
		f := []any{"a@B", "c@B", []any{18, []byte("key")}, 0, 0, 1, 0, false, 0, nil, "", "", nil}
		change(f)
		b, err := json.Marshal(f)
		require.NoError(t, err)
		return `["K5C1",[1,null,null,false,false,null,null,["a@B",` + string(b) + `],null,false,0,0,null,null]]`
	}
	_, err := w.ImportCred([]byte(ticket(func([]any) {})))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"empty": "", "null": "null", "no array": "{}", "one": `["K5C1"]`, "three": `["K5C1",[],[]]`,
		"another magic":  `["K5C2",[1,null,null,false,false,null,null,"FILE:/x",null,false,0,0,null,null]]`,
		"13 fields":      `["K5C1",[1,null,null,false,false,null,null,"FILE:/x",null,false,0,0,null]]`,
		"15 fields":      `["K5C1",[1,null,null,false,false,null,null,"FILE:/x",null,false,0,0,null,null,null]]`,
		"trailing":       `["K5C1",[1,null,null,false,false,null,null,"FILE:/x",null,false,0,0,null,null]]x`,
		"usage 3":        `["K5C1",[3,null,null,false,false,null,null,"FILE:/x",null,false,0,0,null,null]]`,
		"usage -1":       `["K5C1",[-1,null,null,false,false,null,null,"FILE:/x",null,false,0,0,null,null]]`,
		"usage null":     `["K5C1",[null,null,null,false,false,null,null,"FILE:/x",null,false,0,0,null,null]]`,
		"no keytab":      `["K5C1",[2,null,null,true,false,null,null,null,null,false,0,0,null,null]]`,
		"both, half":     `["K5C1",[0,null,null,true,false,null,null,"FILE:/x",null,false,0,0,null,null]]`,
		"IAKERB":         `["K5C1",[1,null,null,false,true,null,null,"FILE:/x",null,false,0,0,null,null]]`,
		"cache a number": `["K5C1",[1,null,null,false,false,null,null,7,null,false,0,0,null,null]]`,
		"cache empty":    `["K5C1",[1,null,null,false,false,null,null,[],null,false,0,0,null,null]]`,
		"no realm":       `["K5C1",[1,null,null,false,false,null,null,["a"],null,false,0,0,null,null]]`,
		"name":           `["K5C1",[1,["a@B@C",null,null],null,false,false,null,null,"FILE:/x",null,false,0,0,null,null]]`,
		"etypes":         `["K5C1",[1,null,null,false,false,null,null,"FILE:/x",null,false,0,0,["a"],null]]`,
		"client":         ticket(func(f []any) { f[0] = 1 }),
		"no server":      ticket(func(f []any) { f[1] = nil }),
		"key":            ticket(func(f []any) { f[2] = "key" }),
		"key, base 64":   ticket(func(f []any) { f[2] = []any{18, "*"} }),
		"time":           ticket(func(f []any) { f[5] = "now" }),
		"far time":       ticket(func(f []any) { f[5] = int64(1) << 40 }),
		"skey":           ticket(func(f []any) { f[7] = 0 }),
		"addresses":      ticket(func(f []any) { f[9] = []any{[]any{1}} }),
		"ticket":         ticket(func(f []any) { f[10] = nil }),
		"authz":          ticket(func(f []any) { f[12] = []any{7} }),
		"12 fields":      strings.Replace(ticket(func([]any) {}), `,"",null]]`, `,""]]`, 1),
	} {
		_, err := w.ImportCred([]byte(text))
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken, name)
	}
	_, err = w.ImportCred(bytes.Repeat([]byte(" "), mech.MaxToken+1))
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
}

// A credential that an import may not widen: types that are all unknown are not
// no limit.
func TestImportUnknownEnctypes(t *testing.T) {
	w, file := fileWorld(t, nil, nil)
	c, err := w.ImportCred(fmt.Appendf(nil, `["K5C1",[1,null,null,false,false,null,null,%q,null,false,0,0,[1,2],null]]`, "FILE:"+file))
	require.NoError(t, err)
	_, _, err = w.initiate(t, mech.InitRequest{Creds: []mech.Cred{c}}).Step(ctx, nil)
	requireCode(t, err, gsserr.ErrFailure, krberr.ProgEtypeNosupp)
}

// The configuration entries of a cache, and proxies, survive.
func TestExportConfigEntries(t *testing.T) {
	w := newWorld(t, nil, nil)
	contents := stored(t, w.alice)
	contents.SetConfig(ccache.ConfRefreshTime, nil, []byte("4000000000"))
	contents.SetConfig(ccache.ConfProxyImpersonator, nil, []byte("host/x@"+realm))
	c, err := w.CacheCred(ctx, ccache.NewMemory(contents.Principal, contents.Entries...))
	require.NoError(t, err)
	f := fields(t, exported(t, c))
	require.Equal(t, "host/x@"+realm, f[2])
	require.EqualValues(t, int64(4000000000), f[11])
	back, err := w.ImportCred(exported(t, c))
	require.NoError(t, err)
	by, err := back.(mech.Inquirer).Inquire(oid.Krb5CredImpersonator)
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("host/x@" + realm)}, by)
}

// However a credential with keys is printed, its keys are not.
func TestCredPrintsNoKey(t *testing.T) {
	w := newWorld(t, nil, nil)
	token := exported(t, w.alice)
	back, err := w.ImportCred(token)
	require.NoError(t, err)
	_, err = back.Info(ctx) // so that the contents are read
	require.NoError(t, err)
	cache := fields(t, token)[7].([]any)
	key, err := base64.StdEncoding.DecodeString(cache[1].([]any)[2].([]any)[1].(string))
	require.NoError(t, err)
	require.Len(t, key, 32)
	for _, c := range []mech.Cred{w.alice, back} {
		for _, text := range printed(c) {
			for _, form := range forms(key) {
				require.False(t, bytes.Contains(text, form), "%s", text)
			}
		}
	}
	half := token[:len(token)/2]
	_, err = w.ImportCred(half)
	require.Error(t, err)
	require.NotContains(t, fmt.Sprintf("%+v", err), base64.StdEncoding.EncodeToString(key)[:20])
}

// FuzzImportCred: what is imported exports to something that imports to the same.
func FuzzImportCred(f *testing.F) {
	w, _ := fileWorld(f, nil, nil)
	kt := filepath.Join(f.TempDir(), "keytab")
	write(f, kt, string(w.keytab))
	f.Add(exported(f, login(f, w.Mechanism)))
	f.Add(exported(f, w.alice))
	for _, u := range []mech.Usage{mech.UsageAccept, mech.UsageBoth} {
		c, err := w.AcquireCred(ctx, mech.CredRequest{Usage: u, Name: importName(f, w, "host", oid.NTHostBased), Store: map[string]string{"keytab": kt, "rcache": "none:"}})
		if err == nil {
			f.Add(exported(f, c))
		}
	}
	f.Add([]byte(`["K5C1",[1,["a@B",null,null],"c@B",true,false,null,null,["a@B",["a@B","c@B",[18,"AAAA"],1,2,3,4,true,5,[[2,"fwAAAQ=="]],"","",[[1,"AA=="]]]],null,false,0,0,[18],"pw"]]`))
	f.Fuzz(func(t *testing.T, token []byte) {
		c, err := w.ImportCred(token)
		if err != nil {
			require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
			return
		}
		if c.Usage() != mech.UsageAccept && !strings.Contains(c.(fmt.Stringer).String(), "from MEMORY:") {
			return // of a file, which is not looked at here
		}
		again := exported(t, c)
		back, err := w.ImportCred(again)
		require.NoError(t, err, "%s", again)
		require.JSONEq(t, string(again), string(exported(t, back)))
	})
}
