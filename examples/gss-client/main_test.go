package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/testenv"
)

// TestPrograms runs this program against gss-server, as processes of their own
// in the realm of an embedded KDC.
func TestPrograms(t *testing.T) {
	k := testenv.NewKDC(nil)
	defer k.Close()
	k.AddUser("alice", "correct horse")
	k.AddService("host/localhost")
	dir := t.TempDir()
	require.NoError(t, k.WriteFiles(dir)) // alice's key is in client.keytab
	conf, err := os.ReadFile(filepath.Join(dir, "krb5.conf"))
	require.NoError(t, err)
	conf = append(conf, "\tlocalhost = "+k.Realm()+"\n"...) // in its last section, domain_realm
	require.NoError(t, os.WriteFile(filepath.Join(dir, "krb5.conf"), conf, 0o600))
	env := append(os.Environ(), "KRB5_CONFIG="+filepath.Join(dir, "krb5.conf"),
		"KRB5CCNAME=", "KRB5_KTNAME=", "KRB5_CLIENT_KTNAME=")

	for _, name := range []string{"gss-client", "gss-server"} {
		out, err := exec.Command("go", "build", "-o", dir, "github.com/gss-go/gssapi/examples/"+name).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	for _, tt := range []struct {
		name    string
		options []string
		answer  string
		served  string
		failing bool
		service string
	}{
		{name: "default", answer: "Signature verified.", served: `Received message: "hello"`},
		{name: "options", options: []string{"-seq", "-noreplay", "-nomutual", "-mech", "krb5"}, answer: "Signature verified.", served: "alice@" + k.Realm()},
		{name: "not encrypted", options: []string{"-nx"}, answer: "Signature verified.", served: `Received message: "hello"`},
		{name: "no MIC", options: []string{"-nm"}, answer: "Response received.", served: `Received message: "hello"`},
		{name: "unauthenticated", options: []string{"-na"}, answer: "Response received.", served: "unauthenticated"},
		{name: "unknown service", service: "nfs@localhost", failing: true},
		{name: "unknown mechanism", options: []string{"-mech", "1.2.3"}, failing: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			port := freePort(t)
			server := exec.Command(filepath.Join(dir, "gss-server"), "-port", port, "-once", "-verbose", "host@localhost")
			server.Env = env
			out, err := server.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, server.Start())
			defer func() {
				_ = server.Process.Kill()
				_ = server.Wait() // killed, or failed because the client did
			}()
			log := bufio.NewReader(out)
			line, err := log.ReadString('\n') // it listens
			require.NoError(t, err)
			require.Equal(t, "starting...\n", line)

			service := "host@localhost"
			if tt.service != "" {
				service = tt.service
			}
			args := append([]string{"-port", port}, tt.options...)
			client := exec.Command(filepath.Join(dir, "gss-client"), append(args, "localhost", service, "hello")...)
			client.Env = env
			said, err := client.CombinedOutput()
			if tt.failing {
				require.Error(t, err, "%s", said)
				return
			}
			require.NoError(t, err, "%s", said)
			require.Contains(t, string(said), tt.answer)
			var served strings.Builder
			_, err = log.WriteTo(&served)
			require.NoError(t, err)
			require.Contains(t, served.String(), tt.served)
		})
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return port
}
