package interop

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/interop/mitkdc"
)

// sampleServer is a running gss-server, MIT's or ours.
type sampleServer struct {
	port string
	mit  bool
	mu   sync.Mutex
	log  strings.Builder
}

func (s *sampleServer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

// since returns what was logged after the first n bytes, once text is in it.
func (s *sampleServer) since(t *testing.T, n int, text string, count int) string {
	t.Helper()
	var log string
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		log = s.log.String()[n:]
		return strings.Count(log, text) >= count
	}, 5*time.Second, 5*time.Millisecond, "%q is not %d times in the log", text, count)
	return log
}

func (s *sampleServer) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Len()
}

func startServer(t *testing.T, program, conf, service string, env ...string) *sampleServer {
	t.Helper()
	addr, err := mitkdc.FreeAddr()
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	s := &sampleServer{port: port, mit: program == "gss-server"}
	cmd, err := realm.Command(program, "-port", port, "-verbose",
		"-keytab", realm.File("services.keytab"), service+"@localhost")
	require.NoError(t, err)
	cmd.Env = append(append(cmd.Env, environ(conf, "/nonexistent/ccache")...), env...)
	cmd.Stdout, cmd.Stderr = s, s
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: its status says nothing
		if t.Failed() {
			t.Logf("%s:\n%s", program, s.log.String())
		}
	})
	require.NoError(t, mitkdc.WaitPort(addr))
	return s
}

// flag returns how a server reports a context flag.
func (s *sampleServer) flag(name string) string {
	if s.mit {
		return "GSS_C_" + strings.ToUpper(name) + "_FLAG"
	}
	return name
}

func TestSamplePrograms(t *testing.T) {
	for _, side := range []struct{ name, client, server string }{
		{"MIT client, our server", "gss-client", programs.server},
		{"our client, MIT server", programs.client, "gss-server"},
		{"our client, our server", programs.client, programs.server},
	} {
		t.Run(side.name, func(t *testing.T) {
			for _, e := range enctypes {
				t.Run(e.short, func(t *testing.T) {
					conf := e.short + ".conf"
					server := startServer(t, side.server, conf, e.short)
					env := environ(conf, kinit(t, conf, "alice"))
					for _, tt := range sampleCases {
						t.Run(tt.name, func(t *testing.T) { tt.run(t, side.client, server, env, e.short) })
					}
				})
			}
		})
	}
}

type sampleCase struct {
	name     string
	args     []string
	messages int    // how many arrive
	answer   string // what the client prints for each
	flags    string // names of flags in force
	without  string // names of flags not in force
}

const (
	verified = "Signature verified."
	received = "Response received."
)

var sampleCases = []sampleCase{
	{"default", nil, 1, verified, "mutual replay conf integ", "sequence"},
	{"sequence", []string{"-seq"}, 1, verified, "mutual replay sequence conf integ", ""},
	{"no replay detection", []string{"-noreplay"}, 1, verified, "mutual conf integ", "replay sequence"},
	{"one-way", []string{"-nomutual"}, 1, verified, "replay conf integ", "mutual"},
	{"one-way, sequence", []string{"-nomutual", "-seq", "-mcount", "3"}, 3, verified, "replay sequence", "mutual"},
	{"integrity only", []string{"-nx"}, 1, verified, "", ""},
	{"not wrapped", []string{"-nw"}, 1, verified, "", ""},
	{"no MIC", []string{"-nm"}, 1, received, "", ""},
	{"neither", []string{"-nw", "-nx", "-nm"}, 1, received, "", ""},
	{"unauthenticated", []string{"-na"}, 1, received, "", ""},
	{"messages", []string{"-seq", "-mcount", "50"}, 50, verified, "", ""},
	{"connections", []string{"-ccount", "3", "-mcount", "2"}, 6, verified, "", ""},
	{"quiet", []string{"-q"}, 1, "", "", ""},
}

const sampleText = "hello from the sample client"

func (c *sampleCase) run(t *testing.T, client string, server *sampleServer, env []string, service string) {
	start := server.size()
	args := append([]string{"-port", server.port}, c.args...)
	out, err := realm.RunEnv(env, "", client, append(args, "localhost", service+"@localhost", sampleText)...)
	require.NoError(t, err)
	if c.answer != "" {
		require.Equal(t, c.messages, strings.Count(out, c.answer), out)
	} else {
		require.Empty(t, out)
	}
	log := server.since(t, start, `Received message: "`+sampleText+`"`, c.messages)
	for flag := range strings.FieldsSeq(c.flags) {
		require.Contains(t, log, server.flag(flag))
	}
	for flag := range strings.FieldsSeq(c.without) {
		require.NotContains(t, log, server.flag(flag))
	}
	require.NotContains(t, log, "not encrypted")
	if c.name != "unauthenticated" {
		require.Contains(t, log, `Accepted connection: "alice@`+realmName+`"`)
	}
}

// A message from a file, which may be long.
func TestSampleFile(t *testing.T) {
	text := strings.Repeat("a long message ", 10_000)
	file := filepath.Join(t.TempDir(), "message")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	env := environ("krb5.conf", kinit(t, "krb5.conf", "alice"))
	for _, side := range []struct{ name, client, server string }{
		{"MIT client", "gss-client", programs.server},
		{"our client", programs.client, "gss-server"},
	} {
		t.Run(side.name, func(t *testing.T) {
			server := startServer(t, side.server, "krb5.conf", "host")
			out, err := realm.RunEnv(env, "", side.client, "-port", server.port, "-f", "localhost", "host@localhost", file)
			require.NoError(t, err)
			require.Contains(t, out, verified)
			server.since(t, 0, "a long message a long message", 1)
		})
	}
}

// Where only FIPS 140 algorithms are allowed, ours work with the enctypes of RFC
// 8009, and refuse those with SHA-1 without falling over them.
func TestSampleFIPS(t *testing.T) {
	const only = "GODEBUG=fips140=only"
	for _, tt := range []struct {
		name, conf, service, client, server string
		works                               bool
	}{
		{"MIT client, AES-128 SHA-2", "aes128-sha2.conf", "aes128-sha2", "gss-client", programs.server, true},
		{"MIT client, AES-256 SHA-2", "aes256-sha2.conf", "aes256-sha2", "gss-client", programs.server, true},
		// The server has a key of every enctype; the KDC takes the first, which
		// is one with SHA-1.
		{"MIT client, ticket with SHA-1", "aes256-sha2.conf", "host", "gss-client", programs.server, false},
		{"MIT client, all with SHA-1", "aes128-sha1.conf", "host", "gss-client", programs.server, false},
		{"our client, AES-128 SHA-2", "aes128-sha2.conf", "aes128-sha2", programs.client, "gss-server", true},
		{"our client, AES-256 SHA-2", "aes256-sha2.conf", "aes256-sha2", programs.client, "gss-server", true},
		{"our client, SHA-1", "aes128-sha1.conf", "aes128-sha1", programs.client, "gss-server", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := startServer(t, tt.server, tt.conf, tt.service, only)
			env := append(environ(tt.conf, kinit(t, tt.conf, "alice")), only)
			for range 2 { // the second finds the server alive
				out, err := realm.RunEnv(env, "", tt.client, "-port", server.port, "localhost", tt.service+"@localhost", "hello")
				if tt.works {
					require.NoError(t, err)
					require.Contains(t, out, verified)
					continue
				}
				require.Error(t, err)
				require.NotContains(t, out, "panic")
				require.NotContains(t, out, "onnection refused")
			}
			require.NotContains(t, server.since(t, 0, "", 0), "panic")
		})
	}
}

// A server without the key says so instead of hanging, in both directions.
func TestSampleWrongKey(t *testing.T) {
	env := environ("krb5.conf", kinit(t, "krb5.conf", "alice"))
	for _, side := range []struct{ name, client, server string }{
		{"MIT client", "gss-client", programs.server},
		{"our client", programs.client, "gss-server"},
	} {
		t.Run(side.name, func(t *testing.T) {
			server := startServer(t, side.server, "krb5.conf", "aes256-sha1")
			_, err := realm.RunEnv(env, "", side.client, "-port", server.port, "localhost", "host@localhost", "x")
			require.Error(t, err)
		})
	}
}
