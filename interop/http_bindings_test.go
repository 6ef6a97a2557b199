package interop

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/adapters/negotiate"
	"github.com/gss-go/gssapi/interop/mitkdc"
)

// The channel bindings that our client takes from crypto/tls are those that MIT's
// library computes with, in SPNEGO.
func TestBindingsToMIT(t *testing.T) {
	w := webRealm(t)
	program, err := mitkdc.Build(t.TempDir(), "c/httpbind.c")
	require.NoError(t, err)
	bindings := "none"
	// A web server whose acceptor is a C program.
	h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("WWW-Authenticate", "Negotiate")
		field, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Negotiate ")
		if !ok {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		token, err := base64.StdEncoding.DecodeString(field)
		if err != nil {
			t.Error(err)
		}
		cmd, err := realm.Command(program, bindings)
		if err != nil {
			t.Error(err)
			return
		}
		var said bytes.Buffer
		cmd.Env = append(cmd.Env, "KRB5_KTNAME=FILE:"+w.file("http.keytab"))
		cmd.Stdin, cmd.Stderr = bytes.NewReader(token), &said
		reply, err := cmd.Output()
		if err != nil {
			rw.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(rw, said.String())
			return
		}
		rw.Header().Set("WWW-Authenticate", "Negotiate "+base64.StdEncoding.EncodeToString(reply))
		fmt.Fprint(rw, said.String())
	})
	srv := httptest.NewUnstartedServer(h)
	srv.Listener = tls.NewListener(srv.Listener, &tls.Config{Certificates: []tls.Certificate{w.cert}})
	srv.Start()
	defer srv.Close()
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	require.NoError(t, err)
	url := "https://localhost:" + port

	sum := sha256.Sum256(w.cert.Certificate[0])
	right := hex.EncodeToString(append([]byte("tls-server-end-point:"), sum[:]...))
	sum[0] ^= 1
	wrong := hex.EncodeToString(append([]byte("tls-server-end-point:"), sum[:]...))
	cc := kinit(t, "krb5.conf", "alice")
	const bound = 0x800 // GSS_C_CHANNEL_BOUND_FLAG
	for _, tt := range []struct {
		name, bindings string
		none           bool // we send none
		status         int
		bound          bool
	}{
		{name: "right", bindings: right, status: 200, bound: true},
		{name: "wrong", bindings: wrong, status: 401},
		{name: "absent there", bindings: "none", status: 200},
		{name: "absent here", bindings: right, none: true, status: 200}, // MIT's library admits it
		{name: "absent", bindings: "none", none: true, status: 200},
	} {
		for _, preemptive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", tt.name, preemptive), func(t *testing.T) {
				bindings = tt.bindings
				tr := w.transport(t, cc)
				tr.NoBindings, tr.Preemptive = tt.none, preemptive
				resp, body := page(t, tr, url, "")
				require.Equal(t, tt.status, resp.StatusCode, "%s %v", body, negotiate.Failure(resp))
				if tt.status != 200 {
					require.Contains(t, body, "channel bindings")
					return
				}
				var name string
				var flags uint32
				_, err := fmt.Sscanf(body, "%s %x", &name, &flags)
				require.NoError(t, err)
				require.Equal(t, "alice@"+realmName, name)
				require.Equal(t, tt.bound, flags&bound != 0)
			})
		}
	}
}
