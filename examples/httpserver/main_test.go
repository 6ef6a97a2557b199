package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/testenv"
)

// TestPrograms runs httpclient against this program, as processes of their own in
// the realm of an embedded KDC.
func TestPrograms(t *testing.T) {
	k := testenv.NewKDC(nil)
	defer k.Close()
	k.AddUser("alice", "correct horse")
	k.AddService("HTTP/127.0.0.1")
	dir := t.TempDir()
	require.NoError(t, k.WriteFiles(dir)) // alice's key is in client.keytab
	env := append(os.Environ(), "KRB5_CONFIG="+filepath.Join(dir, "krb5.conf"), "KRB5CCNAME=", "KRB5_KTNAME=", "KRB5_CLIENT_KTNAME=")
	for _, name := range []string{"httpclient", "httpserver"} {
		out, err := exec.Command("go", "build", "-o", dir, "github.com/gss-go/gssapi/examples/"+name).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	for _, tt := range []struct {
		name           string
		server, client []string
		want           string
		failing        bool
	}{
		{name: "default", want: "hello, alice@EXAMPLE.TEST\nmechanism 1.2.840.113554.1.2.2"},
		{name: "keytab", server: []string{"-keytab", filepath.Join(dir, "krb5.keytab"), "-realm", "EXAMPLE.TEST"}, client: []string{"-raw", "-preemptive"}, want: "hello, alice"},
		{name: "one-way", client: []string{"-mutual", "disabled", "-i"}, want: "HTTP/1.1 200 OK\n"},
		{name: "POST, connection", server: []string{"-connection"}, client: []string{"-d", "data", "-target", "HTTP@127.0.0.1"}, want: "hello, alice"},
		{name: "another realm", server: []string{"-realm", "OTHER.TEST"}, failing: true, want: "403 Forbidden"},
		{name: "another service", client: []string{"-target", "host@127.0.0.1"}, failing: true, want: "401 Unauthorized: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := exec.Command(filepath.Join(dir, "httpserver"), append([]string{"-listen", "127.0.0.1:0"}, tt.server...)...)
			server.Env = env
			out, err := server.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, server.Start())
			defer func() {
				_ = server.Process.Kill()
				_ = server.Wait() // killed
			}()
			url, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			client := exec.Command(filepath.Join(dir, "httpclient"), append(tt.client, strings.TrimSpace(url))...)
			client.Env = env
			said, err := client.CombinedOutput()
			require.Equal(t, tt.failing, err != nil, "%s", said)
			require.Contains(t, string(said), tt.want)
		})
	}
}
