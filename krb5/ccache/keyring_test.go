package ccache_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
)

func TestKeyDescription(t *testing.T) {
	for text, want := range map[string]string{
		"keyring;0;65534;3f010000;_krb_x": "keyring _krb_x",
		"user;0;0;1;a;b":                  "user a;b",
		"user;0;0;1;":                     "user ",
	} {
		kind, name, ok := ccache.ParseKeyDescription(text)
		require.True(t, ok)
		require.Equal(t, want, kind+" "+name)
	}
	_, _, ok := ccache.ParseKeyDescription("user;0;0;1")
	require.False(t, ok)
}

func FuzzKeyring(f *testing.F) {
	e := ticket("a", 1700000000)
	list := ccache.AppendCredList(nil, []ccache.Credential{e})
	f.Add("host/a", list[8:])
	f.Add("__krb5_princ__", golden(f, "v4.txt")[32:60])
	f.Add("__krb5_time_offsets__", make([]byte, 8))
	f.Add("krb_ccache:primary", ccache.AppendKeyPrimary(nil, "tkt"))
	f.Add("keyring;0;0;3f010000;x", []byte{1, 0, 0, 0, 2, 0, 0, 0})
	f.Fuzz(func(t *testing.T, name string, payload []byte) {
		c := new(ccache.Contents)
		if err := c.AddKey(name, payload); err == nil && len(c.Entries) == 1 {
			out := ccache.AppendCredList(nil, c.Entries)[8:]
			again := new(ccache.Contents)
			if err := again.AddKey("x", out); err != nil || fmt.Sprint(plain(again.Entries)) != fmt.Sprint(plain(c.Entries)) {
				t.Fatalf("credential %x: %v", payload, err)
			}
		}
		if primary, err := ccache.ParseKeyPrimary(payload); err == nil && !bytes.Equal(ccache.AppendKeyPrimary(nil, primary), payload) {
			t.Fatalf("primary %q of %x", primary, payload)
		}
		if kind, key, ok := ccache.ParseKeyDescription(name); ok && (!strings.HasPrefix(name, kind+";") || !strings.HasSuffix(name, ";"+key)) {
			t.Fatalf("description %q", name)
		}
		if got := ccache.ParseSerials(payload); len(got) != len(payload)/4 {
			t.Fatalf("%d serials in %d bytes", len(got), len(payload))
		}
	})
}
