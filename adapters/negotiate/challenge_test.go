package negotiate_test

import (
	"bytes"
	"crypto/tls"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/adapters/negotiate"
)

func TestFindChallenge(t *testing.T) {
	for _, tt := range []struct {
		in    []string
		token string
		found bool
		err   string
	}{
		{in: nil},
		{in: []string{""}},
		{in: []string{"Negotiate"}, found: true},
		{in: []string{"NEGOTIATE"}, found: true},
		{in: []string{"Negotiate YWJj"}, found: true, token: "abc"},
		{in: []string{"negotiate  YWI="}, found: true, token: "ab"},
		{in: []string{"negotiate\tYQ=="}, found: true, token: "a"},
		{in: []string{"Basic realm=x, Negotiate YWJj"}, found: true, token: "abc"},
		{in: []string{"Negotiate YWJj, Basic realm=x"}, found: true, token: "abc"},
		{in: []string{"Basic realm=\"x\"", "Negotiate"}, found: true},
		{in: []string{"Negotiate", "Negotiate YWJj"}, found: true, token: "abc"},
		{in: []string{", ,Negotiate ,"}, found: true},
		{in: []string{`Digest realm="a\", Negotiate YWJj", nonce="b,c", qop=auth`}},
		{in: []string{`Digest realm = "a", Negotiate, nonce=x`}, found: true},
		{in: []string{`Negotiate realm="a"`}, found: true},
		{in: []string{"NTLM TlRMTVNTUAAC", "Kerberos"}},
		{in: []string{"NegotiateX YWJj"}},
		{in: []string{"X-Negotiate"}},
		{in: []string{"Bearer ***, Negotiate"}, found: true},
		{in: []string{"Negotiate YWJj, Negotiate YWJj"}, err: "more than one"},
		{in: []string{"Negotiate YWJj", "Negotiate ZGVm"}, err: "more than one"},
		{in: []string{"Negotiate YWI"}, err: "base64"},
		{in: []string{"Negotiate YWJ="}, err: "base64"},
		{in: []string{"Negotiate -_-_"}, err: "base64"},
		{in: []string{"Negotiate ***"}, err: "malformed"},
		{in: []string{"Negotiate a b"}, err: "malformed"},
		{in: []string{"Negotiate/YWJj"}, err: "malformed"},
		{in: []string{"realm=x, Negotiate"}, err: "malformed"},
		{in: []string{"=x"}, err: "malformed"},
		{in: []string{"\"quoted\""}, err: "malformed"},
		{in: []string{`Basic realm="x`}, err: "malformed"},
		{in: []string{strings.Repeat("a", 256<<10+1)}, err: "longer than"},
		{in: []string{strings.Repeat("a", 128<<10), strings.Repeat("a", 128<<10+1)}, err: "longer than"},
	} {
		token, found, err := negotiate.FindChallenge(tt.in, "Negotiate")
		if tt.err != "" {
			require.ErrorContains(t, err, tt.err, "%q", tt.in)
			require.Nil(t, token)
			continue
		}
		require.NoError(t, err, "%.60q", tt.in)
		require.Equal(t, tt.found, found, "%q", tt.in)
		require.Equal(t, tt.token, string(token), "%q", tt.in)
	}
}

func TestRealmOf(t *testing.T) {
	for in, want := range map[string]string{
		"alice@A.TEST": "A.TEST", "a/b@A.TEST": "A.TEST", `al\@ice@A.TEST`: "A.TEST", `al\\@A.TEST`: "A.TEST",
		"alice": "", "alice@": "", `alice\@A.TEST`: "", "alice@A@B": "", `alice@A\@B`: "", `a@b\`: "", `a\`: "", "": "",
	} {
		realm, ok := negotiate.RealmOf(in)
		require.Equal(t, want != "", ok, in)
		if ok {
			require.Equal(t, want, realm, in)
		}
	}
}

// What a challenge's token was read from is what it would be written as.
func FuzzFindChallenge(f *testing.F) {
	f.Add("Negotiate YWJj", "")
	f.Add(`Basic realm="a, b", Negotiate`, "Negotiate YWI=")
	f.Add(`Digest a=b, c="\"", NTLM`, "negotiate\tYQ==")
	f.Fuzz(func(t *testing.T, a, b string) {
		token, found, err := negotiate.FindChallenge([]string{a, b}, "Negotiate")
		if err != nil || token == nil {
			require.True(t, err == nil || !found && token == nil)
			return
		}
		require.True(t, found)
		_, text, _ := strings.Cut(negotiate.Encode("Negotiate", token), " ")
		require.True(t, strings.Contains(a, text) || strings.Contains(b, text))
		again, found, err := negotiate.FindChallenge([]string{negotiate.Encode("Negotiate", token)}, "Negotiate")
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, token, again)
	})
}

func FuzzFindCredentials(f *testing.F) {
	f.Add("Negotiate YWJj")
	f.Add("negotiate \tYQ== ")
	f.Add("Basic YTpi")
	f.Fuzz(func(t *testing.T, a string) {
		token, err := negotiate.FindCredentials([]string{a})
		if err != nil || token == nil {
			require.Nil(t, token)
			return
		}
		_, text, _ := strings.Cut(negotiate.Encode("Negotiate", token), " ")
		require.Contains(t, a, text)
		again, err := negotiate.FindCredentials([]string{negotiate.Encode("Negotiate", token)})
		require.NoError(t, err)
		require.True(t, bytes.Equal(token, again))
	})
}

// The set of connections keeps none of them alive, and does not grow for ever.
func TestConnections(t *testing.T) {
	var s negotiate.Connections
	require.False(t, s.Has(nil, "a"))
	c := &net.TCPConn{}
	s.Add(c, "a")
	require.True(t, s.Has(c, "a"))
	require.False(t, s.Has(c, "b"))
	require.False(t, s.Has(&net.TCPConn{}, "a"))
	pipe, _ := net.Pipe()
	s.Add(pipe, "a")
	require.False(t, s.Has(pipe, "a"), "a type that cannot be watched")
	u := &net.UnixConn{}
	s.Add(u, "a")
	require.True(t, s.Has(u, "a"))
	for range 20 {
		for range 100 {
			s.Add(tls.Client(nil, &tls.Config{}), "a")
		}
		runtime.GC()
	}
	require.Less(t, s.Len(), 700)
	require.True(t, s.Has(c, "a"))
	runtime.KeepAlive(c)
	runtime.KeepAlive(u)
}
